package uplink_test

import (
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"

	"lintas/queue/mqtt"
)

// listen lets a broker be reached over TCP too.
func (b *broker) listen() (address string) {
	b.t.Helper()
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: "127.0.0.1:0"})
	if err := b.server.AddListener(l); err != nil {
		b.t.Fatal(err)
	}
	go l.Serve(b.server.EstablishConnection)
	return l.Address()
}

// until waits in real time.
func until(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it did not come true in two minutes: %s", what)
		}
	}
}

// A link that goes dead without a word is given up, idle or with events on
// their way, and everything is delivered once over the next.
func TestHalfOpenLink(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	t.Parallel()
	for name, events := range map[string]int{"idle": 0, "a few events": 5, "many large events": 150} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBroker(t)
			h := newHub(b)
			p := newProxy(t, b.listen(), 0)
			q := openQueue(t)
			o := options()
			o.Connections = append(o.Connections, func() (mqtt.Options, error) { return mqtt.Options{URL: p.url(), ClientID: "x"}, nil })
			r := start(t, q, o, nil)
			put(t, q, 50)
			until(t, "the first events are confirmed", func() bool { return q.Acknowledged() == 50 })
			p.freeze()
			began := time.Now()
			for range events {
				putSize(t, q, 60<<10)
			}
			until(t, "the dead link is noticed", func() bool { return !r.Status().Connected })
			took := time.Since(began)
			t.Logf("noticed after %.1f s: %s", took.Seconds(), r.Status().LastError)
			p.melt()
			all := uint64(50 + events)
			until(t, "everything is confirmed", func() bool { return q.Acknowledged() == all })
			t.Logf("confirmed %.1f s later", (time.Since(began) - took).Seconds())
			if h.count() != int(all) || len(q.parked()) > 0 {
				t.Errorf("%d of %d at the hub, parked %v", h.count(), all, q.parked())
			}
		})
	}
}

// BenchmarkHalfOpen measures how long a link has been dead when it is given up.
// DESIGN.md wants 15 s at most.
func BenchmarkHalfOpen(b *testing.B) {
	for name, events := range map[string]int{"idle": 0, "busy": 20} {
		b.Run(name, func(b *testing.B) {
			var longest time.Duration
			for b.Loop() {
				broker := newBroker(b)
				newHub(broker)
				p := newProxy(b, broker.listen(), 0)
				q := openQueue(b)
				o := options()
				o.Connections = append(o.Connections, func() (mqtt.Options, error) { return mqtt.Options{URL: p.url(), ClientID: "x"}, nil })
				r := start(b, q, o, nil)
				put(b, q, 1)
				until(b, "the first event is confirmed", func() bool { return q.Acknowledged() == 1 })
				p.freeze()
				began := time.Now()
				for range events {
					putSize(b, q, 60<<10)
				}
				until(b, "the dead link is noticed", func() bool { return !r.Status().Connected })
				longest = max(longest, time.Since(began))
				p.melt()
				r.stop()
			}
			b.ReportMetric(longest.Seconds(), "s_at_most(want_15)")
		})
	}
}
