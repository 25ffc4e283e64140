package hub_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/agent/placement"
)

// traveller is who crosses in a test.
type traveller struct {
	number, name, expiry string
	birth                string
}

var melati = traveller{number: "ZZ0000101", name: "CONTOH", expiry: "2031-11-23", birth: "1994-03-07"}

// crossed makes the record of a crossing; more changes it.
func crossed(who traveller, direction string, more ...func(*crossing.Crossed)) *crossing.Crossed {
	c := &crossing.Crossed{Direction: direction, EntryMode: "scan", Place: crossing.Place{Site: "IDCGK"}, Officer: "o-1"}
	c.Document = crossing.Document{Format: "TD3", Valid: true, DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN", Primary: who.name, Secondary: "MELATI",
		DocumentNumber: who.number, DateOfBirth: who.birth, Sex: "F", DateOfExpiry: who.expiry}
	c.Journey = &crossing.Journey{Flight: "CX 0798", From: "CGK", To: "HKG"}
	c.Verdict, c.Decision, c.DecidedBy = "clear", "proceed", "officer"
	for _, f := range more {
		f(c)
	}
	return c
}

// record puts a record into the counter's queue and gives its event.
func (s *sender) record(t crossing.Type, rec crossing.Record) (sealed []byte, id uuid.UUID, hash string) {
	s.t.Helper()
	id = crossing.NewID()
	if _, err := s.recorder.Record(s.t.Context(), id, t, rec, nil); err != nil {
		s.t.Fatal(err)
	}
	for e, err := range s.queue.Events(s.t.Context(), s.queue.Head().Sequence) {
		if err != nil {
			s.t.Fatal(err)
		}
		sealed = e.Sealed
	}
	return sealed, id, s.queue.Head().Hash.String()
}

// cross records a crossing and has the ledger take it in.
func (p *place) cross(who traveller, direction string, more ...func(*crossing.Crossed)) (id uuid.UUID, hash string) {
	p.t.Helper()
	kind := crossing.Departure
	if direction == "return" {
		kind = crossing.Return
	}
	sealed, id, hash := p.record(kind, crossed(who, direction, more...))
	p.ingest(sealed)
	return id, hash
}

func (p *place) correct(kind crossing.Type, id uuid.UUID, hash string, changes map[string]string) {
	p.t.Helper()
	sealed, _, _ := p.record(kind, correction(id, hash, changes))
	p.ingest(sealed)
}

func correction(id uuid.UUID, hash string, changes map[string]string) *crossing.Corrected {
	return &crossing.Corrected{CrossingID: id.String(), CrossingHash: hash, Reason: "wrong-direction", Changes: changes}
}

// open opens what is to be opened and gives how much that was.
func (p *place) opened() (n int) {
	p.t.Helper()
	for {
		identities, err := p.keys.Identities()
		if err != nil {
			p.t.Fatal(err)
		}
		r, err := p.ledger.Open(p.t.Context(), identities)
		if err != nil {
			p.t.Fatal(err)
		}
		if n += r.Opened; r.Opened == 0 {
			return n
		}
	}
}

// rows gives what a query finds, a line each.
func (p *place) rows(query string, args ...any) string {
	p.t.Helper()
	rows, err := p.ledger.Query(p.t.Context(), query, args...)
	if err != nil {
		p.t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		p.t.Fatal(err)
	}
	var lines []string
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		to := make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			p.t.Fatal(err)
		}
		var words []string
		for _, v := range values {
			words = append(words, v.String)
		}
		lines = append(lines, strings.Join(words, " "))
	}
	if err := rows.Err(); err != nil {
		p.t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func TestOpen(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		p.ingest(p.events(3)...)
		p.cross(melati, "departure")
		if n := p.opened(); n != 4 {
			t.Fatalf("%d opened", n)
		}
		if got := p.rows("SELECT n, type, drill FROM opened WHERE record IS NOT NULL ORDER BY n"); got != "1 agent.stopped 0\n2 agent.stopped 0\n3 agent.stopped 0\n4 crossing.departure 0" {
			t.Error(got)
		}
		want := "4 departure IDN ZZ0000101 CONTOH MELATI 1994-03-07 CX798 HKG clear scan IDCGK"
		if got := p.rows(`SELECT n, direction, document, primary_name, secondary_name, date_of_birth, flight, journey_to, verdict, entry_mode, site FROM crossing`); got != want {
			t.Error(got)
		}
		// What comes again is not opened again.
		p.ingest(p.events(0)...)
		if n := p.opened(); n != 0 {
			t.Errorf("%d opened again", n)
		}
	})
}

