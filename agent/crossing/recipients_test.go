package crossing_test

import (
	"fmt"
	"strings"
	"testing"

	"filippo.io/age"

	"lintas/agent/crossing"
)

// identityOf makes an identity of a kind and gives its recipient's text.
func identityOf(t *testing.T, quantum bool) (age.Identity, string) {
	t.Helper()
	if quantum {
		id, err := age.GenerateHybridIdentity()
		if err != nil {
			t.Fatal(err)
		}
		return id, id.Recipient().String()
	}
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return id, id.Recipient().String()
}

// "Age identities as age-keygen writes them": several recipients, so that the
// hub's identity can be rotated, classic or post-quantum.
func TestEveryRecipientOpensTheRecord(t *testing.T) {
	for _, quantum := range []bool{false, true} {
		t.Run(fmt.Sprintf("quantum=%t", quantum), func(t *testing.T) {
			p := newPost(t)
			first, a := identityOf(t, quantum)
			second, b := identityOf(t, quantum)
			stranger, _ := identityOf(t, quantum)
			to, err := crossing.ParseRecipients(a, b)
			if err != nil {
				t.Fatal(err)
			}
			p.recorder.Encrypter = crossing.NewEncrypter(to...)
			p.record(t, crossing.Departure, records()[crossing.Departure])
			s, err := crossing.Open(p.sealed[0], p.key.Public())
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range []age.Identity{first, second} {
				plain, err := s.Decrypt(id)
				if err != nil {
					t.Fatal(err)
				}
				conforms(t, "record.crossing.departure", plain)
			}
			if _, err := s.Decrypt(stranger); err == nil {
				t.Error("a stranger opens the record")
			}
		})
	}
}

// "All recipients are of one kind (age does not mix classic and
// post-quantum)."
func TestRecipientsAreOfOneKind(t *testing.T) {
	secret, classic := identityOf(t, false)
	_, quantum := identityOf(t, true)
	for name, texts := range map[string][]string{
		"mixed": {classic, quantum}, "mixed the other way": {quantum, classic}, "none": {}, "garbage": {"age1zzz"},
		"a secret identity": {fmt.Sprint(secret)},
	} {
		_, err := crossing.ParseRecipients(texts...)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if strings.Contains(err.Error(), "AGE-SECRET") {
			t.Errorf("%s: the error tells the secret", name)
		}
		if strings.HasPrefix(name, "mixed") && !strings.Contains(err.Error(), "two kinds") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
