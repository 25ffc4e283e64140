package uplink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lintas/queue"
	"lintas/queue/uplink"
)

// Acknowledgements that cannot be believed change nothing but AckFault, and
// those that are old or come twice not even that.
func TestAcknowledgementsAtTheirWorst(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		payload func(h *hub, good []byte) []byte
		fault   bool
	}{
		"forged":    {func(_ *hub, good []byte) []byte { return bytes.Replace(good, []byte("{"), []byte("["), 1) }, true},
		"empty":     {func(*hub, []byte) []byte { return nil }, true},
		"duplicate": {func(_ *hub, good []byte) []byte { return good }, false},
		"stale": {func(h *hub, good []byte) []byte {
			return edit(good, func(a *queue.Acknowledgement) { a.Time = a.Time.Add(-time.Hour); a.Epochs[0].Through = 1 })
		}, false},
		"wrong head": {func(h *hub, good []byte) []byte {
			return edit(good, func(a *queue.Acknowledgement) { a.Time = a.Time.Add(time.Second); a.Epochs[0].Head[0] ^= 1 })
		}, true},
		"beyond the end": {func(h *hub, good []byte) []byte {
			return edit(good, func(a *queue.Acknowledgement) { a.Time = a.Time.Add(time.Second); a.Epochs[0].Through = 99 })
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, q *outbox) {
				b := newBroker(t)
				h := newHub(b)
				r := run(t, q, b)
				put(t, q, 10)
				settle(t, func() bool { return q.Acknowledged() == 10 })
				var good []byte
				h.set(func() { good = h.acknowledgement() })
				for range 200 { // and however often
					h.say(test.payload(h, good))
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if q.Acknowledged() != 10 || !r.Status().Connected || (r.Status().AckFault != "") != test.fault {
					t.Errorf("acknowledged %d, status %+v", q.Acknowledged(), r.Status())
				}
				put(t, q, 10)
				time.Sleep(time.Second)
				h.set(func() { h.time = h.time.Add(2 * time.Second); h.answer() })
				settle(t, func() bool { return q.Acknowledged() == 20 && r.Status().AckFault == "" })
				if len(q.parked()) > 0 {
					t.Errorf("parked %v", q.parked())
				}
			})
		})
	}
}

func edit(payload []byte, f func(*queue.Acknowledgement)) []byte {
	a, err := verify(payload)
	if err != nil {
		panic(err)
	}
	f(&a)
	p, _ := json.Marshal(a)
	return p
}

// The far end holds other events than this queue: a new epoch begins, once for
// each acknowledgement, and everything is sent in it.
func TestForeign(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		old := q.Head().Epoch
		put(t, q, 10)
		h.chains[old] = make([]entry, 12)
		h.set(h.answer) // retained
		var begun atomic.Int32
		o := options(b)
		o.Foreign = func(ctx context.Context) error { begun.Add(1); return q.renew(ctx) }
		r := start(t, q, o, nil)
		settle(t, func() bool { return q.Acknowledged() == 11 }) // with the one that tells of it
		if begun.Load() != 1 || q.Head().Epoch == old || r.Status().AckFault != "" {
			t.Errorf("%d new epochs, status %+v", begun.Load(), r.Status())
		}
		put(t, q, 10)
		settle(t, func() bool { return q.Acknowledged() == 21 })
	})
}

// A new epoch that cannot begin is told, and tried again with the next
// acknowledgement only, however often the retained one comes.
func TestForeignFails(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		put(t, q, 10)
		h.deaf = true
		h.chains[q.Head().Epoch] = make([]entry, 12)
		h.set(h.answer)
		var begun atomic.Int32
		o := options(b)
		o.Foreign = func(ctx context.Context) error { begun.Add(1); return errors.New("disk full") }
		r := start(t, q, o, nil)
		for range 20 {
			time.Sleep(time.Minute)
			synctest.Wait()
			b.cut()
		}
		settle(t, func() bool { return r.Status().Connected })
		time.Sleep(time.Second)
		synctest.Wait()
		if begun.Load() != 1 || r.Status().AckFault == "" {
			t.Errorf("%d tries to begin an epoch, status %+v", begun.Load(), r.Status())
		}
		h.set(h.answer)
		settle(t, func() bool { return begun.Load() == 2 })
	})
}

