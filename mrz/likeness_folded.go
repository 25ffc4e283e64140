package mrz

import (
	"slices"
	"strings"
)

// A foldedName is a name's parts in zone letters, in one of its spellings.
type foldedName struct {
	parts   []string
	primary int  // how many of them are primary
	width   int  // cells that the name fills in a zone
	full    bool // these are all cells of its field, or may be
}

// maxParts bounds the work of a comparison. A zone has room for 20.
const maxParts = 32

func (n Name) folded(st style) foldedName {
	first, _ := fold(n.primary, st)
	second, _ := fold(n.secondary, st)
	f := foldedName{parts: strings.Fields(first), width: len(first)}
	f.primary = len(f.parts)
	if second != "" {
		f.parts = append(f.parts, strings.Fields(second)...)
		f.width += len("<<") + len(second)
	}
	f.full = n.Truncated || fillsNameField(f.width)
	return f
}

// fillsNameField reports whether a format has a field of this width for both
// identifiers. Formats with a field for each say themselves that a name is cut.
func fillsNameField(width int) bool {
	for i := range layouts {
		if l := &layouts[i]; l.name.width() == width && !l.secondary.exists() {
			return true
		}
	}
	return false
}

// compare grades two names letter by letter: each is in one spelling.
func (n *foldedName) compare(o *foldedName) grade {
	switch {
	case len(n.parts) == 0 || len(o.parts) == 0:
		return grade{Different, because(NameEmpty)}
	case slices.Equal(n.parts, o.parts):
		if n.primary == o.primary {
			return grade{Same, because(NameExact)}
		}
		return grade{Compatible, because(NameBorder)}
	case len(n.parts) > maxParts || len(o.parts) > maxParts:
		return grade{Different, because(NameDifferent)}
	case n.misreadOf(o):
		return grade{Compatible, because(NameMisread)}
	case n.repeats(o) || o.repeats(n):
		return grade{Compatible, because(NameRepeated)}
	}
	if why, ok := n.cutFrom(o); ok {
		return grade{Compatible, why}
	}
	if why, ok := o.cutFrom(n); ok {
		return grade{Compatible, why}
	}
	if why, ok := pair(n, o); ok {
		return grade{Compatible, why}
	}
	return grade{Different, because(NameDifferent)}
}

// misreadOf reports whether the names differ in one cell and nothing else, and
// there by a letter's twin among the digits or by a cell that was not read.
func (n *foldedName) misreadOf(o *foldedName) bool {
	if len(n.parts) != len(o.parts) || n.primary != o.primary {
		return false
	}
	found := false
	for i, a := range n.parts {
		b := o.parts[i]
		if len(a) != len(b) {
			return false
		}
		for j := range len(a) {
			if a[j] == b[j] {
				continue
			}
			if found || !misread(a[j], b[j]) {
				return false
			}
			found = true
		}
	}
	return found
}

// misread reports whether a reader may have made one character of the other.
func misread(a, b byte) bool {
	return a == unread || b == unread || strings.IndexByte(twins(a), b) >= 0
}

// repeats reports whether n has o's only name in both places: some States fill
// the given names of a holder of one name with that name.
func (n *foldedName) repeats(o *foldedName) bool {
	return n.primary*2 == len(n.parts) &&
		slices.Equal(n.parts[:n.primary], o.parts) &&
		slices.Equal(n.parts[n.primary:], o.parts)
}

// cutFrom reports whether n is what a zone leaves of o: it fills the name field
// of some format to the last cell, and its parts are beginnings of o's, in
// their order, some perhaps left out (Doc 9303-3 §4.6, Doc 9303-4 §4.2.3 and
// its like in parts 5 to 7).
func (n *foldedName) cutFrom(o *foldedName) (reasons, bool) {
	if !n.full || n.width >= o.width {
		return 0, false
	}
	switch why := because(NameTruncated); {
	case beginnings(n.parts[:n.primary], o.parts[:o.primary]) &&
		beginnings(n.parts[n.primary:], o.parts[o.primary:]):
		return why, true
	case beginnings(n.parts, o.parts):
		return why | because(NameBorder), true
	case beginnings(withoutParticles(n.parts), o.parts):
		return why | because(NameParticle), true
	}
	return 0, false
}

// beginnings reports whether cut are prefixes of some of whole, in order. The
// first of both must belong together.
func beginnings(cut, whole []string) bool {
	for i, part := range cut {
		for len(whole) > 0 && !strings.HasPrefix(whole[0], part) {
			if i == 0 {
				return false
			}
			whole = whole[1:]
		}
		if len(whole) == 0 {
			return false
		}
		whole = whole[1:]
	}
	return true
}
