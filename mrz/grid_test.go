package mrz_test

import (
	"slices"
	"strings"
	"testing"

	"lintas/mrz"
)

func TestGridAgreesWithParse(t *testing.T) {
	for _, lines := range [][]string{
		zone("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"),
		zone("I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"),
		zone("I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"),
		zone("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<"),
		zone("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<"),
		zone("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<\n8806923102858CORINNE<<<<<<<6512068F6"),
		zone("AAA001D<<\nFACHE305142128097<<800126<<<<<\nMARCHAND<<FABIENNE<<<<<<<<<<<<"),
	} {
		doc := mrz.Parse(lines, today)
		f := doc.Format
		if !doc.Valid {
			t.Fatalf("%s: the example is not valid", f)
		}
		if !slices.Contains(mrz.Formats(), f) {
			t.Errorf("%s is not among Formats", f)
		}
		if len(f.Widths()) != len(lines) {
			t.Fatalf("%s: widths %v", f, f.Widths())
		}
		for i, line := range lines {
			if f.Widths()[i] != len(line) {
				t.Errorf("%s line %d: width %d of %q", f, i, f.Widths()[i], line)
			}
			for j := range len(line) {
				if c := (mrz.Cell{Line: i, Column: j}); !strings.Contains(f.Legal(c), line[j:j+1]) {
					t.Errorf("%s: %q at %v is not in %q", f, line[j], c, f.Legal(c))
				}
			}
		}
		for _, s := range f.Sums() {
			var over []byte
			for _, c := range s.Over {
				over = append(over, lines[c.Line][c.Column])
			}
			digit, _ := mrz.CheckDigit(string(over))
			if printed := lines[s.Digit.Line][s.Digit.Column]; digit != printed && (printed != '<' || digit != '0') {
				t.Errorf("%s: %s over %q is %c, not %c", f, s.Field, over, digit, printed)
			}
			if f.FieldAt(s.Digit) != s.Field {
				t.Errorf("%s: the digit of %s is in %q", f, s.Field, f.FieldAt(s.Digit))
			}
		}
	}
	if f := mrz.Format("TD9"); f.Widths() != nil || f.Sums() != nil || f.Legal(mrz.Cell{}) != "" || f.FieldAt(mrz.Cell{}) != "" {
		t.Error("a format that nobody knows has a grid")
	}
}
