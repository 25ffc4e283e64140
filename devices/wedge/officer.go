package wedge

import (
	"errors"
	"path/filepath"

	"lintas/devices/plug"
)

// builtIn is the driver of keyboards that are not plugged in by USB.
const builtIn = "atkbd"

// errOfficers: the keyboard seems to be the officer's.
var errOfficers = errors.New("it seems to be the keyboard that the officer types on")

// leave fails if a keyboard seems to be the officer's: if it is built in, or if
// there is no other on which somebody could type. Root is the folder in which sys
// and dev are.
func leave(root, path string) error {
	all, err := plug.Discover(root)
	if err != nil {
		return err
	}
	known, other := false, false
	for _, d := range all {
		switch {
		case d.Kind != plug.Input:
		case filepath.Base(d.Path) != filepath.Base(path):
			other = true
		case d.Driver == builtIn:
			return errOfficers
		default:
			known = true
		}
	}
	if known && !other {
		return errOfficers
	}
	return nil
}
