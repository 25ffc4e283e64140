package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/queue/sqlite"
)

var storm = flag.Int("storm", 0, "how long the storms last; 0: one kill in each combination, as in make test")

// recordMany puts n sealed events into the queue of an agent that does not run,
// as the agent would.
func (s *site) recordMany(n int) {
	s.t.Helper()
	key, err := crossing.LoadPrivateKey(s.path("state/counter.jwk"))
	if err != nil {
		s.t.Fatal(err)
	}
	sealer, err := crossing.NewSealer(key)
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := os.ReadFile(s.path("keys/recipients.txt"))
	if err != nil {
		s.t.Fatal(err)
	}
	to, err := crossing.ParseRecipients(strings.Fields(string(text))...)
	if err != nil {
		s.t.Fatal(err)
	}
	q, err := sqlite.OpenQueue(s.t.Context(), s.path("state/queue.db"), sqlite.Options{Seal: sealer.Seal, Anchor: s.path("state/queue.anchor")})
	if err != nil {
		s.t.Fatal(err)
	}
	r := crossing.Recorder{Counter: counterID, Encrypter: crossing.NewEncrypter(to...), Queue: q, Stamp: func() crossing.Stamp {
		return crossing.Stamp{OccurredAt: crossing.TimeOf(time.Now()), BootID: "b", MonotonicMS: 1, ClockState: "ntp"}
	}}
	var recording sync.WaitGroup
	for range 16 { // who share commits
		recording.Go(func() {
			for range n / 16 {
				rec := &crossing.Device{Scanner: "passport", Reason: "ready"}
				if _, err := r.Record(s.t.Context(), crossing.NewID(), crossing.DeviceUp, rec, counter.NoteOf(crossing.DeviceUp)); err != nil {
					s.t.Error(err)
					return
				}
			}
		})
	}
	recording.Wait()
	if err := q.Close(); err != nil {
		s.t.Fatal(err)
	}
}

// manned starts a counter once, so that it has a key that the hub trusts.
func (s *site) manned() {
	s.t.Helper()
	agent := s.agent()
	s.ready()
	s.trust()
	if err := agent.stop(); err != nil {
		s.t.Fatal(err)
	}
}

// acknowledged is how far the hub has confirmed.
func (s *site) acknowledged() uint64 {
	s.t.Helper()
	r := s.reader()
	defer r.Close()
	st, err := r.Status(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return st.Acknowledged
}

// same makes sure that the ledger holds what the counter recorded: every event,
// once, in order, to the byte.
func (s *site) same() {
	s.t.Helper()
	recorded, held := s.queued(), s.ledger()
	if len(recorded) != len(held) {
		s.t.Fatalf("the ledger holds %d events, the counter recorded %d", len(held), len(recorded))
	}
	for i, e := range held {
		if r := recorded[i]; e.Sequence != r.Sequence || e.Hash != r.Hash.String() || e.ID != uuidString(r.ID) || e.Repeated || e.Owed {
			s.t.Fatalf("the ledger's event %d is %+v, recorded was number %d with %s", i+1, e, r.Sequence, r.Hash)
		}
	}
	s.tool("lintas-hub", "ledger", "verify", "--db", s.path("ledger.db"), "--keys", s.path("keys"))
	s.tool("lintas", "queue", "verify", "-c", s.config())
}

// TestKilledInEveryCombination kills agent, hub and broker, alone and together,
// in the middle of the drain, again and again. The broker forgets all that it
// held.
func TestKilledInEveryCombination(t *testing.T) {
	events, kills := 1600*max(1, *storm), max(1, 3**storm)
	if raceEnabled {
		events /= 5 // as long for programs that are so much slower
	}
	for combination := 1; combination < 8; combination++ {
		var names []string
		for i, name := range []string{"agent", "hub", "broker"} {
			if combination>>i&1 == 1 {
				names = append(names, name)
			}
		}
		t.Run(strings.Join(names, "+"), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "")
			s.manned()
			s.recordMany(events)
			running := map[string]*process{}
			starts := map[string]func() *process{
				"agent": func() *process { return s.agent() }, "hub": s.hub,
				"broker": func() *process { os.Remove(s.path("mosquitto.db")); return s.broker() },
			}
			for _, name := range []string{"broker", "hub", "agent"} {
				running[name] = starts[name]()
			}
			before, killed := s.acknowledged(), 0
			for n := range kills {
				all := uint64(len(s.queued()))
				until(t, "some more are confirmed", func() bool { return s.acknowledged() > before })
				if s.acknowledged() == all {
					break // it was too fast
				}
				killed++
				for _, name := range names {
					running[name].cmd.Process.Signal(syscall.SIGKILL)
				}
				for _, name := range names {
					<-running[name].done
				}
				before = s.acknowledged()
				if n%2 == 1 { // what starts first, and finds the others dead
					slices.Reverse(names)
				}
				for _, name := range names {
					running[name] = starts[name]()
				}
			}
			s.end(running["agent"])
			s.same()
			if killed == 0 {
				t.Error("everything was confirmed before anybody was killed")
			}
			t.Logf("killed %d times", killed)
		})
	}
}

// TestHubRestoredFromBackup puts an old copy of the ledger in the hub's place.
// What it lacks comes again, without anybody's help.
func TestHubRestoredFromBackup(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.broker()
	s.manned()
	s.recordMany(100)
	hub := s.hub()
	agent := s.agent()
	s.ready()
	s.confirmed()
	if err := hub.stop(); err != nil {
		t.Fatal(err)
	}
	copyFile(t, s.path("ledger.db"), s.path("backup.db"))
	hub = s.hub()
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	s.recordMany(300)
	agent = s.agent()
	s.ready()
	s.confirmed()
	hub.kill()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		os.Remove(s.path("ledger.db" + suffix))
	}
	copyFile(t, s.path("backup.db"), s.path("ledger.db"))
	s.hub()
	all := len(s.queued())
	until(t, "the hub holds everything again", func() bool { return len(s.ledger()) >= all })
	s.confirmed()
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	s.confirmed()
	s.same()
}

// TestBrokerRuleIsTold has a broker whose rules keep the events from the hub,
// while it confirms them. The counter says so as long as it is, and everything
// arrives when the rule is mended.
func TestBrokerRuleIsTold(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	const rules = "topic readwrite lintas/v1/+/ack\ntopic readwrite lintas/v1/+/state\n"
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(s.path(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("acl", rules+"topic read lintas/v1/+/event\n")
	s.brokerConf = fmt.Sprintf("acl_file %s\n", s.path("acl"))
	broker := s.broker()
	agent := s.agent()
	s.ready()
	s.trust()
	s.hub()
	told := func() bool { return s.says("hub-unconfirmed") }
	until(t, "the counter says that the hub confirms nothing", told)
	if n := len(s.ledger()); n > 0 {
		t.Fatalf("%d events have passed", n)
	}
	write("acl", rules+"topic readwrite lintas/v1/+/event\n")
	broker.cmd.Process.Signal(syscall.SIGHUP)
	s.tool("lintas", "queue", "retry", "-c", s.config()) // as the technician would, who mended it
	s.confirmed()
	until(t, "the counter says it no longer", func() bool { return !told() })
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	s.confirmed()
	s.same()
}
