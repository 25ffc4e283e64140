package hub_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/queue"
)

// recovered begins the chain that goes on from another one.
func (p *place) recovered(epoch byte, from *tape, missing [][2]uint64, rewrapped int) (*tape, []byte) {
	p.t.Helper()
	c := p.tape(epoch, p.key)
	return c, c.record(crossing.QueueRecovered, crossing.RecoveredOf(crossing.Place{},
		queue.Recovery{Cause: queue.Damaged, Previous: from.head, Missing: missing, Rewrapped: rewrapped}))
}

// "A new epoch begins and every unacknowledged event is wrapped anew": the hub
// stores it once more in the chain and shows it once.
func TestRewrappedEventIsRepeatedNotLost(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		old := p.tape(1, p.key)
		e := old.events(3)
		p.ingest(e[:2]...) // the counter did not hear that the second came
		c, first := p.recovered(2, old, nil, 2)
		if r := p.ingest(first, c.rewrap(e[1]), c.rewrap(e[2])); r.Stored != 3 {
			t.Fatalf("%+v", r)
		}
		list := p.entries()
		if len(list) != 5 || !list[3].Repeated || list[3].ID != list[1].ID || list[4].Repeated {
			t.Errorf("%+v", list)
		}
		for _, sealed := range e {
			s, err := p.keys.Open(p.id, sealed)
			if err != nil {
				t.Fatal(err)
			}
			found, err := p.ledger.Sealed(t.Context(), s.UUID)
			if err != nil || len(found) != 1 {
				t.Errorf("an event is there %d times, %v", len(found), err)
			}
		}
		if w := p.whole(); w.Events != 5 {
			t.Errorf("%+v", w)
		}
	})
}

// "The hub is idempotent on id" hides nothing: another message under a known
// id is shown beside the first.
func TestAnotherMessageUnderAKnownIDIsShown(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		c, id := p.tape(1, p.key), crossing.NewID()
		for range 2 {
			if _, err := c.recorder.Record(t.Context(), id, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if r := p.ingest(c.sealed...); r.Stored != 2 || len(r.Notices) != 1 {
			t.Fatalf("%+v", r)
		}
		if found, err := p.ledger.Sealed(t.Context(), id); err != nil || len(found) != 2 {
			t.Errorf("%d shown, %v", len(found), err)
		}
	})
}

// "An id known only from what was kept aside is not a duplicate."
func TestIDKnownOnlyFromAsideIsNotADuplicate(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		c, stranger := p.tape(1, p.key), p.tape(1, newKey(t))
		e := c.events(2)
		p.refused(hub.AsideKey, stranger.rewrap(e[0]))
		fork := p.tape(1, p.key)
		fork.events(1)
		p.ingest(e[0])
		p.refused(hub.AsideChain, forkOf(fork, e[1]))
		if r := p.ingest(e[1]); r.Stored != 1 || r.Duplicates != 0 {
			t.Fatalf("%+v", r)
		}
		if list := p.entries(); len(list) != 2 || list[0].Repeated || list[1].Repeated {
			t.Errorf("%+v", list)
		}
	})
}

func forkOf(c *tape, sealed []byte) []byte { return c.rewrap(sealed) }

// "But for missing (known lost)": what a counter says it lost is named until
// everything else of that epoch has come, and then the epoch is closed.
func TestMissingIsNamedUntilTheEpochIsClosed(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		old := p.tape(1, p.key)
		e := old.events(9)
		p.ingest(e[:4]...)
		// Of 4 the counter has not heard; 5, 7 and 8 it lost; 6 and 9 it kept.
		c, first := p.recovered(2, old, [][2]uint64{{4, 5}, {7, 8}}, 2)
		six, nine := c.rewrap(e[5]), c.rewrap(e[8])
		if r := p.ingest(first, six); len(r.Notices) != 1 {
			t.Errorf("%+v", r)
		}
		want := [][2]uint64{{5, 5}, {7, 8}}
		if of, named := p.epoch(old.head.Epoch); !named || of.Through != 4 || !reflect.DeepEqual(of.Missing, want) {
			t.Errorf("%+v", of)
		}
		p.ingest(nine)
		if of, named := p.epoch(old.head.Epoch); named {
			t.Errorf("closed, and still named: %+v", of)
		}
		if of, named := p.epoch(c.head.Epoch); !named || of.Through != 3 || len(of.Missing) != 0 {
			t.Errorf("%+v", of)
		}
		if w := p.whole(); w != (hub.Whole{Events: 7, Missing: 3}) {
			t.Errorf("%+v", w)
		}
		// A copy of the old disk comes back: it must learn that the hub went on.
		p.ingest(e[0])
		if of, named := p.epoch(old.head.Epoch); !named || of.Through != 4 {
			t.Errorf("heard again, and not named: %+v", of)
		}
		// What was lost turns up on a stick after all.
		p.ingest(e[4])
		if of, _ := p.epoch(old.head.Epoch); of.Through != 5 || !reflect.DeepEqual(of.Missing, want[1:]) {
			t.Errorf("%+v", of)
		}
	})
}

