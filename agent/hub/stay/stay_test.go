package stay_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"lintas/agent/hub/stay"
	"lintas/mrz"
)

// crossing reads "day direction number [expiry-year] [person] [holder]".
func crossing(t *testing.T, n int, text string) stay.Crossing {
	t.Helper()
	words := strings.Fields(text)
	var day int
	if _, err := fmt.Sscan(words[0], &day); err != nil {
		t.Fatal(err)
	}
	c := stay.Crossing{N: int64(n), At: time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC), Direction: map[string]string{"out": stay.Departure, "in": stay.Return}[words[1]]}
	c.IssuingState, c.Nationality, c.Number = "IDN", "IDN", strings.TrimPrefix(words[2], "-")
	for _, w := range words[3:] {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "until":
			date, err := mrz.ParseDate(value + "-01-01")
			if err != nil {
				t.Fatal(err)
			}
			c.Expiry = date
		case "person":
			c.Person = stay.Person(value, "", "1990-02-03")
		case "of":
			c.Holders = append(c.Holders, value)
		case "from":
			c.Nationality = value
		case "typed":
			c.Doubtful = true
		}
	}
	return c
}

func describe(stays []stay.Stay) string {
	var list []string
	for _, s := range stays {
		text := string(s.Outcome)
		if s.Departure != nil {
			text += fmt.Sprint(" ", s.Departure.N)
		}
		if s.Return != nil {
			text += fmt.Sprint(" ", s.Return.N)
		}
		if s.By != "" {
			text += " by " + string(s.By)
		}
		if s.Ambiguous {
			text += " ambiguous"
		}
		if s.Doubtful() {
			text += " doubtful"
		}
		list = append(list, text)
	}
	return strings.Join(list, "; ")
}

func TestPair(t *testing.T) {
	for _, c := range []struct {
		name      string
		crossings []string
		want      string
	}{
		{"nobody", nil, ""},
		{"left", []string{"1 out A1"}, "open 1"},
		{"left and returned", []string{"1 out A1", "2 in A1"}, "returned 1 2 by document"},
		{"in the order of time, not of arrival", []string{"2 in A1", "1 out A1"}, "returned 2 1 by document"},
		{"twice abroad", []string{"1 out A1", "2 in A1", "3 out A1"}, "returned 1 2 by document; open 3"},
		{"returned only", []string{"1 in A1"}, "departure-missing 1"},
		{"returned twice", []string{"1 out A1", "2 in A1", "3 in A1"}, "returned 1 2 by document; departure-missing 3"},
		{"left twice", []string{"1 out A1", "2 out A1", "3 in A1"}, "return-missing 1; returned 2 3 by document"},
		{"a return before the departure ends nothing", []string{"1 in A1", "2 out A1"}, "departure-missing 1; open 2"},
		{"somebody else's return", []string{"1 out A1", "2 in A2"}, "open 1; departure-missing 2"},
		{"typed", []string{"1 out A1 typed", "2 in A1"}, "returned 1 2 by document doubtful"},
		{"without a number nothing is the same document", []string{"1 out -", "2 in -"}, "open 1; departure-missing 2"},

		{"renewed abroad", []string{"1 out A1 until=2027 person=SITI", "9 in B1 until=2032 person=SITI"}, "returned 1 2 by person"},
		{"an older document is no renewal", []string{"1 out A1 until=2032 person=SITI", "9 in B1 until=2027 person=SITI"}, "open 1; departure-missing 2"},
		{"two of one expiry are two persons", []string{"1 out A1 until=2032 person=SITI", "9 in B1 until=2032 person=SITI"}, "open 1; departure-missing 2"},
		{"expiry not known", []string{"1 out A1 person=SITI", "9 in B1 until=2032 person=SITI"}, "open 1; departure-missing 2"},
		{"another nationality", []string{"1 out A1 until=2027 person=SITI", "9 in B1 until=2032 person=SITI from=MYS"}, "open 1; departure-missing 2"},
		{"namesakes abroad at once: nobody is taken off the list", []string{
			"1 out A1 until=2027 person=SITI", "2 out A2 until=2028 person=SITI", "9 in B1 until=2032 person=SITI"},
			"open 1; open 2; departure-missing 3 ambiguous"},
		{"a namesake's own return is hers", []string{
			"1 out A1 until=2027 person=SITI", "2 out A2 until=2028 person=SITI", "8 in A2 until=2028 person=SITI", "9 in B1 until=2032 person=SITI"},
			"returned 1 4 by person; returned 2 3 by document"},
		{"a namesake's departure ends no stay", []string{"1 out A1 until=2027 person=SITI", "2 out A2 until=2032 person=SITI"}, "open 1; open 2"},

		{"the placement knows both documents", []string{"1 out A1 of=P1", "9 in B1 of=P1"}, "returned 1 2 by placement"},
		{"even an older one", []string{"1 out A1 until=2032 of=P1", "9 in B1 until=2027 of=P1"}, "returned 1 2 by placement"},
		{"other placements", []string{"1 out A1 of=P1", "9 in B1 of=P2"}, "open 1; departure-missing 2"},
		{"left with the old one, then with the new one", []string{"1 out A1 of=P1", "5 out B1 of=P1", "9 in B1 of=P1"},
			"return-missing 1; returned 2 3 by document"},
		{"the document is surer than the placement", []string{"1 out A1 until=2027 person=SITI of=P1", "2 out B1 until=2032 person=SITI", "9 in B1 until=2032 person=SITI of=P1"},
			"open 1; returned 2 3 by document"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var list []stay.Crossing
			for i, text := range c.crossings {
				list = append(list, crossing(t, i+1, text))
			}
			if got := describe(stay.Pair(list)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Whatever comes in is in the answer once, in whatever order it came in.
func TestPairLosesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		var list []stay.Crossing
		for n := range r.IntN(12) {
			text := fmt.Sprintf("%d %s A%d until=%d person=SITI", 1+r.IntN(28), []string{"out", "in"}[r.IntN(2)], r.IntN(3), 2027+r.IntN(3))
			if r.IntN(3) == 0 {
				text += fmt.Sprintf(" of=P%d", r.IntN(2))
			}
			list = append(list, crossing(t, n, text))
		}
		stays := stay.Pair(list)
		seen := map[int64]int{}
		for _, s := range stays {
			if s.Departure != nil {
				seen[s.Departure.N]++
			}
			if s.Return != nil {
				seen[s.Return.N]++
			}
			if s.Departure != nil && s.Return != nil && s.Return.At.Before(s.Departure.At) {
				t.Fatal("returned before the departure")
			}
		}
		for _, c := range list {
			if seen[c.N] != 1 {
				t.Fatalf("crossing %d is in the answer %d times", c.N, seen[c.N])
			}
		}
		shuffled := slices.Clone(list)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if a, b := describe(stays), describe(stay.Pair(shuffled)); a != b {
			t.Fatalf("in another order:\n%s\n%s", a, b)
		}
	}
}

func TestPerson(t *testing.T) {
	if a, b := stay.Person("MUELLER", "ANNA", "1990-02-03"), stay.Person("MÜLLER", "ANNA", "1990-02-03"); a == "" || a != b {
		t.Errorf("%q, %q", a, b)
	}
	for _, birth := range []string{"", "1990-XX-XX", "1990-02-XX", "yesterday"} {
		if p := stay.Person("SITI", "", birth); p != "" {
			t.Errorf("born %q: %q", birth, p)
		}
	}
	if p := stay.Person("", "", "1990-02-03"); p != "" {
		t.Errorf("without a name: %q", p)
	}
}
