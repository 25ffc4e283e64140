package mrz

import "strings"

// nameNotes are what is worth telling about a name field.
type nameNotes struct {
	extraFillers bool  // more fillers than the two that separate identifiers
	digit        int8  // index of the first digit, -1 if there is none
	noise        int8  // index of the first cell that looks like a misread filler, or -1
	seen         uint8 // the classes of all cells up to the last that is no filler
}

// readName splits a name field (Doc 9303-3 §4.6) at its first "<<": what stands
// before is the primary identifier, what follows the secondary one, and a
// single filler separates the parts of each.
//
//	ERIKSSON<<ANNA<MARIA<<<<  ERIKSSON, ANNA MARIA
//	ARKFREITH<<<<<<<<<<<<<<<  ARKFREITH, no secondary
//	<<SATRIYA<SUDARPA<<<<<<<  no primary: not the standard, but printed
//	STEVENSON<<PETER<<JOHN<<  STEVENSON, PETER JOHN, and a note
//	VILARCHAO<FERNANDEZ<<JOS  no filler at the end: possibly truncated
//	LIM<<ANNA<<<<<<K<<<L<<<<  LIM, ANNA K L, and a note that K is doubtful
//
// The name is substrings of field, so that reading one costs no memory; only a
// character that is none of a zone's makes a copy, in which it is '_'. The
// field of every format is shorter than an int8 counts.
func readName(field string, n *Name) nameNotes {
	*n = Name{}
	notes := nameNotes{digit: -1, noise: -1}
	used := trim(field)
	if used == "" {
		return notes
	}
	n.Truncated = endsInLetter(field)
	border, second := len(used), len(used)
	var all cell
	for i := 0; i < len(used); i++ {
		c := cells[used[i]]
		all |= c
		if c&cell(fillers) == 0 {
			continue
		}
		run := i + 1
		for used[run] == filler { // the last cell in use is none
			run++
		}
		if run == i+1 {
			continue
		}
		if border == len(used) {
			border, second = i, run
			notes.extraFillers = run > i+2
		} else {
			notes.extraFillers = true
		}
		i = run - 1
	}
	notes.seen = all.class()
	if notes.extraFillers {
		notes.noise = int8(noiseFrom(used, border))
	}
	if notes.seen&(digits|illegal) != 0 {
		notes.digit = int8(strings.IndexAny(used, "0123456789"))
		used = printable(used)
	}
	n.primary, n.secondary = used[:border], used[second:]
	if border > 0 && used[0] == filler { // one at most, or it were the border
		n.primary = used[1:border]
	}
	return notes
}

// nameFrom makes a name of two fields, as the French identity card has them:
// its given names stand on the second line, with "<<" between them.
func nameFrom(primary, secondary string) Name {
	return Name{
		primary:   strings.TrimLeft(value(primary), "<"),
		secondary: strings.TrimLeft(value(secondary), "<"),
		Truncated: endsInLetter(primary) || endsInLetter(secondary),
	}
}

// endsInLetter reports that a field is in use to its last cell. A digit counts:
// it is a misread letter.
func endsInLetter(field string) bool {
	return field != "" && is(field[len(field)-1], letters|digits)
}

// noiseFrom returns where the fillers begin that were read as letters: the
// first of the islands at the end of a field that have two or more fillers
// before them and look like noise. It is -1 if there are none.
//
// used ends with the last cell that is no filler. The two fillers at border
// belong to the name (LEE<<K is a name with an initial); three do not.
func noiseFrom(used string, border int) int {
	from := -1
	for end := len(used); ; {
		start := strings.LastIndexByte(used[:end], filler) + 1
		if !looksLikeFillers(used[start:end]) {
			return from
		}
		end = len(trim(used[:start]))
		if end == 0 { // the name itself
			return from
		}
		if run := start - end; run > 2 || run == 2 && end != border {
			from = start
		}
	}
}

// looksLikeFillers reports whether an island of letters is what readers make of
// fillers that are worn or stained: one or two of a few letters, or one of them
// over and over.
func looksLikeFillers(island string) bool {
	for i := 0; i < len(island); i++ {
		if strings.IndexByte("KLCSGXEH", island[i]) < 0 || i > 1 && island[i] != island[0] {
			return false
		}
	}
	return len(island) < 3 || island[1] == island[0]
}
