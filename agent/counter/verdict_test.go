package counter_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/journey"
	"lintas/agent/placement"
	"lintas/agent/rule"
	"lintas/agent/verdict"
	"lintas/devices"
	"lintas/mrz"
)

// pack makes rules of one condition each.
func pack(t *testing.T, version int, when map[string]string) *rule.Set {
	t.Helper()
	today := mrz.DateOf(time.Now())
	var rules []string
	for id, w := range when {
		mode := "active"
		if id > "R50" {
			mode = "shadow"
		}
		rules = append(rules, fmt.Sprintf(`{"id":%q,"owner":"o","legal_basis":"b","start":%q,"end":%q,"directions":["departure"],"mode":%q,"precision_floor":0.5,"minimum_outcomes":10,
			"when":%q,"text":{"id":"teks","en":"text"},"next":{"id":"tanya","en":"ask"}}`, id, today, today, mode, w))
	}
	s, err := rule.Parse([]byte(fmt.Sprintf(`{"format":"lintas-rules/1","version":%d,"time":%q,"rules":[%s]}`, version, time.Now().UTC().Format(time.RFC3339), strings.Join(rules, ","))))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// field gives a field of what was recorded last.
func (m *memory) field(t *testing.T, name string) any {
	t.Helper()
	b, err := json.Marshal(m.recs[len(m.recs)-1])
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	return all[name]
}

func (d *desk) codes() string { return strings.Join(d.View().Current.Verdict.Codes(), " ") }

func (d *desk) state(s counter.Statement) {
	d.t.Helper()
	s.Inspection = d.View().Current.ID
	if err := d.State(d.t.Context(), s); err != nil {
		d.t.Fatal(err)
	}
}

// "Purpose: work" opens the checklist; what was said and seen is recorded with
// the decision, and so is the verdict that it led to.
func TestStatement(t *testing.T) {
	d := newDesk(t)
	d.swipe("ZZ1234567")
	d.state(counter.Statement{Purpose: verdict.ToWork})
	if v := d.View().Current; v.Verdict.Code != verdict.Ask || d.codes() != "N02" || v.Purpose != verdict.ToWork {
		t.Fatalf("%+v", v.Verdict)
	}
	if list, ok := d.View().Current.Verdict.Checklist(); !ok || list.ID != "placement" {
		t.Errorf("%+v", list)
	}
	if len(d.mem.events) != 1 {
		t.Error("a statement alone is recorded")
	}
	choice := counter.Choice{Inspection: d.View().Current.ID, Decision: verdict.Proceed, Seen: []string{"passport", "x"}}
	if err := d.Decide(t.Context(), choice); !errors.Is(err, counter.ErrDecision) {
		t.Errorf("a document that is none: %v", err)
	}
	choice.Seen = []string{"passport", "work-visa"}
	if err := d.Decide(t.Context(), choice); err != nil {
		t.Fatal(err)
	}
	if d.mem.field(t, "purpose") != "work" || d.mem.field(t, "verdict") != "ask" || fmt.Sprint(d.mem.field(t, "docs_seen")) != "[passport work-visa]" || fmt.Sprint(d.mem.field(t, "reasons")) != "[N02]" {
		t.Errorf("%+v", d.mem.recs[1])
	}

	d.swipe("ZZ1234568")
	d.state(counter.Statement{Purpose: verdict.ToWork})
	d.state(counter.Statement{}) // taken back
	if d.codes() != "N01" {
		t.Errorf("%s", d.codes())
	}
	d.state(counter.Statement{Purpose: verdict.AsCrew})
	if err := d.decide(verdict.Refer); err != nil {
		t.Fatal(err)
	}
	finding, _ := d.mem.field(t, "finding").(map[string]any)
	if d.mem.field(t, "purpose") != "crew" || finding["verdict"] != "ask" {
		t.Errorf("%v", finding)
	}
	if err := d.State(t.Context(), counter.Statement{Inspection: choice.Inspection}); !errors.Is(err, counter.ErrDecided) {
		t.Errorf("after the decision: %v", err)
	}
	d.swipe("ZZ1234569")
	if err := d.State(t.Context(), counter.Statement{Inspection: d.View().Current.ID, Purpose: "fun"}); !errors.Is(err, counter.ErrDecision) {
		t.Errorf("a purpose that is none: %v", err)
	}
}

// Nobody who comes home is postponed; why he comes is recorded if he says it.
func TestComingHome(t *testing.T) {
	d := newDesk(t, func(o *counter.Options) { o.Direction = verdict.Return })
	d.list.found.Listed = true
	d.list.found.Records = []placement.Record{{PlacementID: "P", Status: placement.Abroad, Destination: "HKG", Primary: canary, Secondary: "AYU", ContractUntil: mrz.Date{Year: 2020, Month: 1, Day: 1}}}
	d.swipe("ZZ1234567")
	if d.codes() != "P01" {
		t.Errorf("%s", d.codes())
	}
	if err := d.decide(verdict.Postpone); !errors.Is(err, counter.ErrDecision) {
		t.Fatalf("postponed: %v", err)
	}
	d.state(counter.Statement{ReturnReason: verdict.Problem, Purpose: verdict.ToWork})
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	if typ, _ := d.mem.last(); typ != crossing.Return || d.mem.field(t, "return_reason") != "problem" || d.mem.field(t, "purpose") != nil {
		t.Errorf("%s %+v", typ, d.mem.recs[1])
	}
}

// Where the direction is chosen with the decision, the verdict that is recorded
// is the one for that direction.
func TestDirectionChosenWithTheDecision(t *testing.T) {
	d := newDesk(t, func(o *counter.Options) { o.Direction = "" })
	d.list.found.Listed = true
	d.list.found.Records = []placement.Record{{PlacementID: "P", Status: placement.Abroad, Destination: "HKG", Primary: canary, Secondary: "AYU", ContractUntil: mrz.Date{Year: 2020, Month: 1, Day: 1}}}
	decide := func(decision verdict.Decision, way verdict.Direction) error {
		return d.Decide(t.Context(), counter.Choice{Inspection: d.View().Current.ID, Decision: decision, Direction: way})
	}
	d.swipe("ZZ1234567")
	if d.codes() != "A01" {
		t.Fatalf("%s", d.codes())
	}
	if err := decide(verdict.Postpone, verdict.Return); !errors.Is(err, counter.ErrDecision) {
		t.Errorf("postponed: %v", err)
	}
	d.mem.broken.Store(true)
	if err := decide(verdict.Proceed, verdict.Return); err == nil {
		t.Fatal("decided with a broken disk")
	}
	d.mem.broken.Store(false)
	if err := decide(verdict.Proceed, verdict.Departure); err != nil { // the officer has thought again
		t.Fatal(err)
	}
	if fmt.Sprint(d.mem.field(t, "reasons")) != "[A01 Q01]" {
		t.Errorf("departure: %v", d.mem.field(t, "reasons"))
	}
	d.swipe("ZZ1234568")
	if err := decide(verdict.Proceed, verdict.Return); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(d.mem.field(t, "reasons")) != "[P01]" || d.mem.field(t, "verdict") != "clear" {
		t.Errorf("return: %v", d.mem.field(t, "reasons"))
	}
}

// A group without records on one flight, with numbers that follow each other:
// counted from the notes, so that a restart forgets nobody.
func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules := pack(t, 3, map[string]string{
			"R01": "counts.same_flight_unlisted_20min >= 5 && counts.consecutive_numbers >= 3", "R51": "counts.same_flight_20min >= 2"})
		d := newDesk(t, func(o *counter.Options) { o.Rules = func() *rule.Set { return rules } })
		pass := func(number string) string {
			d.swipe(number)
			codes := d.codes()
			if err := d.decide(verdict.Proceed); err != nil {
				t.Fatal(err)
			}
			return codes
		}
		for _, n := range []string{"X0000001", "X0000002", "X0000003", "X0000004", "X0000005"} {
			if codes := pass(n); codes != "N01" {
				t.Fatalf("without a flight: %s", codes)
			}
		}
		for _, n := range []string{"X0000006", "X0000007", "X0000008", "X0000009", "X0000010"} { // with passes of another flight
			d.swipe(n)
			d.Scan(devices.Scan{Status: devices.Pass, Pass: &devices.BoardingPass{Legs: []devices.Leg{{Carrier: "MH", Flight: "726", From: "CGK", To: "KUL"}}}})
			if want := map[bool]string{true: "R01", false: "N01"}[n == "X0000010"]; d.codes() != want {
				t.Fatalf("%s with a pass: %s", n, d.codes())
			}
			if err := d.decide(verdict.Proceed); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.SetJourney(t.Context(), "qr 955 doh"); err != nil {
			t.Fatal(err)
		}
		for i, n := range []string{"X1000998", "X7777777", "X1001000", "X5555555"} {
			if codes := pass(n); codes != "N01" {
				t.Fatalf("the %d. of a group: %s", i+1, codes)
			}
		}
		next := counter.New(d.o) // the power fails
		if err := next.Restore(t.Context(), d.mem); err != nil {
			t.Fatal(err)
		}
		d.Counter = next
		if v := d.View(); v.Journey.String() != "QR955 DOH" {
			t.Fatalf("the journey after a restart: %q", v.Journey)
		}
		d.swipe("X1001003") // across the thousand
		if d.codes() != "R01" || d.View().Current.Verdict.Code != verdict.Ask {
			t.Fatalf("the fifth: %s", d.codes())
		}
		if fmt.Sprint(d.mem.field(t, "rules_fired"), d.mem.field(t, "rules_shadow"), d.mem.field(t, "rules_version")) != "[R01] [R51] 3" {
			t.Errorf("%+v", d.mem.recs[len(d.mem.recs)-1])
		}
		if err := d.decide(verdict.Proceed); err != nil {
			t.Fatal(err)
		}
		if err := d.SetJourney(t.Context(), "GA 834 HKG"); err != nil {
			t.Fatal(err)
		}
		if codes := pass("X1001004"); codes != "N01" {
			t.Errorf("on another flight: %s", codes)
		}
		if err := d.SetJourney(t.Context(), "QR955 DOH"); err != nil {
			t.Fatal(err)
		}
		d.list.found.Listed = true
		d.list.found.Records = []placement.Record{{PlacementID: "P", Status: placement.Ready, Destination: "QAT", Primary: canary, Secondary: "AYU"}}
		if codes := pass("X1001005"); strings.Contains(codes, "R01") {
			t.Errorf("a placed worker among them: %s", codes)
		}
		d.list.found.Listed, d.list.found.Records = false, nil
		time.Sleep(21 * time.Minute)
		if codes := pass("X1001002"); codes != "N01" {
			t.Errorf("half an hour later: %s", codes)
		}
		time.Sleep(4 * time.Hour)
		if v := d.View(); !v.Journey.IsZero() {
			t.Errorf("a journey of hours ago still holds: %s", v.Journey)
		}
		// The notes give no number away, and those of another key cannot be compared.
		for _, e := range d.mem.events {
			for _, n := range []string{"1000998", "1001003", "1000", canary} {
				if strings.Contains(string(e.Note), n) {
					t.Errorf("a note tells %s: %s", n, e.Note)
				}
			}
		}
		n1, _ := counter.ReadNote(d.mem.events[len(d.mem.events)-2].Note)
		d.NewShift([]byte("another key"))
		if err := d.SetJourney(t.Context(), "QR955 DOH"); err != nil {
			t.Fatal(err)
		}
		d.swipe("X1001002")
		_, n2 := d.mem.last()
		if n1.Near.Tag == n2.Near.Tag || n2.Near.Tag == "" {
			t.Errorf("%+v %+v", n1, n2)
		}
	})
}

