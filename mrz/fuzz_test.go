package mrz_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"lintas/mrz"
)

// FuzzParse: nothing panics, and what a Document promises holds for any input.
func FuzzParse(f *testing.F) {
	for _, lines := range [][]string{specimenTD1, specimenTD2, specimenTD3, specimenMRVA, specimenMRVB} {
		f.Add(strings.Join(lines, "\n"), 2026, 11, 23)
		f.Add(strings.Join(lines, ""), 1999, 12, 31)
		f.Add(strings.Join(lines, "_\r"), 0, 0, 0)
	}
	f.Add("I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<", 2026, 11, 23)
	f.Add(strings.Repeat("<", 90), 2026, 11, 23)
	f.Add("\xff\n\xfe\n", -1, 99, -99)
	f.Fuzz(func(t *testing.T, text string, year, month, day int) {
		today := mrz.Date{Year: year, Month: month, Day: day}
		inputs := append(mrz.Zones(mrz.Lines(text)), strings.Split(text, "\n"), mrz.Lines(text))
		for _, lines := range inputs {
			doc := mrz.Parse(lines, today)
			if doc.Format == "" && (doc.Valid || len(doc.Checks.List()) > 0) {
				t.Fatal("valid, or checked, without a format")
			}
			if doc.Format != "" && len(doc.Checks.List()) < 5 {
				t.Fatalf("only %d checks", len(doc.Checks.List()))
			}
			if len(doc.Findings) > 150 {
				t.Fatalf("%d findings", len(doc.Findings))
			}
			faults := false
			for _, finding := range doc.Findings {
				faults = faults || finding.Severity == mrz.Error && finding.Code != mrz.CodeDateImpossible
				if finding.ID == "" || finding.EN == "" || finding.Line < 0 || finding.Line > 3 || finding.Column > 44 {
					t.Fatalf("bad finding %+v", finding)
				}
			}
			if faults == doc.Valid {
				t.Fatalf("valid is %t with findings %v", doc.Valid, codes(doc))
			}
			printed := fmt.Sprintf("%v %+v %#v", doc, &doc, doc)
			if len(printed) > 250 {
				t.Fatalf("prints too much: %s", printed)
			}
			mrz.SameName(doc.Name.Primary(), doc.Name.Secondary(), text, text)
		}
	})
}

// FuzzRead: whatever is mended, the result stands on its own, and taking the
// repairs back gives what was read.
func FuzzRead(f *testing.F) {
	for _, lines := range [][]string{specimenTD1, specimenTD2, specimenTD3, specimenMRVA, specimenMRVB} {
		f.Add(strings.Join(lines, "\n"))
		f.Add(strings.Join(edit(lines, 2, 4, "O_"), "\n"))
		f.Add(strings.Join(cut(insert(lines, 1, 20, "<<"), 2, 30, 1), "\n"))
	}
	f.Add("1DFRATE5T<NAME<<<<<<<<<<<<<<<<0CHE02\nI7I0GVA123451RO8ERTA<<<<<<<9IIZ3IIF2")
	f.Add("AAA001D\nFACHE305142128097<800126<<<<\nMARCHAND<<FABIENNE")
	f.Add("IDIDN1Z3456789<34G6<<<<<K\n94O2283F3106017IDN<<<<<<<<0\nCONTOH<<SITI<NUR<AISYAH<K<C<<<")
	f.Add("\n\n junk \n IDAUT10000999<6  <<<<<<<<< <<<<<< \n 7IO9O94FIi  iz3iSAUT<<<<<<<<<<<4 \n MUSTERFRA  U<<ISOLDE<<<  <<<<<<<<<")
	f.Add("V«UTOERIKSSON«ANNA&lt;MARIA\nL8988901C4XXX4009078F96121096ZE184226B")
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		docs := append(mrz.ReadText(text, today), mrz.Read(lines, today), mrz.Mend(lines, today))
		for _, zone := range mrz.Zones(mrz.Lines(text)) {
			doc := mrz.Mend(zone, today)
			docs = append(docs, doc)
			if got := undo(doc); doc.Format != "" && len(doc.Repairs) > 0 && !reflect.DeepEqual(got, zone) {
				t.Fatalf("%q became %q by %v, and that %q", zone, doc.Lines, doc.Repairs, got)
			}
		}
		for _, doc := range docs {
			again := mrz.Parse(doc.Lines, today)
			if doc.Valid && (!again.Valid || again.Format != doc.Format || again.DocumentNumber != doc.DocumentNumber) {
				t.Fatalf("%q is called valid %s by %v, Parse says %v", doc.Lines, doc.Format, doc.Repairs, codes(again))
			}
			if len(doc.Findings) > 250 || len(doc.Candidates) > 250 || len(doc.Repairs) > 104 {
				t.Fatalf("%d findings, %d candidates, %d repairs", len(doc.Findings), len(doc.Candidates), len(doc.Repairs))
			}
			for _, finding := range doc.Findings {
				if finding.ID == "" || finding.Line > 3 || finding.Column > 44 {
					t.Fatalf("bad finding %+v", finding)
				}
			}
			for _, r := range doc.Repairs {
				status := doc.Check(r.Field)
				if len(r.From) == len(r.To) && status != 0 && status != mrz.Repaired {
					t.Fatalf("%v leaves %s %s", r, r.Field, status)
				}
			}
			for _, c := range doc.Candidates {
				if c.Value == "" {
					t.Fatalf("a candidate without a value: %v", c)
				}
			}
		}
	})
}

