package hub_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/agent/placement"
)

// at sets the counter's clock to noon of a day in January.
func (p *place) at(day int) {
	stamp := crossing.Stamp{OccurredAt: crossing.TimeOf(time.Date(2026, 1, day, 12, 0, 0, 0, time.UTC)), BootID: "b", ClockState: "ntp"}
	p.recorder.Stamp = func() crossing.Stamp { return stamp }
}

func (p *place) stays(since time.Time) string {
	p.t.Helper()
	var list []string
	for s, err := range p.ledger.Stays(p.t.Context(), since) {
		if err != nil {
			p.t.Fatal(err)
		}
		list = append(list, tell(s))
	}
	slices.Sort(list)
	return strings.Join(list, "\n")
}

func tell(s hub.Stay) string {
	text := fmt.Sprintf("%s %s %s", s.Crossing().Occurred.Format("02"), s.Outcome, s.Destination())
	if s.By != "" {
		text += " by " + string(s.By)
	}
	if s.Placement != nil {
		text += fmt.Sprintf(" %s %s %s %s by %s", s.Placement.ID, s.Placement.Province, s.Placement.Regency, s.Placement.Agency, s.PlacedBy)
	}
	if s.Doubtful() {
		text += " doubtful"
	}
	return text
}

func TestStays(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		p.load(false, entry("P-1", placement.Ready, "ZZ0000101", "ZZ0000199"))
		old, renewed := melati, melati
		renewed.number, renewed.expiry = "ZZ0000199", "2036-11-23"
		unlisted := traveller{number: "ZZ0000555", name: "LAIN", expiry: "2030-01-01", birth: "1990-01-01"}
		namesake := traveller{number: "ZZ0000777", name: "CONTOH", expiry: "2027-01-01", birth: "1994-03-07"}

		p.at(2)
		p.cross(old, "departure")
		p.at(9)
		p.cross(renewed, "return") // with the passport that she was given abroad
		p.at(12)
		p.cross(renewed, "departure", func(c *crossing.Crossed) { c.EntryMode = "typed" })
		p.at(3)
		p.cross(unlisted, "return")
		p.at(4)
		id, hash := p.cross(unlisted, "departure")
		p.at(5)
		p.cross(unlisted, "departure", func(c *crossing.Crossed) { c.Journey = nil })
		p.at(6)
		p.cross(namesake, "departure")
		p.correct(crossing.Voided, id, hash, nil)
		stamp := p.recorder.Stamp
		p.recorder.Stamp = func() crossing.Stamp { s := stamp(); s.Drill = true; return s }
		p.cross(unlisted, "return")
		p.opened()
		want := `02 returned HKG by document P-1 NTT Kupang P3MI-1 by document
03 departure-missing 
05 open 
06 open HKG P-1 NTT Kupang P3MI-1 by person
12 open HKG P-1 NTT Kupang P3MI-1 by document doubtful`
		want = strings.Replace(want, "by document P-1", "by placement P-1", 1)
		if got := p.stays(time.Time{}); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if got := p.stays(time.Date(2026, 1, 6, 0, 0, 0, 0, time.UTC)); got != strings.Join(strings.Split(want, "\n")[3:], "\n") {
			t.Errorf("since the 6th:\n%s", got)
		}
		stays, err := p.ledger.Traveller(t.Context(), "idn", "zz0000101")
		if err != nil || len(stays) != 3 {
			t.Errorf("%d stays of one traveller and her namesake, %v", len(stays), err)
		}
		if stays, err := p.ledger.Traveller(t.Context(), "IDN", "ZZ9"); err != nil || len(stays) != 0 {
			t.Error(len(stays), err)
		}
		if got := fmt.Sprintf("%v %+v", *stays[0].Departure, stays[0].Departure); strings.Contains(got, "CONTOH") {
			t.Error(got)
		}
	})
}

