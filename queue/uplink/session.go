package uplink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lintas/queue"
	"lintas/queue/mqtt"
)

// session is one connection's work. Only the goroutine of run touches it.
type session struct {
	u        *Uplink
	conn     *mqtt.Conn
	acks     chan []byte // acknowledgements not looked at yet
	inFlight []mqtt.Token
	window   int    // grows from 1 to Options.Window
	sent     uint64 // last sequence published over this connection
	leased   []queue.Event
	fromMark bool // the next lease begins behind the watermark

	ackWait time.Duration // doubles with each time-out
	waiting time.Time     // since when PUBACKed events wait for an acknowledgement; zero if none does
	behind  bool          // the far end has said that it does not have them
	vain    int           // go-backs since the last progress
	heard   bool          // an acknowledgement came since the last go-back
	silent  bool          // none came before the last go-back
	timer   *time.Timer   // fires when waiting becomes too long
}

// session runs one connection until it is lost or ctx ends; progress tells
// that an acknowledgement was taken, so that the next try need not wait long.
func (u *Uplink) session(ctx context.Context) (progress bool, err error) {
	o, err := u.o.Connection()
	if err != nil {
		return false, err
	}
	s := &session{u: u, acks: make(chan []byte, acksKept), window: 1, fromMark: true, ackWait: u.o.AckTimeout, timer: time.NewTimer(time.Hour)}
	s.timer.Stop()
	o.Filters = []string{u.o.Topics.Ack}
	o.Receive = s.receive
	o.Will = &mqtt.Message{Topic: u.o.Topics.State, Payload: u.o.State(false), Retained: true}
	if s.conn, err = mqtt.Dial(ctx, o); err != nil {
		return false, err
	}
	u.outbox.Release()
	u.o.Logger.Info("uplink up")
	u.change(func(st *Status) { st.Connected, st.LastError = true, "" })
	s.publishState(true)

	before := u.outbox.Acknowledged()
	err = s.run(ctx)
	if ctx.Err() != nil {
		s.publishState(false) // a DISCONNECT keeps the broker from publishing the will
	}
	s.conn.Close()
	return u.outbox.Acknowledged() != before, err
}

// receive keeps the newest acknowledgements and never blocks. Several, because
// the last to arrive need not be the last that was given.
func (s *session) receive(m mqtt.Message) {
	for {
		select {
		case s.acks <- m.Payload:
			return
		default:
		}
		select {
		case <-s.acks:
		default:
		}
	}
}

func (s *session) run(ctx context.Context) error {
	state := time.NewTicker(stateEvery)
	defer state.Stop()
	defer s.timer.Stop()
	for {
		wake := s.u.outbox.Wake()
		if err := s.fill(ctx); err != nil {
			return err
		}
		var first <-chan struct{}
		if len(s.inFlight) > 0 {
			first = s.inFlight[0].Done()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.conn.Lost():
			return errors.Join(errLost, s.conn.Err())
		case <-first:
			if err := s.confirmed(); err != nil {
				return err
			}
		case ack := <-s.acks:
			if err := s.acknowledged(ctx, ack); err != nil {
				return err
			}
		case <-s.timer.C:
			s.overdue()
		case <-state.C:
			s.publishState(true)
		case <-s.u.nudge:
			s.publishState(true)
		case <-wake:
		}
	}
}

// fill publishes as much as the windows allow.
func (s *session) fill(ctx context.Context) error {
	for len(s.inFlight) < s.window {
		if len(s.leased) == 0 {
			acknowledged := s.u.outbox.Acknowledged()
			if s.sent > acknowledged+unconfirmedWindow {
				return nil
			}
			var err error
			if s.leased, err = s.u.outbox.Lease(ctx, s.window-len(s.inFlight)); err != nil || len(s.leased) == 0 {
				return err
			}
			if s.fromMark {
				// After a restored backup the far end may ask for events that
				// were confirmed once and are pruned since.
				s.fromMark = false
				s.u.change(func(st *Status) { st.Pruned = s.leased[0].Sequence > acknowledged+1 })
			}
		}
		e := s.leased[0]
		s.leased = s.leased[1:]
		s.inFlight = append(s.inFlight, s.conn.Publish(s.u.o.Topics.Event, false, e.Sealed))
		s.sent = e.Sequence
	}
	return nil
}

