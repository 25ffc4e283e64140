package mrz_test

import (
	"reflect"
	"strings"
	"testing"

	"lintas/mrz"
)

// today is what all tests resolve centuries against.
var today = mrz.Date{Year: 2026, Month: 11, Day: 23}

func zone(text string) []string { return strings.Split(text, "\n") }

// Specimens of Doc 9303.
var (
	specimenTD3 = zone("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" +
		"L898902C36UTO7408122F1204159ZE184226B<<<<<10") // part 4, appendix B
	specimenTD1 = zone("I<UTOD231458907<<<<<<<<<<<<<<<\n" +
		"7408122F1204159UTO<<<<<<<<<<<6\n" +
		"ERIKSSON<<ANNA<MARIA<<<<<<<<<<") // part 5, appendix B
	specimenTD2 = zone("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\n" +
		"D231458907UTO7408122F1204159<<<<<<<6") // part 6, appendix B
	specimenMRVA = zone("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n" +
		"L8988901C4XXX4009078F96121096ZE184226B<<<<<<") // part 7, appendix A
	specimenMRVB = zone("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\n" +
		"L8988901C4XXX4009078F9612109<<<<<<<<") // part 7, appendix B
)

// edit returns a copy of lines with text written at a line and column, both
// counted from 1 as in findings.
func edit(lines []string, line, column int, text string) []string {
	lines = append([]string(nil), lines...)
	s := lines[line-1]
	lines[line-1] = s[:column-1] + text + s[column-1+len(text):]
	return lines
}

func TestParseSpecimens(t *testing.T) {
	born := mrz.Date{Year: 1974, Month: 8, Day: 12}
	expires := mrz.Date{Year: 2012, Month: 4, Day: 15}
	checks := func(composite, optional, optional2 mrz.Status) mrz.Checks {
		return mrz.Checks{
			DocumentNumber: mrz.Verified, DateOfBirth: mrz.Verified, DateOfExpiry: mrz.Verified,
			OptionalData: [2]mrz.Status{optional, optional2}, Composite: composite,
		}
	}
	tests := []struct {
		name  string
		lines []string
		want  mrz.Document
	}{
		{"TD3", specimenTD3, mrz.Document{
			Format: mrz.TD3, DocumentCode: "P", DocumentNumber: "L898902C3", Nationality: "UTO",
			DateOfBirth: born, DateOfExpiry: expires, OptionalData: [2]string{"ZE184226B"},
			Checks: checks(mrz.Verified, mrz.Verified, 0),
		}},
		{"TD1", specimenTD1, mrz.Document{
			Format: mrz.TD1, DocumentCode: "I", DocumentNumber: "D23145890", Nationality: "UTO",
			DateOfBirth: born, DateOfExpiry: expires, OptionalData: [2]string{},
			Checks: checks(mrz.Verified, mrz.CompositeOnly, mrz.CompositeOnly),
		}},
		{"TD2", specimenTD2, mrz.Document{
			Format: mrz.TD2, DocumentCode: "I", DocumentNumber: "D23145890", Nationality: "UTO",
			DateOfBirth: born, DateOfExpiry: expires, OptionalData: [2]string{},
			Checks: checks(mrz.Verified, mrz.CompositeOnly, 0),
		}},
		{"MRV-A", specimenMRVA, mrz.Document{
			Format: mrz.MRVA, DocumentCode: "V", DocumentNumber: "L8988901C", Nationality: "XXX",
			DateOfBirth: mrz.Date{1940, 9, 7}, DateOfExpiry: mrz.Date{1996, 12, 10}, OptionalData: [2]string{"6ZE184226B"},
			Checks: checks(mrz.Absent, mrz.Unverifiable, 0),
		}},
		{"MRV-B", specimenMRVB, mrz.Document{
			Format: mrz.MRVB, DocumentCode: "V", DocumentNumber: "L8988901C", Nationality: "XXX",
			DateOfBirth: mrz.Date{1940, 9, 7}, DateOfExpiry: mrz.Date{1996, 12, 10}, OptionalData: [2]string{},
			Checks: checks(mrz.Absent, mrz.Unverifiable, 0),
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want := test.want
			want.Valid = true
			want.Lines = test.lines
			want.IssuingState = "UTO"
			want.Sex = "F"
			got := mrz.Parse(test.lines, today)
			if got.Name.Primary() != "ERIKSSON" || got.Name.Secondary() != "ANNA MARIA" {
				t.Errorf("name is %q, %q", got.Name.Primary(), got.Name.Secondary())
			}
			if got.Name = (mrz.Name{}); !reflect.DeepEqual(got, want) {
				t.Errorf("got %q %+v\nwant %q %+v", got.Fields(), got.Checks, want.Fields(), want.Checks)
			}
		})
	}
}

