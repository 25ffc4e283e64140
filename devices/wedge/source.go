package wedge

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// room is how many bytes of records wait for Read: some 5 swipes.
const room = 4096 * recordSize

// source is an open keyboard. A goroutine takes the records out of the kernel and
// waits for nothing else: the kernel keeps 64 of them, which a scanner types in
// a hundredth of a second.
type source struct {
	name string
	file *os.File
	raw  syscall.RawConn
	done chan struct{} // closed when the goroutine has ended

	wake chan struct{} // holds one token while there is something new for Read

	closed atomic.Bool

	mu       sync.Mutex // guards the rest
	waiting  []byte
	lost     bool // records came for which there was no room
	err      error
	deadline time.Time
}

func newSource(name string, file *os.File, raw syscall.RawConn) *source {
	s := &source{name: name, file: file, raw: raw, done: make(chan struct{}), wake: make(chan struct{}, 1)}
	go s.take()
	return s
}

// take moves records from the kernel to the reader until the keyboard is gone or
// closed.
func (s *source) take() {
	defer close(s.done)
	buf := make([]byte, 64*recordSize)
	for {
		var n int
		var failed error
		err := s.raw.Read(func(fd uintptr) bool {
			for {
				n, failed = unix.Read(int(fd), buf)
				if failed != unix.EINTR {
					return failed != unix.EAGAIN
				}
			}
		})
		if err == nil {
			err = failed
		}
		if err == nil && n == 0 {
			err = io.EOF
		}
		s.mu.Lock()
		if err != nil {
			s.err = s.why(err)
			s.mu.Unlock()
			s.tell()
			return
		}
		s.keep(buf[:n])
		s.mu.Unlock()
		s.tell()
	}
}

// keep adds records. If there is no room it says so in the kernel's own words
// when there is again, so that the swipe is void. s.mu is held.
func (s *source) keep(b []byte) {
	if len(s.waiting)+len(b)+recordSize > room {
		s.lost = true
		return
	}
	if s.lost {
		s.lost = false
		s.waiting = append(s.waiting, lostRecords[:]...)
	}
	s.waiting = append(s.waiting, b...)
}

// lostRecords is EV_SYN SYN_DROPPED. The records up to the next SYN_REPORT are
// skipped after it.
var lostRecords = func() (b [recordSize]byte) {
	b[18] = synDropped // the code; the time is taken from the records around it
	return b
}()

func (s *source) why(err error) error {
	switch {
	case s.closed.Load():
		return os.ErrClosed
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.EIO), errors.Is(err, io.EOF):
		return fmt.Errorf("keyboard %q is lost: %w (%w)", s.name, devices.ErrUnplugged, err)
	}
	return fmt.Errorf("cannot read keyboard %q: %w", s.name, err)
}

func (s *source) tell() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Read waits for records. What has come before the deadline is returned even if
// the deadline has passed: a swipe is not torn because this machine was slow.
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	for {
		s.mu.Lock()
		deadline := s.deadline
		switch {
		case len(s.waiting) > 0:
			n := copy(p, s.waiting)
			s.waiting = append(s.waiting[:0], s.waiting[n:]...)
			s.mu.Unlock()
			return n, nil
		case s.err != nil:
			s.mu.Unlock()
			return 0, s.err
		case !deadline.IsZero() && !time.Now().Before(deadline):
			s.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		s.mu.Unlock()
		if deadline.IsZero() {
			<-s.wake
			continue
		}
		timer := time.NewTimer(time.Until(deadline))
		select {
		case <-s.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// SetReadDeadline sets the time at which a Read gives up waiting.
func (s *source) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	s.deadline = t
	s.mu.Unlock()
	s.tell()
	return nil
}

// Write fails: nothing can be said to a keyboard.
func (s *source) Write([]byte) (int, error) {
	return 0, fmt.Errorf("cannot write to keyboard %q: %w", s.name, errors.ErrUnsupported)
}

// Close gives the keyboard back.
func (s *source) Close() error {
	s.closed.Store(true)
	devices.Control(s.raw, func(fd int) error { return unix.IoctlSetInt(fd, eviocgrab, 0) }) // closing does it as well
	err := s.file.Close()
	<-s.done
	return err
}
