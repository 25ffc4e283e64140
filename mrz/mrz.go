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
// Seven formats are known; all are positions in one table (layout.go):
//
//	TD1    3 × 30  identity cards                 Doc 9303-5
//	TD2    2 × 36  identity cards, older papers   Doc 9303-6
//	TD3    2 × 44  passports                      Doc 9303-4
//	MRV-A  2 × 44  visas, first letter V          Doc 9303-7
//	MRV-B  2 × 36  visas, first letter V          Doc 9303-7
//	FR-ID  2 × 36  French identity cards          not in Doc 9303
//	CH-DL  9 + 2 × 30  Swiss driving licences     not in Doc 9303
//
// [Parse] reads one zone to the letter. [Read] is what a counter wants: it also
// tidies lines that arrive untidily, and mends what was misread where the check
// digits leave one answer. [Mend] does the latter alone, [ReadText] both for all
// zones of a text, and [Fields.Lines] writes a zone.
//
// The package promises:
//
//   - It is pure. No file, clock, log or global state; the date that centuries
//     are resolved against is handed in.
//   - Parse never fails and never panics. It returns every field that can be
//     read, says of each protected field what its check digit proves, and names
//     each fault with line and column in a sentence for the officer.
//   - Parse is strict: lower case, a wrong digit, a letter in a date or one
//     unread cell is enough for "not valid". It allocates nothing while there
//     is nothing to report and the number is of usual length.
//   - Read changes no field that has a check digit unless exactly one reading
//     agrees with all digits concerned, and lists every change it makes. Where
//     several readings agree, it changes nothing and returns them all.
//   - The work for any input is bounded.
//   - What Fields.Lines writes, Parse reads as valid, and the fields read from
//     it write the same lines again.
//   - A Document, and the Fields it was made from, show no personal data when
//     printed or logged by mistake.
//
// It does not say whether a document is genuine, or whether it has expired.
// Line 1 of TD2, TD3 and visas has no check digit at all, and check digits find
// slips, not forgers.
package mrz

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

// National formats that Doc 9303 does not know.
const (
	FRID Format = "FR-ID" // French identity card until 2021, two lines of 36
	CHDL Format = "CH-DL" // Swiss and Liechtenstein driving licence, lines of 9, 30 and 30
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
	FieldOptionalData2  = "optional_data_2" // the second one of TD1, FR-ID and CH-DL
	FieldComposite      = "composite"
)
