package devices_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lintas/devices"
)

func TestScansAreDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		out := make(chan devices.Scan, 10)
		r := &devices.Reader{Name: "counter-3", Open: opens(errAbsent, src), Framer: newFramer}
		began := time.Now()
		stop := start(t, r, out)

		time.Sleep(time.Minute)
		src.send(swipe[:10])
		time.Sleep(100 * time.Millisecond)
		src.send(swipe[10:] + line1) // the second is torn
		first, second := <-out, <-out
		stop()

		if first.Scanner != "counter-3" || first.Seq != 1 || first.Status != devices.Complete ||
			!slices.Equal(first.Lines, []string{line1, line2}) {
			t.Errorf("first scan is %v", first)
		}
		if a, b := first.First.Sub(began), first.Last.Sub(began); a != time.Minute || b != time.Minute+100*time.Millisecond {
			t.Errorf("first scan from %v to %v", a, b)
		}
		if second.Seq != 2 || second.Status != devices.Partial || !slices.Equal(second.Lines, []string{line1}) {
			t.Errorf("second scan is %v", second)
		}
		if got := r.State().LastScan; !got.Equal(second.Last) {
			t.Errorf("LastScan is %v, want %v", got, second.Last)
		}
		if got := r.Stats(); got.Bytes != uint64(len(swipe+line1)) || got.Complete != 1 || got.Partial != 1 {
			t.Errorf("Stats are %+v", got)
		}
		if src.closed != 1 {
			t.Errorf("source closed %d times", src.closed)
		}
	})
}

func TestGap(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration
		want  []devices.Status
	}{
		{"short", 249 * time.Millisecond, []devices.Status{devices.Complete}},
		{"long", 251 * time.Millisecond, []devices.Status{devices.Partial, devices.Partial}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src := newFake()
				out := make(chan devices.Scan, 10)
				start(t, &devices.Reader{Open: opens(errAbsent, src), Framer: newFramer}, out)
				synctest.Wait()
				src.send(line1 + "\r")
				time.Sleep(c.pause)
				src.send(line2) // no end: the gap decides
				sent := time.Now()
				var got []devices.Status
				for range c.want {
					got = append(got, (<-out).Status)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
				if after := time.Since(sent); after != 250*time.Millisecond {
					t.Errorf("emitted after %v", after)
				}
				time.Sleep(time.Hour)
				if len(out) > 0 {
					t.Errorf("another scan: %v", <-out)
				}
			})
		})
	}
}

func TestReaderIsNotReadWhileNothingComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		start(t, &devices.Reader{Open: opens(errAbsent, src), Framer: newFramer}, make(chan devices.Scan))
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if src.reads != 1 {
			t.Errorf("%d reads in a day without a document", src.reads)
		}
	})
}

func TestNothingAfterRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		out := make(chan devices.Scan)
		r := &devices.Reader{Open: opens(errAbsent, src), Framer: newFramer}
		stop := start(t, r, out)
		synctest.Wait()
		src.send(swipe + swipe + line1)
		synctest.Wait() // one is being handed over, one waits, one is on its way
		stop()
		select {
		case s := <-out:
			t.Errorf("%v came after Run had returned", s)
		case <-time.After(time.Hour):
		}
		if s := r.State(); s.Status != devices.Stopped || s.Dropped != 2 {
			t.Errorf("state is %+v; want stopped, and 2 scans lost", s)
		}
		// That the bubble ends shows that no goroutine is left.
	})
}

func TestRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake(), newFake()
		out := make(chan devices.Scan, 10)
		r := &devices.Reader{Open: opens(errAbsent, a, b), Framer: newFramer}
		for i, src := range []*fakeSource{a, b} {
			stop := start(t, r, out)
			src.send(swipe)
			if s := <-out; s.Seq != uint64(i+1) {
				t.Errorf("run %d: Seq is %d", i, s.Seq)
			}
			stop()
		}
		if got := r.Stats().Complete; got != 2 {
			t.Errorf("Stats count %d scans, want both", got)
		}
	})
}