// More travellers than are read at once, and a placement that becomes known
// after the crossing.
func TestStaysOfMany(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		hub.TravellersAtOnce(t, 7)
		const many = 40
		for n := range many {
			sealed, _, _ := p.record(crossing.Departure, crossed(traveller{number: fmt.Sprintf("A%07d", n), name: "CONTOH" + string(rune('A'+n%26)), birth: fmt.Sprintf("19%02d-01-%02d", 50+n%50, 1+n/50)}, "departure"))
			p.ingest(sealed)
		}
		if n := p.opened(); n != many {
			t.Fatalf("%d opened", n)
		}
		e := entry("P-1", placement.Ready, "A0000001")
		e.Primary = "SOMEBODY"
		p.load(false, e)
		open, placed := 0, 0
		for s, err := range p.ledger.Stays(t.Context(), time.Time{}) {
			if err != nil {
				t.Fatal(err)
			}
			if s.Outcome == "open" {
				open++
			}
			if s.Placement != nil {
				placed++
			}
		}
		if open != many || placed != 1 {
			t.Errorf("%d open, %d placed", open, placed)
		}
	})
}

// What is forgotten is in no table that was opened; the chain is whole, the
// placement stands as it stood, and who did it is noted for good.
func TestForget(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		p.load(false, entry("P-1", placement.Ready, "ZZ0000101"))
		p.tamper("UPDATE placement SET given_ms = 0")
		p.at(2)
		id, hash := p.cross(melati, "departure")
		p.correct(crossing.Amended, id, hash, map[string]string{"secondary": "KENARI"})
		p.at(20)
		p.cross(traveller{number: "ZZ0000555", name: "LAIN", birth: "1990-01-01"}, "departure")
		p.opened()
		by := hub.Access{Officer: "o-9", Purpose: "retention", Command: "ledger forget"}
		n, err := p.ledger.Forget(t.Context(), hub.Forget{Before: time.Date(2026, 1, 10, 0, 0, 0, 0, time.UTC)}, by)
		if err != nil || n != 2 {
			t.Fatalf("%d forgotten, %v", n, err)
		}
		for _, table := range []string{"opened", "crossing", "correction", "access"} {
			if got := p.rows("SELECT * FROM " + table); strings.Contains(got, "CONTOH") || strings.Contains(got, "KENARI") || strings.Contains(got, "ZZ0000101") {
				t.Errorf("%s: %s", table, got)
			}
		}
		if got := p.rows("SELECT document_number FROM crossing"); got != "ZZ0000555" {
			t.Error(got)
		}
		if got := p.rows("SELECT type FROM opened WHERE forgotten_ms IS NOT NULL ORDER BY n"); got != "crossing.departure\ncrossing.amended" {
			t.Error(got)
		}
		if got := p.rows("SELECT status FROM placement"); got != "berangkat" {
			t.Error(got)
		}
		if w, err := p.ledger.Verify(t.Context(), p.keys); err != nil || w.Events != 3 {
			t.Errorf("%+v, %v", w, err)
		}
		if yes, err := p.ledger.Forgotten(t.Context(), id); err != nil || !yes {
			t.Error(yes, err)
		}
		// By document, and by event. Nothing named is an error.
		if n, err := p.ledger.Forget(t.Context(), hub.Forget{IssuingState: "IDN", Document: "ZZ0000555"}, by); err != nil || n != 1 {
			t.Errorf("%d forgotten, %v", n, err)
		}
		if n, err := p.ledger.Forget(t.Context(), hub.Forget{Events: []uuid.UUID{id}}, by); err != nil || n != 0 {
			t.Errorf("%d forgotten again, %v", n, err)
		}
		if _, err := p.ledger.Forget(t.Context(), hub.Forget{}, by); err == nil {
			t.Error("everything was forgotten")
		}
		log, err := p.ledger.Accesses(t.Context())
		if err != nil || len(log) != 2 || log[0].Rows != 2 || log[0].Officer != "o-9" || log[0].Events[0] != id {
			t.Errorf("%+v, %v", log, err)
		}
		if got := p.rows("SELECT count(*) FROM traveller_key"); got != "2" { // the placement's own
			t.Error(got)
		}
		for _, statement := range []string{"DELETE FROM access", "UPDATE access SET purpose = 'none'"} {
			if rows, err := p.ledger.Query(t.Context(), statement); err == nil && rows.Next() {
				t.Error("the log can be changed")
			} else if err == nil {
				if rows.Close(); rows.Err() == nil {
					t.Errorf("%s is done", statement)
				}
			}
		}
	})
}
