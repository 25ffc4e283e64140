package devices

import (
	"context"
	"math/rand/v2"
	"time"
)

// The waiting time before the next attempt is drawn between one and two times
// a base that begins at backoffMin and doubles up to backoffMax: from 0.1 to
// 5 seconds in all.
const (
	backoffMin = 100 * time.Millisecond
	backoffMax = 2500 * time.Millisecond
)

// soonest is the least time between two attempts, however often something is
// reported to have changed.
const soonest = 10 * time.Millisecond

// backoff spaces attempts that fail. Its zero value is ready.
type backoff struct {
	base time.Duration
	cut  <-chan struct{} // ends the waiting and begins it anew from the least; nil: nothing does
}

func (b *backoff) reset() { b.base = 0 }

// wait sleeps before the next attempt, until something is reported, or until ctx
// ends.
func (b *backoff) wait(ctx context.Context) {
	b.base = min(max(2*b.base, backoffMin), backoffMax)
	since := time.Now()
	timer := time.NewTimer(b.base + rand.N(b.base))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case _, ok := <-b.cut:
			if !ok {
				b.cut = nil
				continue
			}
			b.reset()
			timer.Reset(max(0, soonest-time.Since(since)))
		}
	}
}
