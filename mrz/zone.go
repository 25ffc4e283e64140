package mrz

import "strings"

// A zone is a set of lines laid against the layout of their format. Each line
// has exactly the layout's width, so that spans can be cut without a look at
// lengths.
type zone struct {
	*layout
	lines [maxLines]string
	// given is how many cells of each line were really handed in; those
	// beyond are unread.
	given [maxLines]int
	// whole: every line had the right length.
	whole bool
}

// recognise finds the layout of lines by their number and length, and between
// a visa and its twin by the first letter. One line of the right length is
// enough: a line that lost or gained a character at its end is still shown.
func recognise(lines []string) (zone, bool) {
	var found []*layout
	var twins [2]*layout
	found = twins[:0]
	for i := range layouts {
		if layouts[i].fits(lines) {
			if len(found) > 0 && found[0].width != layouts[i].width {
				return zone{}, false // one line of 36 and one of 44
			}
			if len(found) < len(twins) {
				found = append(found, &layouts[i])
			}
		}
	}
	switch {
	case len(found) == 0:
		return zone{}, false
	case len(found) == 1:
		return found[0].lay(lines), true
	}
	document, visa := found[0], found[1]
	if c := firstCell(lines); c == 'V' {
		return visa.lay(lines), true
	} else if is(c, letters) {
		return document.lay(lines), true
	}
	// The first letter is not known. All digits of a visa stand where a
	// passport or card has them too; what tells them apart is the composite.
	z := document.lay(lines)
	if z.ownDigitsHold() && z.compositeStatus() == Refuted {
		return visa.lay(lines), true
	}
	return z, true
}

func firstCell(lines []string) byte {
	if lines[0] == "" {
		return unread
	}
	return lines[0][0]
}

// fits reports whether lines have the layout's number and at least one of them
// its width.
func (l *layout) fits(lines []string) bool {
	if len(lines) != l.lines {
		return false
	}
	for _, line := range lines {
		if len(line) == l.width {
			return true
		}
	}
	return false
}

// lay cuts or pads lines to the layout's width. Cells that were not handed in
// are unread: what stood there is not known.
func (l *layout) lay(lines []string) zone {
	z := zone{layout: l, whole: true}
	for i, line := range lines {
		z.given[i] = min(len(line), l.width)
		if len(line) != l.width {
			z.whole = false
			line = line[:z.given[i]] + strings.Repeat(string(unread), l.width-z.given[i])
		}
		z.lines[i] = line
	}
	return z
}

func (z *zone) cells(s span) string { return z.lines[s.line][s.from:s.to] }

func (z *zone) cell(s span) byte { return z.lines[s.line][s.from] }

// compositeStatus judges everything the composite digit covers.
func (z *zone) compositeStatus() Status {
	if !z.compositeDigit.exists() {
		return Absent
	}
	var w weighing
	for _, s := range z.composite {
		w.add(z.cells(s))
	}
	return w.against(z.cell(z.compositeDigit))
}

// ownDigitsHold reports that number and dates all agree with their digits.
func (z *zone) ownDigitsHold() bool {
	return judge(z.cells(z.birth), z.cell(z.birthDigit)) == Verified &&
		judge(z.cells(z.expiry), z.cell(z.expiryDigit)) == Verified &&
		z.readNumber().status == Verified
}

// Character classes, to be combined.
const (
	letters uint8 = 1 << iota
	digits
	fillers
	sexes // M, F, X
)

var classes = func() (t [256]uint8) {
	for c := 'A'; c <= 'Z'; c++ {
		t[c] |= letters
	}
	for c := '0'; c <= '9'; c++ {
		t[c] |= digits
	}
	t[filler] |= fillers
	for _, c := range "MFX" {
		t[c] |= sexes
	}
	return t
}()

// is reports whether c belongs to one of the classes.
func is(c byte, class uint8) bool { return classes[c]&class != 0 }

// printable turns cells into a value that is safe to show: what is no
// character of a zone becomes the mark for unread.
func printable(cells string) string {
	for i := 0; i < len(cells); i++ {
		if values[cells[i]] == noValue && cells[i] != unread {
			b := []byte(cells)
			for j := range b {
				if values[b[j]] == noValue {
					b[j] = unread
				}
			}
			return string(b)
		}
	}
	return cells
}

// value is printable without the fillers at the end.
func value(cells string) string { return strings.TrimRight(printable(cells), string(rune(filler))) }
