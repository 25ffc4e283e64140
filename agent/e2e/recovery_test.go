package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lintas/agent/control"
	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/hub"
	"lintas/queue"
	"lintas/queue/sqlite"
)

// ledger reads what the hub holds.
func (s *site) ledger() (entries []hub.Entry) {
	s.t.Helper()
	d := json.NewDecoder(strings.NewReader(s.tool("lintas-hub", "ledger", "ls", "--json", "--db", s.path("ledger.db"))))
	for d.More() {
		var e hub.Entry
		if err := d.Decode(&e); err != nil {
			s.t.Fatal(err)
		}
		entries = append(entries, e)
	}
	return entries
}

// swipe sends a traveller's zone and returns the id of the inspection's event
// once it is durable.
func (s *site) swipe(n int) queue.ID {
	s.t.Helper()
	before := map[queue.ID]bool{}
	for _, e := range s.queued() {
		before[e.ID] = true
	}
	s.send(strings.Join(zone(s.t, person(n)), "\r") + "\r")
	var id queue.ID
	until(s.t, "the swipe is recorded", func() bool {
		for _, e := range s.queued() {
			if !before[e.ID] && e.note.Type == crossing.InspectionOpened {
				id = e.ID
				return true
			}
		}
		return false
	})
	return id
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// overwrite writes zeros over pages of a file, as a failing disk would.
func overwrite(t *testing.T, path string, from, pages int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, pages*4096), from*4096); err != nil {
		t.Fatal(err)
	}
}

// TestQueueThatIsGone does to a stopped counter's queue what disks, thieves and
// technicians do. The counter must go on recording, say what happened, and what
// was recorded must reach the hub once, confirmed before or not.
func TestQueueThatIsGone(t *testing.T) {
	for name, c := range map[string]struct {
		harm  func(s *site)
		cause string
		lost  int // how many unconfirmed swipes may be gone
	}{
		"deleted": {func(s *site) {
			for _, f := range []string{"queue.db", "queue.db-wal", "queue.db-shm"} {
				os.Remove(s.path("state/" + f))
			}
		}, "deleted", 5},
		"an old copy": {func(s *site) { copyFile(s.t, s.path("old.db"), s.path("state/queue.db")) }, "restored", 5},
		"an old image of the whole disk": {func(s *site) {
			if err := os.RemoveAll(s.path("state")); err != nil {
				s.t.Fatal(err)
			}
			if b, err := exec.Command("cp", "-r", s.path("image"), s.path("state")).CombinedOutput(); err != nil {
				s.t.Fatal(err, string(b))
			}
		}, "forked", 5},
		"no database any more": {func(s *site) {
			if err := os.WriteFile(s.path("state/queue.db"), []byte("not a database, whatever its name says"), 0o600); err != nil {
				s.t.Fatal(err)
			}
		}, "damaged", 5},
		"its header destroyed": {func(s *site) { overwrite(s.t, s.path("state/queue.db"), 0, 1) }, "damaged", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, `direction = "departure"`+"\nconfirm = \"auto\"")
			broker := s.broker()
			h := s.hub()
			agent := s.agent()
			s.ready()
			s.trust()
			var ids []queue.ID
			swipe := func(n, count int) {
				for range count {
					ids = append(ids, s.swipe(n+len(ids)))
				}
			}
			swipe(1, 3)
			s.confirmed()
			if err := agent.stop(); err != nil {
				t.Fatal(err)
			}
			copyFile(t, s.path("state/queue.db"), s.path("old.db"))
			if b, err := exec.Command("cp", "-r", s.path("state"), s.path("image")).CombinedOutput(); err != nil {
				t.Fatal(err, string(b))
			}
			agent = s.agent()
			s.ready()
			swipe(100, 3)
			s.confirmed() // the hub knows more than the old copy
			if err := h.stop(); err != nil {
				t.Fatal(err)
			}
			unconfirmed := len(ids)
			swipe(200, 5)
			if err := agent.stop(); err != nil {
				t.Fatal(err)
			}
			broker.kill() // and what it still held with it
			os.Remove(s.path("mosquitto.db"))

			c.harm(s)
			s.broker()
			agent = s.agent()
			s.ready()
			s.hub()
			swipe(300, 4)
			s.confirmed()
			until(t, "the hub holds a recovered epoch", func() bool {
				return slices.ContainsFunc(s.ledger(), func(e hub.Entry) bool { return strings.Contains(e.Type, "queue.recovered") })
			})
			s.confirmed()
			swipe(400, 1)
			s.confirmed()
			if err := agent.stop(); err != nil {
				t.Fatal(err)
			}

			count := map[string]int{}
			var recovered []hub.Entry
			for _, e := range s.ledger() {
				count[e.ID]++
				if strings.Contains(e.Type, "queue.recovered") {
					recovered = append(recovered, e)
				}
			}
			lost := 0
			for i, id := range ids {
				switch n := count[uuidString(id)]; {
				case n > 1:
					t.Errorf("swipe %d is there %d times", i, n)
				case n == 0 && i >= unconfirmed && i < unconfirmed+5:
					lost++
				case n == 0:
					t.Errorf("swipe %d is lost", i)
				}
			}
			if lost > c.lost {
				t.Errorf("%d unconfirmed swipes are lost", lost)
			}
			if len(recovered) != 1 || recovered[0].Sequence != 1 {
				t.Fatalf("recovered: %+v", recovered)
			}
			_, rec := s.record(recovered[0].ID)
			if rec["cause"] != c.cause {
				t.Errorf("the record says %v", rec)
			}
			s.tool("lintas-hub", "ledger", "verify", "--db", s.path("ledger.db"), "--keys", s.path("keys"))
			s.tool("lintas", "queue", "verify", "-c", s.config())
			s.noCanary()
		})
	}
}