func TestParseFaults(t *testing.T) {
	type place struct {
		field        string
		line, column int
	}
	tests := []struct {
		name  string
		lines []string
		code  string
		at    place
		valid bool
	}{
		{"wrong number digit", edit(specimenTD3, 2, 10, "5"), mrz.CodeCheckDigitWrong, place{"document_number", 2, 10}, false},
		{"wrong composite", edit(specimenTD3, 2, 44, "1"), mrz.CodeCheckDigitWrong, place{"composite", 2, 44}, false},
		{"composite missing", edit(specimenTD1, 2, 30, "<"), mrz.CodeCheckDigitMissing, place{"composite", 2, 30}, false},
		{"birth digit missing", edit(specimenTD3, 2, 20, "<"), mrz.CodeCheckDigitMissing, place{"date_of_birth", 2, 20}, false},
		{"number digit missing in TD3", edit(specimenTD3, 2, 10, "<"), mrz.CodeCheckDigitMissing, place{"document_number", 2, 10}, false},
		{"number does not go on", edit(specimenTD1, 1, 15, "<"), mrz.CodeNumberUnfinished, place{"document_number", 1, 15}, false},
		{"number goes on with a digit only", edit(specimenTD1, 1, 15, "<7"), mrz.CodeNumberUnfinished, place{"document_number", 1, 15}, false},
		{"long number, wrong digit", edit(specimenTD1, 1, 15, "<7348"), mrz.CodeCheckDigitWrong, place{"document_number", 1, 19}, false},
		{"long number, letter for digit", edit(specimenTD1, 1, 15, "<734A"), mrz.CodeCheckDigitWrong, place{"document_number", 1, 19}, false},
		{"unread in a number", edit(specimenTD3, 2, 3, "_"), mrz.CodeCharacterUnread, place{"document_number", 2, 3}, false},
		{"unread in a name", edit(specimenTD3, 1, 7, "_"), mrz.CodeCharacterUnread, place{"name", 1, 7}, false},
		{"unread check digit", edit(specimenTD3, 2, 28, "_"), mrz.CodeCharacterUnread, place{"date_of_expiry", 2, 28}, false},
		{"small letter", edit(specimenTD3, 2, 29, "z"), mrz.CodeCharacterIllegal, place{"optional_data", 2, 29}, false},
		{"letter in a date", edit(specimenTD3, 2, 16, "A"), mrz.CodeCharacterIllegal, place{"date_of_birth", 2, 16}, false},
		{"letter as check digit", edit(specimenTD3, 2, 10, "A"), mrz.CodeCharacterIllegal, place{"document_number", 2, 10}, false},
		{"digit in a state", edit(specimenTD3, 1, 5, "0"), mrz.CodeCharacterIllegal, place{"issuing_state", 1, 5}, false},
		{"digit as document code", edit(specimenTD3, 1, 1, "9"), mrz.CodeCharacterIllegal, place{"document_code", 1, 1}, false},
		{"filler as document code", edit(specimenTD3, 1, 1, "<"), mrz.CodeCharacterIllegal, place{"document_code", 1, 1}, false},
		{"sex R", edit(specimenTD3, 2, 21, "R"), mrz.CodeCharacterIllegal, place{"sex", 2, 21}, false},
		{"sex X", edit(specimenTD3, 2, 21, "X"), mrz.CodeSexX, place{"sex", 2, 21}, true},
		{"digit in a name", edit(specimenTD3, 1, 7, "7"), mrz.CodeNameDigit, place{"name", 1, 7}, false},
		{"unknown state", edit(specimenTD3, 1, 3, "QQQ"), mrz.CodeStateUnknown, place{"issuing_state", 1, 3}, true},
		{"no state", edit(specimenTD3, 2, 11, "<<<"), mrz.CodeStateUnknown, place{"nationality", 2, 11}, true},
		{"unusual document code", edit(specimenTD3, 1, 1, "Q"), mrz.CodeDocumentCodeUnknown, place{"document_code", 1, 1}, true},
		{"line too long", []string{specimenTD3[0] + "X", specimenTD3[1]}, mrz.CodeLineLength, place{"", 1, 44}, false},
		{"line too short", []string{specimenTD3[0][:40], specimenTD3[1]}, mrz.CodeLineLength, place{"", 1, 40}, false},
		{"one line", specimenTD3[:1], mrz.CodeFormatUnknown, place{}, false},
		{"no lines", nil, mrz.CodeFormatUnknown, place{}, false},
		{"four lines", append(specimenTD1, ""), mrz.CodeFormatUnknown, place{}, false},
		{"no length fits", zone("I<FRAD12345678<<<<<<<<<<<<<<\n8001012M2501012FRA<<<<<<<<<4\nDURAND<<PIERRE<LOUIS<<<<<<<"), mrz.CodeFormatUnknown, place{}, false},
		{"44 and 36", []string{specimenTD3[0], specimenTD2[1]}, mrz.CodeFormatUnknown, place{}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := mrz.Parse(test.lines, today)
			if doc.Valid != test.valid {
				t.Errorf("Valid is %t", doc.Valid)
			}
			for _, f := range doc.Findings {
				if f.Code == test.code && (place{f.Field, f.Line, f.Column}) == test.at {
					if test.valid == (f.Severity == mrz.Error) {
						t.Errorf("severity is %s", f.Severity)
					}
					return
				}
			}
			t.Errorf("no finding %s at %v; got %v", test.code, test.at, codes(doc))
		})
	}
}

