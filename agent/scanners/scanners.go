// Package scanners makes the readers of a counter out of its configuration. It
// is the one place that knows which part of devices serves which profile; the
// running agent and `lintas scanner` both come here, so that what a technician
// tries on the command line is what the counter does.
//
// It opens nothing: a Reader does when it runs.
package scanners

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"lintas/agent/config"
	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/plug"
	"lintas/devices/serial"
	"lintas/devices/tee"
)

// New makes the reader of one configured scanner.
func New(s config.Scanner, log *slog.Logger) *devices.Reader {
	r := &devices.Reader{Name: s.Name, Logger: log}
	switch {
	case text(r, &s):
	case s.Profile == "keyboard":
		keyboard(r, s)
	case s.Profile == "hid-pos":
		pointOfSale(r, s)
	case s.Profile == "folder":
		pages(r, s)
	default:
		r.Open = func(context.Context) (devices.Source, error) {
			return nil, fmt.Errorf("cannot open scanner %q: this version has no profile %q", s.Name, s.Profile)
		}
		r.Framer = func() devices.Framer { return frame.New(frame.Options{Gap: s.Gap}) }
	}
	r.Watch = func(ctx context.Context) (<-chan struct{}, error) { return plug.WatchIn(ctx, root, s.Port) }
	if kind, ok := kindOf(s.Profile); ok {
		r.Open = inPlace(r.Open, s.Port, kind)
	}
	if serialLine(s.Profile) {
		r.Line = s.Line
		if s.Tee != "" {
			t := tee.New(tee.Options{Scanner: s.Name, Path: s.Tee, Open: port(config.Scanner{Port: s.Tee, Line: s.Line}), Logger: log})
			r.Open, r.Tee = t.Wrap(r.Open), t
		}
	}
	return r
}

// root is where sys and dev are. Tests replace it.
var root = "/"

// serialLine says whether scanners of a profile are on a serial port.
func serialLine(profile string) bool {
	kind, ok := kindOf(profile)
	return ok && kind == plug.Serial
}

// kindOf is how scanners of a profile are connected; false for what is no device.
func kindOf(profile string) (plug.Kind, bool) {
	switch profile {
	case "folder":
		return "", false
	case "keyboard":
		return plug.Input, true
	case "hid-pos":
		return plug.HIDRaw, true
	}
	return plug.Serial, true
}

// port opens a serial port.
func port(s config.Scanner) devices.Opener {
	return func(ctx context.Context) (devices.Source, error) {
		o, err := serial.ParseLine(s.Line)
		if err != nil {
			return nil, err
		}
		o.Port = s.Port
		if strings.HasPrefix(s.Port, "usb:") {
			if o.Port, err = plug.FindIn(root, s.Port, plug.Serial); err != nil {
				return nil, err
			}
		}
		return serial.Open(ctx, o)
	}
}
