package frame

import (
	"bytes"
	"time"

	"lintas/devices"
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
	width  int  // of every line, unless it is broken
	broken bool // can only become a partial scan
	first  time.Time
	last   time.Time
}

// place says where a document stands: the next line is the at-th of a document
// whose lines have this width. The zero place is between two documents.
type place struct{ width, at int }

// next is where the next line belongs.
func (d *document) next() place {
	if d.lines == 0 || d.broken {
		return place{}
	}
	return place{d.width, d.lines + 1}
}

// add puts a line, or a fragment (width 0), to the document and emits what is
// finished by that.
func (f *Framer) add(line []byte, width int, emit func(devices.Scan)) {
	d := &f.doc
	fits := width > 0 && d.next() == place{width, d.lines + 1} && places(line).has(d.lines+1)
	if !fits && width > 0 && places(line).has(1) {
		f.flush(emit) // it begins another one
		d.width, fits = width, true
	}
	if d.lines == 0 {
		d.first = f.first
	}
	d.last = f.last
	if !fits {
		d.broken = true
	}
	if d.lines == maxLines { // of a broken document: enough to show
		f.stats.Noise += uint64(len(line))
		return
	}
	d.length[d.lines] = copy(d.text[d.lines][:], line)
	d.lines++
	if !d.broken && d.lines == linesOf(d.width) {
		f.flush(emit)
	}
}

// flush emits the document, whatever there is of it.
func (f *Framer) flush(emit func(devices.Scan)) {
	d := &f.doc
	if d.lines == 0 {
		return
	}
	scan := devices.Scan{
		Status: devices.Complete,
		Lines:  make([]string, d.lines),
		First:  d.first,
		Last:   d.last,
	}
	if d.broken || d.lines < linesOf(d.width) {
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
	d.lines, d.width, d.broken = 0, 0, false
	emit(scan)
}
