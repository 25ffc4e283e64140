package mrz

import (
	"slices"
	"strings"
)

// NameKey returns a name in a form that may be compared and hashed: all parts
// of primary and secondary in their order, in capitals A to Z, with single
// blanks between them. Diacritics are folded as Doc 9303-3 section 6 does for
// a zone; apostrophes vanish; hyphens, blanks and fillers are alike. Characters
// of other scripts are kept.
//
// The key does not say where primary ends, because documents of one person
// differ in that where names have no such border. It is exact otherwise: a
// truncated name has another key than the whole one.
func NameKey(primary, secondary string) string {
	return nameOf(primary, secondary, false).key()
}

// Likeness grades how alike two names are. Greater is more alike.
type Likeness int

// The grades of SameName.
const (
	// Different: no rule explains how both could be one name. Also if one of
	// them is empty: nothing is known then.
	Different Likeness = iota
	// Compatible: the names differ, in a way that documents of one person do:
	// parts in another order or on the other side of the border, a part
	// missing, initials, or one name cut to fit its field.
	Compatible
	// Same: the same parts in the same places, spelling variants of the
	// standard's transliteration (MÜLLER: MUELLER, MULLER) included.
	Same
)

// String returns "different", "compatible" or "same".
func (l Likeness) String() string {
	switch l {
	case Same:
		return "same"
	case Compatible:
		return "compatible"
	}
	return "different"
}

// SameName compares two names, each from a zone or from a list, in any order.
// It is a help for a person to decide, and lenient: Compatible names may still
// be two people.
func SameName(aPrimary, aSecondary, bPrimary, bSecondary string) Likeness {
	best := Different
	for _, a := range spellings(aPrimary, aSecondary) {
		for _, b := range spellings(bPrimary, bSecondary) {
			best = max(best, a.likeness(b))
		}
	}
	return best
}

// A foldedName is a name's parts in zone letters.
type foldedName struct {
	parts   []string
	primary int // how many of them are primary
	width   int // cells that the name fills in a zone
}

// maxParts bounds the work of a comparison. A zone has room for 20.
const maxParts = 32

func nameOf(primary, secondary string, plain bool) foldedName {
	first, _ := fold(primary, plain)
	second, _ := fold(secondary, plain)
	n := foldedName{parts: strings.Fields(first), width: len(first)}
	n.primary = len(n.parts)
	n.parts = append(n.parts, strings.Fields(second)...)
	if second != "" {
		n.width += len("<<") + len(second)
	}
	return n
}

// spellings returns the name with each choice of transliteration.
func spellings(primary, secondary string) []foldedName {
	names := []foldedName{nameOf(primary, secondary, false)}
	if !isASCII(primary) || !isASCII(secondary) {
		names = append(names, nameOf(primary, secondary, true))
	}
	return names
}

func (n foldedName) key() string { return strings.Join(n.parts, " ") }

func (n foldedName) likeness(o foldedName) Likeness {
	switch {
	case len(n.parts) == 0 || len(o.parts) == 0:
		return Different
	case n.primary == o.primary && slices.Equal(n.parts, o.parts):
		return Same
	case len(n.parts) > maxParts || len(o.parts) > maxParts:
		return Different
	}
	if n.within(o) || o.within(n) || n.cutFrom(o) || o.cutFrom(n) {
		return Compatible
	}
	return Different
}

// within reports whether each part of n is one of o's, in any order; a single
// letter may stand for a part it begins. At least one part must be in full.
func (n foldedName) within(o foldedName) bool {
	if len(n.parts) > len(o.parts) {
		return false
	}
	used := make([]bool, len(o.parts))
	take := func(fits func(string) bool) bool {
		for i, part := range o.parts {
			if !used[i] && fits(part) {
				used[i] = true
				return true
			}
		}
		return false
	}
	var initials []string
	whole := false
	for _, part := range n.parts {
		if take(func(s string) bool { return s == part }) {
			whole = whole || len(part) > 1
		} else if len(part) == 1 {
			initials = append(initials, part)
		} else {
			return false
		}
	}
	for _, letter := range initials {
		if !take(func(s string) bool { return strings.HasPrefix(s, letter) }) {
			return false
		}
	}
	return whole
}

// cutFrom reports whether n is what a zone leaves of o: it fills the name field
// of some format to the last cell, and its parts are beginnings of o's, in
// their order and on the same side of the border, some perhaps left out
// (Doc 9303-3 §4.6, Doc 9303-4 §4.2.3).
func (n foldedName) cutFrom(o foldedName) bool {
	if n.width >= o.width || !fillsNameField(n.width) {
		return false
	}
	return beginnings(n.parts[:n.primary], o.parts[:o.primary]) &&
		beginnings(n.parts[n.primary:], o.parts[o.primary:])
}

func fillsNameField(width int) bool {
	for i := range layouts {
		if layouts[i].name.width() == width {
			return true
		}
	}
	return false
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
