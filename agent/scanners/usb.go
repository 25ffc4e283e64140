package scanners

import (
	"context"
	"strings"

	"lintas/agent/config"
	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/hidpos"
	"lintas/devices/plug"
	"lintas/devices/wedge"
)

// keyboard sets up the reader of a scanner that types.
func keyboard(r *devices.Reader, s config.Scanner) {
	r.Mode = devices.Keyboard
	r.Open = func(ctx context.Context) (devices.Source, error) {
		path, err := find(s.Port, plug.Input)
		if err != nil {
			return nil, err
		}
		return wedge.Open(ctx, wedge.Opening{Port: path, Grab: s.Grab})
	}
	r.Framer = func() devices.Framer {
		return wedge.New(wedge.Options{Layout: wedge.Layout(s.Layout), Gap: s.Gap, Text: characters(s)})
	}
}

// pointOfSale sets up the reader of a scanner of the HID point-of-sale class.
func pointOfSale(r *devices.Reader, s config.Scanner) {
	r.Open = func(ctx context.Context) (devices.Source, error) {
		path, err := find(s.Port, plug.HIDRaw)
		if err != nil {
			return nil, err
		}
		return hidpos.Open(ctx, path)
	}
	r.Framer = func() devices.Framer { return hidpos.New(hidpos.Options{Gap: s.Gap, Text: characters(s)}) }
}

// characters makes the framer of what a scanner says in characters.
func characters(s config.Scanner) func() devices.Framer {
	return func() devices.Framer { return frame.New(frame.Options{Gap: s.Gap}) }
}

// find is the device file of a port. A path is left as it is: whoever opens it
// follows its links, and names it as the configuration does.
func find(port string, kind plug.Kind) (string, error) {
	if !strings.HasPrefix(port, "usb:") {
		return port, nil
	}
	return plug.FindIn(root, port, kind)
}
