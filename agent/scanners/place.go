package scanners

import (
	"context"
	"errors"
	"fmt"

	"lintas/devices"
	"lintas/devices/plug"
)

// placed is an open scanner and where its port's name led when it was opened.
type placed struct {
	devices.Source
	port string
	kind plug.Kind
	path string
}

// inPlace makes an opener whose sources know whether the port still leads to them.
func inPlace(open devices.Opener, port string, kind plug.Kind) devices.Opener {
	return func(ctx context.Context) (devices.Source, error) {
		path, missing := plug.FindIn(root, port, kind)
		src, err := open(ctx) // also if it is missing: open says better why
		if err != nil || missing != nil {
			return src, err
		}
		return placed{src, port, kind, path}, nil
	}
}

// Unwrap gives the scanner itself.
func (p placed) Unwrap() devices.Source { return p.Source }

// InPlace says whether the port still leads to the scanner. That a second one like
// it was plugged in is no reason to leave it.
func (p placed) InPlace() error {
	path, err := plug.FindIn(root, p.port, p.kind)
	if errors.Is(err, plug.ErrAmbiguous) || err == nil && path == p.path {
		return nil
	}
	return fmt.Errorf("scanner at %s is lost: %w (%q does not lead to it any more)", p.path, devices.ErrUnplugged, p.port)
}
