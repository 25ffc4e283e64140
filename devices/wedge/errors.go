package wedge

import (
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// wrongKind is ErrWrongKind with what it is instead.
type wrongKind string

func (w wrongKind) Error() string { return "it is " + string(w) + ", not a keyboard" }
func (wrongKind) Unwrap() error   { return devices.ErrWrongKind }

// explain says why a keyboard could not be opened and what to do about it.
func explain(name string, err error) error {
	const (
		plugIn   = "plug the scanner in, or correct the port in the configuration"
		allow    = "mark the scanner in a udev rule of this machine, and see that the service's DeviceAllow covers it"
		endOther = "end the other program"
		setPort  = "set the port to the scanner's device, such as /dev/input/by-id/usb-…-event-kbd"
		letGo    = "if it is the scanner, set grab = true in its table; if not, set the port to the scanner's device"
		release  = "release it, or unplug the scanner and plug it in again"
		replug   = "unplug the scanner, plug it in again, and check the port in the configuration"
	)
	var class error // of an error that has none yet
	next := replug
	switch {
	case errors.Is(err, errOfficers):
		next = letGo
	case errors.Is(err, errHeld):
		next = release
	case errors.Is(err, devices.ErrWrongKind):
		next = setPort
	case errors.Is(err, devices.ErrBusy):
		next = endOther
	case errors.Is(err, fs.ErrPermission):
		class, next = devices.ErrDenied, allow
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO), errors.Is(err, unix.EIO):
		class, next = devices.ErrAbsent, plugIn
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err // explain names it
	}
	if class == nil {
		return fmt.Errorf("cannot take keyboard %q: %w; %s", name, err, next)
	}
	return fmt.Errorf("cannot take keyboard %q: %w (%w); %s", name, class, err, next)
}
