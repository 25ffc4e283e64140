package uplink_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"lintas/queue/uplink"
)

func TestDaysOffline(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		run(t, q, b)
		put(t, q, 10)
		settle(t, func() bool { return q.Acknowledged() == 10 })
		b.stop()
		for range 3 * 24 { // three days, one event an hour
			put(t, q, 1)
			time.Sleep(time.Hour)
		}
		if h.count() != 10 {
			t.Fatalf("%d events while the broker was away", h.count())
		}
		b.start()
		h.listen()
		settle(t, func() bool { return q.Acknowledged() == 82 })
		if h.count() != 82 {
			t.Fatalf("stored %d, want 82", h.count())
		}
	})
}

func TestPubackIsNotDelivery(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		h.deaf = true
		r := run(t, q, b)
		put(t, q, 300)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if q.Acknowledged() != 0 {
			t.Fatal("events count as delivered that nobody received")
		}
		if !r.Status().Connected || !r.Status().Unconfirmed {
			t.Fatalf("status %+v does not say that the hub is silent", r.Status())
		}
		h.set(func() { h.deaf = false })
		settle(t, func() bool { return q.Acknowledged() == 300 })
		if r.Status().Unconfirmed {
			t.Fatal("status still says that the hub is silent")
		}
		if h.count() != 300 {
			t.Fatalf("%d stored", h.count())
		}
	})
}

// A hub that was silent for long and speaks again is served at once, not when
// the back-off has run out.
func TestHubThatComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		h.deaf = true
		run(t, q, b)
		put(t, q, 5)
		time.Sleep(2 * time.Hour)
		h.set(func() { h.deaf = false; h.answer() }) // as at its start
		began := time.Now()
		settle(t, func() bool { return q.Acknowledged() == 5 })
		if waited := time.Since(began); waited > uplink.DefaultAckTimeout/4 {
			t.Errorf("the first event came after %s", waited)
		}
	})
}

func TestHubThatForgot(t *testing.T) {
	for name, n := range map[string]int{"a little": 50, "more than may be on the way unconfirmed": 5000} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, q *outbox) {
				b := newBroker(t)
				h := newHub(b)
				run(t, q, b)
				put(t, q, n)
				settle(t, func() bool { return q.Acknowledged() == uint64(n) })
				h.set(func() { h.cut(20); h.answer() })
				settle(t, func() bool { return h.count() == n && q.Acknowledged() == uint64(n) })
			})
		})
	}
}

// What the hub said once is no sign of life when the broker brings it again:
// events that nobody takes are sent as seldom as without.
func TestOldAcknowledgementIsNoSignOfLife(t *testing.T) {
	var without, with int
	hour := func(t *testing.T, copies *int, again bool) {
		bubble(t, func(t *testing.T, q *outbox) {
			b := newBroker(t)
			h := newHub(b)
			r := run(t, q, b)
			put(t, q, 10)
			settle(t, func() bool { return q.Acknowledged() == 10 })
			var old []byte
			h.set(func() { old = h.acknowledgement(); h.deaf = true })
			tombstones := 0
			err := b.server.Subscribe(topics.Event, 2, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
				h.set(func() {
					*copies++
					if bytes.Contains(pk.Payload, []byte("Tombstone")) {
						tombstones++
					}
				})
			})
			if err != nil {
				t.Fatal(err)
			}
			put(t, q, 100)
			for range 3600 {
				if again {
					b.server.Publish(topics.Ack, old, false, 1)
				}
				time.Sleep(time.Second)
			}
			synctest.Wait()
			if *copies < 100 || tombstones > 0 || !r.Status().Unconfirmed {
				t.Errorf("%d copies and %d tombstones were sent, %+v", *copies, tombstones, r.Status())
			}
		})
	}
	t.Run("an hour", func(t *testing.T) {
		t.Run("without", func(t *testing.T) { hour(t, &without, false) })
		t.Run("with", func(t *testing.T) { hour(t, &with, true) })
	})
	if with > without+200 { // the first time it is news
		t.Errorf("100 events were sent %d times with an old acknowledgement, %d times without", with, without)
	}
}

// A hub that answers and never gets further is told to the technician, and is
// not flooded.
func TestHubThatIsStuck(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		h.stuck = true
		r := run(t, q, b)
		put(t, q, 100)
		time.Sleep(time.Hour)
		synctest.Wait()
		if !r.Status().Unconfirmed {
			t.Error("nothing says that the hub does not get further")
		}
		var received int
		h.set(func() { received = h.received })
		if received > 20*100 {
			t.Errorf("100 events were sent %d times in an hour", received)
		}
		h.set(func() { h.stuck = false })
		settle(t, func() bool { return q.Acknowledged() == 100 })
		if r.Status().Unconfirmed {
			t.Error("the fault stays when it is over")
		}
	})
}

// Everything is confirmed at once, again and again: nothing is wrong.
func TestNoFalseAlarm(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		newHub(b)
		r := run(t, q, b)
		for range 30 {
			put(t, q, 20)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if q.Acknowledged() != q.Head().Sequence {
				t.Fatal("not everything is confirmed")
			}
		}
		if r.saw(func(s uplink.Status) bool { return s.Unconfirmed }) {
			t.Error("a false alarm was given")
		}
	})
}

// The hub was restored from a backup older than what is still here.
func TestHubWantsWhatIsPruned(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		r := run(t, q, b)
		put(t, q, 10)
		settle(t, func() bool { return q.Acknowledged() == 10 })
		if n, _, err := q.Prune(context.Background(), time.Now().Add(time.Hour)); n != 9 || err != nil {
			t.Fatal(n, err)
		}
		h.set(func() { h.cut(4); h.answer() })
		settle(t, func() bool { return r.Status().Pruned })
	})
}

func TestWrongHeadIsNotBelieved(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		h.wrong = true
		r := run(t, q, b)
		put(t, q, 3)
		settle(t, func() bool { return r.saw(func(s uplink.Status) bool { return s.AckFault != "" }) })
		if q.Acknowledged() != 0 {
			t.Fatal("a wrong head was believed")
		}
		h.set(func() { h.wrong = false })
		settle(t, func() bool { return q.Acknowledged() == 3 && r.Status().AckFault == "" })
	})
}

func TestStateAndWill(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		var mu sync.Mutex
		var states []string
		err := b.server.Subscribe(topics.State, 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, string(pk.Payload))
		})
		if err != nil {
			t.Fatal(err)
		}
		last := func() string {
			mu.Lock()
			defer mu.Unlock()
			if len(states) == 0 {
				return ""
			}
			return states[len(states)-1]
		}
		r := run(t, q, b)
		settle(t, func() bool { return last() == "true" })
		b.mu.Lock()
		b.conns[1].Close() // the link breaks; the broker publishes the will
		b.mu.Unlock()
		settle(t, func() bool { return last() == "false" })
		settle(t, func() bool { return last() == "true" }) // a new connection
		r.stop()
		settle(t, func() bool { return last() == "false" })
	})
}
