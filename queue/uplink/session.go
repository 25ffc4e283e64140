package uplink

import (
	"context"
	"fmt"
	"sync"
	"time"

	"lintas/queue"
	"lintas/queue/mqtt"
)

// session is one connection's work. Only the goroutine of run touches it.
type session struct {
	u        *Uplink
	broker   int
	conn     *mqtt.Conn
	control  mqtt.Token        // of the state message that must be confirmed first, if the session is careful
	acks     chan mqtt.Message // acknowledgements not looked at yet
	inFlight []flight
	window   int           // grows from 1 to Options.Window
	first    queue.Event   // the first that was sent since the last go-back
	sent     uint64        // last sequence published since then, or confirmed
	puback   uint64        // last sequence the broker confirmed of those
	leased   []queue.Event // not sent yet
	fromMark bool          // the next lease begins behind the watermark
	epoch    queue.Epoch   // of what was sent last
	epochs   int           // as in Uplink when this session last looked
	leaving  bool          // send nothing more: a more preferred broker is back
	careful  careful

	through uint64        // watermark when this session last looked
	ackWait time.Duration // doubles with each time-out
	waiting time.Time     // since when PUBACKed events wait for an acknowledgement; zero if none does
	behind  bool          // the far end has said that it does not have them
	vain    int           // go-backs since the last progress
	round   int           // go-backs of this session
	began   time.Time     // when it was connected
	taken   bool          // the broker has confirmed an event
	heard   bool          // the far end gave an acknowledgement since the last go-back
	silent  bool          // none came before the last go-back
	late    *time.Timer   // fires when waiting becomes too long
	mute    *time.Timer   // fires when a PUBACK is overdue
	prove   *time.Timer   // fires when the proof that the link survived an event is due
}

// flight is an event without PUBACK.
type flight struct {
	event     mqtt.Token
	careful   bool       // it counts as confirmed when what is sent after it is too
	due       bool       // that is sent in a moment
	proof     mqtt.Token // of that
	epoch     queue.Epoch
	sequence  uint64
	tombstone bool
	owed      bool // a parked event's body, behind the watermark
	round     int
}

var noTime time.Time

func (u *Uplink) newSession(broker int) *session {
	u.ackMu.Lock()
	defer u.ackMu.Unlock()
	s := &session{
		u: u, broker: broker, acks: make(chan mqtt.Message, acksKept), window: 1, fromMark: true, careful: u.killer.care(u.outbox.Acknowledged()),
		began: time.Now(), epochs: u.epochs, through: u.outbox.Acknowledged(), ackWait: u.o.AckTimeout,
		late: time.NewTimer(time.Hour), mute: time.NewTimer(time.Hour), prove: time.NewTimer(time.Hour),
	}
	s.late.Stop()
	s.mute.Stop()
	s.prove.Stop()
	return s
}

func (s *session) run(ctx context.Context) error {
	state := time.NewTicker(stateEvery)
	defer state.Stop()
	defer s.late.Stop()
	defer s.mute.Stop()
	defer s.prove.Stop()
	preferred := make(chan struct{}, 1)
	if s.broker > 0 {
		var look sync.WaitGroup
		defer look.Wait()
		looking, stop := context.WithCancel(ctx)
		defer stop()
		look.Go(func() { s.u.lookOut(looking, s.broker, preferred) })
	}
	for {
		wake := s.u.outbox.Wake()
		if err := s.fill(ctx); err != nil {
			return err
		}
		if s.leaving && len(s.inFlight) == 0 {
			return errPreferred
		}
		var first <-chan struct{}
		if len(s.inFlight) > 0 {
			first = s.inFlight[0].next()
		}
		control, pause := s.proved()
		select {
		case <-ctx.Done():
			return nil
		case err := <-s.u.fatal:
			return err
		case <-s.conn.Lost():
			return lost(s.conn.Err())
		case <-first:
			if err := s.confirmed(); err != nil {
				return err
			}
		case <-s.mute.C:
			return lost(fmt.Errorf("the broker has confirmed nothing for %s", pubackTimeout))
		case m := <-s.acks:
			if err := s.acknowledged(ctx, m); err != nil {
				return err
			}
		case <-s.u.taken:
			s.moved(false)
		case <-s.late.C:
			s.overdue()
		case <-s.prove.C:
			s.demandProof()
		case <-control:
			s.linger()
		case <-pause:
			s.nextProof()
		case <-preferred:
			s.leaving = true
		case <-state.C:
			s.publishState(true)
			s.u.change(steady)
		case <-s.u.nudge:
			s.publishState(true)
		case <-s.u.again:
		case <-wake:
		}
	}
}

func lost(err error) error {
	if err == nil {
		return errLost
	}
	return fmt.Errorf("%w: %w", errLost, err)
}

func (s *session) publishState(online bool) mqtt.Token {
	t := s.conn.Publish(s.u.o.Topics.State, true, s.u.o.State(online))
	if !online {
		select {
		case <-t.Done():
		case <-s.conn.Lost():
		case <-time.After(2 * time.Second):
		}
	}
	return t
}
