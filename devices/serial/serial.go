// Package serial opens a scanner that is connected to a serial port: RS-232,
// or USB with a virtual COM port.
//
// It is the only package that uses github.com/tarm/serial, which sets the
// line up and reads. What tarm leaves open is done here with a second
// descriptor of the same port:
//
//   - waiting. A read of tarm's cannot be cancelled, wakes up every tenth of a
//     second, and gives the same answer (0, io.EOF) for "nothing yet" and for
//     "the cable was pulled, for ever". The second descriptor waits in Go's
//     poller, which has deadlines and tells a hang-up from silence; tarm reads
//     only when there is something to read.
//   - being alone. Two programs on one port steal each other's bytes. The port
//     is locked (flock) and, where that can be undone by the kernel, marked as
//     exclusive (TIOCEXCL); it is refused while a program can be seen to have it.
//   - being heard. DTR and RTS are up: some scanners are silent without.
//   - beginning clean. What was in the port's buffer before it was opened is
//     half of something and is discarded.
//   - bad parity. Bytes that arrive with a wrong parity bit are left out, so
//     that their line is too short instead of wrong.
//
// It does not look for ports, does not try speeds, and says nothing to a
// scanner. It never opens what is not a character device.
package serial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	tarm "github.com/tarm/serial"
	"golang.org/x/sys/unix"

	"lintas/devices"
)

const (
	// tarmTimeout makes tarm's read return when there is nothing after all. It
	// must not be 0, which would block for ever, and cannot be less.
	tarmTimeout = 100 * time.Millisecond

	// writeTimeout bounds a Write to a scanner that does not listen.
	writeTimeout = time.Second

	// maxEmpty is how often a port may say that it has bytes and then have
	// none before it is given up.
	maxEmpty = 3
)

// Options say which port, and how its line is set.
type Options struct {
	Port     string // device file; best is /dev/serial/by-id/…, which stays the same
	Baud     int    // 0: 9600
	DataBits int    // 7 or 8; 0: 8
	Parity   Parity // None, Even or Odd; 0: None
	StopBits int    // 1 or 2; 0: 1
}

// port is an open serial port.
type port struct {
	name  string
	tarm  *tarm.Port
	ctl   *os.File
	raw   syscall.RawConn // of ctl
	poll  [1]unix.PollFd  // used by the one who reads
	owned bool            // claimed by us: Close has to release it

	closing sync.Once
	closed  atomic.Bool
}

// Open opens a serial port. Its error wraps devices.ErrAbsent, ErrDenied,
// ErrBusy or ErrWrongKind if one of them is the reason, and says what to do.
//
// The Source that it returns is for one reader. Its Write fails after a second
// if the scanner does not take the bytes.
func Open(ctx context.Context, o Options) (devices.Source, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("cannot open serial port %q: %w", o.Port, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("cannot open serial port %q: %w", o.Port, err)
	}
	p, err := open(o)
	if err != nil {
		return nil, explain(o.Port, err)
	}
	return p, nil
}

func open(o Options) (_ *port, err error) {
	// A link such as /dev/serial/by-id/… is followed once, so that both
	// descriptors are of the same device even if it changes in between.
	path, err := filepath.EvalSymlinks(o.Port)
	if err != nil {
		return nil, err
	}
	if err := checkKind(os.Stat(path)); err != nil { // before opening, which can have effects
		return nil, err
	}
	ctl, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.EBUSY) {
		err = devices.BusyError{By: devices.UserOf(path)}
	}
	if err != nil {
		return nil, err
	}
	p := &port{name: o.Port, ctl: ctl}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	if err := checkKind(ctl.Stat()); err != nil {
		return nil, err
	}
	if p.raw, err = ctl.SyscallConn(); err != nil {
		return nil, err
	}
	if err := p.control(func(fd int) error { return claim(fd, path) }); err != nil {
		return nil, err
	}
	p.owned = true
	p.tarm, err = tarm.OpenPort(&tarm.Config{
		Name:        path,
		Baud:        o.Baud,
		Size:        byte(o.DataBits),
		Parity:      tarm.Parity(o.Parity),
		StopBits:    tarm.StopBits(o.StopBits),
		ReadTimeout: tarmTimeout,
	})
	if err != nil {
		return nil, err
	}
	if err := p.control(func(fd int) error { return settle(fd, o) }); err != nil {
		return nil, err
	}
	// Without deadlines the port could not be left again.
	if err := ctl.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("its driver cannot wait: %w", err)
	}
	return p, nil
}

