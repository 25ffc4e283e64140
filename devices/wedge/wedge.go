// Package wedge reads scanners that type like a keyboard ("keyboard wedge").
//
// Such a scanner does not send characters. It presses keys, and which character
// a key stands for is a matter of the layout that the scanner was set to. The
// kernel hands the keys over as records of 24 bytes (struct input_event):
//
//	seconds int64, microseconds int64, type uint16, code uint16, value int32
//	… EV_KEY KEY_LEFTSHIFT 1 │ EV_SYN │ EV_KEY KEY_COMMA 1 │ EV_SYN │ EV_KEY KEY_COMMA 0 …
//
// Open takes a keyboard for itself and gives these bytes; a Framer makes
// characters of them, and leaves the characters to a framer of text:
//
//	/dev/input/event7 ── Open ── records ──► Framer ── characters, in every layout ──► text framers
//	                                            └──◄── the one layout that the keys prove ◄──┘
//
// A wrong layout is a danger: German keys read as American ones swap Y and Z in
// names, which no check digit covers. So every swipe is read in every layout
// that is known, and a scan is complete only if the keys leave one reading:
//
//   - '<' is Shift and the key beside M on an American keyboard, and has a key of
//     its own (KEY_102ND) on European ones. That key proves that the layout is
//     not American.
//   - digits are typed with Shift on a French keyboard, and without on others.
//     The wrong layout makes punctuation of them, so that no line comes out.
//   - where neither tells, because the scanner types digits on the keypad or '<'
//     by its number, check digits, states and document codes decide, if all
//     readings but one contradict them.
//
// What is left open, or contradicts the layout in the configuration, becomes a
// partial scan without text, and Diagnose says what a technician has to do.
//
// The package promises that letters are read whatever Caps Lock and Shift are,
// that keys typed by a person are given up, that a swipe of which the kernel has
// lost a key is void, and that no key is ever part of an error or a log. Time is
// taken from the records, so that a busy machine does not tear a swipe apart.
package wedge

import (
	"cmp"
	"slices"
	"time"

	"lintas/devices"
)

const (
	// DefaultGap is the silence after which a document is over.
	DefaultGap = 250 * time.Millisecond

	// slowest is the mean time between two keys above which a person types.
	// Scanners take 1 to 20 ms.
	slowest = 80 * time.Millisecond

	// aFewKeys is the number of keys from which the pace of typing can be told.
	aFewKeys = 5

	// aLine is the number of keys from which a sequence may have been a swipe: the
	// shortest line of a document, and something.
	aLine = 36

	// maxHeld is how many torn scans of one layout wait for a decision.
	maxHeld = 4
)

// Options adjust a Framer.
type Options struct {
	// Layout is what the scanner is set to; "": Auto.
	Layout Layout
	// Gap is the silence that ends a document; 0: DefaultGap.
	Gap time.Duration
	// Text makes a framer of characters that ends documents by the same gap. It
	// is asked once for every layout. Needed.
	Text func() devices.Framer
}

// Framer turns the records of a keyboard into scans. Use New.
type Framer struct {
	layout Layout
	gap    time.Duration

	record  [recordSize]byte // an unfinished one
	have    int
	skip    bool // until the next SYN_REPORT
	keys    keyboard
	reading []*reading

	// The burst is the sequence of keys since the last silence or decision.
	strokes int
	first   time.Time // of the burst; this and last are in the kernel's time
	last    time.Time // of the newest key, also after a decision
	capsed  bool      // Caps Lock was pressed in it
	void    bool      // keys of it are lost; a partial scan has said so

	// What the kernel's time was at a time of the caller's.
	now, then time.Time

	proven  Layout // of the last document
	stats   devices.Stats
	trouble []devices.Diagnosis // with the last swipe
}

var _ devices.Diagnoser = (*Framer)(nil)

