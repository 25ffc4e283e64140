package crossing

import (
	"bytes"
	"fmt"

	"lintas/queue"
)

// Chain checks events one after the other, in order.
type Chain struct {
	Keys Keys
	// Counter, if set, is the only source accepted.
	Counter string

	last    queue.Head
	started bool
}

// ChainError says which event breaks a chain, and how.
type ChainError struct {
	Sequence uint64
	Reason   string
}

func (e *ChainError) Error() string {
	return fmt.Sprintf("chain broken at sequence %d: %s", e.Sequence, e.Reason)
}

// Next takes the event that should come next. expected is the sequence under
// which the caller keeps it; the first event taken may be any.
func (c *Chain) Next(expected uint64, sealed []byte) (Sealed, error) {
	s, err := Open(bytes.TrimSpace(sealed), c.Keys)
	if err != nil {
		return s, &ChainError{expected, err.Error()}
	}
	return s, c.next(expected, s.Counter, s.Position, s.Hash)
}

// Pass takes a tombstone in the place of the event that should come next; the
// chain goes on from the original's hash.
func (c *Chain) Pass(expected uint64, tombstone []byte) (Tombstone, error) {
	t, err := OpenTombstone(bytes.TrimSpace(tombstone), c.Keys)
	if err != nil {
		return t, &ChainError{expected, err.Error()}
	}
	return t, c.next(expected, t.Counter, t.Position, t.Hash)
}

func (c *Chain) next(expected uint64, counter string, at queue.Position, hash queue.Hash) error {
	switch {
	case at.Sequence != expected:
		return &ChainError{expected, fmt.Sprintf("the event says that it is number %d", at.Sequence)}
	case c.Counter != "" && counter != c.Counter:
		return &ChainError{expected, fmt.Sprintf("the event is from counter %s", counter)}
	case at.Sequence == 1 && at.Prev != (queue.Hash{}):
		return &ChainError{expected, "the first event names one before it"}
	case c.started && at.Epoch != c.last.Epoch:
		return &ChainError{expected, "the event is of another epoch"}
	case c.started && at.Sequence != c.last.Sequence+1:
		return &ChainError{c.last.Sequence + 1, "missing"}
	case c.started && at.Prev != c.last.Hash:
		return &ChainError{expected, "it does not name the hash of the event before"}
	}
	c.last, c.started = queue.Head{Epoch: at.Epoch, Sequence: at.Sequence, Hash: hash}, true
	return nil
}
