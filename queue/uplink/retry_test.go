package uplink_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// What no broker carried is sent once more when somebody asks for it: while it
// still kills the link nothing else suffers, and when the broker is mended the
// far end gets the body.
func TestRetry(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		h := newHub(b)
		tries := 0
		b.obey(func(e sealed, size int) verdict {
			if e.Sequence != 20 || e.Tombstone != nil {
				return carry
			}
			tries++
			return kill
		})
		r := run(t, q, b)
		put(t, q, 30)
		settle(t, func() bool { return q.Acknowledged() == 30 && len(q.parked()) > 0 })

		settle(t, func() bool { return r.Status().Connected })
		before := tries
		if n, err := r.Retry(t.Context()); n != 1 || err != nil {
			t.Errorf("%d events to send, %v", n, err)
		}
		put(t, q, 10)
		settle(t, func() bool { return q.Acknowledged() == 40 && tries > before })
		time.Sleep(time.Hour)
		synctest.Wait()
		if tries != before+1 || len(q.parked()) != 1 {
			t.Errorf("tried %d times, parked %v", tries-before, q.parked())
		}

		b.obey(nil)
		if n, err := r.Retry(t.Context()); n != 1 || err != nil {
			t.Errorf("%d events to send, %v", n, err)
		}
		settle(t, func() bool { return len(q.parked()) == 0 })
		if h.count() != 40 || len(h.buried()) > 0 {
			t.Errorf("%d at the hub, tombstones for %v", h.count(), h.buried())
		}
		if n, err := r.Retry(t.Context()); n != 0 || err != nil {
			t.Errorf("%d events to send, %v", n, err)
		}
	})
}

// Retry does not wait for the end of a pause between two tries to connect.
func TestRetryConnectsNow(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		b := newBroker(t)
		newHub(b)
		b.stop()
		r := run(t, q, b)
		put(t, q, 1)
		time.Sleep(time.Hour) // the pauses are as long as they get
		synctest.Wait()
		b.start()
		began := time.Now()
		if _, err := r.Retry(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !r.Status().Connected || time.Since(began) > 0 {
			t.Errorf("connected: %v, after %s", r.Status().Connected, time.Since(began))
		}
	})
}
