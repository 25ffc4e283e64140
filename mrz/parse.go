package mrz

import (
	"cmp"
	"slices"
)

// Parse reads one zone to the letter: lines are taken as they are, and nothing
// is mended. [Read] is for lines as scanners and people send them. Centuries of
// dates are resolved against today; if that is the zero Date, against 1 January
// 2026.
//
// The result is never an error: what is wrong is in Findings, and Valid is
// false. Document.Lines shares the memory of lines. The work done is bounded by
// the size of a zone, whatever the input.
func Parse(lines []string, today Date) (d Document) {
	var z zone
	var j judgement
	if !recognise(lines, &z, &j) {
		d.Lines = lines[:min(len(lines), maxKeptLines)]
		d.Findings = []Finding{newFinding(CodeFormatUnknown, "", 0, 0)}
		return d
	}
	d.Lines = lines
	d.read(&z, &j, today)
	return d
}

// sortFindings puts findings in the order of their places.
func (d *Document) sortFindings() {
	slices.SortStableFunc(d.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// document reads lines as a zone of one format, whatever they look like.
func (l *layout) document(lines []string, today Date) (d Document) {
	var z zone
	var j judgement
	l.lay(lines, &z)
	z.judge(&j)
	d.Lines = lines
	d.read(&z, &j, today)
	return d
}

// maxKeptLines bounds Document.Lines when far too many lines are handed in.
const maxKeptLines = 16

// read takes over what a zone says.
func (d *Document) read(z *zone, j *judgement, today Date) {
	d.Format, d.Checks, d.Valid = z.format, j.Checks, z.whole && j.refuted == 0
	d.lengths(z)
	notes := d.readName(z)
	if j.odd || !z.plain(notes.seen) {
		d.characters(z)
	}
	d.documentCode(z)
	d.IssuingState = d.state(z, FieldIssuingState, z.issuingState)
	d.nameNotes(z, z.name, notes)
	d.documentNumber(z, &j.number)
	if z.holder != "" {
		d.Nationality = z.holder
	} else if z.nationality.exists() {
		d.Nationality = d.state(z, FieldNationality, z.nationality)
	}
	d.dates(z, today)
	d.readSex(z)
	d.OptionalData[0] = trim(j.number.optional)
	if j.odd {
		d.OptionalData[0] = printable(d.OptionalData[0])
	}
	if j.OptionalData[0] == Refuted {
		d.wrongDigit(z, FieldOptionalData, z.optionalDigit)
	}
	if s := z.optional[1]; s.exists() {
		d.OptionalData[1] = value(z.read(s))
	}
	if j.Composite == Refuted {
		d.wrongDigit(z, FieldComposite, z.compositeDigit)
	}
	if len(d.Findings) > 1 {
		d.sortFindings()
	}
}

func (d *Document) find(code, field string, line, column int) {
	d.Findings = append(d.Findings, newFinding(code, field, line, column))
}

// findAt adds a finding about the cell at index i of a field.
func (d *Document) findAt(code, field string, s span, i int) {
	d.find(code, field, int(s.line)+1, int(s.from)+i+1)
}

// wrongDigit tells of a refuted check digit. A digit that is not even a legal
// character has its finding already.
func (d *Document) wrongDigit(z *zone, field string, digit span) {
	switch c := z.at(digit); {
	case c == filler:
		d.findAt(CodeCheckDigitMissing, field, digit, 0)
	case is(c, digits):
		d.findAt(CodeCheckDigitWrong, field, digit, 0)
	}
}

func (d *Document) lengths(z *zone) {
	if z.whole {
		return
	}
	for i, line := range d.Lines {
		if len(line) != z.widthOf(i) {
			d.find(CodeLineLength, "", i+1, z.given[i])
		}
	}
}

// characters finds every cell that its field must not hold.
func (d *Document) characters(z *zone) {
	code := z.documentCode
	second := code
	code.to--
	second.from++
	d.legal(z, FieldDocumentCode, code, letters)
	d.legal(z, FieldDocumentCode, second, letters|fillers)
	d.legal(z, FieldIssuingState, z.issuingState, letters|fillers)
	d.legal(z, FieldName, z.name, letters|digits|fillers) // digits: a warning
	d.legal(z, FieldName, z.secondary, letters|digits|fillers)
	d.legal(z, FieldDocumentNumber, z.number, letters|digits|fillers)
	d.legal(z, FieldDocumentNumber, z.numberDigit, digits|fillers)
	d.legal(z, FieldNationality, z.nationality, letters|fillers)
	d.legal(z, FieldDateOfBirth, z.birth, digits|fillers)
	d.legal(z, FieldDateOfBirth, z.birthDigit, digits|fillers)
	d.legal(z, FieldSex, z.sex, sexes|fillers)
	d.legal(z, FieldDateOfExpiry, z.expiry, digits|fillers)
	d.legal(z, FieldDateOfExpiry, z.expiryDigit, digits|fillers)
	d.legal(z, FieldOptionalData, z.optional[0], letters|digits|fillers)
	d.legal(z, FieldOptionalData2, z.optional[1], letters|digits|fillers)
	d.legal(z, FieldOptionalData, z.optionalDigit, digits|fillers)
	d.legal(z, FieldComposite, z.compositeDigit, digits|fillers)
}

// plain reports whether every cell of a Doc 9303 zone is legal, but for the
// fields that judge has looked at; name are the classes in the name. It is
// quick, and may say false of a legal zone.
func (z *zone) plain(name uint8) bool {
	const alphabetic = letters | fillers | sexes
	const numeric = digits | fillers
	if !z.nationality.exists() {
		return false
	}
	code := z.read(z.documentCode)
	check := cells[z.at(z.numberDigit)] | cells[z.at(z.birthDigit)] | cells[z.at(z.expiryDigit)]
	if z.optionalDigit.exists() {
		check |= cells[z.at(z.optionalDigit)]
	}
	if z.compositeDigit.exists() {
		check |= cells[z.at(z.compositeDigit)]
	}
	return name&^(alphabetic|digits) == 0 && check.class()&^numeric == 0 &&
		is(code[0], letters) && is(code[1], letters|fillers) && is(z.at(z.sex), sexes|fillers) &&
		(seen(z.read(z.issuingState))|seen(z.read(z.nationality)))&^alphabetic == 0 &&
		seen(z.read(z.optional[1]))&(unreads|illegal) == 0
}

// legal tells of each cell of s that does not belong to class. Cells beyond
// the end of a short line are covered by CodeLineLength.
func (d *Document) legal(z *zone, field string, s span, class uint8) {
	for i, c := range []byte(z.read(s)) {
		if is(c, class) {
			continue
		}
		d.Valid = false
		switch {
		case int(s.from)+i >= z.given[s.line]:
			return
		case c == unread:
			d.findAt(CodeCharacterUnread, field, s, i)
		default:
			d.findAt(CodeCharacterIllegal, field, s, i)
		}
	}
}

// documentCode reads the code of one or two letters. Doc 9303 gives P to
// passports, V to visas, A, C and I to cards (parts 4 to 7), AC to crew; a
// driving licence has F.
func (d *Document) documentCode(z *zone) {
	s := z.documentCode
	d.DocumentCode = value(z.read(s))
	c := z.at(s)
	usual := c == 'V'
	if !z.visa {
		usual = c == 'P' || c == 'I' || c == 'A' || c == 'C' || c == 'F' && z.format == CHDL
	}
	if !usual && is(c, letters) {
		d.findAt(CodeDocumentCodeUnknown, FieldDocumentCode, s, 0)
	}
}

func (d *Document) state(z *zone, field string, s span) string {
	code := trim(z.read(s))
	if !KnownState(code) {
		if code = printable(code); allIn(code, letters|fillers) {
			d.findAt(CodeStateUnknown, field, s, 0)
		}
	}
	return code
}

// readName reads the name; cells that were not handed in are not part of it.
func (d *Document) readName(z *zone) (notes nameNotes) {
	s := z.name
	here := max(0, min(s.width(), z.given[s.line]-int(s.from)))
	notes = readName(z.read(s)[:here], &d.Name)
	if z.secondary.exists() {
		d.Name = nameFrom(z.read(s), z.read(z.secondary))
	}
	d.Name.Truncated = d.Name.Truncated && here == s.width()
	return notes
}

func (d *Document) nameNotes(z *zone, s span, notes nameNotes) {
	n := d.Name
	switch {
	case n.IsZero():
		d.findAt(CodeNameMissing, FieldName, s, 0)
	case n.primary == "":
		d.findAt(CodeNameNoPrimary, FieldName, s, 0)
	}
	if notes.extraFillers {
		d.find(CodeNameFillers, FieldName, int(s.line)+1, 0)
	}
	if notes.digit >= 0 && d.IssuingState != "RUS" { // there digits stand for Cyrillic letters
		d.Valid = false
		d.findAt(CodeNameDigit, FieldName, s, int(notes.digit))
	}
	if notes.noise >= 0 {
		d.findAt(CodeNameFillerNoise, FieldName, s, int(notes.noise))
	}
	if n.Truncated {
		d.findAt(CodeNameTruncated, FieldName, s, s.width()-1)
	}
}

func (d *Document) documentNumber(z *zone, n *number) {
	d.DocumentNumber = n.value
	switch n.note {
	case "":
	case CodeCheckDigitWrong:
		if n.digit == z.numberDigit {
			d.wrongDigit(z, FieldDocumentNumber, n.digit)
		} else { // among optional data, where letters are legal
			d.findAt(n.note, FieldDocumentNumber, n.digit, 0)
		}
	case CodeNumberMissing:
		d.findAt(n.note, FieldDocumentNumber, z.number, 0)
		if n.status == Refuted {
			d.wrongDigit(z, FieldDocumentNumber, n.digit)
		}
	default:
		d.findAt(n.note, FieldDocumentNumber, n.digit, 0)
	}
}

func (d *Document) dates(z *zone, today Date) {
	if today.Year == 0 {
		today = assumedToday
	}
	birth := readDate(z.read(z.birth))
	var expiry printedDate
	switch {
	case z.expiry.exists():
		expiry = readDate(z.read(z.expiry))
		d.DateOfExpiry = expiry.near(today)
	case z.issued.exists():
		d.DateOfExpiry = frenchExpiry(z.read(z.issued), birth, today)
	}
	var other Date
	var moved bool
	d.DateOfBirth, other, moved = births(birth, d.DateOfExpiry, today)

	d.date(z, FieldDateOfBirth, z.birth, z.birthDigit, birth, d.DateOfBirth, d.Checks.DateOfBirth)
	switch {
	case z.expiry.exists():
		d.date(z, FieldDateOfExpiry, z.expiry, z.expiryDigit, expiry, d.DateOfExpiry, d.Checks.DateOfExpiry)
	case z.issued.exists() && d.DateOfExpiry.IsZero():
		d.findAt(CodeDateUnknown, FieldDateOfExpiry, z.issued, 0)
	case z.issued.exists():
		d.findAt(CodeExpiryComputed, FieldDateOfExpiry, z.issued, 0)
	}
	if other.IsZero() || !other.possible() {
		return
	}
	if moved {
		d.findAt(CodeCenturyUncertain, FieldDateOfBirth, z.birth, 0)
	} else {
		d.findAt(CodeCenturyOpen, FieldDateOfBirth, z.birth, 0)
	}
	d.Candidates = append(d.Candidates, Candidate{Field: FieldDateOfBirth, Value: other.String(), Repairs: []Repair{}})
}

func (d *Document) date(z *zone, field string, s, digit span, printed printedDate, day Date, status Status) {
	if status == Refuted {
		d.wrongDigit(z, field, digit)
	}
	switch {
	case printed.fault || !day.possible():
		d.findAt(CodeDateImpossible, field, s, 0)
	case day.Known():
	case !allIn(z.read(s), digits|fillers): // reported cell by cell
	case day.IsZero():
		d.findAt(CodeDateUnknown, field, s, 0)
	default:
		d.findAt(CodeDatePartial, field, s, 0)
	}
}

// readSex reads M, F or '<'. X belongs on the printed page (Doc 9303-4 §4.2.2)
// yet is found in zones too.
func (d *Document) readSex(z *zone) {
	s := z.sex
	if !s.exists() || !is(z.at(s), sexes) {
		return
	}
	d.Sex = z.read(s)
	if d.Sex == "X" {
		d.findAt(CodeSexX, FieldSex, s, 0)
	}
}
