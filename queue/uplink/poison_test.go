package uplink_test

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lintas/queue"
	"lintas/queue/uplink"
)

// on gives a script that does v to the event at sequence, and not to a
// tombstone in its place.
func on(sequence uint64, v verdict) func(sealed, int) verdict {
	return func(e sealed, _ int) verdict {
		if e.Sequence == sequence && e.Tombstone == nil {
			return v
		}
		return carry
	}
}

// One event that is not carried neither blocks those behind it nor is lost: its
// tombstone goes in its place.
func TestPoison(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sequence uint64
		script   verdict
		reason   string
	}{
		"the first kills the link":    {1, kill, "connection lost"},
		"one kills the link":          {20, kill, "connection lost"},
		"the last kills the link":     {30, kill, "connection lost"},
		"one is never confirmed":      {20, ignore, "connection lost"},
		"one is confirmed and kills":  {20, swallowAndDie, "connection lost"},
		"the first is swallowed":      {1, swallow, "swallowed by the broker"},
		"one is swallowed":            {20, swallow, "swallowed by the broker"},
		"the last but one of them is": {29, swallow, "swallowed by the broker"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, q *outbox) {
				b := newBroker(t)
				h := newHub(b)
				b.obey(on(test.sequence, test.script))
				r := run(t, q, b)
				put(t, q, 30)
				began := time.Now()
				settle(t, func() bool { return q.Acknowledged() == 30 && len(q.parked()) > 0 }) // parked last: its original is tried once more
				t.Logf("it took %s", time.Since(began).Round(time.Second))
				if want := map[uint64]string{test.sequence: test.reason}; !maps.Equal(q.parked(), want) {
					t.Errorf("parked %v, want %v", q.parked(), want)
				}
				if got := h.buried(); !slices.Equal(got, []uint64{test.sequence}) {
					t.Errorf("tombstones for %v", got)
				}
				put(t, q, 10)
				settle(t, func() bool { return q.Acknowledged() == 40 && !r.Status().Unconfirmed })
			})
		})
	}
}

// The culprit is found also while the hub is away and the watermark stands far
// before it.
func TestPoisonWhileTheHubIsAway(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		b.delay = 20 * time.Millisecond
		h := newHub(b)
		h.deaf = true
		b.obey(on(50, kill))
		run(t, q, b)
		put(t, q, 100)
		settle(t, func() bool { return len(q.parked()) > 0 })
		h.set(func() { h.deaf = false })
		settle(t, func() bool { return q.Acknowledged() == 100 })
		if got := h.buried(); !slices.Equal(got, []uint64{50}) {
			t.Errorf("tombstones for %v", got)
		}
	})
}

func TestTwoPoisons(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		b.obey(func(e sealed, _ int) verdict {
			switch {
			case e.Tombstone != nil:
				return carry
			case e.Sequence == 7 || e.Sequence == 8:
				return kill
			case e.Sequence == 9:
				return swallow
			}
			return carry
		})
		run(t, q, b)
		put(t, q, 20)
		settle(t, func() bool { return q.Acknowledged() == 20 })
		if got := h.buried(); !slices.Equal(got, []uint64{7, 8, 9}) {
			t.Errorf("tombstones for %v", got)
		}
	})
}

// An event over the bound is not even tried.
func TestTooLarge(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		b.obey(func(_ sealed, size int) verdict {
			if size > 1000 {
				t.Error("it was sent")
			}
			return carry
		})
		o := options(b)
		o.MaxMessage = 1000
		start(t, q, o, nil)
		put(t, q, 2)
		putSize(t, q, 2000)
		put(t, q, 2)
		settle(t, func() bool { return q.Acknowledged() == 5 })
		if got := h.buried(); !slices.Equal(got, []uint64{3}) || len(q.parked()[3]) < len("too large") || q.parked()[3][:9] != "too large" {
			t.Errorf("tombstones for %v, parked %v", got, q.parked())
		}
	})
}

// What is parked already goes as a tombstone, and is sent as it is by an uplink
// that has none.
func TestParkedEvent(t *testing.T) {
	t.Parallel()
	for name, with := range map[string]bool{"with tombstones": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, q *outbox) {
				b := newBroker(t)
				h := newHub(b)
				put(t, q, 5)
				q.Park(t.Context(), 2, "by hand")
				o := options(b)
				if !with {
					o.Tombstone = nil
				}
				start(t, q, o, nil)
				settle(t, func() bool { return q.Acknowledged() == 5 })
				if got := h.buried(); with != slices.Equal(got, []uint64{2}) {
					t.Errorf("tombstones for %v", got)
				}
			})
		})
	}
}

