package uplink

import (
	"context"
	"math/rand/v2"
	"time"

	"lintas/queue"
)

// How often the link must be lost with the same event on its way, and how long
// after its PUBACK it must still be there.
const (
	lossesAtAll   = 2 // with others on their way too
	lossesCareful = 4 // of careful sessions: of the first, and with that one alone

	proofAfter = 100 * time.Millisecond
)

// killer finds the event that kills the link: one that a broker, or something
// on the way, answers by ending the connection.
//
// Two losses in a row with the same event in flight raise the suspicion; events
// that the broker has confirmed and the far end has not count as in flight,
// because a broker may confirm and then end the connection (mosquitto does, at
// its message_size_limit). The sessions that follow are careful: each waits
// until the link has proved itself (see careful) and then sends one event at a
// time, each with a state message a moment after its PUBACK, which shows that
// the link has survived. The first of them doubles that: mostly nobody is
// guilty, a broker was started twice, and hundreds of suspects one by one would
// take long. If the link then dies each time with the suspect alone in flight,
// the next session, as careful, sends its tombstone and, when the broker has confirmed that, the event itself once
// more. If the link dies now, it is the event, and it is parked; else what was
// wrong has been mended.
//
// Any loss that does not fit, with another event in flight or with none, shows
// that the link is bad, and the event is innocent again. Days of a link that
// never lasts longer than seconds must not park anything: therefore so often.
type killer struct {
	epoch    queue.Epoch
	from, to uint64 // what was in flight at every loss in a row
	losses   int
}

// careful is how a session goes about it when there is a suspicion. Before it
// sends the first event the broker must have confirmed the state message twice,
// with a pause that nobody can foresee before each next step, least of all a
// device that ends every connection after the same time.
type careful struct {
	through uint64      // up to this sequence; zero: no suspicion
	first   bool        // the first such session: not one event at a time
	trial   uint64      // send the tombstone of this one; zero: of none
	proofs  int         // still to be given before anything is sent
	suspect queue.Event // whose tombstone was sent
	again   bool        // its tombstone has been confirmed, and now it is sent itself
	pause   *time.Timer
}

func (k *killer) care(acknowledged uint64) (c careful) {
	if k.losses < lossesAtAll || k.to <= acknowledged {
		return c
	}
	c.through, c.proofs, c.first = k.to, 2, k.losses == lossesAtAll
	if k.losses >= lossesAtAll+lossesCareful {
		c.trial = k.from
	}
	return c
}

// lost draws the conclusions from the loss of a session.
func (k *killer) lost(ctx context.Context, s *session) error {
	for len(s.inFlight) > 0 && s.inFlight[0].settled() && s.inFlight[0].err() == nil {
		s.inFlight = s.inFlight[1:]
	}
	if s.careful.again {
		if len(s.inFlight) > 0 {
			if err := s.u.park(ctx, s.careful.suspect.Sequence, "connection lost"); err != nil {
				return err
			}
		}
		*k = killer{}
		return nil
	}
	var now killer
	acknowledged := s.u.outbox.Acknowledged()
	if s.careful.through == 0 && s.puback > acknowledged {
		now.epoch, now.to = s.epoch, s.puback
		now.from = max(acknowledged, s.puback-min(s.puback, uint64(s.u.o.Window))) + 1
	}
	for _, f := range s.inFlight {
		if f.tombstone || f.owed || f.sequence <= acknowledged {
			continue
		}
		if now.to == 0 {
			now.epoch, now.from = f.epoch, f.sequence
		}
		now.from, now.to = min(now.from, f.sequence), max(now.to, f.sequence)
	}
	if now.to == 0 {
		*k = killer{} // none was in flight, or a tombstone alone
		return nil
	}
	now.losses = 1
	if k.losses > 0 && k.epoch == now.epoch {
		if from, to := max(now.from, k.from), min(now.to, k.to); from <= to {
			now.from, now.to, now.losses = from, to, k.losses+1
		}
	}
	*k = now
	return nil
}

// carried is told of every PUBACK.
func (s *session) carried(f flight) {
	c := &s.careful
	switch {
	case c.through == 0 || f.round != s.round:
	case f.tombstone && f.sequence == c.trial:
		c.again = true
		s.publish(c.suspect, c.suspect.Sealed, false)
	case c.again || f.sequence >= c.through:
		*c, s.u.killer = careful{}, killer{}
	}
}

// proved gives what to wait for before anything may be sent: the broker's word
// that it has the state, then the end of the pause.
func (s *session) proved() (control <-chan struct{}, pause <-chan time.Time) {
	switch c := &s.careful; {
	case c.proofs == 0:
		return nil, nil
	case c.pause == nil:
		return s.control.Done(), nil
	default:
		return nil, c.pause.C
	}
}

// demandProof asks the broker for a sign of life, on behalf of all events that it
// has confirmed.
func (s *session) demandProof() {
	proof := s.publishState(true)
	for i := range s.inFlight {
		if f := &s.inFlight[i]; f.careful && f.proof == nil && done(f.event) {
			f.due, f.proof = true, proof
		}
	}
}

func (s *session) linger() {
	p := s.u.pace
	s.careful.pause = time.NewTimer(p.dwellMin + rand.N(p.dwellMax-p.dwellMin))
}

func (s *session) nextProof() {
	c := &s.careful
	c.pause = nil
	if c.proofs--; c.proofs > 0 {
		s.control = s.publishState(true)
	}
}
