package mrz

import (
	"fmt"
	"io"
	"log/slog"
)

// A Document is what one zone says.
//
// Values are given without the fillers that pad them. A cell that holds no
// character of a zone (unread, or illegal) is given as '_', so that values
// consist of A-Z, 0-9, '_', blanks in names, and '<' inside numbers and
// optional data.
//
// A Document is personal data. Printing it, logging it with slog and
// marshalling it show format and validity only.
type Document struct {
	// Format is "" if the lines are not a known zone; then only Lines and
	// Findings say anything.
	Format Format

	// Valid reports that every character is legal in its field and that every
	// printed check digit is right, after the repairs if there are any. An
	// impossible calendar date or an unknown state is a finding but leaves
	// Valid alone.
	Valid bool

	// Lines are what the fields were read from: the lines handed to Parse, or
	// what Read made of them.
	Lines []string

	DocumentCode string // one or two letters: P, PD, ID, V
	IssuingState string // three letters, D for Germany

	// Name is the holder's name (Doc 9303-3 §4.6).
	Name Name

	// DocumentNumber is whole, also where a TD1 or TD2 number continues in the
	// optional data.
	DocumentNumber string
	Nationality    string
	DateOfBirth    Date
	Sex            string // M, F, X, or "" for unspecified
	DateOfExpiry   Date

	// OptionalData holds the optional fields: one, or two of TD1 and the
	// national formats. Fillers inside are kept: what they stand for is the
	// issuer's secret. In TD1 the second is that of line 2; in FR-ID they are
	// the end of line 1 and the department of issue; in CH-DL the number of
	// the blank card and the letter of its language.
	OptionalData [2]string

	// Checks says what the check digits prove.
	Checks Checks

	Findings   []Finding   // in the order of their places; nil if there are none
	Repairs    []Repair    // by Mend and Read only
	Candidates []Candidate // by Mend and Read only, but for an uncertain century
}

// A Repair is what Read changed: From was read, To is taken for it. Line and
// Column count from 1 in the lines after the repair. Characters that were lost
// are "" in From, those that were too many "" in To.
type Repair struct {
	Field  string `json:"field"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	From   string `json:"from"`
	To     string `json:"to"`
}

// A Candidate is one of several readings of a field between which the zone
// cannot decide, though something else may: a list that has only one of them,
// or the officer's eye. Value has the form of the field in a Document, dates
// YYYY-MM-DD. Repairs are what must be changed for it, none if the zone is right
// as it stands and just can be understood in two ways (a century).
type Candidate struct {
	Field   string   `json:"field"`
	Value   string   `json:"value"`
	Repairs []Repair `json:"repairs"`
}

// String names the field and never the value, which is the traveller's.
func (c Candidate) String() string { return "candidate for " + c.Field }

// Format keeps every verb of fmt from showing the value.
func (c Candidate) Format(s fmt.State, _ rune) { io.WriteString(s, c.String()) }

// LogValue keeps slog from showing the value.
func (c Candidate) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Optional returns the optional fields that the format has.
func (d Document) Optional() []string {
	l, ok := layoutOf(d.Format)
	if !ok {
		return []string{}
	}
	return append([]string{}, d.OptionalData[:l.optionals()]...)
}

// Check returns what is known of a field's check digit, 0 if the format
// protects no such field.
func (d Document) Check(field string) Status {
	if status := d.Checks.at(field); status != nil {
		return *status
	}
	return 0
}

// Has reports whether the document has a finding with this code.
func (d Document) Has(code string) bool {
	for _, f := range d.Findings {
		if f.Code == code {
			return true
		}
	}
	return false
}

// Fields returns the document's values in the form from which a zone can be
// written again.
func (d Document) Fields() Fields {
	return Fields{
		DocumentCode:   d.DocumentCode,
		IssuingState:   d.IssuingState,
		Primary:        d.Name.Primary(),
		Secondary:      d.Name.Secondary(),
		DocumentNumber: d.DocumentNumber,
		Nationality:    d.Nationality,
		DateOfBirth:    d.DateOfBirth,
		Sex:            d.Sex,
		DateOfExpiry:   d.DateOfExpiry,
		OptionalData:   d.Optional(),
	}
}

// String returns format and validity, never the traveller's data.
func (d Document) String() string {
	format := d.Format
	if format == "" {
		format = "unknown format"
	}
	if d.Valid {
		return fmt.Sprintf("machine-readable zone (%s, valid)", format)
	}
	return fmt.Sprintf("machine-readable zone (%s, not valid)", format)
}

// GoString keeps %#v from showing the traveller's data.
func (d Document) GoString() string {
	return fmt.Sprintf("mrz.Document{Format:%q, Valid:%t, ...}", string(d.Format), d.Valid)
}

// MarshalText keeps encoders, slog's among them, from showing the traveller's
// data where they meet a Document inside something else.
func (d Document) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// LogValue keeps slog from showing the traveller's data.
func (d Document) LogValue() slog.Value {
	return slog.GroupValue(slog.String("format", string(d.Format)), slog.Bool("valid", d.Valid))
}