func TestJourneyIsRecorded(t *testing.T) {
	d := newDesk(t)
	if err := d.SetJourney(t.Context(), "somewhere"); !errors.Is(err, journey.ErrForm) || len(d.mem.events) != 0 {
		t.Fatalf("%v", err)
	}
	if err := d.SetJourney(t.Context(), "MH726 CGK-KUL"); err != nil {
		t.Fatal(err)
	}
	if typ, n := d.mem.last(); typ != crossing.ConfigChanged || n.Journey != "MH726 CGK-KUL" || d.mem.field(t, "value") != "MH726 CGK-KUL" {
		t.Fatalf("%s %+v", typ, n)
	}
	d.list.found.Listed = true
	d.list.found.Records = []placement.Record{{PlacementID: "P", Status: placement.Ready, Destination: "HKG", Primary: canary, Secondary: "AYU"}}
	d.swipe("ZZ1234567")
	if d.codes() != "A02" {
		t.Errorf("%s", d.codes())
	}
	if err := errors.Join(d.decide(verdict.Proceed), d.SetJourney(t.Context(), "")); err != nil {
		t.Fatal(err)
	}
	d.swipe("ZZ1234568")
	if d.codes() != "P01" {
		t.Errorf("without a journey: %s", d.codes())
	}
	d.mem.broken.Store(true)
	if err := d.SetJourney(t.Context(), "GA834 HKG"); !errors.Is(err, errDisk) || !d.View().Journey.IsZero() || d.View().Fault == "" {
		t.Errorf("a journey that could not be recorded: %v", err)
	}
}

