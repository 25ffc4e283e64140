package uplink_test

import (
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"lintas/queue"
)

// sealed is an event on the wire, or with Tombstone what goes in its place.
type sealed struct {
	Epoch     queue.Epoch
	Sequence  uint64
	Prev      queue.Hash
	Body      []byte      `json:",omitempty"`
	Tombstone *queue.Hash `json:",omitempty"`
}

func seal(p queue.Position, m queue.Message) ([]byte, error) {
	return json.Marshal(sealed{Epoch: p.Epoch, Sequence: p.Sequence, Prev: p.Prev, Body: m.Body})
}

func rewrap(p queue.Position, old []byte) ([]byte, error) {
	var s sealed
	if err := json.Unmarshal(old, &s); err != nil {
		return nil, err
	}
	return seal(p, queue.Message{Body: s.Body})
}

func tombstone(e queue.Event) ([]byte, error) {
	return json.Marshal(sealed{Epoch: e.Epoch, Sequence: e.Sequence, Tombstone: &e.Hash})
}

// ledger stores what arrives in order, each once.
type ledger struct {
	mu       sync.Mutex
	chains   map[queue.Epoch][]entry
	received int
	time     time.Time // of the last answer: it only grows
	deaf     bool
	stuck    bool
	wrong    bool
}

type entry struct {
	hash      queue.Hash
	tombstone bool
}

// take stores an event if it is the next; answer tells that there is something
// to be said.
func (l *ledger) take(payload []byte) (answer bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var e sealed
	if l.deaf || json.Unmarshal(payload, &e) != nil {
		return false
	}
	l.received++
	chain := l.chains[e.Epoch]
	if n := int(e.Sequence); n > 0 && n <= len(chain) && e.Tombstone == nil && chain[n-1].hash == sha256.Sum256(payload) {
		chain[n-1].tombstone = false // what was owed
	}
	if int(e.Sequence) == len(chain)+1 && !l.stuck {
		x := entry{hash: sha256.Sum256(payload)}
		if e.Tombstone != nil {
			x = entry{*e.Tombstone, true}
		}
		l.chains[e.Epoch] = append(chain, x)
	}
	return true
}

// acknowledgement is called with mu held.
func (l *ledger) acknowledgement() []byte {
	if l.time = l.time.Add(time.Millisecond); l.time.Before(time.Now()) {
		l.time = time.Now()
	}
	a := queue.Acknowledgement{Time: l.time}
	for epoch, chain := range l.chains {
		e := queue.EpochAck{Epoch: epoch, Through: uint64(len(chain))}
		if n := len(chain); n > 0 {
			e.Head = chain[n-1].hash
		}
		e.Hold = uint64(1 + slices.IndexFunc(chain, func(x entry) bool { return x.tombstone }))
		if l.wrong {
			e.Head[0] ^= 1
		}
		a.Epochs = append(a.Epochs, e)
	}
	payload, _ := json.Marshal(a)
	return payload
}

func (l *ledger) count() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for chain := range maps.Values(l.chains) {
		n += len(chain)
	}
	return n
}

// buried lists the sequences in whose place a tombstone stands.
func (l *ledger) buried() (sequences []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for chain := range maps.Values(l.chains) {
		for i, x := range chain {
			if x.tombstone {
				sequences = append(sequences, uint64(i+1))
			}
		}
	}
	return sequences
}

// cut makes it forget all but the first n events, as if restored from a backup.
// It is called with mu held.
func (l *ledger) cut(n int) {
	for epoch, chain := range l.chains {
		l.chains[epoch] = chain[:n]
	}
}

func (l *ledger) set(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// hub is a ledger at a scripted broker.
type hub struct {
	ledger
	b *broker
}

func newHub(b *broker) *hub {
	h := &hub{b: b}
	h.chains = map[queue.Epoch][]entry{}
	h.listen()
	return h
}

func (h *hub) listen() {
	err := h.b.server.Subscribe(topics.Event, 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
		if h.take(pk.Payload) {
			h.set(h.answer)
		}
	})
	if err != nil {
		h.b.t.Fatal(err)
	}
}

// answer is called with mu held.
func (h *hub) answer() { h.say(h.acknowledgement()) }

func (h *hub) say(payload []byte) { go h.b.server.Publish(topics.Ack, payload, true, 1) }
