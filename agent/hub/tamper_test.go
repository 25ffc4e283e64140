package hub_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"lintas/agent/hub"
	"lintas/queue"
	"lintas/queue/sqlite"
)

// cut opens the ledger as somebody with its file or a password could.
func (p *place) cut() *sql.DB {
	p.t.Helper()
	if p.knife != nil {
		return p.knife
	}
	var err error
	if strings.HasPrefix(p.db, "postgres:") {
		if p.knife, err = sql.Open("pgx", p.db); err == nil {
			_, err = p.knife.Exec("CREATE FUNCTION zeroblob(n int) RETURNS bytea LANGUAGE sql AS $$ SELECT decode(repeat('00', n), 'hex') $$")
		}
	} else {
		p.knife, err = sqlite.Open(context.Background(), p.db, sqlite.Relaxed, hub.Schema)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { p.knife.Close() })
	return p.knife
}

// tamper changes the ledger.
func (p *place) tamper(statement string, args ...any) {
	p.t.Helper()
	db := p.cut()
	if strings.HasPrefix(p.db, "postgres:") {
		statement = strings.ReplaceAll(statement, "?", "$")
	}
	if _, err := db.Exec(statement, args...); err != nil {
		p.t.Fatal(err)
	}
}

// look reads one row of the ledger.
func (p *place) look(query string, into ...any) {
	p.t.Helper()
	if err := p.cut().QueryRow(query).Scan(into...); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) brokenAt(want uint64) {
	p.t.Helper()
	_, err := p.ledger.Verify(p.t.Context(), p.keys)
	broken, ok := errors.AsType[*hub.BrokenError](err)
	if !ok || broken.Sequence != want || broken.Counter != p.id {
		p.t.Errorf("verify says %v, want a break at %d", err, want)
	}
}

// "A removed, altered, reordered or cut event is found by the hub": whatever
// is done to any row of the ledger, verify names the first bad sequence.
func TestVerifyNamesTheFirstBadSequence(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		const events = 8
		p := newPlace(t, at)
		c, fork := p.tape(1, p.key), p.tape(1, p.key)
		c.events(events)
		fork.events(events)
		p.ingest(c.sealed...)
		p.whole()
		hash := func(b []byte) []byte { s, _ := p.keys.Open(p.id, b); return s.Hash[:] }
		restore := func() {
			t.Helper()
			p.tamper("DELETE FROM event")
			p.tamper("UPDATE epoch SET through = 0, head = zeroblob(32)")
			if r := p.ingest(c.sealed...); r.Stored != events {
				t.Fatalf("%+v", r)
			}
		}
		for n := uint64(1); n <= events; n++ {
			row := fmt.Sprintf(" WHERE sequence = %d", n)
			sealed := c.sealed[n-1]
			// Every byte, cheaply: the bytes in turn over the events.
			for i := int(n-1) * 3; i < len(sealed); i += 24 {
				bad := bytes.Clone(sealed)
				bad[i] ^= 1 << (i % 7)
				p.tamper("UPDATE event SET sealed = ?1"+row, bad)
				p.brokenAt(n)
				if t.Failed() {
					t.Fatalf("event %d, byte %d", n, i)
				}
			}
			p.tamper("UPDATE event SET sealed = ?1"+row, sealed)
			for _, column := range []string{"hash = zeroblob(32)", "id = zeroblob(16)", "type = 'lintas.device.up.v1'", "time = '2020-01-01T00:00:00.000Z'"} {
				p.tamper("UPDATE event SET " + column + row)
				p.brokenAt(n)
				restore()
			}
			p.tamper("UPDATE event SET repeated = true" + row) // hidden from whoever asks for it
			p.brokenAt(n)
			restore()
			p.tamper("DELETE FROM event" + row)
			p.brokenAt(n)
			restore()
			p.tamper("DELETE FROM event WHERE sequence >= ?1", n) // the tail, which has been acknowledged
			p.brokenAt(n)
			restore()
			p.tamper("UPDATE event SET sealed = ?1, hash = ?2"+row, fork.sealed[n-1], hash(fork.sealed[n-1])) // another one, well signed
			if n == 1 {
				// Everything after it denies it; being the first, it stands by itself.
				s, err := p.keys.Open(p.id, fork.sealed[0])
				if err != nil {
					t.Fatal(err)
				}
				p.tamper("UPDATE event SET id = ?1, time = ?2"+row, s.UUID[:], s.Time.String())
				p.brokenAt(2)
			} else {
				p.brokenAt(n)
			}
			restore()
			if n < events {
				p.tamper("UPDATE event SET sequence = -1" + row)
				p.tamper("UPDATE event SET sequence = ?1 WHERE sequence = ?1 + 1", n)
				p.tamper("UPDATE event SET sequence = ?1 WHERE sequence = -1", n+1) // swapped with the next
				p.brokenAt(n)
				restore()
				p.tamper(`UPDATE event SET (id, type, time, hash, sealed) = (SELECT id, type, time, hash, sealed FROM event`+row+`)
					WHERE sequence = ?1`, n+1) // written twice
				p.brokenAt(n + 1)
				restore()
			}
		}
		p.tamper("DELETE FROM epoch")
		if _, err := p.ledger.Verify(t.Context(), p.keys); err == nil {
			t.Error("a chain that is listed no more is not missed")
		}
		// The counter's events bring it back.
		if r := p.ingest(c.sealed...); r.Duplicates != events {
			t.Errorf("%+v", r)
		}
		p.whole()
	})
}

// What somebody removed from the ledger is filled again by the counter's own
// events and by nothing else, and never stops the hub.
func TestRemovedEventIsTakenInAgain(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		c, fork := p.tape(1, p.key), p.tape(1, p.key)
		e := c.events(6)
		fork.events(6)
		p.ingest(e...)
		for _, gone := range []string{"sequence = 1", "sequence = 3", "sequence IN (3, 4)", "sequence = 6", "sequence > 0"} {
			p.tamper("DELETE FROM event WHERE " + gone)
			if gone != "sequence > 0" { // of a ledger without any event nothing is left to compare with but the end
				for i, b := range fork.sealed {
					if r := p.ingest(b); r.Stored > 0 {
						t.Errorf("%s: another history's event %d was taken", gone, i+1)
					}
				}
			}
			r := p.ingest(e...)
			if r.Stored == 0 || len(r.Notices) != r.Stored || r.Stored+r.Duplicates != 6 {
				t.Errorf("%s: %+v", gone, r)
			}
			if w := p.whole(); w.Events != 6 {
				t.Errorf("%s: %+v", gone, w)
			}
		}
		if of, _ := p.epoch(c.head.Epoch); of.Head != queue.Hash(c.head.Hash).String() {
			t.Errorf("%+v", of)
		}
	})
}
