package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// traveller is an invented one; n makes the document its own.
func traveller(n int) mrz.Fields {
	return mrz.Fields{
		DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN", DocumentNumber: fmt.Sprintf("ZZ%07d", n),
		Primary: canaryPrimary, Secondary: canarySecondary, Sex: "F",
		DateOfBirth: mrz.Date{Year: 1991, Month: 2, Day: 27}, DateOfExpiry: mrz.Date{Year: 2033, Month: 10, Day: 19},
	}
}

// What must never be seen outside of a sealed record and the open page.
const (
	canaryPrimary   = "KENARIKUNING"
	canarySecondary = "BERKICAU"
)

func zone(t testing.TB, f mrz.Fields) []string {
	t.Helper()
	lines, err := f.Lines(mrz.TD3)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// installList puts the given travellers on the counter's list.
func (s *site) installList(placed ...mrz.Fields) {
	s.t.Helper()
	s.build(placed...)
	s.tool("lintas", "list", "import", "-c", s.config(), s.path("list"))
}

// build makes and signs a list of the given travellers.
func (s *site) build(placed ...mrz.Fields) {
	s.t.Helper()
	var b strings.Builder
	enc := json.NewEncoder(&b)
	for _, f := range placed {
		e := placement.Entry{
			Record: placement.Record{PlacementID: "T-" + f.DocumentNumber, Rev: 1, Status: placement.Ready, Destination: "HKG",
				Primary: f.Primary, Secondary: f.Secondary, DateOfBirth: f.DateOfBirth},
			Documents: []placement.DocumentRef{{IssuingState: f.IssuingState, DocumentNumber: f.DocumentNumber, DateOfExpiry: f.DateOfExpiry}},
		}
		if err := enc.Encode(e); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.path("placements.jsonl"), []byte(b.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.MkdirAll(s.path("state"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if _, err := os.Stat(s.path("keys/list-root.json")); err != nil {
		s.tool("lintas-hub", "list", "keys", "init", "--keys", s.path("keys"))
	}
	s.tool("lintas-hub", "list", "build", "--cheap", "--keys", s.path("keys"), "--placements", s.path("placements.jsonl"), "-o", s.path("list"))
}

func (s *site) send(pieces ...string) {
	s.t.Helper()
	for _, p := range pieces {
		if _, err := io.WriteString(s.scanner, p); err != nil {
			s.t.Fatal(err)
		}
	}
}

// opened waits for the inspection of a document, by its place in the queue.
func (s *site) opened(after uint64) event {
	s.t.Helper()
	return s.next(after, crossing.InspectionOpened)
}

func (s *site) next(after uint64, types ...crossing.Type) (found event) {
	s.t.Helper()
	until(s.t, fmt.Sprintf("an event %v after %d", types, after), func() bool {
		for _, e := range s.queued() {
			for _, t := range types {
				if e.Sequence > after && e.note.Type == t {
					found = e
					return true
				}
			}
		}
		return false
	})
	return found
}

func (s *site) last() uint64 {
	events := s.queued()
	return events[len(events)-1].Sequence
}

// post presses a key on the page.
func post(t *testing.T, page, path string, form url.Values) int {
	t.Helper()
	res, err := http.PostForm("http://"+page+path, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// record asks the hub to open an event.
func (s *site) record(id string) (typ string, rec map[string]any) {
	s.t.Helper()
	var out struct {
		Type   string
		Record map[string]any
	}
	text := s.tool("lintas-hub", "ledger", "show", "--db", s.path("ledger.db"), "--keys", s.path("keys"), id)
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		s.t.Fatal(err)
	}
	return out.Type, out.Record
}

// One swipe travels the whole way, whatever the scanner wraps around it.
func TestOneSwipe(t *testing.T) {
	s := newSite(t, `direction = "departure"`)
	s.broker()
	s.installList(traveller(1))
	s.agent()
	st := s.ready()
	s.trust()
	s.hub()
	envelope := map[string]func(l []string) []string{
		"CR":          func(l []string) []string { return []string{l[0] + "\r" + l[1] + "\r"} },
		"CR LF":       func(l []string) []string { return []string{l[0] + "\r\n" + l[1] + "\r\n"} },
		"STX ETX":     func(l []string) []string { return []string{"\x02" + l[0] + "\r" + l[1] + "\r\x03"} },
		"no line end": func(l []string) []string { return []string{l[0] + "\r" + l[1]} },
		"in the middle of line 1": func(l []string) []string {
			return []string{l[0][:20], l[0][20:] + "\r", l[1] + "\r"}
		},
		"byte by byte": func(l []string) []string { return strings.Split("\x02"+l[0]+"\r"+l[1]+"\r\x03", "") },
	}
	n := 1
	for name, wrap := range envelope {
		t.Run(name, func(t *testing.T) {
			after := s.last()
			f := traveller(n)
			n++
			s.send(wrap(zone(t, f))...)
			o := s.opened(after)
			want, reason := verdict.None, "N01"
			if f.DocumentNumber == "ZZ0000001" {
				want, reason = verdict.Clear, "P01"
			} else if o.note.Reasons[0] == "A04" {
				want, reason = verdict.Ask, "A04" // the same person, another document
			}
			if o.note.Verdict != want || o.note.Reasons[0] != reason {
				t.Fatalf("verdict %s %v, want %s %s", o.note.Verdict, o.note.Reasons, want, reason)
			}
			if code := post(t, st.Page, "/decide", url.Values{"inspection": {o.note.Inspection}, "decision": {"proceed"}}); code >= 400 {
				t.Fatalf("the page answered %d", code)
			}
			end := s.next(o.Sequence, crossing.Departure)
			s.confirmed()
			typ, rec := s.record(idOf(end))
			if typ != "lintas.crossing.departure.v1" || rec["document_number"] != f.DocumentNumber || rec["primary"] != canaryPrimary ||
				rec["decided_by"] != "officer" || rec["inspection_id"] != o.note.Inspection || rec["verdict"] != string(want) {
				t.Fatalf("the hub holds %s %v", typ, rec)
			}
			_, rec = s.record(idOf(o))
			if lines := fmt.Sprint(rec["lines"]); lines != fmt.Sprint(zone(t, f)) {
				t.Fatal("the inspection does not hold the lines that were scanned")
			}
		})
	}
	s.noCanary()
}

func idOf(e event) string { return uuidString(e.ID) }

// Two travellers wait in line; each decision meets its own, once.
func TestDecisionsMeetTheirInspection(t *testing.T) {
	s := newSite(t, "")
	s.installList()
	s.agent()
	st := s.ready()
	after := s.last()
	a, b := zone(t, traveller(11)), zone(t, traveller(12))
	s.send(strings.Join(append(a, b...), "\r") + "\r") // two swipes in one breath
	first := s.opened(after)
	second := s.opened(first.Sequence)
	decide := func(id, decision, direction string) int {
		return post(t, st.Page, "/decide", url.Values{"inspection": {id}, "decision": {decision}, "direction": {direction}})
	}
	if code := decide(second.note.Inspection, "proceed", ""); code < 400 {
		t.Fatalf("proceed without a direction was accepted: %d", code)
	}
	if code := decide(second.note.Inspection, "proceed", "return"); code >= 400 {
		t.Fatalf("answer %d", code)
	}
	if code := decide(second.note.Inspection, "refer", ""); code != http.StatusConflict {
		t.Fatalf("a second decision got %d", code)
	}
	if code := decide(first.note.Inspection, "refer", ""); code >= 400 {
		t.Fatalf("answer %d", code)
	}
	if code := decide("0192f0c1-0000-7000-8000-000000000000", "proceed", "return"); code < 400 {
		t.Fatalf("a decision for nobody got %d", code)
	}
	ret := s.next(after, crossing.Return)
	gone := s.next(after, crossing.InspectionAbandoned)
	if ret.note.Inspection != second.note.Inspection || gone.note.Inspection != first.note.Inspection || gone.note.Decision != verdict.Refer {
		t.Fatal("decisions met the wrong travellers")
	}
	if n := len(s.queued()); n != int(after)+4 {
		t.Fatalf("%d events were recorded", n-int(after))
	}
}

// Without an officer, what nothing speaks against is recorded at once; the
// rest waits and is abandoned when nobody comes.
func TestAutoConfirm(t *testing.T) {
	s := newSite(t, "direction = \"departure\"\nconfirm = \"auto\"\nabandon_after = \"1s\"")
	revoked := traveller(21)
	s.installList(revoked)
	s.agent()
	s.ready()
	after := s.last()
	s.send(strings.Join(zone(t, revoked), "\r") + "\r")
	if e := s.next(after, crossing.Departure); e.note.DecidedBy != "auto" || e.note.Verdict != verdict.Clear {
		t.Fatalf("recorded %+v", e.note)
	}
	after = s.last()
	s.send(strings.Join(zone(t, revoked), "\r") + "\r") // a second time: Q02, ask
	if o := s.opened(after); o.note.Verdict != verdict.Ask || o.note.Reasons[0] != "Q02" {
		t.Fatalf("verdict %+v", o.note)
	}
	if e := s.next(after, crossing.InspectionAbandoned); e.note.DecidedBy != "agent" {
		t.Fatalf("recorded %+v", e.note)
	}
}

// SIGTERM: the officer may still decide, and everything is confirmed before
// the agent ends.
func TestTermFinishesWhatWasBegun(t *testing.T) {
	s := newSite(t, `direction = "departure"`)
	s.broker()
	s.installList()
	agent := s.agent()
	st := s.ready()
	s.trust()
	s.hub()
	s.confirmed()
	s.send(strings.Join(zone(t, traveller(31)), "\r") + "\r")
	o := s.opened(s.last() - 1)
	ended := make(chan error, 1)
	go func() { ended <- agent.stop() }()
	until(t, "the scanner has been put away", func() bool { return strings.Contains(s.logs.String(), "scanner stopped") })
	if code := post(t, st.Page, "/decide", url.Values{"inspection": {o.note.Inspection}, "decision": {"proceed"}}); code >= 400 {
		t.Fatalf("the page answered %d after SIGTERM", code)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	events := s.queued()
	n := len(events)
	if events[n-2].note.Type != crossing.Departure || events[n-1].note.Type != crossing.AgentStopped {
		t.Fatalf("the last events are %s, %s", events[n-2].note.Type, events[n-1].note.Type)
	}
	for _, e := range events {
		if !e.Acknowledged {
			t.Fatalf("event %d was not confirmed before the end", e.Sequence)
		}
	}
}
