package mrz_test

import (
	"reflect"
	"slices"
	"testing"

	"lintas/mrz"
)

// cut removes n characters at a line and column, both counted from 1.
func cut(lines []string, line, column, n int) []string {
	lines = slices.Clone(lines)
	lines[line-1] = lines[line-1][:column-1] + lines[line-1][column-1+n:]
	return lines
}

// insert puts text before a line and column, both counted from 1.
func insert(lines []string, line, column int, text string) []string {
	lines = slices.Clone(lines)
	lines[line-1] = lines[line-1][:column-1] + text + lines[line-1][column-1:]
	return lines
}

// undo takes back what the repairs of a document did to its lines.
func undo(doc mrz.Document) []string {
	lines := slices.Clone(doc.Lines)
	for _, r := range slices.Backward(doc.Repairs) {
		lines = insert(cut(lines, r.Line, r.Column, len(r.To)), r.Line, r.Column, r.From)
	}
	return lines
}

// Lines that lost or gained fillers get their width back, and that is listed.
func TestFit(t *testing.T) {
	german := zone("P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<\nC01X0006H1D<<6408125F1710319<<<<<<<<<<<<<<<0")
	short := numbered(t, mrz.TD3, "IDN", "X1234567")
	long := numbered(t, mrz.TD1, "IDN", "123456789346")
	sexless := zone("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122<1204159ZE184226B<<<<<10")
	swiss := zone("AAA001D<<\nFACHE305142128097<<800126<<<<<\nMARCHAND<<FABIENNE<<<<<<<<<<<<")
	french := zone("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<\n9409923102854CORINNE<<<<<<<6512068F4")
	tests := []struct {
		name  string
		right []string
		read  []string
	}{
		{"end of a name", specimenTD3, cut(specimenTD3, 1, 44, 1)},
		{"all fillers at the end of a name", specimenTD3, cut(specimenTD3, 1, 26, 19)},
		{"all fillers at the ends", specimenMRVA, cut(cut(specimenMRVA, 1, 26, 19), 2, 39, 6)},
		{"all fillers at the ends of a card", specimenTD1, cut(cut(specimenTD1, 1, 16, 15), 3, 21, 10)},
		{"behind the document code", specimenTD3, cut(specimenTD3, 1, 2, 1)},
		{"behind a card's document code", specimenTD1, cut(specimenTD1, 1, 2, 1)},
		{"behind the document code and at the end", specimenTD3, cut(cut(specimenTD3, 1, 44, 1), 1, 2, 1)},
		{"line 2 of TD1", specimenTD1, cut(specimenTD1, 2, 22, 2)},
		{"line 2 of TD2", specimenTD2, cut(specimenTD2, 2, 31, 3)},
		{"line 2 of TD3", specimenTD3, cut(specimenTD3, 2, 40, 2)},
		{"line 2 of MRV-B", specimenMRVB, cut(specimenMRVB, 2, 30, 1)},
		{"end of a number", short, cut(short, 2, 9, 1)},
		{"for a long number's digit", long, cut(long, 1, 15, 1)},
		{"for sex", sexless, cut(sexless, 2, 21, 1)},
		{"behind a short nationality", german, cut(german, 2, 12, 1)},
		{"in two places", sexless, cut(cut(sexless, 2, 40, 1), 2, 21, 1)},
		{"in both lines", specimenTD2, cut(cut(specimenTD2, 1, 30, 3), 2, 31, 1)},
		{"Swiss", swiss, cut(cut(cut(swiss, 1, 8, 2), 2, 18, 1), 3, 20, 5)},
		{"French", french, cut(cut(french, 1, 20, 1), 2, 21, 1)},
		{"doubled, end of a name", specimenTD3, insert(specimenTD3, 1, 30, "<")},
		{"doubled, between names", specimenTD3, insert(specimenTD3, 1, 44, "<<")},
		{"doubled, line 1 of TD1", specimenTD1, insert(specimenTD1, 1, 30, "<")},
		{"doubled, line 2 of TD1", specimenTD1, insert(specimenTD1, 2, 25, "<<")},
		{"doubled, line 3 of TD1", specimenTD1, insert(specimenTD1, 3, 25, "<")},
		{"doubled, line 2 of TD2", specimenTD2, insert(specimenTD2, 2, 30, "<")},
		{"doubled, line 2 of TD3", specimenTD3, insert(specimenTD3, 2, 40, "<<<")},
		{"doubled, end of a number", short, insert(short, 2, 9, "<")},
		{"doubled, line 2 of MRV-A", specimenMRVA, insert(specimenMRVA, 2, 40, "<")},
		{"doubled, French", french, insert(french, 2, 21, "<")},
		{"with a misread date", specimenTD3, edit(cut(specimenTD3, 1, 40, 4), 2, 15, "4OB")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for what, read := range map[string]func([]string, mrz.Date) mrz.Document{"Read": mrz.Read, "Mend": mrz.Mend} {
				doc := read(test.read, today)
				if !doc.Valid || !reflect.DeepEqual(doc.Lines, test.right) {
					t.Fatalf("%s: %q became %q: %v, %v", what, test.read, doc.Lines, codes(doc), doc.Repairs)
				}
				if len(doc.Repairs) == 0 || !doc.Has(mrz.CodeFillersMended) {
					t.Errorf("%s: repairs %v, findings %v", what, doc.Repairs, codes(doc))
				}
				if back := undo(doc); !reflect.DeepEqual(back, test.read) {
					t.Errorf("%s: undone it is %q by %v", what, back, doc.Repairs)
				}
			}
		})
	}
}

// What cannot be fitted is shown as far as it goes.
func TestFitRefused(t *testing.T) {
	tests := []struct {
		name   string
		read   []string
		format mrz.Format
		number string
	}{
		{"a letter is missing", cut(specimenTD3, 2, 2, 1), mrz.TD3, "L98902C36"},
		{"both lines are short of letters", cut(cut(specimenTD3, 1, 6, 1), 2, 30, 1), mrz.TD3, "L898902C3"},
		{"too long by letters", insert(specimenTD3, 2, 44, "9999"), mrz.TD3, "L898902C3"},
		{"fillers might be missing anywhere in a full name", []string{"P<UTOERIKSSONERIKSSON<<ANNAMARIAANNAMARIAANNAX", specimenTD3[1]}, mrz.TD3, "L898902C3"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := mrz.Read(test.read, today)
			if doc.Valid || doc.Format != test.format || doc.DocumentNumber != test.number {
				t.Errorf("got %v, number %q, %v", doc, doc.DocumentNumber, doc.Repairs)
			}
		})
	}
}
