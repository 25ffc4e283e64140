package mrz_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"lintas/mrz"
)

// named returns the TD3 specimen with another name field.
func named(field string) []string {
	return edit(specimenTD3, 1, 6, field+strings.Repeat("<", 39-len(field)))
}

func TestNames(t *testing.T) {
	tests := []struct {
		field              string
		primary, secondary string
		truncated          bool
		note               string
	}{
		{"ERIKSSON<<ANNA<MARIA", "ERIKSSON", "ANNA MARIA", false, ""},
		{"ARKFREITH", "ARKFREITH", "", false, ""},
		{"SATRIYA<SUDARPA", "SATRIYA SUDARPA", "", false, ""},
		{"<<FIRST<NAME", "", "FIRST NAME", false, mrz.CodeNameNoPrimary},
		{"", "", "", false, mrz.CodeNameMissing},
		{"MCCABE<<<NICOLE", "MCCABE", "NICOLE", false, mrz.CodeNameFillers},
		{"STEVENSON<<PETER<<JOHN", "STEVENSON", "PETER JOHN", false, mrz.CodeNameFillers},
		{"<SMITH<<JOHN", "SMITH", "JOHN", false, ""},
		{"NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU", "NILAVADHANANANDA", "ARNPOL PETCH CHARONGU", true, mrz.CodeNameTruncated},
		{"PAPANDROPOULOUS<<JONATHON<ALEXANDER<TIM", "PAPANDROPOULOUS", "JONATHON ALEXANDER TIM", true, mrz.CodeNameTruncated},
	}
	for _, test := range tests {
		t.Run(test.field, func(t *testing.T) {
			doc := mrz.Parse(named(test.field), today)
			if !doc.Valid || doc.Name.Primary() != test.primary || doc.Name.Secondary() != test.secondary || doc.Name.Truncated != test.truncated {
				t.Errorf("got valid %t, %q, %q, truncated %t", doc.Valid, doc.Name.Primary(), doc.Name.Secondary(), doc.Name.Truncated)
			}
			if test.note != "" && !doc.Has(test.note) || test.note == "" && len(doc.Findings) > 0 {
				t.Errorf("findings %v, want %q", codes(doc), test.note)
			}
		})
	}
}

func TestNameKey(t *testing.T) {
	for _, test := range []struct{ primary, secondary, want string }{
		{"ERIKSSON", "ANNA MARIA", "ERIKSSON ANNA MARIA"},
		{"Eriksson", " anna-maria ", "ERIKSSON ANNA MARIA"},
		{"ERIKSSON<<", "ANNA<MARIA", "ERIKSSON ANNA MARIA"},
		{"O'Connor", "Enya Siobhán", "OCONNOR ENYA SIOBHAN"},
		{"O’Connor", "", "OCONNOR"},
		{"Oʼahu", "", "OAHU"},
		{"Sukarno", "", "SUKARNO"},
		{"", "", ""},
		{"Müller", "", "MUELLER"},
		{"Mu\u0308ller", "", "MUELLER"}, // decomposed
		{"Straße", "", "STRASSE"},
		{"STRAẞE", "", "STRASSE"},
		{"Nuñez", "", "NUNEZ"},
		{"Øster", "Æsa", "OESTER AESA"},
		{"Åberg", "", "AABERG"},
		{"Þór", "", "THOR"},
		{"Đỗ", "Nguyễn Ơn", "DO NGUYEN ON"},
		{"Yılmaz", "İbrahim", "YILMAZ IBRAHIM"},
		{"Łukaszewicz", "Žofie", "LUKASZEWICZ ZOFIE"},
		{"H. M. Taufik", "", "H M TAUFIK"},
		{"Smith, Jr.", "", "SMITH JR"},
		{"Смирнов", "", "SMIRNOV"},
		{"김", "민준", "김 민준"}, // no table reaches it
	} {
		if got := mrz.NameKey(test.primary, test.secondary); got != test.want {
			t.Errorf("%q, %q: got %q, want %q", test.primary, test.secondary, got, test.want)
		}
	}
}

