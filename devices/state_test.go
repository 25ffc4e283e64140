package devices_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lintas/devices"
)

// statuses collects what OnChange is told.
func statuses(r *devices.Reader) *[]devices.Presence {
	var got []devices.Presence
	r.OnChange = func(s devices.State) {
		if now := r.State(); now != s {
			panic(fmt.Sprintf("OnChange is told %+v, State says %+v", s, now))
		}
		got = append(got, s.Status)
	}
	return &got
}

func TestStatesOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, second := newFake(), newFake()
		plugged := make(chan devices.Source, 2)
		r := &devices.Reader{Name: "counter-3", Framer: newFramer}
		r.Open = func(ctx context.Context) (devices.Source, error) {
			select {
			case s := <-plugged:
				return s, nil
			default:
				return nil, errAbsent
			}
		}
		got := statuses(r)
		if s := r.State(); s.Status != devices.Stopped || s.Scanner != "counter-3" {
			t.Errorf("before Run: %+v", s)
		}
		out := make(chan devices.Scan, 10)
		stop := start(t, r, out)
		time.Sleep(time.Hour)
		plugged <- src
		time.Sleep(10 * time.Second) // one attempt at least, and it is steady then
		src.send(line1 + "\r")
		synctest.Wait()
		src.send(line2 + "\r")
		synctest.Wait()
		src.send(line1)
		synctest.Wait()
		unplugged := time.Now()
		src.fail(fmt.Errorf("port is lost: %w", devices.ErrUnplugged))
		synctest.Wait()
		if s := r.State(); s.Reason != errAbsent.Error() || !s.Since.Equal(unplugged) {
			t.Errorf("after unplugging: %+v", s)
		}
		plugged <- second
		time.Sleep(5 * time.Second)
		stop()

		want := []devices.Presence{
			devices.Absent,
			devices.Ready, devices.Reading, devices.Ready, devices.Reading,
			devices.Absent, devices.Ready, devices.Stopped,
		}
		if !slices.Equal(*got, want) {
			t.Errorf("told %v\nwant %v", *got, want)
		}
		if len(out) != 2 { // the torn one as well
			t.Errorf("%d scans, want 2", len(out))
		}
	})
}

func TestReasons(t *testing.T) {
	for _, c := range []struct {
		err  error
		want devices.Presence
	}{
		{devices.ErrAbsent, devices.Absent},
		{devices.ErrDenied, devices.Denied},
		{devices.ErrBusy, devices.Busy},
		{devices.ErrWrongKind, devices.Failed},
		{errors.New("bad setting"), devices.Failed},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := fmt.Errorf("cannot open x: %w; do this", c.err)
				r := &devices.Reader{Open: opens(err), Framer: newFramer}
				got := statuses(r)
				start(t, r, make(chan devices.Scan))
				time.Sleep(time.Hour)
				synctest.Wait()
				if s := r.State(); s.Status != c.want || s.Reason != err.Error() || s.Status.Up() {
					t.Errorf("state is %+v, want %s", s, c.want)
				}
				if len(*got) != 1 {
					t.Errorf("told %v in an hour in which nothing changed", *got)
				}
			})
		})
	}
}

func TestStalledReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		r := &devices.Reader{Open: opens(errAbsent, src), Framer: newFramer}
		got := statuses(r)
		out := make(chan devices.Scan)
		start(t, r, out)
		synctest.Wait()
		for i := range 100 {
			src.send(numbered(i))
			time.Sleep(600 * time.Millisecond)
		}
		synctest.Wait()
		s := r.State()
		if s.Status != devices.Degraded || s.Dropped != 36 || !s.Status.Up() || !strings.Contains(s.Reason, "36 lost") {
			t.Errorf("after 100 swipes nobody took: %+v", s)
		}
		if n := r.Stats().Complete; n != 100 {
			t.Errorf("%d documents read; the wire has waited", n)
		}
		for i := range 64 { // the oldest, in order
			scan := <-out
			if scan.Seq != uint64(i+1) || scan.Lines[0]+"\r"+scan.Lines[1]+"\r" != numbered(i) {
				t.Fatalf("scan %d has Seq %d", i, scan.Seq)
			}
		}
		synctest.Wait()
		if s := r.State(); s.Status != devices.Ready || s.Reason != "" || s.Dropped != 36 {
			t.Errorf("after all were taken: %+v", s)
		}
		src.send(swipe)
		if scan := <-out; scan.Seq != 65 {
			t.Errorf("the next has Seq %d, want no gap", scan.Seq)
		}
		synctest.Wait()
		if n := count(*got, devices.Degraded); n != 1 {
			t.Errorf("told %d times that it is degraded: %v", n, *got)
		}
	})
}

// numbered is a swipe with i in it.
func numbered(i int) string {
	return line1 + "\r" + fmt.Sprintf("X%08d0UTO7408122F1204159<<<<<<<<<<<<<<00", i) + "\r"
}

func count[T comparable](s []T, v T) (n int) {
	for _, e := range s {
		if e == v {
			n++
		}
	}
	return n
}
