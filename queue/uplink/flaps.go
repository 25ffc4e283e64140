package uplink

import "time"

// flapsTold is how many connections must be lost in a row before it is told.
const flapsTold = 3

// flaps counts the connections that were lost, one soon after the other, before
// the far end confirmed anything. Each is short, so that none lives to see its
// own time-outs: a broker that confirms what its rules forbid and then ends the
// connection (mosquitto 2.0.11 does) would otherwise look like a link that is
// up most of the time.
type flaps struct {
	all   int       // connections
	taken int       // those on which the broker confirmed an event
	since time.Time // the first of them
}

// lost is told when a session ends.
func (f *flaps) lost(u *Uplink, s *session, progress bool) {
	if progress || time.Since(s.began) > stateEvery {
		*f = flaps{}
		return
	}
	f.all++
	for _, on := range s.inFlight { // a careful session waits for more than that
		s.taken = s.taken || done(on.event) && on.event.Error() == nil
	}
	if s.taken {
		if f.taken++; f.taken == 1 {
			f.since = s.began
		}
	}
	u.change(func(st *Status) {
		st.Failing = st.Failing || f.all >= flapsTold
		st.Unconfirmed = st.Unconfirmed || f.taken >= flapsTold && time.Since(f.since) >= u.o.AckTimeout
	})
}

// steady says that connections are not Failing any more.
func steady(st *Status) {
	if st.Failing && st.Connected {
		st.LastError = ""
	}
	st.Failing = false
}