// nameSink keeps the compiler from dropping what a benchmark computes.
var nameSink mrz.Name

func TestReadName(t *testing.T) {
	const none = -1
	tests := []struct {
		name               string
		cells              string
		primary, secondary string
		truncated          bool
		notes              mrz.NameNotes
	}{
		{"both", "ERIKSSON<<ANNA<MARIA<<<<", "ERIKSSON", "ANNA MARIA", false, mrz.NameNotes{false, none, none}},
		{"mononym", "ARKFREITH<<<<", "ARKFREITH", "", false, mrz.NameNotes{false, none, none}},
		{"mononym of two parts", "SATRIYA<SUDARPA<<", "SATRIYA SUDARPA", "", false, mrz.NameNotes{false, none, none}},
		{"no primary", "<<FIRST<NAME<<", "", "FIRST NAME", false, mrz.NameNotes{false, none, none}},
		{"nothing", "<<<<<<", "", "", false, mrz.NameNotes{false, none, none}},
		{"no cells", "", "", "", false, mrz.NameNotes{false, none, none}},
		{"one filler first", "<SMITH<<JOHN<<", "SMITH", "JOHN", false, mrz.NameNotes{false, none, none}},
		{"three fillers", "MCCABE<<<NICOLE<<", "MCCABE", "NICOLE", false, mrz.NameNotes{true, none, none}},
		{"three fillers first", "<<<NICOLE<<", "", "NICOLE", false, mrz.NameNotes{true, none, none}},
		{"a second border", "STEVENSON<<PETER<<JOHN<", "STEVENSON", "PETER JOHN", false, mrz.NameNotes{true, none, none}},
		{"full", "VILARCHAO<FERNANDEZ<<JOSE<RAMO", "VILARCHAO FERNANDEZ", "JOSE RAMO", true, mrz.NameNotes{false, none, none}},
		{"full of a mononym", "ARKFREITH", "ARKFREITH", "", true, mrz.NameNotes{false, none, none}},
		{"digit", "SMITH<<J0HN<8<<", "SMITH", "J0HN 8", false, mrz.NameNotes{false, 8, none}},
		{"illegal cells", "SM?TH<<J_hN<<", "SM_TH", "J__N", false, mrz.NameNotes{false, none, none}},
		{"not UTF-8", "SM\xffTH<<\xc3<<", "SM_TH", "_", false, mrz.NameNotes{false, none, none}},

		{"fillers read as letters", "LIM<<ANNA<MARIA<<<<<<K<<<L<", "LIM", "ANNA MARIA K L", false, mrz.NameNotes{true, none, 21}},
		{"neighbours", "LIM<<ANNA<<<<KL<C<S<<", "LIM", "ANNA KL C S", false, mrz.NameNotes{true, none, 13}},
		{"one letter many times", "LIM<<ANNA<<KKKKKKKK<<", "LIM", "ANNA KKKKKKKK", false, mrz.NameNotes{true, none, 11}},
		{"in the last cell", "LIM<<ANNA<<<<<C", "LIM", "ANNA C", true, mrz.NameNotes{true, none, 14}},
		{"after a mononym", "SUKARNO<<<<<K<<L<<", "SUKARNO", "K L", false, mrz.NameNotes{true, none, 12}},
		{"an initial", "LEE<<K<<<<", "LEE", "K", false, mrz.NameNotes{false, none, none}},
		{"an initial, then noise", "LEE<<K<<<L<<", "LEE", "K L", false, mrz.NameNotes{true, none, 9}},
		{"short names", "LEE<<PETER<<JO<<", "LEE", "PETER JO", false, mrz.NameNotes{true, none, none}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, notes := mrz.ReadName(test.cells)
			if n.Primary() != test.primary || n.Secondary() != test.secondary || n.Truncated != test.truncated || notes != test.notes {
				t.Errorf("%s: got %q, %q, truncated %t, %+v", test.cells, n.Primary(), n.Secondary(), n.Truncated, notes)
			}
			if n.IsZero() != (test.primary+test.secondary == "") {
				t.Errorf("IsZero is %t", n.IsZero())
			}
			if got, want := n.Key(), mrz.NameKey(test.primary, test.secondary); got != want {
				t.Errorf("key is %q, want %q", got, want)
			}
		})
	}
}

