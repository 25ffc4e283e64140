package daemon

import (
	"context"

	"lintas/agent/config"
	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/devices"
	"lintas/devices/frame"
	"lintas/devices/serial"
)

// scanners makes a reader for each configured scanner.
func (d *daemon) scanners() (readers []*devices.Reader) {
	d.board.Set(health.ScannerNone, "", len(d.cfg.Scanners) == 0, "")
	for _, s := range d.cfg.Scanners {
		up := false
		r := &devices.Reader{Name: s.Name, Open: opener(s), Logger: d.log}
		r.Framer = func() devices.Framer { return frame.New(frame.Options{Gap: s.Gap}) }
		r.OnChange = func(st devices.State) {
			d.board.Set(health.ScannerMissing, s.Name, !st.Status.Up(), st.Reason)
			if st.Status.Up() == up || st.Status == devices.Stopped {
				return
			}
			up = st.Status.Up()
			d.recordDevice(s.Name, st)
		}
		d.board.Set(health.ScannerMissing, s.Name, true, "not opened yet")
		readers = append(readers, r)
	}
	return readers
}

func opener(s config.Scanner) devices.Opener {
	return func(ctx context.Context) (devices.Source, error) {
		o, err := serial.ParseLine(s.Line)
		if err != nil {
			return nil, err
		}
		o.Port = s.Port
		return serial.Open(ctx, o)
	}
}

// recordDevice writes that a scanner came or went, without making the scanner
// wait for the disk.
func (d *daemon) recordDevice(name string, st devices.State) {
	t := crossing.DeviceDown
	if st.Status.Up() {
		t = crossing.DeviceUp
	}
	rec := &crossing.Device{Place: d.place(), Scanner: name, Reason: string(st.Status)}
	d.events.Go(func() {
		if err := d.record(context.Background(), t, rec); err != nil {
			d.log.Error("cannot record", "error", err)
		}
	})
}
