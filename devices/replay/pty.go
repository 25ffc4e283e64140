package replay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// writeTimeout is how long a simulated scanner waits for somebody who reads it.
// A real one does not wait at all.
const writeTimeout = 2 * time.Second

// pieceSize is less than a pseudo-terminal holds, so that somebody who reads slowly
// is not taken for nobody.
const pieceSize = 1024

// ErrUnheard: nobody reads the port.
var ErrUnheard = errors.New("nobody reads the port")

// A Port is a pseudo-terminal: a serial port without a wire. What is written to
// it is what a program reads that has opened Path.
type Port struct {
	Path    string
	scanner *os.File // the side of the scanner
	line    *os.File // keeps the port from hanging up while nobody has it open
}

// NewPort makes a port whose line changes nothing: no echo, no line editing.
func NewPort() (_ *Port, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot make a pseudo-terminal: %w", err)
		}
	}()
	scanner, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	p := &Port{scanner: scanner}
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	raw, err := scanner.SyscallConn()
	if err != nil {
		return nil, err
	}
	var number int
	var failed error
	err = raw.Control(func(fd uintptr) {
		if failed = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); failed == nil {
			number, failed = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	p.Path = "/dev/pts/" + strconv.Itoa(number)
	if p.line, err = os.OpenFile(p.Path, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err != nil {
		return nil, err
	}
	return p, makeRaw(p.line)
}

func makeRaw(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if err != nil {
			failed = err
			return
		}
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
		failed = unix.IoctlSetTermios(int(fd), unix.TCSETS, t)
	})
	return errors.Join(err, failed)
}

// Write sends bytes as the scanner. If nobody takes any of them for a while it fails
// with ErrUnheard.
func (p *Port) Write(b []byte) (n int, err error) {
	for n < len(b) {
		if err := p.scanner.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return n, err
		}
		m, err := p.scanner.Write(b[n:min(len(b), n+pieceSize)])
		n += m
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded) && m > 0: // slow, but there
		case errors.Is(err, os.ErrDeadlineExceeded):
			return n, ErrUnheard
		case err != nil:
			return n, err
		}
	}
	return n, nil
}

// Read gives what was said to the scanner.
func (p *Port) Read(b []byte) (int, error) { return p.scanner.Read(b) }

// Close pulls the scanner out.
func (p *Port) Close() error {
	var err error
	if p.line != nil {
		err = p.line.Close()
	}
	return errors.Join(err, p.scanner.Close())
}

// Drain waits until the program that has the port open has read everything.
func (p *Port) Drain(ctx context.Context) error {
	raw, err := p.line.SyscallConn()
	if err != nil {
		return err
	}
	for {
		var waiting int
		var failed error
		err := raw.Control(func(fd uintptr) { waiting, failed = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
		if err = errors.Join(err, failed); err != nil || waiting == 0 {
			return err
		}
		if err := Sleep(ctx, 5*time.Millisecond); err != nil {
			return err
		}
	}
}
