package verdict_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lintas/agent/journey"
	"lintas/agent/placement"
	"lintas/agent/rule"
	"lintas/agent/verdict"
	"lintas/mrz"
)

var today = mrz.Date{Year: 2026, Month: 11, Day: 23}

func date(s string) mrz.Date {
	d, err := mrz.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// plain is the case of somebody with a valid document, no record, a fresh
// list. The parts of a case change it.
func plain() verdict.Case {
	return verdict.Case{
		Document: mrz.Document{Valid: true, Name: mrz.NewName("CONTOH", "MELATI"), DateOfBirth: date("1994-03-07")},
		Today:    today, Direction: verdict.Departure,
		Found: placement.Found{ListPresent: true}, ListAge: time.Hour,
	}
}

type part func(*verdict.Case)

func record(edit ...func(*placement.Record)) part {
	return func(c *verdict.Case) {
		r := placement.Record{PlacementID: "P", Status: placement.Ready, Destination: "HKG", AgencyID: "A",
			Primary: "Contoh", Secondary: "Melati", DateOfBirth: date("1994-03-07"), ContractUntil: date("2028-01-01")}
		for _, e := range edit {
			e(&r)
		}
		c.Found.Listed, c.Found.Records = true, append(c.Found.Records, r)
	}
}

func status(s placement.Status) func(*placement.Record) {
	return func(r *placement.Record) { r.Status = s }
}

func id(s string) func(*placement.Record) { return func(r *placement.Record) { r.PlacementID = s } }
func rev(n int64) func(*placement.Record) { return func(r *placement.Record) { r.Rev = n } }

func negative(kind placement.NegativeKind, until string) part {
	return func(c *verdict.Case) {
		c.Found.Negatives = append(c.Found.Negatives, placement.Negative{Kind: kind, Until: date(until), Contact: "x"})
	}
}

func unread(c *verdict.Case)   { c.Document.Valid = false }
func doubtful(c *verdict.Case) { c.Document.Valid, c.Doubtful = false, true }
func noList(c *verdict.Case)   { c.Found = placement.Found{} }
func returns(c *verdict.Case)  { c.Direction = verdict.Return }
func repeated(c *verdict.Case) { c.Repeated = true }
func locked(c *verdict.Case)   { c.Found.Listed, c.Found.Records = true, nil }
func other(c *verdict.Case)    { c.Found.OtherPaper = true }

func to(text string) part {
	return func(c *verdict.Case) {
		j, err := journey.Parse(text)
		if err != nil {
			panic(err)
		}
		c.Journey = j
	}
}

func age(d time.Duration) part { return func(c *verdict.Case) { c.ListAge = d } }

func agency(l placement.Licence) part {
	return func(c *verdict.Case) { c.Found.Agencies = map[string]placement.Agency{"A": {ID: "A", Licence: l}} }
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name  string
		parts []part
		want  verdict.Code
		codes string
	}{
		{"nobody knows them", nil, verdict.None, "N01"},
		{"placed", []part{record()}, verdict.Clear, "P01"},
		{"placed, name cut off in the zone", []part{record(func(r *placement.Record) { r.Secondary = "Melati Ayu" }),
			func(c *verdict.Case) { c.Document.Name = mrz.NewName("CONTOH", "MELATI AYU") }}, verdict.Clear, "P01"},
		{"on leave", []part{record(status(placement.OnLeave))}, verdict.Clear, "P02"},
		{"contract over", []part{record(func(r *placement.Record) { r.ContractUntil = date("2026-11-22") })}, verdict.Ask, "A01"},
		{"contract ends today", []part{record(func(r *placement.Record) { r.ContractUntil = today })}, verdict.Clear, "P01"},
		{"visa over, contract not", []part{record(func(r *placement.Record) { r.VisaUntil = date("2026-01-01") })}, verdict.Ask, "A01"},
		{"placement ended", []part{record(status(placement.Ended))}, verdict.Ask, "A01"},
		{"contract over, coming home", []part{record(func(r *placement.Record) { r.ContractUntil = date("2026-11-22") }), returns}, verdict.Clear, "P01 Q01"},
		{"other destination", []part{record(), to("GA1 PNH")}, verdict.Ask, "A02"},
		{"by way of", []part{record(func(r *placement.Record) { r.Via = []string{"SGP"} }), to("GA1 SIN")}, verdict.Clear, "P01"},
		{"other name", []part{record(func(r *placement.Record) { r.Primary, r.Secondary = "Lain", "Sekali" })}, verdict.Ask, "A03"},
		{"number listed, birth date differs", []part{locked}, verdict.Ask, "A03"},
		{"other passport", []part{other}, verdict.Ask, "A04"},
		{"agency revoked", []part{record(), agency(placement.LicenceRevoked)}, verdict.Ask, "A06"},
		{"agency active", []part{record(), agency(placement.LicenceActive)}, verdict.Clear, "P01"},
		{"agency revoked, coming home", []part{record(), agency(placement.LicenceRevoked), returns}, verdict.Clear, "P01 Q01"},
		{"a day under 18", []part{record(), func(c *verdict.Case) { c.Document.DateOfBirth = date("2008-11-24") }}, verdict.Stop, "A07"},
		{"18 today", []part{record(), func(c *verdict.Case) { c.Document.DateOfBirth = date("2008-11-23") }}, verdict.Clear, "P01"},
		{"a child without a record", []part{func(c *verdict.Case) { c.Document.DateOfBirth = date("2020-11-24") }}, verdict.None, "N01"},
		{"too early", []part{record(func(r *placement.Record) { r.DepartAfter = date("2026-12-01") })}, verdict.Ask, "A08"},
		{"too late", []part{record(func(r *placement.Record) { r.DepartBefore = date("2026-11-01") })}, verdict.Ask, "A08"},
		{"not ready yet", []part{record(status(placement.InProcess))}, verdict.Ask, "A08"},
		{"swiped twice", []part{record(), repeated}, verdict.Ask, "Q02 P01"},
		{"suspended", []part{record(status(placement.Suspended))}, verdict.Stop, "X01"},
		{"revoked, coming home", []part{record(status(placement.Revoked)), returns}, verdict.Stop, "X01"},
		{"document lost", []part{record(func(r *placement.Record) { r.Flags = []string{placement.FlagLost} })}, verdict.Stop, "X02"},
		{"negative: lost", []part{negative(placement.Lost, "2027-01-01")}, verdict.Stop, "X02"},
		{"negative: attention", []part{negative(placement.Attention, "2026-11-23")}, verdict.Stop, "X03"},
		{"negative entry that has ended", []part{negative(placement.Attention, "2026-11-22")}, verdict.None, "N01"},
		{"unreadable", []part{unread}, verdict.Unsure, "M01"},
		{"read with doubt", []part{doubtful}, verdict.Unsure, "M03"},
		{"read with doubt, placed", []part{record(), doubtful}, verdict.Unsure, "M03 P01"},
		{"read with doubt, negative entry", []part{negative(placement.Attention, "2027-01-01"), doubtful}, verdict.Stop, "X03 M03"},
		{"no list", []part{noList}, verdict.Unsure, "S03"},
		{"list ageing", []part{age(30 * time.Hour)}, verdict.None, "N01 S01"},
		{"list stale", []part{record(), age(80 * time.Hour)}, verdict.Clear, "P01 S02"},
		{"list expired, placed", []part{record(), age(8 * 24 * time.Hour)}, verdict.Ask, "S03 P01"},
		{"list expired, unknown", []part{age(8 * 24 * time.Hour)}, verdict.None, "N01 S03"},
		{"list expired, negative entry", []part{negative(placement.Attention, "2027-01-01"), age(90 * 24 * time.Hour)}, verdict.Stop, "X03 S03"},

		{"on leave, coming home", []part{record(status(placement.OnLeave)), returns}, verdict.Clear, "P01"},
		{"a dead worker's passport", []part{record(status(placement.Deceased))}, verdict.Ask, "A03"},
		{"a dead worker's passport, coming home", []part{record(status(placement.Deceased)), returns}, verdict.Ask, "A03"},
		{"surely under 18", []part{record(), func(c *verdict.Case) { c.Document.DateOfBirth = date("2012-XX-XX") }}, verdict.Stop, "A07"},
		{"perhaps under 18", []part{record(), func(c *verdict.Case) { c.Document.DateOfBirth = date("2008-XX-XX") }}, verdict.Clear, "P01"},
		{"birth date not known", []part{record(), func(c *verdict.Case) { c.Document.DateOfBirth = mrz.Date{} }}, verdict.Clear, "P01"},
		{"a list from the future", []part{record(), age(-48 * time.Hour)}, verdict.Ask, "S03 P01"},
		{"a clock an hour behind", []part{record(), age(-time.Hour)}, verdict.Clear, "P01"},

		{"a newer revision", []part{record(rev(1), status(placement.Revoked)), record(rev(2))}, verdict.Clear, "P01"},
		{"a newer revision, the other order", []part{record(rev(2)), record(rev(1), status(placement.Revoked))}, verdict.Clear, "P01"},
		{"an old placement that ended, a new one", []part{record(id("OLD"), rev(9), status(placement.Ended)), record(id("NEW"))}, verdict.Clear, "P01"},
		{"a good placement, another one revoked", []part{record(id("GOOD"), rev(9)), record(id("BAD"), status(placement.Revoked))}, verdict.Stop, "X01"},
		{"two placements in two countries", []part{record(id("A")), record(id("B"), func(r *placement.Record) { r.Destination = "SAU" })}, verdict.Ask, "A02"},
		{"three placements in three countries", []part{record(id("A")), record(id("B"), func(r *placement.Record) { r.Destination = "SAU" }),
			record(id("C"), func(r *placement.Record) { r.Destination = "SGP" })}, verdict.Ask, "A02"},
		{"two placements in two countries, coming home", []part{record(id("A")), record(id("B"), func(r *placement.Record) { r.Destination = "SAU" }), returns}, verdict.Clear, "P01 Q01"},

		{"stop before unsure", []part{negative(placement.Attention, "2027-01-01"), unread}, verdict.Stop, "X03 M01"},
		{"unsure before ask", []part{unread, other}, verdict.Unsure, "M01 A04"},
		{"ask before clear", []part{record(), other}, verdict.Ask, "A04 P01"},
		{"two faults", []part{record(func(r *placement.Record) { r.ContractUntil = date("2020-01-01") }), agency(placement.LicenceSuspended)}, verdict.Ask, "A01 A06"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := plain()
			for _, p := range c.parts {
				p(&in)
			}
			got := verdict.Judge(in)
			if got.Code != c.want || strings.Join(got.Codes(), " ") != c.codes {
				t.Errorf("got %s %v, want %s %s", got.Code, got.Codes(), c.want, c.codes)
			}
			checkWords(t, got)
		})
	}
}

