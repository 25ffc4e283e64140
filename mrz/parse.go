package mrz

// Parse reads one zone. Lines are taken as they are: use [Lines] for text that
// was pasted or scanned. Centuries of dates are resolved against today; if that
// is the zero Date, against 1 January 2026.
//
// The result is never an error: what is wrong is in Findings, and Valid is
// false. Its lists are never nil. The work done is bounded by the size of a
// zone, whatever the input.
func Parse(lines []string, today Date) Document {
	doc := Document{
		Lines:        append([]string{}, lines[:min(len(lines), maxKeptLines)]...),
		OptionalData: []string{},
		Checks:       []Check{},
		Findings:     []Finding{},
		Repairs:      []Repair{},
	}
	z, ok := recognise(lines)
	if !ok {
		doc.Findings = append(doc.Findings, newFinding(CodeFormatUnknown, "", 0, 0))
		return doc
	}
	p := parser{zone: z, doc: doc, valid: z.whole}
	p.parse(today)
	return p.doc
}

// maxKeptLines bounds Document.Lines when far too many lines are handed in.
const maxKeptLines = 16

// A parser carries one zone into a Document.
type parser struct {
	zone
	doc   Document
	valid bool
}

func (p *parser) parse(today Date) {
	d := &p.doc
	d.Format = p.format
	p.lengths()
	p.characters()

	p.documentCode()
	d.IssuingState = p.state(FieldIssuingState, p.issuingState)
	p.readNames()
	d.Checks = make([]Check, 0, 6)
	optional := p.documentNumber()
	d.Nationality = p.state(FieldNationality, p.nationality)
	p.dates(today)
	p.readSex()
	composite := p.compositeStatus()
	p.optionalData(optional, composite)
	p.check(FieldComposite, composite)
	if composite == Refuted {
		p.wrongDigit(FieldComposite, p.compositeDigit)
	}
	d.Valid = p.valid
}

func (p *parser) find(code, field string, line, column int) {
	p.doc.Findings = append(p.doc.Findings, newFinding(code, field, line, column))
}

// findAt adds a finding about the cell at index i of a field.
func (p *parser) findAt(code, field string, s span, i int) {
	p.find(code, field, s.line+1, s.from+i+1)
}

func (p *parser) check(field string, status Status) {
	p.doc.Checks = append(p.doc.Checks, Check{field, status})
	if status == Refuted {
		p.valid = false
	}
}

// wrongDigit tells of a refuted check digit. A digit that is not even a legal
// character has its finding already.
func (p *parser) wrongDigit(field string, digit span) {
	switch c := p.cell(digit); {
	case c == filler:
		p.findAt(CodeCheckDigitMissing, field, digit, 0)
	case is(c, digits):
		p.findAt(CodeCheckDigitWrong, field, digit, 0)
	}
}

func (p *parser) lengths() {
	if p.whole {
		return
	}
	for i, line := range p.doc.Lines {
		if len(line) != p.width {
			p.find(CodeLineLength, "", i+1, p.given[i])
		}
	}
}

// characters checks every cell against what its field may hold.
func (p *parser) characters() {
	for i := 0; i < 2; i++ {
		class := letters
		if i == 1 {
			class |= fillers
		}
		p.legal(FieldDocumentCode, span{p.layout.documentCode.line, i, i + 1}, class)
	}
	p.legal(FieldIssuingState, p.issuingState, letters|fillers)
	p.legal(FieldName, p.name, letters|digits|fillers) // digits: a warning
	p.legal(FieldDocumentNumber, p.number, letters|digits|fillers)
	p.legal(FieldDocumentNumber, p.numberDigit, digits|fillers)
	p.legal(FieldNationality, p.nationality, letters|fillers)
	p.legal(FieldDateOfBirth, p.birth, digits|fillers)
	p.legal(FieldDateOfBirth, p.birthDigit, digits|fillers)
	p.legal(FieldSex, p.sex, sexes|fillers)
	p.legal(FieldDateOfExpiry, p.expiry, digits|fillers)
	p.legal(FieldDateOfExpiry, p.expiryDigit, digits|fillers)
	p.legal(FieldOptionalData, p.optional[0], letters|digits|fillers)
	p.legal(FieldOptionalData2, p.optional[1], letters|digits|fillers)
	p.legal(FieldOptionalData, p.optionalDigit, digits|fillers)
	p.legal(FieldComposite, p.compositeDigit, digits|fillers)
}

// legal finds the cells of s that do not belong to class. Cells beyond the end
// of a short line are covered by CodeLineLength.
func (p *parser) legal(field string, s span, class uint8) {
	line := p.lines[s.line]
	for i := s.from; i < s.to; i++ {
		if is(line[i], class) {
			continue
		}
		p.valid = false
		switch {
		case i >= p.given[s.line]:
			return
		case line[i] == unread:
			p.find(CodeCharacterUnread, field, s.line+1, i+1)
		default:
			p.find(CodeCharacterIllegal, field, s.line+1, i+1)
		}
	}
}