// A boarding pass belongs to the traveller at the counter, or to the next
// document; it counts more than the shift's journey, and for nobody else.
func TestBoardingPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.list.found.Listed = true
		d.list.found.Records = []placement.Record{{PlacementID: "P", Status: placement.Ready, Destination: "HKG", Primary: canary, Secondary: "AYU"}}
		pass := func(to string) {
			d.Scan(devices.Scan{Scanner: "passport", Status: devices.Pass, Pass: &devices.BoardingPass{Legs: []devices.Leg{{Carrier: "GA", Flight: "834", From: "CGK", To: to}}}})
		}
		if err := d.SetJourney(t.Context(), "CX798 HKG"); err != nil {
			t.Fatal(err)
		}
		has := func(code string) bool { return slices.Contains(d.View().Current.Verdict.Codes(), code) }
		journeyOf := func() string { return fmt.Sprint(d.mem.field(t, "journey")) }
		d.swipe("ZZ1234567")
		if has("A02") || !strings.Contains(journeyOf(), "source:setting") {
			t.Fatalf("%s %s", d.codes(), journeyOf())
		}
		pass("KUL") // shown after the passport
		if !has("A02") {
			t.Fatalf("%s", d.codes())
		}
		if err := d.decide(verdict.Proceed); err != nil {
			t.Fatal(err)
		}
		if j := journeyOf(); !strings.Contains(j, "to:KUL") || strings.Contains(j, "source") || !strings.Contains(fmt.Sprint(d.mem.field(t, "reasons")), "A02") {
			t.Fatalf("%s", j)
		}
		pass("KUL") // shown before it
		d.swipe("ZZ1234568")
		if !has("A02") {
			t.Fatalf("%s", d.codes())
		}
		if err := d.decide(verdict.Proceed); err != nil {
			t.Fatal(err)
		}
		d.swipe("ZZ1234569")
		if has("A02") {
			t.Fatal("the pass of the one before is held against the next")
		}
		if err := d.decide(verdict.Proceed); err != nil {
			t.Fatal(err)
		}
		pass("KUL")
		time.Sleep(3 * time.Minute)
		d.swipe("ZZ1234560")
		if has("A02") {
			t.Fatal("a pass of minutes ago is held against the next")
		}
	})
}

