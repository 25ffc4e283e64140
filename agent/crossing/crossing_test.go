package crossing_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"lintas/agent/crossing"
	"lintas/configs"
	"lintas/mrz"
	"lintas/queue"
)

// post is a counter's key, a hub's identity and a queue in memory.
type post struct {
	key      crossing.PrivateKey
	identity *age.X25519Identity
	recorder *crossing.Recorder
	sealed   [][]byte
	sealer   *crossing.Sealer
	head     queue.Head
}

const counterID = "CGK-T3-D07"

func newPost(t testing.TB) *post {
	t.Helper()
	p := &post{}
	var err error
	if p.key, err = crossing.NewPrivateKey(); err != nil {
		t.Fatal(err)
	}
	if p.identity, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	if p.sealer, err = crossing.NewSealer(p.key); err != nil {
		t.Fatal(err)
	}
	p.head.Epoch = queue.Epoch{1, 2, 3}
	p.recorder = &crossing.Recorder{
		Counter: counterID, Encrypter: crossing.NewEncrypter(p.identity.Recipient()), Queue: p,
		Stamp: func() crossing.Stamp {
			return crossing.Stamp{OccurredAt: crossing.TimeOf(time.Now()), BootID: "b", MonotonicMS: 1, ClockState: "ntp"}
		},
	}
	return p
}

func (p *post) Put(_ context.Context, m queue.Message, _ []byte) (queue.Receipt, error) {
	at := queue.Position{Epoch: p.head.Epoch, Sequence: p.head.Sequence + 1, Prev: p.head.Hash}
	b, err := p.sealer.Seal(at, m)
	if err != nil {
		return queue.Receipt{}, err
	}
	p.sealed = append(p.sealed, b)
	p.head.Sequence, p.head.Hash = at.Sequence, sha256.Sum256(b)
	return queue.Receipt{ID: m.ID, Epoch: p.head.Epoch, Sequence: p.head.Sequence, Hash: p.head.Hash}, nil
}

func (p *post) record(t testing.TB, typ crossing.Type, r crossing.Record) {
	t.Helper()
	if _, err := p.recorder.Record(t.Context(), crossing.NewID(), typ, r, nil); err != nil {
		t.Fatal(err)
	}
}

var specimen = []string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}

