package uplink_test

import (
	"testing"
	"time"

	"lintas/queue/uplink"
)

// Every connection begins with one event and opens its window as they are
// confirmed, and never beyond what is allowed: the library would hold any number
// in memory, and a broker that is overrun drops them.
func TestWindow(t *testing.T) {
	bubble(t, func(t *testing.T, q *outbox) {
		const each = time.Second // so that all of a round trip comes at one moment
		b := newBroker(t)
		b.delay = each
		newHub(b)
		var bursts []int
		var last time.Time
		b.obey(func(sealed, int) verdict {
			if now := time.Now(); now.Sub(last) > each/2 {
				bursts, last = append(bursts, 0), now
			}
			bursts[len(bursts)-1]++
			return carry
		})
		r := run(t, q, b)
		for range 2 {
			put(t, q, 3000)
			n := q.Head().Sequence
			settle(t, func() bool { return q.Acknowledged() == n })
			b.mu.Lock()
			if len(bursts) < 4 || bursts[0] != 1 || bursts[1] != 2 {
				t.Errorf("events came in bursts of %v", bursts)
			}
			full := 0
			for _, n := range bursts {
				if n > uplink.DefaultWindow {
					t.Errorf("%d events without a confirmation", n)
				}
				if n == uplink.DefaultWindow {
					full++
				}
			}
			if full < 8 {
				t.Errorf("the window was open only %d times: %v", full, bursts)
			}
			bursts = nil
			b.mu.Unlock()
			b.cut() // and then it begins anew
			settle(t, func() bool { return !r.Status().Connected })
			settle(t, func() bool { return r.Status().Connected })
		}
	})
}