func TestJourneyOfAPass(t *testing.T) {
	j := counter.JourneyOf(&devices.BoardingPass{Legs: []devices.Leg{{Carrier: "QR", Flight: "955", From: "CGK", To: "DOH"}, {Carrier: "QR", Flight: "259", From: "DOH", To: "WAW"}}}, time.Now())
	if j.String() != "QR955 CGK-DOH-WAW" || j.Destination() != "POL" {
		t.Errorf("%s", j)
	}
	if j := counter.JourneyOf(&devices.BoardingPass{}, time.Now()); !j.IsZero() {
		t.Errorf("%+v", j)
	}
}

// A rule that asks in vain turns itself off, also after a restart, until there
// is another pack.
func TestOutcomesTurnARuleOff(t *testing.T) {
	rules := pack(t, 3, map[string]string{"R01": "document.valid", "R51": "document.valid"})
	d := newDesk(t, func(o *counter.Options) { o.Rules = func() *rule.Set { return rules } })
	for i := range 10 {
		d.swipe(fmt.Sprintf("ZZ%07d", i))
		if d.codes() != "R01" {
			t.Fatalf("%d: %s", i, d.codes())
		}
		id := d.View().Current.ID
		if err := d.decide(verdict.Refer); err != nil {
			t.Fatal(err)
		}
		if r := d.View().Referred; len(r) != 1 || r[0].ID != id {
			t.Fatalf("%+v", r)
		}
		outcome := counter.Negative
		if i < 4 {
			outcome = counter.Positive
		}
		if err := d.Outcome(t.Context(), id, outcome); err != nil {
			t.Fatal(err)
		}
		if typ, n := d.mem.last(); typ != crossing.SecondaryOutcome || n.Outcome != outcome || fmt.Sprint(d.mem.field(t, "reasons"), d.mem.field(t, "rules_shadow")) != "[R01] [R51]" {
			t.Fatalf("%s %+v", typ, n)
		}
		if err := d.Outcome(t.Context(), id, counter.Positive); !errors.Is(err, counter.ErrDecided) {
			t.Fatalf("a second outcome: %v", err)
		}
	}
	off := func(what string) {
		t.Helper()
		d.swipe("ZZ9999999")
		if d.codes() != "N01" || d.mem.field(t, "rules_shadow") != nil {
			t.Errorf("%s: %s", what, d.codes())
		}
		active := d.o.Health.Active()
		if !slices.ContainsFunc(active, func(a health.Active) bool { return a.Code == health.RuleOff && a.Subject == "R01" }) {
			t.Errorf("%s: the board does not say so: %+v", what, active)
		}
		if err := d.decide(verdict.NotTravelling); err != nil {
			t.Fatal(err)
		}
	}
	off("at once")
	d.o.Health = health.NewBoard()
	d.Counter = counter.New(d.o)
	if err := d.Restore(t.Context(), d.mem); err != nil {
		t.Fatal(err)
	}
	if len(d.View().Referred) != 0 {
		t.Errorf("still wait for an outcome: %+v", d.View().Referred)
	}
	off("after a restart")
	rules = pack(t, 4, map[string]string{"R02": "document.valid"})
	d.swipe("ZZ9999998")
	if d.codes() != "R02" || len(d.o.Health.Active()) != 0 {
		t.Errorf("another pack: %s, %+v", d.codes(), d.o.Health.Active())
	}
}

