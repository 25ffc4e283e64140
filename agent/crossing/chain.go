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
	at := s.Position
	switch {
	case at.Sequence != expected:
		err = &ChainError{expected, fmt.Sprintf("the event says that it is number %d", at.Sequence)}
	case c.Counter != "" && s.Counter != c.Counter:
		err = &ChainError{expected, fmt.Sprintf("the event is from counter %s", s.Counter)}
	case at.Sequence == 1 && at.Prev != (queue.Hash{}):
		err = &ChainError{expected, "the first event names one before it"}
	case c.started && at.Epoch != c.last.Epoch:
		err = &ChainError{expected, "the event is of another epoch"}
	case c.started && at.Sequence != c.last.Sequence+1:
		err = &ChainError{c.last.Sequence + 1, "missing"}
	case c.started && at.Prev != c.last.Hash:
		err = &ChainError{expected, "it does not name the hash of the event before"}
	}
	if err != nil {
		return s, err
	}
	c.last, c.started = queue.Head{Epoch: at.Epoch, Sequence: at.Sequence, Hash: s.Hash}, true
	return s, nil
}
