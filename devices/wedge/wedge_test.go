package wedge_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/wedge"
	"lintas/mrz"
)

// zone writes a passport; the check digits are right.
func zone(t testing.TB, number, state, name string) []string {
	t.Helper()
	lines, err := mrz.Fields{
		DocumentCode: "P", IssuingState: state, Nationality: state, DocumentNumber: number, Primary: name, Secondary: "SITI ZAHRA", Sex: "F",
		DateOfBirth: mrz.Date{Year: 1991, Month: 2, Day: 27}, DateOfExpiry: mrz.Date{Year: 2033, Month: 10, Day: 19},
	}.Lines(mrz.TD3)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestLayouts(t *testing.T) {
	docs := [][]string{{td3a, td3b}, zone(t, "X1234567", "IDN", "SURYATI"), zone(t, "MQAZWY12", "NZL", "MAQWZY"), {td1a, td1b, td1c}}
	for _, typed := range []string{"us", "de", "fr"} {
		for _, set := range []wedge.Layout{wedge.Auto, wedge.Layout(typed)} {
			for i, doc := range docs {
				t.Run(fmt.Sprint(typed, " read as ", set, " ", i), func(t *testing.T) {
					f := newFramer(set)
					scans := read(f, newTypist(typed).types(swipe(doc...)).records)
					if len(scans) != 1 {
						t.Fatalf("%d scans: %+v, %s", len(scans), scans, trouble(f))
					}
					wantLines(t, scans[0], devices.Complete, doc...)
					if trouble(f) != "" {
						t.Errorf("trouble: %s", trouble(f))
					}
				})
			}
		}
	}
	t.Run("id is us", func(t *testing.T) {
		scans := read(newFramer(wedge.Indonesian), newTypist("us").types(swipe(idna, idnb)).records)
		wantLines(t, scans[0], devices.Complete, idna, idnb)
	})
}

// Every other layout than the one that is set is noticed, also for a name that
// no check digit covers.
func TestWrongLayoutIsNoticed(t *testing.T) {
	for _, set := range []wedge.Layout{"us", "id", "de", "fr"} {
		for _, typed := range []string{"us", "de", "fr", "italian"} {
			if string(set) == typed || set == "id" && typed == "us" || set == "de" && typed == "italian" {
				continue
			}
			t.Run(fmt.Sprint(typed, " read as ", set), func(t *testing.T) {
				f := newFramer(set)
				for range 2 {
					scans := read(f, newTypist(typed).types(swipe(idna, idnb)).records)
					if len(scans) != 1 || scans[0].Status != devices.Partial || len(scans[0].Lines) != 0 {
						t.Errorf("got %d scans", len(scans))
					}
					if !strings.Contains(trouble(f), "layout") {
						t.Errorf("trouble: %q", trouble(f))
					}
				}
				// Set right, it reads.
				right := string(set)
				if right == "id" {
					right = "us"
				}
				if scans := read(f, newTypist(right).types(swipe(idna, idnb)).records); len(scans) != 1 || trouble(f) != "" {
					t.Errorf("%d scans in the right layout, %q", len(scans), trouble(f))
				}
			})
		}
	}
}

// A layout that is not known at all is told even where no document comes out, and
// so is a wrong one of which only half a swipe is seen.
func TestNoLayoutFits(t *testing.T) {
	for _, c := range []struct {
		name, typed string
		set         wedge.Layout
		text        string
		want        string
	}{
		{"Hungarian", "hungarian", wedge.Auto, swipe(td3a, td3b), "not known"},
		{"Hungarian, set to American", "hungarian", wedge.American, swipe(td3a, td3b), `"us"`},
		{"half of a German swipe, set to American", "de", wedge.American, td3a + "\r", `"us"`},
		{"half of a German swipe", "de", wedge.Auto, td3a + "\r", ""},
		{"half of an American swipe", "us", wedge.American, td3a + "\r", ""},
		{"a few keys", "de", wedge.American, "A<B\r", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFramer(c.set)
			for _, s := range read(f, newTypist(c.typed).types(c.text).records) {
				if s.Status != devices.Partial {
					t.Errorf("got %s", s.Status)
				}
			}
			if got := trouble(f); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("trouble: %q", got)
			}
		})
	}
}

