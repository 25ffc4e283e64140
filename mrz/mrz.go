// Package mrz reads and writes the machine-readable zone of travel documents
// as ICAO Doc 9303 defines it: the two or three lines of OCR-B capitals,
// digits and fillers (<) at the foot of a passport, visa or identity card.
//
// A passport's zone (TD3, Doc 9303-4, the standard's own specimen):
//
//	P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
//	L898902C36UTO7408122F1204159ZE184226B<<<<<10
//	│        ││  │     │││     ││             ││
//	│        ││  │     │││     ││             │└ composite check digit
//	│        ││  │     │││     ││             └ check digit of the optional data
//	│        ││  │     │││     │└ optional data
//	│        ││  │     ││└─────┴ date of expiry, check digit
//	│        ││  │     │└ sex
//	│        ││  └─────┴ date of birth, check digit
//	│        │└ nationality
//	└────────┴ document number, check digit
//
// Five formats are known; all are positions in one table (layout.go):
//
//	TD1    3 × 30  identity cards                 Doc 9303-5
//	TD2    2 × 36  identity cards, older papers   Doc 9303-6
//	TD3    2 × 44  passports                      Doc 9303-4
//	MRV-A  2 × 44  visas, first letter V          Doc 9303-7
//	MRV-B  2 × 36  visas, first letter V          Doc 9303-7
//
// [Parse] reads one zone, [ParseText] all zones of a text, and [Fields.Lines]
// writes one.
//
// The package promises:
//
//   - It is pure. No file, clock, log or global state; the date that centuries
//     are resolved against is handed in.
//   - Parse never fails and never panics. It returns every field that can be
//     read, says of each protected field what its check digit proves, and names
//     each fault with line and column in a sentence for the officer.
//   - It is strict in what it calls valid: lower case, a wrong digit, a letter
//     in a date or one unread cell is enough for "not valid".
//   - What Fields.Lines writes, Parse reads as valid, and the fields read from
//     it write the same lines again.
//   - A Document, and the Fields it was made from, show no personal data when
//     printed or logged by mistake.
//
// It does not say whether a document is genuine, or whether it has expired.
// Line 1 of TD2, TD3 and visas has no check digit at all, and check digits find
// slips, not forgers.
package mrz

import (
	"fmt"
	"log/slog"
)

// Format is a zone's format by its name in Doc 9303. The zero value means that
// the lines are not a zone this package knows.
type Format string

// The formats of Doc 9303 parts 4 to 7.
const (
	TD1  Format = "TD1"   // identity card, three lines of 30 (part 5)
	TD2  Format = "TD2"   // identity card, two lines of 36 (part 6)
	TD3  Format = "TD3"   // passport, two lines of 44 (part 4)
	MRVA Format = "MRV-A" // visa, two lines of 44 (part 7, section 4)
	MRVB Format = "MRV-B" // visa, two lines of 36 (part 7, section 5)
)

// Names of a zone's fields as they stand in Check.Field, Finding.Field,
// Repair.Field and FieldError.Field.
const (
	FieldDocumentCode   = "document_code"
	FieldIssuingState   = "issuing_state"
	FieldName           = "name"
	FieldPrimary        = "primary"
	FieldSecondary      = "secondary"
	FieldDocumentNumber = "document_number"
	FieldNationality    = "nationality"
	FieldDateOfBirth    = "date_of_birth"
	FieldSex            = "sex"
	FieldDateOfExpiry   = "date_of_expiry"
	FieldOptionalData   = "optional_data"
	FieldOptionalData2  = "optional_data_2" // TD1 only: the second one, on line 2
	FieldComposite      = "composite"
)

// A Document is what one zone says. Its JSON form is the result that
// `lintas mrz --json` prints, without the id; lists are never null.
//
// Values are given without the fillers that pad them. A cell that holds no
// character of a zone (unread, or illegal) is given as '_', so that values
// consist of A-Z, 0-9, '_', blanks in names, and '<' inside numbers and
// optional data; Lines keeps what was handed in.
//
// A Document is personal data. Printing it with %v, %+v, %s or %#v and logging
// it with slog show only format and validity. Two ways round this remain: fmt
// cannot call methods on an unexported struct field, and slog's JSON handler
// marshals a slice of Documents.
type Document struct {
	// Format is "" if the lines are not a known zone; then only Lines and
	// Findings say anything.
	Format Format `json:"format"`

	// Valid reports that every character is legal in its field and that every
	// printed check digit is right. An impossible calendar date or an unknown
	// state is a finding but leaves Valid alone.
	Valid bool     `json:"valid"`
	Lines []string `json:"lines"`

	DocumentCode string `json:"document_code"` // one or two letters: P, PD, ID, V
	IssuingState string `json:"issuing_state"` // three letters, D for Germany

	// Primary and Secondary are the two parts of the name, their components
	// separated by single blanks (Doc 9303-3 §4.6). A holder of one name has
	// no Secondary.
	Primary   string `json:"primary"`
	Secondary string `json:"secondary"`
	// NameTruncated reports that the name fills its field to the last cell, so
	// that it must be taken as possibly shortened (Doc 9303-4 §4.2.3).
	NameTruncated bool `json:"name_truncated"`

	// DocumentNumber is whole, also where a TD1 or TD2 number continues in the
	// optional data.
	DocumentNumber string `json:"document_number"`
	Nationality    string `json:"nationality"`
	DateOfBirth    Date   `json:"date_of_birth"`
	Sex            string `json:"sex"` // M, F, X, or "" for unspecified
	DateOfExpiry   Date   `json:"date_of_expiry"`

	// OptionalData has one element for each optional field of the format (two
	// for TD1), "" where it is empty. Fillers inside are kept: what they stand
	// for is the issuer's secret.
	OptionalData []string `json:"optional_data"`

	Checks   []Check   `json:"checks"`
	Findings []Finding `json:"findings"`
	Repairs  []Repair  `json:"repairs"`
}

// A Repair is one cell that was read as From and must have been To. Line and
// Column count from 1. This version repairs nothing.
type Repair struct {
	Field  string `json:"field"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	From   string `json:"from"`
	To     string `json:"to"`
}

// Check returns what is known of a field's check digit, "" if the format
// protects no such field.
func (d Document) Check(field string) Status {
	for _, c := range d.Checks {
		if c.Field == field {
			return c.Status
		}
	}
	return ""
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
		Primary:        d.Primary,
		Secondary:      d.Secondary,
		DocumentNumber: d.DocumentNumber,
		Nationality:    d.Nationality,
		DateOfBirth:    d.DateOfBirth,
		Sex:            d.Sex,
		DateOfExpiry:   d.DateOfExpiry,
		OptionalData:   d.OptionalData,
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

// LogValue keeps slog from showing the traveller's data.
func (d Document) LogValue() slog.Value {
	return slog.GroupValue(slog.String("format", string(d.Format)), slog.Bool("valid", d.Valid))
}