// checkWords: whatever is shown has words in both languages, and a reason.
func checkWords(t *testing.T, v verdict.Verdict) {
	t.Helper()
	if w := v.Code.Word(); w.ID == "" || w.EN == "" {
		t.Errorf("verdict %s has no word", v.Code)
	}
	if len(v.Reasons) == 0 {
		t.Error("a verdict without a reason")
	}
	for _, r := range v.Reasons {
		if e := r.Explain(); e.Text.ID == "" || e.Text.EN == "" || e.Next.ID == "" || e.Next.EN == "" {
			t.Errorf("reason %s has no words", r.Code)
		}
	}
}

// Whatever else is true: a negative entry never makes a verdict milder, taking
// the record away never makes it clear, and who somebody is changes nothing.
func TestJudgeProperties(t *testing.T) {
	rank := map[verdict.Code]int{verdict.None: 0, verdict.Clear: 1, verdict.Ask: 2, verdict.Unsure: 3, verdict.Stop: 4}
	parts := []part{record(), locked, other, unread, doubtful, noList, returns, agency(placement.LicenceRevoked),
		record(id("BAD"), status(placement.Revoked)), ruled, told(verdict.ToWork), guessed}
	for set := range 1 << len(parts) {
		build := func(more ...part) verdict.Case {
			c := plain()
			for i, p := range parts {
				if set&(1<<i) != 0 {
					p(&c)
				}
			}
			for _, p := range more {
				p(&c)
			}
			return c
		}
		v := verdict.Judge(build())
		if set%64 == 0 {
			checkWords(t, v)
		}
		if worse := verdict.Judge(build(negative(placement.Attention, "2030-01-01"))); rank[worse.Code] < rank[v.Code] {
			t.Fatalf("a negative entry turned %v into %v", v.Codes(), worse.Codes())
		}
		without := verdict.Judge(build(func(c *verdict.Case) { c.Found.Listed, c.Found.Records = false, nil }))
		if without.Code == verdict.Clear {
			t.Fatalf("clear without a record: %v", without.Codes())
		}
		for name, who := range map[string]part{
			"sex":         func(c *verdict.Case) { c.Document.Sex = "F" },
			"nationality": func(c *verdict.Case) { c.Document.Nationality = "PAK" },
			"issuer":      func(c *verdict.Case) { c.Document.IssuingState = "PAK" }, // of two foreign ones
			"name order":  func(c *verdict.Case) { c.Document.Name = mrz.NewName("MELATI", "CONTOH") },
			"diacritics":  func(c *verdict.Case) { c.Document.Name = mrz.NewName("Contöh", "Mélati") },
		} {
			if same := verdict.Judge(build(who)); same.Code != v.Code || !slices.Equal(same.Codes(), v.Codes()) || !slices.Equal(same.Shadow, v.Shadow) {
				t.Fatalf("%s changed %v to %v", name, v.Codes(), same.Codes())
			}
		}
		// An older list may make an officer ask, and no more.
		if old := verdict.Judge(build(age(200 * time.Hour))); rank[old.Code] > rank[v.Code] && old.Code != verdict.Ask {
			t.Fatalf("age turned %v into %v", v.Codes(), old.Codes())
		}
		// A rule can only ask.
		if more := verdict.Judge(build(ruled)); rank[more.Code] > rank[v.Code] && more.Code != verdict.Ask {
			t.Fatalf("a rule turned %v into %v", v.Codes(), more.Codes())
		}
		// Nobody is faulted for coming home.
		home := verdict.Judge(build(returns))
		for _, r := range home.Reasons {
			switch r.Code {
			case verdict.A01, verdict.A02, verdict.A05, verdict.A06, verdict.A07, verdict.A08, verdict.N02, verdict.P02, verdict.P03:
				t.Fatalf("%s for somebody who comes home", r.Code)
			}
		}
		if rank[home.Code] > rank[v.Code] {
			t.Fatalf("coming home turned %v into %v", v.Codes(), home.Codes())
		}
		// A guess never clears.
		if g := verdict.Judge(build(guessed)); g.Code == verdict.Clear || g.Code == verdict.None {
			t.Fatalf("a guess: %v", g.Codes())
		}
	}
	if slices.Contains(verdict.DecisionsFor(verdict.Return), verdict.Postpone) || !slices.Contains(verdict.DecisionsFor(verdict.Departure), verdict.Postpone) {
		t.Error("postpone is for those who leave")
	}
}

