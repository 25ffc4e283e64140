// Package frame finds machine-readable zones in the bytes of a scanner.
//
// Scanners agree on little but the text itself: lines of 44, 36 or 30
// characters out of [A-Z0-9<]. Around them stand line ends of all kinds, control
// bytes, lengths, checksums, words; between two documents there may be nothing
// at all. So the package looks at the content only:
//
//	STX P<UTOERIKSSON<<ANNA<… CR L898902C36UTO7408122F… CR ETX x   one scan
//	P<UTOERIKSSON<<ANNA<…L898902C36UTO7408122F…                    one scan
//	… CR LF L898902C36UTO7408122F… CR LF P<UTOLIND<<… CR LF …      two scans
//	P<UTOERIKSSON<<ANNA<… CR  (silence)                            partial
//
// A scan is emitted when the byte after its last line is seen, or when the line
// has been silent for the gap. Lines are put together only if they have the
// same length, follow each other without such a silence, and look like a first
// and a second (and a third) line: those of two travellers never become one
// document because one line of each was lost.
//
// Unread characters are '_'. Lower-case letters are noise: no scanner sends a
// zone in lower case, and a line in which they occur is not to be trusted.
// Magnetic tracks, which combined readers send on the same wire, are dropped
// and counted, and so is anything that could be a card number.
//
// What the text says is not judged here: a complete scan can be full of
// misread characters, and check digits are for package mrz. A protocol whose
// envelope has to be understood (lengths, commands, escapes) needs a framer of
// its own.
//
// The package promises what devices.Framer asks: no clock, no goroutine, no
// growth, the same scans however the bytes are cut. It allocates only for a
// scan that it emits.
package frame

import (
	"time"

	"lintas/devices"
)

// DefaultGap is the silence after which a document is over. Scanners decode
// first and send then, so that even at 300 baud (33 ms a character) there is no
// such pause inside a document.
const DefaultGap = 250 * time.Millisecond

// Options adjust a Framer. The zero value is right for most scanners.
type Options struct {
	Gap time.Duration // silence that ends a document; 0: DefaultGap
}

// Framer cuts bytes into scans. Use New.
type Framer struct {
	gap time.Duration

	// The run is the present sequence of zone characters without another byte
	// between them.
	run      [maxRun]byte
	length   int
	overlong bool // too long to be anything; dropped until it ends
	track    bool // inside a magnetic track
	first    time.Time
	last     time.Time // of the run, or of the track

	doc   document
	stats devices.Stats
}

var _ devices.Framer = (*Framer)(nil)

// New makes a Framer.
func New(o Options) *Framer {
	if o.Gap <= 0 {
		o.Gap = DefaultGap
	}
	return &Framer{gap: o.Gap}
}

// The classes of bytes.
const (
	other    = iota // ends a run, is noise
	text            // belongs to a zone
	lineEnd         // ends a run
	sentinel        // begins a magnetic track
)

var class = func() (c [256]uint8) {
	for b := 'A'; b <= 'Z'; b++ {
		c[b] = text
	}
	for b := '0'; b <= '9'; b++ {
		c[b] = text
	}
	c['<'], c['_'] = text, text
	c['\r'], c['\n'] = lineEnd, lineEnd
	c['%'], c[';'] = sentinel, sentinel
	return c
}()

// Push takes bytes read at the time now.
func (f *Framer) Push(now time.Time, b []byte, emit func(devices.Scan)) {
	if due, held := f.Deadline(); held && !now.Before(due) {
		f.Idle(now, emit)
	}
	f.stats.Bytes += uint64(len(b))
	for _, c := range b {
		if c >= 0x80 {
			f.stats.HighBit++
		}
		switch kind := class[c]; {
		case kind == text:
			f.char(now, c, emit)
		case f.track:
			f.inTrack(now, c, emit)
		default:
			f.endRun(emit)
			if kind == sentinel {
				f.track, f.last = true, now
			}
			if kind != lineEnd {
				f.stats.Noise++
			}
		}
	}
}

// char adds a character to the run.
func (f *Framer) char(now time.Time, c byte, emit func(devices.Scan)) {
	switch {
	case f.overlong:
		f.stats.Noise++
	case f.length == maxRun:
		f.stats.Noise += maxRun + 1
		f.length, f.overlong = 0, true
	default:
		if f.length == 0 {
			f.first = now
			if f.doc.lines > 0 && !now.Before(f.doc.last.Add(f.gap)) {
				f.flush(emit)
			}
		}
		f.run[f.length] = c
		f.length++
	}
	f.last = now
}

// Idle says that the line has been silent.
func (f *Framer) Idle(_ time.Time, emit func(devices.Scan)) {
	if f.track {
		f.endTrack(emit)
	}
	f.endRun(emit)
	f.flush(emit)
}

// Deadline is when Idle is due.
func (f *Framer) Deadline() (time.Time, bool) {
	switch {
	case f.length > 0 || f.overlong || f.track:
		return f.last.Add(f.gap), true
	case f.doc.lines > 0:
		return f.doc.last.Add(f.gap), true
	}
	return time.Time{}, false
}

// Stats counts what was pushed so far. What is still held is not noise yet.
func (f *Framer) Stats() devices.Stats { return f.stats }

// endRun turns the run into lines.
func (f *Framer) endRun(emit func(devices.Scan)) {
	run := f.run[:f.length]
	f.length, f.overlong = 0, false
	if len(run) == 0 {
		return
	}
	c, ok := split(run, f.doc.next())
	if !ok {
		if !isFragment(run) {
			f.stats.Noise += uint64(len(run))
			return
		}
		f.add(run, 0, emit)
		return
	}
	f.stats.Noise += uint64(c.excess)
	run = run[c.excess:]
	for _, width := range c.widths[:c.lines] {
		f.add(run[:width], width, emit)
		run = run[width:]
	}
}