func TestWhereOnlyContentTells(t *testing.T) {
	plain := zone(t, "C1234567", "DEU", "BECKER")     // the same in German and American
	number := zone(t, "ZY123456", "IDN", "SURYATI")   // the number's check digit tells
	state := zone(t, "C1234567", "NZL", "SURYATI")    // the state tells
	name := zone(t, "C1234567", "IDN", "SURYATI")     // nothing tells
	keypad := func(y *typist) { y.keypad = true }     // leaves German and French
	filler := func(y *typist) { y.alt = true }        // leaves American and German
	numbers := func(y *typist) { y.allAlt = true }    // the same in every layout
	both := func(y *typist) { keypad(y); filler(y) }  // leaves all
	caps := func(y *typist) { y.press(capsKey) }      // and digits without Shift, in French
	refused := func([]string) []string { return nil } // partial
	whole := func(doc []string) []string { return doc }
	for _, c := range []struct {
		name   string
		layout string
		how    func(*typist)
		doc    []string
		want   func([]string) []string
	}{
		{"filler by number, nothing differs", "de", filler, []string{plain[0][:5] + strings.Replace(plain[0][5:], "SITI<ZAHRA", "SITI<SAHRA", 1), plain[1]}, whole},
		{"filler by number, number tells", "de", filler, number, whole},
		{"filler by number, number tells American", "us", filler, number, whole},
		{"filler by number, state tells", "de", filler, state, whole},
		{"filler by number, state tells American", "us", filler, state, whole},
		{"filler by number, name alone", "de", filler, name, refused},
		{"filler by number, name alone, American", "us", filler, name, refused},
		{"keypad, German number", "de", keypad, number, whole},
		{"keypad, French number", "fr", keypad, zone(t, "WA123456", "IDN", "SURYATI"), whole},
		{"keypad, name alone", "de", keypad, name, refused},
		{"keypad and filler by number, American", "us", both, number, whole},
		{"keypad and filler by number, name alone", "us", both, name, refused},
		{"all by number", "us", numbers, name, whole},
		{"French with Caps Lock", "fr caps", caps, zone(t, "WAQ12345", "IDN", "SURYATI"), whole},
		{"French with Caps Lock, name alone", "fr caps", caps, name, refused},
		{"Italian, number tells", "italian", func(*typist) {}, number, refused},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFramer(wedge.Auto)
			y := newTypist(c.layout)
			c.how(y)
			scans := read(f, y.types(swipe(c.doc...)).records)
			if len(scans) != 1 {
				t.Fatalf("%d scans", len(scans))
			}
			if want := c.want(c.doc); want != nil {
				wantLines(t, scans[0], devices.Complete, want...)
				return
			}
			if scans[0].Status != devices.Partial || len(scans[0].Lines) != 0 || !strings.Contains(trouble(f), "layout") {
				t.Errorf("got %s %q, trouble %q", scans[0].Status, scans[0].Lines, trouble(f))
			}
		})
	}
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		name string
		how  func(y *typist)
	}{
		{"plain", func(y *typist) { y.types(swipe(td3a, td3b)) }},
		{"Tab ends a line", func(y *typist) { y.types(td3a + "\t" + td3b + "\t") }},
		{"keypad Enter", func(y *typist) { y.types(td3a); y.press(96); y.types(td3b); y.press(96) }},
		{"no end", func(y *typist) { y.types(td3a + "\r" + td3b) }},
		{"no line ends", func(y *typist) { y.types(td3a + td3b) }},
		{"Caps Lock on", func(y *typist) { y.press(capsKey); y.types(swipe(td3a, td3b)); y.press(capsKey) }},
		{"keypad", func(y *typist) { y.keypad = true; y.types(swipe(td3a, td3b)) }},
		{"by number", func(y *typist) { y.allAlt = true; y.types(swipe(td3a, td3b)) }},
		{"auto-repeat", func(y *typist) {
			y.types(td3a)
			y.key(enterKey, 1)
			for range 5 {
				y.key(enterKey, 2)
			}
			y.key(enterKey, 0)
			y.key(shiftKey, 1)
			y.key(38, 1) // L
			y.key(38, 2)
			y.key(38, 2)
			y.key(38, 0)
			y.key(shiftKey, 0)
			y.types(td3b[1:] + "\r")
		}},
		{"letters without Shift", func(y *typist) {
			y.types(td3a[:2])
			for _, code := range []uint16{22, 20, 24} { // UTO
				y.press(code)
			}
			y.types(td3a[5:] + "\r" + td3b + "\r")
		}},
		{"words around", func(y *typist) { y.types("START\rOCR\r" + swipe(td3a, td3b) + "END\r") }},
		{"keys that mean nothing", func(y *typist) {
			y.press(59)
			y.press(113)
			y.press(125)
			y.types(swipe(td3a, td3b))
			y.press(700)
		}},
		{"a payment card before", func(y *typist) { y.types("%B4111111111111111?\r" + swipe(td3a, td3b)) }},
		{"slow but no person", func(y *typist) { y.pause = 60 * time.Millisecond; y.types(swipe(td3a, td3b)) }},
		{"a modifier that was never released, before a silence", func(y *typist) {
			y.key(shiftKey, 1)
			y.key(shiftKey, 0)
			y.rests(time.Second)
			y.types(swipe(td3a, td3b))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFramer(wedge.Auto)
			y := newTypist("us")
			c.how(y)
			scans := read(f, y.records)
			if len(scans) != 1 {
				t.Fatalf("%d scans: %v; %s", len(scans), scans, trouble(f))
			}
			wantLines(t, scans[0], devices.Complete, td3a, td3b)
			if s := f.Stats(); s.Complete != 1 || s.Partial != 0 {
				t.Errorf("stats are %+v", s)
			}
		})
	}
}