func guessed(c *verdict.Case) { c.Guessed = []string{mrz.FieldDocumentNumber} }

func told(p verdict.Purpose) part { return func(c *verdict.Case) { c.Purpose = p } }

var pack = func() *rule.Set {
	s, err := rule.Parse([]byte(`{"format":"lintas-rules/1","version":12,"time":"2026-11-20T00:00:00Z","closed":[
		{"id":"K01","order":"Kepmenaker 260/2015","destinations":["HKG"],"start":"2015-05-26","verdict":"ask"}],"rules":[
		{"id":"R01","owner":"o","legal_basis":"b","start":"2026-11-01","end":"2027-01-15","directions":["departure"],"mode":"active","precision_floor":0.1,"minimum_outcomes":30,
		 "when":"not record.present or document.issuing_state == \"IDN\"","text":{"id":"t","en":"t"},"next":{"id":"n","en":"n"}},
		{"id":"R02","owner":"o","legal_basis":"b","start":"2026-11-01","end":"2027-01-15","directions":["departure","return"],"mode":"shadow","precision_floor":0.1,"minimum_outcomes":30,
		 "when":"minor == false","text":{"id":"t","en":"t"},"next":{"id":"n","en":"n"}}]}`))
	if err != nil {
		panic(err)
	}
	return s
}()