// A message that a counter wrapped anew comes under two positions and is one.
func TestRepeatedIsOpenedOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		sealed, id, _ := p.record(crossing.Departure, crossed(melati, "departure"))
		p.ingest(sealed)
		sealer, err := crossing.NewSealer(p.key)
		if err != nil {
			t.Fatal(err)
		}
		was, err := crossing.Reread(sealed)
		if err != nil {
			t.Fatal(err)
		}
		was.Position.Epoch[0] ^= 1
		again, err := sealer.Rewrap(was.Position, sealed)
		if err != nil {
			t.Fatal(err)
		}
		if r := p.ingest(again); r.Stored != 1 {
			t.Fatalf("%+v", r)
		}
		if n := p.opened(); n != 1 {
			t.Errorf("%d opened", n)
		}
		// A correction may name the hash of either.
		s, err := crossing.Reread(again)
		if err != nil {
			t.Fatal(err)
		}
		p.correct(crossing.Voided, id, s.Hash.String(), nil)
		p.opened()
		if got := p.rows("SELECT void_reason FROM crossing"); got != "wrong-direction" {
			t.Errorf("voided: %q", got)
		}
	})
}

// Voids and amendments hold whichever way round they come, and only for the
// crossing whose hash they name.
func TestCorrections(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		state := func() string {
			p.opened()
			return p.rows("SELECT direction, document_number, flight, amended, void_reason FROM crossing ORDER BY n")
		}
		id, hash := p.cross(melati, "departure")
		p.correct(crossing.Amended, id, hash, map[string]string{"direction": "return", "flight": "GA 800"})
		p.correct(crossing.Amended, id, hash, map[string]string{"document_number": "ZZ0000102", "sex": "M"})
		if got := state(); got != "return ZZ0000102 GA800 2 " {
			t.Error(got)
		}
		if got := p.rows("SELECT state FROM correction ORDER BY n"); got != "applied\npartly" {
			t.Error(got)
		}
		p.correct(crossing.Voided, id, strings.Repeat("A", 43), nil)
		if got := state(); got != "return ZZ0000102 GA800 2 " {
			t.Error("another hash:", got)
		}
		p.correct(crossing.Voided, id, hash, nil)
		if got := state(); got != "return ZZ0000102 GA800 2 wrong-direction" {
			t.Error(got)
		}
		// The correction is here before the crossing: another hub was faster.
		first, id, hash := p.record(crossing.Departure, crossed(melati, "departure"))
		second, _, _ := p.record(crossing.Voided, correction(id, hash, nil))
		p.ingest(first, second)
		p.tamper("UPDATE unopened SET n = 1000 WHERE sequence = (SELECT max(sequence) - 1 FROM event)")
		if got := state(); !strings.HasSuffix(got, "departure ZZ0000101 CX798 0 wrong-direction") {
			t.Error(got)
		}
		if got := p.rows("SELECT count(*) FROM correction WHERE state = 'pending'"); got != "0" {
			t.Error(got, "pending")
		}
	})
}

// What cannot be opened is kept with a reason, keeps nothing else up, and is
// opened when an identity for it comes.
func TestUnreadable(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		other, err := age.GenerateX25519Identity()
		if err != nil {
			t.Fatal(err)
		}
		own := p.recorder.Encrypter
		p.recorder.Encrypter = crossing.NewEncrypter(other.Recipient())
		p.cross(melati, "departure")
		p.recorder.Encrypter = own
		hostile, _, _ := p.record(crossing.Departure, crossed(melati, "departure", func(c *crossing.Crossed) { c.Primary = "NUL\x00" }))
		sideways, _, _ := p.record(crossing.Departure, crossed(melati, "sideways"))
		p.ingest(hostile, sideways)
		p.ingest(p.events(1)...)
		if n := p.opened(); n != 1 {
			t.Errorf("%d opened", n)
		}
		if got := p.rows("SELECT sequence, reason FROM unopened ORDER BY n"); got != "1 sealed-to-others\n2 malformed\n3 malformed" {
			t.Error(got)
		}
		f, err := os.OpenFile(filepath.Join(p.dir, hub.FileIdentity), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(f, other)
		f.Close()
		if n := p.opened(); n != 1 {
			t.Errorf("%d opened with the other identity", n)
		}
		if got := p.rows("SELECT count(*) FROM crossing"); got != "1" {
			t.Error(got)
		}
	})
}

