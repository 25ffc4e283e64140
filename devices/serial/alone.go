package serial

import (
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// Two locks keep a port to one program. TIOCEXCL stops every program that does
// not run as root, whether it knows of locks or not, but has to be taken away
// again by whoever set it: the kernel does so when a port is closed for the
// last time. The other end of a pseudo-terminal keeps it open, and after a
// crash it would be locked for ever; so pseudo-terminals have only the other
// lock. That is flock, which ends with the process and also stops root, but
// only those who ask.

// claim takes the lock, or finds that somebody else has the port. Path is without
// links.
func claim(fd int, path string) error {
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err != nil {
		if err == unix.ENOTTY {
			return wrongKind("a device that has no serial line")
		}
		return fmt.Errorf("cannot read its settings: %w", err)
	}
	if err := devices.Lock(fd); err != nil {
		return err
	}
	if on, err := unix.IoctlGetInt(fd, unix.TIOCGEXCL); err == nil && on != 0 {
		return devices.BusyError{By: devices.UserOf(path)} // seen by root only; for others opening has failed already
	}
	// A program that knows of neither lock takes every other byte all the same.
	// The other end of a pseudo-terminal, though, has often both ends open.
	if pty, err := isPty(fd); err != nil || pty {
		return err
	}
	if by := devices.UserOf(path); by != "" {
		return devices.BusyError{By: by}
	}
	return nil
}

// exclude keeps other programs from opening the port.
func exclude(fd int) error {
	if pty, err := isPty(fd); err != nil || pty {
		return err
	}
	if err := unix.IoctlSetInt(fd, unix.TIOCEXCL, 0); err != nil {
		return fmt.Errorf("cannot mark it as exclusive: %w", err)
	}
	return nil
}

// release undoes exclude, and drops what has not been sent.
func release(fd int) error {
	if err := unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH); err != nil {
		return err
	}
	if pty, err := isPty(fd); err != nil || pty {
		return err
	}
	return unix.IoctlSetInt(fd, unix.TIOCNXCL, 0)
}

// isPty says whether it is the terminal side of a pseudo-terminal: majors 136
// to 143 in the kernel's list of devices. Tests replace it.
var isPty = func(fd int) (bool, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, fmt.Errorf("cannot tell its kind: %w", err)
	}
	major := unix.Major(st.Rdev)
	return 136 <= major && major <= 143, nil
}

// wrongKind is ErrWrongKind with what it is instead.
type wrongKind string

func (w wrongKind) Error() string { return "it is " + string(w) + ", not a serial port" }
func (wrongKind) Unwrap() error   { return devices.ErrWrongKind }

// checkKind takes what Stat returns and refuses what is no character device.
func checkKind(info fs.FileInfo, err error) error {
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode&fs.ModeCharDevice != 0:
		return nil
	case mode.IsRegular():
		return wrongKind("a regular file")
	case mode.IsDir():
		return wrongKind("a directory")
	case mode&fs.ModeNamedPipe != 0:
		return wrongKind("a named pipe")
	case mode&fs.ModeSocket != 0:
		return wrongKind("a socket")
	}
	return wrongKind("a block device")
}