func ruled(c *verdict.Case) { c.Rules = pack }

// Every code of the contract is in the table, with words, and with documents
// that exist.
func TestCatalogue(t *testing.T) {
	var codes []string
	for _, e := range verdict.Catalogue() {
		codes = append(codes, string(e.Code))
		if e.Text.ID == "" || e.Text.EN == "" || e.Next.ID == "" || e.Next.EN == "" || len(e.Directions) == 0 || e.Source == "" || (e.Basis.ID == "") != (e.Basis.EN == "") {
			t.Errorf("%s: %+v", e.Code, e)
		}
		if e.Checklist != "" && !slices.ContainsFunc(verdict.Checklists(), func(c verdict.Checklist) bool { return c.ID == e.Checklist }) {
			t.Errorf("%s: no checklist %s", e.Code, e.Checklist)
		}
	}
	want := "P01 P02 P03 N01 N02 A01 A02 A03 A04 A05 A06 A07 A08 Q01 Q02 X01 X02 X03 S01 S02 S03 M01 M02 M03 T01"
	if got := strings.Join(codes, " "); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	keys := map[string]bool{}
	for _, c := range verdict.Checklists() {
		for _, text := range []verdict.Text{c.Title, c.Basis, c.Note} {
			if text.ID == "" || text.EN == "" {
				t.Errorf("%s: %+v", c.ID, c)
			}
		}
		for _, it := range c.Items {
			keys[it.Key] = true
			if it.Name.ID == "" || it.Name.EN == "" || !verdict.ValidDocuments([]string{it.Key}) {
				t.Errorf("%s: %+v", c.ID, it)
			}
		}
	}
	if verdict.ValidDocuments([]string{"passport", "passport"}) || verdict.ValidDocuments([]string{"birth certificate"}) || !verdict.ValidDocuments(nil) {
		t.Error("documents that are none, or stand twice")
	}
	for _, p := range verdict.Purposes() {
		if w := p.Word(); w.ID == "" || w.EN == "" || !p.Valid() {
			t.Errorf("%s", p)
		}
	}
	for _, r := range append(verdict.ReturnReasons(), "") {
		if w := r.Word(); w.ID == "" || w.EN == "" || r.Help().ID == "" || r.Help().EN == "" || !r.Valid() {
			t.Errorf("%s", r)
		}
	}
}

