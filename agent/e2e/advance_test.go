package e2e_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lintas/agent/crossing"
)

// neighbour is another counter of the same hub and broker, with a folder, a
// scanner and a queue of its own.
func (s *site) neighbour(id, extra string) *site {
	s.t.Helper()
	n := &site{t: s.t, dir: s.t.TempDir(), port: s.port, logs: s.logs}
	if err := os.CopyFS(n.path("keys"), os.DirFS(s.path("keys"))); err != nil {
		s.t.Fatal(err)
	}
	n.plug()
	n.configure(extra)
	text, err := os.ReadFile(n.config())
	if err == nil {
		err = os.WriteFile(n.config(), []byte(strings.Replace(string(text), counterID, id, 1)), 0o600)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// handed gives what a recipient is handed behind a cursor: "type number" each,
// and the next cursor.
func handed(t *testing.T, address, token, after string) (list []string, next string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+address+"/v1/crossings?wait=30&after="+after, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var a struct {
		Crossings []struct {
			Type   string
			Record map[string]any
		}
		Next string
	}
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != 200 {
		t.Fatal(resp.Status, err)
	}
	for _, c := range a.Crossings {
		list = append(list, fmt.Sprint(c.Type, " ", c.Record["document_number"]))
	}
	return list, a.Next
}

// A departure at one counter, and then a return, change what the next counter
// says, by way of the hub and the next list. Another agency is handed both,
// though the hub is killed in between.
func TestCrossingChangesTheVerdictElsewhere(t *testing.T) {
	t.Parallel()
	const auto = "confirm = \"auto\"\n"
	leaving := newSite(t, auto+`direction = "departure"`)
	leaving.broker()
	leaving.build(traveller(1)) // makes the keys of lists
	ledger, keys := leaving.path("ledger.db"), leaving.path("keys")
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	token := strings.TrimSpace(leaving.tool("lintas-hub", "recipients", "add", "--recipients", leaving.path("recipients"), "bp2mi"))
	start := func() *process {
		t.Helper()
		return leaving.spawn(nil, filepath.Join(programs, "lintas-hub"), "run", "--db", ledger, "--keys", keys,
			"--broker", fmt.Sprintf("tcp://127.0.0.1:%d", leaving.port), "--http", address, "--recipients", leaving.path("recipients"))
	}
	hub := start()
	until(t, "the ledger is there", func() bool { _, err := os.Stat(ledger); return err == nil })
	leaving.tool("lintas-hub", "placements", "load", "--db", ledger, "--placements", leaving.path("placements.jsonl"))

	// list makes the next list of the placements as they stand, for everybody.
	version := 1
	sites := []*site{leaving}
	list := func() {
		t.Helper()
		version++
		out := leaving.path("shared")
		leaving.tool("lintas-hub", "list", "build", "--cheap", "--keys", keys, "--db", ledger, "-o", out, "--version", fmt.Sprint(version))
		for _, s := range sites {
			s.tool("lintas", "list", "import", "-c", s.config(), out)
		}
	}
	coming := leaving.neighbour("CGK-T3-A01", auto+`direction = "return"`)
	next := leaving.neighbour("DPS-T1-D02", `direction = "departure"`)
	sites = append(sites, coming, next)
	for id, s := range map[string]*site{counterID: leaving, "CGK-T3-A01": coming, "DPS-T1-D02": next} {
		s.agent()
		s.ready()
		leaving.tool("lintas-hub", "keys", "trust", "--keys", keys, id, s.path("state/counter.pub.jwk"))
	}
	list()
	swipe := func(s *site, want crossing.Type) event {
		t.Helper()
		before := s.last()
		s.send(strings.Join(zone(t, traveller(1)), "\r") + "\r")
		return s.next(before, want)
	}
	status := func(want string) {
		t.Helper()
		until(t, "the placement is "+want, func() bool {
			out := leaving.tool("lintas-hub", "ledger", "traveller", "--db", ledger, "--officer", "o", "--purpose", "test", "--json", "IDN", traveller(1).DocumentNumber)
			var v struct{ Stays []struct{ Status string } }
			if err := json.Unmarshal([]byte(out), &v); err != nil {
				t.Fatal(err)
			}
			return len(v.Stays) > 0 && v.Stays[0].Status == want
		})
	}

	// asks gives what the next counter says; the traveller then stays.
	asks := func() event {
		t.Helper()
		e := swipe(next, crossing.InspectionOpened)
		form := url.Values{"inspection": {e.note.Inspection}, "decision": {"not-travelling"}}
		if code := post(t, next.ready().Page, "/decide", form); code >= 400 {
			t.Fatalf("the decision is answered with %d", code)
		}
		next.next(e.Sequence, crossing.InspectionAbandoned)
		return e
	}
	if e := asks(); e.note.Verdict != "clear" || slices.Contains(e.note.Reasons, "Q01") {
		t.Fatalf("before the departure: %s %v", e.note.Verdict, e.note.Reasons)
	}
	swipe(leaving, crossing.Departure)
	status("berangkat")
	got, cursor := handed(t, address, token, "")
	if want := "crossing.departure " + traveller(1).DocumentNumber; len(got) != 1 || got[0] != want {
		t.Errorf("handed on: %v", got)
	}
	list()
	deltas, err := filepath.Glob(leaving.path("shared/targets/placements/*.delta"))
	if err != nil || len(deltas) == 0 {
		t.Errorf("no delta was made: %v, %v", deltas, err)
	}
	if e := asks(); e.note.Verdict != "clear" || !slices.Contains(e.note.Reasons, "Q01") {
		t.Errorf("after the departure: %s %v", e.note.Verdict, e.note.Reasons)
	}
	hub.kill()
	swipe(coming, crossing.Return)
	hub = start()
	status("pulang")
	if got, _ = handed(t, address, token, cursor); len(got) != 1 || got[0] != "crossing.return "+traveller(1).DocumentNumber {
		t.Errorf("handed on after the hub was killed: %v", got)
	}
	list()
	if e := asks(); e.note.Verdict != "ask" || !slices.Contains(e.note.Reasons, "A01") {
		t.Errorf("after the return: %s %v", e.note.Verdict, e.note.Reasons)
	}
	if err := hub.stop(); err != nil {
		t.Error(err)
	}
	leaving.noCanary()
}
