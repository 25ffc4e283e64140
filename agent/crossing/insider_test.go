package crossing_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"lintas/agent/crossing"
	"lintas/queue"
)

// Whoever holds the counter's key can sign an event for any place. One that was
// put in the place of another does not fit its neighbours.
func TestChainOfOneWhoHoldsTheKey(t *testing.T) {
	p := newPost(t)
	at := func(epoch queue.Epoch, sequence uint64, before []byte) []byte {
		t.Helper()
		p.head = queue.Head{Epoch: epoch, Sequence: sequence - 1}
		if before != nil {
			p.head.Hash = sha256.Sum256(before)
		}
		p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
		return p.sealed[len(p.sealed)-1]
	}
	one, two := queue.Epoch{1}, queue.Epoch{2}
	first := at(one, 1, nil)
	second := at(one, 2, first)
	for name, c := range map[string]struct {
		events [][]byte
		broken uint64
	}{
		"whole":                               {[][]byte{first, second, at(one, 3, second)}, 0},
		"one that names no event before it":   {[][]byte{first, at(one, 2, nil), second}, 2},
		"one that names the wrong one":        {[][]byte{first, second, at(one, 3, first)}, 3},
		"one of another epoch":                {[][]byte{first, at(two, 2, first)}, 2},
		"a first one with something before":   {[][]byte{at(one, 1, second)}, 1},
		"one that stands where another is":    {[][]byte{first, second, at(one, 4, second)}, 3},
		"one behind those that were replaced": {[][]byte{first, at(one, 2, first), at(one, 3, second)}, 3},
	} {
		chain := &crossing.Chain{Keys: p.key.Public(), Counter: counterID}
		var err error
		for i := 0; i < len(c.events) && err == nil; i++ {
			_, err = chain.Next(uint64(i+1), c.events[i])
		}
		broken, is := errors.AsType[*crossing.ChainError](err)
		if is != (c.broken > 0) || is && broken.Sequence != c.broken {
			t.Errorf("%s: %v, want a break at %d", name, err, c.broken)
		}
	}
	// A caller that counts as the events do still finds that one is missing.
	chain := &crossing.Chain{Keys: p.key.Public()}
	if _, err := chain.Next(1, first); err != nil {
		t.Fatal(err)
	}
	if _, err := chain.Next(3, at(one, 3, first)); err == nil {
		t.Error("a gap was not found")
	}
}

// What is signed as one thing is never taken for another, whatever it says.
func TestTypesAreNotMixedUp(t *testing.T) {
	p := newPost(t)
	p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	stone, err := p.sealer.Tombstone(p.sealed[0])
	if err != nil {
		t.Fatal(err)
	}
	signer, err := crossing.NewAckSigner(p.key)
	if err != nil {
		t.Fatal(err)
	}
	ack, err := signer.Sign(crossing.Ack{Counter: counterID, Time: crossing.TimeOf(time.Now())})
	if err != nil {
		t.Fatal(err)
	}
	opens := map[string]func([]byte, crossing.Keys) error{
		"lintas-event+jws":     func(b []byte, keys crossing.Keys) error { _, err := crossing.Open(b, keys); return err },
		"lintas-tombstone+jws": func(b []byte, keys crossing.Keys) error { _, err := crossing.OpenTombstone(b, keys); return err },
		"lintas-ack+jws": func(b []byte, keys crossing.Keys) error {
			_, _, err := crossing.OpenAck(b, counterID, keys)
			return err
		},
	}
	for is, b := range map[string][]byte{"lintas-event+jws": p.sealed[0], "lintas-tombstone+jws": stone, "lintas-ack+jws": ack} {
		var content map[string]any
		d := json.NewDecoder(bytes.NewReader(payload(t, b)))
		d.UseNumber()
		if err := d.Decode(&content); err != nil {
			t.Fatal(err)
		}
		for typ := range opens {
			signed, keys := signAs(t, typ, content)
			if err := opens[is](signed, keys); (err == nil) != (typ == is) {
				t.Errorf("what is signed as %s is taken for %s: %v", typ, is, err)
			}
		}
	}
}