func codes(doc mrz.Document) (list []string) {
	for _, f := range doc.Findings {
		list = append(list, f.Code+" "+f.Field)
	}
	return list
}

func TestStatusOfUnreadFields(t *testing.T) {
	doc := mrz.Parse(edit(specimenTD3, 2, 3, "_"), today)
	for field, want := range map[string]mrz.Status{
		"document_number": mrz.Unverifiable, "composite": mrz.Unverifiable,
		"date_of_birth": mrz.Verified, "optional_data": mrz.Verified, "name": 0,
	} {
		if got := doc.Check(field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if doc.DocumentNumber != "L8_8902C3" || doc.Name.Primary() != "ERIKSSON" || !doc.DateOfBirth.Known() {
		t.Error("fields that could be read are missing")
	}
}

func TestShortLineStillShowsItsFields(t *testing.T) {
	doc := mrz.Parse([]string{"P<UTOERIKSSON<<ANNA<MARIA", specimenTD3[1]}, today)
	if doc.Format != mrz.TD3 || doc.Valid || doc.Name.Primary() != "ERIKSSON" || doc.Name.Secondary() != "ANNA MARIA" ||
		doc.Name.Truncated || doc.Check("composite") != mrz.Verified || len(doc.Findings) != 1 {
		t.Errorf("got %s, %v", doc, codes(doc))
	}
	doc = mrz.Parse([]string{"P<", specimenTD3[1]}, today)
	if doc.IssuingState != "___" || doc.Name.Primary() != "" {
		t.Errorf("got state %q", doc.IssuingState)
	}
}

func TestValuesHoldOnlyZoneCharacters(t *testing.T) {
	doc := mrz.Parse(edit(edit(specimenTD3, 1, 6, "<b>\xff&"), 2, 2, "é"), today)
	if doc.Name.Primary() != "____SON" || doc.DocumentNumber != "L__8902C3" {
		t.Errorf("got %q, %q", doc.Name.Primary(), doc.DocumentNumber)
	}
}

func TestVisaOrPassport(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		want  mrz.Format
	}{
		{"unread, digits of a passport", edit(specimenTD3, 1, 1, "_"), mrz.TD3},
		{"unread, digits of a visa", edit(specimenMRVA, 1, 1, "_"), mrz.MRVA},
		{"unread, digits of a card", edit(specimenTD2, 1, 1, "_"), mrz.TD2},
		{"misread, digits of a visa", edit(specimenMRVB, 1, 1, "7"), mrz.MRVB},
		{"unread, no digit right", edit(edit(specimenMRVA, 1, 1, "_"), 2, 10, "9"), mrz.TD3},
		{"letter decides against digits", edit(specimenTD3, 1, 1, "V"), mrz.MRVA},
		{"card in a passport's format", edit(specimenTD3, 1, 1, "I"), mrz.TD3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := mrz.Parse(test.lines, today).Format; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
