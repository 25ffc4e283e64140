package uplink

import (
	"context"
	"fmt"
	"time"

	"lintas/queue"
	"lintas/queue/mqtt"
)

// fill publishes as much as the windows allow.
func (s *session) fill(ctx context.Context) error {
	for len(s.inFlight) < s.room() {
		acknowledged := s.u.outbox.Acknowledged()
		if s.sent > acknowledged+unconfirmedWindow || s.u.heldBack(s.sent) {
			return nil
		}
		if len(s.leased) == 0 {
			var err error
			if s.leased, err = s.u.outbox.Lease(ctx, s.window); err != nil {
				return err
			}
			if len(s.leased) == 0 {
				s.sendOwed()
				return nil
			}
		}
		e := s.leased[0]
		s.leased = s.leased[1:]
		if e.Sequence <= acknowledged {
			continue // confirmed while it waited here
		}
		if s.fromMark {
			// After a restored backup the far end may ask for events that
			// were confirmed once and are pruned since.
			s.fromMark, s.first = false, e
			s.u.change(func(st *Status) { st.Pruned = e.Sequence > acknowledged+1 })
		}
		if err := s.send(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) room() int {
	switch {
	case s.leaving || s.careful.proofs > 0:
		return 0
	case s.careful.through > 0 && !s.careful.first:
		return 1
	}
	return s.window
}

func (s *session) send(ctx context.Context, e queue.Event) error {
	payload, tombstone, err := s.payload(ctx, e)
	if err != nil {
		return err
	}
	s.publish(e, payload, tombstone)
	s.sent = e.Sequence
	return nil
}

func (s *session) publish(e queue.Event, payload []byte, tombstone bool) {
	if len(s.inFlight) == 0 {
		s.mute.Reset(pubackTimeout)
	}
	token := s.conn.Publish(s.u.o.Topics.Event, false, payload)
	f := flight{event: token, careful: s.careful.through > 0, epoch: e.Epoch, sequence: e.Sequence, tombstone: tombstone, round: s.round}
	s.inFlight, s.epoch = append(s.inFlight, f), e.Epoch
}

// confirmed takes the PUBACKs that have come.
func (s *session) confirmed() error {
	for len(s.inFlight) > 0 && s.inFlight[0].settled() {
		f := s.inFlight[0]
		if err := f.err(); err != nil {
			return s.broken(err)
		}
		s.inFlight, s.taken = s.inFlight[1:], true
		if f.owed {
			continue
		}
		s.window = min(2*s.window, s.u.o.Window)
		if f.round == s.round {
			s.puback = f.sequence
		}
		s.carried(f)
	}
	s.mute.Stop()
	if len(s.inFlight) > 0 {
		s.mute.Reset(pubackTimeout)
		if f := &s.inFlight[0]; f.careful && !f.due && done(f.event) {
			f.due = true
			s.prove.Reset(proofAfter)
		}
	}
	if s.waiting.IsZero() && s.sent > s.u.outbox.Acknowledged() {
		s.waitFromNow()
	}
	return nil
}

// broken says why the connection was lost, which the event's own error does not.
func (s *session) broken(err error) error {
	select {
	case <-s.conn.Lost():
		return lost(s.conn.Err())
	case <-time.After(time.Second):
		return lost(fmt.Errorf("cannot publish: %w", err))
	}
}

// next gives what to wait for.
func (f flight) next() <-chan struct{} {
	switch {
	case f.proof != nil:
		return f.proof.Done()
	case f.due:
		return nil
	}
	return f.event.Done()
}

// settled tells whether it is known what became of it.
func (f flight) settled() bool {
	return done(f.event) && (!f.careful || f.event.Error() != nil || f.proof != nil && done(f.proof))
}

// err says why a settled one was not confirmed.
func (f flight) err() error {
	if f.proof != nil && f.event.Error() == nil {
		return f.proof.Error()
	}
	return f.event.Error()
}

func done(t mqtt.Token) bool {
	select {
	case <-t.Done():
		return true
	default:
		return false
	}
}
