package mrz

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Fields are the values from which a zone is written. Names may be in Latin,
// Cyrillic, Greek or Arabic letters and any case; codes and numbers in either
// case.
//
// Fields are personal data and show nothing when printed or logged.
type Fields struct {
	DocumentCode string // one or two letters; the first is V for visas only
	IssuingState string // one to three letters

	// Primary and Secondary are transliterated by Doc 9303-3 section 6 and cut
	// to fit. A single name goes into Primary. Cyrillic is read as the language
	// of the issuing State where the standard makes a difference.
	Primary   string
	Secondary string

	// DocumentNumber may have letters, digits and, as fillers, blanks and
	// hyphens. More than nine characters fit in TD1 (22) and TD2 (14), letters
	// and digits only, and leave less room for the first optional data.
	DocumentNumber string
	Nationality    string
	DateOfBirth    Date // unknown parts are written as fillers
	Sex            string
	DateOfExpiry   Date

	// OptionalData has one element for each optional field of the format;
	// missing ones are empty.
	OptionalData []string
}

// A FieldError says which field could not be written and why. It never
// contains the field's value.
type FieldError struct {
	Field  string // as in Finding.Field, "" for the zone as a whole
	Reason string
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return "cannot write machine-readable zone: " + e.Reason
	}
	return fmt.Sprintf("cannot write %s: %s", e.Field, e.Reason)
}

// Lines writes the zone in a format of Doc 9303: every check digit computed,
// names transliterated and truncated. Parse reads what it returns as valid.
//
// The standard leaves three things to the issuer, which are decided so: the
// digit of empty optional data is '<', a long number's digit follows ICAO's
// rule, and sex "X" becomes '<', its form in a zone.
//
// An error is a *FieldError.
func (f Fields) Lines(format Format) ([]string, error) {
	l, ok := layoutOf(format)
	if !ok {
		return nil, &FieldError{"", fmt.Sprintf("no format %q", string(format))}
	}
	if format == FRID || format == CHDL {
		return nil, &FieldError{"", fmt.Sprintf("%s is a national format, which is only read", format)}
	}
	w := newWriter(l)
	w.documentCode(f.DocumentCode)
	w.state(FieldIssuingState, l.issuingState, f.IssuingState)
	w.names(f.Primary, f.Secondary, tongueOf(strings.ToUpper(strings.TrimSpace(f.IssuingState))))
	w.numberAndOptional(f.DocumentNumber, f.OptionalData)
	w.state(FieldNationality, l.nationality, f.Nationality)
	w.date(FieldDateOfBirth, l.birth, l.birthDigit, f.DateOfBirth)
	w.writeSex(f.Sex)
	w.date(FieldDateOfExpiry, l.expiry, l.expiryDigit, f.DateOfExpiry)
	if w.err != nil {
		return nil, w.err
	}
	if l.compositeDigit.exists() {
		var digit sum
		for _, s := range l.composite {
			p := weigh(string(w.cells(s)))
			digit.add(p)
		}
		w.put(l.compositeDigit, string(digit.digit()))
	}
	lines := make([]string, l.lines)
	for i := range lines {
		lines[i] = string(w.lines[i])
	}
	return lines, nil
}

// String says what it is and nothing of the content.
func (f Fields) String() string { return "fields of a machine-readable zone" }

// Format keeps every verb of fmt from showing the traveller's data.
func (f Fields) Format(s fmt.State, _ rune) { io.WriteString(s, f.String()) }

// LogValue keeps slog from showing the traveller's data.
func (f Fields) LogValue() slog.Value { return slog.StringValue(f.String()) }

// A writer fills a zone of fillers and keeps the first fault.
type writer struct {
	*layout
	lines [maxLines][]byte
	err   error
}

func newWriter(l *layout) *writer {
	w := &writer{layout: l}
	for i := 0; i < l.lines; i++ {
		w.lines[i] = []byte(strings.Repeat(string(filler), l.width))
	}
	return w
}

func (w *writer) fail(field, reason string, args ...any) {
	if w.err == nil {
		w.err = &FieldError{field, fmt.Sprintf(reason, args...)}
	}
}

func (w *writer) cells(s span) []byte { return w.lines[s.line][s.from:s.to] }

// put writes text, which must fit, from the left.
func (w *writer) put(s span, text string) { copy(w.cells(s), text) }

// digit computes a field's check digit and writes it.
func (w *writer) digit(of, s span) {
	c, _ := CheckDigit(string(w.cells(of)))
	w.put(s, string(c))
}