// A record that the database refuses does not keep the others up.
func TestOpenPastWhatTheDatabaseRefuses(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		if at == inPostgres {
			p.tamper("ALTER TABLE opened ADD CHECK (sequence <> 2)")
		} else {
			p.tamper("CREATE TRIGGER refuse BEFORE INSERT ON opened WHEN new.sequence = 2 BEGIN SELECT raise(ABORT, 'no'); END")
		}
		p.ingest(p.events(4)...)
		for range 3 {
			p.ledger.Open(t.Context(), p.identities())
		}
		if got := p.rows("SELECT sequence FROM opened ORDER BY n"); got != "1\n3\n4" {
			t.Error(got)
		}
		if got := p.rows("SELECT sequence, reason FROM unopened"); got != "2 malformed" {
			t.Error(got)
		}
	})
}

func (p *place) identities() []age.Identity {
	p.t.Helper()
	ids, err := p.keys.Identities()
	if err != nil {
		p.t.Fatal(err)
	}
	return ids
}

func entry(id string, status placement.Status, documents ...string) placement.Entry {
	e := placement.Entry{Record: placement.Record{PlacementID: id, Rev: 1, Status: status, Destination: "HKG", AgencyID: "P3MI-1", Primary: "CONTOH", Secondary: "MELATI"},
		Home: placement.Home{Province: "NTT", Regency: "Kupang"}}
	if err := e.DateOfBirth.UnmarshalText([]byte("1994-03-07")); err != nil {
		panic(err)
	}
	for _, d := range documents {
		e.Documents = append(e.Documents, placement.DocumentRef{IssuingState: "IDN", DocumentNumber: d})
	}
	return e
}

func (p *place) load(changes bool, entries ...placement.Entry) hub.Loaded {
	p.t.Helper()
	r, err := p.ledger.LoadPlacements(p.t.Context(), func(each func(placement.Entry) error) error {
		for _, e := range entries {
			if err := each(e); err != nil {
				return err
			}
		}
		return nil
	}, changes)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// Crossings advance a placement, a void takes it back, what the authority
// repeats does not, and what it says anew counts.
func TestCrossingsAdvancePlacements(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		status := func() string {
			p.opened()
			return p.rows("SELECT placement_id, status FROM placement ORDER BY placement_id")
		}
		p.load(false, entry("P-1", placement.Ready, "ZZ0000101"), entry("P-2", placement.Revoked, "ZZ0000101"), entry("P-3", placement.Ready, "ZZ0000103"))
		time.Sleep(2 * time.Millisecond) // a crossing counts that is later than the load, to the millisecond
		stamp := p.recorder.Stamp
		p.recorder.Stamp = func() crossing.Stamp { s := stamp(); s.Drill = true; return s }
		p.cross(melati, "departure")
		p.recorder.Stamp = stamp
		if got := status(); got != "P-1 siap\nP-2 dicabut\nP-3 siap" {
			t.Error("a drill:", got)
		}
		p.cross(melati, "departure")
		if got := status(); got != "P-1 berangkat\nP-2 dicabut\nP-3 siap" {
			t.Error("departed:", got)
		}
		id, hash := p.cross(melati, "return")
		if got := status(); got != "P-1 pulang\nP-2 dicabut\nP-3 siap" {
			t.Error("returned:", got)
		}
		p.correct(crossing.Voided, id, hash, nil)
		if got := status(); got != "P-1 berangkat\nP-2 dicabut\nP-3 siap" {
			t.Error("the return voided:", got)
		}
		// What other systems may read by SQL: the drill and the void are not in it.
		if got := p.rows("SELECT direction, placement, status, province FROM crossings ORDER BY n"); got != "departure P-1 berangkat NTT" {
			t.Error("crossings:", got)
		}
		if got := p.rows("SELECT counter, direction, crossings FROM crossings_by_day"); got != counterID+" departure 1" {
			t.Error("crossings_by_day:", got)
		}
		again := entry("P-1", placement.Ready, "ZZ0000101")
		again.Rev, again.UpdatedAt = 2, time.Now().Add(time.Hour).Format(time.RFC3339)
		if r := p.load(true, again); r.Advanced != 1 {
			t.Errorf("%+v", r)
		}
		if got := status(); got != "P-1 berangkat\nP-2 dicabut\nP-3 siap" {
			t.Error("repeated by the authority:", got)
		}
		var list []string
		err := p.ledger.Placements(t.Context())(func(e placement.Entry) error {
			list = append(list, fmt.Sprint(e.PlacementID, " ", e.Status, " ", len(e.Documents)))
			return nil
		})
		if err != nil || strings.Join(list, "; ") != "P-1 berangkat 1; P-2 dicabut 1; P-3 siap 1" {
			t.Error(list, err)
		}
		if r := p.load(false, entry("P-1", placement.Suspended, "ZZ0000101")); r.Removed != 2 {
			t.Errorf("%+v", r)
		}
		if got := status(); got != "P-1 ditunda" {
			t.Error("suspended by the authority:", got)
		}
	})
}

