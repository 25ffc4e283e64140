package devices_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"lintas/devices"
)

// timed is a source that notes the deadlines it is given.
type timed struct {
	*fakeSource
	mu   sync.Mutex
	dues []time.Time
}

func (s *timed) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	s.dues = append(s.dues, t)
	s.mu.Unlock()
	return s.fakeSource.SetReadDeadline(t)
}

// A clock that jumps during a swipe changes nothing: whatever is waited for or
// compared has a monotonic reading, which does not follow the clock.
func TestClockThatJumps(t *testing.T) {
	monotonic := func(t time.Time) bool { return strings.Contains(t.String(), " m=") }
	if !monotonic(time.Now()) || monotonic(time.Now().Round(0)) {
		t.Fatal("cannot tell a monotonic reading")
	}
	src := &timed{fakeSource: newFake()}
	opened := false
	r := &devices.Reader{Framer: newFramer, Open: func(context.Context) (devices.Source, error) {
		if opened {
			return nil, errAbsent
		}
		opened = true
		return src, nil
	}}
	out := make(chan devices.Scan, 10)
	stop := start(t, r, out)
	src.send(line1 + "\r")
	src.send(line2) // without an end: the gap decides
	scan := <-out
	stop()
	if scan.Status != devices.Complete || !monotonic(scan.First) || !monotonic(scan.Last) {
		t.Errorf("%v from %v to %v", scan, scan.First, scan.Last)
	}
	src.mu.Lock()
	defer src.mu.Unlock()
	n := 0
	for _, due := range src.dues {
		if due.IsZero() || due.Equal(time.Unix(1, 0)) { // none, and the one that cancels
			continue
		}
		if n++; !monotonic(due) {
			t.Errorf("waits until %v, wherever the clock goes", due)
		}
	}
	if n == 0 {
		t.Error("no deadline was set")
	}
}
