package tee

import (
	"context"
	"sync"
)

// capacity is how many bytes wait for a second program: some hundred swipes.
const capacity = 64 << 10

// buffer is where bytes wait for the second program. Putting never waits. When it
// is full, all that comes is lost until everything in it was taken: one gap and
// not many.
type buffer struct {
	added chan struct{} // holds one token while there is something new to look at

	mu        *sync.Mutex // guards the rest
	bytes     []byte
	listening bool   // somebody has opened the port
	full      bool   // something was lost since it was last empty
	era       uint64 // counts how often the port was closed
	lost      uint64
}

func newBuffer() buffer {
	return buffer{added: make(chan struct{}, 1), mu: new(sync.Mutex), bytes: make([]byte, 0, capacity)}
}

func (b *buffer) put(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.listening:
		return
	case b.full || len(b.bytes)+len(p) > capacity:
		b.full = true
		b.lost += uint64(len(p))
		return
	}
	b.bytes = append(b.bytes, p...)
	b.wake()
}

// wake is called with mu held.
func (b *buffer) wake() {
	select {
	case b.added <- struct{}{}:
	default:
	}
}

// listen says whether the second program has opened its port. When it closes it,
// what waited is dropped and a new era begins.
func (b *buffer) listen(is bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.listening && !is {
		clear(b.bytes) // no passport stays behind
		b.bytes, b.full = b.bytes[:0], false
		b.era++
	}
	b.listening = is
	b.wake()
}

// take waits for bytes and moves some of them to p. It gives the era to which
// they belong; none, when ctx has ended.
func (b *buffer) take(ctx context.Context, p []byte) (n int, era uint64) {
	for {
		b.mu.Lock()
		if len(b.bytes) > 0 {
			n = copy(p, b.bytes)
			rest := copy(b.bytes, b.bytes[n:])
			clear(b.bytes[rest:])
			b.bytes = b.bytes[:rest]
			b.full = b.full && rest > 0
			era = b.era
			b.mu.Unlock()
			return n, era
		}
		b.mu.Unlock()
		select {
		case <-b.added:
		case <-ctx.Done():
			return 0, 0
		}
	}
}

// is says whether an era goes on.
func (b *buffer) is(era uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.era == era
}

func (b *buffer) lostSoFar() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lost
}
