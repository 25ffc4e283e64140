package wedge

import (
	"errors"

	"lintas/devices"
)

// wrongKind is ErrWrongKind with what it is instead.
type wrongKind string

func (w wrongKind) Error() string { return "it is " + string(w) + ", not a keyboard" }
func (wrongKind) Unwrap() error   { return devices.ErrWrongKind }

// explain says why a keyboard could not be opened and what to do about it.
func explain(name string, err error) error {
	next := devices.Replug
	switch {
	case errors.Is(err, errOfficers):
		next = "if it is the scanner, set grab = true in its table; if not, set the port to the scanner's device"
	case errors.Is(err, errHeld):
		next = "release it, or unplug the scanner and plug it in again"
	case errors.Is(err, devices.ErrWrongKind):
		next = "set the port to the scanner's device, such as /dev/input/by-id/usb-…-event-kbd"
	}
	return devices.Explain("take keyboard", name, err, next)
}
