package mrz

import (
	"slices"
	"strings"
)

// maxZones bounds how many zones are looked for in one text.
const maxZones = 64

// Zones picks out of lines the groups that look like a zone, in order. Lines of
// the right lengths are best, but lines that lost or gained some fillers will
// do. If there is none and the lines are so few that they can only be meant as
// one zone, they are returned as that, for Read to say what is wrong.
func Zones(lines []string) [][]string {
	// No line of a zone comes twice, but a scanner may send one so.
	lines = slices.CompactFunc(slices.Clone(lines), func(a, b string) bool { return a == b && strings.ContainsAny(a, anyDigit) })
	var zones [][]string
	for i := 0; i < len(lines) && len(zones) < maxZones; {
		if l := zoneAt(lines[i:]); l != nil {
			zones = append(zones, lines[i:i+l.lines:i+l.lines])
			i += l.lines
		} else {
			i++
		}
	}
	if zones == nil && 0 < len(lines) && len(lines) <= maxLines {
		zones = append(zones, lines)
	}
	return zones
}

// zoneAt returns the layout of the zone that lines begin with, if any. A heading
// before it must not spoil a zone, so that lines of the right lengths come
// before others, and dates full of digits before others, also where they begin
// a line or two later.
func zoneAt(lines []string) *layout {
	l, quality := bestAt(lines)
	if l == nil {
		return nil
	}
	for start := 1; start < l.lines && start < len(lines); start++ {
		if _, later := bestAt(lines[start:]); later > quality {
			return nil
		}
	}
	return l
}

// bestAt returns the layout that the first lines look most like, and how much:
// the number of digits where dates belong, and more for right lengths.
func bestAt(lines []string) (best *layout, quality int) {
	for i := range layouts {
		l := &layouts[i]
		if len(lines) < l.lines {
			continue
		}
		group := lines[:l.lines]
		if !l.resembles(group) || !l.plausible(group) {
			continue
		}
		q := l.digitsIn(group)
		if l.exact(group) {
			q += exactLengths
		}
		if q > quality {
			best, quality = l, q
		}
	}
	return best, quality
}

// exactLengths is worth more than any number of digits in dates.
const exactLengths = 100

// digitsIn counts the digits where dates belong, and one for the zone.
func (l *layout) digitsIn(lines []string) int {
	var z zone
	l.lay(lines, &z)
	n := 1
	for _, s := range [...]span{l.birth, l.birthDigit, l.expiry, l.expiryDigit} {
		for _, c := range []byte(z.read(s)) {
			if is(c, digits) {
				n++
			}
		}
	}
	return n
}

// exact reports whether every line has the layout's width.
func (l *layout) exact(lines []string) bool {
	for i, line := range lines {
		if len(line) != l.widthOf(i) {
			return false
		}
	}
	return len(lines) == l.lines
}

// slack is by how many fillers a line may be too short or too long, if it ends
// with a check digit. Others may have lost all fillers at their end.
const slack = 3

// resembles reports whether lines have the layout's widths, give or take
// fillers.
func (l *layout) resembles(lines []string) bool {
	if len(lines) != l.lines {
		return false
	}
	for i, line := range lines {
		shortest := l.widthOf(i) - slack
		if !l.digitEnds(i) {
			shortest = l.shortest(i)
		}
		if len(line) < shortest || len(line) > l.widthOf(i)+slack {
			return false
		}
	}
	return true
}

// digitEnds reports whether the last cell of line i is a check digit.
func (l *layout) digitEnds(i int) bool {
	return l.compositeDigit.exists() && int(l.compositeDigit.line) == i
}

// shortest returns how much of line i must be left when its last fillers are
// lost: something of the name, or everything up to optional data.
func (l *layout) shortest(i int) int {
	n := 0
	for _, s := range [...]span{l.number, l.numberDigit, l.birth, l.expiryDigit} {
		if s.exists() && int(s.line) == i {
			n = max(n, int(s.to))
		}
	}
	if int(l.name.line) == i {
		n = max(n, int(l.name.from)+2)
	}
	return max(n, 2)
}

// plausible reports whether lines look like a zone of this layout. It must
// tolerate misread cells, and reject headings of the right length.
func (l *layout) plausible(lines []string) bool {
	if l.opening(lines) == impossible {
		return false
	}
	fillersSeen, odd := false, 0
	for _, line := range lines {
		if line == "" {
			return false
		}
		fillersSeen = fillersSeen || strings.IndexByte(line, filler) >= 0
		for j := 0; j < len(line); j++ {
			if is(line[j], illegal) {
				odd++
			}
		}
	}
	code := 0
	if l.documentCode.line == 0 {
		code = int(l.documentCode.from)
	}
	if !fillersSeen || odd > len(lines) || is(lines[0][code], fillers) {
		return false
	}
	var z zone
	l.lay(lines, &z)
	dates := z.read(l.birth) + z.read(l.expiry)
	good := 0
	for i := 0; i < len(dates); i++ {
		if is(dates[i], digits|fillers|unreads) || digitTwin(dates[i]) != 0 {
			good++
		}
	}
	return good*3 >= len(dates)*2
}
