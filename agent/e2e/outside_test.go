package e2e_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"filippo.io/age"

	"lintas/agent/crossing"
	"lintas/queue/mqtt"
)

// outsider is somebody else's program on the broker. It knows the wire
// contract and nothing of ours.
type outsider struct {
	mu       sync.Mutex
	messages []mqtt.Message
}

func (s *site) outsider() *outsider {
	s.t.Helper()
	o := &outsider{}
	c, err := mqtt.Dial(s.t.Context(), mqtt.Options{
		URL: fmt.Sprintf("tcp://127.0.0.1:%d", s.port), ClientID: "outsider", Filters: []string{"lintas/v1/#"},
		Receive: func(m mqtt.Message) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.messages = append(o.messages, m)
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return o
}

func (o *outsider) on(topic string) (payloads [][]byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, m := range o.messages {
		if m.Topic == topic {
			payloads = append(payloads, m.Payload)
		}
	}
	return payloads
}

// verify checks a compact JWS by hand: RFC 7515 §5.2, RFC 8037 §3.1.
func verify(t *testing.T, jws []byte, typ string, keyFile string) (payload []byte) {
	t.Helper()
	var set struct {
		Keys []struct{ Kty, Crv, X, Kid string }
	}
	b, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &set); err != nil || len(set.Keys) != 1 || set.Keys[0].Crv != "Ed25519" {
		t.Fatalf("%s is not a set of one Ed25519 key: %v", keyFile, err)
	}
	parts := strings.Split(string(jws), ".")
	if len(parts) != 3 {
		t.Fatalf("not a compact JWS")
	}
	decode := func(s string) []byte {
		b, err := base64.RawURLEncoding.Strict().DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var header map[string]any
	if err := json.Unmarshal(decode(parts[0]), &header); err != nil {
		t.Fatal(err)
	}
	thumbprint := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + set.Keys[0].X + `"}`)) // RFC 7638
	if header["alg"] != "EdDSA" || header["typ"] != typ || header["kid"] != base64.RawURLEncoding.EncodeToString(thumbprint[:]) {
		t.Fatalf("header %v", header)
	}
	if !ed25519.Verify(decode(set.Keys[0].X), []byte(parts[0]+"."+parts[1]), decode(parts[2])) {
		t.Fatal("the signature does not fit")
	}
	return decode(parts[1])
}

// Everything on the broker can be verified and, with the hub's identity,
// opened, by a program that has only the keys and the schemas.
func TestOutsideReader(t *testing.T) {
	t.Parallel()
	s := newSite(t, `direction = "return"`)
	s.broker()
	o := s.outsider()
	s.installList(traveller(1))
	agent := s.agent()
	st := s.ready()
	s.trust()
	s.hub()
	after := s.last()
	s.send(strings.Join(zone(t, traveller(1)), "\r") + "\r")
	post(t, st.Page, "/decide", url.Values{"inspection": {s.opened(after).note.Inspection}, "decision": {"proceed"}})
	s.next(after, crossing.Return)
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	s.confirmed()

	topic := "lintas/v1/" + counterID
	head, last := make([]byte, 32), make([]byte, 32)
	seen := map[string]string{} // sequence to jws: a message may come twice, but never another
	types := map[string]bool{}
	var epoch string
	for _, jws := range o.on(topic + "/event") {
		payload := verify(t, jws, "lintas-event+jws", s.path("state/counter.pub.jwk"))
		conforms(t, "event", payload)
		var e struct{ Epoch, Sequence, Prevhash, Type, Data_base64 string }
		if err := json.Unmarshal(payload, &e); err != nil {
			t.Fatal(err)
		}
		if again, ok := seen[e.Sequence]; ok {
			if again != string(jws) {
				t.Fatalf("event %s came with two contents", e.Sequence)
			}
			continue
		}
		seen[e.Sequence], types[e.Type], epoch = string(jws), true, e.Epoch
		if e.Sequence != fmt.Sprint(len(seen)) || e.Prevhash != base64.RawURLEncoding.EncodeToString(head) {
			t.Fatalf("event %s does not follow the one before", e.Sequence)
		}
		sum := sha256.Sum256(jws)
		head, last = sum[:], sum[:]
		record := decrypt(t, e.Data_base64, s.path("keys/age.txt"))
		name := strings.TrimSuffix(strings.TrimPrefix(e.Type, "lintas."), ".v1")
		conforms(t, "record."+name, record)
		if name == "crossing.return" && !bytes.Contains(record, []byte(canaryPrimary)) {
			t.Error("the crossing does not name its traveller")
		}
		if bytes.Contains(jws, []byte(canaryPrimary)) || bytes.Contains(payload, []byte(canaryPrimary)) {
			t.Error("the broker can read the traveller's name")
		}
	}
	for _, want := range []string{"agent.started", "device.up", "inspection.opened", "crossing.return", "agent.stopped"} {
		if !types["lintas."+want+".v1"] {
			t.Errorf("no %s came", want)
		}
	}
	acks := o.on(topic + "/ack")
	if len(acks) == 0 {
		t.Fatal("no acknowledgement came")
	}
	var before string
	for _, jws := range acks {
		payload := verify(t, jws, "lintas-ack+jws", s.path("keys/ack.jwks"))
		conforms(t, "ack", payload)
		var a struct {
			Counter, Time string
			Epochs        []struct {
				Epoch, Head string
				Through     int
			}
		}
		if err := json.Unmarshal(payload, &a); err != nil {
			t.Fatal(err)
		}
		if a.Counter != counterID || a.Time <= before {
			t.Fatalf("acknowledgement for %s at %s after %s", a.Counter, a.Time, before)
		}
		before = a.Time
		if bytes.Equal(jws, acks[len(acks)-1]) {
			if len(a.Epochs) != 1 || a.Epochs[0].Epoch != epoch || a.Epochs[0].Through != len(seen) || a.Epochs[0].Head != base64.RawURLEncoding.EncodeToString(last) {
				t.Errorf("the last acknowledgement is %+v, %d events came", a, len(seen))
			}
		}
	}
	states := o.on(topic + "/state")
	for _, b := range states {
		conforms(t, "state", b)
	}
	if len(states) < 2 || !bytes.Contains(states[len(states)-1], []byte(`"online":false`)) {
		t.Errorf("%d states came, and the last does not say that the counter is off", len(states))
	}
}

func decrypt(t *testing.T, data, identityFile string) []byte {
	t.Helper()
	f, err := os.Open(identityFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// A counter that dies is announced by the broker: the will.
func TestWill(t *testing.T) {
	s := newSite(t, "")
	s.broker()
	o := s.outsider()
	agent := s.agent()
	topic := "lintas/v1/" + counterID + "/state"
	last := func() string {
		if l := o.on(topic); len(l) > 0 {
			return string(l[len(l)-1])
		}
		return ""
	}
	until(t, "the counter says that it is on", func() bool { return strings.Contains(last(), `"online":true`) })
	agent.kill()
	until(t, "the broker says that it is off", func() bool { return strings.Contains(last(), `"online":false`) })
	conforms(t, "state", []byte(last()))
}