// records has one of every type, as full as the counter makes them.
func records() map[crossing.Type]crossing.Record {
	place := crossing.Place{Site: "IDCGK", Terminal: "3", Lane: "D07", LaneKind: "normal"}
	doc := crossing.DocumentOf(mrz.Parse(specimen, mrz.Date{Year: 2026, Month: 11, Day: 23}))
	finding := crossing.Finding{Verdict: "clear", Reasons: []string{"P01"}, PlacementID: "P-1", PlacementRev: 3, ListVersion: 7, ListAge: 60,
		RulesVersion: 12, RulesAge: 60, RulesFired: []string{"R01"}, RulesShadow: []string{"R02"}, Guessed: []string{"document_number"}}
	said := crossing.Said{DocsSeen: []string{"passport", "work-visa"}}
	work, home := said, said
	flight := &crossing.Journey{Flight: "QR955", From: "CGK", Via: []string{"DOH"}, To: "WAW", Source: "setting"}
	work.Purpose, home.ReturnReason = "work", "problem"
	decided := crossing.Decided{InspectionID: crossing.NewID().String(), InspectionHash: queue.Hash{}.String(), Decision: "proceed", DecidedBy: "officer", DecisionMS: 900}
	correction := crossing.Corrected{CrossingID: crossing.NewID().String(), CrossingHash: queue.Hash{}.String(), Reason: "wrong-direction"}
	amended := correction
	amended.Changes = map[string]string{"direction": "return"}
	key, err := crossing.NewPrivateKey()
	if err != nil {
		panic(err)
	}
	rotated, err := crossing.RotatedTo(place, key.ID, key)
	if err != nil {
		panic(err)
	}
	return map[crossing.Type]crossing.Record{
		crossing.InspectionOpened: &crossing.Opened{Place: place, Direction: "departure", EntryMode: "scan", Scanner: "passport", Document: doc, Lines: specimen, Journey: flight, Finding: finding},
		crossing.InspectionAbandoned: &crossing.Abandoned{Place: place, Reason: "timeout", Said: work, Finding: &finding,
			Decided: crossing.Decided{InspectionID: decided.InspectionID, InspectionHash: decided.InspectionHash, DecidedBy: "agent"}},
		crossing.Departure: &crossing.Crossed{Place: place, Direction: "departure", EntryMode: "scan", Document: doc, Journey: flight, Finding: finding, Decided: decided, Said: work},
		crossing.Return:    &crossing.Crossed{Place: place, Direction: "return", EntryMode: "scan", Document: doc, Finding: finding, Decided: decided, Said: home},
		crossing.Voided:    &correction,
		crossing.Amended:   &amended,
		crossing.SecondaryOutcome: &crossing.Outcome{Place: place, InspectionID: decided.InspectionID, InspectionHash: decided.InspectionHash, Outcome: "negative",
			Reasons: []string{"R01", "N01"}, RulesShadow: []string{"R02"}},
		crossing.ConfigChanged: &crossing.Changed{Place: place, Setting: "journey", Value: "GA834 CGK-HKG"},
		crossing.AgentStarted:  &crossing.Started{Place: place, Version: "1", PreviousEpoch: "unknown", PreviousHead: "unknown"},
		crossing.AgentStopped:  &crossing.Stopped{Place: place, Reason: "signal"},
		crossing.ListInstalled: &crossing.Installed{Place: place, ListVersion: 7, ListTime: crossing.TimeOf(time.Now()), Rows: 10},
		crossing.ListRefused:   &crossing.Refused{Place: place, Reason: "rollback", Source: "file:/media/usb", ListVersion: 7},
		crossing.DeviceUp:      &crossing.Device{Place: place, Scanner: "passport", Reason: "ready"},
		crossing.DeviceDown:    &crossing.Device{Place: place, Scanner: "passport", Reason: "absent"},
		crossing.KeyRotated:    rotated,
		crossing.QueueRecovered: crossing.RecoveredOf(place, queue.Recovery{Cause: queue.Damaged,
			Previous: queue.Head{Epoch: queue.Epoch{7}, Sequence: 42, Hash: queue.Hash{8}},
			Missing:  [][2]uint64{{30, 31}, {40, 40}}, Rewrapped: 3, Aside: "/home/somebody/damaged-20261123"}),
	}
}

func schema(t testing.TB, name string) *jsonschema.Schema {
	t.Helper()
	b, err := configs.Schemas.ReadFile("schema/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name+".json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func conforms(t testing.TB, name string, b []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err == nil {
		err = schema(t, name).Validate(doc)
	}
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, b)
	}
}