// A broker or a rule that takes no event at all, in whatever manner, parks
// nothing; and when it is mended everything arrives as it is.
func TestNothingIsParkedWhenNothingPasses(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]verdict{"all kill": kill, "all are swallowed": swallow, "none is confirmed": ignore} {
		for lively, every := range map[string]time.Duration{"hub silent": 0, "hub lively": 7 * time.Second} {
			t.Run(name+", "+lively, func(t *testing.T) {
				bubble(t, func(t *testing.T, q *outbox) {
					b := newBroker(t)
					h := newHub(b)
					b.obey(func(sealed, int) verdict { return v })
					r := run(t, q, b)
					put(t, q, 30)
					for began := time.Now(); time.Since(began) < time.Hour; {
						if every > 0 {
							h.set(h.answer)
						}
						time.Sleep(max(every, time.Minute))
					}
					synctest.Wait()
					if v == swallow && !r.Status().Unconfirmed {
						t.Error("nothing says that events do not arrive")
					}
					if v != swallow && !r.saw(func(s uplink.Status) bool { return s.LastError != "" }) {
						t.Error("nothing says that the link is lost")
					}
					b.obey(nil)
					settle(t, func() bool { return q.Acknowledged() == 30 })
					if len(q.parked()) > 0 || len(h.buried()) > 0 {
						t.Errorf("parked %v, tombstones for %v", q.parked(), h.buried())
					}
				})
			})
		}
	}
}

// A link that never lasts parks nothing, however it behaves.
func TestFlappingLinkParksNothing(t *testing.T) {
	t.Parallel()
	const hours = 1
	for name, life := range map[string]func() time.Duration{
		"a second and a half on average": func() time.Duration { return time.Duration(rand.ExpFloat64() * 1.5 * float64(time.Second)) },
		"ten seconds on average":         func() time.Duration { return time.Duration(rand.ExpFloat64() * 10 * float64(time.Second)) },
		"always half a second":           func() time.Duration { return 500 * time.Millisecond },
		"always four seconds":            func() time.Duration { return 4 * time.Second },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, q *outbox) {
				b := newBroker(t)
				b.delay = 300 * time.Millisecond
				h := newHub(b)
				run(t, q, b)
				end := time.Now().Add(hours * time.Hour)
				for time.Now().Before(end) {
					if q.Head().Sequence < q.Acknowledged()+20 {
						put(t, q, 1)
					}
					time.Sleep(life())
					b.cut()
				}
				put(t, q, 50)
				settle(t, func() bool { return q.Acknowledged() == q.Head().Sequence })
				if len(q.parked()) > 0 || len(h.buried()) > 0 {
					t.Errorf("of %d events parked %v, tombstones for %v", q.Head().Sequence, q.parked(), h.buried())
				}
			})
		})
	}
}

// A broker that was lost twice makes hundreds of events suspect. They are cleared
// together, not one after the other.
func TestSuspicionIsShort(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		b.delay = 10 * time.Millisecond
		h := newHub(b)
		h.set(func() { h.deaf = true })
		r := run(t, q, b)
		put(t, q, 400)
		for range 2 {
			settle(t, func() bool { return r.Status().Connected })
			time.Sleep(time.Second) // all the window's PUBACKs have come
			b.cut()
			time.Sleep(time.Millisecond)
		}
		h.set(func() { h.deaf = false })
		settle(t, func() bool { return r.Status().Connected })
		began := time.Now()
		settle(t, func() bool { return q.Acknowledged() == 400 })
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// A broker that dies after each PUBACK is served as far as it goes.
func TestBrokerThatDiesAfterEachPuback(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		b.obey(func(sealed, int) verdict { return carryAndDie })
		run(t, q, b)
		put(t, q, 30)
		settle(t, func() bool { return q.Acknowledged() == 30 })
		if len(q.parked()) > 0 || len(h.buried()) > 0 {
			t.Errorf("parked %v, tombstones for %v", q.parked(), h.buried())
		}
	})
}

// A tombstone that cannot be made ends the session, is told, and is tried again.
func TestTombstoneThatCannotBeMade(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		newHub(b)
		o := options(b)
		good := o.Tombstone
		put(t, q, 1)
		if err := q.Park(t.Context(), 1, "by hand"); err != nil {
			t.Fatal(err)
		}
		broken := true
		o.Tombstone = func(e queue.Event) ([]byte, error) {
			if broken {
				return nil, errors.New("no key")
			}
			return good(e)
		}
		r := start(t, q, o, nil)
		settle(t, func() bool {
			return r.saw(func(s uplink.Status) bool {
				return s.LastError == "broker tcp://pipe:1: cannot make tombstone of event 1: no key"
			})
		})
		synctest.Wait()
		broken = false
		settle(t, func() bool { return q.Acknowledged() == 1 })
	})
}
