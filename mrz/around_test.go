package mrz_test

import (
	"slices"
	"strings"
	"testing"

	"lintas/mrz"
)

// What people and programs put around the lines does not keep them from being
// read.
func TestReadTextWithThingsAround(t *testing.T) {
	both := func(wrap func(string) string) string {
		return wrap(specimenTD3[0]) + "\n" + wrap(specimenTD3[1])
	}
	for name, text := range map[string]string{
		"quotes":       both(func(l string) string { return `"` + l + `",` }),
		"cited":        both(func(l string) string { return "> " + l }),
		"label":        both(func(l string) string { return "MRZ: " + l }),
		"full stops":   both(func(l string) string { return l + "." }),
		"bar":          strings.Join(specimenTD3, "|"),
		"<br>":         strings.Join(specimenTD3, "<br>"),
		"escaped LF":   strings.Join(specimenTD3, `\n`),
		"&lt":          strings.ReplaceAll(both(func(l string) string { return l }), "<", "&lt"),
		"in a URL":     strings.ReplaceAll(both(func(l string) string { return l }), "<", "%3C"),
		"a line twice": specimenTD3[0] + "\n" + both(func(l string) string { return l }),
	} {
		t.Run(name, func(t *testing.T) {
			docs := mrz.ReadText(text, today)
			if len(docs) != 1 || !docs[0].Valid || !slices.Equal(docs[0].Lines, specimenTD3) {
				t.Errorf("%v", docs)
				for _, d := range docs {
					t.Errorf("%q %v", d.Lines, codes(d))
				}
			}
		})
	}
	twice := []string{specimenTD1[0], specimenTD1[1], specimenTD1[1], specimenTD1[2]}
	if d := mrz.Read(twice, today); !d.Valid || d.Name.Primary() != "ERIKSSON" {
		t.Errorf("line 2 of a card twice: %s, %v", d, codes(d))
	}
}

// Another line in the place of the name has digits, which no name has.
func TestLineInThePlaceOfTheName(t *testing.T) {
	for _, third := range []string{specimenTD1[0], specimenTD1[1], "IDLIEID98754015<<<<<<<<<<<<<<<"} {
		lines := []string{specimenTD1[0], specimenTD1[1], third}
		for _, d := range []mrz.Document{mrz.Parse(lines, today), mrz.Mend(lines, today), mrz.Read(lines, today)} {
			if d.Valid {
				t.Errorf("%q is valid as a name", third)
			}
		}
	}
}

// A licence has no digits: nothing but its form tells it from other lines.
func TestNotALicence(t *testing.T) {
	for _, lines := range []string{
		"PASSPORT\nFACHE305142128097<<800126<<<<<\nMARCHAND<<FABIENNE<<<<<<<<<<<<",
		"AAA001D<<\nXX\nFACHE305142128097<<800126<<<<<\nXX\nMARCHAND<<FABIENNE<<<<<<<<<<<<",
		"AAA001D<<\nIDCHE305142128097<<800126<<<<<\nMARCHAND<<FABIENNE<<<<<<<<<<<<",
	} {
		for _, d := range mrz.ReadText(lines, today) {
			if d.Valid {
				t.Errorf("%q is valid", lines)
			}
		}
	}
}

// A number with a letter where its issuer has digits is right as far as its
// digit goes; the officer is told to look.
func TestOddLetterIsPointedOut(t *testing.T) {
	lines := zone("P<POLERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n6O57B04065POL8001014F3001019<<<<<<<<<<<<<<02")
	d := mrz.Read(lines, today)
	if !d.Has(mrz.CodeNumberLookalike) {
		t.Errorf("%s: %v", d, codes(d))
	}
}

// In place of the check digit, D may have been 0 or the filler that says that
// the number goes on.
func TestNumberThatMayGoOn(t *testing.T) {
	lines := zone("IDBEL600001131D7755<<<<<<<<<<<\n1301014F2311207UTO130101123596\nSPECIMEN<<SPECIMEN<<<<<<<<<<<<")
	if d := mrz.Mend(lines, today); d.Valid {
		t.Errorf("%s: %v", d, d.Repairs)
	}
}