// FuzzRoundTrip: what is written is read as valid, and written again from what
// was read it is the same.
func FuzzRoundTrip(f *testing.F) {
	add := func(format string, g mrz.Fields, optional, optional2 string) {
		b, e := g.DateOfBirth, g.DateOfExpiry
		f.Add(format, g.DocumentCode, g.IssuingState, g.Primary, g.Secondary, g.DocumentNumber, g.Nationality,
			g.Sex, b.Year, b.Month, b.Day, e.Year, e.Month, e.Day, optional, optional2)
	}
	g := demo()
	add("TD3", g, "3201014202840001"[:14], "")
	g.DocumentCode, g.DocumentNumber = "I", "1234567890AB"
	add("TD1", g, "A-B", "C D")
	add("TD2", g, "", "")
	g.DocumentCode, g.DocumentNumber, g.Primary, g.Secondary = "V", "A1", "Bennelong Wooloomooloo Warrandyte", "Œ ß d'Ü x ĳ"
	add("MRV-A", g, "<<1", "")
	add("MRV-B", g, "", "")
	add("FR-ID", g, "", "")
	add("CH-DL", g, "", "")
	f.Fuzz(func(t *testing.T, format, code, state, primary, secondary, number, nationality, sex string,
		by, bm, bd, ey, em, ed int, optional, optional2 string) {
		fields := mrz.Fields{
			DocumentCode: code, IssuingState: state, Primary: primary, Secondary: secondary,
			DocumentNumber: number, Nationality: nationality, Sex: sex,
			DateOfBirth: mrz.Date{Year: by, Month: bm, Day: bd}, DateOfExpiry: mrz.Date{Year: ey, Month: em, Day: ed},
			OptionalData: []string{optional},
		}
		if optional2 != "" {
			fields.OptionalData = append(fields.OptionalData, optional2)
		}
		lines, err := fields.Lines(mrz.Format(format))
		if err != nil {
			return
		}
		doc := mrz.Parse(lines, today)
		if !doc.Valid || doc.Format != mrz.Format(format) {
			t.Fatalf("%q: %s, %v", lines, doc, codes(doc))
		}
		again, err := doc.Fields().Lines(doc.Format)
		if doc.Has(mrz.CodeDateImpossible) {
			return // 29 February, moved to a century that has none
		}
		if err != nil || !reflect.DeepEqual(again, lines) {
			t.Fatalf("%q\n%q\n%v", lines, again, err)
		}
		want := mrz.NameKey(primary, secondary)
		if got := mrz.NameKey(doc.Name.Primary(), doc.Name.Secondary()); len(want) < 29 && got != want { // fits any format
			t.Fatalf("name is %q, want %q", got, want)
		}
		if mrz.SameName(doc.Name.Primary(), doc.Name.Secondary(), doc.Name.Primary(), doc.Name.Secondary()) != mrz.Same {
			t.Fatal("a name is not the same as itself")
		}
	})
}

// FuzzDate: what ParseDate takes, String gives back.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"1974-08-12", "1974-XX-XX", "XXXX-08-12", "", "2011-02-29"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := mrz.ParseDate(s)
		if err == nil && d.String() != s {
			t.Fatalf("%q became %q", s, d)
		}
		if _, ok := d.Time(); ok && !d.Known() {
			t.Fatal("a time of an unknown date")
		}
	})
}
