package mrz

// NameNotes are a name field's notes, for the tests.
type NameNotes struct {
	ExtraFillers bool
	Digit, Noise int
}

// ReadName opens readName to the tests.
func ReadName(field string) (n Name, _ NameNotes) {
	notes := readName(field, &n)
	return n, NameNotes{notes.extraFillers, int(notes.digit), int(notes.noise)}
}

// NameFrom opens nameFrom to the tests.
func NameFrom(primaryCells, secondaryCells string) Name {
	return nameFrom(primaryCells, secondaryCells)
}

// Transliterate folds a name as the writer of a State's documents does.
func Transliterate(s, state string) (string, rune) { return fold(s, style{tongue: tongueOf(state)}) }

// AllNameReasons lists every reason there is.
func AllNameReasons() (list []NameReason) {
	for _, r := range nameReasons {
		list = append(list, r.reason)
	}
	return list
}
