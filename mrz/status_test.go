package mrz_test

import (
	"encoding/json"
	"testing"

	"lintas/mrz"
)

// Every status, and what calls it forth.
func TestStatuses(t *testing.T) {
	noData := zone("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159<<<<<<<<<<<<<<<8")
	noDates := zone("I<UTOD231458907<<<<<<<<<<<<<<<\n<<<<<<<F<<<<<<<UTO<<<<<<<<<<<2\nERIKSSON<<ANNA<MARIA<<<<<<<<<<")
	tests := []struct {
		name  string
		lines []string
		field string
		want  mrz.Status
	}{
		{"own digit is right", specimenTD3, mrz.FieldDocumentNumber, mrz.Verified},
		{"own digit is wrong", edit(specimenTD3, 2, 10, "1"), mrz.FieldDocumentNumber, mrz.Refuted},
		{"own digit is missing", edit(specimenTD3, 2, 20, "<"), mrz.FieldDateOfBirth, mrz.Refuted},
		{"composite is missing", edit(specimenTD2, 2, 36, "<"), mrz.FieldComposite, mrz.Refuted},
		{"a cell is illegal", edit(specimenTD3, 2, 30, "?"), mrz.FieldOptionalData, mrz.Refuted},
		{"composite speaks for it", specimenTD1, mrz.FieldOptionalData, mrz.CompositeOnly},
		{"composite speaks for the second", specimenTD1, mrz.FieldOptionalData2, mrz.CompositeOnly},
		{"composite that is wrong does not", edit(specimenTD1, 2, 30, "1"), mrz.FieldOptionalData, mrz.Unverifiable},
		{"nothing speaks for a visa's", specimenMRVA, mrz.FieldOptionalData, mrz.Unverifiable},
		{"three unread cells", edit(specimenTD3, 2, 14, "___"), mrz.FieldDateOfBirth, mrz.Unverifiable},
		{"visas have no composite", specimenMRVB, mrz.FieldComposite, mrz.Absent},
		{"empty, and so is its digit", noData, mrz.FieldOptionalData, mrz.Absent},
		{"no date, and so is its digit", noDates, mrz.FieldDateOfBirth, mrz.Absent},
		{"mended", edit(specimenTD3, 2, 16, "O"), mrz.FieldDateOfBirth, mrz.Repaired},
		{"digit mended", edit(specimenTD3, 2, 44, "O"), mrz.FieldComposite, mrz.Repaired},
		{"a composite that was not read speaks for nothing", edit(specimenTD1, 2, 30, "_"), mrz.FieldOptionalData2, mrz.Unverifiable},
		{"no such field", specimenTD3, mrz.FieldOptionalData2, 0},
		{"no check", specimenTD3, mrz.FieldName, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := mrz.Mend(test.lines, today).Check(test.field); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	var s mrz.Status
	if b, err := json.Marshal(mrz.CompositeOnly); err != nil || string(b) != `"composite-only"` || json.Unmarshal(b, &s) != nil || s != mrz.CompositeOnly {
		t.Errorf("as JSON: %s, %v, %v", b, err, s)
	}
	if err := json.Unmarshal([]byte(`"maybe"`), &s); err == nil {
		t.Error("a status that there is not was read")
	}
}
