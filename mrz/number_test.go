package mrz_test

import (
	"testing"

	"lintas/mrz"
)

func TestCheckDigit(t *testing.T) {
	tests := []struct {
		of   string
		want byte
	}{
		{"520727", '3'},    // Doc 9303-3 §4.9, example 1
		{"AB2134<<<", '5'}, // example 2
		{"D231458907<<<<<<<<<<<<<<<34071279507122<<<<<<<<<<", '2'}, // part 5: composite of the older specimen
		{"HA672242<658022549601086<<<<<<<<<<<<<<0", '8'},           // example 3
		{"", '0'},
		{"<<<<<<", '0'},
	}
	for _, test := range tests {
		if got, ok := mrz.CheckDigit(test.of); !ok || got != test.want {
			t.Errorf("%s: got %c %t, want %c", test.of, got, ok, test.want)
		}
	}
	for _, s := range []string{"a", "52_727", "Ä", "1 2"} {
		if _, ok := mrz.CheckDigit(s); ok {
			t.Errorf("%q has a check digit", s)
		}
	}
}

// The numbers are those of specimens that issuers have published.
func TestLongNumbers(t *testing.T) {
	tests := []struct {
		name     string
		lines    []string
		number   string
		optional string
		note     string
	}{
		{"Doc 9303-5, both rules", zone("I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<"),
			"D23145890734", "", ""},
		{"Belgium, filler counted", zone("IDBEL000590240<6013<<<<<<<<<<<\n8512017F1311048BEL851201002007\nREINARTZ<<ULRIKE<KATIA<E<<<<<<"),
			"000590240601", "", mrz.CodeNumberContinuedFiller},
		{"Belgium, ICAO", zone("IDBEL600001131<7755<<<<<<<<<<<\n1301014F2311207UTO130101123596\nSPECIMEN<<SPECIMEN<<<<<<<<<<<<"),
			"600001131775", "", ""},
		{"Portugal, filler counted", zone("I<PRT141974817<ZV17<<<<<<<<<<<\n9801082F3407242PRT<<<<<<<<<<<4\nRONALDO<<CHRISTIANO<<<<<<<<<<<"),
			"141974817ZV1", "", mrz.CodeNumberContinuedFiller},
		{"optional data behind it", zone("I<NLD123456789<07<OHDA1234567X\n6503101F3108022NLDOPT<DATA2<<1\nDE<BRUIJN<<WILLEKE<LISELOTTE<<"),
			"1234567890", "OHDA1234567X", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := mrz.Parse(test.lines, today)
			if !doc.Valid || doc.DocumentNumber != test.number || doc.OptionalData[0] != test.optional {
				t.Errorf("got valid %t, %q, %q, findings %v", doc.Valid, doc.DocumentNumber, doc.OptionalData[0], codes(doc))
			}
			for _, note := range []string{mrz.CodeNumberContinuedFiller, mrz.CodeNumberContinuedICAO} {
				if test.note == note && !doc.Has(note) || note == mrz.CodeNumberContinuedFiller && test.note == "" && doc.Has(note) {
					t.Errorf("findings are %v", codes(doc))
				}
			}
		})
	}
}

// A number that is told apart by one rule only says so either way.
func TestLongNumberTellsTheRule(t *testing.T) {
	f := demo()
	f.DocumentNumber = "123456789346"
	lines, err := f.Lines(mrz.TD1)
	if err != nil {
		t.Fatal(err)
	}
	if doc := mrz.Parse(lines, today); !doc.Valid || !doc.Has(mrz.CodeNumberContinuedICAO) || doc.DocumentNumber != f.DocumentNumber {
		t.Errorf("got %s, %v", doc, codes(doc))
	}
}

func TestOptionalDigit(t *testing.T) {
	tests := []struct {
		name   string
		lines  []string
		valid  bool
		status mrz.Status
	}{
		{"empty, filler", zone("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159<<<<<<<<<<<<<<<8"), true, mrz.Absent},
		{"empty, zero", zone("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159<<<<<<<<<<<<<<08"), true, mrz.Verified},
		{"empty, one", zone("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159<<<<<<<<<<<<<<18"), false, mrz.Refuted},
		{"not empty, filler", zone("P<NLDMEULENDIJK<<LOES<ALBERTINE<<<<<<<<<<<<<\nXX00000000NLD7110195F1108280123456782<<<<<<2"), false, mrz.Refuted},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			doc := mrz.Parse(test.lines, today)
			if doc.Valid != test.valid || doc.Check("optional_data") != test.status {
				t.Errorf("got valid %t, %s; %v", doc.Valid, doc.Check("optional_data"), codes(doc))
			}
		})
	}
}

func TestNumberMissing(t *testing.T) {
	doc := mrz.Parse(zone("I<USA<<<<<<<<<<<<<<<<<<<<<<<<<\n7607040F8107042USA<<<<<<<<<<<2\nPUBLIC<<JANE<Q<<<<<<<<<<<<<<<<"), today)
	if !doc.Valid || doc.Check("document_number") != mrz.Absent || !doc.Has(mrz.CodeNumberMissing) {
		t.Errorf("got %s, %v", doc, codes(doc))
	}
}
