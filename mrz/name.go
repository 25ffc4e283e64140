package mrz

import "strings"

// A name is the name field split into its parts.
type name struct {
	primary, secondary string
	truncated          bool
	extraFillers       bool // a further "<<" after the one that splits
	digit              int  // index of the first digit, -1 if there is none
}

// readName splits a name field (Doc 9303-3 §4.6) at its first "<<": what
// stands before is the primary identifier, what follows the secondary one,
// and a single filler separates the parts of each.
//
//	ERIKSSON<<ANNA<MARIA<<<<  ERIKSSON, ANNA MARIA
//	ARKFREITH<<<<<<<<<<<<<<<  ARKFREITH, no secondary
//	<<SATRIYA<SUDARPA<<<<<<<  no primary: not the standard, but printed
//	STEVENSON<<PETER<<JOHN<<  STEVENSON, PETER JOHN, and a warning
//	VILARCHAO<FERNANDEZ<<JOS  no filler at the end: possibly truncated
//
// given is how many of the cells were handed in; those beyond are not part of
// a name.
func readName(cells string, given int) name {
	n := name{digit: -1}
	n.truncated = given == len(cells) && is(cells[len(cells)-1], letters|digits)
	cells = value(cells[:max(given, 0)])
	for i := 0; i < len(cells); i++ {
		if is(cells[i], digits) {
			n.digit = i
			break
		}
	}
	primary, secondary, _ := strings.Cut(cells, "<<")
	n.extraFillers = strings.HasPrefix(secondary, "<") || strings.Contains(secondary, "<<")
	n.primary = words(primary)
	n.secondary = words(secondary)
	return n
}

// words turns fillers into single blanks.
func words(cells string) string {
	if strings.IndexByte(cells, filler) < 0 {
		return cells
	}
	return strings.Join(strings.FieldsFunc(cells, func(r rune) bool { return r == filler }), " ")
}
