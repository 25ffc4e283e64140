package devices_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"lintas/devices"
)

// attempts is an Opener that notes when it is called.
type attempts struct{ at []time.Time }

func (a *attempts) open(open func() (devices.Source, error)) devices.Opener {
	return func(context.Context) (devices.Source, error) {
		a.at = append(a.at, time.Now())
		return open()
	}
}

// waits checks that the times between attempts grow as they should.
func (a *attempts) waits(t *testing.T, from int) {
	t.Helper()
	base := 100 * time.Millisecond
	for i := from; i+1 < len(a.at); i++ {
		if d := a.at[i+1].Sub(a.at[i]); d < base || d >= 2*base {
			t.Errorf("wait %d is %v, want %v to %v", i, d, base, 2*base)
		}
		base = min(2*base, 2500*time.Millisecond)
	}
}

func TestBackOffWhenOpeningFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a attempts
		open := a.open(func() (devices.Source, error) { return nil, errAbsent })
		stop := start(t, &devices.Reader{Open: open, Framer: newFramer}, make(chan devices.Scan))
		time.Sleep(10 * time.Minute)
		stop()
		a.waits(t, 0)
		if n := len(a.at); n < 120 || n > 260 {
			t.Errorf("%d attempts in ten minutes", n)
		}
		different := map[time.Duration]bool{}
		for i := range a.at[1:] {
			different[a.at[i+1].Sub(a.at[i])] = true
		}
		if len(different) < len(a.at)/2 {
			t.Error("no jitter")
		}
	})
}

func TestBackOffWhenSessionsEndAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a attempts
		open := a.open(func() (devices.Source, error) {
			src := newFake()
			src.fail(devices.ErrUnplugged)
			return src, nil
		})
		stop := start(t, &devices.Reader{Open: open, Framer: newFramer}, make(chan devices.Scan))
		time.Sleep(time.Minute)
		stop()
		a.waits(t, 0)
	})
}

func TestNoBackOffAfterASteadySession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a attempts
		sources := []*fakeSource{newFake(), newFake(), newFake()}
		next := 0
		open := a.open(func() (devices.Source, error) {
			if next++; next%2 == 1 || next/2 > len(sources) {
				return nil, errAbsent
			}
			return sources[next/2-1], nil
		})
		start(t, &devices.Reader{Open: open, Framer: newFramer}, make(chan devices.Scan))
		for i, src := range sources {
			time.Sleep(time.Minute)
			src.fail(devices.ErrUnplugged)
			pulled := time.Now()
			time.Sleep(time.Second)
			synctest.Wait()
			// Pulled: tried at once, and, since that failed, after the least wait.
			if d := a.at[2*i+2].Sub(pulled); d != 0 {
				t.Errorf("tried %v after it was unplugged", d)
			}
			if d := a.at[2*i+3].Sub(pulled); d < 100*time.Millisecond || d >= 200*time.Millisecond {
				t.Errorf("tried again after %v", d)
			}
		}
	})
}

func TestLeastBackOffAfterAScan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a attempts
		open := a.open(func() (devices.Source, error) {
			src := newFake()
			src.send(swipe)
			src.fail(devices.ErrUnplugged)
			return src, nil
		})
		out := make(chan devices.Scan, 1000)
		stop := start(t, &devices.Reader{Open: open, Framer: newFramer}, out)
		time.Sleep(time.Minute)
		stop()
		for i := range a.at[1:] {
			if d := a.at[i+1].Sub(a.at[i]); d < 100*time.Millisecond || d >= 200*time.Millisecond {
				t.Errorf("wait %d is %v", i, d)
			}
		}
		if len(out) != len(a.at) {
			t.Errorf("%d scans in %d sessions", len(out), len(a.at))
		}
	})
}
