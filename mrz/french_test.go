package mrz_test

import (
	"testing"

	"lintas/mrz"
)

// french writes the zone of a French card issued in a month (YYMM), of a holder
// born on a day (YYMMDD), with the digits it needs.
func french(t *testing.T, issued, born string) []string {
	t.Helper()
	digit := func(s string) string {
		d, ok := mrz.CheckDigit(s)
		if !ok {
			t.Fatalf("%q has no digit", s)
		}
		return string(d)
	}
	first := "IDFRABERTHIER<<<<<<<<<<<<<<<<<952042"
	second := issued + "95212345"
	second += digit(second) + "CORINNE<<<<<<<" + born + digit(born) + "F"
	return []string{first, second + digit(first+second)}
}

// The card says when it was issued. How long it is good for is in the decrees.
func TestFrenchExpiry(t *testing.T) {
	tests := []struct {
		name, issued, born string
		birth, expiry      string
	}{
		{"ten years before 2014", "0806", "651206", "1965-12-06", "2018-06-01"},
		{"ten years in the last month of them", "1312", "651206", "1965-12-06", "2023-12-01"},
		{"fifteen years from 2014", "1401", "651206", "1965-12-06", "2029-01-01"},
		{"ten years for a child", "1506", "001206", "2000-12-06", "2025-06-01"},
		{"fifteen years from the eighteenth birthday", "1812", "001201", "2000-12-01", "2033-12-01"},
		{"ten years on the day before", "1812", "001202", "2000-12-02", "2028-12-01"},
		{"of the last century", "9409", "651206", "1965-12-06", "2004-09-01"},
		{"month that no calendar has", "1513", "651206", "1965-12-06", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := mrz.Parse(french(t, test.issued, test.born), today)
			if !doc.Valid || doc.Format != mrz.FRID || doc.DateOfBirth.String() != test.birth || doc.DateOfExpiry.String() != test.expiry {
				t.Errorf("got %v, born %s, expires %s, %v", doc, doc.DateOfBirth, doc.DateOfExpiry, codes(doc))
			}
			if doc.Has(mrz.CodeExpiryComputed) != (test.expiry != "") {
				t.Errorf("findings are %v", codes(doc))
			}
			if doc.DocumentNumber != test.issued+"95212345" || doc.Nationality != "FRA" || doc.OptionalData != [2]string{"952042", "952"} {
				t.Errorf("got %q, %q, %q", doc.DocumentNumber, doc.Nationality, doc.OptionalData)
			}
			if doc.Check(mrz.FieldDateOfExpiry) != 0 || doc.Check(mrz.FieldOptionalData) != mrz.CompositeOnly {
				t.Errorf("checks are %v", doc.Checks.List())
			}
		})
	}
}

// The composite of the French card covers line 1 as well, so that letters there
// are proved too.
func TestFrenchRepair(t *testing.T) {
	doc := mrz.Mend(zone("1DFRATE5T<NAME<<<<<<<<<<<<<<<<0CHE02\nI7I0GVA123451RO8ERTA<<<<<<<9IIZ3IIF2"), today)
	if !doc.Valid || doc.Format != mrz.FRID || doc.Lines[0] != "IDFRATEST<NAME<<<<<<<<<<<<<<<<0CHE02" || doc.Lines[1] != "1710GVA123451ROBERTA<<<<<<<9112311F2" {
		t.Errorf("got %q, %v", doc.Lines, codes(doc))
	}
	lines := french(t, "1506", "651206")
	for name, read := range map[string][]string{
		"month of issue":    edit(lines, 2, 3, "O"),
		"serial number":     edit(lines, 2, 9, "Z"),
		"date of birth":     edit(lines, 2, 30, "I"),
		"number's digit":    edit(lines, 2, 13, "_"),
		"composite":         edit(lines, 2, 36, "_"),
		"unread in a date":  edit(lines, 2, 30, "_"),
		"unread in a month": edit(lines, 2, 4, "_"),
	} {
		doc := mrz.Mend(read, today)
		if !doc.Valid || doc.Lines[1] != lines[1] || len(doc.Repairs) != 1 {
			t.Errorf("%s: %q became %q, %v, %v", name, read[1], doc.Lines[1], codes(doc), doc.Candidates)
		}
	}
	if doc := mrz.Mend(edit(lines, 1, 33, "3"), today); doc.Valid || !doc.Has(mrz.CodeCheckDigitWrong) {
		t.Errorf("forged: %v", codes(doc))
	}
}
