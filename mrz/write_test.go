package mrz_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"lintas/mrz"
)

// demo returns a traveller who does not exist.
func demo() mrz.Fields {
	return mrz.Fields{
		DocumentCode: "P", IssuingState: "IDN", Primary: "Contoh", Secondary: "Siti Nur-Aisyah",
		DocumentNumber: "X1234567", Nationality: "IDN", DateOfBirth: mrz.Date{1994, 2, 28}, Sex: "F",
		DateOfExpiry: mrz.Date{2031, 6, 1},
	}
}

func TestWriteSpecimens(t *testing.T) {
	f := mrz.Fields{
		IssuingState: "UTO", Primary: "Eriksson", Secondary: "Anna Maria", Nationality: "UTO", Sex: "F",
		DateOfBirth: mrz.Date{1974, 8, 12}, DateOfExpiry: mrz.Date{2012, 4, 15},
	}
	tests := []struct {
		format       mrz.Format
		code, number string
		optional     []string
		want         []string
	}{
		{mrz.TD1, "I", "D23145890", nil, specimenTD1},
		{mrz.TD2, "I", "D23145890", nil, specimenTD2},
		{mrz.TD3, "P", "L898902C3", []string{"ZE184226B"}, specimenTD3},
	}
	for _, test := range tests {
		t.Run(string(test.format), func(t *testing.T) {
			f := f
			f.DocumentCode, f.DocumentNumber, f.OptionalData = test.code, test.number, test.optional
			got, err := f.Lines(test.format)
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	for _, lines := range [][]string{specimenMRVA, specimenMRVB} {
		doc := mrz.Parse(lines, today)
		if got, err := doc.Fields().Lines(doc.Format); err != nil || !reflect.DeepEqual(got, lines) {
			t.Errorf("%s: got %q, %v", doc.Format, got, err)
		}
	}
}

func TestWriteThenParse(t *testing.T) {
	tests := []struct {
		name   string
		format mrz.Format
		change func(*mrz.Fields)
		want   func(*mrz.Fields) // what differs in the fields read back
	}{
		{"TD3", mrz.TD3, func(f *mrz.Fields) {}, nil},
		{"mononym", mrz.TD3, func(f *mrz.Fields) { f.Primary, f.Secondary = "Sukarno", "" }, func(f *mrz.Fields) { f.Primary = "SUKARNO" }},
		{"one-letter state", mrz.TD3, func(f *mrz.Fields) { f.IssuingState, f.Nationality = "D", "D" }, nil},
		{"two-letter code", mrz.TD3, func(f *mrz.Fields) { f.DocumentCode = "PD" }, nil},
		{"partial birth", mrz.TD3, func(f *mrz.Fields) { f.DateOfBirth = mrz.Date{Year: 1994} }, nil},
		{"unknown birth and expiry", mrz.TD3, func(f *mrz.Fields) { f.DateOfBirth, f.DateOfExpiry = mrz.Date{}, mrz.Date{} }, nil},
		{"Russian", mrz.TD3, func(f *mrz.Fields) { f.Primary, f.Secondary = "Щукин", "" }, func(f *mrz.Fields) { f.Primary = "SHCHUKIN" }},
		{"Ukrainian", mrz.TD3, func(f *mrz.Fields) { f.IssuingState, f.Primary, f.Secondary = "UKR", "Гнатюк", "" },
			func(f *mrz.Fields) { f.Primary = "HNATIUK" }},
		{"sex X", mrz.TD3, func(f *mrz.Fields) { f.Sex = "X" }, func(f *mrz.Fields) { f.Sex = "" }},
		{"optional data", mrz.TD3, func(f *mrz.Fields) { f.OptionalData = []string{"3201 0142028"} }, func(f *mrz.Fields) { f.OptionalData[0] = "3201<0142028" }},
		{"number with a hyphen", mrz.TD3, func(f *mrz.Fields) { f.DocumentNumber = "x-1234" }, func(f *mrz.Fields) { f.DocumentNumber = "X<1234" }},
		{"TD1 with both optionals", mrz.TD1, func(f *mrz.Fields) { f.DocumentCode, f.OptionalData = "ID", []string{"ABC", "DEF"} }, nil},
		{"TD1 with a number of ten", mrz.TD1, func(f *mrz.Fields) { f.DocumentCode, f.DocumentNumber = "I", "1234567890" }, nil},
		{"TD1 with a number of 22", mrz.TD1, func(f *mrz.Fields) { f.DocumentCode, f.DocumentNumber = "I", "ABCDEFGHIJKLMNOPQRSTUV" }, nil},
		{"TD1 with a long number and data", mrz.TD1, func(f *mrz.Fields) {
			f.DocumentCode, f.DocumentNumber, f.OptionalData = "I", "123456789012", []string{"OPTIONAL<1", "Z"}
		}, nil},
		{"TD2 with a number of 14", mrz.TD2, func(f *mrz.Fields) { f.DocumentCode, f.DocumentNumber = "I", "12345678901234" }, nil},
		{"MRV-A", mrz.MRVA, func(f *mrz.Fields) { f.DocumentCode, f.OptionalData = "V", []string{"ABCDEFGHIJKLMNOP"} }, nil},
		{"MRV-B", mrz.MRVB, func(f *mrz.Fields) { f.DocumentCode, f.OptionalData = "VC", []string{"ABCDEFGH"} }, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := demo()
			test.change(&f)
			lines, err := f.Lines(test.format)
			if err != nil {
				t.Fatal(err)
			}
			doc := mrz.Parse(lines, today)
			if !doc.Valid || doc.Format != test.format || doc.Name.Truncated {
				t.Errorf("%q: got %s, %v", lines, doc, codes(doc))
			}
			want := f
			if want.Secondary != "" {
				want.Primary, want.Secondary = "CONTOH", "SITI NUR AISYAH"
			}
			for len(want.OptionalData) < len(doc.Optional()) {
				want.OptionalData = append(want.OptionalData, "")
			}
			if test.want != nil {
				test.want(&want)
			}
			if got := doc.Fields(); !reflect.DeepEqual(got, want) {
				t.Errorf("%q: fields differ", lines)
			}
		})
	}
}

func TestTruncation(t *testing.T) {
	const bennelong, dingo = "BENNELONG WOOLOOMOOLOO WARRANDYTE WARNAMBOOL", "DINGO POTOROO"
	tests := []struct {
		name               string
		format             mrz.Format
		primary, secondary string
		want               string
		truncated          bool
	}{
		{"fits", mrz.TD3, "HENG", "DEBORAH MING LO", "HENG<<DEBORAH<MING<LO", false},
		// Doc 9303-4 §4.2.3, MRV-A §4.2.3 of part 7: cut at the end.
		{"end of secondary", mrz.TD3, "NILAVADHANANANDA", "ARNPOL PETCH CHARONGUANG", "NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU", true},
		{"initial of the last", mrz.TD3, "NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG", "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K", true},
		{"initial of the last, narrow", mrz.TD2, "NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG", "NILAVADHANANANDA<<CHAYAPA<DEJ<K", true},
		{"one letter too many", mrz.TD1, "VILARCHAO FERNANDEZ", "JOSE RAMON", "VILARCHAO<FERNANDEZ<<JOSE<RAMO", true},
		// Doc 9303-4 §4.2.3: fits to the cell and is yet to be taken as cut.
		{"exactly full", mrz.TD3, "PAPANDROPOULOUS", "JONATHON ALEXANDER TIM", "PAPANDROPOULOUS<<JONATHON<ALEXANDER<TIM", true},
		{"last cell would be a filler", mrz.TD1, "VILARCHAO FERNANDEZ", "JOSE MAR IA", "VILARCHAO<FERNANDEZ<<JOSE<MA<I", true},
		{"both", mrz.TD3, bennelong, dingo, "BENNELONG<WOOLOOMOOLOO<WAR<W<<DINGO<POT", true},
		{"both, narrow", mrz.TD1, bennelong, dingo, "BENNELONG<WOOLOOM<W<W<<DINGO<P", true},
		{"just full", mrz.MRVA, "PAPANDROPOULOUS", "JONATHON WARREN TREVOR", "PAPANDROPOULOUS<<JONATHON<WARREN<TREVOR", true},
		{"more parts than cells", mrz.TD1, strings.Repeat("AB ", 40), "", "AB<A<A<A<A<A<A<A<A<A<A<A<A<A<A", true},
		{"one long primary", mrz.TD1, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHI", "", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCD", true},
		{"one long primary, short secondary", mrz.TD1, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHI", "JO", "ABCDEFGHIJKLMNOPQRSTUVWXYZ<<JO", true},
		{"nothing but initials", mrz.TD1, strings.Repeat("A ", 40), "", strings.TrimRight(strings.Repeat("A<", 15), "<"), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := demo()
			f.DocumentCode, f.Primary, f.Secondary = "I", test.primary, test.secondary
			if test.format == mrz.MRVA {
				f.DocumentCode = "V"
			}
			lines, err := f.Lines(test.format)
			if err != nil {
				t.Fatal(err)
			}
			field := lines[0][5:]
			if test.format == mrz.TD1 {
				field = lines[2]
			}
			if got := strings.TrimRight(field, "<"); got != test.want {
				t.Errorf("got %s\nwant %s", got, test.want)
			}
			if doc := mrz.Parse(lines, today); !doc.Valid || doc.Name.Truncated != test.truncated {
				t.Errorf("got %s, truncated %t", doc, doc.Name.Truncated)
			}
		})
	}
}

// However long the names are, a name that is cut fills its field, begins with
// their first letters, and is still recognised.
func TestTruncationKeepsTheName(t *testing.T) {
	const parts = "ABCDEF GHI JKLMNOPQR ST UVWXYZABC DEFG HIJKLMNO P QRSTUVW"
	for _, format := range []mrz.Format{mrz.TD1, mrz.TD2, mrz.TD3, mrz.MRVA, mrz.MRVB} {
		for i := 1; i <= len(parts); i++ {
			for _, j := range []int{0, 1, 4, 12, 22, len(parts)} {
				f := demo()
				f.DocumentCode, f.Primary, f.Secondary = "I", parts[:i], parts[:j]
				if format == mrz.MRVA || format == mrz.MRVB {
					f.DocumentCode = "V"
				}
				lines, err := f.Lines(format)
				if err != nil {
					t.Fatal(err)
				}
				doc := mrz.Parse(lines, today)
				whole, printed := mrz.NewName(f.Primary, f.Secondary), doc.Name
				got, want := printed.Compare(whole), mrz.Same
				if printed.Key() != whole.Key() {
					want = mrz.Compatible
					if !doc.Name.Truncated {
						t.Errorf("%q: cut, but does not look so", lines)
					}
				}
				if got.Likeness != want {
					t.Errorf("%s, %s in %q: %v", f.Primary, f.Secondary, lines, got)
				}
			}
		}
	}
}

func TestWriteErrors(t *testing.T) {
	tests := []struct {
		field  string
		format mrz.Format
		change func(*mrz.Fields)
	}{
		{"", "", func(f *mrz.Fields) {}},
		{"", "TD9", func(f *mrz.Fields) {}},
		{"", mrz.FRID, func(f *mrz.Fields) {}},
		{"", mrz.CHDL, func(f *mrz.Fields) {}},
		{"document_code", mrz.TD3, func(f *mrz.Fields) { f.DocumentCode = "" }},
		{"document_code", mrz.TD3, func(f *mrz.Fields) { f.DocumentCode = "V" }},
		{"document_code", mrz.MRVA, func(f *mrz.Fields) { f.DocumentCode = "P" }},
		{"document_code", mrz.TD3, func(f *mrz.Fields) { f.DocumentCode = "P1" }},
		{"issuing_state", mrz.TD3, func(f *mrz.Fields) { f.IssuingState = "" }},
		{"nationality", mrz.TD3, func(f *mrz.Fields) { f.Nationality = "IDNX" }},
		{"primary", mrz.TD3, func(f *mrz.Fields) { f.Primary = "" }},
		{"primary", mrz.TD3, func(f *mrz.Fields) { f.Primary = "-'" }},
		{"primary", mrz.TD3, func(f *mrz.Fields) { f.Primary = "김" }},
		{"primary", mrz.TD3, func(f *mrz.Fields) { f.Primary = "ก" }},
		{"primary", mrz.TD3, func(f *mrz.Fields) { f.Primary = "\x00\xff . ' \u0301 \u200d" }},
		{"primary", mrz.TD3, func(f *mrz.Fields) { f.Primary = strings.Repeat("A", 1<<20) }},
		{"secondary", mrz.TD3, func(f *mrz.Fields) { f.Secondary = strings.Repeat("'", 1<<20) }},
		{"secondary", mrz.TD3, func(f *mrz.Fields) { f.Secondary = strings.Repeat("A ", 1<<19) }},
		{"secondary", mrz.TD3, func(f *mrz.Fields) { f.Secondary = "Henry 8" }},
		{"document_number", mrz.TD3, func(f *mrz.Fields) { f.DocumentNumber = "" }},
		{"document_number", mrz.TD3, func(f *mrz.Fields) { f.DocumentNumber = "-1" }},
		{"document_number", mrz.TD3, func(f *mrz.Fields) { f.DocumentNumber = "X_1" }},
		{"document_number", mrz.TD3, func(f *mrz.Fields) { f.DocumentNumber = "1234567890" }},
		{"document_number", mrz.TD1, func(f *mrz.Fields) { f.DocumentNumber = "12345678901234567890123" }},
		{"document_number", mrz.TD1, func(f *mrz.Fields) { f.DocumentNumber = "12345678 9012" }},
		{"date_of_birth", mrz.TD3, func(f *mrz.Fields) { f.DateOfBirth = mrz.Date{2011, 2, 29} }},
		{"date_of_birth", mrz.TD3, func(f *mrz.Fields) { f.DateOfBirth = mrz.Date{-1, 2, 2} }},
		{"date_of_expiry", mrz.TD3, func(f *mrz.Fields) { f.DateOfExpiry = mrz.Date{2031, 13, 1} }},
		{"sex", mrz.TD3, func(f *mrz.Fields) { f.Sex = "W" }},
		{"optional_data", mrz.TD3, func(f *mrz.Fields) { f.OptionalData = []string{"123456789012345"} }},
		{"optional_data", mrz.TD3, func(f *mrz.Fields) { f.OptionalData = []string{"", ""} }},
		{"optional_data", mrz.TD3, func(f *mrz.Fields) { f.OptionalData = []string{"é"} }},
		{"optional_data", mrz.TD1, func(f *mrz.Fields) {
			f.DocumentNumber, f.OptionalData = "1234567890", []string{"ABCDEFGHIJKLM"}
		}},
		{"optional_data_2", mrz.TD1, func(f *mrz.Fields) { f.OptionalData = []string{"", "ABCDEFGHIJKL"} }},
	}
	for _, test := range tests {
		t.Run(test.field, func(t *testing.T) {
			f := demo()
			test.change(&f)
			lines, err := f.Lines(test.format)
			var fe *mrz.FieldError
			if !errors.As(err, &fe) || fe.Field != test.field || lines != nil || !strings.HasPrefix(err.Error(), "cannot write ") {
				t.Errorf("got %q, %v", lines, err)
			}
		})
	}
}
