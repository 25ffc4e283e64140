package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/rule"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// ruleOf makes a rule as headquarters writes it, in force for some days.
func ruleOf(id string, mode rule.Mode, when string, from, to int) rule.Rule {
	day := func(n int) mrz.Date { return mrz.DateOf(time.Now().AddDate(0, 0, n)) }
	return rule.Rule{
		ID: id, Owner: "Subdit Pemeriksaan", LegalBasis: "UU 21/2007", Start: day(from), End: day(to), Directions: []string{rule.Departure},
		Mode: mode, PrecisionFloor: 0.5, MinimumOutcomes: 10, When: when,
		Text: rule.Text{ID: "Aturan " + id + ".", EN: "Rule " + id + " holds."}, Next: rule.Text{ID: "Tanyakan tujuan.", EN: "Ask where they go."},
	}
}

// rules puts a pack into the site's list and publishes it.
func (s *site) rules(version int64, rules ...rule.Rule) {
	s.t.Helper()
	b, err := json.Marshal(rule.Pack{Format: rule.Format, Version: version, Time: time.Now().UTC().Truncate(time.Second), Rules: rules})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path("rules.json"), b, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.tool("lintas-hub", "list", "build", "--cheap", "--keys", s.path("keys"), "--rules", s.path("rules.json"), "-o", s.path("list"))
	s.tool("lintas-hub", "list", "publish", "--keys", s.path("keys"), "--to", s.path("stick"), s.path("list"))
}

// A pack of rules goes the whole way: signed at headquarters, carried on a
// stick, installed by the running agent, and asked at the next swipe. An active
// rule asks, one in the shadow is only recorded, one whose time is over or has
// not come says nothing; and a rule that asks in vain turns itself off, until
// headquarters sends another pack.
func TestRulesFromTheSignedList(t *testing.T) {
	t.Parallel()
	s := newSite(t, `direction = "departure"`)
	b, err := os.ReadFile(s.config())
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(b), "sources = []", fmt.Sprintf("sources = [%q]", "file:"+s.path("stick")), 1)
	if err := os.WriteFile(s.config(), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.broker()
	s.build()
	s.rules(1,
		ruleOf("R01", rule.Active, "document.valid and not record.present", -3, 30),
		ruleOf("R02", rule.Shadow, "document.valid", -3, 30),
		ruleOf("R03", rule.Active, "document.valid", -80, -1),
		ruleOf("R04", rule.Active, "document.valid", 1, 30),
	)
	s.agent()
	page := s.ready().Page
	s.trust()
	s.hub()
	installed := s.next(0, crossing.ListInstalled)

	n := 0
	swipe := func() event {
		n++
		after := s.last()
		s.send(swipeOf(t, n))
		e := s.opened(after)
		e.note.Reasons = slices.DeleteFunc(e.note.Reasons, func(code string) bool { return code == "T01" }) // the clock of the test's machine
		return e
	}
	decide := func(e event, decision verdict.Decision) {
		t.Helper()
		if code := post(t, page, "/decide", url.Values{"inspection": {e.note.Inspection}, "decision": {string(decision)}}); code >= 400 {
			t.Fatalf("the page answered %d", code)
		}
	}
	first := swipe()
	if first.note.Verdict != verdict.Ask || !slices.Equal(first.note.Reasons, []string{"R01"}) || !slices.Equal(first.note.Shadow, []string{"R02"}) {
		t.Fatalf("verdict %s %v, in the shadow %v", first.note.Verdict, first.note.Reasons, first.note.Shadow)
	}
	shown := get(t, page)
	for _, want := range []string{"Aturan R01.", "Rule R01 holds.", "Tanyakan tujuan.", "UU 21/2007"} {
		if !strings.Contains(shown, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(shown, "R02") || strings.Contains(shown, "R03") || strings.Contains(shown, "R04") {
		t.Error("the page shows a rule in the shadow or out of its time")
	}
	s.confirmed()
	_, rec := s.recordOf(first)
	if fmt.Sprint(rec["rules_fired"], rec["rules_shadow"], rec["rules_version"]) != "[R01] [R02] 1" {
		t.Errorf("the record holds %v %v of pack %v", rec["rules_fired"], rec["rules_shadow"], rec["rules_version"])
	}

	// Ten travellers are asked and looked at closely, and nothing is found.
	for e := first; ; e = swipe() {
		if !slices.Equal(e.note.Reasons, []string{"R01"}) {
			t.Fatalf("traveller %d: %v", n, e.note.Reasons)
		}
		decide(e, verdict.Refer)
		if code := post(t, page, "/outcome", url.Values{"inspection": {e.note.Inspection}, "outcome": {"negative"}}); code >= 400 {
			t.Fatalf("the page answered %d to an outcome", code)
		}
		if n == 10 {
			break
		}
	}
	s.next(first.Sequence, crossing.SecondaryOutcome)
	quiet := swipe()
	if quiet.note.Verdict != verdict.None || !slices.Equal(quiet.note.Reasons, []string{"N01"}) || quiet.note.Shadow != nil {
		t.Errorf("after ten outcomes: verdict %s %v, in the shadow %v", quiet.note.Verdict, quiet.note.Reasons, quiet.note.Shadow)
	}
	decide(quiet, verdict.Proceed)
	if !s.says("rule-off") {
		t.Error("nobody is told that a rule is off")
	}

	// Another pack, another chance.
	s.rules(2, ruleOf("R05", rule.Active, "document.kind == \"passport\"", -3, 30))
	s.tool("lintas", "list", "sync", "-c", s.config())
	s.next(installed.Sequence, crossing.ListInstalled)
	if e := swipe(); !slices.Equal(e.note.Reasons, []string{"R05"}) {
		t.Errorf("of the second pack: %v", e.note.Reasons)
	}
	s.noCanary()
}

// get gives the page as it is now.
func get(t *testing.T, page string) string {
	t.Helper()
	res, err := http.Get("http://" + page + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
