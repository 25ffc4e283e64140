package daemon

import (
	"context"

	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/scanners"
	"lintas/devices"
)

// scanners makes a reader for each configured scanner.
func (d *daemon) scanners() (readers []*devices.Reader) {
	d.board.Set(health.ScannerNone, "", len(d.cfg.Scanners) == 0, "")
	for _, s := range d.cfg.Scanners {
		up := false
		r := scanners.New(s, d.log)
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

// deviceEvents bounds how many comings and goings wait for the disk.
const deviceEvents = 64

// deviceEvent is a scanner that came or went.
type deviceEvent struct {
	scanner string
	state   devices.State
}

// recordDevice hands over that a scanner came or went: the scanner does not
// wait for the disk.
func (d *daemon) recordDevice(name string, st devices.State) {
	select {
	case d.devices <- deviceEvent{name, st}:
	default:
		d.log.Warn("too many scanner events, one is not recorded", "scanner", name)
	}
}

// recordDevices writes them, in order.
func (d *daemon) recordDevices(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-d.devices:
			t := crossing.DeviceDown
			if e.state.Status.Up() {
				t = crossing.DeviceUp
			}
			rec := &crossing.Device{Place: d.place(), Scanner: e.scanner, Reason: string(e.state.Status)}
			if err := d.record(ctx, t, rec); err != nil {
				d.log.Error("cannot record", "error", err)
			}
		}
	}
}