// A French identity card has its given names on the second line.
func TestNameFrom(t *testing.T) {
	for _, test := range []struct {
		primary, secondary         string
		wantPrimary, wantSecondary string
		truncated                  bool
	}{
		{"BERTHIER<<<<<<<<<<<<<<<<<", "CORINNE<<<<<<<", "BERTHIER", "CORINNE", false},
		{"DE<LA<TOUR<<<<<<<<<<<<<<<", "ANNE<<MARIE<<L", "DE LA TOUR", "ANNE MARIE L", true},
		{"ABCDEFGHIJKLMNOPQRSTUVWXY", "<<<<<<<<<<<<<<", "ABCDEFGHIJKLMNOPQRSTUVWXY", "", true},
		{"<", "", "", "", false},
	} {
		n := mrz.NameFrom(test.primary, test.secondary)
		if n.Primary() != test.wantPrimary || n.Secondary() != test.wantSecondary || n.Truncated != test.truncated {
			t.Errorf("%s, %s: got %q, %q, %t", test.primary, test.secondary, n.Primary(), n.Secondary(), n.Truncated)
		}
	}
}

func TestNewName(t *testing.T) {
	n := mrz.NewName("  O’Connor\t-  Müller ", "ENYA<SIOBHÁN<<")
	if n.Primary() != "O’Connor - Müller" || n.Secondary() != "ENYA SIOBHÁN" || n.Truncated {
		t.Errorf("got %q, %q", n.Primary(), n.Secondary())
	}
	if !mrz.NewName(" ", "<<").IsZero() {
		t.Error("blanks are a name")
	}
}

// A name shows nothing by accident.
func TestNameIsMasked(t *testing.T) {
	zone, _ := mrz.ReadName("CANARY<<CANARIA<MARIA<<")
	record := mrz.NewName("Canary", "Canaria")
	var out bytes.Buffer
	text, js := slog.New(slog.NewTextHandler(&out, nil)), slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{zone, &zone, record, []mrz.Name{zone, record}, map[string]mrz.Name{"a": record}, struct{ N mrz.Name }{zone}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
			fmt.Fprintf(&out, verb, v)
		}
		fmt.Fprintln(&out, v)
		text.Info("read", "name", v, slog.Group("scan", "name", v))
		js.Info("read", "name", v, slog.Group("scan", "name", v))
		if err := json.NewEncoder(&out).Encode(v); err != nil {
			t.Error(err)
		}
	}
	fmt.Fprint(&out, zone.String(), zone.GoString(), zone.Compare(record))
	shown := strings.ToUpper(out.String())
	for _, canary := range []string{"CANAR", fmt.Sprintf("%X", "CANAR"), fmt.Sprintf("%X", "Canar")} {
		if strings.Contains(shown, canary) {
			t.Errorf("%s escaped: %s", canary, out.String())
		}
	}
}

func TestReadNameCostsNoMemory(t *testing.T) {
	const cells = "ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
	if n := testing.AllocsPerRun(100, func() { nameSink, _ = mrz.ReadName(cells) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	single := mrz.NewName("Sukarno", "")
	if n := testing.AllocsPerRun(100, func() { _ = single.Primary() + single.Secondary() }); n > 0 {
		t.Errorf("%v allocations for a single part", n)
	}
}

func BenchmarkReadName(b *testing.B) {
	for _, cells := range []string{
		"ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
		"NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU",
		"LIM<<ANNA<MARIA<<<<<<<<K<<<<L<<<<<<C<<<",
	} {
		b.Run(cells[:3], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				nameSink, _ = mrz.ReadName(cells)
			}
		})
	}
}
