package crossing_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"lintas/agent/crossing"
	"lintas/queue"
)

// "Every unacknowledged event is wrapped anew: same id and ciphertext; new
// epoch, sequence, prevhash, signature."
func TestRewrapKeepsIDAndCiphertext(t *testing.T) {
	p := newPost(t)
	p.record(t, crossing.Departure, records()[crossing.Departure])
	p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	next, err := crossing.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	// The key may be another one by now.
	sealer, err := crossing.NewSealer(next)
	if err != nil {
		t.Fatal(err)
	}
	at := queue.Position{Epoch: queue.Epoch{9, 9}, Sequence: 7, Prev: queue.Hash{5}}
	for _, sealed := range p.sealed {
		again, err := sealer.Rewrap(at, sealed)
		if err != nil {
			t.Fatal(err)
		}
		a, err := crossing.Open(sealed, p.key.Public())
		if err != nil {
			t.Fatal(err)
		}
		b, err := crossing.Open(again, next.Public())
		if err != nil {
			t.Fatal(err)
		}
		if b.Position != at || b.Hash == a.Hash || b.KeyID != next.ID {
			t.Errorf("it stands at %+v, signed with %s", b.Position, b.KeyID)
		}
		if a.ID != b.ID || a.Type != b.Type || !a.Time.Equal(b.Time.Time) || a.Data != b.Data || a.Source != b.Source {
			t.Error("the message is another one")
		}
		if !crossing.SameMessage(sealed, again) {
			t.Error("it is not seen to be the same message")
		}
		if prev, err := crossing.Before(again); err != nil || prev != at.Prev {
			t.Errorf("before it comes %v, %v", prev, err)
		}
	}
	if crossing.SameMessage(p.sealed[0], p.sealed[1]) {
		t.Error("two messages are taken for one")
	}
	tombstone, err := p.sealer.Tombstone(p.sealed[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"nothing": nil, "garbage": []byte("a.b.c"), "a tombstone": tombstone, "cut": p.sealed[0][:len(p.sealed[0])-2],
		"huge": bytes.Repeat([]byte("A"), crossing.MaxSealed+1), "two lines": append(bytes.Clone(p.sealed[0]), '\n'),
	} {
		if _, err := sealer.Rewrap(at, b); err == nil {
			t.Errorf("%s was wrapped", name)
		}
		if _, err := sealer.Tombstone(b); err == nil {
			t.Errorf("%s got a tombstone", name)
		}
	}
}

// What a queue could not take over is found while it recovers, never at the
// hub: an event is never larger than the hub accepts.
func TestEventsAreBounded(t *testing.T) {
	p := newPost(t)
	rec := &crossing.Stopped{}
	fits := 0
	for n := 0; n <= 48<<10; n += 256 {
		rec.Reason = strings.Repeat("x", n)
		if _, err := p.recorder.Message(crossing.NewID(), crossing.AgentStopped, rec); err != nil {
			break
		}
		fits = n
	}
	if fits < 30<<10 || fits > 40<<10 {
		t.Errorf("records of %d bytes fit", fits)
	}
	rec.Reason = strings.Repeat("x", fits)
	m, err := p.recorder.Message(crossing.NewID(), crossing.AgentStopped, rec)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := p.sealer.Seal(queue.Position{Sequence: 1<<63 - 1}, m)
	if err != nil || len(sealed) > crossing.MaxSealed {
		t.Fatalf("%d bytes, %v", len(sealed), err)
	}
	if _, err := crossing.Open(sealed, p.key.Public()); err != nil {
		t.Error(err)
	}
}

// "An event that no broker will carry is replaced on the wire by a tombstone
// naming epoch, sequence, prevhash and the original's hash, which the chain
// keeps using."
func TestTombstoneNamesTheOriginal(t *testing.T) {
	p, other := newPost(t), newPost(t)
	for range 3 {
		p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	}
	stone, err := p.sealer.Tombstone(p.sealed[1])
	if err != nil {
		t.Fatal(err)
	}
	got, err := crossing.OpenTombstone(stone, p.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	want := queue.Position{Epoch: p.head.Epoch, Sequence: 2, Prev: sha256.Sum256(p.sealed[0])}
	if got.Counter != counterID || got.Position != want || got.Hash != sha256.Sum256(p.sealed[1]) || got.KeyID != p.key.ID {
		t.Errorf("%+v", got)
	}
	var fields map[string]string
	if err := json.Unmarshal(payload(t, stone), &fields); err != nil || len(fields) != 5 || fields["sequence"] != "2" {
		t.Errorf("%v, %v", fields, err)
	}
	if !crossing.IsTombstone(stone) || crossing.IsTombstone(p.sealed[1]) || crossing.IsTombstone(nil) {
		t.Error("a tombstone is not told from an event")
	}
	if crossing.ClaimedCounter(stone) != counterID {
		t.Error("a tombstone in a file belongs to nobody")
	}
	chain := func(second func(*crossing.Chain) error) error {
		c := &crossing.Chain{Keys: p.key.Public(), Counter: counterID}
		if _, err := c.Next(1, p.sealed[0]); err != nil {
			return err
		}
		if err := second(c); err != nil {
			return err
		}
		_, err := c.Next(3, p.sealed[2])
		return err
	}
	if err := chain(func(c *crossing.Chain) error { _, err := c.Pass(2, stone); return err }); err != nil {
		t.Errorf("the chain does not go over it: %v", err)
	}
	wrong, err := p.sealer.Tombstone(p.sealed[2])
	if err != nil {
		t.Fatal(err)
	}
	if err := chain(func(c *crossing.Chain) error { _, err := c.Pass(2, wrong); return err }); err == nil {
		t.Error("another event's tombstone was taken")
	}
	// Signed things are never taken for each other, nor a stranger's for ours.
	if _, err := crossing.Open(stone, p.key.Public()); err == nil {
		t.Error("a tombstone was taken for an event")
	}
	if _, err := crossing.OpenTombstone(p.sealed[1], p.key.Public()); err == nil {
		t.Error("an event was taken for a tombstone")
	}
	if _, _, err := crossing.OpenAck(stone, counterID, p.key.Public()); err == nil {
		t.Error("a tombstone was taken for an acknowledgement")
	}
	if _, err := crossing.OpenTombstone(stone, other.key.Public()); !errors.Is(err, crossing.ErrUnknownKey) {
		t.Errorf("a stranger's tombstone: %v", err)
	}
	for i := range stone {
		bad := bytes.Clone(stone)
		bad[i] ^= 1 << (i % 6)
		if _, err := crossing.OpenTombstone(bad, p.key.Public()); err == nil {
			t.Fatalf("byte %d could be changed", i)
		}
	}
}

// The old key signs the event that names the new one; from then on the new
// key signs.
func TestKeyRotation(t *testing.T) {
	p := newPost(t)
	old, err := crossing.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.sealer.Use(old); err != nil {
		t.Fatal(err)
	}
	p.record(t, crossing.KeyRotated, rotatedFrom(t, old.ID, p.key))
	if err := p.sealer.Use(p.key); err != nil {
		t.Fatal(err)
	}
	p.record(t, crossing.AgentStopped, &crossing.Stopped{})
	s, err := crossing.Open(p.sealed[0], old.Public())
	if err != nil {
		t.Fatal(err)
	}
	plain, err := s.Decrypt(p.identity)
	if err != nil {
		t.Fatal(err)
	}
	var rec crossing.Rotated
	if err := json.Unmarshal(plain, &rec); err != nil {
		t.Fatal(err)
	}
	keys, err := rec.NewKey()
	if err != nil || len(keys) != 1 || rec.PreviousKeyID != old.ID || rec.KeyID != p.key.ID {
		t.Fatalf("%v, %v", keys, err)
	}
	if _, err := crossing.Open(p.sealed[1], keys); err != nil {
		t.Errorf("the new key does not open what it signed: %v", err)
	}
	for name, change := range map[string]func(*crossing.Rotated){
		"no key":     func(r *crossing.Rotated) { r.Key = nil },
		"another id": func(r *crossing.Rotated) { r.KeyID = old.ID },
		"a private key": func(r *crossing.Rotated) {
			r.Key = []byte(`{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}`)
			r.KeyID = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
		},
		"another kind": func(r *crossing.Rotated) { r.Key = []byte(`{"kty":"oct","k":"AAAA"}`) },
	} {
		bad := rec
		change(&bad)
		if _, err := bad.NewKey(); err == nil {
			t.Errorf("%s was taken for a new key", name)
		}
	}
}

// A record of a recovery names no more than it may, and nobody's home.
func TestRecoveredIsBounded(t *testing.T) {
	r := queue.Recovery{Cause: queue.Damaged, Aside: "/home/siti/state/damaged-1"}
	for n := range uint64(5000) {
		r.Missing = append(r.Missing, [2]uint64{10*n + 1, 10*n + 2})
	}
	rec := crossing.RecoveredOf(crossing.Place{}, r)
	if n := len(rec.Missing); n != 256 || rec.Missing[n-1] != [2]uint64{2551, 49992} {
		t.Errorf("%d ranges, the last is %v", n, rec.Missing[n-1])
	}
	if rec.Aside != "damaged-1" || rec.PreviousEpoch != "unknown" || rec.PreviousHead != "unknown" {
		t.Errorf("%+v", rec)
	}
	if r.Missing[255][1] != 2552 {
		t.Error("the caller's ranges were changed")
	}
}
