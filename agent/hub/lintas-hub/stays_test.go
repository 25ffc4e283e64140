package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"lintas/agent/crossing"
)

// someone crosses in tests.
type someone struct {
	number, name, birth, expiry string
}

var (
	melati = someone{"ZZ0000101", "CONTOH", "1994-03-07", "2031-11-23"}
	kenari = someone{"ZZ0000102", "TELADAN", "1991-05-05", "2030-01-01"}
	nobody = someone{"ZZ0000103", "PENDAMPING", "1985-01-31", "2029-06-30"}
)

func (p someone) document() crossing.Document {
	return crossing.Document{Format: "TD3", Valid: true, DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN", Primary: p.name, DocumentNumber: p.number, DateOfBirth: p.birth, DateOfExpiry: p.expiry}
}

// inspect records an inspection, and unless the direction is "" the crossing
// that it came to.
func (s *site) inspect(p someone, direction, flight string) {
	s.t.Helper()
	journey := &crossing.Journey{Flight: flight, From: "CGK", To: "HKG"}
	s.put(crossing.InspectionOpened, &crossing.Opened{EntryMode: "scan", Document: p.document(), Journey: journey})
	if direction != "" {
		s.put(map[string]crossing.Type{"departure": crossing.Departure, "return": crossing.Return}[direction],
			&crossing.Crossed{Direction: direction, EntryMode: "scan", Document: p.document(), Journey: journey})
	}
}

func (s *site) put(t crossing.Type, rec crossing.Record) {
	s.t.Helper()
	if _, err := s.recorder.Record(s.t.Context(), crossing.NewID(), t, rec, nil); err != nil {
		s.t.Fatal(err)
	}
}

// known has everything that was recorded taken in and opened.
func (s *site) known() {
	s.t.Helper()
	s.take("ledger.db", s.sealed...)
	s.must(0, "ledger", "open", "--db", s.path("ledger.db"), "--keys", s.path("keys"))
}

func TestOpenStays(t *testing.T) {
	s := newSite(t)
	db := s.path("ledger.db")
	s.inspect(melati, "departure", "CX798")
	s.inspect(kenari, "departure", "CX798")
	s.inspect(nobody, "return", "CX797")
	s.known()
	placements := s.write("placements.csv", "placement_id,rev,status,destination,agency_id,primary,date_of_birth,documents,province,regency\n"+
		"P-1,1,siap,HKG,P3MI-1,CONTOH,1994-03-07,IDN ZZ0000101 2031-11-23,NTT,Kupang\n")
	s.must(0, "placements", "load", "--db", db, "--placements", placements)

	// The same file makes a list, which has nothing of where a worker comes from;
	// so do the placements as the ledger has them.
	s.must(0, "list", "keys", "init", "--keys", s.path("keys"))
	for i, from := range [][]string{{"--placements", placements}, {"--db", db}} {
		s.must(0, append([]string{"list", "build", "--cheap", "--keys", s.path("keys"), "-o", s.path("list"), "--version", fmt.Sprint(i + 1)}, from...)...)
	}
	s.must(64, "list", "build", "--keys", s.path("keys"), "-o", s.path("list"), "--placements", placements, "--db", db)

	out := s.must(0, "ledger", "open-stays", "--db", db, "--by", "province,destination", "--json")
	var groups struct {
		By     []string
		Groups []struct {
			Province, Destination string
			Open, Unplaced        int
			DepartureMissing      int `json:"departure_missing"`
		}
	}
	if err := json.Unmarshal([]byte(out), &groups); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(groups); got != "{[province destination] [{NTT HKG 1 0 0} { HKG 1 1 0} {  0 0 1}]}" {
		t.Error(got)
	}
	text := s.must(0, "ledger", "open-stays", "--db", db, "--by", "province")
	for _, name := range []string{"CONTOH", "ZZ0000101", "TELADAN", "PENDAMPING"} {
		if strings.Contains(out+text, name) {
			t.Errorf("counts name %s: %s", name, text)
		}
	}
	// Named rows only with who and what for, and that is noted.
	s.must(64, "ledger", "open-stays", "--db", db)
	s.must(64, "ledger", "open-stays", "--db", db, "--by", "name")
	who := []string{"--officer", "o-9", "--purpose", "case 4711"}
	rows := s.must(0, append([]string{"ledger", "open-stays", "--db", db, "--json"}, who...)...)
	var named map[string][]shownStay
	if err := json.Unmarshal([]byte(rows), &named); err != nil {
		t.Fatal(err)
	}
	if len(named["open"]) != 2 || len(named["departure_missing"]) != 1 || named["open"][0].Province+named["open"][1].Province != "NTT" {
		t.Errorf("%+v", named)
	}
	if text := s.must(0, append([]string{"ledger", "open-stays", "--db", db}, who...)...); !strings.Contains(text, "CONTOH") || !strings.Contains(text, "returned with no departure recorded: 1") {
		t.Error(text)
	}
	if text := s.must(0, append([]string{"ledger", "traveller", "--db", db, "idn", "ZZ0000101"}, who...)...); !strings.Contains(text, "CONTOH") || strings.Contains(text, "TELADAN") {
		t.Error(text)
	}
	log := s.must(0, "ledger", "access", "--db", db)
	if strings.Count(log, "case 4711") != 3 || strings.Contains(log, "CONTOH") || strings.Contains(log, "ZZ0000101") {
		t.Error(log)
	}
	// Forgotten is forgotten, also for show.
	id := named["departure_missing"][0].Return.ID
	s.must(0, "ledger", "show", "--db", db, "--keys", s.path("keys"), id)
	s.must(64, "ledger", "forget", "--db", db, id)
	if out := s.must(0, append([]string{"ledger", "forget", "--db", db, "--document", "IDN ZZ0000103"}, who...)...); !strings.HasPrefix(out, "2 records") {
		t.Error(out)
	}
	s.must(1, "ledger", "show", "--db", db, "--keys", s.path("keys"), id)
	s.must(0, "ledger", "verify", "--db", db, "--keys", s.path("keys"))
}

func TestReconcile(t *testing.T) {
	s := newSite(t)
	db := s.path("ledger.db")
	referred := someone{"ZZ0000104", "DIRUJUK", "1990-01-01", "2030-01-01"}
	stayed := someone{"ZZ0000105", "TINGGAL", "1990-01-02", "2030-01-01"}
	sent := someone{"ZZ0000106", "PULANG", "1990-01-03", "2030-01-01"}
	s.inspect(melati, "departure", "CX798")
	s.inspect(kenari, "departure", "") // the counter had no flight set
	s.inspect(referred, "", "CX798")
	s.inspect(stayed, "departure", "CX798")
	s.inspect(sent, "", "CX798")
	s.known()
	at := time.Now().UTC().Add(2 * time.Hour).Format(time.RFC3339)
	head := "flight,scheduled_at,issuing_state,document_number,primary,secondary,date_of_birth,seat\n"
	line := func(p someone, number string) string {
		return fmt.Sprintf("cx 0798,%s,IDN,%s,%s,,%s,12A\n", at, number, p.name, p.birth)
	}
	whole := s.write("manifest.csv", head+line(melati, melati.number)+line(kenari, kenari.number)+line(nobody, nobody.number)+line(referred, "YY0000001"))
	run := func(manifest string) (v struct{ Flights []shownFlight }, code int) {
		out, errs, code := s.hub("ledger", "reconcile", "--db", db, "--manifest", manifest, "--json", "--officer", "o-9", "--purpose", "case 1")
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Fatal(err, out, errs)
		}
		return v, code
	}
	v, code := run(whole)
	f := v.Flights[0]
	if code != 2 || len(v.Flights) != 1 || f.Matched != 2 || len(f.BoardedNotInspected) != 1 || f.BoardedNotInspected[0].DocumentNumber != nobody.number ||
		len(f.BoardedNotCrossed) != 1 || f.BoardedNotCrossed[0].Inspection.DocumentNumber != referred.number ||
		len(f.InspectedNotBoarded) != 1 || f.InspectedNotBoarded[0].DocumentNumber != stayed.number || f.NotCrossed != 1 {
		t.Errorf("exit %d: %+v", code, f)
	}
	if text, _, _ := s.hub("ledger", "reconcile", "--db", db, "--manifest", whole, "--officer", "o-9", "--purpose", "case 1"); !strings.Contains(text, "on board, not inspected") || !strings.Contains(text, "PENDAMPING") {
		t.Error(text)
	}
	if v, code := run(s.write("same.csv", head+line(melati, melati.number)+line(kenari, kenari.number)+line(stayed, stayed.number))); code != 0 {
		t.Errorf("exit %d: %+v", code, v)
	}
	// What is wrong is told with its line and without what stands there.
	_, errs, code := s.hub("ledger", "reconcile", "--db", db, "--officer", "o", "--purpose", "p", "--manifest",
		s.write("bad.csv", head+"CX798,yesterday,IDN,ZZ0000101,CONTOH,,,\n,"+at+",IDN,ZZ0000101,,,,\nCX798,"+at+",,,CONTOH,,,\n"))
	if code != 1 || !strings.Contains(errs, "bad.csv:2: scheduled_at") || !strings.Contains(errs, "bad.csv:3: flight") || !strings.Contains(errs, "bad.csv:4: neither") ||
		strings.Contains(errs, "CONTOH") || strings.Contains(errs, "ZZ0000101") {
		t.Errorf("exit %d: %s", code, errs)
	}
	s.must(64, "ledger", "reconcile", "--db", db, "--manifest", whole)
}

func TestCountersAndGaps(t *testing.T) {
	s := newSite(t)
	db := s.path("ledger.db")
	s.inspect(melati, "departure", "CX798")
	s.take("ledger.db", s.sealed...)
	s.must(0, "ledger", "gaps", "--db", db)
	out := s.must(0, "ledger", "counters", "--db", db, "--keys", s.path("keys"))
	if !strings.Contains(out, "8 events, 1 departures, 0 returns") || strings.Contains(out, "SILENT") {
		t.Error(out)
	}
	s.must(2, "ledger", "counters", "--db", db, "--keys", s.path("keys"), "--silent", "1ns")
	// A record that is sealed to somebody else is a gap.
	s.write("keys/age.txt", "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n")
	s.must(2, "ledger", "open", "--db", db, "--keys", s.path("keys"))
	if out := s.must(2, "ledger", "gaps", "--db", db); !strings.Contains(out, "unopened") || !strings.Contains(out, "sealed-to-others") {
		t.Error(out)
	}
}
