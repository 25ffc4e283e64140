package folder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"lintas/devices"
)

// A folder has no bytes. Each byte that Read returns tells the framer of the
// same folder what has happened; the scans themselves wait in Folder.ready.
const (
	tokenBegin = 'b' // a file is being read
	tokenScan  = 's' // the next of Folder.ready
	tokenEnd   = 'e' // the file was read
)

// source is the folder while it is watched.
type source struct {
	f      *Folder
	place  *place
	cancel context.CancelFunc
	work   sync.WaitGroup
	poke   chan struct{} // holds one token while the worker has something to look at

	mu       sync.Mutex // guards what follows; never held together with f.mu
	tokens   []byte
	err      error // the folder can be watched no longer
	closed   bool
	deadline time.Time
	wake     chan struct{} // closed and made anew at every change
}

func (f *Folder) begin(p *place) *source {
	ctx, cancel := context.WithCancel(context.Background())
	s := &source{f: f, place: p, cancel: cancel, poke: make(chan struct{}, 1), wake: make(chan struct{})}
	f.mu.Lock()
	f.session, f.ready, f.stats = s, nil, devices.Stats{}
	f.mu.Unlock()
	news := make(chan news, 256)
	if watch, err := newWatch(f.o.Dir); err != nil {
		f.o.Logger.Warn("folder is looked through only, its changes cannot be followed", "error", err)
	} else {
		s.work.Go(func() { watch.run(ctx, news) })
	}
	s.work.Go(func() { s.run(ctx, news) })
	return s
}

// Read returns one token at a time, and no further scan while too many of those
// given are on their way.
func (s *source) Read(p []byte) (int, error) {
	for {
		s.mu.Lock()
		wake := s.wake // before looking: a change after that closes it
		s.mu.Unlock()
		full := s.f.full()
		s.mu.Lock()
		deadline := s.deadline
		switch {
		case s.closed:
			s.mu.Unlock()
			return 0, os.ErrClosed
		case !deadline.IsZero() && !time.Now().Before(deadline):
			s.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		case len(s.tokens) > 0 && !(full && s.tokens[0] == tokenScan):
			n := copy(p, s.tokens[:1])
			s.tokens = s.tokens[n:]
			s.mu.Unlock()
			return n, nil
		case s.err != nil:
			defer s.mu.Unlock()
			return 0, s.err
		}
		s.mu.Unlock()
		s.wait(wake, deadline)
	}
}

func (s *source) wait(wake <-chan struct{}, deadline time.Time) {
	if deadline.IsZero() {
		<-wake
		return
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-wake:
	case <-t.C:
	}
}

// full tells whether too many scans are on their way to the receiver.
func (f *Folder) full() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.given >= maxUnsettled
}

// change changes what Read looks at.
func (s *source) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.wake)
	s.wake = make(chan struct{})
}

// SetReadDeadline ends a Read that waits at t.
func (s *source) SetReadDeadline(t time.Time) error {
	s.change(func() { s.deadline = t })
	return nil
}

// Write fails: nothing can be said to a folder.
func (s *source) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Close stops watching, also in the middle of a file, which is then read again
// some other time.
func (s *source) Close() error {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return os.ErrClosed
	}
	s.change(func() { s.closed = true })
	s.cancel()
	s.work.Wait()
	s.f.end(s)
	s.place.close()
	return nil
}

// end forgets the scans that nobody was given: their files are read again.
func (f *Folder) end(s *source) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.session == s {
		f.session = nil
	}
	for _, scan := range f.ready {
		if of := f.files[scan.Page.File]; of != nil {
			of.unsettled--
			of.again = true
		}
		f.unsettle--
	}
	f.ready = nil
	for name, of := range f.files {
		if !of.read || of.again && of.unsettled == 0 {
			delete(f.files, name)
		}
	}
}

func (s *source) say(tokens ...byte) { s.change(func() { s.tokens = append(s.tokens, tokens...) }) }

// fail ends the session.
func (s *source) fail(err error) { s.change(func() { s.err = err }) }

// rouse lets the worker look again.
func (s *source) rouse() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

var errGone = fmt.Errorf("the folder was removed: %w", devices.ErrUnplugged)