// confirmed takes the oldest PUBACK.
func (s *session) confirmed() error {
	t := s.inFlight[0]
	if err := t.Error(); err != nil {
		return fmt.Errorf("cannot publish: %w", err)
	}
	s.inFlight = s.inFlight[1:]
	s.window = min(2*s.window, s.u.o.Window)
	if s.waiting.IsZero() && s.sent > s.u.outbox.Acknowledged() {
		s.waitFrom(time.Now())
	}
	return nil
}

func (s *session) waitFrom(t time.Time) {
	s.waiting, s.behind = t, false
	s.timer.Reset(s.ackWait)
}

// acknowledged takes an acknowledgement, if it can be believed.
func (s *session) acknowledged(ctx context.Context, payload []byte) error {
	a, err := s.u.o.Verify(payload)
	before := s.u.outbox.Acknowledged()
	if err == nil {
		err = s.u.outbox.Acknowledge(ctx, a)
	}
	switch {
	case errors.Is(err, queue.ErrStale):
		return nil
	case err != nil:
		s.u.o.Logger.Warn("acknowledgement not believed", "error", err)
		s.u.change(func(st *Status) { st.AckFault = err.Error() })
		return nil
	}
	now := s.u.outbox.Acknowledged()
	if s.silent { // and is back
		s.ackWait, s.vain = s.u.o.AckTimeout, 0
	}
	s.heard, s.silent = true, false
	switch {
	case now < before: // the far end was restored from a backup
		s.goBack()
	case now == before && !s.waiting.IsZero() && !s.behind && s.vain == 0:
		// Alive, but it has not seen what the broker took: perhaps it is on the
		// way, perhaps nobody was there when it came. No need to wait for long.
		s.behind = true
		s.timer.Reset(max(0, s.ackWait/8-time.Since(s.waiting)))
	case now > before:
		s.ackWait, s.vain = s.u.o.AckTimeout, 0
		if now >= s.sent {
			s.waiting = time.Time{}
			s.timer.Stop()
		} else {
			s.waitFrom(time.Now())
		}
	}
	s.u.change(func(st *Status) { st.AckFault, st.Unconfirmed = "", st.Unconfirmed && now == before })
	return nil
}

// overdue sends everything again from the watermark on: the broker took the
// events, but the far end has not said that it holds them.
func (s *session) overdue() {
	if s.u.outbox.Acknowledged() >= s.sent {
		s.waiting, s.behind = time.Time{}, false
		return
	}
	s.vain++
	s.silent = !s.heard
	if !s.behind { // that it is behind once is nothing unusual
		s.u.o.Logger.Warn("no progress at the hub, sending again", "waited_seconds", int(time.Since(s.waiting).Seconds()))
		s.u.change(func(st *Status) { st.Unconfirmed = true })
		s.ackWait = min(2*s.ackWait, maxAckTimeout)
	}
	s.goBack()
}

// goBack forgets what was sent. PUBACKs of the old copies still count for the
// window and are harmless.
func (s *session) goBack() {
	s.leased, s.fromMark = nil, true
	s.sent = s.u.outbox.Acknowledged()
	s.waiting, s.behind, s.heard = time.Time{}, false, false
	s.timer.Stop()
	s.u.outbox.Release()
}

func (s *session) publishState(online bool) {
	t := s.conn.Publish(s.u.o.Topics.State, true, s.u.o.State(online))
	if !online {
		select {
		case <-t.Done():
		case <-s.conn.Lost():
		case <-time.After(2 * time.Second):
		}
	}
}
