package journey_test

import (
	"errors"
	"slices"
	"testing"

	"lintas/agent/journey"
	"lintas/mrz"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, out, destination string }{
		{"", "", ""},
		{"ga 834 hkg", "GA834 HKG", "HKG"},
		{"GA834 CGK-HKG", "GA834 CGK-HKG", "HKG"},
		{"GA0834 CGK HKG", "GA834 CGK-HKG", "HKG"},
		{"QR955  cgk-doh-waw", "QR955 CGK-DOH-WAW", "POL"},
		{"3K202 SIN", "3K202 SIN", "SGP"},
		{"8B 1 XZQ", "8B1 XZQ", ""}, // an airport that nobody knows
		{"BTK123A KUL", "BTK123A KUL", "MYS"},
		{"km kelud, mypkg", "KM KELUD, MYPKG", "MYS"},
		{"DUMAI EXPRESS 12, IDDUM-MYMKZ", "DUMAI EXPRESS 12, IDDUM-MYMKZ", "MYS"},
		{"KM X, ZZZZZ", "KM X, ZZZZZ", ""},
	} {
		j, err := journey.Parse(c.in)
		if err != nil || j.String() != c.out || j.Destination() != c.destination {
			t.Errorf("%q: %q to %q, %v", c.in, j, j.Destination(), err)
		}
		if again, err := journey.Parse(j.String()); err != nil || again.String() != j.String() {
			t.Errorf("%q is not read again: %q, %v", j, again, err)
		}
	}
	for in, want := range map[string]error{"GA834": journey.ErrForm, "HKG": journey.ErrForm, "834 HKG": journey.ErrForm, "GA834 HONGKONG": journey.ErrPlace, "GA834 HK": journey.ErrPlace,
		"GA0 HKG": journey.ErrForm, "GA834 A1B": journey.ErrPlace, "GA834 AAA-BBB-CCC-DDD-EEE-FFF-GGG": journey.ErrPlace, "KELUD,": journey.ErrForm, "<script>, MYPKG": journey.ErrForm, "ĢA834 HKG": journey.ErrForm} {
		if _, err := journey.Parse(in); !errors.Is(err, want) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// The table is sound: each airport once, each country one that exists.
func TestAirports(t *testing.T) {
	rows := journey.Rows()
	var all []string
	for _, row := range rows {
		if !mrz.KnownState(row[0]) || len(row) < 2 {
			t.Errorf("%v", row)
		}
		for _, airport := range row[1:] {
			if len(airport) != 3 || slices.Contains(all, airport) {
				t.Errorf("%s stands twice or is no code", airport)
			}
			all = append(all, airport)
		}
	}
	if len(all) < 500 {
		t.Errorf("%d airports", len(all))
	}
	for airport, want := range map[string]string{"CGK": "IDN", "HKG": "HKG", "TPE": "TWN", "JED": "SAU", "PNH": "KHM", "QQQ": "", "": "", "IDJKT": "IDN", "SGSIN": "SGP"} {
		if got := journey.Country(airport); got != want {
			t.Errorf("%s: %q", airport, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"GA 834 HKG", "KM KELUD, MYPKG", "QR955 CGK-DOH-WAW"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		j, err := journey.Parse(s)
		if err != nil {
			if !j.IsZero() {
				t.Fatal("an error and a journey")
			}
			return
		}
		if again, err := journey.Parse(j.String()); err != nil || again.String() != j.String() {
			t.Fatalf("%q became %q, %v", s, again, err)
		}
	})
}
