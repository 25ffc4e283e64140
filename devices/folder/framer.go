package folder

import (
	"time"

	"lintas/devices"
)

// framer turns a source's tokens back into scans.
type framer struct {
	f    *Folder
	held time.Time // when it stops looking as if a file were being read; zero: none is
}

// reading is longer than reading any file takes.
const reading = time.Hour

// Framer makes the framer of one session.
func (f *Folder) Framer() devices.Framer { return &framer{f: f} }

// Push takes tokens.
func (r *framer) Push(now time.Time, b []byte, emit func(devices.Scan)) {
	for _, token := range b {
		switch token {
		case tokenBegin:
			r.held = now.Add(reading)
		case tokenEnd:
			r.held = time.Time{}
		case tokenScan:
			if scan, ok := r.f.next(); ok {
				emit(scan)
			}
		}
	}
}

// next takes the scan that waits longest.
func (f *Folder) next() (scan devices.Scan, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ready) == 0 {
		return scan, false
	}
	scan, f.ready = f.ready[0], f.ready[1:]
	f.given++
	switch scan.Status {
	case devices.Complete:
		f.stats.Complete++
	default:
		f.stats.Partial++
	}
	return scan, true
}

// Idle drops nothing: what was not given yet is read again.
func (r *framer) Idle(time.Time, func(devices.Scan)) { r.held = time.Time{} }

// Deadline tells whether a file is being read.
func (r *framer) Deadline() (time.Time, bool) { return r.held, !r.held.IsZero() }

// Stats counts the bytes of files and their scans.
func (r *framer) Stats() devices.Stats {
	r.f.mu.Lock()
	defer r.f.mu.Unlock()
	return r.f.stats
}
