// Package frame finds machine-readable zones in the bytes of a scanner.
//
// Scanners agree on little but the text itself: lines of 44, 36 or 30 characters
// (and 9, of a Swiss licence) out of [A-Z0-9<]. Around them stand line ends of all
// kinds, control bytes, lengths, checksums, words; between two documents there may
// be nothing at all. So the package looks at the content only:
//
//	STX P<UTOERIKSSON<<ANNA<… CR L898902C36UTO7408122F… CR ETX x   one scan
//	P<UTOERIKSSON<<ANNA<…L898902C36UTO7408122F…                    one scan
//	… CR LF L898902C36UTO7408122F… CR LF P<UTOLIND<<… CR LF …      two scans
//	P<UTOERIKSSON<<ANNA<… CR  (silence)                            partial
//	P<UTOERIKSS P<UTOLIND<<… CR X123456784UTO9001015F… CR          partial, one scan
//
// A scan is emitted when the byte after its last line is seen, or when the line
// has been silent for the gap. Lines are put together only if they have the
// same length, follow each other without such a silence, and look like a first
// and a second (and a third) line: those of two travellers never become one
// document because one line of each was lost.
//
// Unread characters are '_'; a '*' or '?' that a scanner sends for one becomes
// '_'. Lower-case letters are noise: no scanner sends a zone in lower case, and a
// line in which they occur is not to be trusted. Magnetic tracks, which combined
// readers send on the same wire, are dropped and counted, and so is anything
// that could be a card number.
//
// Some bytes of envelopes are zone characters themselves. Up to three of them
// before a document are put aside. Whatever else is glued to a document, half a
// swipe before it or after it, is told from it by its content: by a document
// code and a State that exists, or by all check digits being right. What cannot
// be told apart for certain stays partial.
//
// Boarding passes (IATA Resolution 792) come from the same readers. They are
// recognised by their content too and give where the journey goes; the name on
// them stays here. Other barcodes are named if an AIM identifier (ISO/IEC 15424)
// says what they are, and are noise otherwise.
//
// What the text says is not judged here: a complete scan can be full of misread
// characters. Whoever understands an envelope (package profile) can say by Break
// and End where one message begins or ends; that is never needed to find a
// document, and a lie in it loses none.
//
// The package promises what devices.Framer asks: no clock, no goroutine, no
// growth, the same scans however the bytes are cut. It allocates for a scan that
// it emits, and where it asks the check digits of lines that something is glued to.
package frame

