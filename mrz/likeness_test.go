package mrz_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lintas/mrz"
)

func TestNameCompare(t *testing.T) {
	const (
		bennelong, dingo = "BENNELONG WOOLOOMOOLOO WARRANDYTE WARNAMBOOL", "DINGO POTOROO"
		nilava           = "NILAVADHANANANDA"
	)
	tests := []struct {
		name   string
		aP, aS string
		bP, bS string
		want   mrz.Likeness
		why    string
	}{
		{"equal", "ERIKSSON", "ANNA MARIA", "ERIKSSON", "ANNA MARIA", mrz.Same, "exact"},
		{"case and hyphen", "ERIKSSON", "ANNA MARIA", "Eriksson", "Anna-Maria", mrz.Same, "exact"},
		{"cells", "ERIKSSON", "ANNA<MARIA", "Eriksson", "Anna Maria", mrz.Same, "exact"},
		{"apostrophe", "OCONNOR", "ENYA", "O'Connor", "Enya", mrz.Same, "exact"},
		{"mononym", "SUKARNO", "", "Sukarno", "", mrz.Same, "exact"},
		{"other scripts, equal", "김", "", "김", "", mrz.Same, "exact"},
		{"many parts", strings.Repeat("A ", 99), "", strings.Repeat("A ", 99), "", mrz.Same, "exact"},

		// Doc 9303-3 section 6: where the standard leaves a choice.
		{"umlaut as two letters", "MUELLER", "HANS", "Müller", "Hans", mrz.Same, "exact"},
		{"umlaut as one letter", "MULLER", "HANS", "Müller", "Hans", mrz.Same, "spelling"},
		{"umlaut as UXX", "MUXXLLER", "HANS", "Müller", "Hans", mrz.Same, "spelling"},
		{"Ñ as NXX", "NUNXXEZ", "TERESA", "Núñez", "Térèsa", mrz.Same, "spelling"},
		{"two letters, two choices", "NUNXXEZ", "AGUERO", "Núñez", "Agüero", mrz.Same, "spelling"},
		{"Å and Ä", "SAELLSTROM", "ASA", "Sällström", "Åsa", mrz.Same, "spelling"},
		{"Ø", "SORENSEN", "BO", "Sørensen", "Bo", mrz.Same, "spelling"},
		{"no umlaut, no choice", "MUELLER", "HANS", "Muller", "Hans", mrz.Different, "different"},
		{"Russian", "SMIRNOV", "IURII", "Смирнов", "Юрий", mrz.Same, "exact"},
		{"Ukrainian", "HNATIUK", "YURII", "Гнатюк", "Юрій", mrz.Same, "spelling"},
		{"Serbian", "ZIVKOVIC", "CEDOMIR", "Живковић", "Чедомир", mrz.Same, "spelling"},
		{"Arabic, yeh", "ELY", "", "علی", "", mrz.Same, "spelling"},
		{"Arabic, shadda", "EBAS", "", "عبّاس", "", mrz.Same, "spelling"},
		{"Arabic, teh marbuta", "FATXTA", "", "فاتة", "", mrz.Same, "spelling"},
		{"Greek", "PAVLOS", "", "Παύλος", "", mrz.Same, "exact"},

		{"mononym on the other side", "SUKARNO", "", "", "SUKARNO", mrz.Compatible, "border"},
		{"no primary", "", "SATRIYA SUDARPA", "SUDARPA", "SATRIYA", mrz.Compatible, "order"},
		{"mononym of two parts, divided", "SATRIYA SUDARPA", "", "SATRIYA", "SUDARPA", mrz.Compatible, "border"},
		{"mononym in both places", "SUPARMI", "", "SUPARMI", "SUPARMI", mrz.Compatible, "repeated"},
		{"mononym in both places, other side", "", "SITI SUPARMI", "SITI SUPARMI", "SITI SUPARMI", mrz.Compatible, "repeated"},
		{"primary for secondary", "SATRIYA", "SUDARPA", "SUDARPA", "SATRIYA", mrz.Compatible, "swapped"},
		{"border elsewhere", "SATRIYA SUDARPA", "", "SUDARPA", "SATRIYA", mrz.Compatible, "order"},
		{"order", "ERIKSSON", "ANNA MARIA", "ERIKSSON", "MARIA ANNA", mrz.Compatible, "order"},

		{"part missing", "SITI", "NUR HALIZA", "SITI", "HALIZA", mrz.Compatible, "missing_part"},
		{"part missing on either side", "SITI", "NUR HALIZA", "SITI", "HALIZA PUTRI", mrz.Different, "different"},
		{"initial", "TAUFIK", "MUHAMMAD", "TAUFIK", "M.", mrz.Compatible, "initial"},
		{"initials on both sides", "SANTOSO", "A. BUDI", "SANTOSO", "AGUS B.", mrz.Compatible, "initial"},
		{"only an initial", "M", "", "MUHAMMAD", "", mrz.Different, "different"},
		{"only initials", "A", "B", "AGUS", "BUDI", mrz.Different, "different"},

		{"joined", "CONTOH", "NUR AISYAH", "Contoh", "Nuraisyah", mrz.Compatible, "joined"},
		{"joined by a hyphen", "CONTOH", "NURAISYAH", "Contoh", "Nur-Aisyah", mrz.Compatible, "joined"},
		{"three joined", "DE LA CRUZ", "ANA", "Delacruz", "Ana", mrz.Compatible, "joined"},
		{"joined across the border", "NURAISYAH", "", "NUR", "AISYAH", mrz.Compatible, "border joined"},
		{"joined, and a part missing", "NURAISYAH", "", "NUR AISYAH", "PUTRI", mrz.Compatible, "joined missing_part"},

		{"bin left out", "AHMAD BIN ALI", "", "AHMAD ALI", "", mrz.Compatible, "particle"},
		{"bin between two places", "ALI", "AHMAD BIN", "ALI", "AHMAD", mrz.Compatible, "particle"},
		{"binti short", "SITI BT ALI", "", "SITI BINTI ALI", "", mrz.Compatible, "particle"},
		{"b.", "AHMAD B ALI", "", "Ahmad bin Ali", "", mrz.Compatible, "particle"},
		{"a/l", "SAMY AL MUTHU", "", "Samy a/l Muthu", "", mrz.Same, "exact"},
		{"a/l apart", "SAMY A L MUTHU", "", "Samy a/l Muthu", "", mrz.Compatible, "joined"},
		{"s/o left out", "SAMY MUTHU", "", "Samy s/o Muthu", "", mrz.Compatible, "particle"},
		{"son and daughter", "AHMAD BIN ALI", "", "AHMAD BINTI ALI", "", mrz.Different, "different"},
		{"pilgrim", "AHMAD BIN ALI", "", "Hj. Ahmad Ali", "", mrz.Compatible, "particle missing_part"},
		{"pilgrim in full", "AHMAD BIN ALI", "", "Haji Ahmad Ali", "", mrz.Compatible, "particle"},
		{"a name that looks like a particle", "DO", "KIM", "SO", "KIM", mrz.Different, "different"},
		{"nothing but particles in common", "BIN", "ALI", "BIN", "UMAR", mrz.Different, "different"},

		{"short form", "MOH RIZKI", "", "Muhammad Rizki", "", mrz.Compatible, "short_form"},
		{"short form alone", "MOCHAMAD", "", "Mohammed", "", mrz.Compatible, "short_form"},
		{"M for Muhammad", "M RIZKI", "", "Muhammad Rizki", "", mrz.Compatible, "initial"},
		{"abd", "ABD RAHMAN", "", "Abdul Rahman", "", mrz.Compatible, "short_form"},
		{"short form on the other side", "RIZKI", "MUH", "MUHAMMAD", "RIZKI", mrz.Compatible, "swapped short_form"},

		{"cut at the end", nilava, "ARNPOL PETCH CHARONGU", nilava, "ARNPOL PETCH CHARONGUANG", mrz.Compatible, "truncated"},
		{"every part cut", "BENNE WOOLO WARRA WARNA", "DIN P", bennelong, dingo, mrz.Compatible, "truncated"},
		{"parts cut, one left out", "BENNELONG WOOLOOM WARRAND WARNAM", "DINGO", bennelong, dingo, mrz.Compatible, "truncated"},
		{"cut in another spelling", "MULLERMEIERSCHMITT", "HANS DIETRIC", "Müllermeierschmitt", "Hans Dietrich", mrz.Different, "different"},
		{"cut to 39 in another spelling", "MULLERMEIERSCHMITTHUBERVOGEL", "HANS DIET", "Müllermeierschmitthubervogel", "Hans Dietrich", mrz.Compatible, "spelling truncated"},
		{"cut, and the border elsewhere", "MUHAMMAD RIZKI PRATAMA NUGROHO KUSUMA W", "", "MUHAMMAD RIZKI", "PRATAMA NUGROHO KUSUMA WARDANA", mrz.Compatible, "border truncated"},
		{"cut, but not to a field's width", "BENNE", "DINGO", bennelong, dingo, mrz.Different, "different"},
		{"beginning of another name", "SITI", "ANNA", "SITI", "ANNABELLA", mrz.Different, "different"},

		{"misread digit", "SANT0SO", "BUDI", "SANTOSO", "BUDI", mrz.Compatible, "misread"},
		{"unread cell", "SANT_SO", "BUDI", "SANTOSO", "BUDI", mrz.Compatible, "misread"},
		{"two misread digits", "SANT0S0", "BUDI", "SANTOSO", "BUDI", mrz.Different, "different"},
		{"another letter", "SANTASO", "BUDI", "SANTOSO", "BUDI", mrz.Different, "different"},
		{"no twin", "SANT8SO", "BUDI", "SANTOSO", "BUDI", mrz.Different, "different"},

		{"another given name", "ERIKSSON", "ANNA", "ERIKSSON", "EVA", mrz.Different, "different"},
		{"another name", "ERIKSSON", "ANNA", "BUDI", "SANTOSO", mrz.Different, "different"},
		{"one is empty", "", "", "SUKARNO", "", mrz.Different, "empty"},
		{"both are empty", "", "", "", "", mrz.Different, "empty"},
		{"nothing but punctuation", "'-'", ".", "'-'", ".", mrz.Different, "empty"},
		{"other scripts", "김", "", "이", "", mrz.Different, "different"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a, b := mrz.NewName(test.aP, test.aS), mrz.NewName(test.bP, test.bS)
			got := a.Compare(b)
			if got.Likeness != test.want || reasonsOf(got.Reasons) != test.why {
				t.Errorf("got %v %v, want %v [%s]", got.Likeness, got.Reasons, test.want, test.why)
			}
			if again := b.Compare(a); !slices.Equal(again.Reasons, got.Reasons) || again.Likeness != got.Likeness {
				t.Errorf("the other way round: got %v %v", again.Likeness, again.Reasons)
			}
			if l := mrz.SameName(test.aP, test.aS, test.bP, test.bS); l != test.want {
				t.Errorf("SameName is %v", l)
			}
		})
	}
}

