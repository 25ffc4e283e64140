package uplink_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lintas/queue"
	"lintas/queue/mqtt"
	"lintas/queue/uplink"
)

// When the first broker is away the second is used at once, and the first again
// when it is back.
func TestSeveralBrokers(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		first, second := newBroker(t), newBroker(t)
		one, two := newHub(first), newHub(second)
		two.chains = one.chains // one hub, at both
		r := start(t, q, options(first, second), nil)
		put(t, q, 10)
		settle(t, func() bool { return q.Acknowledged() == 10 })
		if st := r.Status(); !st.Connected || st.Broker != 0 {
			t.Fatalf("status %+v", st)
		}
		first.stop()
		put(t, q, 10)
		began := time.Now()
		settle(t, func() bool { return q.Acknowledged() == 20 })
		if waited := time.Since(began); waited > 3*time.Second {
			t.Errorf("the second broker was used after %s", waited)
		}
		if st := r.Status(); !st.Connected || st.Broker != 1 {
			t.Fatalf("status %+v", st)
		}
		// While the first is away, looking for it costs nothing.
		up, dials := r.Status().Since, second.dials
		time.Sleep(5 * time.Hour)
		synctest.Wait()
		if st := r.Status(); !st.Since.Equal(up) || second.dials != dials {
			t.Errorf("the second connection did not last: %+v", st)
		}
		if n := first.dials; n < 20 || n > 25 {
			t.Errorf("looked %d times for the first broker in five hours", n)
		}
		first.start()
		one.listen()
		put(t, q, 10)
		time.Sleep(uplink.DefaultPreferEvery + time.Minute)
		settle(t, func() bool { st := r.Status(); return st.Connected && st.Broker == 0 && q.Acknowledged() == 30 })
	})
}

// When none can be reached, each is named, without its password.
func TestAllBrokersAway(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		first, second := newBroker(t), newBroker(t)
		first.stop()
		second.stop()
		r := start(t, q, options(first, second), nil)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		want := "cannot connect to broker tcp://pipe:1"
		if text := r.Status().LastError; strings.Count(text, want) != 2 || strings.Contains(text, "secret") {
			t.Errorf("last error %q", text)
		}
		// Full jitter: half a minute on average.
		if n := first.dials; n != second.dials || n < 24*60 || n > 24*60*3 {
			t.Errorf("%d and %d tries in a day", n, second.dials)
		}
		put(t, q, 1)
		newHub(second)
		second.start()
		newHub(second)
		settle(t, func() bool { return q.Acknowledged() == 1 })
	})
}

// A broker that takes connections and is good for nothing does not keep the
// next one from its turn.
func TestBrokerThatIsGoodForNothing(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		first, second := newBroker(t), newBroker(t)
		first.obey(func(sealed, int) verdict { return kill })
		newHub(second)
		start(t, q, options(first, second), nil)
		put(t, q, 10)
		settle(t, func() bool { return q.Acknowledged() == 10 })
	})
}

// Settings that cannot be read are told, and asked for again.
func TestConnectionSettings(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		newHub(b)
		o := options(b)
		good, tries := o.Connections[0], 0
		o.Connections[0] = func() (mqtt.Options, error) {
			if tries++; tries < 5 {
				return mqtt.Options{}, queue.ErrNotFound // any error
			}
			return good()
		}
		r := start(t, q, o, nil)
		put(t, q, 1)
		settle(t, func() bool { return q.Acknowledged() == 1 })
		if !r.saw(func(s uplink.Status) bool { return s.LastError == "broker number 1: no such event" }) {
			t.Error("it was not told")
		}
	})
}
