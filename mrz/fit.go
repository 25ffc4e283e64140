package mrz

import (
	"slices"
	"strings"
)

// maxFits bounds the ways to fit lines that are tried.
const maxFits = 128

// fitLines returns the ways to give every line its width by putting fillers in
// or taking fillers out. Fillers are lost and doubled where many stand in a
// row, and a single one is easily overlooked; the check digits tell where it
// was. Where they tell nothing it was at the end of the line.
func (l *layout) fitLines(lines []string) [][]string {
	ways := [][]string{nil}
	for i, line := range lines {
		var next [][]string
		for _, fitted := range l.fitLine(i, line) {
			for _, way := range ways {
				if len(next) < maxFits {
					next = append(next, append(slices.Clip(way), fitted))
				}
			}
		}
		ways = next
	}
	return ways
}

// fitLine returns the ways to give line i its width; none if there is no way.
func (l *layout) fitLine(i int, line string) []string {
	ways := []string{line}
	missing := l.widthOf(i) - len(line)
	if missing > slack { // only at the end so many go unnoticed
		if l.digitEnds(i) {
			return nil
		}
		return []string{line + strings.Repeat(string(filler), missing)}
	}
	if -missing > slack {
		return nil
	}
	for range max(missing, -missing) {
		var next []string
		for _, way := range ways {
			for at := len(way); at >= 0; at-- {
				var other string
				switch {
				case missing > 0 && l.mayMiss(i, way, at):
					other = way[:at] + string(filler) + way[at:]
				case missing < 0 && l.mayBeDouble(i, way, at):
					other = way[:at] + way[at+1:]
				default:
					continue
				}
				if len(next) < maxFits && !slices.Contains(next, other) {
					next = append(next, other)
				}
			}
		}
		ways = next
	}
	return ways
}

// mayMiss reports whether a filler may be missing from line i before a cell: at
// the end of the line, or before the digit that stands there; after a document
// code of one letter; on lines of which digits or dates tell where it was also in
// a row of fillers, and where a single one stands: for sex, at the end of a
// document number, and in place of its digit.
func (l *layout) mayMiss(i int, line string, at int) bool {
	switch {
	case l.lostInCode(i, line):
		return at == int(l.documentCode.from)+1
	case at == len(line):
		return !l.digitEnds(i)
	case at == len(line)-1 && l.digitEnds(i):
		return true
	case !l.telling(i):
		return false
	case at > 0 && line[at] == filler:
		return line[at-1] != filler && trim(line[at:]) != ""
	}
	single := func(s span) bool { return s.exists() && int(s.line) == i && at == int(s.to)-1 }
	return single(l.sex) || l.numberDigit.exists() && single(l.number) || l.longNumber && single(l.numberDigit)
}

// mayBeDouble reports whether one of the fillers that begin at a cell of line i
// may be one too many. Where nothing tells which row has too many, it is the one
// at the end.
func (l *layout) mayBeDouble(i int, line string, at int) bool {
	if at == len(line) || line[at] != filler || at > 0 && line[at-1] == filler {
		return false
	}
	return l.telling(i) || trim(line[at:]) == ""
}

// telling reports whether digits or a date on line i say where its cells belong.
func (l *layout) telling(i int) bool {
	return l.format == FRID || int(l.number.line) == i || int(l.birth.line) == i
}

// lostInCode reports whether line i begins with a code of one letter whose
// filler is missing: then a known State follows one cell too early.
func (l *layout) lostInCode(i int, line string) bool {
	code, state := l.documentCode, l.issuingState
	if int(code.line) != i || len(line) < int(state.to) {
		return false
	}
	return KnownState(trim(line[state.from-1:state.to-1])) && !KnownState(trim(line[state.from:state.to]))
}

// filled lists what fitting did to lines.
func (l *layout) filled(lines, fitted []string) (all []Repair) {
	for i := range fitted {
		if len(lines[i]) < len(fitted[i]) {
			for _, run := range surplus(fitted[i], lines[i]) {
				all = append(all, l.fill(i, run[0], "", fitted[i][run[0]:run[1]]))
			}
			continue
		}
		removed := 0
		for _, run := range surplus(lines[i], fitted[i]) {
			all = append(all, l.fill(i, run[0]-removed, lines[i][run[0]:run[1]], ""))
			removed += run[1] - run[0]
		}
	}
	return all
}

func (l *layout) fill(i, at int, from, to string) Repair {
	return Repair{l.fieldAt(i, min(at, l.widthOf(i)-1)), i + 1, at + 1, from, to}
}

// surplus returns, from left to right, the runs of cells that a long line has
// and a short one has not: [from, to), as far to the left as can be.
func surplus(long, short string) (runs [][2]int) {
	j := len(short)
	for i := len(long) - 1; i >= 0; i-- {
		switch n := len(runs); {
		case j > 0 && long[i] == short[j-1]:
			j--
		case n > 0 && runs[n-1][0] == i+1:
			runs[n-1][0] = i
		default:
			runs = append(runs, [2]int{i, i + 1})
		}
	}
	slices.Reverse(runs)
	return runs
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
