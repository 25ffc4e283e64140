package devices_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"lintas/devices"
)

// reports is a Watch that a test tells what to report.
type reports struct{ c chan struct{} }

func (w reports) watch(ctx context.Context) (<-chan struct{}, error) {
	out := make(chan struct{}, 1)
	go func() {
		defer close(out)
		for {
			select {
			case <-w.c:
				select {
				case out <- struct{}{}:
				default:
				}
			case <-ctx.Done():
				time.Sleep(time.Second) // Run has to wait for this
				return
			}
		}
	}()
	return out, nil
}

func TestOpenedWhenItComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a attempts
		src := newFake()
		plugged := false
		open := a.open(func() (devices.Source, error) {
			if plugged {
				return src, nil
			}
			return nil, errAbsent
		})
		w := reports{make(chan struct{})}
		out := make(chan devices.Scan, 1)
		stop := start(t, &devices.Reader{Open: open, Framer: newFramer, Watch: w.watch}, out)
		time.Sleep(time.Hour) // it waits up to five seconds by now
		synctest.Wait()
		tried := len(a.at)
		reported := time.Now()
		w.c <- struct{}{} // the node is there, but may not be opened yet
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if len(a.at) != tried+1 {
			t.Fatalf("%d attempts after a report, want 1", len(a.at)-tried)
		}
		plugged = true
		w.c <- struct{}{}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
		if len(a.at) != tried+2 || a.at[tried+1].Sub(reported) > 20*time.Millisecond {
			t.Fatalf("tried at %v after the first report", a.at[tried+1].Sub(reported))
		}
		src.send(swipe)
		<-out
		stop()
	})
}

// Without a report the waiting goes on as if there were no Watch.
func TestOpenedNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a attempts
		open := a.open(func() (devices.Source, error) { return nil, errAbsent })
		stop := start(t, &devices.Reader{Open: open, Framer: newFramer, Watch: reports{make(chan struct{})}.watch}, make(chan devices.Scan))
		time.Sleep(time.Minute)
		stop()
		a.waits(t, 0)
	})
}

// Reports that never end do not make a busy loop.
func TestFloodOfReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a attempts
		open := a.open(func() (devices.Source, error) { return nil, errAbsent })
		w := reports{make(chan struct{})}
		stop := start(t, &devices.Reader{Open: open, Framer: newFramer, Watch: w.watch}, make(chan devices.Scan))
		for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
			w.c <- struct{}{}
		}
		stop()
		if n := len(a.at); n > 110 {
			t.Errorf("%d attempts in a second", n)
		}
	})
}

// Watching that is not possible, or not any more, leaves the pace of before.
func TestWatchFails(t *testing.T) {
	ended := make(chan struct{})
	close(ended)
	for name, watch := range map[string]func(context.Context) (<-chan struct{}, error){
		"at once": func(context.Context) (<-chan struct{}, error) { return nil, errors.New("too many") },
		"later":   func(context.Context) (<-chan struct{}, error) { return ended, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var a attempts
				open := a.open(func() (devices.Source, error) { return nil, errAbsent })
				stop := start(t, &devices.Reader{Open: open, Framer: newFramer, Watch: watch}, make(chan devices.Scan))
				time.Sleep(time.Minute)
				stop()
				a.waits(t, 0)
			})
		})
	}
}
