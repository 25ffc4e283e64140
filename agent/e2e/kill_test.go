package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/mrz"
)

// TestKillLoop swipes 500 travellers while the broker goes and comes and the
// agent, the hub and the broker are killed. Every recorded event must be in
// the ledger exactly once, in order, and every chain whole.
func TestKillLoop(t *testing.T) {
	t.Parallel()
	const swipes = 500
	s := newSite(t, "direction = \"departure\"\nconfirm = \"auto\"")
	var placed []mrz.Fields
	for n := range 40 {
		placed = append(placed, person(1000+n))
	}
	s.installList(placed...)
	broker := s.broker()
	agent := s.agent()
	s.ready()
	s.trust()
	h := s.hub()
	r := s.reader()
	defer r.Close()

	// after(n, …) at these swipes; the agent dies five times, in the middle of
	// whatever it is doing with the swipe that has just been sent.
	agentDies := map[int]bool{60: true, 145: true, 230: true, 315: true, 420: true}
	seen := uint64(0) // every event up to here was read back as durable
	hashes := map[uint64]string{}
	look := func() (crossings int) {
		for e, err := range r.Events(context.Background(), seen+1) {
			if err != nil {
				t.Fatal(err)
			}
			seen, hashes[e.Sequence] = e.Sequence, e.Hash.String()
			if note, err := counter.ReadNote(e.Note); err == nil && note.Type == crossing.Departure {
				crossings++
			}
		}
		return crossings
	}
	look()
	repeated := 0
	for n := range swipes {
		switch n {
		case 100, 300:
			broker.stop()
		case 130, 340:
			broker = s.broker()
		case 200:
			broker.kill()
			broker = s.broker()
		case 260:
			h.kill()
		case 280:
			h = s.hub()
		}
		s.send(strings.Join(zone(t, person(1000+n)), "\r") + "\r")
		if agentDies[n] {
			time.Sleep(rand.N(30 * time.Millisecond)) // anywhere between the first byte and the last commit
			agent.cmd.Process.Signal(syscall.SIGKILL)
			<-agent.done
			agent = s.agent()
			s.ready()
		}
		got := look()
		for tries := 0; got == 0; tries++ {
			select {
			case <-agent.done:
				t.Fatalf("the agent ended: %v", agent.err)
			default:
			}
			if agentDies[n] && tries == 400 { // the swipe died with the agent: the officer swipes again
				s.send(strings.Join(zone(t, person(1000+n)), "\r") + "\r")
				repeated++
			}
			if tries > 10000 {
				t.Fatalf("swipe %d is not recorded", n)
			}
			time.Sleep(time.Millisecond)
			got = look()
		}
	}
	s.end(agent)
	look()
	t.Logf("%d events, %d swipes made again", seen, repeated)

	var entries []hub.Entry
	d := json.NewDecoder(strings.NewReader(s.tool("lintas-hub", "ledger", "ls", "--json", "--db", s.path("ledger.db"))))
	for d.More() {
		var e hub.Entry
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		entries = append(entries, e)
	}
	if uint64(len(entries)) != seen {
		t.Fatalf("the ledger holds %d events, the counter recorded %d", len(entries), seen)
	}
	ids := map[string]bool{}
	for i, e := range entries {
		if e.Sequence != uint64(i+1) || hashes[e.Sequence] != e.Hash {
			t.Fatalf("the ledger's event %d is number %d, and not the one that was recorded", i+1, e.Sequence)
		}
		if ids[e.ID] {
			t.Fatalf("event %s is there twice", e.ID)
		}
		ids[e.ID] = true
	}
	s.tool("lintas-hub", "ledger", "verify", "--db", s.path("ledger.db"), "--keys", s.path("keys"))
	s.tool("lintas", "queue", "verify", "-c", s.config())
	checkInspections(t, s.queued())
	s.noCanary()
}

// person is a traveller whose name is their own, so that nobody is taken for
// another one's second passport.
func person(n int) mrz.Fields {
	f := traveller(n)
	f.Secondary += " " + strings.Map(func(r rune) rune { return 'A' + r - '0' }, fmt.Sprint(n))
	return f
}

// checkInspections makes sure that every inspection was ended by exactly one
// event.
func checkInspections(t *testing.T, events []event) {
	t.Helper()
	opened, ended := map[string]int{}, map[string]int{}
	for _, e := range events {
		switch e.note.Type {
		case crossing.InspectionOpened:
			opened[e.note.Inspection]++
		case crossing.Departure, crossing.Return, crossing.InspectionAbandoned:
			ended[e.note.Inspection]++
		}
	}
	for id, n := range opened {
		if n != 1 || ended[id] != 1 {
			t.Errorf("inspection %s was opened %d times and ended %d times", id, n, ended[id])
		}
	}
	if len(ended) != len(opened) {
		t.Errorf("%d inspections were opened, %d ended", len(opened), len(ended))
	}
}