func reasonsOf(list []mrz.NameReason) string {
	var words []string
	for _, r := range list {
		words = append(words, string(r))
	}
	return strings.Join(words, " ")
}

// A name that fills a field of its own, as on a French card, is cut whatever
// its width.
func TestNameCompareTruncated(t *testing.T) {
	cut := mrz.NameFrom("BERTHIER<<<<<<<<<<<<<<<<<", "ANNE<MAXIMILIE")
	record := mrz.NewName("Berthier", "Anne Maximilienne")
	if got := cut.Compare(record); reasonsOf(got.Reasons) != "truncated" {
		t.Errorf("got %v", got)
	}
	if got := mrz.NewName("Berthier", "Anne Maximilie").Compare(record); got.Likeness != mrz.Different {
		t.Errorf("not truncated: got %v", got)
	}
}

// Doc 9303's worked examples of names in the zone, whichever way they are cut,
// belong to the names as printed; and no two of them belong together.
func TestNameExamples(t *testing.T) {
	type example struct {
		zone, printed mrz.Name
		source        string
	}
	var all []example
	for _, v := range readVectors(t) {
		viz, ok := v.Expect["viz"].(string)
		if v.Kind != "name-example" || !ok {
			continue
		}
		field := v.Lines[0][5:]
		if v.Format == "TD1" {
			field = v.Lines[2]
		}
		zone, notes := mrz.ReadName(field)
		if notes != (mrz.NameNotes{Digit: -1, Noise: -1}) || zone.Truncated != v.Expect["truncated"] {
			t.Errorf("%s: %s: notes %+v, truncated %t", v.Source, field, notes, zone.Truncated)
		}
		primary, secondary, _ := strings.Cut(viz, ", ")
		all = append(all, example{zone, mrz.NewName(primary, secondary), v.Source})
	}
	if len(all) < 20 {
		t.Errorf("only %d examples", len(all))
	}
	for _, a := range all {
		want := "exact"
		if a.zone.Key() != a.printed.Key() {
			want = "truncated"
		}
		if got := a.zone.Compare(a.printed); !strings.Contains(reasonsOf(got.Reasons), want) && !slices.Contains(got.Reasons, mrz.NameInitial) {
			t.Errorf("%s: got %v, want %s", a.source, got, want)
		}
		for _, b := range all {
			got := a.zone.Compare(b.printed)
			if same := a.printed.Key() == b.printed.Key(); same == (got.Likeness == mrz.Different) {
				t.Errorf("%s and %s: %v", a.source, b.source, got)
			}
		}
	}
}

