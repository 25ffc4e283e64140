package wedge

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// releaseTimeout is how long Open waits for the keys of a keyboard to be
// released.
const releaseTimeout = 2 * time.Second

// Opening says which keyboard is opened.
type Opening struct {
	// Port is its device file; best is /dev/input/by-id/…-event-kbd, which stays
	// the same.
	Port string
	// Grab takes the keyboard even if it seems to be the one that the officer
	// types on.
	Grab bool
}

// Open takes a keyboard for itself: its keys reach no window and no console any
// more, until it is closed or this process ends. Its error wraps
// devices.ErrAbsent, ErrDenied, ErrBusy or ErrWrongKind if one of them is the
// reason, and says what to do.
//
// A keyboard that is the only one of the machine, or built in, is taken only if
// Grab is set.
//
// The records of the keyboard are read as they come, whether Read is called or
// not, because the kernel keeps only 64 of them. Write fails with
// errors.ErrUnsupported.
func Open(ctx context.Context, o Opening) (devices.Source, error) {
	s, err := open(ctx, o)
	if err != nil {
		return nil, explain(o.Port, err)
	}
	return s, nil
}

func open(ctx context.Context, o Opening) (_ *source, err error) {
	file, raw, path, err := devices.OpenNode(o.Port, os.O_RDONLY, wrongKind("no device"))
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			file.Close()
		}
	}()
	if err := devices.Control(raw, isKeyboard); err != nil {
		return nil, err
	}
	if !o.Grab {
		if err := leave("/", path); err != nil {
			return nil, err
		}
	}
	if err := devices.Control(raw, devices.Lock); err != nil {
		return nil, err
	}
	if err := released(ctx, file, raw); err != nil {
		return nil, err
	}
	if err := devices.Control(raw, func(fd int) error { return grab(fd, path) }); err != nil {
		return nil, err
	}
	return newSource(o.Port, file, raw), nil
}

// The calls of linux/input.h.
const (
	eviocgversion  = 0x80044501
	eviocgrab      = 0x40044590
	eviocsclockid  = 0x400445a0
	eviocgkey      = 0x80000000 | 'E'<<8 | 0x18 | (keyMax/8+1)<<16
	eviocgbitOfKey = 0x80000000 | 'E'<<8 | (0x20 + evKey) | (keyMax/8+1)<<16

	keyMax = 0x2ff
)

// keySet is a bit for each key.
type keySet [keyMax/8 + 1]byte

func (k *keySet) has(key uint16) bool { return k[key/8]&(1<<(key%8)) != 0 }

// types says whether the keys are those of a whole keyboard: letters, digits and
// Enter.
func (k *keySet) types() bool {
	for _, key := range []uint16{2, 11, 16, 25, 30, 38, 44, 50, keyEnter} { // 1 0 Q P A L Z M
		if !k.has(key) {
			return false
		}
	}
	return true
}

func isKeyboard(fd int) error {
	var version int32
	if err := ioctl(fd, eviocgversion, unsafe.Pointer(&version)); err != nil {
		if err == unix.ENODEV {
			return err
		}
		return wrongKind("a device that has no keys")
	}
	var keys keySet
	if err := ioctl(fd, eviocgbitOfKey, unsafe.Pointer(&keys)); err != nil {
		return err
	}
	if !keys.types() {
		return wrongKind("an input device without letters and digits")
	}
	return nil
}

// released waits until no key is pressed: a keyboard that is grabbed while one is
// leaves it pressed for everybody else.
func released(ctx context.Context, file *os.File, raw syscall.RawConn) error {
	stop := context.AfterFunc(ctx, func() { file.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	end := time.Now().Add(releaseTimeout)
	if err := file.SetReadDeadline(end); err != nil {
		return fmt.Errorf("its driver cannot wait: %w", err)
	}
	defer file.SetReadDeadline(time.Time{})
	buf := make([]byte, 64*recordSize)
	for {
		var keys keySet
		err := devices.Control(raw, func(fd int) error { return ioctl(fd, eviocgkey, unsafe.Pointer(&keys)) })
		switch {
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case keys == keySet{}:
			return nil
		}
		if _, err := file.Read(buf); errors.Is(err, os.ErrDeadlineExceeded) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return errHeld
		} else if err != nil {
			return err
		}
	}
}

var errHeld = fmt.Errorf("a key of it has been held down for %v", releaseTimeout)

// grab makes this process the only one that gets the keys.
func grab(fd int, path string) error {
	if err := unix.IoctlSetInt(fd, eviocgrab, 1); err != nil {
		if err == unix.EBUSY {
			return devices.BusyError{By: devices.UserOf(path)}
		}
		return err
	}
	// The time between keys must not change when somebody sets the clock. A
	// kernel that refuses uses the other clock: then it may.
	clock := int32(unix.CLOCK_MONOTONIC)
	_ = ioctl(fd, eviocsclockid, unsafe.Pointer(&clock))
	return nil
}

func ioctl(fd int, request uint, p unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(p)); errno != 0 {
		return errno
	}
	return nil
}
