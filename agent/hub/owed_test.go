package hub_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/queue/sqlite"
)

// "The hub marks the body as owed; the original follows by USB or later."
func TestTombstoneIsOwedUntilTheBodyFollows(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		c, fork := p.tape(1, p.key), p.tape(1, p.key)
		e := c.events(5)
		stone := c.tombstone(e[1])
		r := p.ingest(e[0], stone, e[2], c.tombstone(e[3]), e[4], stone)
		if r.Stored != 3 || r.Owed != 2 || r.Duplicates != 1 || len(r.Aside) != 0 {
			t.Fatalf("%+v", r)
		}
		// The position is confirmed, and the counter must keep the body.
		ack, _ := p.epoch(c.head.Epoch)
		if ack.Through != 5 || ack.Head != c.head.Hash.String() || !reflect.DeepEqual(ack.Nack, []crossing.Nack{{Sequence: 2, Code: hub.CodeOwed}, {Sequence: 4, Code: hub.CodeOwed}}) {
			t.Errorf("%+v", ack)
		}
		if w := p.whole(); w != (hub.Whole{Events: 3, Owed: 2}) {
			t.Errorf("%+v", w)
		}
		list := p.entries()
		if len(list) != 5 || !list[1].Owed || list[1].Sequence != 2 || list[1].ID != "" || list[2].Owed {
			t.Errorf("%+v", list)
		}
		// Only that body is owed.
		fork.events(4)
		p.refused(hub.AsideEquivocation, fork.sealed[1], fork.tombstone(fork.sealed[1]), fork.tombstone(fork.sealed[2]))
		for range 2 {
			p.ingest(e[1])
		}
		ack, _ = p.epoch(c.head.Epoch)
		if w := p.whole(); w != (hub.Whole{Events: 4, Owed: 1}) || len(ack.Nack) != 1 {
			t.Errorf("%+v, %+v", w, ack)
		}
		s, err := p.keys.Open(p.id, e[1])
		if err != nil {
			t.Fatal(err)
		}
		if found, err := p.ledger.Sealed(t.Context(), s.UUID); err != nil || len(found) != 1 {
			t.Errorf("the body cannot be shown: %v", err)
		}
		// The other comes with a whole export.
		if r := p.ingest(e...); r.Stored != 1 || r.Duplicates != 4 {
			t.Errorf("%+v", r)
		}
		ack, _ = p.epoch(c.head.Epoch)
		if w := p.whole(); w != (hub.Whole{Events: 5}) || len(ack.Nack) != 0 {
			t.Errorf("%+v, %+v", w, ack)
		}
		if r := p.ingest(stone); r.Duplicates != 1 {
			t.Errorf("a tombstone for what is here: %+v", r)
		}
	})
}

// A tombstone has to stand in the chain like an event.
func TestTombstoneDoesNotReplaceTheChain(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		c, fork := p.tape(1, p.key), p.tape(1, p.key)
		e := c.events(3)
		fork.events(3)
		p.ingest(e[0])
		p.refused(hub.AsideChain, fork.tombstone(fork.sealed[1]))
		if r := p.ingest(c.tombstone(e[2])); r.Early != 1 {
			t.Errorf("behind a gap: %+v", r)
		}
		stranger := p.tape(1, newKey(t))
		p.refused(hub.AsideKey, stranger.tombstone(e[1]))
		garbled := c.tombstone(e[1])
		garbled[len(garbled)/2] ^= 1
		p.refused(hub.AsideUnreadable, garbled)
	})
}

// A tombstone that somebody changes in the ledger is found.
func TestVerifyFindsAChangedTombstone(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		for name, statement := range map[string]string{
			"removed":      "DELETE FROM owed",
			"another hash": "UPDATE owed SET hash = zeroblob(32)",
			"garbage":      "UPDATE owed SET sealed = zeroblob(1)",
			"an event's":   "UPDATE owed SET sealed = (SELECT sealed FROM event WHERE sequence = 1)",
		} {
			t.Run(name, func(t *testing.T) {
				p := newPlace(t, at)
				c := p.tape(1, p.key)
				e := c.events(3)
				p.ingest(e[0], c.tombstone(e[1]), e[2])
				p.tamper(statement)
				p.brokenAt(2)
			})
		}
	})
}

// "Migrations only add": a ledger of the first version is read as it is, and
// becomes one of this version when the hub opens it.
func TestOlderLedgerMigrates(t *testing.T) {
	p := newPlace(t, inFile)
	c := p.tape(1, p.key)
	e := c.events(3)
	path := filepath.Join(t.TempDir(), "ledger.db")
	first := hub.Schema
	first.Steps = first.Steps[:1]
	db, err := sqlite.Open(t.Context(), path, sqlite.Durable, first)
	if err != nil {
		t.Fatal(err)
	}
	p.ingest(e[:2]...)
	_, err = db.Exec(`ATTACH ? AS new`, filepath.Join(p.dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"INSERT INTO counter SELECT counter, ack_ms FROM new.counter",
		"INSERT INTO epoch SELECT counter, epoch, through, head, seen_ms FROM new.epoch",
		"INSERT INTO event SELECT * FROM new.event",
		"DETACH new",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p.ledger.Close()
	if p.ledger, err = hub.ReadLedger(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if w := p.whole(); w.Events != 2 || len(p.entries()) != 2 {
		t.Errorf("%+v", w)
	}
	p.ledger.Close()
	if p.ledger, err = hub.OpenLedger(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	if r := p.ingest(e[1], c.tombstone(e[2])); r.Duplicates != 1 || r.Owed != 1 {
		t.Errorf("%+v", r)
	}
	if w := p.whole(); w != (hub.Whole{Events: 2, Owed: 1}) {
		t.Errorf("%+v", w)
	}
}
