package frame

import (
	"bytes"
	"time"

	"lintas/devices"
	"lintas/mrz"
)

// maxLines is how many lines the longest document has.
const maxLines = 3

// maxUnread is how many characters of a line may be unread in a complete scan.
// A line with more of them, often one that the scanner has padded, does not
// hold a document any more.
const maxUnread = 4

// document is what has come of a document so far.
type document struct {
	text   [maxLines][maxRun]byte
	length [maxLines]int
	lines  int
	shape  shape // of the whole, unless it is broken
	broken bool  // can only become a partial scan
	padded bool  // fillers were taken off its lines: complete only if it is valid
	first  time.Time
	last   time.Time
}

// next is where the next line belongs.
func (d *document) next() place {
	if d.lines == 0 || d.broken {
		return place{}
	}
	return place{d.shape, d.lines + 1}
}

// A proof is what check digits say of a document.
type proof uint8

const (
	nothing proof = iota
	valid         // all that are printed are right
	bounded       // and one of them covers both ends of the last line
)

// prove looks at the document's check digits, with more lines behind it. In a visa
// the end of the second line has none, and in three lines the third.
func (d *document) prove(more ...[]byte) proof {
	lines := make([]string, 0, maxLines)
	for i := range d.lines {
		lines = append(lines, string(d.text[i][:d.length[i]]))
	}
	for _, l := range more {
		lines = append(lines, string(l))
	}
	doc := mrz.Parse(lines, mrz.Date{})
	switch {
	case !doc.Valid || doc.Format == "" || doc.Format == mrz.CHDL:
		return nothing
	case doc.Checks.Composite == mrz.Verified && len(lines) == 2:
		return bounded
	}
	return valid
}

// add puts a line into its place, or something without one: a fragment, or a
// line that can only follow another. It emits what is finished by that.
func (f *Framer) add(line []byte, p part, emit func(devices.Scan)) {
	d := &f.doc
	if p.loose && d.shorten(line) {
		p.place = d.next()
	}
	fits := p.place.shape != none && p.place == d.next()
	if !fits && p.place.at == 1 {
		f.flush(emit) // it begins another one
		d.shape, fits = p.place.shape, true
	}
	if d.lines == 0 {
		d.first = f.first
	}
	d.last, f.ended = f.last, false
	d.padded = d.padded || p.padded
	if !fits {
		d.broken = true
	}
	if d.lines == maxLines { // of a broken document: enough to show
		f.stats.Noise += uint64(len(line))
		return
	}
	d.length[d.lines] = copy(d.text[d.lines][:], line)
	d.lines++
	if !d.broken && d.lines == d.shape.lines() {
		f.flush(emit)
	}
}

// shorten takes the beginning of another line off the first one, if only that
// makes the second one fit: half a line and a shorter first line, glued together,
// can have the length of a longer one.
func (d *document) shorten(line []byte) bool {
	if d.lines != 1 || d.broken {
		return false
	}
	for _, sh := range [...]shape{medium, short} {
		off := d.length[0] - sh.width(1)
		if off <= 0 || !(place{sh, 2}).takes(line) {
			continue
		}
		first := d.text[0][off:d.length[0]]
		var other document
		if surelyBegins(first) && (sh == short && datesProve(line) || sh == medium && other.prove(first, line) != nothing) {
			d.length[0] = copy(d.text[0][:], first)
			d.shape = sh
			return true
		}
	}
	return false
}

// flush emits the document, whatever there is of it.
func (f *Framer) flush(emit func(devices.Scan)) {
	d := &f.doc
	defer func() {
		d.lines, d.shape, d.broken, d.padded, f.ended = 0, none, false, false, false
	}()
	switch {
	case d.lines == 0:
		return
	case d.lines == 1 && d.length[0] < minFragment: // the head of a Swiss licence
		f.stats.Noise += uint64(d.length[0])
		return
	}
	scan := devices.Scan{
		Status: devices.Complete,
		Lines:  make([]string, d.lines),
		First:  d.first,
		Last:   d.last,
	}
	if d.broken || d.lines < d.shape.lines() || d.padded && d.prove() == nothing {
		scan.Status = devices.Partial
	}
	for i := range scan.Lines {
		line := d.text[i][:d.length[i]]
		if bytes.Count(line, []byte{'_'}) > maxUnread {
			scan.Status = devices.Partial
		}
		scan.Lines[i] = string(line)
	}
	if scan.Status == devices.Complete {
		f.stats.Complete++
	} else {
		f.stats.Partial++
	}
	emit(scan)
}