// settle finishes what tarm has set up: nobody else, no byte with bad parity, the
// lines up that tell a scanner that somebody listens, nothing from before.
func settle(fd int, o Options) error {
	if err := exclude(fd); err != nil {
		return err
	}
	if o.Parity != None {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return fmt.Errorf("cannot read its settings: %w", err)
		}
		t.Iflag |= unix.INPCK | unix.IGNPAR
		if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
			return fmt.Errorf("cannot set its parity check: %w", err)
		}
	}
	// Opening has raised them, unless the program before has told the driver
	// otherwise. Ports without such lines say so.
	err := unix.IoctlSetPointerInt(fd, unix.TIOCMBIS, unix.TIOCM_DTR|unix.TIOCM_RTS)
	if err != nil && err != unix.ENOTTY && err != unix.EINVAL {
		return fmt.Errorf("cannot raise DTR and RTS: %w", err)
	}
	if err := unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH); err != nil {
		return fmt.Errorf("cannot discard old bytes: %w", err)
	}
	return nil
}

// control calls f with the second descriptor.
func (p *port) control(f func(fd int) error) error { return devices.Control(p.raw, f) }

// Read waits for bytes and reads them.
func (p *port) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, io.ErrShortBuffer
	}
	for range maxEmpty {
		if err := p.wait(); err != nil {
			return 0, err
		}
		n, err := p.tarm.Read(b)
		switch {
		case n > 0:
			return n, nil
		case p.closed.Load():
			return 0, os.ErrClosed
		case devices.Gone(err):
			return 0, p.unplugged(err)
		case err != nil && err != io.EOF && !errors.Is(err, unix.EINTR):
			return 0, fmt.Errorf("cannot read serial port %q: %w", p.name, err)
		}
		// A hang-up between wait and Read looks the same as silence. The
		// next wait tells which it was.
	}
	return 0, p.unplugged(io.ErrNoProgress)
}

// wait returns when there are bytes to read, or with an error if the port is
// gone, the deadline has passed, or Close was called.
func (p *port) wait() error {
	var events int16
	var failed error
	err := p.raw.Read(func(fd uintptr) bool {
		p.poll[0] = unix.PollFd{Fd: int32(fd), Events: unix.POLLIN}
		for {
			_, failed = unix.Poll(p.poll[:], 0)
			if failed != unix.EINTR {
				break
			}
		}
		events = p.poll[0].Revents
		return failed != nil || events != 0
	})
	switch {
	case p.closed.Load():
		return os.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case err != nil:
		return fmt.Errorf("cannot wait for serial port %q: %w", p.name, err)
	case failed != nil:
		return fmt.Errorf("cannot wait for serial port %q: %w", p.name, failed)
	case events&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0:
		return p.unplugged(nil)
	}
	return nil
}

// SetReadDeadline sets the time at which a Read gives up waiting.
func (p *port) SetReadDeadline(t time.Time) error { return p.ctl.SetReadDeadline(t) }

// Write sends a command to the scanner. It goes through the second descriptor,
// because a write of tarm's could block for ever.
func (p *port) Write(b []byte) (int, error) {
	if err := p.ctl.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	n, err := p.ctl.Write(b)
	switch {
	case err == nil:
		return n, nil
	case devices.Gone(err):
		return n, p.unplugged(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, fmt.Errorf("cannot write to serial port %q: the scanner has not taken the bytes for %v", p.name, writeTimeout)
	}
	return n, fmt.Errorf("cannot write to serial port %q: %w", p.name, err)
}

// Close gives the port back. What was not sent yet is discarded, because a
// driver may otherwise wait for it half a minute.
func (p *port) Close() (err error) {
	p.closing.Do(func() {
		p.closed.Store(true)
		if p.owned {
			p.control(release) // closing comes next in any case
		}
		err = p.ctl.Close()
		if p.tarm != nil {
			err = errors.Join(err, p.tarm.Close())
		}
	})
	return err
}