import (
	"bytes"
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
	run     [maxRun]byte
	length  int
	trimmed bool // the run was longer, this is its end
	track   bool // inside a magnetic track
	doubted bool // the run began inside what seemed to be one
	first   time.Time
	last    time.Time // of the run, the track, the barcode or what is held for a pass

	heard time.Time // when anything came last

	doc   document
	label bool // the word LINE has come
	word  int  // how much of the word start has come in small letters
	ended bool // an end of text has come since the document's last line
	fresh bool // nothing has come since a line end, a start of text or a silence
	aim   aim
	code  code
	held  held
	stats devices.Stats

	survey survey
	parts  parts
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

// What envelopes are made of (ISO/IEC 646).
const (
	startOfHeading = 0x01
	startOfText    = 0x02
	endOfText      = 0x03
)

// class and character say what a byte is, and what a text byte stands for.
var class, character = func() (class [256]uint8, character [256]byte) {
	for c := range 128 {
		switch c := byte(c); {
		case 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '<', c == '_':
			class[c], character[c] = text, c
		case c == '*', c == '?': // unread, as other scanners say it
			class[c], character[c] = text, '_'
		case c == '\r', c == '\n':
			class[c] = lineEnd
		case c == '%', c == ';':
			class[c] = sentinel
		}
	}
	return class, character
}()

// Push takes bytes read at the time now.
func (f *Framer) Push(now time.Time, b []byte, emit func(devices.Scan)) {
	if due, held := f.Deadline(); held && !now.Before(due) {
		f.Idle(now, emit)
	}
	if !now.Before(f.heard.Add(f.gap)) {
		f.fresh, f.aim = true, aim{}
	}
	f.heard = now
	f.stats.Bytes += uint64(len(b))
	for _, c := range b {
		if c >= 0x80 {
			f.stats.HighBit++
		}
		if class[c] == other && c > ' ' && c != ']' && f.idle() {
			f.stats.Noise++ // by far the most frequent case in a flood
			f.fresh, f.aim.done = false, false
			continue
		}
		if class[c] == text && f.inRun() { // and nearly all of a flood of letters
			f.run[f.length] = character[c]
			f.length++
			f.last, f.fresh = now, false
			continue
		}
		f.feed(now, c, emit)
	}
}

// inRun says that there is a run, with room, and nothing else has begun.
func (f *Framer) inRun() bool {
	return f.length > 0 && f.length < maxRun && f.held.n == 0 && !f.track && f.aim.at == 0 && !f.aim.done && !f.code.active()
}

// idle says that nothing has begun.
func (f *Framer) idle() bool {
	return f.length == 0 && f.doc.lines == 0 && f.held.n == 0 && !f.track && f.aim.at == 0 && !f.code.active()
}

// feed takes a byte.
func (f *Framer) feed(now time.Time, c byte, emit func(devices.Scan)) {
	switch {
	case f.held.n > 0 && f.hold(now, c, emit):
	case f.mayBeginPass(c):
		f.held.begin(now, c)
		f.last = now
	default:
		f.plain(now, c, emit)
	}
}

// plain takes a byte that is not part of a boarding pass.
func (f *Framer) plain(now time.Time, c byte, emit func(devices.Scan)) {
	kind := class[c]
	f.aim.next(c, f.fresh)
	f.fresh = kind == lineEnd || c == startOfText
	switch {
	case kind == text && !(c == '?' && f.track):
		if c == '<' && f.track {
			f.track, f.doubted = false, true
		}
		f.code.length++
		f.char(now, character[c], emit)
	case f.track:
		f.inTrack(now, c, emit)
	case f.code.active():
		f.inCode(now, c, emit)
	case (c == '/' || c == ' ') && f.passBehindRun(now, c, emit):
	default:
		f.endRun(emit)
		if f.track { // still, or again
			f.inTrack(now, c, emit)
			break
		}
		if kind == sentinel {
			f.track, f.last = true, now
		}
		if kind != lineEnd {
			f.stats.Noise++
		}
		f.envelope(c, emit)
	}
	if f.aim.done && f.aim.kind() != "" {
		f.code = code{kind: f.aim.kind(), first: now}
		f.last = now
	}
}

// envelope notes where one message ends and the next begins. Lines on both sides
// of that are of two documents. A single control byte proves nothing: it can be
// noise.
func (f *Framer) envelope(c byte, emit func(devices.Scan)) {
	const start = "tart" // as some drivers of 3M readers write it
	switch {
	case f.doc.lines == 0:
	case c == endOfText:
		f.ended = true
	case (c == startOfHeading || c == startOfText) && f.ended:
		f.flush(emit)
	case c == start[f.word]:
		if f.word++; f.word == len(start) {
			f.word = 0
			f.flush(emit)
		}
		return
	}
	f.word = 0
}

// char adds a character to the run.
func (f *Framer) char(now time.Time, c byte, emit func(devices.Scan)) {
	if f.length == 0 {
		f.first = now
		if f.doc.lines > 0 && !now.Before(f.doc.last.Add(f.gap)) {
			f.flush(emit)
		}
	}
	if f.length == maxRun {
		f.settle(emit)
	}
	f.run[f.length] = c
	f.length++
	f.last = now
}

// Break says that one message of the scanner has ended and another begins, as
// somebody knows who understands its envelope: no document goes on behind it. The
// last n characters were of the envelope.
func (f *Framer) Break(n int, emit func(devices.Scan)) {
	if !f.track && f.length >= n {
		f.length -= n
		f.stats.Noise += uint64(n)
		f.endRun(emit)
	}
	f.flush(emit)
	f.fresh = true
}

// End says that the scanner's message has ended, as somebody knows who
// understands its envelope: a document that is whole by now need not wait for
// the gap. If none is, End does nothing: envelopes lie.
func (f *Framer) End(emit func(devices.Scan)) {
	if f.length == 0 || f.track || f.held.n > 0 || f.code.active() {
		return
	}
	if s := f.split(); s.completes() {
		f.endRun(emit)
	}
}

// Idle says that the line has been silent.
func (f *Framer) Idle(_ time.Time, emit func(devices.Scan)) {
	f.endHeld(emit)
	if !f.track {
		f.endRun(emit)
	}
	if f.track {
		f.endTrack()
	}
	f.endCode(emit)
	f.flush(emit)
	f.fresh, f.aim = true, aim{}
}

// Deadline is when Idle is due.
func (f *Framer) Deadline() (time.Time, bool) {
	switch {
	case f.length > 0 || f.track || f.held.n > 0 || f.code.active():
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
	if f.length == 0 {
		return
	}
	run := f.run[:f.length]
	switch {
	case f.doubted && !f.holdsLine():
		f.dropRun()
		f.track = true
		return
	case f.code.active():
		f.endRunInCode(run, emit)
	case f.isBreak(run): // between two messages of a 3M reader
		f.flush(emit)
		f.stats.Noise += uint64(len(run))
	case len(run) < short.width(1) && len(run) != headWidth: // as nearly all noise
		f.takePart(part{to: len(run)}, run, false, emit)
	default:
		f.take(f.split(), run, emit)
	}
	f.length, f.trimmed, f.doubted = 0, false, false
}

// isBreak knows the words between two documents of a 3M reader, also with another
// word glued to them: END, START, LINE 1, and MSR behind the document's lines. A
// name has fillers.
func (f *Framer) isBreak(run []byte) bool {
	labelled := f.label
	f.label = string(run) == "LINE"
	if len(run) >= short.width(1) || bytes.IndexByte(run, '<') >= 0 {
		return false
	}
	return labelled && string(run) == "1" || string(run) == "MSR" ||
		bytes.HasPrefix(run, []byte("END")) || bytes.Contains(run, []byte("START"))
}

// take adds the parts of a run to the document.
func (f *Framer) take(s *parts, run []byte, emit func(devices.Scan)) {
	for i, p := range s.list[:s.n] {
		f.takePart(p, run, i == 0 && f.trimmed, emit)
	}
}

// takePart adds a part of a run to the document, unless it is nothing. Flood: it
// is what is left of a run that was too long.
func (f *Framer) takePart(p part, run []byte, flood bool, emit func(devices.Scan)) {
	piece := run[p.from:p.to]
	if p.line() || isFragment(piece) && !flood {
		f.add(piece, p, emit)
		return
	}
	f.stats.Noise += uint64(len(piece))
}

// settle makes room in a run that has become too long: it takes out documents
// that are certain, or else forgets the older half. The line that follows a
// flood of letters is at its end.
func (f *Framer) settle(emit func(devices.Scan)) {
	run := f.run[:f.length]
	if n := f.certain(run); n > 0 {
		s := f.lineUp(run[:n])
		f.take(s, run[:n], emit)
		f.length = copy(f.run[:], run[n:])
		f.first = f.last
		return
	}
	f.stats.Noise += uint64(len(run) - keptRun)
	f.length = copy(f.run[:], run[len(run)-keptRun:])
	f.trimmed, f.first = true, f.last
}