// An epoch of which a body is owed is not closed; one that goes on in an epoch
// that was itself recovered is closed with it.
func TestEpochsAreClosedInTurn(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		a := p.tape(1, p.key)
		e := a.events(3)
		p.ingest(e[0], a.tombstone(e[1]))
		b, first := p.recovered(2, a, nil, 5)
		p.ingest(first)
		c, second := p.recovered(3, b, nil, 1)
		last := c.rewrap(b.rewrap(e[2]))
		p.ingest(second, last)
		if _, named := p.epoch(b.head.Epoch); named {
			t.Error("nothing of the second is outstanding, and it is named")
		}
		if _, named := p.epoch(a.head.Epoch); !named {
			t.Error("a body is owed, and the epoch is not named")
		}
		p.ingest(last) // what comes again of another epoch opens nothing
		p.ingest(e[1])
		if of, _ := p.epoch(a.head.Epoch); len(of.Nack) != 0 {
			t.Errorf("%+v", of)
		}
	})
}

// The hub never heard of the epoch before, or cannot open the record, or is
// told nonsense: the event counts, and nothing else happens.
func TestRecoveredRecordsThatTellLittle(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		unheard := p.tape(1, p.key)
		unheard.events(4)
		c, first := p.recovered(2, unheard, [][2]uint64{{1, 3}, {9, 2}, {0, 0}, {5, 1 << 60}}, 1)
		p.ingest(first)
		if of, named := p.epoch(unheard.head.Epoch); !named || of.Through != 0 || !reflect.DeepEqual(of.Missing, [][2]uint64{{1, 3}}) {
			t.Errorf("%+v", of)
		}
		if r := p.ingest(c.rewrap(unheard.sealed[3])); r.Stored != 1 {
			t.Errorf("%+v", r)
		}
		if _, named := p.epoch(unheard.head.Epoch); named {
			t.Error("it is still named")
		}
		self := p.tape(3, p.key)
		self.head.Sequence = 0
		r := p.ingest(self.record(crossing.QueueRecovered, crossing.RecoveredOf(crossing.Place{}, queue.Recovery{Cause: queue.Deleted, Previous: queue.Head{Epoch: self.head.Epoch}})))
		if _, named := p.epoch(self.head.Epoch); r.Stored != 1 || !named {
			t.Errorf("an epoch that closes itself: %+v", r)
		}
		if err := os.Remove(filepath.Join(p.dir, hub.FileIdentity)); err != nil {
			t.Fatal(err)
		}
		blind, first := p.recovered(4, self, [][2]uint64{{1, 1}}, 0)
		if r := p.ingest(first); r.Stored != 1 || len(r.Notices) != 1 {
			t.Errorf("%+v", r)
		}
		if _, named := p.epoch(self.head.Epoch); !named {
			t.Error("an epoch was closed by a record that nobody read")
		}
		if w := p.whole(); w.Missing != 3 || blind == nil {
			t.Errorf("%+v", w)
		}
	})
}

// A counter from which somebody removed queue and anchor knows of nothing that
// it has lost. The hub does.
func TestChainThatBeginsAsIfNothingHadBeenIsTold(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		if r := p.ingest(p.tape(1, p.key).events(3)...); len(r.Notices) != 0 {
			t.Errorf("the first chain: %+v", r.Notices)
		}
		second := p.tape(2, p.key)
		if r := p.ingest(second.events(1)...); r.Stored != 1 || len(r.Notices) != 1 {
			t.Errorf("%+v", r)
		}
		if r := p.ingest(second.events(1)...); r.Stored != 1 || len(r.Notices) != 0 {
			t.Errorf("it is told once: %+v", r)
		}
	})
}
