package uplink

import (
	"context"
	"fmt"

	"lintas/queue"
)

// How often an event is sent before a tombstone is tried.
const (
	vainTogether = 3 // go-backs with all that follows it
	vainAlone    = 3 // acknowledgement time-outs of it alone
)

// swallowed finds the event that the broker takes, confirms and drops: it is
// too large for what lies behind, or a rule forbids it.
//
// It is the one right behind the watermark, while the far end speaks and the
// broker confirms that event and later ones. After a number of go-backs in vain
// it is sent alone, a few times, and then its tombstone. The event is parked
// only when the acknowledgement then passes it. If the tombstone does not help
// it was not the event, and everything begins anew.
type swallowed struct {
	epoch    queue.Epoch
	sequence uint64 // of the suspect; zero if there is none
	hash     queue.Hash
	vain     int  // times that it was sent in vain
	buried   bool // its tombstone was sent
}

// alone tells whether nothing but the suspect is sent.
func (w *swallowed) alone() bool { return w.vain >= vainTogether }

// replaced tells whether its tombstone is sent.
func (w *swallowed) replaced() bool { return w.vain >= vainTogether+vainAlone }

// broughtBy tells whether the acknowledgement says that the far end is content
// with the tombstone.
func (w *swallowed) broughtBy(a queue.Acknowledgement) bool {
	if !w.buried {
		return false
	}
	for _, e := range a.Epochs {
		if e.Epoch == w.epoch {
			return e.Through > w.sequence || e.Through == w.sequence && e.Head == w.hash
		}
	}
	return false
}

// suspect is called when what was sent since the last go-back was in vain.
func (s *session) suspect() {
	s.u.ackMu.Lock()
	defer s.u.ackMu.Unlock()
	w := &s.u.swallowed
	e := s.first
	if w.sequence > 0 && (w.epoch != e.Epoch || w.sequence != e.Sequence) {
		*w = swallowed{}
	}
	switch {
	case s.u.o.Tombstone == nil || e.Parked != "" || e.Sequence != s.u.outbox.Acknowledged()+1:
		*w = swallowed{}
	case w.alone():
		w.vain++ // nothing but it was sent, and the far end has nothing to answer
	case s.heard && s.puback > e.Sequence:
		*w = swallowed{epoch: e.Epoch, sequence: e.Sequence, hash: e.Hash, vain: w.vain + 1}
	default:
		*w = swallowed{}
	}
	switch w.vain {
	case vainTogether:
		s.u.o.Logger.Warn("the hub does not get past an event, sending it alone", "sequence", w.sequence)
	case vainTogether + vainAlone:
		s.u.o.Logger.Warn("the hub does not get past an event, trying a tombstone", "sequence", w.sequence)
	case vainTogether + vainAlone + 1:
		*w = swallowed{}
	}
}

// heldBack tells whether nothing may be sent behind sequence for now.
func (u *Uplink) heldBack(sequence uint64) bool {
	u.ackMu.Lock()
	defer u.ackMu.Unlock()
	return u.swallowed.alone() && sequence >= u.swallowed.sequence
}

func (u *Uplink) alone() bool {
	u.ackMu.Lock()
	defer u.ackMu.Unlock()
	return u.swallowed.alone()
}

// payload gives the bytes that go over the wire: the event, or its tombstone
// if it is parked or while that is tried.
func (s *session) payload(ctx context.Context, e queue.Event) (p []byte, tombstone bool, err error) {
	u := s.u
	if u.o.Tombstone == nil {
		return e.Sealed, false, nil
	}
	if e.Parked == "" && u.o.MaxMessage > 0 && len(e.Sealed) > u.o.MaxMessage {
		e.Parked = fmt.Sprintf("too large: %d bytes", len(e.Sealed))
		if err := u.park(ctx, e.Sequence, e.Parked); err != nil {
			return nil, false, err
		}
	}
	u.ackMu.Lock()
	w := &u.swallowed
	trial := w.replaced() && w.sequence == e.Sequence && w.epoch == e.Epoch
	if trial {
		w.buried = true
	}
	u.ackMu.Unlock()
	if e.Parked == "" && !trial && (s.careful.trial != e.Sequence || s.careful.again) {
		return e.Sealed, false, nil
	}
	if e.Parked == "" && !trial {
		s.careful.suspect = e
	}
	if p, err = u.o.Tombstone(e); err != nil {
		return nil, false, fmt.Errorf("cannot make tombstone of event %d: %w", e.Sequence, err)
	}
	return p, true, nil
}
