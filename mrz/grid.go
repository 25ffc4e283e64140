package mrz

// A Cell is one place of a zone: line and column, counted from 0.
type Cell struct{ Line, Column int }

// A Sum is one check digit of a format: the cells that it is computed over, in
// order, and where it stands.
type Sum struct {
	Field string
	Over  []Cell
	Digit Cell
}

// Formats lists the formats that this package reads, those of Doc 9303 first.
func Formats() []Format {
	list := make([]Format, len(layouts))
	for i := range layouts {
		list[i] = layouts[i].format
	}
	return list
}

// Widths returns how many characters each line of a format has; none if the
// format is not known.
func (f Format) Widths() []int {
	l, ok := layoutOf(f)
	if !ok {
		return nil
	}
	list := make([]int, l.lines)
	for i := range list {
		list[i] = l.widthOf(i)
	}
	return list
}

// FieldAt names the field that a cell of a format belongs to, a check digit
// being part of the field that it protects; "" if there is none.
func (f Format) FieldAt(c Cell) string {
	l, ok := layoutOf(f)
	if !ok {
		return ""
	}
	return l.fieldAt(c.Line, c.Column)
}

// Sums returns a format's check digits in the order of the cells that they are
// computed over, the composite last. A number that continues in the optional
// data has its digit elsewhere.
func (f Format) Sums() (list []Sum) {
	l, ok := layoutOf(f)
	if !ok {
		return nil
	}
	add := func(field string, digit span, over ...span) {
		if !digit.exists() {
			return
		}
		s := Sum{Field: field, Digit: Cell{int(digit.line), int(digit.from)}}
		for _, o := range over {
			for i := int(o.from); i < int(o.to); i++ {
				s.Over = append(s.Over, Cell{int(o.line), i})
			}
		}
		list = append(list, s)
	}
	add(FieldDocumentNumber, l.numberDigit, l.number)
	add(FieldDateOfBirth, l.birthDigit, l.birth)
	add(FieldDateOfExpiry, l.expiryDigit, l.expiry)
	add(FieldOptionalData, l.optionalDigit, l.optional[0])
	add(FieldComposite, l.compositeDigit, l.composite...)
	return list
}

// Legal lists the characters that a cell of a format may hold: letters first,
// then digits, then the filler.
func (f Format) Legal(c Cell) string {
	const letter, digit, fill = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", string(rune(filler))
	l, ok := layoutOf(f)
	if !ok {
		return ""
	}
	has := func(s span) bool {
		return s.exists() && int(s.line) == c.Line && int(s.from) <= c.Column && c.Column < int(s.to)
	}
	code := l.documentCode
	code.to--
	switch {
	case has(code):
		return letter
	case has(l.documentCode), has(l.issuingState), has(l.nationality), has(l.name), has(l.secondary):
		return letter + fill
	case has(l.sex):
		return "MFX" + fill
	case has(l.compositeDigit):
		return digit
	case has(l.birth), has(l.birthDigit), has(l.expiry), has(l.expiryDigit), has(l.issued), has(l.numberDigit), has(l.optionalDigit):
		return digit + fill
	case l.format == CHDL && c.Line == 0 && c.Column < 3, l.format == CHDL && c.Line == 0 && c.Column == 6:
		return letter
	case l.format == CHDL && c.Line == 0 && c.Column < 6, l.format == CHDL && has(l.number):
		return digit
	case has(l.number), has(l.optional[0]), has(l.optional[1]):
		return letter + digit + fill
	}
	return fill // between the fields of national formats
}
