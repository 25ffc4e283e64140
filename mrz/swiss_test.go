package mrz_test

import (
	"testing"

	"lintas/mrz"
)

// A Swiss driving licence has no digits at all: all that can be said is that
// its characters are legal.
func TestSwissLicenceProvesNothing(t *testing.T) {
	lines := zone("AAA001D<<\nFACHE305142128097<<800126<<<<<\nMARCHAND<<FABIENNE<<<<<<<<<<<<")
	doc := mrz.Parse(lines, today)
	if !doc.Valid || doc.Format != mrz.CHDL || doc.DocumentCode != "FA" || doc.IssuingState != "CHE" ||
		doc.DocumentNumber != "305142128097" || doc.DateOfBirth.String() != "1980-01-26" || !doc.DateOfExpiry.IsZero() ||
		doc.Name.Primary() != "MARCHAND" || doc.Name.Secondary() != "FABIENNE" || doc.OptionalData != [2]string{"AAA001", "D"} || len(doc.Findings) > 0 {
		t.Errorf("got %+v, %v", doc.Fields(), codes(doc))
	}
	for _, check := range doc.Checks.List() {
		if check.Status != mrz.Unverifiable && check.Status != mrz.Absent {
			t.Errorf("%s is %s", check.Field, check.Status)
		}
	}
	if doc := mrz.Parse(edit(lines, 2, 3, "LIE"), today); !doc.Valid || doc.IssuingState != "LIE" {
		t.Errorf("Liechtenstein: %v", codes(doc))
	}
	if doc := mrz.Mend(edit(lines, 2, 21, "O"), today); doc.Valid || len(doc.Repairs) > 0 {
		t.Errorf("repaired without proof: %v", doc.Repairs)
	}
	if docs := mrz.ReadText("AAA001D<< FACHE305142128097<<800126<<<<< MARCHAND<<FABIENNE<<<<<<<<<<<<", today); len(docs) != 1 || !docs[0].Valid {
		t.Errorf("one string: %v", docs)
	}
}