func (w *writer) documentCode(code string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	switch {
	case len(code) < 1 || len(code) > 2 || !allIn(code, letters):
		w.fail(FieldDocumentCode, "want one or two letters")
	case (code[0] == 'V') != w.visa:
		w.fail(FieldDocumentCode, "V is the first letter of visas, and of nothing else")
	default:
		w.put(w.layout.documentCode, code)
	}
}

func (w *writer) state(field string, s span, code string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	if len(code) < 1 || len(code) > s.width() || !allIn(code, letters) {
		w.fail(field, "want a code of one to three letters")
		return
	}
	w.put(s, code)
}

// alphanumeric returns text in capitals with fillers for blanks and hyphens,
// none at the end.
func (w *writer) alphanumeric(field, text string) string {
	text = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return filler
		}
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, text)
	if !allIn(text, letters|digits|fillers) {
		w.fail(field, "want letters A to Z, digits and blanks")
	}
	return strings.TrimRight(text, string(filler))
}

// numberAndOptional writes the document number and the optional fields, which
// share room where the number is long.
func (w *writer) numberAndOptional(num string, optional []string) {
	num = w.alphanumeric(FieldDocumentNumber, strings.TrimSpace(num))
	if len(optional) > w.optionals() {
		w.fail(FieldOptionalData, "the format has room for %d", w.optionals())
	}
	if w.err != nil {
		return
	}
	s := w.number
	rest := ""
	if len(num) <= s.width() {
		w.put(s, num)
		w.digit(s, w.numberDigit)
	} else {
		rest = w.long(num)
	}
	if num == "" || num[0] == filler {
		w.fail(FieldDocumentNumber, "must begin with a letter or digit")
	}
	fields := [...]string{FieldOptionalData, FieldOptionalData2}
	for i, text := range optional {
		text = w.alphanumeric(fields[i], text)
		if i == 0 && rest != "" {
			text = rest + text
			rest = ""
		}
		if len(text) > w.optional[i].width() {
			w.fail(fields[i], "at most %d characters fit", w.optional[i].width())
			return
		}
		w.put(w.optional[i], text)
	}
	if rest != "" {
		w.put(w.optional[0], rest)
	}
	if first := w.optional[0]; w.optionalDigit.exists() && !blank(string(w.cells(first))) {
		w.digit(first, w.optionalDigit)
	}
}

// long writes the first cells of a number that does not fit and returns what
// goes before the optional data: the rest, the check digit and a filler.
func (w *writer) long(num string) (rest string) {
	s := w.number
	// The last cell of the optional data is the filler that ends the number,
	// the one before it the digit.
	most := s.width()
	if w.longNumber {
		most += w.optional[0].width() - 2
	}
	switch {
	case len(num) > most:
		w.fail(FieldDocumentNumber, "at most %d characters fit", most)
		return ""
	case !allIn(num, letters|digits):
		w.fail(FieldDocumentNumber, "more than %d characters must be letters and digits only", s.width())
		return ""
	}
	w.put(s, num)
	digit, _ := CheckDigit(num)
	return num[s.width():] + string(digit) + string(filler)
}

func (w *writer) date(field string, s, digit span, d Date) {
	if !d.possible() || d.Year < 0 || d.Year > 9999 {
		w.fail(field, "the calendar has no such day")
		return
	}
	for i, n := range [...]int{d.Year, d.Month, d.Day} {
		if n != 0 {
			copy(w.cells(s)[2*i:], fmt.Sprintf("%02d", n%100))
		}
	}
	w.digit(s, digit)
}

func (w *writer) writeSex(sex string) {
	switch sex = strings.ToUpper(sex); sex {
	case "M", "F":
		w.put(w.sex, sex)
	case "X", "":
	default:
		w.fail(FieldSex, "want M, F, X or nothing")
	}
}

func (w *writer) names(primary, secondary string, tongue tongue) {
	first := w.nameIn(FieldPrimary, primary, tongue)
	second := w.nameIn(FieldSecondary, secondary, tongue)
	if first == "" {
		w.fail(FieldPrimary, "is empty; a single name goes here")
	}
	if w.err == nil {
		w.put(w.name, strings.ReplaceAll(fitName(first, second, w.name.width()), " ", string(filler)))
	}
}

// maxNameLength bounds a name in bytes, far above any that a register holds.
const maxNameLength = 1024

func (w *writer) nameIn(field, s string, tongue tongue) string {
	if len(s) > maxNameLength {
		w.fail(field, "at most %d bytes are a name", maxNameLength)
		return ""
	}
	folded, foreign := fold(s, style{tongue: tongue})
	if foreign != 0 {
		w.fail(field, "want Latin, Cyrillic, Greek or Arabic letters; transliterate other scripts and write numbers in letters")
	}
	return folded
}
