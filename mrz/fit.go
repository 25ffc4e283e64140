package mrz

import (
	"slices"
	"strings"
)

// A fitted zone is one way to give every line its width, and what was changed
// for it.
type fitted struct {
	lines   []string
	repairs []Repair
}

// maxFits bounds the ways that are tried.
const maxFits = 128

// fitLines returns the ways to give every line its width by putting fillers in
// or taking fillers out. Fillers are lost and doubled where many stand in a
// row; at the end of a line nothing tells how many there were, elsewhere the
// check digits do.
func (l *layout) fitLines(lines []string) []fitted {
	ways := []fitted{{}}
	for i, line := range lines {
		var next []fitted
		for _, one := range l.fitLine(i, line) {
			for _, w := range ways {
				if len(next) < maxFits {
					next = append(next, fitted{
						append(slices.Clip(w.lines), one.lines...),
						append(slices.Clip(w.repairs), one.repairs...),
					})
				}
			}
		}
		ways = next
	}
	return ways
}

// fitLine returns the ways to give line i its width; none if there is no way.
func (l *layout) fitLine(i int, line string) (ways []fitted) {
	missing := l.widthOf(i) - len(line)
	switch {
	case missing == 0:
		return []fitted{{lines: []string{line}}}
	case missing > 0:
		run := strings.Repeat(string(filler), missing)
		for at := len(line); at > 0; at-- {
			if l.mayMiss(i, line, at) {
				ways = append(ways, l.change(i, line[:at]+run+line[at:], at, "", run))
			}
		}
		return ways
	}
	extra := -missing
	run := strings.Repeat(string(filler), extra)
	for at := len(line) - extra; at >= 0; at-- {
		// Inside a run every place gives the same line.
		if strings.HasPrefix(line[at:], run) && (at == 0 || line[at-1] != filler) {
			ways = append(ways, l.change(i, line[:at]+line[at+extra:], at, run, ""))
		}
	}
	return ways
}

// mayMiss reports whether fillers may be missing from line i at a cell: at the
// end of the line unless a digit stands there, before a run of fillers if line i
// has digits to tell which run it was, and anywhere in a document number, whose
// one filler leaves no run behind.
func (l *layout) mayMiss(i int, line string, at int) bool {
	switch {
	case at == len(line):
		return !l.digitEnds(i)
	case !l.numberDigit.exists() || int(l.numberDigit.line) != i && int(l.birthDigit.line) != i:
		return false
	case line[at] == filler:
		return line[at-1] != filler && strings.Trim(line[at:], string(filler)) != ""
	}
	return int(l.number.line) == i && int(l.number.from) < at && at < int(l.number.to)
}

// change describes what was done to line i at a cell counted from 0.
func (l *layout) change(i int, line string, at int, from, to string) fitted {
	at = min(at, l.widthOf(i)-1)
	return fitted{[]string{line}, []Repair{{l.fieldAt(i, at), i + 1, at + 1, from, to}}}
}

// fieldAt names the field that a cell belongs to, both counted from 0.
func (l *layout) fieldAt(line, at int) string {
	for _, f := range [...]struct {
		name string
		span
	}{
		{FieldDocumentCode, l.documentCode}, {FieldIssuingState, l.issuingState},
		{FieldName, l.name}, {FieldName, l.secondary},
		{FieldDocumentNumber, l.number}, {FieldDocumentNumber, l.numberDigit},
		{FieldNationality, l.nationality},
		{FieldDateOfBirth, l.birth}, {FieldDateOfBirth, l.birthDigit}, {FieldSex, l.sex},
		{FieldDateOfExpiry, l.expiry}, {FieldDateOfExpiry, l.expiryDigit}, {FieldDateOfExpiry, l.issued},
		{FieldOptionalData, l.optional[0]}, {FieldOptionalData, l.optionalDigit},
		{FieldOptionalData2, l.optional[1]}, {FieldComposite, l.compositeDigit},
	} {
		if f.exists() && int(f.line) == line && int(f.from) <= at && at < int(f.to) {
			return f.name
		}
	}
	return ""
}
