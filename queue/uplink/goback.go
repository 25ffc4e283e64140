package uplink

import (
	"time"

	"lintas/queue"
)

func (s *session) waitFromNow() {
	s.waiting, s.behind = time.Now(), false
	s.lateAfter(s.ackWait)
}

func (s *session) lateAfter(d time.Duration) {
	if s.u.alone() {
		d = s.u.o.AckTimeout
	}
	s.late.Reset(max(0, d-time.Since(s.waiting)))
}

// overdue sends everything again from the watermark on: the broker took the
// events, but the far end has not said that it holds them.
func (s *session) overdue() {
	if s.u.outbox.Acknowledged() >= s.sent {
		s.waiting, s.behind = noTime, false
		return
	}
	s.vain++
	s.silent = !s.heard
	s.suspect()
	if !s.behind { // that it is behind once is nothing unusual
		s.u.o.Logger.Warn("no progress at the hub, sending again", "waited_seconds", int(time.Since(s.waiting).Seconds()))
		s.u.change(func(st *Status) { st.Unconfirmed = true })
		if !s.u.alone() {
			s.ackWait = min(2*s.ackWait, maxAckTimeout)
		}
	}
	s.goBack()
}

// goBack forgets what was sent. PUBACKs of the old copies still count for the
// window and are harmless.
func (s *session) goBack() {
	s.leased, s.fromMark, s.first = nil, true, queue.Event{}
	s.sent, s.puback = s.u.outbox.Acknowledged(), 0
	s.through = s.sent
	s.round++
	s.waiting, s.behind, s.heard = noTime, false, false
	s.late.Stop()
	s.u.outbox.Release()
}
