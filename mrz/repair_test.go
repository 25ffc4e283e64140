package mrz_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"lintas/mrz"
)

// numbered writes a zone of a traveller who does not exist.
func numbered(t *testing.T, format mrz.Format, state, number string) []string {
	t.Helper()
	f := demo()
	f.DocumentNumber, f.IssuingState = number, state
	switch format {
	case mrz.TD1, mrz.TD2:
		f.DocumentCode = "I"
	case mrz.MRVA, mrz.MRVB:
		f.DocumentCode = "V"
	}
	lines, err := f.Lines(format)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// What the digits prove is mended, marked and listed.
func TestRepairMade(t *testing.T) {
	indonesian := numbered(t, mrz.TD3, "IDN", "X1204567")
	long := numbered(t, mrz.TD1, "IDN", "123456789346")
	visa := numbered(t, mrz.MRVB, "IDN", "X1204567")
	tests := []struct {
		name  string
		right []string
		at    [2]int // line and column
		read  string // what was read there
		want  []mrz.Repair
	}{
		{"letters in a date", specimenTD3, [2]int{2, 15}, "4O8I2", []mrz.Repair{
			{"date_of_birth", 2, 16, "O", "0"}, {"date_of_birth", 2, 18, "I", "1"}}},
		{"letter that agrees with the digit", specimenTD1, [2]int{2, 9}, "L2", []mrz.Repair{{"date_of_expiry", 2, 9, "L", "1"}}},
		{"letter for the digit of a date", specimenTD3, [2]int{2, 20}, "Z", []mrz.Repair{{"date_of_birth", 2, 20, "Z", "2"}}},
		{"letter for the digit of a number", specimenTD3, [2]int{2, 10}, "G", []mrz.Repair{{"document_number", 2, 10, "G", "6"}}},
		{"letter for the digit of optional data", specimenTD3, [2]int{2, 43}, "I", []mrz.Repair{{"optional_data", 2, 43, "I", "1"}}},
		{"letter for the composite", specimenTD3, [2]int{2, 44}, "O", []mrz.Repair{{"composite", 2, 44, "O", "0"}}},
		{"a sign that is in no zone", specimenTD3, [2]int{2, 18}, "|", []mrz.Repair{{"date_of_birth", 2, 18, "|", "1"}}},
		{"letter in a number", specimenTD1, [2]int{1, 14}, "O", []mrz.Repair{{"document_number", 1, 14, "O", "0"}}},
		{"letter in an Indonesian number", indonesian, [2]int{2, 4}, "O", []mrz.Repair{{"document_number", 2, 4, "O", "0"}}},
		{"letter in a visa's number", visa, [2]int{2, 4}, "O", []mrz.Repair{{"document_number", 2, 4, "O", "0"}}},
		{"letter in a long number", long, [2]int{1, 7}, "Z", []mrz.Repair{{"document_number", 1, 7, "Z", "2"}}},
		{"letter for a long number's digit", long, [2]int{1, 19}, "G", []mrz.Repair{{"document_number", 1, 19, "G", "6"}}},
		{"unread in a date", specimenTD3, [2]int{2, 16}, "_", []mrz.Repair{{"date_of_birth", 2, 16, "_", "0"}}},
		{"unread for a digit", specimenTD3, [2]int{2, 28}, "_", []mrz.Repair{{"date_of_expiry", 2, 28, "_", "9"}}},
		{"unread for a composite", specimenTD1, [2]int{2, 30}, "_", []mrz.Repair{{"composite", 2, 30, "_", "6"}}},
		{"filler read as a letter", specimenTD3, [2]int{2, 38}, "<C<<", []mrz.Repair{{"optional_data", 2, 39, "C", "<"}}},
		{"filler read as a letter, composite only", specimenTD1, [2]int{2, 20}, "<S<<", []mrz.Repair{{"optional_data_2", 2, 21, "S", "<"}}},
		{"digit in the state", specimenTD3, [2]int{1, 3}, "UT0", []mrz.Repair{{"issuing_state", 1, 5, "0", "O"}}},
		{"digit in the nationality", specimenTD3, [2]int{2, 11}, "UT0", []mrz.Repair{{"nationality", 2, 13, "0", "O"}}},
		{"digit for the document code", specimenTD1, [2]int{1, 1}, "1", []mrz.Repair{{"document_code", 1, 1, "1", "I"}}},
		{"digits in a name", specimenTD3, [2]int{1, 6}, "ER1K550N", []mrz.Repair{
			{"name", 1, 8, "1", "I"}, {"name", 1, 10, "5", "S"}, {"name", 1, 11, "5", "S"}, {"name", 1, 12, "0", "O"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := mrz.Mend(edit(test.right, test.at[0], test.at[1], test.read), today)
			if !doc.Valid || !reflect.DeepEqual(doc.Lines, test.right) || !slices.Equal(doc.Repairs, test.want) {
				t.Fatalf("got %q: %v, repairs %v, candidates %v", doc.Lines, codes(doc), doc.Repairs, doc.Candidates)
			}
			for _, r := range doc.Repairs {
				code := mrz.CodeRepairedUnproven
				if doc.Check(r.Field) != 0 {
					code = mrz.CodeRepaired
					if doc.Check(r.Field) != mrz.Repaired {
						t.Errorf("%s is %s", r.Field, doc.Check(r.Field))
					}
				}
				if !slices.ContainsFunc(doc.Findings, func(f mrz.Finding) bool {
					return f.Code == code && f.Field == r.Field && f.Line == r.Line && f.Column == r.Column
				}) {
					t.Errorf("no finding %s of %v", code, r)
				}
			}
		})
	}
}

// Errors in different fields do not stand in each other's way.
func TestRepairSeveralFields(t *testing.T) {
	read := zone("P<UT0ERIK55ON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" +
		"L898902C36UTO740BIZZF12041S9ZE184226B<<<<<1O")
	doc := mrz.Mend(read, today)
	if !doc.Valid || !reflect.DeepEqual(doc.Lines, specimenTD3) || len(doc.Repairs) != 9 {
		t.Errorf("got %q, %v", doc.Lines, doc.Repairs)
	}
	for field, want := range map[string]mrz.Status{
		"document_number": mrz.Verified, "date_of_birth": mrz.Repaired, "date_of_expiry": mrz.Repaired,
		"optional_data": mrz.Verified, "composite": mrz.Repaired, "name": 0,
	} {
		if got := doc.Check(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

// Where the digits leave several answers they are given, and nothing is changed.
func TestRepairOffered(t *testing.T) {
	turkish := numbered(t, mrz.TD1, "TUR", "A12S34567")
	tests := []struct {
		name  string
		lines []string
		field string
		truth string
	}{
		{"twins in a number of any shape", edit(specimenTD3, 2, 4, "B"), mrz.FieldDocumentNumber, "L898902C3"},
		{"unread in a number", edit(specimenTD3, 2, 3, "_"), mrz.FieldDocumentNumber, "L898902C3"},
		{"unread in a long number of one more", edit(numbered(t, mrz.TD1, "IDN", "1234567890"), 1, 8, "_"), mrz.FieldDocumentNumber, "1234567890"},
		{"two unread in a date", edit(numbered(t, mrz.MRVA, "IDN", "X1"), 2, 15, "_0_"), mrz.FieldDateOfBirth, "1994-02-28"},
		{"unread digit that nothing else covers", edit(specimenMRVA, 2, 10, "_"), mrz.FieldDocumentNumber, "L8988901C"},
		{"first letter", edit(specimenTD1, 1, 6, "0"), mrz.FieldDocumentNumber, "D23145890"},
		{"issuer with letters among digits", edit(turkish, 1, 9, "5"), mrz.FieldDocumentNumber, "A12S34567"},
		{"optional data, composite only", zone("ITNLDPS99106567SNP3048542022<<\n8511250M2904076RUS<1<89<<<<<<7\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"),
			mrz.FieldOptionalData2, "<I<89"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := mrz.Mend(test.lines, today)
			if doc.Valid || len(doc.Repairs) > 0 || !reflect.DeepEqual(doc.Lines, test.lines) {
				t.Errorf("%q became %q: %v", test.lines, doc.Lines, doc.Repairs)
			}
			found := false
			for _, c := range doc.Candidates {
				if c.Field == mrz.FieldDateOfBirth && len(c.Repairs) == 0 {
					continue // a century
				}
				found = found || c.Field == test.field && c.Value == test.truth
				again := slices.Clone(doc.Lines)
				for _, r := range c.Repairs {
					if again = edit(again, r.Line, r.Column, r.To); doc.Lines[r.Line-1][r.Column-1:][:1] != r.From {
						t.Errorf("%v does not fit the lines", r)
					}
				}
				if mrz.Parse(again, today).Check(c.Field) == mrz.Refuted {
					t.Errorf("%s does not agree with its digit", c.Value)
				}
			}
			if !found {
				t.Errorf("%s is not among %v", test.truth, doc.Candidates)
			}
		})
	}
}

// The officer is told where to look.
func TestRepairSaysWhatToCompare(t *testing.T) {
	doc := mrz.Mend(edit(specimenTD3, 2, 4, "B"), today)
	for _, f := range doc.Findings {
		if f.Code == mrz.CodeCheckDigitWrong && f.Field == mrz.FieldDocumentNumber {
			if f.EN != "The check digit of the document number does not match; compare its character 2 and 4 with the document." ||
				f.ID != "Angka pemeriksa untuk nomor dokumen tidak cocok; bandingkan karakter ke-2 dan ke-4 dengan dokumennya." {
				t.Errorf("got %q, %q", f.EN, f.ID)
			}
			return
		}
	}
	t.Errorf("got %v", codes(doc))
}

// L and 1, G and 6, K and the filler are the same to every check digit: the
// zone is right, the number may not be.
func TestRepairWarnsOfWhatDigitsDoNotSee(t *testing.T) {
	indonesian := numbered(t, mrz.TD3, "IDN", "X1264567")
	for read, right := range map[string]string{"X12G4567<": "X1264567", "XL264567K": "", "X1264567K": "X1264567"} {
		doc := mrz.Read(edit(indonesian, 2, 1, read), today)
		if !doc.Valid || len(doc.Repairs) > 0 {
			t.Errorf("%s: %v, %v", read, doc, doc.Repairs)
		}
		if right != "" && (!doc.Has(mrz.CodeNumberLookalike) || len(doc.Candidates) != 1 || doc.Candidates[0].Value != right) {
			t.Errorf("%s: %v, %v", read, codes(doc), doc.Candidates)
		}
	}
	german := zone("P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<\nC01X0006H1D<<6408125F1710319<<<<<<<<<<<<<<<0")
	for _, lines := range [][]string{indonesian, specimenTD3, german, numbered(t, mrz.TD3, "SGP", "E1234567G")} {
		if doc := mrz.Read(lines, today); !doc.Valid || doc.Has(mrz.CodeNumberLookalike) || len(doc.Candidates) > 0 {
			t.Errorf("%q: %v, %v", lines, codes(doc), doc.Candidates)
		}
	}
}

// What nothing proves is left alone, and all fields are given nevertheless.
func TestRepairRefused(t *testing.T) {
	russian := zone("PNRUSZDRIL7K<<SERGEQ<ANATOL9EVI3<<<<<<<<<<<<\n3919353498RUS7207233M<<<<<<<4151218910003<50")
	visa := edit(specimenMRVA, 2, 29, "O123")
	tests := []struct {
		name  string
		lines []string
		valid bool
	}{
		{"digit changed in the number", edit(specimenTD3, 2, 3, "5"), false},
		{"digit changed in a date", edit(specimenTD3, 2, 14, "9"), false},
		{"digit changed in a check digit", edit(specimenTD3, 2, 20, "9"), false},
		{"digit changed in a composite", edit(specimenTD3, 2, 44, "8"), false},
		{"digit changed beside a letter that looks like one", edit(numbered(t, mrz.TD1, "TUR", "A12S34567"), 1, 7, "8"), false},
		{"letter in a date that no digit covers", zone("AAA001D<<\nFACHE305142128097<<8OO126<<<<<\nMARCHAND<<FABIENNE<<<<<<<<<<<<"), false},
		{"unread in a name", edit(specimenTD3, 1, 7, "_"), false},
		{"unread for sex", edit(specimenTD3, 2, 21, "_"), false},
		{"unread in optional data", edit(specimenTD3, 2, 30, "_"), false},
		{"three unread in a date", edit(specimenTD3, 2, 14, "___"), false},
		{"letter in optional data of a visa", visa, true},
		{"letters in a name that may be fillers", edit(specimenTD3, 1, 30, "<<K<<L"), true},
		{"digits in a Russian name", russian, true},
		{"state that a letter would not mend", edit(specimenTD3, 1, 3, "QQQ"), true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := mrz.Mend(test.lines, today)
			if doc.Valid != test.valid || len(doc.Repairs) > 0 || !reflect.DeepEqual(doc.Lines, test.lines) {
				t.Errorf("%q became %q, valid %t: %v, %v", test.lines, doc.Lines, doc.Valid, doc.Repairs, codes(doc))
			}
			want := mrz.Parse(test.lines, today)
			if doc.Name != want.Name || doc.DocumentNumber != want.DocumentNumber || doc.DateOfBirth != want.DateOfBirth {
				t.Error("fields are not those of Parse")
			}
		})
	}
}

// A repair in line 2 is made and told although line 1 has an unread cell.
func TestRepairOfWhatStaysInvalid(t *testing.T) {
	doc := mrz.Mend(edit(edit(specimenTD3, 1, 7, "_"), 2, 15, "4OB"), today)
	if doc.Valid || doc.DateOfBirth != (mrz.Date{Year: 1974, Month: 8, Day: 12}) || len(doc.Repairs) != 2 ||
		doc.Check(mrz.FieldDateOfBirth) != mrz.Repaired || doc.Name.Primary() != "E_IKSSON" {
		t.Errorf("got %v, %v, %v", doc.DateOfBirth, doc.Repairs, codes(doc))
	}
}

// Candidates of a date come with those of its century.
func TestRepairAndCentury(t *testing.T) {
	f := demo()
	f.DateOfBirth = mrz.Date{Year: 2018, Month: 5, Day: 8}
	lines, err := f.Lines(mrz.TD3)
	if err != nil {
		t.Fatal(err)
	}
	doc := mrz.Mend(edit(lines, 2, 14, "I"), today)
	if !doc.Valid || doc.DateOfBirth != f.DateOfBirth || !doc.Has(mrz.CodeCenturyOpen) ||
		len(doc.Candidates) != 1 || doc.Candidates[0].Value != "1918-05-08" || len(doc.Candidates[0].Repairs) != 0 {
		t.Errorf("got %s, %v", doc.DateOfBirth, doc.Candidates)
	}
}

// A scanner that reads next to nothing, and a text of a mebibyte, are answered
// like everything else.
func TestReadIsBounded(t *testing.T) {
	unreadable := []string{strings.Repeat("_", 44), strings.Repeat("_", 44)}
	if doc := mrz.Read(unreadable, today); doc.Valid || doc.Format == "" || len(doc.Findings) > 150 {
		t.Errorf("got %v, %d findings", doc, len(doc.Findings))
	}
	const most = 64
	for name, unit := range map[string]string{
		"unread":     "P<IDNCONTOH<<BUDI<<<<<<<<<<<<<<<<<<<<<<<<<<<\nX_2345_7<0IDN94_2_83F31__011<<<<<<<<<<<<<<06\n",
		"twins":      "P<IDNCONTOH<<BUDI<<<<<<<<<<<<<<<<<<<<<<<<<<<\n0O1I5S8B21IDN9402283F3106011<<<<<<<<<<<<<<06\n",
		"short":      "I<IDN0O<1I5<S8<0<0O1<5<S\n94<22<83F310<011IDN<<<1<<06\nA<B<<\n",
		"fillers":    strings.Repeat("<", 44) + "\n",
		"one a line": "<\n",
		"one line":   "<O0",
		"double":     "«&amp;lt;",
	} {
		text := strings.Repeat(unit, 1<<20/len(unit)+1)
		docs := mrz.ReadText(text+text, today)
		if len(docs) > most {
			t.Errorf("%s: %d documents", name, len(docs))
		}
		for _, doc := range docs {
			if len(doc.Candidates) > 4*most || len(doc.Findings) > 150 {
				t.Errorf("%s: %d candidates, %d findings", name, len(doc.Candidates), len(doc.Findings))
			}
		}
	}
}