// TestQueueDamagedWhileRunning destroys pages under a running agent. It must
// find out, begin anew by itself and lose nothing that can still be read.
func TestQueueDamagedWhileRunning(t *testing.T) {
	t.Parallel()
	s := newSite(t, `direction = "departure"`+"\nconfirm = \"auto\"")
	agent := s.agent()
	s.ready()
	s.trust()
	var ids []queue.ID
	for n := range 30 {
		ids = append(ids, s.swipe(n))
	}
	if err := agent.stop(); err != nil { // so that all is in the file
		t.Fatal(err)
	}
	agent = s.agent()
	s.ready()
	st, err := os.Stat(s.path("state/queue.db"))
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, s.path("state/queue.db"), 2, st.Size()/4096-4)
	s.send(strings.Join(zone(t, person(100)), "\r") + "\r") // whatever becomes of this one: the page says so
	until(t, "the agent has recovered", func() bool {
		select {
		case <-agent.done:
			t.Fatalf("the agent ended: %v", agent.err)
		default:
		}
		aside, _ := filepath.Glob(s.path("state/*/queue.db"))
		st, err := s.status()
		return err == nil && len(aside) > 0 && len(st.Scanners) == 1 && st.Scanners[0].Status == "ready" && st.Recording
	})
	ids = append(ids, s.swipe(101))
	s.broker()
	s.hub()
	s.confirmed()
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	r, err := sqlite.OpenReader(context.Background(), s.path("state/queue.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Find(context.Background(), ids[len(ids)-1]); err != nil {
		t.Error(err)
	}
	s.tool("lintas-hub", "ledger", "verify", "--db", s.path("ledger.db"), "--keys", s.path("keys"))
}

// TestLargeQueueIsDamaged destroys a page among weeks of events. The agent does
// not read them all before it can be used, but soon after; then it does what it
// does whenever its queue is damaged. Whoever made the weeks had no key, so the
// agent cannot take them over; what it recorded itself it must.
func TestLargeQueueIsDamaged(t *testing.T) {
	t.Parallel()
	s := newSite(t, `direction = "departure"`+"\nconfirm = \"auto\"")
	agent := s.agent()
	s.ready()
	s.trust()
	ids := []queue.ID{s.swipe(1), s.swipe(2)}
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	fillQueue(t, s.path("state"), 10_000)
	st, err := os.Stat(s.path("state/queue.db"))
	if err != nil {
		t.Fatal(err)
	}
	overwrite(t, s.path("state/queue.db"), st.Size()/4096/4, 1) // older than what is read for the history
	before := len(s.logs.String())
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // in the broker's place
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
			if !strings.Contains(s.logs.String()[before:], "the queue is damaged") {
				t.Error("the link was up before all was checked")
			}
		}
	}()
	agent = s.agent()
	until(t, "the agent has recovered", func() bool {
		select {
		case <-agent.done:
			t.Fatalf("the agent ended: %v", agent.err)
		default:
		}
		st, err := s.status()
		return err == nil && st.Recording && len(st.Scanners) == 1 && st.Scanners[0].Status == "ready" &&
			slices.ContainsFunc(st.Conditions, func(c control.Condition) bool { return c.Code == string(health.QueueRecovered) })
	})
	log := s.logs.String()[before:]
	if running, damaged := strings.Index(log, "agent running"), strings.Index(log, "the queue is damaged"); running < 0 || damaged < running {
		t.Errorf("the agent was not in use before all was checked:\n%s", tail(log, 2000))
	}
	ids = append(ids, s.swipe(3))
	l.Close()
	s.broker()
	s.hub()
	s.confirmed()
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, e := range s.ledger() {
		count[e.ID]++
	}
	for i, id := range ids {
		if n := count[uuidString(id)]; n != 1 {
			t.Errorf("swipe %d is there %d times", i+1, n)
		}
	}
}
