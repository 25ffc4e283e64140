package mrz

// A span is a run of cells on one line of a zone: cells [from, to) of a line,
// both counted from 0. The zero span means that the format has no such field.
type span struct{ line, from, to uint8 }

// at builds a span from the numbers that Doc 9303's tables print: line and
// first and last character position, all counted from 1.
func at(line, first, last uint8) span { return span{line - 1, first - 1, last} }

func (s span) exists() bool { return s.to > 0 }

func (s span) width() int { return int(s.to) - int(s.from) }

// A layout says where each field of a format stands.
type layout struct {
	format Format
	lines  int // number of lines
	width  int // characters in each line
	first  int // characters in the first line, where it differs
	visa   bool

	documentCode span
	issuingState span
	name         span
	secondary    span // the secondary identifier, where it stands apart

	number      span
	numberDigit span
	// longNumber: a number that does not fit continues in the first optional
	// field (Doc 9303-5 §4.2.2 and 9303-6 §4.2.2).
	longNumber bool

	nationality span
	birth       span
	birthDigit  span
	sex         span
	expiry      span
	expiryDigit span

	optional      [2]span
	optionalDigit span // of optional[0]

	// composite lists what the composite digit covers, in order.
	composite      []span
	compositeDigit span

	issued span   // month of issue, YYMM
	holder string // the nationality of every holder, where none is printed
}

// layouts are the formats this package reads; the five of Doc 9303 are also
// written. Of formats with the same number and length of lines, the one that
// is tried first comes first.
var layouts = [...]layout{
	{ // Doc 9303-5 §4.2.2, composite §4.2.4
		format: TD1, lines: 3, width: 30,
		documentCode: at(1, 1, 2), issuingState: at(1, 3, 5),
		number: at(1, 6, 14), numberDigit: at(1, 15, 15), longNumber: true,
		optional: [2]span{at(1, 16, 30), at(2, 19, 29)},
		birth:    at(2, 1, 6), birthDigit: at(2, 7, 7), sex: at(2, 8, 8),
		expiry: at(2, 9, 14), expiryDigit: at(2, 15, 15), nationality: at(2, 16, 18),
		composite:      []span{at(1, 6, 30), at(2, 1, 7), at(2, 9, 15), at(2, 19, 29)},
		compositeDigit: at(2, 30, 30),
		name:           at(3, 1, 30),
	},
	{ // Doc 9303-6 §4.2.2, composite §4.2.4
		format: TD2, lines: 2, width: 36,
		documentCode: at(1, 1, 2), issuingState: at(1, 3, 5), name: at(1, 6, 36),
		number: at(2, 1, 9), numberDigit: at(2, 10, 10), longNumber: true,
		nationality: at(2, 11, 13),
		birth:       at(2, 14, 19), birthDigit: at(2, 20, 20), sex: at(2, 21, 21),
		expiry: at(2, 22, 27), expiryDigit: at(2, 28, 28),
		optional:       [2]span{at(2, 29, 35)},
		composite:      []span{at(2, 1, 10), at(2, 14, 20), at(2, 22, 35)},
		compositeDigit: at(2, 36, 36),
	},
	{ // Doc 9303-4 §4.2.2, composite §4.2.4
		format: TD3, lines: 2, width: 44,
		documentCode: at(1, 1, 2), issuingState: at(1, 3, 5), name: at(1, 6, 44),
		number: at(2, 1, 9), numberDigit: at(2, 10, 10),
		nationality: at(2, 11, 13),
		birth:       at(2, 14, 19), birthDigit: at(2, 20, 20), sex: at(2, 21, 21),
		expiry: at(2, 22, 27), expiryDigit: at(2, 28, 28),
		optional: [2]span{at(2, 29, 42)}, optionalDigit: at(2, 43, 43),
		composite:      []span{at(2, 1, 10), at(2, 14, 20), at(2, 22, 43)},
		compositeDigit: at(2, 44, 44),
	},
	{ // Doc 9303-7 §4.2.2; visas have no composite
		format: MRVA, lines: 2, width: 44, visa: true,
		documentCode: at(1, 1, 2), issuingState: at(1, 3, 5), name: at(1, 6, 44),
		number: at(2, 1, 9), numberDigit: at(2, 10, 10),
		nationality: at(2, 11, 13),
		birth:       at(2, 14, 19), birthDigit: at(2, 20, 20), sex: at(2, 21, 21),
		expiry: at(2, 22, 27), expiryDigit: at(2, 28, 28),
		optional: [2]span{at(2, 29, 44)},
	},
	{ // Doc 9303-7 §5.2.2
		format: MRVB, lines: 2, width: 36, visa: true,
		documentCode: at(1, 1, 2), issuingState: at(1, 3, 5), name: at(1, 6, 36),
		number: at(2, 1, 9), numberDigit: at(2, 10, 10),
		nationality: at(2, 11, 13),
		birth:       at(2, 14, 19), birthDigit: at(2, 20, 20), sex: at(2, 21, 21),
		expiry: at(2, 22, 27), expiryDigit: at(2, 28, 28),
		optional: [2]span{at(2, 29, 36)},
	},
	{ // French decree 55-1397 as amended in 1987; not in Doc 9303
		format: FRID, lines: 2, width: 36,
		documentCode: at(1, 1, 2), issuingState: at(1, 3, 5), name: at(1, 6, 30), secondary: at(2, 14, 27),
		issued: at(2, 1, 4), number: at(2, 1, 12), numberDigit: at(2, 13, 13),
		birth: at(2, 28, 33), birthDigit: at(2, 34, 34), sex: at(2, 35, 35),
		optional:       [2]span{at(1, 31, 36), at(2, 5, 7)},
		composite:      []span{at(1, 1, 36), at(2, 1, 35)},
		compositeDigit: at(2, 36, 36),
		holder:         "FRA",
	},
	{ // Swiss and Liechtenstein driving licences; not in Doc 9303, no digits
		format: CHDL, lines: 3, width: 30, first: 9,
		documentCode: at(2, 1, 2), issuingState: at(2, 3, 5), name: at(3, 1, 30),
		number: at(2, 6, 17), birth: at(2, 20, 25),
		optional: [2]span{at(1, 1, 6), at(1, 7, 9)},
	},
}

// maxLines is the number of lines of the tallest format.
const maxLines = 3

// widthOf returns how many characters line i has, counted from 0.
func (l *layout) widthOf(i int) int {
	if i == 0 && l.first > 0 {
		return l.first
	}
	return l.width
}

// of returns the layout of a format that is known to be in the table.
func of(format Format) *layout {
	l, _ := layoutOf(format)
	return l
}

// layoutOf returns the layout of a format.
func layoutOf(format Format) (*layout, bool) {
	for i := range layouts {
		if layouts[i].format == format {
			return &layouts[i], true
		}
	}
	return nil, false
}

// optionals returns how many optional fields the format has.
func (l *layout) optionals() int {
	if l.optional[1].exists() {
		return 2
	}
	return 1
}
