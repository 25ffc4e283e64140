package mrz

import (
	"cmp"
	"slices"
	"strings"
)

// Read reads one zone as scanners and people send it. Lines that are right as
// they stand are read by Parse and by nothing else. Others are tidied as by
// [Lines] and searched for a zone as by [Zones]; lines that lost or gained
// fillers get their width back, and misread characters are mended where the
// check digits leave exactly one answer. Repairs lists what was changed,
// Candidates what could have been meant where there are several answers.
//
// If nothing makes the zone right, the result is what Parse says of the tidied
// lines, with the candidates. If lines hold several zones, the first right one
// is returned, or the first; [ReadText] returns all.
func Read(lines []string, today Date) Document {
	d := Parse(lines, today)
	if d.Valid && !d.mendable() {
		return d
	}
	zones := Zones(Lines(join(lines)))
	for i, zone := range zones {
		if read := readZone(zone, today); i == 0 || read.Valid && !d.Valid {
			d = read
		}
	}
	return d
}

// Mend is Read for lines that are to be taken at their word: if they have the
// exact lengths of a format, nothing is tidied, so that a small letter is an
// illegal character and not a capital. Other lines are left to Read.
func Mend(lines []string, today Date) Document {
	d := Parse(lines, today)
	l, ok := layoutOf(d.Format)
	switch {
	case !ok || !l.exact(lines):
		return Read(lines, today)
	case d.Valid && !d.mendable():
		return d
	}
	return readZone(lines, today)
}

// ReadText reads every zone in a text as Read does. Text without any gives no
// document.
func ReadText(text string, today Date) []Document {
	var docs []Document
	for _, lines := range Zones(Lines(text)) {
		docs = append(docs, readZone(lines, today))
	}
	return docs
}

// join is strings.Join that does not build more than will be looked at.
func join(lines []string) string {
	n := 0
	for i, line := range lines {
		if n += len(line) + 1; n > maxText {
			lines = lines[:i+1]
			break
		}
	}
	return strings.Join(lines, "\n")
}

// lookalike are the letters that a digit or a filler may have been.
const lookalike = "OQDILZSGBK"

// mendable reports whether there may be something to mend or to offer in a
// document that every digit calls right.
func (d *Document) mendable() bool {
	return d.Has(CodeNameDigit) || d.Has(CodeStateUnknown) || d.Has(CodeDocumentCodeUnknown) ||
		misshapen(d.DocumentNumber, d.IssuingState) && strings.ContainsAny(d.DocumentNumber, lookalike)
}

// readZone reads the tidied lines of one zone. Of the formats that they can be
// in, those whose widths are nearest come first; lines as they stand come before
// repairs.
func readZone(lines []string, today Date) Document {
	formats := formatsOf(lines)
	work := 0
	for rest := formats; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].distance(lines) == rest[0].distance(lines) {
			n++
		}
		for _, mend := range []bool{false, true} {
			for _, l := range rest[:n] {
				if a, ok := l.attempt(lines, mend, &work); ok {
					return a.document(today)
				}
			}
		}
		rest = rest[n:]
	}
	d := Parse(lines, today)
	l, ok := layoutOf(d.Format)
	if !ok {
		if len(formats) == 0 {
			return d
		}
		l = formats[0]
	}
	if a, ok := l.closest(lines, &work); ok {
		return a.document(today)
	}
	return l.document(lines, today)
}

// formatsOf lists the formats that lines may be in, nearest first. Lines
// of the exact lengths of one are not taken for those of another that lost
// fillers.
func formatsOf(lines []string) (list []*layout) {
	exact := slices.ContainsFunc(layouts[:], func(l layout) bool { return l.exact(lines) })
	for i := range layouts {
		l := &layouts[i]
		if (l.exact(lines) || !exact && l.resembles(lines)) && l.opening(lines) != impossible {
			list = append(list, l)
		}
	}
	slices.SortStableFunc(list, func(a, b *layout) int {
		return cmp.Or(
			cmp.Compare(a.distance(lines), b.distance(lines)),
			cmp.Compare(b.opening(lines), a.opening(lines)))
	})
	return list
}

// distance counts by how many cells the widths of lines are not the layout's.
func (l *layout) distance(lines []string) (n int) {
	for i, line := range lines {
		n += max(l.widthOf(i)-len(line), len(line)-l.widthOf(i))
	}
	return n
}