// Of those whom nothing speaks against some are asked by lot, and the lot of a
// traveller is drawn once: it stays when the officer is told something.
func TestLot(t *testing.T) {
	const text = `{"format":"lintas-rules/1","version":3,"time":"2026-11-20T00:00:00Z","rules":[{"id":"R90","owner":"x","legal_basis":"x","start":%q,"end":%q,
		"directions":["departure"],"mode":"active","one_in":20,"text":{"id":"x","en":"x"},"next":{"id":"x","en":"x"}}]}`
	rules, err := rule.Parse(fmt.Appendf(nil, text, time.Now().AddDate(0, 0, -2).Format(time.DateOnly), time.Now().AddDate(0, 0, 2).Format(time.DateOnly)))
	if err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, func(o *counter.Options) { o.Rules = func() *rule.Set { return rules } })
	asked := 0
	const travellers = 500
	for i := range travellers {
		d.swipe(fmt.Sprintf("ZZ%07d", i))
		before := d.codes()
		if err := d.State(t.Context(), counter.Statement{Inspection: d.View().Current.ID, Purpose: "other"}); err != nil {
			t.Fatal(err)
		}
		if d.codes() != before {
			t.Fatalf("%s became %s", before, d.codes())
		}
		switch before {
		case "R90":
			asked++
		case "N01":
		default:
			t.Fatal(before)
		}
		if err := d.decide(verdict.NotTravelling); err != nil {
			t.Fatal(err)
		}
	}
	if asked < 4 || asked > 70 { // 25 are expected; outside of this once in a million runs
		t.Errorf("%d of %d were asked", asked, travellers)
	}
}