// New makes a Framer.
func New(o Options) *Framer {
	if o.Gap <= 0 {
		o.Gap = DefaultGap
	}
	if o.Layout == "" {
		o.Layout = Auto
	}
	f := &Framer{layout: o.Layout, gap: o.Gap}
	for i := range tables {
		f.reading = append(f.reading, newReading(&tables[i], o.Text()))
	}
	return f
}

// Push takes records that were read at the time now.
func (f *Framer) Push(now time.Time, b []byte, emit func(devices.Scan)) {
	f.now = now
	if latest, ok := f.latest(b); ok {
		f.then = latest
	}
	for len(b) > 0 {
		n := copy(f.record[f.have:], b)
		b = b[n:]
		if f.have += n; f.have < recordSize {
			return
		}
		f.have = 0
		f.event(readEvent(f.record[:]), emit)
	}
}

// latest is the time of the last record that b completes.
func (f *Framer) latest(b []byte) (time.Time, bool) {
	whole := (f.have + len(b)) / recordSize * recordSize
	if whole == 0 {
		return time.Time{}, false
	}
	var record [recordSize]byte
	for i := range record {
		if at := whole - recordSize + i - f.have; at < 0 {
			record[i] = f.record[i]
		} else {
			record[i] = b[at]
		}
	}
	return later(readEvent(record[:]).time(), f.last), true
}

// Idle says that no key was pressed for the gap.
func (f *Framer) Idle(now time.Time, emit func(devices.Scan)) {
	f.now, f.then = now, later(f.then, f.last)
	f.silence(emit)
}

// Deadline is when Idle is due.
func (f *Framer) Deadline() (time.Time, bool) {
	if f.strokes == 0 && !f.void {
		return time.Time{}, false
	}
	return f.wall(f.last).Add(f.gap), true
}

// Stats counts characters, whatever the layout makes of them, and scans. What a
// person typed is noise.
func (f *Framer) Stats() devices.Stats { return f.stats }

// Diagnose says what kept the last swipe from being read.
func (f *Framer) Diagnose() []devices.Diagnosis { return f.trouble }

// wall is the caller's time for a time of the kernel's.
func (f *Framer) wall(t time.Time) time.Time { return f.now.Add(t.Sub(f.then)) }

// event takes one record.
func (f *Framer) event(e event, emit func(devices.Scan)) {
	switch {
	case e.kind == evSyn && e.code == synDropped:
		f.skip = true
		f.dropped(later(e.time(), f.last), emit)
	case f.skip:
		f.skip = e.kind != evSyn || e.code != synReport
	case e.kind == evKey && e.value == keyUp, e.kind == evKey && e.value == keyDown:
		s, ok := f.keys.take(e.code, e.value == keyDown)
		if e.code == keyCapsLock {
			f.capsed = true
		}
		if ok {
			f.stroke(later(e.time(), f.last), s, emit)
		}
	}
}

// stroke takes a key that was typed.
func (f *Framer) stroke(t time.Time, s stroke, emit func(devices.Scan)) {
	if (f.strokes > 0 || f.void) && t.Sub(f.last) >= f.gap {
		f.silence(emit)
	}
	if f.strokes == 0 {
		f.first = t
	}
	f.last = t
	f.strokes++
	f.stats.Bytes++
	complete := false
	for _, r := range f.reading {
		complete = r.push(t, s) || complete
	}
	if complete {
		f.decide(emit)
	}
}

// dropped voids the swipe of which the kernel has lost keys. Which modifiers
// are pressed is not known any more.
func (f *Framer) dropped(t time.Time, emit func(devices.Scan)) {
	f.keys = keyboard{}
	if f.strokes == 0 {
		f.first = t
	}
	first := f.first
	f.last = t
	f.begin(nil)
	if !f.void {
		f.refuse(first, nil, emit)
	}
	f.void = true
}

// silence ends what has been typed.
func (f *Framer) silence(emit func(devices.Scan)) {
	complete := false
	for _, r := range f.reading {
		complete = r.idle(f.last) || complete
	}
	if complete {
		f.decide(emit)
	}
	if f.strokes > 0 {
		f.leftovers(emit)
	}
	f.begin(nil)
	f.void, f.capsed = false, false
}

