package hub_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"lintas/agent/crossing"
	"lintas/agent/hub"
)

// The counters know the next signing key before it signs, and the old one as
// long as acknowledgements of it are about.
func TestSigningKeyIsRotated(t *testing.T) {
	dir := t.TempDir()
	if err := hub.InitKeys(dir); err != nil {
		t.Fatal(err)
	}
	signs := func() string {
		t.Helper()
		key, err := crossing.LoadPrivateKey(filepath.Join(dir, hub.FileAckKey))
		if err != nil {
			t.Fatal(err)
		}
		return key.ID
	}
	known := func(ids ...string) {
		t.Helper()
		keys, err := crossing.LoadKeys(filepath.Join(dir, hub.FileAckKeys))
		if err != nil || len(keys) != len(ids) {
			t.Fatalf("%v, %v, want %v", keys, err, ids)
		}
		for _, id := range ids {
			if keys[id] == nil {
				t.Errorf("%s is not among %v", id, keys)
			}
		}
	}
	now, first := time.Now(), signs()
	if _, err := hub.SwitchAckKey(dir, now); err == nil {
		t.Error("switched to nothing")
	}
	second, err := hub.NextAckKey(dir)
	if err != nil || signs() != first {
		t.Fatal(err)
	}
	known(first, second)
	if _, err := hub.NextAckKey(dir); err == nil {
		t.Error("a next key was made in the place of another")
	}
	if err := hub.InitKeys(dir); err != nil { // once more
		t.Fatal(err)
	}
	known(first, second)
	if id, err := hub.SwitchAckKey(dir, now); err != nil || id != second || signs() != second {
		t.Fatal(id, err)
	}
	known(first, second)
	if until, err := hub.Validity(dir); err != nil || until[first].Before(now.Add(hub.Overlap-time.Minute)) || !until[second].IsZero() {
		t.Errorf("%v, %v", until, err)
	}
	third, err := hub.NextAckKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.SwitchAckKey(dir, now.Add(hub.Overlap+time.Hour)); err != nil {
		t.Fatal(err)
	}
	known(second, third)
}

// Records are encrypted to both identities for a while, and each opens what was
// encrypted to it for ever.
func TestIdentityIsRotated(t *testing.T) {
	for name, init := range map[string]func(string) error{"classic": hub.InitKeys, "post-quantum": func(dir string) error {
		if err := hub.InitPostQuantum(dir); err != nil {
			return err
		}
		return hub.InitKeys(dir)
	}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := init(dir); err != nil {
				t.Fatal(err)
			}
			recipients := func() []string {
				t.Helper()
				b, err := os.ReadFile(filepath.Join(dir, hub.FileRecipients))
				if err != nil {
					t.Fatal(err)
				}
				return strings.Fields(string(b))
			}
			seal := func(to ...string) []byte {
				t.Helper()
				list, err := crossing.ParseRecipients(to...)
				if err != nil {
					t.Fatal(err)
				}
				var b bytes.Buffer
				w, err := age.Encrypt(&b, list...)
				if err == nil {
					_, err = w.Write([]byte("record"))
				}
				if err == nil {
					err = w.Close()
				}
				if err != nil {
					t.Fatal(err)
				}
				return b.Bytes()
			}
			first := recipients()
			before := seal(first...)
			next, err := hub.NextIdentity(dir)
			if err != nil {
				t.Fatal(err)
			}
			both := recipients()
			if len(first) != 1 || len(both) != 2 || both[1] != next {
				t.Fatalf("%v, %v", first, both)
			}
			if _, err := hub.NextIdentity(dir); err == nil {
				t.Error("a next identity was made beside another")
			}
			now := time.Now()
			if got, err := hub.SwitchIdentity(dir, now); err != nil || got != next {
				t.Fatal(got, err)
			}
			until, err := hub.Validity(dir)
			if err != nil || until[first[0]].IsZero() || !until[next].IsZero() || len(recipients()) != 2 {
				t.Errorf("%v, %v", until, err)
			}
			ids, err := hub.Identities(dir)
			if err != nil || len(ids) != 2 {
				t.Fatalf("%d identities, %v", len(ids), err)
			}
			for i, sealed := range [][]byte{before, seal(both...), seal(next)} {
				if plain, err := crossing.OpenWith(ids, sealed); err != nil || string(plain) != "record" {
					t.Errorf("%d: %q, %v", i, plain, err)
				}
			}
		})
	}
}
