package devices

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Presence says how far a scanner can be used.
type Presence string

const (
	Stopped  Presence = "stopped"  // Run is not running, or has not tried to open it yet
	Absent   Presence = "absent"   // not there, or unplugged
	Denied   Presence = "denied"   // there, but this process may not use it
	Busy     Presence = "busy"     // another program has it
	Failed   Presence = "failed"   // there, but it cannot be used for another reason
	Ready    Presence = "ready"    // open and waiting for a document
	Reading  Presence = "reading"  // bytes of a document are coming in
	Degraded Presence = "degraded" // open, but documents are lost or not read; Code says why
)

// Up says whether a document put into the scanner now would be read.
func (p Presence) Up() bool { return p == Ready || p == Reading || p == Degraded }

// Stalled is the code of a scanner whose scans are lost because nobody takes them.
const Stalled = "stalled"

// State is what is known of a scanner at one moment.
type State struct {
	Scanner  string    `json:"scanner"`
	Status   Presence  `json:"status"`
	Code     string    `json:"code"`      // of Degraded: Stalled or the code of a Diagnosis
	Reason   string    `json:"reason"`    // in words, if Status is not ready or reading; never holds what was read
	Since    time.Time `json:"since"`     // when Status began
	LastScan time.Time `json:"last_scan"` // when the last scan came, complete or not; zero if none did
	Dropped  uint64    `json:"dropped"`   // scans lost because nobody took them
	Tee      TeeState  `json:"tee"`       // of the second program, if there is one
}

// State returns the present state. It may be called at any time, also by
// OnChange and also before and after Run.
func (r *Reader) State() State {
	r.mu.Lock()
	s := r.stateLocked()
	r.mu.Unlock()
	if r.Tee != nil {
		s.Tee = r.Tee.State()
	}
	return s
}

// Stats counts what has come from the scanner since the Reader was made.
func (r *Reader) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.past.Plus(r.current)
}

// stateLocked joins what the reading side knows with what the delivering side
// knows. r.mu is held.
func (r *Reader) stateLocked() State {
	s := r.state
	s.Scanner = r.Name
	if s.Status == "" {
		s.Status = Stopped
	}
	switch {
	case !s.Status.Up():
	case r.stalled:
		s.Status, s.Code = Degraded, Stalled
		s.Reason = fmt.Sprintf("scans are not being taken: %d waiting, %d lost", lineLength, s.Dropped)
	case r.history.found != "":
		s.Status, s.Code, s.Reason = Degraded, r.history.found, r.history.words
	}
	return s
}

// change lets f change the state and tells OnChange and the log if the status
// is another one afterwards. Both goroutines of Run come here; r.telling keeps
// their reports in order.
func (r *Reader) change(f func()) {
	r.telling.Lock()
	defer r.telling.Unlock()

	r.mu.Lock()
	before := r.stateLocked()
	f()
	after := r.stateLocked()
	if after.Status != before.Status {
		r.state.Since = time.Now()
		after.Since = r.state.Since
	}
	r.mu.Unlock()

	if after.Status == before.Status {
		return
	}
	r.logChange(before.Status, after)
	if r.OnChange != nil {
		r.OnChange(after)
	}
}

// set changes the status of the scanner as the reading side sees it.
func (r *Reader) set(p Presence, reason string) {
	r.change(func() { r.state.Status, r.state.Reason = p, reason })
}

// logChange writes one line when a scanner comes, goes or changes the reason
// why it cannot be used. A swipe is not worth a line above debug.
func (r *Reader) logChange(before Presence, s State) {
	level, text := slog.LevelDebug, "scanner state changed"
	switch {
	case s.Status == Degraded:
		level, text = slog.LevelWarn, "scanner degraded"
	case before == Degraded && s.Status.Up():
		level, text = slog.LevelInfo, "scanner recovered"
	case s.Status == Stopped:
		level, text = slog.LevelInfo, "scanner stopped"
	case s.Status.Up() && !before.Up():
		level, text = slog.LevelInfo, "scanner ready"
	case !s.Status.Up():
		level, text = slog.LevelWarn, "scanner not usable"
	}
	r.log(level, text, "status", string(s.Status), "reason", s.Reason, "dropped", s.Dropped)
}

// presence is the status of a scanner that could not be opened, or whose
// session ended, because of err.
func presence(err error) Presence {
	switch {
	case errors.Is(err, ErrAbsent), errors.Is(err, ErrUnplugged), errors.Is(err, io.EOF):
		return Absent
	case errors.Is(err, ErrDenied):
		return Denied
	case errors.Is(err, ErrBusy):
		return Busy
	}
	return Failed
}