func TestScansInOrder(t *testing.T) {
	for _, layout := range []string{"us", "de", "fr"} {
		y := newTypist(layout)
		var want [][]string
		for i := range 50 {
			doc := zone(t, fmt.Sprintf("ZY%06d", i), "IDN", "SURYATI")
			want = append(want, doc)
			if y.types(swipe(doc...)); i%3 == 0 {
				y.rests(time.Second)
			}
		}
		scans := read(newFramer(wedge.Auto), y.records)
		if len(scans) != len(want) {
			t.Fatalf("%s: %d scans of %d", layout, len(scans), len(want))
		}
		for i, s := range scans {
			wantLines(t, s, devices.Complete, want[i]...)
		}
	}
}

func TestTorn(t *testing.T) {
	dropped := func(y *typist) { y.event(0, 3, 0) }
	for _, c := range []struct {
		name string
		how  func(y *typist)
		want []devices.Status
	}{
		{"line 1 alone", func(y *typist) { y.types(td3a + "\r") }, []devices.Status{devices.Partial}},
		{"half, then whole", func(y *typist) {
			y.types(td3a + "\r" + td3b[:20]).rests(time.Second).types(swipe(td3a, td3b))
		}, []devices.Status{devices.Partial, devices.Complete}},
		{"half, then whole without a silence", func(y *typist) {
			y.types(td3a + "\r" + td3b[:20] + "\r").types(swipe(td3a, td3b))
		}, []devices.Status{devices.Partial, devices.Complete}},
		{"two lines with a silence between", func(y *typist) {
			y.types(td3a + "\r").rests(time.Second).types(td3b + "\r")
		}, []devices.Status{devices.Partial, devices.Partial}},
		{"keys lost in line 1", func(y *typist) {
			y.types(td3a[:20])
			dropped(y)
			y.key(30, 1) // skipped
			y.types(td3a[25:] + "\r" + td3b + "\r")
		}, []devices.Status{devices.Partial}},
		{"keys lost in line 2, then a swipe at once", func(y *typist) {
			y.types(td3a + "\r" + td3b[:20])
			dropped(y)
			y.key(shiftKey, 1)
			y.types(td3b[25:] + "\r").types(swipe(td3a, td3b))
		}, []devices.Status{devices.Partial, devices.Complete}},
		{"keys lost between the lines", func(y *typist) {
			y.types(td3a + "\r")
			dropped(y)
			y.event(0, 0, 0)
			y.types(td3b + "\r").rests(time.Second).types(swipe(td3a, td3b))
		}, []devices.Status{devices.Partial, devices.Complete}},
		{"keys lost before anything", func(y *typist) {
			dropped(y)
			y.event(0, 0, 0)
			y.rests(time.Second).types(swipe(td3a, td3b))
		}, []devices.Status{devices.Partial, devices.Complete}},
		{"keys lost three times in one swipe", func(y *typist) {
			for range 3 {
				y.types(td3a[:20])
				dropped(y)
				y.event(0, 0, 0)
			}
			y.types(td3b + "\r").rests(time.Second).types(swipe(td3a, td3b))
		}, []devices.Status{devices.Partial, devices.Complete}},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := newTypist("us")
			c.how(y)
			scans := read(newFramer(wedge.Auto), y.records)
			var got []devices.Status
			for _, s := range scans {
				got = append(got, s.Status)
				if s.Status == devices.Complete {
					wantLines(t, s, devices.Complete, td3a, td3b)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestPersonIsNoScanner(t *testing.T) {
	for _, c := range []struct {
		name  string
		text  string
		pause time.Duration
		alt   bool
	}{
		{"a zone", swipe(td3a, td3b), 120 * time.Millisecond, false},
		{"half a zone", td3a + "\r", 90 * time.Millisecond, false},
		{"words", "HELLO<WORLD\r", 150 * time.Millisecond, false},
		{"what two layouts read differently", "SURYATI<<SITI\r", 150 * time.Millisecond, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFramer(wedge.Auto)
			y := newTypist("us")
			y.pause, y.alt = c.pause, c.alt
			if scans := read(f, y.types(c.text).records); len(scans) != 0 {
				t.Errorf("%d scans", len(scans))
			}
			if !strings.Contains(trouble(f), "types") {
				t.Errorf("trouble: %q", trouble(f))
			}
			y.pause, y.alt = 2*time.Millisecond, false
			y.records = nil
			if scans := read(f, y.rests(time.Second).types(swipe(td3a, td3b)).records); len(scans) != 1 || trouble(f) != "" {
				t.Errorf("then %d scans, %q", len(scans), trouble(f))
			}
		})
	}
}

// mixed is a stream with everything in it.
func mixed() []byte {
	y := newTypist("de").types(swipe(td3a, td3b)).types(td3a + "\r").rests(time.Second)
	y.types(swipe(td1a, td1b, td1c)).types(td3a[:10])
	y.event(0, 3, 0)
	y.types(swipe(td3a, td3b))
	y.pause = 100 * time.Millisecond
	y.rests(time.Second).types(td3b).rests(time.Second)
	y.pause = time.Millisecond
	y.keypad = true
	return y.types(swipe(idna, idnb)).types(td3a + td3b).records
}

func shape(scans []devices.Scan) string {
	var b strings.Builder
	for _, s := range scans {
		fmt.Fprintln(&b, s.Status, s.Lines)
	}
	return b.String()
}

func TestAnyChunking(t *testing.T) {
	all := mixed()
	f := newFramer(wedge.Auto)
	want := shape(read(f, all))
	if strings.Count(want, "complete") < 4 {
		t.Fatalf("the stream is not worth cutting:\n%s", want)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		pieces := []int{n + 1}
		if n >= 30 {
			for range 50 {
				pieces = append(pieces, 1+random.IntN(500))
			}
		}
		g := newFramer(wedge.Auto)
		if got := shape(read(g, all, pieces...)); got != want {
			t.Fatalf("in pieces of %v:\n%s\nwhole:\n%s", pieces, got, want)
		}
		if g.Stats() != f.Stats() {
			t.Errorf("stats differ: %+v, %+v", g.Stats(), f.Stats())
		}
	}
}

// The times of a scan are the caller's, as far as they can be known.
func TestTimes(t *testing.T) {
	f := newFramer(wedge.Auto)
	y := newTypist("us").types(swipe(td3a, td3b))
	scans := read(f, y.records)
	if s := scans[0]; s.Last.After(start) || s.First.After(s.Last) || s.Last.Sub(s.First) != 88*y.pause {
		t.Errorf("from %v to %v", s.First, s.Last)
	}
	if _, held := f.Deadline(); held {
		t.Error("something is held after a scan")
	}
}