// documentCode reads the code of one or two letters. Doc 9303 gives P to
// passports, V to visas, A, C and I to cards (parts 4 to 7), AC to crew.
func (p *parser) documentCode() {
	s := p.layout.documentCode
	p.doc.DocumentCode = value(p.cells(s))
	switch c := p.cell(s); c {
	case 'A', 'C', 'I', 'P', 'V':
	default:
		if is(c, letters) {
			p.findAt(CodeDocumentCodeUnknown, FieldDocumentCode, s, 0)
		}
	}
}

func (p *parser) state(field string, s span) string {
	code := value(p.cells(s))
	if !KnownState(code) && allIn(code, letters|fillers) {
		p.findAt(CodeStateUnknown, field, s, 0)
	}
	return code
}

// allIn reports whether every character of s belongs to class.
func allIn(s string, class uint8) bool {
	for i := 0; i < len(s); i++ {
		if !is(s[i], class) {
			return false
		}
	}
	return true
}

func (p *parser) readNames() {
	s := p.layout.name
	n := readName(p.cells(s), p.given[s.line]-s.from)
	p.doc.Primary, p.doc.Secondary, p.doc.NameTruncated = n.primary, n.secondary, n.truncated
	switch {
	case n.primary == "" && n.secondary == "":
		p.findAt(CodeNameMissing, FieldName, s, 0)
	case n.primary == "":
		p.findAt(CodeNameNoPrimary, FieldName, s, 0)
	}
	if n.extraFillers {
		p.find(CodeNameFillers, FieldName, s.line+1, 0)
	}
	if n.digit >= 0 {
		p.findAt(CodeNameDigit, FieldName, s, n.digit)
	}
	if n.truncated {
		p.findAt(CodeNameTruncated, FieldName, s, s.width()-1)
	}
}

// documentNumber returns what of the first optional field is not number.
func (p *parser) documentNumber() (optional string) {
	n := p.readNumber()
	p.doc.DocumentNumber = n.value
	p.check(FieldDocumentNumber, n.status)
	switch n.note {
	case "":
	case CodeCheckDigitWrong:
		if n.digit == p.numberDigit {
			p.wrongDigit(FieldDocumentNumber, n.digit)
		} else { // among optional data, where letters are legal
			p.findAt(n.note, FieldDocumentNumber, n.digit, 0)
		}
	case CodeNumberMissing:
		p.findAt(n.note, FieldDocumentNumber, p.number, 0)
		if n.status == Refuted {
			p.wrongDigit(FieldDocumentNumber, n.digit)
		}
	default:
		p.findAt(n.note, FieldDocumentNumber, n.digit, 0)
	}
	return n.optional
}

func (p *parser) dates(today Date) {
	birth, expiry := readDate(p.cells(p.birth)), readDate(p.cells(p.expiry))
	d := &p.doc
	var uncertain bool
	d.DateOfBirth, d.DateOfExpiry, uncertain = resolve(birth, expiry, today)
	p.date(FieldDateOfBirth, p.birth, p.birthDigit, birth, d.DateOfBirth)
	p.date(FieldDateOfExpiry, p.expiry, p.expiryDigit, expiry, d.DateOfExpiry)
	if uncertain {
		p.findAt(CodeCenturyUncertain, FieldDateOfBirth, p.birth, 0)
	}
}

func (p *parser) date(field string, s, digit span, printed printedDate, d Date) {
	cells := p.cells(s)
	status := judgeOptional(cells, p.cell(digit))
	p.check(field, status)
	if status == Refuted {
		p.wrongDigit(field, digit)
	}
	switch {
	case printed.fault || !d.possible():
		p.findAt(CodeDateImpossible, field, s, 0)
	case !allIn(cells, digits|fillers): // reported cell by cell
	case d.IsZero():
		p.findAt(CodeDateUnknown, field, s, 0)
	case !d.Known():
		p.findAt(CodeDatePartial, field, s, 0)
	}
}

// readSex reads M, F or '<'. X belongs on the printed page (Doc 9303-4 §4.2.2)
// yet is found in zones too.
func (p *parser) readSex() {
	s := p.layout.sex
	c := p.cell(s)
	if !is(c, sexes) {
		return
	}
	p.doc.Sex = p.cells(s)
	if c == 'X' {
		p.findAt(CodeSexX, FieldSex, s, 0)
	}
}

// optionalData reads the optional fields; first is what the document number
// left of the first one.
func (p *parser) optionalData(first string, composite Status) {
	d := &p.doc
	d.OptionalData = append(make([]string, 0, p.optionals()), value(first))
	if p.optionalDigit.exists() {
		status := judgeOptional(first, p.cell(p.optionalDigit))
		p.check(FieldOptionalData, status)
		if status == Refuted {
			p.wrongDigit(FieldOptionalData, p.optionalDigit)
		}
	} else {
		p.check(FieldOptionalData, byComposite(composite))
	}
	if s := p.optional[1]; s.exists() {
		d.OptionalData = append(d.OptionalData, value(p.cells(s)))
		p.check(FieldOptionalData2, byComposite(composite))
	}
}

// byComposite is the status of a field that has no check digit of its own.
func byComposite(composite Status) Status {
	if composite == Verified {
		return CompositeOnly
	}
	return Unverifiable
}