// leftovers emits what is no document: torn scans, barcodes. It takes them from
// the layout that is configured, or that the last document has proved, or that
// makes most of them.
func (f *Framer) leftovers(emit func(devices.Scan)) {
	rank := func(r *reading) int {
		switch {
		case r.witness || len(r.found) == 0:
			return 0
		case r.name == f.fixed():
			return 1 << 30
		case f.layout == Auto && r.name == f.proven:
			return 1 << 20
		}
		return 1 + r.length()
	}
	best := slices.MaxFunc(f.reading, func(a, b *reading) int { return cmp.Compare(rank(a), rank(b)) })
	if !f.void && f.strokes >= aLine && f.european() && (f.fixed() == American || 2*best.length() < f.strokes) {
		f.trouble = unknown // a line of '<', and no document in any layout
		if f.layout != Auto {
			f.trouble = otherThan(f.layout, nil)
		}
	}
	if rank(best) == 0 {
		f.pace()
		return
	}
	open := best.name != f.fixed() && best.name != f.proven && slices.ContainsFunc(f.reading, func(r *reading) bool {
		return rank(r) == rank(best) && !r.equal(best)
	})
	guess := open || f.layout != Auto && best.name != f.fixed()
	for _, scan := range best.found {
		if f.person(scan) {
			continue
		}
		if guess {
			scan = devices.Scan{Status: devices.Partial, Lines: []string{}, First: scan.First, Last: scan.Last}
		}
		f.hand(scan, emit)
	}
}

// european says whether a key was typed that American keyboards do not have.
func (f *Framer) european() bool {
	return slices.ContainsFunc(f.reading, func(r *reading) bool { return r.foreign })
}

// pace notices that somebody types what is not even a torn scan.
func (f *Framer) pace() {
	if f.strokes >= aFewKeys && f.last.Sub(f.first) > time.Duration(f.strokes-1)*slowest {
		f.trouble = typed
	}
}

// person says whether a scan was typed by a person, and then notes that.
func (f *Framer) person(scan devices.Scan) bool {
	length := len(scan.Lines) // line ends are keys as well
	for _, line := range scan.Lines {
		length += len(line)
	}
	if length < aFewKeys || scan.Last.Sub(scan.First) <= time.Duration(length-1)*slowest {
		return false
	}
	f.trouble = typed
	f.stats.Noise += uint64(length)
	return true
}

// hand emits a scan, unless it belongs to what has been reported as void.
func (f *Framer) hand(scan devices.Scan, emit func(devices.Scan)) {
	switch {
	case scan.Status == devices.Complete:
		f.trouble, f.void = nil, false
		f.stats.Complete++
	case scan.Status == devices.Pass:
		f.stats.Passes++
	case scan.Status == devices.Barcode:
		f.stats.Barcodes++
	case f.void:
		return
	default:
		f.stats.Partial++
	}
	scan.First, scan.Last = f.wall(scan.First), f.wall(scan.Last)
	emit(scan)
}

// refuse emits a partial scan without text, because the text would be a guess.
func (f *Framer) refuse(first time.Time, trouble []devices.Diagnosis, emit func(devices.Scan)) {
	if trouble != nil {
		f.trouble = trouble
	}
	f.stats.Partial++
	emit(devices.Scan{Status: devices.Partial, Lines: []string{}, First: f.wall(first), Last: f.wall(f.last)})
}

// begin forgets what was read in the burst, except that the framer of the layout
// that was believed may already hold the beginning of the next document.
func (f *Framer) begin(believed *reading) {
	for _, r := range f.reading {
		if r != believed {
			r.idle(f.last)
		}
		r.forget()
	}
	f.strokes = 0
	if believed != nil {
		if _, held := believed.text.Deadline(); held {
			f.strokes, f.first = 1, f.last
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
