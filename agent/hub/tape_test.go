package hub_test

import (
	"context"
	"crypto/sha256"
	"testing"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/queue"
)

// tape is a counter's chain in memory: it can do what a queue never does.
type tape struct {
	t        testing.TB
	sealer   *crossing.Sealer
	recorder *crossing.Recorder
	head     queue.Head
	sealed   [][]byte
}

// tape begins a chain of the place's counter, under a key that is trusted or
// not.
func (p *place) tape(epoch byte, key crossing.PrivateKey) *tape {
	p.t.Helper()
	sealer, err := crossing.NewSealer(key)
	if err != nil {
		p.t.Fatal(err)
	}
	c := &tape{t: p.t, sealer: sealer, head: queue.Head{Epoch: queue.Epoch{epoch}}}
	c.recorder = &crossing.Recorder{Counter: p.id, Encrypter: p.recorder.Encrypter, Queue: c, Stamp: p.recorder.Stamp}
	return c
}

func newKey(t testing.TB) crossing.PrivateKey {
	t.Helper()
	key, err := crossing.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (c *tape) Put(_ context.Context, m queue.Message, _ []byte) (queue.Receipt, error) {
	at := queue.Position{Epoch: c.head.Epoch, Sequence: c.head.Sequence + 1, Prev: c.head.Hash}
	b, err := c.sealer.Seal(at, m)
	c.add(b)
	return queue.Receipt{ID: m.ID, Epoch: at.Epoch, Sequence: at.Sequence, Hash: c.head.Hash}, err
}

func (c *tape) add(sealed []byte) {
	c.sealed = append(c.sealed, sealed)
	c.head.Sequence, c.head.Hash = c.head.Sequence+1, sha256.Sum256(sealed)
}

// record appends a record and gives the event.
func (c *tape) record(t crossing.Type, r crossing.Record) []byte {
	c.t.Helper()
	if _, err := c.recorder.Record(context.Background(), crossing.NewID(), t, r, nil); err != nil {
		c.t.Fatal(err)
	}
	return c.sealed[len(c.sealed)-1]
}

func (c *tape) events(n int) [][]byte {
	c.t.Helper()
	for range n {
		c.record(crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	}
	return c.sealed[len(c.sealed)-n:]
}

// rewrap appends an event of another chain, wrapped anew.
func (c *tape) rewrap(sealed []byte) []byte {
	c.t.Helper()
	b, err := c.sealer.Rewrap(queue.Position{Epoch: c.head.Epoch, Sequence: c.head.Sequence + 1, Prev: c.head.Hash}, sealed)
	if err != nil {
		c.t.Fatal(err)
	}
	c.add(b)
	return b
}

func (c *tape) tombstone(sealed []byte) []byte {
	c.t.Helper()
	b, err := c.sealer.Tombstone(sealed)
	if err != nil {
		c.t.Fatal(err)
	}
	return b
}

// epoch gives what an acknowledgement says of a chain.
func (p *place) epoch(e queue.Epoch) (found crossing.AckEpoch, named bool) {
	p.t.Helper()
	a, err := p.ledger.Ack(p.t.Context(), p.id)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, of := range a.Epochs {
		if of.Epoch == e.String() {
			return of, true
		}
	}
	return found, false
}

func (p *place) whole() hub.Whole {
	p.t.Helper()
	w, err := p.ledger.Verify(p.t.Context(), p.keys)
	if err != nil {
		p.t.Fatal(err)
	}
	return w
}

func (p *place) entries() (list []hub.Entry) {
	p.t.Helper()
	for e, err := range p.ledger.Entries(p.t.Context()) {
		if err != nil {
			p.t.Fatal(err)
		}
		list = append(list, e)
	}
	return list
}

// refused tells how many of the deliveries were kept aside for the reason, and
// that nothing else was done.
func (p *place) refused(reason string, sealed ...[]byte) {
	p.t.Helper()
	r := p.ingest(sealed...)
	if len(r.Aside) != len(sealed) || r.Stored+r.Owed+r.Duplicates+r.Early > 0 {
		p.t.Fatalf("not refused: %+v", r)
	}
	for _, a := range r.Aside {
		if a.Reason != reason {
			p.t.Fatalf("kept aside for %s, want %s", a.Reason, reason)
		}
	}
}

func (p *place) reopen() {
	p.t.Helper()
	if err := p.ledger.Close(); err != nil {
		p.t.Fatal(err)
	}
	p.open()
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
	}
}
