package rule_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"lintas/agent/rule"
	"lintas/mrz"
)

// object is a rule or an order as JSON, which a test spoils.
type object map[string]any

func groupRule() object {
	return object{
		"id": "R01", "owner": "Subdit Pemeriksaan", "legal_basis": "UU 6/2011 Art. 9", "start": "2026-11-01", "end": "2027-01-15",
		"directions": []any{"departure"}, "mode": "active", "precision_floor": 0.1, "minimum_outcomes": 30,
		"when": "counts.same_flight_unlisted_20min >= 5 && counts.consecutive_numbers >= 3",
		"text": object{"id": "Rombongan tanpa catatan dengan nomor paspor berurutan.", "en": "A group without records whose passport numbers follow each other."},
		"next": object{"id": "Tanyakan siapa yang mengatur perjalanan.", "en": "Ask who arranged the journey."},
	}
}

func (o object) with(field string, value any) object {
	o = maps.Clone(o)
	if o[field] = value; value == nil {
		delete(o, field)
	}
	return o
}

func pack(t testing.TB, rules []object, closed ...object) []byte {
	t.Helper()
	if rules == nil {
		rules = []object{}
	}
	b, err := json.Marshal(object{"format": rule.Format, "version": 3, "time": "2026-11-20T00:00:00Z", "rules": rules, "closed": append([]object{}, closed...)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func order() object {
	return object{"id": "K01", "order": "Kepmenaker 260/2015", "destinations": []any{"SAU", "KWT"}, "employer_kinds": []any{"household"}, "start": "2015-05-26", "verdict": "ask"}
}

func parse(t testing.TB, rules ...object) *rule.Set {
	t.Helper()
	s, err := rule.Parse(pack(t, rules))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func day(s string) mrz.Date {
	d, err := mrz.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

var today = day("2026-11-23")

func TestEvaluate(t *testing.T) {
	group := rule.Facts{Counts: rule.Counts{SameFlightUnlisted: 6, ConsecutiveNumbers: 3}}
	for _, c := range []struct {
		name      string
		rule      object
		facts     rule.Facts
		day       string
		direction string
		fired     bool
	}{
		{"a group", groupRule(), group, "2026-11-23", "departure", true},
		{"its first day", groupRule(), group, "2026-11-01", "departure", true},
		{"its last day", groupRule(), group, "2027-01-15", "departure", true},
		{"before its start", groupRule(), group, "2026-10-31", "departure", false},
		{"after its end", groupRule(), group, "2027-01-16", "departure", false},
		{"too few", groupRule(), rule.Facts{Counts: rule.Counts{SameFlightUnlisted: 4, ConsecutiveNumbers: 3}}, "2026-11-23", "departure", false},
		{"coming home", groupRule(), group, "2026-11-23", "return", false},
		{"direction not known yet", groupRule(), group, "2026-11-23", "", true},
		{"texts", groupRule().with("when", `journey.destination in ["KHM","MMR"] and not (purpose == "work") && document.issuing_state == 'IDN'`),
			rule.Facts{Journey: rule.Journey{Destination: "KHM"}, Document: rule.Document{IssuingState: "IDN"}}, "2026-11-23", "departure", true},
		{"by way of", groupRule().with("when", `"SIN" in journey.via`), rule.Facts{Journey: rule.Journey{Via: []string{"KUL", "SIN"}}}, "2026-11-23", "departure", true},
		{"two words", groupRule().with("when", `record.present and journey.known and journey.destination != record.destination`),
			rule.Facts{Record: rule.Record{Present: true, Destination: "HKG"}, Journey: rule.Journey{Known: true, Destination: "KHM"}}, "2026-11-23", "departure", true},
		{"sums", groupRule().with("when", `counts.same_flight_20min - counts.same_flight_unlisted_20min < 1 and counts.same_flight_20min in [3, 4] and minor`),
			rule.Facts{Minor: true, Counts: rule.Counts{SameFlight: 3, SameFlightUnlisted: 3}}, "2026-11-23", "departure", true},
		{"what is not known does not end soon", groupRule().with("when", `document.expires_in_days < 180`), rule.Facts{Document: rule.Document{ExpiresInDays: rule.Unknown}}, "2026-11-23", "departure", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := parse(t, c.rule).Evaluate(c.facts, day(c.day), c.direction, nil)
			if got := len(h.Fired) == 1; got != c.fired || len(h.Failed) > 0 {
				t.Errorf("%+v", h)
			}
		})
	}
}

func TestShadowIsSilent(t *testing.T) {
	s := parse(t, groupRule().with("mode", "shadow").with("when", "minor"), groupRule().with("id", "R02").with("when", "minor"))
	h := s.Evaluate(rule.Facts{Minor: true}, today, "departure", nil)
	if !slices.Equal(h.Shadow, []string{"R01"}) || len(h.Fired) != 1 || h.Fired[0].ID != "R02" {
		t.Errorf("%+v", h)
	}
	if h := s.Evaluate(rule.Facts{Minor: true}, today, "departure", []string{"R01", "R02"}); len(h.Shadow)+len(h.Fired) != 0 {
		t.Errorf("turned off: %+v", h)
	}
	if h := (*rule.Set)(nil).Evaluate(rule.Facts{Minor: true}, today, "departure", nil); len(h.Fired) != 0 {
		t.Error("no pack, and a rule")
	}
}

// Everything that is wrong is named, with its rule and field, and nothing of
// the pack is used.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules []object
		want  []string // "R01 end"
	}{
		{"91 days", []object{groupRule().with("end", "2027-01-31")}, []string{"R01 end"}},
		{"90 days", []object{groupRule().with("end", "2027-01-30")}, nil},
		{"ends before it starts", []object{groupRule().with("end", "2026-10-31")}, []string{"R01 end"}},
		{"no such day", []object{groupRule().with("start", "2026-02-30")}, []string{"R01 start"}},
		{"no owner", []object{groupRule().with("owner", nil)}, []string{"R01 owner", "R01 owner"}},
		{"no legal basis", []object{groupRule().with("legal_basis", " ")}, []string{"R01 legal_basis"}},
		{"one language", []object{groupRule().with("text", object{"id": "Teks."})}, []string{"R01 text.en"}},
		{"unseen characters", []object{groupRule().with("text", object{"id": "Teks\u202e.", "en": "Text."})}, []string{"R01 text.id"}},
		{"a strange field", []object{groupRule().with("verdict", "stop")}, []string{"R01 verdict"}},
		{"two rules of one id", []object{groupRule(), groupRule()}, []string{"R01 id"}},
		{"an id that is none", []object{groupRule().with("id", "X01")}, []string{"rules[0] id"}},
		{"no direction", []object{groupRule().with("directions", []any{})}, []string{"R01 directions"}},
		{"a direction that is none", []object{groupRule().with("directions", []any{"transit"})}, []string{"R01 directions"}},
		{"a mode that is none", []object{groupRule().with("mode", "stop")}, []string{"R01 mode"}},
		{"no floor", []object{groupRule().with("precision_floor", 0)}, []string{"R01 precision_floor"}},
		{"a text for a number", []object{groupRule().with("minimum_outcomes", "30")}, []string{"R01 minimum_outcomes", "R01 minimum_outcomes"}},
		{"many at once", []object{groupRule().with("mode", "x").with("end", "2030-01-01"), groupRule().with("id", "R02").with("when", "sex == \"F\"")},
			[]string{"R01 end", "R01 mode", "R02 when", "R02 when"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := rule.Parse(pack(t, c.rules))
			if c.want == nil {
				if err != nil || s == nil {
					t.Fatal(err)
				}
				return
			}
			var faults rule.Faults
			if !errors.As(err, &faults) || s != nil {
				t.Fatalf("%v", err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Rule+" "+f.Field)
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// What conditions cannot say.
func TestLanguage(t *testing.T) {
	refused := func(when string, directions ...any) {
		t.Helper()
		r := groupRule().with("when", when)
		if len(directions) > 0 {
			r = r.with("directions", directions)
		}
		_, err := rule.Parse(pack(t, []object{r}))
		var faults rule.Faults
		if !errors.As(err, &faults) || faults[0].Field != "when" {
			t.Errorf("%s was taken: %v", when, err)
		}
	}
	for _, when := range []string{
		// Who somebody is.
		`sex == "F"`, `document.sex == "F"`, `name == "SITI"`, `age < 25`, `document.date_of_birth == "x"`, `document.nationality == "IDN"`, `religion == "x"`,
		`document.issuing_state == "PAK"`, `document.issuing_state in ["IDN","PAK"]`, `document.issuing_state != record.destination`, `record.destination == document.issuing_state`,
		`document.issuing_state == "I" + "DN"`, `document.issuing_state < "J"`, `document.issuing_state contains "P"`, `document.issuing_state matches "^P"`,
		`document["issuing_state"] == "PAK"`, `document?.issuing_state == "PAK"`, `(document).issuing_state == "PAK"`, `document.issuing_state[0] == "P"`,
		// What never ends, or costs too much.
		`len(journey.via) > 1`, `all(journey.via, # == "SIN")`, `any(journey.via, {# == "SIN"})`, `count(1..1000000, true) > 1`, `1 in 1..1000000`, `journey.flight matches "(a+)+$"`,
		`journey.flight in "GA"`, `repeat("a", 100000000) == ""`, `let x = 1; x == 1`, `minor ? true : false`, `if minor { true } else { false }`, `minor ?? true`, `{"a": 1}.a == 1`,
		`counts.same_flight_20min ** 99 > 1`, `counts.same_flight_20min / 0 > 1`, `counts.same_flight_20min % 0 > 1`, `"a" + "b" == "ab"`, `true; true`, `journey.via | len() > 1`,
		strings.Repeat("minor && ", 40) + "minor", strings.Repeat("minor or ", 60) + "minor", strings.Repeat("(", 240) + "minor" + strings.Repeat(")", 240) + "x",
		// What is no condition.
		``, ` `, `counts.same_flight_20min`, `journey`, `journey.via`, `"work"`, `purpose`, `minor &&`, `minor and 1`, `1 == "1"`, `minor == 1`, `nil == nil`, `journey == nil`, `[1] == [1]`, `Facts`, `$env`, `$env["minor"]`,
		// Slips of the pen.
		`purpose == "wrok"`, `record.status == "sipa"`, `journey.destination == "Cambodia"`, `journey.to == "sin"`, `journey.from in ["CGK", 1]`, `counts.same_flight_20min in ["3"]`, `purpose == 1`,
	} {
		refused(when)
	}
	// Nobody is faulted for this when coming home.
	for _, when := range []string{`record.contract_days_left < 0`, `record.present`, `journey.destination == "KHM"`, `purpose == "work"`, `minor && !journey.known`} {
		refused(when, "return")
		refused(when, "departure", "return")
	}
	for _, when := range []string{`minor`, `not minor`, `document.valid == false`, `counts.same_flight_20min > 3 and document.kind == "passport"`} {
		parse(t, groupRule().with("when", when).with("directions", []any{"departure", "return"}))
	}
}

// There are no words for who somebody is.
func TestVocabulary(t *testing.T) {
	all := rule.Vocabulary()
	if len(all) < 20 {
		t.Fatalf("%d words", len(all))
	}
	for _, w := range all {
		for _, never := range []string{"sex", "gender", "name", "age", "birth", "national", "relig", "ethnic", "origin", "number", "primary", "secondary"} {
			if strings.Contains(w.Name, never) && w.Name != "counts.consecutive_numbers" {
				t.Errorf("%s", w.Name)
			}
		}
	}
}

func TestOrders(t *testing.T) {
	b := pack(t, nil, order(), order().with("id", "K02").with("order", "Menteri P2MI 18 Maret 2025").with("destinations", []any{"KHM"}).with("employer_kinds", []any{}).
		with("start", "2025-03-18").with("spares_contracts_before", "2025-03-18").with("end", "2026-12-31").with("verdict", "stop"))
	s, err := rule.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, day, to, employer, from, want string }{
		{"a household in a closed country", "2026-11-23", "SAU", "household", "2026-01-01", "K01"},
		{"a company there", "2026-11-23", "SAU", "legal-entity", "2026-01-01", ""},
		{"an employer that is not known", "2026-11-23", "SAU", "", "2026-01-01", ""},
		{"another country", "2026-11-23", "HKG", "household", "2026-01-01", ""},
		{"before the order", "2015-01-01", "SAU", "household", "2015-01-01", ""},
		{"a country closed for everybody", "2026-11-23", "KHM", "legal-entity", "2026-01-01", "K02"},
		{"a contract that was running", "2026-11-23", "KHM", "legal-entity", "2025-03-17", ""},
		{"a contract of that day", "2026-11-23", "KHM", "legal-entity", "2025-03-18", "K02"},
		{"no contract known", "2026-11-23", "KHM", "", "", "K02"},
		{"after the order's end", "2027-01-01", "KHM", "", "", ""},
	} {
		var ids []string
		for _, o := range s.Orders(day(c.day), c.to, "", c.employer, day(c.from)) {
			ids = append(ids, o.ID)
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	for _, bad := range []object{order().with("destinations", nil).with("employer_kinds", nil), order().with("destinations", []any{"XX"}), order().with("employer_kinds", []any{"king"}),
		order().with("verdict", "refuse"), order().with("end", "2014-01-01"), order().with("order", ""), order().with("id", "R01"), order().with("later", 1)} {
		if _, err := rule.Parse(pack(t, nil, bad)); err == nil {
			t.Errorf("taken: %v", bad)
		}
	}
}

func TestPackItself(t *testing.T) {
	good := string(pack(t, []object{groupRule()}))
	for name, b := range map[string]string{
		"nothing": "", "a list": "[]", "null": "null", "cut off": good[:len(good)-1], "something behind": good + "x", "another form": strings.Replace(good, "rules/1", "rules/2", 1),
		"a field twice": strings.Replace(good, `"version":3`, `"version":3,"version":4`, 1), "a rule's field twice": strings.Replace(good, `"end":`, `"end":"2026-11-02","end":`, 1),
		"version 0": strings.Replace(good, `"version":3`, `"version":0`, 1), "no time": strings.Replace(good, "2026-11-20T00:00:00Z", "yesterday", 1), "no rules": `{"format":"lintas-rules/1","version":1,"time":"2026-11-20T00:00:00Z"}`,
		"null rules": `{"format":"lintas-rules/1","version":1,"time":"2026-11-20T00:00:00Z","rules":null}`, "not text": "{\"\xff\":1}", "too large": strings.Repeat(" ", rule.MaxPack) + good,
	} {
		if s, err := rule.Parse([]byte(b)); err == nil || s != nil {
			t.Errorf("%s was taken", name)
		}
	}
	many := make([]object, rule.MaxRules+1)
	for i := range many {
		many[i] = groupRule().with("id", fmt.Sprintf("R%02d", i+1))
	}
	if _, err := rule.Parse(pack(t, many)); err == nil {
		t.Error("too many rules were taken")
	}
}

func TestImprecise(t *testing.T) {
	s := parse(t, groupRule(), groupRule().with("id", "R02").with("outcomes", object{"positive": 1, "negative": 25}), groupRule().with("id", "R03"))
	tally := rule.Tally{}
	for range 29 {
		tally.Add(false, "R01")
	}
	if got := s.Imprecise(tally); len(got) != 0 {
		t.Errorf("turned off on too few outcomes: %v", got)
	}
	tally.Add(false, "R01")
	for range 4 {
		tally.Add(false, "R02")
	}
	for range 30 { // 3 of 33: below the floor; 4 of 33 would be above
		tally.Add(false, "R03")
	}
	for range 3 {
		tally.Add(true, "R03")
	}
	if got := s.Imprecise(tally); !slices.Equal(got, []string{"R01", "R02", "R03"}) {
		t.Errorf("%v", got)
	}
	tally.Add(true, "R03")
	if got := s.Imprecise(tally); !slices.Equal(got, []string{"R01", "R02"}) {
		t.Errorf("at the floor: %v", got)
	}
}

func TestExplain(t *testing.T) {
	s := parse(t, groupRule(), groupRule().with("id", "R02").with("mode", "shadow").with("when", `not (journey.destination == "KHM") or minor`), groupRule().with("id", "R03").with("end", "2026-11-22"))
	all := s.Explain(rule.Facts{Counts: rule.Counts{SameFlightUnlisted: 6, ConsecutiveNumbers: 2}}, today, "departure", nil)
	if len(all) != 3 || all[0].Outcome != "does-not-hold" || all[1].Outcome != "fires-in-shadow" || all[2].Outcome != "not-in-force" {
		t.Fatalf("%+v", all)
	}
	values := map[string]any{}
	for _, e := range all {
		for _, p := range e.Steps {
			values[p.Part] = p.Value
		}
	}
	for part, want := range map[string]any{
		"counts.same_flight_unlisted_20min >= 5": true, "counts.same_flight_unlisted_20min": 6, "counts.consecutive_numbers >= 3": false, "counts.consecutive_numbers": 2,
		`journey.destination == "KHM"`: false, "journey.destination": "", "minor": false,
	} {
		if got, ok := values[part]; !ok || got != want {
			t.Errorf("%s is %v, want %v; all: %v", part, got, want, values)
		}
	}
	if e := s.Explain(rule.Facts{Minor: true}, today, "return", []string{"R01"}); e[0].Outcome != "other-direction" || s.Explain(rule.Facts{}, today, "", []string{"R01"})[0].Outcome != "turned-off" {
		t.Errorf("%+v", e[0])
	}
}

// FuzzParse: whatever a pack holds, it is refused with faults or every rule in
// it keeps its promises.
func FuzzParse(f *testing.F) {
	f.Add(pack(f, []object{groupRule()}, order()))
	f.Add(pack(f, []object{groupRule().with("when", `document.issuing_state != "IDN" || "SIN" in journey.via`)}))
	f.Add([]byte(`{"format":"lintas-rules/1","rules":[{"when":"1 in [1]"},[],null]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := rule.Parse(b)
		var faults rule.Faults
		if err != nil && (!errors.As(err, &faults) || len(faults) == 0 || s != nil) {
			t.Fatalf("%v", err)
		}
		if err != nil {
			return
		}
		for _, r := range s.Pack().Rules {
			if r.Owner == "" || r.LegalBasis == "" || r.Text.ID == "" || r.Text.EN == "" {
				t.Fatalf("%+v", r)
			}
			start, _ := r.Start.Time()
			end, _ := r.End.Time()
			if days := end.Sub(start).Hours() / 24; days < 0 || days > rule.MaxDays {
				t.Fatalf("%v days", days)
			}
			h := s.Evaluate(rule.Facts{}, r.Start, r.Directions[0], nil)
			if len(h.Failed) > 0 {
				t.Fatalf("%s fails: %s", h.Failed, r.When)
			}
		}
		s.Explain(rule.Facts{}, today, "departure", nil)
	})
}

// FuzzCondition does the same with conditions, which the other seldom reaches.
func FuzzCondition(f *testing.F) {
	for _, when := range []string{"minor", `purpose == "work"`, `counts.same_flight_20min + -3 in [1,2]`, `not (document.kind in ["visa", "other"])`, `record.visa_days_left - record.contract_days_left <= 30`, `"KUL" in journey.via`} {
		f.Add(when)
	}
	f.Fuzz(func(t *testing.T, when string) {
		b, err := json.Marshal(object{"format": rule.Format, "version": 3, "time": "2026-11-20T00:00:00Z", "rules": []object{groupRule().with("when", when)}})
		if err != nil {
			t.Skip()
		}
		s, err := rule.Parse(b)
		if err != nil {
			return
		}
		for _, state := range []string{"IDN", "PAK"} {
			h := s.Evaluate(rule.Facts{Document: rule.Document{IssuingState: state}}, today, "departure", nil)
			if len(h.Failed) > 0 {
				t.Fatalf("fails: %s", when)
			}
		}
		// Two foreign states are the same to every rule.
		one := s.Evaluate(rule.Facts{Document: rule.Document{IssuingState: "PAK"}}, today, "departure", nil)
		two := s.Evaluate(rule.Facts{Document: rule.Document{IssuingState: "AUS"}}, today, "departure", nil)
		if len(one.Fired) != len(two.Fired) {
			t.Fatalf("tells one foreign state from another: %s", when)
		}
		for _, e := range s.Explain(rule.Facts{}, today, "departure", nil) {
			for _, p := range e.Steps {
				if s, ok := p.Value.(string); ok && strings.HasPrefix(s, "cannot tell") {
					t.Fatalf("%s: %s: %s", when, p.Part, s)
				}
			}
		}
	})
}

func BenchmarkEvaluate50(b *testing.B) {
	rules := make([]object, 50)
	for i := range rules {
		rules[i] = groupRule().with("id", fmt.Sprintf("R%02d", i+1)).with("when", []string{
			"counts.same_flight_unlisted_20min >= 5 && counts.consecutive_numbers >= 3", `journey.known and journey.destination in ["KHM","MMR","LAO"] and not record.present`,
			`document.issuing_state == "IDN" and document.expires_in_days < 180 and purpose == "work"`, `record.present and journey.destination != record.destination and "SIN" in journey.via`,
		}[i%4])
	}
	s := parse(b, rules...)
	f := rule.Facts{Journey: rule.Journey{Known: true, Destination: "KHM", Via: []string{"SIN"}}, Counts: rule.Counts{SameFlightUnlisted: 9, ConsecutiveNumbers: 4}, Document: rule.Document{IssuingState: "IDN", ExpiresInDays: 3}}
	b.ReportAllocs()
	for b.Loop() {
		s.Evaluate(f, today, "departure", nil)
	}
}

func lotRule() object {
	o := groupRule().with("id", "R90").with("one_in", 500)
	for _, f := range []string{"when", "precision_floor", "minimum_outcomes"} {
		o = o.with(f, nil)
	}
	return o
}

// One in so many is drawn, no condition is asked, and nothing turns the rule
// off.
func TestLot(t *testing.T) {
	s := parse(t, lotRule(), groupRule())
	const n = 1_000_000
	drawn := 0
	for i := range n {
		drawn += len(s.Draw(float64(i+1)/n, today, "departure").Fired)
	}
	if drawn != n/500 {
		t.Errorf("%d of %d", drawn, n)
	}
	if h := s.Draw(0, today, "departure"); len(h.Fired) > 0 {
		t.Error("no lot, and it falls")
	}
	for _, h := range []rule.Hits{s.Draw(0.001, today, "return"), s.Draw(0.001, day("2027-01-16"), "departure"), (*rule.Set)(nil).Draw(0.001, today, "departure"),
		s.Evaluate(rule.Facts{}, today, "departure", nil)} {
		if len(h.Fired)+len(h.Shadow)+len(h.Failed) > 0 {
			t.Errorf("%+v", h)
		}
	}
	if h := parse(t, lotRule().with("mode", "shadow")).Draw(0.001, today, "departure"); !slices.Equal(h.Shadow, []string{"R90"}) || len(h.Fired) > 0 {
		t.Errorf("in the shadow: %+v", h)
	}
	if off := s.Imprecise(rule.Tally{"R90": {Negative: 1000}}); len(off) > 0 {
		t.Errorf("turned off: %v", off)
	}
	if x := s.Explain(rule.Facts{}, today, "departure", nil); x[0].Outcome != "by-lot" || len(x[0].Steps) > 0 {
		t.Errorf("%+v", x[0])
	}
	for name, bad := range map[string]object{
		"too often": lotRule().with("one_in", 19), "negative": lotRule().with("one_in", -1), "with a condition": lotRule().with("when", "minor"),
		"with a floor": lotRule().with("precision_floor", 0.1), "those who come home": lotRule().with("directions", []any{"departure", "return"}),
	} {
		if _, err := rule.Parse(pack(t, []object{bad})); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := rule.Parse(pack(t, []object{lotRule(), lotRule().with("id", "R91")})); err == nil {
		t.Error("two lots in one pack")
	}
}
