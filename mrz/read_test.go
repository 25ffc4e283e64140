package mrz_test

import (
	"reflect"
	"strings"
	"testing"

	"lintas/mrz"
)

// Zones arrive in every form that scanners, pages and people give them.
func TestReadText(t *testing.T) {
	td1, td3 := strings.Join(specimenTD1, "\n"), strings.Join(specimenTD3, "\n")
	tests := []struct {
		name string
		text string
		want []string
	}{
		{"guillemets for two fillers", strings.ReplaceAll(td3, "<<", "«"), specimenTD3},
		{"guillemets for one filler", strings.ReplaceAll(td3, "<", "«"), specimenTD3},
		{"single guillemets", strings.ReplaceAll(td3, "<", "‹"), specimenTD3},
		{"full width", strings.Map(func(r rune) rune {
			if r > ' ' {
				r += '！' - '!'
			}
			return r
		}, td3), specimenTD3},
		{"HTML", strings.ReplaceAll(td3, "<", "&lt;"), specimenTD3},
		{"HTML twice over", strings.ReplaceAll(td3, "<", "&amp;lt;"), specimenTD3},
		{"HTML, guillemets", strings.ReplaceAll(td3, "<<", "&laquo;"), specimenTD3},
		{"one string of 88", strings.ReplaceAll(td3, "\n", ""), specimenTD3},
		{"one string of 90", strings.ReplaceAll(td1, "\n", ""), specimenTD1},
		{"one string of 72", strings.Join(specimenTD2, ""), specimenTD2},
		{"one string with spaces in small letters", strings.ToLower(strings.Join(specimenTD2, " ")), specimenTD2},
		{"one string, fillers lost at its end", strings.TrimRight(strings.Join(specimenTD1, ""), "<"), specimenTD1},
		{"one string, fillers lost in line 1", strings.Replace(strings.Join(specimenTD3, ""), "<<<<<<", "<<<<", 1), specimenTD3},
		{"one string, a visa without its end", strings.TrimRight(strings.Join(specimenMRVA, ""), "<"), specimenMRVA},
		{"one string, a small visa without its end", strings.TrimRight(strings.Join(specimenMRVB, ""), "<"), specimenMRVB},
		{"one string, a filler doubled", strings.Replace(strings.Join(specimenTD2, ""), "<<<<<<", "<<<<<<<", 1), specimenTD2},
		{"two lines of three", specimenTD1[0] + specimenTD1[1] + "\n" + specimenTD1[2], specimenTD1},
		{"framed", "\x02" + strings.Join(specimenTD1, "\r") + "\r\x03", specimenTD1},
		{"UTF-8 with a mark", "\ufeff" + strings.Join(specimenTD3, "\r\n"), specimenTD3},
		{"empty lines between", strings.Join(specimenTD1, "\n\n\n"), specimenTD1},
		{"a page around", "REPUBLIK CONTOH\nPASPOR / PASSPORT\nNama / Name: ERIKSSON\n\n" + td3 + "\n\n12\nImigrasi", specimenTD3},
		{"a line of the same width before", strings.Repeat("X", 44) + "\n" + td3, specimenTD3},
		{"a short line of the zone before", specimenTD3[0][:30] + "\n" + td3, specimenTD3},
		{"trailing fillers lost", strings.TrimRight(specimenTD1[0], "<") + "\n" + specimenTD1[1] + "\n" + strings.TrimRight(specimenTD1[2], "<"), specimenTD1},
		{"mess from a reader of pictures", "\n\n this line useless \n IDAUT10000999<6  <<<<<<<<< <<<<<< \n 7IO9O94FIi  iz3iSAUT<<<<<<<<<<<4 \n MUSTERFRA  U<<ISOLDE<<<  <<<<<<<<<",
			zone("IDAUT10000999<6<<<<<<<<<<<<<<<\n7109094F1112315AUT<<<<<<<<<<<4\nMUSTERFRAU<<ISOLDE<<<<<<<<<<<<")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			docs := mrz.ReadText(test.text, today)
			if len(docs) != 1 || !docs[0].Valid || !reflect.DeepEqual(docs[0].Lines, test.want) {
				for _, d := range docs {
					t.Errorf("got %q: %v", d.Lines, codes(d))
				}
				t.Errorf("%d documents", len(docs))
			}
			if doc := mrz.Read([]string{test.text}, today); !doc.Valid || !reflect.DeepEqual(doc.Lines, test.want) {
				t.Errorf("Read got %q", doc.Lines)
			}
		})
	}
}

// Mend takes lines at their word, Read does not.
func TestMendIsStrictWhereReadIsNot(t *testing.T) {
	small := edit(specimenTD3, 1, 6, "eriksson")
	if doc := mrz.Mend(small, today); doc.Valid || !doc.Has(mrz.CodeCharacterIllegal) {
		t.Errorf("Mend: %v, %v", doc, codes(doc))
	}
	if doc := mrz.Read(small, today); !doc.Valid || len(doc.Repairs) > 0 {
		t.Errorf("Read: %v, %v", doc, codes(doc))
	}
	for _, lines := range [][]string{specimenTD1, specimenTD2, specimenTD3, specimenMRVA, specimenMRVB} {
		want := mrz.Parse(lines, today)
		if got := mrz.Mend(lines, today); !reflect.DeepEqual(got, want) {
			t.Errorf("Mend: %v", got)
		}
		if got := mrz.Read(lines, today); !reflect.DeepEqual(got, want) {
			t.Errorf("Read: %v", got)
		}
	}
}

// Of a passport and the visa beside it Read gives the right one, ReadText both.
func TestReadSeveral(t *testing.T) {
	both := append(edit(specimenMRVA, 2, 2, "9"), specimenTD3...)
	if doc := mrz.Read(both, today); doc.Format != mrz.TD3 || !doc.Valid {
		t.Errorf("got %v", doc)
	}
	docs := mrz.ReadText(strings.Join(both, "\n"), today)
	if len(docs) != 2 || docs[0].Valid || !docs[1].Valid {
		t.Errorf("got %v", docs)
	}
	if doc := mrz.Read(nil, today); doc.Valid || !doc.Has(mrz.CodeFormatUnknown) {
		t.Errorf("got %v", doc)
	}
}
