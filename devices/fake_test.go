package devices_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/frame"
)

const (
	line1 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	line2 = "L898902C36UTO7408122F1204159ZE184226B<<<<<10"
	swipe = line1 + "\r" + line2 + "\r"
)

// fakeSource is a scanner that a test controls byte by byte.
type fakeSource struct {
	mu       sync.Mutex
	in       [][]byte
	err      error // after in is used up
	deadline time.Time
	changed  chan struct{} // closed and renewed at each change
	reads    int
	closed   int
	written  bytes.Buffer
	writeErr error
}

func newFake() *fakeSource { return &fakeSource{changed: make(chan struct{})} }

func (s *fakeSource) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// send makes bytes arrive in one read.
func (s *fakeSource) send(b string) { s.change(func() { s.in = append(s.in, []byte(b)) }) }

// fail makes the reads that follow fail.
func (s *fakeSource) fail(err error) { s.change(func() { s.err = err }) }

func (s *fakeSource) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reads++
	for {
		switch {
		case !s.deadline.IsZero() && !time.Now().Before(s.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(s.in) > 0:
			n := copy(p, s.in[0])
			if s.in[0] = s.in[0][n:]; len(s.in[0]) == 0 {
				s.in = s.in[1:]
			}
			return n, nil
		case s.err != nil:
			return 0, s.err
		}
		changed, due := s.changed, (<-chan time.Time)(nil)
		if !s.deadline.IsZero() {
			due = time.After(time.Until(s.deadline))
		}
		s.mu.Unlock()
		select {
		case <-changed:
		case <-due:
		}
		s.mu.Lock()
	}
}

func (s *fakeSource) SetReadDeadline(t time.Time) error {
	s.change(func() { s.deadline = t })
	return nil
}

func (s *fakeSource) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writeErr != nil {
		return 0, s.writeErr
	}
	return s.written.Write(p)
}

func (s *fakeSource) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

// opens is an Opener that gives each source once, and then an error for ever.
func opens(err error, sources ...*fakeSource) devices.Opener {
	return func(context.Context) (devices.Source, error) {
		if len(sources) == 0 {
			return nil, err
		}
		s := sources[0]
		sources = sources[1:]
		return s, nil
	}
}

func newFramer() devices.Framer { return frame.New(frame.Options{}) }

// start runs a Reader until the test ends, and returns a function that ends it
// and waits for that.
func start(t testing.TB, r *devices.Reader, out chan<- devices.Scan) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, out) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

var errAbsent = errors.Join(devices.ErrAbsent, errors.New("no such port"))
