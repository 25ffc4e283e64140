package mrz_test

import (
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
		{"SMITH<<J0HN", "SMITH", "J0HN", false, mrz.CodeNameDigit},
	}
	for _, test := range tests {
		t.Run(test.field, func(t *testing.T) {
			doc := mrz.Parse(named(test.field), today)
			if !doc.Valid || doc.Primary != test.primary || doc.Secondary != test.secondary || doc.NameTruncated != test.truncated {
				t.Errorf("got valid %t, %q, %q, truncated %t", doc.Valid, doc.Primary, doc.Secondary, doc.NameTruncated)
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
		{"Смирнов", "", "СМИРНОВ"},
	} {
		if got := mrz.NameKey(test.primary, test.secondary); got != test.want {
			t.Errorf("%q, %q: got %q, want %q", test.primary, test.secondary, got, test.want)
		}
	}
}

func TestSameName(t *testing.T) {
	const long, longer = "BENNELONG WOOLOOMOOLOO WARRANDYTE WARNAMBOOL", "DINGO POTOROO"
	tests := []struct {
		name   string
		aP, aS string
		bP, bS string
		want   mrz.Likeness
	}{
		{"equal", "ERIKSSON", "ANNA MARIA", "ERIKSSON", "ANNA MARIA", mrz.Same},
		{"case and hyphen", "ERIKSSON", "ANNA MARIA", "Eriksson", "Anna-Maria", mrz.Same},
		{"apostrophe", "OCONNOR", "ENYA", "O'Connor", "Enya", mrz.Same},
		{"umlaut as two letters", "MUELLER", "HANS", "Müller", "Hans", mrz.Same},
		{"umlaut as one letter", "MULLER", "HANS", "Müller", "Hans", mrz.Same},
		{"mononym", "SUKARNO", "", "Sukarno", "", mrz.Same},
		{"mononym on the other side", "SUKARNO", "", "", "SUKARNO", mrz.Compatible},
		{"mononym doubled", "SUPARMI", "", "SUPARMI", "SUPARMI", mrz.Compatible},
		{"border elsewhere", "SATRIYA SUDARPA", "", "SUDARPA", "SATRIYA", mrz.Compatible},
		{"order", "ERIKSSON", "ANNA MARIA", "ERIKSSON", "MARIA ANNA", mrz.Compatible},
		{"part missing", "SITI", "NUR HALIZA", "SITI", "HALIZA", mrz.Compatible},
		{"initial", "TAUFIK", "MUHAMMAD", "TAUFIK", "M.", mrz.Compatible},
		{"only an initial", "M", "", "MUHAMMAD", "", mrz.Different},
		{"cut at the end", "NILAVADHANANANDA", "ARNPOL PETCH CHARONGU", "NILAVADHANANANDA", "ARNPOL PETCH CHARONGUANG", mrz.Compatible},
		{"every part cut", "BENNE WOOLO WARRA WARNA", "DIN P", long, longer, mrz.Compatible},
		{"parts cut, one left out", "BENNELONG WOOLOOM WARRAND WARNAM", "DINGO", long, longer, mrz.Compatible},
		{"cut, but not to a field's width", "BENNE", "DINGO", long, longer, mrz.Different},
		{"beginning of another name", "SITI", "ANNA", "SITI", "ANNABELLA", mrz.Different},
		{"another given name", "ERIKSSON", "ANNA", "ERIKSSON", "EVA", mrz.Different},
		{"another name", "ERIKSSON", "ANNA", "BUDI", "SANTOSO", mrz.Different},
		{"one is empty", "", "", "SUKARNO", "", mrz.Different},
		{"both are empty", "", "", "", "", mrz.Different},
		{"other scripts", "СМИРНОВ", "", "ПЕТРОВ", "", mrz.Different},
		{"many parts", strings.Repeat("A ", 99), "", strings.Repeat("A ", 99), "", mrz.Same},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := mrz.SameName(test.aP, test.aS, test.bP, test.bS); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if got := mrz.SameName(test.bP, test.bS, test.aP, test.aS); got != test.want {
				t.Errorf("the other way round: got %v, want %v", got, test.want)
			}
		})
	}
}