func TestMisuse(t *testing.T) {
	out := make(chan devices.Scan)
	open := opens(errAbsent)
	for name, r := range map[string]*devices.Reader{
		"no Open":   {Framer: newFramer},
		"no Framer": {Open: open},
	} {
		if err := r.Run(context.Background(), out); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	r := &devices.Reader{Open: open, Framer: newFramer}
	if err := r.Run(context.Background(), nil); err == nil {
		t.Error("no channel: no error")
	}
	synctest.Test(t, func(t *testing.T) {
		start(t, r, out)
		synctest.Wait()
		if err := r.Run(context.Background(), out); err == nil {
			t.Error("running already: no error")
		}
	})
}

func TestCancelWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &devices.Reader{Framer: newFramer, Open: func(ctx context.Context) (devices.Source, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		stop := start(t, r, make(chan devices.Scan))
		time.Sleep(time.Hour)
		stop()
		if s := r.State(); s.Status != devices.Stopped {
			t.Errorf("state is %+v", s)
		}
	})
}

// driver is a framer that arms its scanner.
type driver struct{ devices.Framer }

func (driver) Arm(w io.Writer) error {
	_, err := io.WriteString(w, "arm;")
	return err
}

func TestDriverArms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		out := make(chan devices.Scan, 10)
		newDriver := func() devices.Framer { return driver{newFramer()} }
		start(t, &devices.Reader{Open: opens(errAbsent, src), Framer: newDriver}, out)
		armed := func(want string) {
			t.Helper()
			synctest.Wait()
			if got := src.written.String(); got != want {
				t.Errorf("written %q, want %q", got, want)
			}
		}
		armed("arm;")
		src.send("noise\r")
		armed("arm;")
		src.send(swipe)
		armed("arm;arm;")
		src.send(line1)
		time.Sleep(time.Second)
		armed("arm;arm;arm;")
	})
}

func TestArmFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := 0
		r := &devices.Reader{
			Framer: func() devices.Framer { return driver{newFramer()} },
			Open: func(context.Context) (devices.Source, error) {
				opened++
				src := newFake()
				src.writeErr = errors.New("it does not listen")
				return src, nil
			},
		}
		start(t, r, make(chan devices.Scan))
		time.Sleep(time.Minute)
		synctest.Wait()
		if opened < 10 || opened > 30 {
			t.Errorf("opened %d times in a minute", opened)
		}
		if s := r.State(); s.Status != devices.Failed || s.Reason != "cannot arm the scanner: it does not listen" {
			t.Errorf("state is %+v", s)
		}
	})
}

// A source that breaks its contract ends its session, and nothing spins.
func TestBadSource(t *testing.T) {
	for _, c := range []struct {
		name string
		bad  badSource
	}{
		{"neither bytes nor an error", badSource{}},
		{"a deadline that was not set", badSource{0, fmt.Errorf("wrapped: %w", context.DeadlineExceeded)}},
		{"unplugged for ever", badSource{0, devices.ErrUnplugged}},
		{"the end", badSource{0, io.EOF}},
		{"bytes and the end", badSource{5, io.EOF}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opened := 0
				open := func(context.Context) (devices.Source, error) {
					opened++
					return c.bad, nil
				}
				start(t, &devices.Reader{Open: open, Framer: newFramer}, make(chan devices.Scan))
				time.Sleep(time.Minute)
				synctest.Wait()
				if opened < 10 || opened > 30 {
					t.Errorf("opened %d times in a minute", opened)
				}
			})
		})
	}
}

type badSource struct {
	n   int
	err error
}

func (b badSource) Read([]byte) (int, error)        { return b.n, b.err }
func (badSource) Write([]byte) (int, error)         { return 0, errors.ErrUnsupported }
func (badSource) SetReadDeadline(t time.Time) error { return nil }
func (badSource) Close() error                      { return nil }
