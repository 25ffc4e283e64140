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

	"lintas/agent/config"
	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/serial"
)

// New makes the reader of one configured scanner.
func New(s config.Scanner, log *slog.Logger) *devices.Reader {
	r := &devices.Reader{Name: s.Name, Logger: log}
	switch s.Profile {
	case "auto":
		r.Open = port(s)
		r.Framer = func() devices.Framer { return frame.New(frame.Options{Gap: s.Gap}) }
	default:
		r.Open = func(context.Context) (devices.Source, error) {
			return nil, fmt.Errorf("cannot open scanner %q: this version has no profile %q", s.Name, s.Profile)
		}
		r.Framer = func() devices.Framer { return frame.New(frame.Options{Gap: s.Gap}) }
	}
	return r
}

// port opens a serial port.
func port(s config.Scanner) devices.Opener {
	return func(ctx context.Context) (devices.Source, error) {
		o, err := serial.ParseLine(s.Line)
		if err != nil {
			return nil, err
		}
		o.Port = s.Port
		return serial.Open(ctx, o)
	}
}
