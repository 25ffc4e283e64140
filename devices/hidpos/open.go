package hidpos

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// writeTimeout bounds a Write to a scanner that does not listen.
const writeTimeout = time.Second

// Open opens the hidraw device of a scanner. Its error wraps devices.ErrAbsent,
// ErrDenied, ErrBusy or ErrWrongKind if one of them is the reason, and says what
// to do.
func Open(ctx context.Context, port string) (devices.Source, error) {
	s, err := open(ctx, port)
	if err != nil {
		return nil, explain(port, err)
	}
	return s, nil
}

func open(ctx context.Context, port string) (_ *source, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	file, raw, _, err := devices.OpenNode(port, os.O_RDWR, wrongKind("it is no device"))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	var descriptor []byte
	if err := devices.Control(raw, func(fd int) (err error) { descriptor, err = describe(fd); return err }); err != nil {
		return nil, err
	}
	if _, err := ParseLayout(descriptor); errors.Is(err, ErrNoScanner) {
		return nil, wrongKind("it is no barcode scanner of the point-of-sale class: " + err.Error())
	} else if err != nil {
		return nil, err
	}
	if err := devices.Control(raw, devices.Lock); err != nil {
		return nil, err
	}
	if err := file.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("its driver cannot wait: %w", err)
	}
	return newSource(port, file, raw, descriptor), nil
}

// describe asks for the report descriptor.
func describe(fd int) ([]byte, error) {
	size, err := unix.IoctlGetInt(fd, unix.HIDIOCGRDESCSIZE)
	switch {
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.EIO):
		return nil, err
	case err != nil:
		return nil, wrongKind("it is no hidraw device")
	}
	d := unix.HIDRawReportDescriptor{Size: uint32(size)}
	if size < 0 || size > len(d.Value) {
		return nil, fmt.Errorf("its descriptor has %d bytes", size)
	}
	if err := unix.IoctlHIDGetDesc(fd, &d); err != nil {
		return nil, err
	}
	return append([]byte(nil), d.Value[:size]...), nil
}

// source is an open scanner.
type source struct {
	name       string
	file       *os.File
	raw        syscall.RawConn
	descriptor []byte
	closed     atomic.Bool

	// These belong to Read.
	waiting []byte // of a record
	report  [maxRecord]byte
}

func newSource(name string, file *os.File, raw syscall.RawConn, descriptor []byte) *source {
	return &source{name: name, file: file, raw: raw, descriptor: descriptor, waiting: record(recordDescriptor, descriptor)}
}

func record(kind byte, b []byte) []byte {
	return append(binary.LittleEndian.AppendUint16([]byte{kind}, uint16(len(b))), b...)
}

// Descriptor is the scanner's report descriptor.
func (s *source) Descriptor() []byte { return s.descriptor }

// Read waits for a report. One that has come before the deadline is returned even
// if the deadline has passed: a message is not torn because this machine was
// slow.
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, io.ErrShortBuffer
	}
	if len(s.waiting) == 0 {
		n, err := s.next()
		if err != nil {
			return 0, err
		}
		s.waiting = record(recordReport, s.report[:n])
	}
	n := copy(p, s.waiting)
	s.waiting = s.waiting[n:]
	return n, nil
}

func (s *source) next() (n int, err error) {
	var failed error
	try := func(fd uintptr) bool {
		for {
			n, failed = unix.Read(int(fd), s.report[:])
			if failed != unix.EINTR {
				return failed != unix.EAGAIN
			}
		}
	}
	if err = s.raw.Control(func(fd uintptr) { try(fd) }); err == nil && failed == unix.EAGAIN {
		err = s.raw.Read(try)
	}
	switch {
	case s.closed.Load():
		return 0, os.ErrClosed
	case errors.Is(err, os.ErrDeadlineExceeded):
		return 0, err
	case err != nil:
		return 0, fmt.Errorf("cannot wait for scanner %q: %w", s.name, err)
	case failed == nil && n > 0:
		return n, nil
	case failed == nil:
		return 0, s.unplugged(io.EOF)
	case devices.Gone(failed):
		return 0, s.unplugged(failed)
	}
	return 0, fmt.Errorf("cannot read scanner %q: %w", s.name, failed)
}

// SetReadDeadline sets the time at which a Read gives up waiting.
func (s *source) SetReadDeadline(t time.Time) error { return s.file.SetReadDeadline(t) }

// Write sends an output report: its number, 0 if it has none, and its bytes.
func (s *source) Write(b []byte) (int, error) {
	if err := s.file.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	n, err := s.file.Write(b)
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return n, s.unplugged(err)
	}
	return n, fmt.Errorf("cannot write to scanner %q: %w", s.name, err)
}

// Close gives the scanner back.
func (s *source) Close() error {
	s.closed.Store(true)
	return s.file.Close()
}

func (s *source) unplugged(cause error) error {
	return fmt.Errorf("scanner %q is lost: %w (%w)", s.name, devices.ErrUnplugged, cause)
}

// wrongKind is ErrWrongKind with what it is instead.
type wrongKind string

func (w wrongKind) Error() string { return string(w) }
func (wrongKind) Unwrap() error   { return devices.ErrWrongKind }

// explain says why a scanner could not be opened and what to do about it.
func explain(name string, err error) error {
	next := devices.Replug
	if errors.Is(err, devices.ErrWrongKind) {
		next = "set the port to the scanner's device, such as \"usb:0db5:0138\", and the scanner to HID POS"
	}
	return devices.Explain("open scanner", name, err, next)
}
