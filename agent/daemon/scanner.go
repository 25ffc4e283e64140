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
			d.showScanner(r)
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

// statusConditions is what it means for the counter that a scanner is not up.
var statusConditions = map[devices.Presence]health.Code{
	devices.Absent: health.ScannerMissing,
	devices.Denied: health.ScannerDenied,
	devices.Busy:   health.ScannerBusy,
	devices.Failed: health.ScannerFailed,
}

// diagnosisConditions is the same for one that is up and does not read well.
var diagnosisConditions = map[string]health.Code{
	devices.WrongParity: health.ScannerLine,
	devices.WrongSpeed:  health.ScannerLine,
	devices.OtherText:   health.ScannerText,
	devices.Dirty:       health.ScannerDirty,
	devices.TracksOnly:  health.ScannerCards,
	devices.Silent:      health.ScannerSilent,
	devices.WrongLayout: health.ScannerLayout,
	devices.Typed:       health.ScannerTyped,
}

// showScanner puts on the board what is wrong with a scanner now, and takes down
// what no longer is.
func (d *daemon) showScanner(r *devices.Reader) {
	d.showing.Lock() // from looking to showing: what is older must not come last
	defer d.showing.Unlock()
	st := r.State()
	wrong := map[health.Code]string{}
	if code, down := statusConditions[st.Status]; down {
		wrong[code] = st.Reason
	}
	if st.Status.Up() {
		if st.Code == devices.Stalled {
			wrong[health.ScannerStalled] = st.Reason
		}
		for _, f := range r.Diagnose() {
			wrong[diagnosisConditions[f.Code]] = f.EN
		}
	}
	switch tee := st.Tee; {
	case tee.Path == "" || st.Status == devices.Stopped:
	case tee.Reason != "":
		wrong[health.TeeFailed] = tee.Reason
	case tee.Stuck:
		wrong[health.TeeStuck] = tee.Path
	case tee.Ready && !tee.Opened:
		wrong[health.TeeUnused] = tee.Path
	}
	for _, code := range health.ScannerConditions {
		detail, bad := wrong[code]
		d.board.Set(code, st.Scanner, bad, detail)
	}
}

// lookAtScanners finds what shows only with time: silence, and how the second
// programs get on.
func (d *daemon) lookAtScanners() {
	for _, r := range d.readers {
		if r.State().Status != devices.Stopped {
			d.showScanner(r)
		}
	}
}

// signal lets a scanner say how a reading went.
func (d *daemon) signal(scanner string, s devices.Signal) {
	for _, r := range d.readers {
		if r.Name == scanner {
			r.Signal(s)
		}
	}
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
