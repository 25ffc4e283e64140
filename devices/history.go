package devices

import (
	"slices"
	"time"
)

// maxPartials is how many partial scans are remembered.
const maxPartials = 20

// burstGap is a silence that no reader makes within a document.
const burstGap = time.Second

// history is what a Reader remembers in order to find out why a scanner that is
// there does not read.
type history struct {
	good     bool        // something has been read as it should since the last judgement
	wire     Wire        // since the last time something was, in this session
	bursts   int         // how often bytes have come after a silence since then
	before   Stats       // as they were then
	errors   LineErrors  // as they were then
	partials []time.Time // since the last complete scan, the newest last
	ever     bool        // there was one
	heard    time.Time   // the last byte
	judged   Evidence    // as it was when nothing was half read
	own      []Diagnosis // the framer's
	found    string      // code of what is wrong now, "" if nothing is
	words    string      // the same in English
}

// Diagnose says what is wrong with the scanner although it answers. A document
// that is on its way is not counted yet.
func (r *Reader) Diagnose() []Diagnosis {
	r.mu.Lock()
	e := r.history.judged
	e.Heard, e.Now = r.history.heard, time.Now()
	r.mu.Unlock()
	return Diagnose(e)
}

// begin begins a session. What the scanner sent before counts no longer: it may be
// another one, or set otherwise by now.
func (r *Reader) begin(now time.Time, src Source) {
	errors := lineErrors(src)
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &r.history
	h.before, h.wire, h.own, h.found, h.words = r.past.Plus(r.current), Wire{}, nil, "", ""
	h.judged, h.errors, h.bursts = Evidence{}, errors, 0
	if h.heard.IsZero() {
		h.heard = now
	}
}

// remember takes note of a scan. It is called with r.mu held.
func (h *history) remember(scan Scan) {
	switch scan.Status {
	case Complete:
		h.good, h.ever, h.partials = true, true, nil
	case Pass, Barcode: // the line is set as it should be; what of the glass, nobody knows
		h.good = true
	case Partial:
		h.partials = append(h.partials, scan.Last)
		if n := len(h.partials); n > maxPartials {
			h.partials = h.partials[n-maxPartials:]
		}
	}
}

// hear keeps count of bytes that have been read.
func (r *Reader) hear(now time.Time, p []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &r.history
	if h.wire.Bytes == 0 || now.Sub(h.heard) >= burstGap {
		h.bursts++
	}
	h.wire.count(p)
	h.heard = now
}

// judge looks at what has come once it is framed, and changes the state if it
// tells something new about the scanner.
func (r *Reader) judge(now time.Time, src Source) {
	errors := lineErrors(src)
	r.mu.Lock()
	h := &r.history
	if h.good {
		h.good, h.wire, h.bursts, h.before, h.errors = false, Wire{}, 0, r.past.Plus(r.current), errors
	}
	h.judged = Evidence{
		Line: r.Line, Stats: r.past.Plus(r.current).minus(h.before), Wire: h.wire, Bursts: h.bursts,
		Errors: errors.since(h.errors), Partials: slices.Clone(h.partials), Ever: h.ever, Heard: h.heard, Now: now,
		Framer: h.own,
	}
	code, words := "", ""
	for _, d := range Diagnose(h.judged) {
		if d.Mending {
			code, words = d.Code, d.EN
			break
		}
	}
	same := code == h.found
	r.mu.Unlock()
	if !same { // only this goroutine changes r.history.found
		r.change(func() { r.history.found, r.history.words = code, words })
	}
}

// lineErrors asks a source for its errors; one that does not count has none.
func lineErrors(src Source) LineErrors {
	if c, ok := as[LineCounter](src); ok {
		if e, err := c.LineErrors(); err == nil {
			return e
		}
	}
	return LineErrors{}
}
