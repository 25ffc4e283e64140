package uplink

import (
	"context"
	"errors"
	"fmt"

	"lintas/queue"
	"lintas/queue/mqtt"
)

// errPark is about an event that could not be parked.
var errPark = errors.New("cannot park event")

// Take applies an acknowledgement that came another way than over MQTT, as a
// file for example, whether there is a connection or not. An error that is
// queue.ErrForeign says that it speaks of other events than are here; a new
// epoch has then begun if Options.Foreign could begin one.
func (u *Uplink) Take(ctx context.Context, payload []byte) error {
	_, err := u.take(ctx, payload)
	if errors.Is(err, queue.ErrDamaged) {
		select {
		case u.fatal <- err:
		default: // it is known
		}
	}
	poke(u.taken)
	return err
}

// take verifies and applies an acknowledgement; fresh says that the far end
// has given it since the last one.
func (u *Uplink) take(ctx context.Context, payload []byte) (fresh bool, err error) {
	a, err := u.o.Verify(payload)
	if err != nil {
		return false, err
	}
	u.ackMu.Lock()
	defer u.ackMu.Unlock()
	fresh = a.Time.After(u.ackTime)
	if fresh && u.swallowed.broughtBy(a) {
		// Before the acknowledgement, so that a crash between the two cannot
		// make the queue forget that only a tombstone was sent.
		if err := u.park(ctx, u.swallowed.sequence, "swallowed by the broker"); err != nil {
			return false, err
		}
		u.swallowed = swallowed{}
	}
	before := u.outbox.Acknowledged()
	err = u.outbox.Acknowledge(ctx, a)
	switch {
	case errors.Is(err, queue.ErrForeign):
		return false, u.begin(ctx, a, err)
	case err != nil:
		return false, err
	}
	u.ackTime = a.Time
	if u.outbox.Acknowledged() > before {
		u.change(func(st *Status) { st.Unconfirmed = false; steady(st) })
	}
	if u.outbox.Acknowledged()+1 != u.swallowed.sequence {
		u.swallowed = swallowed{}
	}
	return fresh, nil
}

// begin lets a new epoch begin. An acknowledgement that is retained comes with
// every connection: it must not begin one each time.
func (u *Uplink) begin(ctx context.Context, a queue.Acknowledgement, cause error) error {
	if u.o.Foreign == nil || !a.Time.After(u.foreign) {
		return cause
	}
	u.foreign = a.Time
	u.o.Logger.Warn("acknowledgement of another chain, a new epoch begins", "error", cause)
	if err := u.o.Foreign(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("%w; cannot begin a new epoch: %w", cause, err)
	}
	u.epochs++
	u.swallowed = swallowed{}
	return cause
}

func (u *Uplink) park(ctx context.Context, sequence uint64, reason string) error {
	if err := u.outbox.Park(ctx, sequence, reason); err != nil {
		return fmt.Errorf("%w %d: %w", errPark, sequence, err)
	}
	u.o.Logger.Warn("event parked, a tombstone goes in its place", "sequence", sequence, "reason", reason)
	return nil
}

// receive keeps the newest acknowledgements and never blocks. Several, because
// the last to arrive need not be the last that was given.
func (s *session) receive(m mqtt.Message) {
	for {
		select {
		case s.acks <- m:
			return
		default:
		}
		select {
		case <-s.acks:
		default:
		}
	}
}

// acknowledged takes an acknowledgement, if it can be believed.
func (s *session) acknowledged(ctx context.Context, m mqtt.Message) error {
	fresh, err := s.u.take(ctx, m.Payload)
	switch {
	case errors.Is(err, queue.ErrDamaged) || errors.Is(err, errPark):
		return err
	case errors.Is(err, queue.ErrStale):
		return nil
	case s.moved(fresh && !m.Retained): // a new epoch has begun
		err = nil
	}
	fault := ""
	if err != nil {
		fault = err.Error()
		if s.u.Status().AckFault != fault {
			s.u.o.Logger.Warn("acknowledgement not believed", "error", err)
		}
	}
	s.u.change(func(st *Status) { st.AckFault = fault })
	return nil
}

// moved looks where the watermark is now; alive says that the far end has just
// spoken, began that it is in another epoch.
func (s *session) moved(alive bool) (began bool) {
	s.u.ackMu.Lock()
	epochs := s.u.epochs
	s.u.ackMu.Unlock()
	before, now := s.through, s.u.outbox.Acknowledged()
	s.through = now
	if alive {
		if s.silent { // and is back
			s.ackWait, s.vain = s.u.o.AckTimeout, 0
		}
		s.heard, s.silent = true, false
	}
	switch {
	case epochs != s.epochs:
		s.epochs = epochs
		s.careful, s.u.killer = careful{}, killer{} // the suspect has another position now
		s.goBack()
		return true
	case now < before: // the far end was restored from a backup
		s.goBack()
	case now == before && alive && !s.waiting.IsZero() && !s.behind && s.vain == 0:
		// Alive, but it has not seen what the broker took: perhaps it is on the
		// way, perhaps nobody was there when it came. No need to wait for long.
		s.behind = true
		s.lateAfter(s.ackWait / 8)
	case now > before:
		s.ackWait, s.vain = s.u.o.AckTimeout, 0
		if now >= s.sent {
			s.sent, s.waiting = now, noTime
			s.late.Stop()
		} else {
			s.waitFromNow()
		}
	}
	return false
}
