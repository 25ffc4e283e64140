package frame_test

import (
	"reflect"
	"strings"
	"testing"

	"lintas/devices"
	"lintas/devices/frame"
)

func TestParsePass(t *testing.T) {
	leg := func(edit func(b []byte)) string {
		b := []byte(passOne)
		edit(b)
		return string(b)
	}
	put := func(at int, s string) string { return leg(func(b []byte) { copy(b[at:], s) }) }
	for _, c := range []struct {
		name, text string
		want       []devices.Leg
	}{
		{"sample", passOne, toFrankfurt.Pass.Legs},
		{"conditional part", passMore, toFrankfurtMore.Pass.Legs},
		{"two legs", passTwo, toGeneva.Pass.Legs},
		{"signature", passOne + "^103ABC", toFrankfurt.Pass.Legs},
		{"old format", "S" + passOne[1:], toFrankfurt.Pass.Legs},
		{"the airline's own, without a version", passOne[:58] + "03ABC", toFrankfurt.Pass.Legs},
		{"open date", put(44, "   "), []devices.Leg{{Carrier: "AC", Flight: "834", From: "YUL", To: "FRA"}}},
		{"flight with a letter", put(39, "0012A"), []devices.Leg{{Carrier: "AC", Flight: "12A", From: "YUL", To: "FRA", Day: 326}}},
		{"carrier with a digit", put(36, "3U "), []devices.Leg{{Carrier: "3U", Flight: "834", From: "YUL", To: "FRA", Day: 326}}},

		{"nothing", "", nil},
		{"too short", passOne[:59], nil},
		{"something behind", passOne + "X", nil},
		{"another format", put(0, "N"), nil},
		{"no legs", put(1, "0"), nil},
		{"five legs", put(1, "5"), nil},
		{"one leg of two", put(1, "2"), nil},
		{"digit in the name", put(4, "7"), nil},
		{"no ticket mark", put(22, "X"), nil},
		{"no booking", put(23, " "), nil},
		{"airport with a digit", put(30, "Y1L"), nil},
		{"carrier of digits", put(36, "12 "), nil},
		{"no flight", put(39, "     "), nil},
		{"flight zero", put(39, "0000 "), nil},
		{"flight with a hole", put(39, "0 34 "), nil},
		{"day 367", put(44, "367"), nil},
		{"half a day", put(44, "3 6"), nil},
		{"lower case size", passOne[:58] + "0a" + strings.Repeat("A", 10), nil},
		{"size beyond the end", passOne[:58] + "10>618", nil},
		{"inner size too long", passOne[:58] + "06>6FFAB", nil},
		{"inner size of the leg too long", passOne[:58] + "06>600FF", nil},
		{"control character", passOne[:58] + "03A\x01C", nil},
		{"signature cut off", passOne + "^105ABC", nil},
		{"too long", passOne + strings.Repeat("A", 2000), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, ok := frame.ParsePass([]byte(c.text))
			if ok != (c.want != nil) || ok && !reflect.DeepEqual(got.Legs, c.want) {
				t.Errorf("got %+v, %v; want %+v", got, ok, c.want)
			}
		})
	}
}

// FuzzParsePass: what is taken for a boarding pass names real places for
// everything, and the framer finds the same in the same bytes.
func FuzzParsePass(f *testing.F) {
	for _, s := range []string{passOne, passMore, passTwo, passOne + "^103ABC", "S" + passOne[1:]} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		pass, ok := frame.ParsePass(text)
		if !ok {
			if pass != nil {
				t.Fatal("something was read of what is no pass")
			}
			return
		}
		if n := len(pass.Legs); n == 0 || n > 4 || n != int(text[1]-'0') {
			t.Fatalf("%d legs", n)
		}
		for _, l := range pass.Legs {
			if len(l.From) != 3 || len(l.To) != 3 || len(l.Carrier) < 2 || len(l.Carrier) > 3 || l.Flight == "" || len(l.Flight) > 5 || l.Day < 0 || l.Day > 366 {
				t.Fatalf("leg %+v", l)
			}
		}
		got := run(frame.New(frame.Options{}), string(text))
		if len(got) != 1 || got[0].Status != devices.Pass || !reflect.DeepEqual(got[0].Pass, pass) {
			t.Fatalf("the framer found%s", show(got))
		}
	})
}