// An amendment that names another document moves the crossing to another
// traveller, and the placement it had advanced is as it was.
func TestAmendedDocument(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		p.load(false, entry("P-1", placement.Ready, "ZZ0000101"), func() placement.Entry {
			e := entry("P-2", placement.Ready, "ZZ0000102")
			e.Primary = "LAIN"
			return e
		}())
		time.Sleep(2 * time.Millisecond)
		id, hash := p.cross(melati, "departure")
		p.correct(crossing.Amended, id, hash, map[string]string{"document_number": "ZZ0000102", "primary": "LAIN"})
		p.opened()
		if got := p.rows("SELECT placement_id, status FROM placement ORDER BY placement_id"); got != "P-1 siap\nP-2 berangkat" {
			t.Error(got)
		}
	})
}

// The opened record is the record.
func TestOpenedRecord(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		rec := crossed(melati, "departure")
		sealed, _, _ := p.record(crossing.Departure, rec)
		p.ingest(sealed)
		p.opened()
		var got crossing.Crossed
		if err := json.Unmarshal([]byte(p.rows("SELECT record FROM opened")), &got); err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(rec)
		b, _ := json.Marshal(got)
		if string(a) != string(b) {
			t.Errorf("%s\n%s", a, b)
		}
	})
}

// A record that is written but not committed yet holds the feed: no later number
// becomes visible before it, however fast the other hub is.
func TestNumbersBecomeVisibleInTheirOrder(t *testing.T) {
	p := newPlace(t, inPostgres)
	p.ingest(p.events(1)...)
	p.tamper("SELECT 1") // opens the knife
	slow, err := p.knife.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Rollback()
	if _, err := slow.Exec("UPDATE feed SET last = last + 1"); err != nil { // as another hub that has number 1
		t.Fatal(err)
	}
	ids, done := p.identities(), make(chan error)
	go func() {
		_, err := p.ledger.Open(t.Context(), ids)
		done <- err
	}()
	for waits := 0; waits == 0; {
		select {
		case err := <-done:
			t.Fatalf("a number was given past one that is not committed: %v", err)
		default:
		}
		if err := p.knife.QueryRow("SELECT count(*) FROM pg_locks WHERE NOT granted").Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := p.ledger.FeedEnd(t.Context()); err != nil || n != 0 {
		t.Errorf("a reader sees %d, %v", n, err)
	}
	if err := slow.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := p.rows("SELECT n FROM opened"); got != "2" {
		t.Errorf("the record behind it has number %s", got)
	}
}

// Hubs that open together open each record once, and wait for none that another
// one holds.
func TestOpenersShareTheWork(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		p.ingest(p.events(60)...)
		ids := p.identities()
		var openers sync.WaitGroup
		for range 4 {
			l, err := hub.OpenLedger(t.Context(), p.db)
			if err != nil {
				t.Fatal(err)
			}
			openers.Go(func() {
				defer l.Close()
				if _, err := l.OpenAll(context.Background(), ids); err != nil {
					t.Error(err)
				}
			})
		}
		openers.Wait()
		if got := p.rows("SELECT count(*), min(n), max(n) FROM opened"); got != "60 1 60" {
			t.Error(got)
		}
		if got := p.rows("SELECT count(*) FROM unopened"); got != "0" {
			t.Error(got)
		}
	})
}

// An event that somebody removed from the ledger and that came again is opened
// once, and keeps none of the others up.
func TestRemovedAndCameAgain(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		e := p.events(4)
		p.ingest(e...)
		p.opened()
		p.tamper("DELETE FROM event WHERE sequence = 2")
		p.ingest(e[1])
		p.ingest(p.events(2)...)
		if n := p.opened(); n != 2 {
			t.Errorf("%d opened", n)
		}
		if got := p.rows("SELECT count(*), max(n) FROM opened"); got != "6 6" {
			t.Error(got)
		}
		if got := p.rows("SELECT count(*) FROM unopened"); got != "0" {
			t.Error(got)
		}
	})
}
