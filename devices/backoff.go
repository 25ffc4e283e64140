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

// backoff spaces attempts that fail. Its zero value is ready.
type backoff struct{ base time.Duration }

func (b *backoff) reset() { b.base = 0 }

// wait sleeps before the next attempt, or until ctx ends.
func (b *backoff) wait(ctx context.Context) {
	b.base = min(max(2*b.base, backoffMin), backoffMax)
	timer := time.NewTimer(b.base + rand.N(b.base))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