func payload(t testing.TB, jws []byte) []byte {
	t.Helper()
	parts := strings.Split(string(jws), ".")
	if len(parts) != 3 {
		t.Fatalf("not a compact JWS: %d parts", len(parts))
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Everything that is produced is what the shipped schemas say.
func TestSchemas(t *testing.T) {
	p := newPost(t)
	for typ, r := range records() {
		p.record(t, typ, r)
		s, err := crossing.Open(p.sealed[len(p.sealed)-1], p.key.Public())
		if err != nil {
			t.Fatal(err)
		}
		plain, err := s.Decrypt(p.identity)
		if err != nil {
			t.Fatal(err)
		}
		conforms(t, "event", payload(t, p.sealed[len(p.sealed)-1]))
		conforms(t, "record."+string(typ), plain)
		if got, err := crossing.ParseType(s.Type); err != nil || got != typ {
			t.Errorf("type %q: %v", s.Type, err)
		}
	}
	for _, typ := range crossing.Types() {
		if records()[typ] == nil {
			t.Errorf("no record of type %s was tried", typ)
		}
	}
	if len(records()) != len(crossing.Types()) {
		t.Error("Types does not list every type")
	}
	// Every schema of a record has a type that produces it.
	files, err := configs.Schemas.ReadDir("schema")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name, ok := strings.CutPrefix(strings.TrimSuffix(f.Name(), ".json"), "record.")
		if _, made := records()[crossing.Type(name)]; ok && !made {
			t.Errorf("nothing produces %s", f.Name())
		}
	}
	conforms(t, "state", crossing.State{Counter: counterID, Epoch: queue.Epoch{}.String(), Head: queue.Hash{}.String()}.Marshal())
	signer, err := crossing.NewAckSigner(p.key)
	if err != nil {
		t.Fatal(err)
	}
	ack, err := signer.Sign(crossing.Ack{Counter: counterID, Epochs: []crossing.AckEpoch{{Epoch: queue.Epoch{}.String(), Through: 3, Head: queue.Hash{}.String(),
		Missing: [][2]uint64{{1, 2}}, Nack: []crossing.Nack{{Sequence: 3, Code: "unreadable"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	conforms(t, "ack", payload(t, ack))
	tombstone, err := p.sealer.Tombstone(p.sealed[3])
	if err != nil {
		t.Fatal(err)
	}
	conforms(t, "tombstone", payload(t, tombstone))
	again, err := p.sealer.Rewrap(queue.Position{Epoch: queue.Epoch{9}, Sequence: 1}, p.sealed[3])
	if err != nil {
		t.Fatal(err)
	}
	conforms(t, "event", payload(t, again))
	// A counter that was made anew knows nothing of what was before.
	for name, r := range map[string]crossing.Record{
		"record.queue.recovered": crossing.RecoveredOf(crossing.Place{}, queue.Recovery{Cause: queue.Deleted}),
		"record.key.rotated":     rotatedFrom(t, "", p.key),
	} {
		p.record(t, crossing.Type(strings.TrimPrefix(name, "record.")), r)
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		conforms(t, name, b)
	}
}

func rotatedFrom(t testing.TB, previous string, next crossing.PrivateKey) *crossing.Rotated {
	t.Helper()
	r, err := crossing.RotatedTo(crossing.Place{}, previous, next)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The schemas refuse what is wrong: a test that cannot fail proves nothing.
func TestSchemasRefuse(t *testing.T) {
	for name, text := range map[string]string{
		"event":                     `{"specversion":"1.0"}`,
		"ack":                       `{"counter":"CGK-T3-D07","time":"2026-11-23T10:00:00Z","epochs":[]}`,
		"state":                     `{"counter":"x"}`,
		"tombstone":                 `{"source":"/counters/CGK-T3-D07"}`,
		"record.queue.recovered":    `{"cause":"bored"}`,
		"record.key.rotated":        `{"key":{"kty":"OKP","crv":"Ed25519","d":"AAAA"}}`,
		"record.crossing.departure": `{"schema":"urn:lintas:record:crossing.return:1"}`,
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if schema(t, name).Validate(doc) == nil {
			t.Errorf("%s accepts %s", name, text)
		}
	}
}

// What stands in a sealed event, byte for byte where the contract says so.
func TestSealedEvent(t *testing.T) {
	p := newPost(t)
	for range 3 {
		p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	}
	var header map[string]string
	h, err := base64.RawURLEncoding.DecodeString(strings.Split(string(p.sealed[2]), ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(h, &header); err != nil {
		t.Fatal(err)
	}
	if header["alg"] != "EdDSA" || header["typ"] != "lintas-event+jws" || header["kid"] != p.key.ID || len(header) != 3 {
		t.Errorf("header %v", header)
	}
	var e map[string]string
	if err := json.Unmarshal(payload(t, p.sealed[2]), &e); err != nil {
		t.Fatal(err)
	}
	prev := sha256.Sum256(p.sealed[1])
	for k, want := range map[string]string{
		"specversion": "1.0", "source": "/counters/CGK-T3-D07", "type": "lintas.agent.stopped.v1", "sequence": "3",
		"prevhash": base64.RawURLEncoding.EncodeToString(prev[:]), "datacontenttype": "application/age",
		"epoch": base64.RawURLEncoding.EncodeToString(p.head.Epoch[:]),
	} {
		if e[k] != want {
			t.Errorf("%s is %q, want %q", k, e[k], want)
		}
	}
	if first, _ := crossing.Open(p.sealed[0], p.key.Public()); first.PrevHash != strings.Repeat("A", 43) {
		t.Errorf("the first event's prevhash is %q", first.PrevHash)
	}
}

func TestOpenRefuses(t *testing.T) {
	p, other := newPost(t), newPost(t)
	p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	good := p.sealed[0]
	signer, err := crossing.NewAckSigner(p.key)
	if err != nil {
		t.Fatal(err)
	}
	ack, err := signer.Sign(crossing.Ack{Counter: counterID})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := crossing.Open(good, other.key.Public()); !errors.Is(err, crossing.ErrUnknownKey) {
		t.Errorf("another counter's key: %v", err)
	}
	for name, b := range map[string][]byte{
		"empty": nil, "garbage": []byte("…"), "an ack": ack, "huge": bytes.Repeat([]byte("A"), crossing.MaxSealed+1), "cut": good[:len(good)-2],
	} {
		if _, err := crossing.Open(b, p.key.Public()); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	// Only one spelling is the event: whoever carries it cannot change a byte,
	// not even one that base64 does not need.
	for i := range good {
		for _, bit := range []byte{1, 2, 4, 8, 16, 32} {
			bad := bytes.Clone(good)
			bad[i] ^= bit
			if _, err := crossing.Open(bad, p.key.Public()); err == nil {
				t.Fatalf("byte %d could be changed", i)
			}
		}
		if bad := append(append(bytes.Clone(good[:i]), '\n'), good[i:]...); i > 0 {
			if _, err := crossing.Open(bad, p.key.Public()); err == nil {
				t.Fatalf("a line end could be put in at %d", i)
			}
		}
	}
}

func TestChainFindsWhatWasDone(t *testing.T) {
	p, other := newPost(t), newPost(t)
	for range 6 {
		p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
		other.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	}
	walk := func(events ...[]byte) error {
		c := &crossing.Chain{Keys: p.key.Public(), Counter: counterID}
		for i, b := range events {
			if _, err := c.Next(uint64(i+1), b); err != nil {
				return err
			}
		}
		return nil
	}
	e := p.sealed
	if err := walk(e...); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		events [][]byte
		at     uint64
	}{
		"removed":  {[][]byte{e[0], e[1], e[3]}, 3},
		"swapped":  {[][]byte{e[0], e[2], e[1]}, 2},
		"doubled":  {[][]byte{e[0], e[1], e[1]}, 3},
		"replaced": {[][]byte{e[0], other.sealed[1], e[2]}, 2},
	} {
		broken, ok := errors.AsType[*crossing.ChainError](walk(c.events...))
		if !ok || broken.Sequence != c.at {
			t.Errorf("%s: %v, want a break at %d", name, broken, c.at)
		}
	}
	// A pruned queue begins later: the first event taken may be any.
	c := &crossing.Chain{Keys: p.key.Public()}
	for i := 3; i < 6; i++ {
		if _, err := c.Next(uint64(i+1), e[i]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAck(t *testing.T) {
	p, stranger := newPost(t), newPost(t)
	signer, err := crossing.NewAckSigner(p.key)
	if err != nil {
		t.Fatal(err)
	}
	sent := crossing.Ack{Counter: counterID, Time: crossing.TimeOf(time.Now()),
		Epochs: []crossing.AckEpoch{{Epoch: p.head.Epoch.String(), Through: 42, Head: queue.Hash{7}.String(),
			Missing: [][2]uint64{{30, 31}}, Nack: []crossing.Nack{{Sequence: 12, Code: "unreadable"}}}}}
	signed, err := signer.Sign(sent)
	if err != nil {
		t.Fatal(err)
	}
	_, q, err := crossing.OpenAck(signed, counterID, p.key.Public())
	if err != nil || !q.Time.Equal(sent.Time.Time) || q.Epochs[0] != (queue.EpochAck{Epoch: p.head.Epoch, Through: 42, Head: queue.Hash{7}, Hold: 12}) {
		t.Fatalf("%+v, %v", q, err)
	}
	if _, _, err := crossing.OpenAck(signed, "CGK-T3-D08", p.key.Public()); err == nil {
		t.Error("another counter's ack was believed")
	}
	if _, _, err := crossing.OpenAck(signed, counterID, stranger.key.Public()); !errors.Is(err, crossing.ErrUnknownKey) {
		t.Errorf("a stranger's ack: %v", err)
	}
	p.record(t, crossing.AgentStopped, &crossing.Stopped{})
	if _, _, err := crossing.OpenAck(p.sealed[0], counterID, p.key.Public()); err == nil {
		t.Error("an event was taken for an ack")
	}
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "counter.jwk")
	a, created, err := crossing.LoadOrCreatePrivateKey(path)
	if err != nil || !created {
		t.Fatal(created, err)
	}
	b, created, err := crossing.LoadOrCreatePrivateKey(path)
	if err != nil || created || a.ID != b.ID {
		t.Fatalf("second load: created %v, %v", created, err)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v", st.Mode())
	}
	jwks, err := a.Public().MarshalJWKS()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(jwks, []byte(`"d"`)) {
		t.Error("the public file holds the private key")
	}
	if keys, err := crossing.ParseKeys(jwks); err != nil || len(keys) != 1 || keys[a.ID] == nil {
		t.Errorf("%v %v", keys, err)
	}
	// RFC 8037, appendix A.3: the key of the standard and its thumbprint.
	keys, err := crossing.ParseKeys([]byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`))
	if err != nil || keys["kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"] == nil {
		t.Errorf("RFC 8037: %v %v", keys, err)
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var jwk struct{ D string }
	if err := json.Unmarshal(secret, &jwk); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if strings.Contains(fmt.Sprintf(verb, a), jwk.D) {
			t.Errorf("%s prints the key", verb)
		}
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(secret), "Ed25519", "Ed99999", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := crossing.LoadOrCreatePrivateKey(path); err == nil || strings.Contains(err.Error(), jwk.D) {
		t.Errorf("a damaged key: %v", err)
	}
}

// Nothing of the traveller is in what leaves the counter.
func TestSealedEventsTellNothing(t *testing.T) {
	p := newPost(t)
	for typ, r := range records() {
		p.record(t, typ, r)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
			for _, canary := range []string{"ERIKSSON", "L898902C3", "1974-08-12"} {
				if strings.Contains(fmt.Sprintf(verb, r), canary) {
					t.Errorf("%s of a %s shows the traveller", verb, typ)
				}
			}
		}
	}
	for _, b := range p.sealed {
		for _, canary := range []string{"ERIKSSON", "L898902C3", "1974-08-12"} {
			if bytes.Contains(b, []byte(canary)) || bytes.Contains(payload(t, b), []byte(canary)) {
				t.Error("a sealed event shows the traveller")
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	p := newPost(f)
	p.record(f, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	f.Add(p.sealed[0])
	stone, err := p.sealer.Tombstone(p.sealed[0])
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stone)
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := crossing.Open(b, p.key.Public()); err == nil && s.Counter != counterID {
			t.Error("accepted an event that was never sealed")
		}
		if stone, err := crossing.OpenTombstone(b, p.key.Public()); err == nil && stone.Hash != p.head.Hash {
			t.Error("accepted a tombstone that was never sealed")
		}
		// What is not verified is at least read without harm, and never takes
		// a form that the hub would refuse.
		if again, err := p.sealer.Rewrap(queue.Position{Sequence: 1}, b); err == nil {
			if _, err := crossing.Open(again, p.key.Public()); err != nil && len(again) <= crossing.MaxSealed {
				t.Errorf("wrapped anew, it is refused: %v", err)
			}
		}
		if _, err := crossing.Before(b); err == nil && crossing.ClaimedCounter(b) == "" {
			t.Error("what has a place in a chain belongs to nobody")
		}
	})
}
