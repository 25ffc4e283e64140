package serial

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// unplugged is what a port answers when its cable has been pulled. Cause may be
// nil.
func (p *port) unplugged(cause error) error {
	if cause == nil {
		return fmt.Errorf("serial port %q is lost: %w", p.name, devices.ErrUnplugged)
	}
	return fmt.Errorf("serial port %q is lost: %w (%w)", p.name, devices.ErrUnplugged, cause)
}

// explain says why a port could not be opened and what to do about it.
func explain(name string, err error) error {
	const (
		plugIn   = "plug the scanner in, or correct the port in the configuration"
		allow    = "install the udev rule of this software, and see that the service's group and DeviceAllow cover the port"
		endOther = "end the other program; if it is ModemManager, install the udev rule of this software, which keeps it away"
		setPort  = "set the port to the scanner's device, such as /dev/serial/by-id/usb-…"
		replug   = "unplug the scanner, plug it in again, and check the port in the configuration"
	)
	var class error // of an error that has none yet
	var next string
	switch {
	case errors.Is(err, devices.ErrWrongKind):
		next = setPort
	case errors.Is(err, devices.ErrBusy):
		next = endOther
	case errors.Is(err, unix.EBUSY):
		class, next = devices.ErrBusy, endOther
	case errors.Is(err, fs.ErrPermission): // EACCES, and EPERM from the service's device policy
		class, next = devices.ErrDenied, allow
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR), devices.Gone(err):
		class, next = devices.ErrAbsent, plugIn
	default:
		next = replug
	}
	if class == nil {
		return fmt.Errorf("cannot open serial port %q: %w; %s", name, err, next)
	}
	return fmt.Errorf("cannot open serial port %q: %w (%w); %s", name, class, cause(err), next)
}

// cause is the system's error without the path, which explain has named.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