func TestVersionsAndAges(t *testing.T) {
	c := plain()
	ruled(&c)
	c.Found.List.Version, c.RulesAge = 41, 3*time.Hour
	if v := verdict.Judge(c); v.ListVersion != 41 || v.ListAge != time.Hour || v.RulesVersion != 12 || v.RulesAge != 3*time.Hour || !slices.Equal(v.Fired(), []string{"R01"}) || !slices.Equal(v.Shadow, []string{"R02"}) {
		t.Errorf("%+v", v)
	}
	c.RulesOff = []string{"R01", "R02"}
	if v := verdict.Judge(c); v.Code != verdict.None || len(v.Fired())+len(v.Shadow) != 0 {
		t.Errorf("rules that are off: %+v", v)
	}
	if v := verdict.Judge(verdict.Case{Document: c.Document}); v.ListVersion != 0 || v.RulesVersion != 0 {
		t.Errorf("without a list: %+v", v)
	}
}

func BenchmarkJudge50Rules(b *testing.B) {
	var rules []string
	for i := range 50 {
		rules = append(rules, fmt.Sprintf(`{"id":"R%02d","owner":"o","legal_basis":"b","start":"2026-11-01","end":"2027-01-15","directions":["departure"],"mode":"shadow","precision_floor":0.1,"minimum_outcomes":30,
		 "when":%q,"text":{"id":"t","en":"t"},"next":{"id":"n","en":"n"}}`, i+1, []string{
			"counts.same_flight_unlisted_20min >= 5 && counts.consecutive_numbers >= 3",
			`journey.destination in ["KHM", "MMR", "LAO"] and not record.present`,
			`record.present and journey.destination != record.destination and "SIN" in journey.via`}[i%3]))
	}
	s, err := rule.Parse([]byte(`{"format":"lintas-rules/1","version":12,"time":"2026-11-20T00:00:00Z","rules":[` + strings.Join(rules, ",") + `]}`))
	if err != nil {
		b.Fatal(err)
	}
	c := plain()
	record()(&c)
	to("CX798 CGK-HKG")(&c)
	c.Rules = s
	b.ReportAllocs()
	for b.Loop() {
		verdict.Judge(c)
	}
}

func BenchmarkJudge(b *testing.B) {
	c := plain()
	record()(&c)
	b.ReportAllocs()
	for b.Loop() {
		verdict.Judge(c)
	}
}

func TestEveryDecisionHasWords(t *testing.T) {
	for _, d := range verdict.Decisions() {
		if w := d.Word(); w.ID == "" || w.EN == "" {
			t.Errorf("%s has no words", d)
		}
	}
	for _, d := range []verdict.Direction{verdict.Departure, verdict.Return} {
		if w := d.Word(); w.ID == "" || w.EN == "" {
			t.Errorf("%s has no words", d)
		}
	}
}
