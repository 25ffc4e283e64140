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

// prove looks at the document's check digits, with more lines behind it.
func (d *document) prove(more ...[]byte) proof {
	var lines [2 * maxLines][]byte
	n := 0
	for ; n < d.lines; n++ {
		lines[n] = d.text[n][:d.length[n]]
	}
	n += copy(lines[n:], more)
	return prove(lines[:n])
}

// prove looks at a document's check digits. In a visa the end of the second line
// has none, and in three lines the third.
func prove(lines [][]byte) proof {
	if refuted(lines) {
		return nothing
	}
	var text [2 * maxLines]string
	for i, l := range lines {
		text[i] = string(l)
	}
	doc := mrz.Parse(text[:len(lines)], mrz.Date{})
	switch {
	case !doc.Valid || doc.Format == "" || doc.Format == mrz.CHDL:
		return nothing
	case doc.Checks.Composite == mrz.Verified && len(lines) == 2:
		return bounded
	}
	return valid
}

// refuted is a quick look whether lines prove nothing: one has an unread character, a
// date or the number contradicts its digit, or they are a Swiss licence, which has no
// digits. Nearly all that is no document fails by that.
func refuted(lines [][]byte) bool {
	for _, l := range lines {
		if bytes.IndexByte(l, '_') >= 0 {
			return true
		}
	}
	if len(lines) < 2 {
		return false
	}
	first, second := lines[0], lines[1]
	switch {
	case len(lines) == 3 && len(first) == headWidth:
		return true
	case len(lines) == 3 && len(first) == short.width(1) && len(second) == short.width(2):
		return !isDate(second[:7]) || !isDate(second[8:15]) || !mayBeNumber(first[5:15])
	case len(lines) == 2 && len(first) == len(second) && (len(first) == long.width(1) || len(first) == medium.width(1)):
		if len(first) == medium.width(1) && string(first[:opening]) == "IDFRA" && isDate(second[27:34]) {
			return false // the card of 1988
		}
		return !isDate(second[13:20]) || !isDate(second[21:28]) || !mayBeNumber(second[:10])
	}
	return false
}

// isDate says whether these are a date and its check digit, which are all fillers if
// the date is not known.
func isDate(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) && c != '<' {
			return false
		}
	}
	digit, _ := mrz.CheckDigit(string(b[:6]))
	return digit == b[6] || string(b) == "<<<<<<<"
}

// mayBeNumber says whether these can be a document's number and its check digit. A
// filler in its place means that a longer number goes on elsewhere, or that there is
// none.
func mayBeNumber(b []byte) bool {
	digit, _ := mrz.CheckDigit(string(b[:9]))
	return b[9] == '<' || b[9] == digit
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
		if surelyBegins(first) && (sh == short && datesProve(line) || sh == medium && prove([][]byte{first, line}) != nothing) {
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