func TestNameReasons(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range mrz.AllNameReasons() {
		for _, s := range []string{r.ID(), r.EN()} {
			if s == "" || seen[s] || !strings.HasSuffix(s, ".") {
				t.Errorf("%s: %q is empty, known or no sentence", r, s)
			}
			seen[s] = true
		}
	}
	if mrz.NameReason("CANARY").EN() != "" || mrz.NameReason("").ID() != "" {
		t.Error("a reason that there is not has a sentence")
	}
	data, err := json.Marshal(mrz.NewName("A", "B").Compare(mrz.NewName("C", "")))
	if want := `{"likeness":"different","reasons":["different"]}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v", data, err)
	}
}

// Whatever a record holds, comparing takes no noticeable time.
func TestNameCompareIsBounded(t *testing.T) {
	const megabyte = 1 << 20
	hostile := []string{
		strings.Repeat("A", megabyte), strings.Repeat("A ", megabyte/2), strings.Repeat("Ü", megabyte/2),
		strings.Repeat("Ж ", megabyte/3), strings.Repeat("e\u0301\u0301\u0301", megabyte/7), strings.Repeat("\u0651", megabyte/2),
		strings.Repeat("\xff", megabyte), strings.Repeat("AB ", 31) + "Ä Ñ Ö Ø Ü Å ة ی ّ Ж", strings.Repeat("ÄÑÖØÜÅ ", 70),
		strings.Repeat("M ", 31) + "X", strings.Repeat("MA ", 31) + "X", strings.Repeat("B ", 31) + "Ж",
	}
	// Without its bounds the comparison of some of them would not end while
	// anybody waits.
	for _, a := range hostile {
		for _, b := range hostile {
			if mrz.NewName(a, "").Compare(mrz.NewName(b, "")).Likeness == mrz.Compatible && len(a)+len(b) > megabyte {
				t.Error("names of a megabyte are compared by their parts")
			}
		}
	}
}

func FuzzNameCompare(f *testing.F) {
	f.Add("ERIKSSON", "ANNA<MARIA", "Eriksson", "Anna-Maria")
	f.Add("SUPARMI", "", "SUPARMI", "SUPARMI")
	f.Add("NUNXXEZ", "AGUERO", "Núñez", "Agüero")
	f.Add("AHMAD BIN ALI", "", "Hj. Ahmad", "b. Ali")
	f.Add("MUHAMMAD<RIZKI", "M", "Moh.", "Rizki M")
	f.Add("NURAISYAH", "", "NUR", "AISYAH")
	f.Add("BENNE<WOOLO<WARRA<WARNA", "DIN<P", "Bennelong Wooloomooloo Warrandyte Warnambool", "Dingo Potoroo")
	f.Add("SANT0SO", "_", "SANTOSO", "I")
	f.Add("Гнатюк", "Юрій", "HNATIUK", "YURII")
	f.Add("فضّة", "علی", "Παύλος", "Μπάμπης")
	f.Add("", "'", "\xff", "\u0301")
	f.Fuzz(func(t *testing.T, aP, aS, bP, bS string) {
		a, b := mrz.NewName(aP, aS), mrz.NewName(bP, bS)
		got, back := a.Compare(b), b.Compare(a)
		if got.Likeness != back.Likeness || !slices.Equal(got.Reasons, back.Reasons) {
			t.Fatalf("%v one way, %v the other", got, back)
		}
		if len(got.Reasons) == 0 || got.Likeness < mrz.Different || got.Likeness > mrz.Same {
			t.Fatalf("got %v", got)
		}
		if got.Likeness == mrz.Same && a.Key() == "" {
			t.Fatal("nothing is the same as something")
		}
		if self := a.Compare(a); a.Key() != "" && (self.Likeness != mrz.Same || reasonsOf(self.Reasons) != "exact") {
			t.Fatalf("not itself: %v", self)
		}
		if mrz.SameName(aP, aS, bP, bS) != got.Likeness {
			t.Fatal("SameName differs")
		}
		if a.Key() != mrz.NameKey(aP, aS) {
			t.Fatalf("keys differ: %q, %q", a.Key(), mrz.NameKey(aP, aS))
		}
		if again := mrz.NameKey(a.Key(), ""); again != a.Key() {
			t.Fatalf("the key %q has the key %q", a.Key(), again)
		}
		if s := fmt.Sprintf("%v %+v %#v", a, a, a); strings.Count(s, "holder") != 3 || len(s) > 100 {
			t.Fatalf("shows %s", s)
		}
	})
}

func BenchmarkNameCompare(b *testing.B) {
	zone, _ := mrz.ReadName("MUELLER<<HANS<PETER<<<<<<<<<<<<<<<<<<<<")
	for _, bench := range []struct {
		name   string
		record mrz.Name
	}{
		{"exact", mrz.NewName("Mueller", "Hans-Peter")},
		{"spelling", mrz.NewName("Müller", "Hans-Peter")},
		{"parts", mrz.NewName("Mueller", "H. P. Karl")},
		{"different", mrz.NewName("Meier", "Eva")},
		{"Cyrillic", mrz.NewName("Мюллер", "Ганс Петер")},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				zone.Compare(bench.record)
			}
		})
	}
}
