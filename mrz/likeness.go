package mrz

// NameKey returns a name in a form that may be compared and hashed: all parts
// of primary and secondary in their order, in capitals A to Z, with single
// blanks between them. Letters are folded as Doc 9303-3 section 6 does for a
// zone, with the first of its recommendations where it has several; apostrophes
// vanish; hyphens, blanks and fillers are alike. Characters of scripts that no
// table reaches are kept.
//
// The key does not say where primary ends, because documents of one person
// differ in that where names have no such border. It is exact otherwise: a
// truncated name has another key than the whole one.
func NameKey(primary, secondary string) string {
	return Name{primary: primary, secondary: secondary}.Key()
}

// Likeness grades how alike two names are. Greater is more alike.
type Likeness int

// The grades of a Match.
const (
	// Different: no rule explains how both could be one name. Also if one of
	// them is empty: nothing is known then.
	Different Likeness = iota
	// Compatible: the names differ, in a way that documents of one person do.
	// The reasons say in which.
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

// MarshalText returns what String returns.
func (l Likeness) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// SameName compares two names, each from a zone or from a record, as
// Name.Compare does.
func SameName(aPrimary, aSecondary, bPrimary, bSecondary string) Likeness {
	return NewName(aPrimary, aSecondary).Compare(NewName(bPrimary, bSecondary)).Likeness
}

// A Match is the outcome of comparing two names.
type Match struct {
	Likeness Likeness     `json:"likeness"`
	Reasons  []NameReason `json:"reasons"` // at least one; each once
}

// maxCompared is how many bytes a name may have to be looked into. A zone has
// room for 39 and the longest names of records have a few hundred; beyond that,
// names are the same if they are equal as they were given, and else different.
const maxCompared = 1024

// Compare grades how alike two names are, of which each may come from a zone or
// from a record. The order does not matter.
//
// It is a help for a person to decide, and lenient: compatible names may still
// be two people. The work is bounded for names of any length.
func (n Name) Compare(o Name) Match {
	if o.before(n) { // the rules need not be symmetric
		n, o = o, n
	}
	if n.length() > maxCompared || o.length() > maxCompared {
		return n.compareLong(o).match()
	}
	a, b := n.spellings(), o.spellings()
	best := a[0].compare(&b[0])
	for i := range a {
		for j := range b {
			v := a[i].compare(&b[j])
			if i+j > 0 && v.likeness > Different {
				v.reasons = v.reasons&^because(NameExact) | because(NameSpelling)
			}
			if v.beats(best) {
				best = v
			}
			if best.likeness == Same {
				return best.match()
			}
		}
	}
	return best.match()
}

func (n Name) before(o Name) bool {
	if n.primary != o.primary {
		return n.primary < o.primary
	}
	return n.secondary < o.secondary
}

func (n Name) length() int { return len(n.primary) + len(n.secondary) }

func (n Name) compareLong(o Name) grade {
	if n.primary != o.primary || n.secondary != o.secondary {
		return grade{Different, because(NameDifferent)}
	}
	f := n.folded(style{})
	return f.compare(&f)
}

// spellings returns the name with each choice of transliteration.
func (n Name) spellings() []foldedName {
	styles := stylesOf(n.primary, n.secondary)
	names := make([]foldedName, len(styles))
	for i := range styles {
		names[i] = n.folded(styles[i])
	}
	return names
}

// A grade is a Match in the making.
type grade struct {
	likeness Likeness
	reasons  reasons
}

// beats reports whether v says more for the names than w: that they are more
// alike, or as much so for fewer reasons.
func (v grade) beats(w grade) bool {
	if v.likeness != w.likeness {
		return v.likeness > w.likeness
	}
	return v.reasons.len() < w.reasons.len()
}

func (v grade) match() Match { return Match{v.likeness, v.reasons.list()} }