// An outcome whose writing seemed to fail is not followed by another one.
func TestOutcomeWithUnknownFate(t *testing.T) {
	d := newDesk(t)
	refer := func(number string) string {
		d.swipe(number)
		id := d.View().Current.ID
		if err := d.decide(verdict.Refer); err != nil {
			t.Fatal(err)
		}
		return id
	}
	id := refer("ZZ1234567")
	d.mem.lying = true
	if err := d.Outcome(t.Context(), id, counter.Positive); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	d.mem.lying = false
	events := len(d.mem.events)
	if err := d.Outcome(t.Context(), id, counter.Negative); !errors.Is(err, counter.ErrDecided) || len(d.mem.events) != events || len(d.View().Referred) != 0 {
		t.Fatalf("%v, %d events", err, len(d.mem.events)-events)
	}
	id = refer("ZZ1234568")
	d.mem.broken.Store(true)
	if err := d.Outcome(t.Context(), id, counter.Positive); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	d.mem.broken.Store(false)
	if err := d.Outcome(t.Context(), id, counter.Negative); err != nil {
		t.Fatal(err)
	}
	if err := d.Outcome(t.Context(), id, "perhaps"); !errors.Is(err, counter.ErrDecision) {
		t.Errorf("an outcome that is none: %v", err)
	}
}

// book answers look-ups by document number.
type book struct {
	asked []string
	pages map[string]placement.Found
}

func (b *book) Find(_ context.Context, doc mrz.Document) (placement.Found, error) {
	b.asked = append(b.asked, doc.DocumentNumber)
	f := b.pages[doc.DocumentNumber]
	f.ListPresent, f.List = true, placement.Info{Version: 7, Time: time.Now()}
	return f, nil
}

