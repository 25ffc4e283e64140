package devices

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// OpenNode opens a character device so that Go's poller can wait for it. A link
// is followed once: path is what it leads to. What is no character device is not
// opened, because that can have effects; the error is notDevice then.
func OpenNode(port string, flags int, notDevice error) (file *os.File, raw syscall.RawConn, path string, err error) {
	if port == "" {
		return nil, nil, "", errors.New("no port is named")
	}
	if path, err = filepath.EvalSymlinks(port); err != nil {
		return nil, nil, "", err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, nil, "", err
	case info.Mode()&fs.ModeCharDevice == 0:
		return nil, nil, "", notDevice
	}
	if file, err = os.OpenFile(path, flags|unix.O_NONBLOCK, 0); err != nil {
		return nil, nil, "", err
	}
	if raw, err = file.SyscallConn(); err != nil {
		file.Close()
		return nil, nil, "", err
	}
	return file, raw, path, nil
}

// Control calls f with the descriptor. Unlike File.Fd it leaves it in the poller.
func Control(raw syscall.RawConn, f func(fd int) error) error {
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// Gone says whether an error of the system means that the device has gone.
func Gone(err error) bool {
	return errors.Is(err, unix.EIO) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV)
}

// Explain says what could not be done with a device, why, and what to do next.
// An error of the system is given the class that a Reader knows; next is what to
// do about the others.
func Explain(what, name string, err error, next string) error {
	var class error
	switch {
	case errors.Is(err, ErrWrongKind):
	case errors.Is(err, ErrBusy):
		next = "end the other program"
	case errors.Is(err, fs.ErrPermission): // EACCES, and EPERM from the service's device policy
		class, next = ErrDenied, "mark the scanner in a udev rule of this machine, and see that the service's DeviceAllow covers it"
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR), Gone(err):
		class, next = ErrAbsent, "plug the scanner in, or correct the port in the configuration"
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // it is named already
	}
	if class == nil {
		return fmt.Errorf("cannot %s %q: %w; %s", what, name, err, next)
	}
	return fmt.Errorf("cannot %s %q: %w (%w); %s", what, name, class, err, next)
}

// Replug is what to do about an error that says nothing else.
const Replug = "unplug the scanner, plug it in again, and check the port in the configuration"