// An acknowledgement that comes as a file counts like any other, connected or
// not.
func TestTake(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		b.stop()
		r := run(t, q, b)
		put(t, q, 10)
		file := func() (p []byte) {
			for e, err := range q.Events(t.Context(), 1) {
				if err != nil {
					t.Fatal(err)
				}
				h.take(e.Sealed)
			}
			h.set(func() { p = h.acknowledgement() })
			return p
		}
		if err := r.Take(t.Context(), []byte("forged")); err == nil || r.Status().AckFault != "" {
			t.Errorf("%v; the one who brought it knows, status %+v", err, r.Status())
		}
		first := file()
		if err := r.Take(t.Context(), first); err != nil || q.Acknowledged() != 10 {
			t.Fatalf("%v, acknowledged %d", err, q.Acknowledged())
		}
		b.start() // nobody listens there
		settle(t, func() bool { return r.Status().Connected })
		put(t, q, 5)
		settle(t, func() bool { return r.Status().Unconfirmed })
		if err := r.Take(t.Context(), file()); err != nil || q.Acknowledged() != 15 {
			t.Fatalf("%v, acknowledged %d", err, q.Acknowledged())
		}
		settle(t, func() bool { return !r.Status().Unconfirmed })
		if err := r.Take(t.Context(), first); !errors.Is(err, queue.ErrStale) {
			t.Errorf("an old file: %v", err)
		}
		// The far end was restored: it wants everything from the third on.
		h.listen()
		h.set(func() { h.cut(2) })
		var restored []byte
		h.set(func() { restored = h.acknowledgement() })
		if err := r.Take(t.Context(), restored); err != nil {
			t.Fatal(err)
		}
		settle(t, func() bool { return h.count() == 15 && q.Acknowledged() == 15 })
	})
}

// A foreign acknowledgement in a file begins a new epoch too.
func TestTakeForeign(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		o := options(b)
		o.Foreign = q.renew
		r := start(t, q, o, nil)
		put(t, q, 10)
		settle(t, func() bool { return q.Acknowledged() == 10 })
		var payload []byte
		h.set(func() {
			h.chains[q.Head().Epoch] = make([]entry, 12)
			payload = h.acknowledgement()
		})
		if err := r.Take(t.Context(), payload); !errors.Is(err, queue.ErrForeign) {
			t.Error(err)
		}
		settle(t, func() bool { return q.Acknowledged() == 1 && h.count() == 13 }) // what it had confirmed need not come again
	})
}

// A damaged queue ends the uplink: it must be opened anew.
func TestDamaged(t *testing.T) {
	t.Parallel()
	damaged := fmt.Errorf("page 7: %w", queue.ErrDamaged)
	t.Run("while connected", func(t *testing.T) {
		bubble(t, func(t *testing.T, q *outbox) {
			b := newBroker(t)
			newHub(b)
			r := run(t, q, b)
			put(t, q, 10)
			settle(t, func() bool { return q.Acknowledged() == 10 })
			q.mu.Lock()
			q.fail = damaged
			q.mu.Unlock()
			put(t, q, 1)
			settle(t, func() bool { return !r.Status().Connected })
			if err := r.stop(); !errors.Is(err, queue.ErrDamaged) {
				t.Error(err)
			}
		})
	})
	for name, connected := range map[string]bool{"a file, while connected": true, "a file, while not connected": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, q *outbox) {
				b := newBroker(t)
				if !connected {
					b.stop()
				}
				r := start(t, broken{q, damaged}, options(b), nil)
				time.Sleep(time.Minute)
				if err := r.Take(t.Context(), []byte("{}")); !errors.Is(err, queue.ErrDamaged) {
					t.Error(err)
				}
				time.Sleep(time.Minute)
				if err := r.stop(); !errors.Is(err, queue.ErrDamaged) {
					t.Error(err)
				}
			})
		})
	}
}

type broken struct {
	*outbox
	err error
}

func (b broken) Acknowledge(context.Context, queue.Acknowledgement) error { return b.err }

var _ uplink.Outbox = broken{}