// A document whose number the digits leave open is looked up under each reading,
// few times; what is found makes the officer compare and clears nobody.
func TestGuess(t *testing.T) {
	good := lines(t, "B1234567")
	worn := append([]string(nil), good...)
	worn[1] = "_" + worn[1][1:] // the letter cannot be read
	d := mrz.Read(worn, mrz.DateOf(time.Now()))
	var numbers []string
	for _, c := range d.Candidates {
		if c.Field == mrz.FieldDocumentNumber {
			numbers = append(numbers, c.Value)
		}
	}
	if d.Valid || len(numbers) < 2 {
		t.Fatalf("the zone leaves %d numbers open; valid %v", len(numbers), d.Valid)
	}
	record := placement.Found{Listed: true, Records: []placement.Record{{PlacementID: "P", Status: placement.Ready, Destination: "HKG", Primary: canary, Secondary: "AYU"}}}
	negative := placement.Found{Negatives: []placement.Negative{{Until: mrz.Date{Year: 2999, Month: 1, Day: 1}}}}
	for _, c := range []struct {
		name    string
		pages   map[string]placement.Found
		verdict verdict.Code
		codes   string
		guess   string
	}{
		{"nothing is found", nil, verdict.Unsure, "M01", ""},
		{"one reading opens a record", map[string]placement.Found{numbers[1]: record}, verdict.Ask, "M01 P01", numbers[1]},
		{"two readings do", map[string]placement.Found{numbers[0]: record, numbers[1]: record}, verdict.Unsure, "M01", ""},
		{"one is on the attention list", map[string]placement.Found{numbers[0]: negative}, verdict.Unsure, "X03 M01", numbers[0]},
		{"one is, another opens", map[string]placement.Found{numbers[0]: negative, numbers[1]: record}, verdict.Ask, "M01 P01", numbers[1]},
		{"one is listed and does not open", map[string]placement.Found{numbers[0]: {Listed: true}}, verdict.Unsure, "M01", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := &book{pages: c.pages}
			d := newDesk(t, func(o *counter.Options) { o.List = b })
			d.Scan(devices.Scan{Scanner: "passport", Status: devices.Complete, Lines: worn, Last: time.Now()})
			v := d.View().Current
			if v.Verdict.Code != c.verdict || d.codes() != c.codes {
				t.Errorf("%s %s", v.Verdict.Code, d.codes())
			}
			guess := ""
			if len(v.Guesses) > 0 {
				guess = v.Guesses[0].Value
			}
			if guess != c.guess || (d.mem.field(t, "guessed") != nil) != (c.guess != "") || strings.Contains(fmt.Sprint(d.mem.field(t, "guessed")), "1234567") {
				t.Errorf("guess %q, recorded %v", guess, d.mem.field(t, "guessed"))
			}
			if len(b.asked) > 4 {
				t.Errorf("%d look-ups", len(b.asked))
			}
		})
	}
	b := &book{}
	newDesk(t, func(o *counter.Options) { o.List = b }).Scan(devices.Scan{Status: devices.Complete, Lines: good, Last: time.Now()})
	if len(b.asked) != 1 {
		t.Errorf("%d look-ups for a document that reads well", len(b.asked))
	}
}

func TestClockIsMarked(t *testing.T) {
	state := "ntp"
	d := newDesk(t, func(o *counter.Options) { o.Clock = func() string { return state } })
	d.swipe("ZZ1234567")
	if d.codes() != "N01" {
		t.Errorf("%s", d.codes())
	}
	state = "holdover"
	d.swipe("ZZ1234568")
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	if d.codes() != "N01 T01" {
		t.Errorf("%s", d.codes())
	}
}

// Leaving twice without coming back is noted and faults nobody.
func TestSequence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.swipe("ZZ1234567")
		if err := d.decide(verdict.Proceed); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		next := counter.New(d.o)
		if err := next.Restore(t.Context(), d.mem); err != nil {
			t.Fatal(err)
		}
		d.Counter = next
		d.swipe("ZZ1234567")
		if d.codes() != "N01 Q01" || d.View().Current.Verdict.Code != verdict.None {
			t.Errorf("%s", d.codes())
		}
		// The gap is counted, also after a restart, for a day.
		if err := d.decide(verdict.Proceed); err != nil {
			t.Fatal(err)
		}
		again := counter.New(d.o)
		if err := again.Restore(t.Context(), d.mem); err != nil {
			t.Fatal(err)
		}
		if d.Gaps() != 1 || again.Gaps() != 1 {
			t.Errorf("%d gaps, %d after a restart", d.Gaps(), again.Gaps())
		}
		time.Sleep(24 * time.Hour)
		if n := again.Gaps(); n != 0 {
			t.Errorf("%d gaps a day later", n)
		}
	})
}
