package crossing_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"lintas/agent/crossing"
	"lintas/queue"
)

// signAs signs anything with a new key, as a newer program could.
func signAs(t *testing.T, typ string, payload map[string]any) ([]byte, crossing.Keys) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.jwk")
	key, _, err := crossing.LoadOrCreatePrivateKey(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(b); err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jwk}, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = json.Marshal(payload); err != nil {
		t.Fatal(err)
	}
	jws, err := signer.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return []byte(text), key.Public()
}

func fields(t *testing.T, b []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// "`lintas/v1/<counter>/event`, ack, state; the counter's id is
// [A-Z0-9-]{3,32}."
func TestTopics(t *testing.T) {
	for got, want := range map[string]string{
		crossing.EventTopic(counterID): "lintas/v1/CGK-T3-D07/event", crossing.AckTopic(counterID): "lintas/v1/CGK-T3-D07/ack",
		crossing.StateTopic(counterID): "lintas/v1/CGK-T3-D07/state", crossing.EventFilter: "lintas/v1/+/event",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if c, ok := crossing.CounterOfTopic("lintas/v1/CGK-T3-D07/event"); !ok || c != counterID {
		t.Error(c, ok)
	}
	for _, topic := range []string{"", "lintas/v1//event", "lintas/v1/x/event", "lintas/v1/CGK-T3-D07/ack", "lintas/v2/CGK-T3-D07/event", "lintas/v1/AB/event",
		"lintas/v1/../event", "lintas/v1/" + strings.Repeat("A", 33) + "/event"} {
		if _, ok := crossing.CounterOfTopic(topic); ok {
			t.Errorf("%q names a counter", topic)
		}
	}
}

// "JWS, kid the hub's key, typ lintas-ack+jws; numbers are JSON numbers."
func TestAckIsAsTheContractSays(t *testing.T) {
	key := newPost(t).key
	signer, err := crossing.NewAckSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(crossing.Ack{Counter: counterID, Time: crossing.TimeOf(time.Date(2026, 11, 23, 10, 0, 0, 5e6, time.UTC)),
		Epochs: []crossing.AckEpoch{{Epoch: queue.Epoch{}.String(), Through: 42, Head: queue.Hash{}.String(), Missing: [][2]uint64{{7, 8}}, Nack: []crossing.Nack{{Sequence: 9, Code: "owed"}}},
			{Epoch: queue.Epoch{1}.String(), Head: queue.Hash{}.String()}}})
	if err != nil {
		t.Fatal(err)
	}
	header, err := base64.RawURLEncoding.DecodeString(strings.Split(string(signed), ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	if h := fields(t, header); h["alg"] != "EdDSA" || h["kid"] != key.ID || h["typ"] != "lintas-ack+jws" || len(h) != 3 {
		t.Errorf("header %v", h)
	}
	want := `{"counter":"CGK-T3-D07","time":"2026-11-23T10:00:00.005Z","epochs":[` +
		`{"epoch":"AAAAAAAAAAAAAAAAAAAAAA","through":42,"head":"` + strings.Repeat("A", 43) + `","missing":[[7,8]],"nack":[{"sequence":9,"code":"owed"}]},` +
		`{"epoch":"AQAAAAAAAAAAAAAAAAAAAA","through":0,"head":"` + strings.Repeat("A", 43) + `","missing":[],"nack":[]}]}`
	if got := string(payload(t, signed)); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// "New fields may be added; readers ignore what they do not know."
func TestReadersIgnoreWhatTheyDoNotKnow(t *testing.T) {
	p := newPost(t)
	p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	stone, err := p.sealer.Tombstone(p.sealed[0])
	if err != nil {
		t.Fatal(err)
	}
	event := fields(t, payload(t, p.sealed[0]))
	event["later"] = map[string]any{"x": 1}
	signed, keys := signAs(t, "lintas-event+jws", event)
	s, err := crossing.Open(signed, keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decrypt(p.identity); err != nil {
		t.Error(err)
	}
	tombstone := fields(t, payload(t, stone))
	tombstone["later"] = true
	signed, keys = signAs(t, "lintas-tombstone+jws", tombstone)
	if _, err := crossing.OpenTombstone(signed, keys); err != nil {
		t.Error(err)
	}
	signed, keys = signAs(t, "lintas-ack+jws", map[string]any{"counter": counterID, "time": "2026-11-23T10:00:00.000Z", "later": 1, "epochs": []any{
		map[string]any{"epoch": queue.Epoch{}.String(), "through": 1, "head": queue.Hash{}.String(), "later": []int{}}}})
	if _, q, err := crossing.OpenAck(signed, counterID, keys); err != nil || q.Epochs[0].Through != 1 {
		t.Error(q, err)
	}
}

// "base64url is unpadded everywhere but in data_base64"; sequence from 1; one
// spelling of everything. What is well signed and says it wrongly is refused.
func TestWellSignedNonsenseIsRefused(t *testing.T) {
	p := newPost(t)
	p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	stone, err := p.sealer.Tombstone(p.sealed[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field string
		value any
	}{
		{"specversion", "0.3"}, {"source", "/counters/../x"}, {"source", "/elsewhere/CGK-T3-D07"}, {"id", "1"}, {"id", "{018F4E2A-7C1B-7000-8000-000000000000}"},
		{"epoch", "AQIDAAAAAAAAAAAAAAAAAA=="}, {"epoch", "AQIDAAAAAAAAAAAAAAAAAB"}, {"epoch", ""}, {"prevhash", strings.Repeat("A", 42)},
		{"sequence", "0"}, {"sequence", "-1"}, {"sequence", "01"}, {"sequence", "9223372036854775808"}, {"sequence", 1}, {"time", "yesterday"},
	} {
		event := fields(t, payload(t, p.sealed[0]))
		event[c.field] = c.value
		signed, keys := signAs(t, "lintas-event+jws", event)
		if _, err := crossing.Open(signed, keys); err == nil {
			t.Errorf("an event with %s %v was accepted", c.field, c.value)
		}
		tombstone := fields(t, payload(t, stone))
		if _, has := tombstone[c.field]; has {
			tombstone[c.field] = c.value
			signed, keys := signAs(t, "lintas-tombstone+jws", tombstone)
			if _, err := crossing.OpenTombstone(signed, keys); err == nil {
				t.Errorf("a tombstone with %s %v was accepted", c.field, c.value)
			}
		}
	}
	var e struct {
		Data string `json:"data_base64"`
	}
	if err := json.Unmarshal(payload(t, p.sealed[0]), &e); err != nil {
		t.Fatal(err)
	}
	if _, err := base64.StdEncoding.Strict().DecodeString(e.Data); err != nil {
		t.Errorf("data_base64: %v", err)
	}
}
