package uplink_test

import (
	"testing"
	"time"

	"lintas/queue/uplink"
)

// A broker whose connections end as soon as it has confirmed an event, or
// before, looks like one that is up most of the time. That nothing gets through
// must be told all the same, and that it does again.
func TestConnectionsThatAreMadeInVain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		does        verdict
		unconfirmed bool
	}{
		"after the broker's word": {swallowAndDie, true},
		"before it":               {kill, false},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, q *outbox) {
				b := newBroker(t)
				newHub(b)
				r := run(t, q, b)
				put(t, q, 1)
				settle(t, func() bool { return q.Acknowledged() == 1 })
				b.obey(func(sealed, int) verdict { return test.does })
				put(t, q, 50)
				settle(t, func() bool {
					st := r.Status()
					return st.Failing && st.LastError != "" && st.Unconfirmed == test.unconfirmed
				})
				time.Sleep(10 * time.Minute)
				// Nor does it flicker: whoever shows it waits a moment first.
				if st := r.Status(); !st.Failing || st.LastError == "" || st.Unconfirmed != test.unconfirmed {
					t.Errorf("after ten minutes: %+v", st)
				}
				b.obey(nil)
				settle(t, func() bool { return q.Acknowledged() == 51 })
				if st := r.Status(); st.Failing || st.Unconfirmed || !st.Connected || st.LastError != "" {
					t.Errorf("when it is mended: %+v", st)
				}
				if len(q.parked()) > 0 {
					t.Errorf("parked %v", q.parked())
				}
			})
		})
	}
}

// Connections that are lost now and then, and carry something in between, are
// nothing to tell of; neither is one of an idle counter once it lasts.
func TestConnectionsThatAreLostNowAndThen(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		newHub(b)
		r := run(t, q, b)
		for range 20 {
			put(t, q, 5)
			n := q.Head().Sequence
			settle(t, func() bool { return q.Acknowledged() == n })
			b.cut()
		}
		if r.saw(func(s uplink.Status) bool { return s.Failing || s.Unconfirmed }) {
			t.Error("a false alarm")
		}
		for !r.Status().Failing {
			settle(t, func() bool { return r.Status().Connected })
			b.cut()
			time.Sleep(time.Millisecond)
		}
		settle(t, func() bool { return r.Status().Connected })
		time.Sleep(2 * time.Minute)
		if st := r.Status(); st.Failing || st.LastError != "" {
			t.Errorf("a connection that lasts: %+v", st)
		}
	})
}
