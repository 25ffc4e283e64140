package hub

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/queue"
)

func hashOf(b []byte) []byte { h := sha256.Sum256(b); return h[:] }

// Entry is an event as the ledger lists it: nothing of the record.
type Entry struct {
	Counter  string `json:"counter"`
	Epoch    string `json:"epoch"`
	Sequence uint64 `json:"sequence"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Time     string `json:"time"`
	Hash     string `json:"hash"`
	Repeated bool   `json:"repeated"`

	sealed []byte
}

// Entries goes through the ledger, chain by chain, oldest first.
func (l *Ledger) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		rows, err := l.db.QueryContext(ctx, `SELECT e.counter, e.epoch, e.sequence, e.id, e.type, e.time, e.hash, e.repeated, e.sealed
			FROM event e JOIN epoch p ON p.counter = e.counter AND p.epoch = e.epoch
			ORDER BY e.counter, p.seen_ms, p.rowid, e.sequence`)
		if err != nil {
			yield(Entry{}, fmt.Errorf("cannot read ledger: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var e Entry
			var epoch, id, hash []byte
			if err := rows.Scan(&e.Counter, &epoch, &e.Sequence, &id, &e.Type, &e.Time, &hash, &e.Repeated, &e.sealed); err != nil {
				yield(e, fmt.Errorf("cannot read ledger: %w", err))
				return
			}
			e.Epoch, e.ID, e.Hash = queue.Epoch(epoch).String(), uuid.UUID(id).String(), queue.Hash(hash).String()
			if !yield(e, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Entry{}, fmt.Errorf("cannot read ledger: %w", err))
		}
	}
}

// Sealed gives an event's sealed bytes by its id, and whose it is.
func (l *Ledger) Sealed(ctx context.Context, id uuid.UUID) (counter string, sealed []byte, err error) {
	err = l.db.QueryRowContext(ctx, "SELECT counter, sealed FROM event WHERE id = ? ORDER BY repeated LIMIT 1", id[:]).Scan(&counter, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, fmt.Errorf("the ledger has no event %s", id)
	}
	return counter, sealed, err
}

// AsideCount counts what was kept aside, by reason.
func (l *Ledger) AsideCount(ctx context.Context) (map[string]int, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT reason, count(*) FROM aside GROUP BY reason")
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	count := map[string]int{}
	for rows.Next() {
		var reason string
		var n int
		if err := rows.Scan(&reason, &n); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		count[reason] = n
	}
	return count, rows.Err()
}

// Verify walks every chain of the ledger and returns how many events it found
// whole. The first break ends it.
func (l *Ledger) Verify(ctx context.Context, keys *KeyRing) (n int, err error) {
	var chain *crossing.Chain
	var counter, epoch string
	var next uint64
	for e, err := range l.Entries(ctx) {
		if err != nil {
			return n, err
		}
		if e.Counter != counter || e.Epoch != epoch {
			trusted, err := keys.For(e.Counter)
			if err != nil {
				return n, err
			}
			chain, counter, epoch, next = &crossing.Chain{Keys: trusted, Counter: e.Counter}, e.Counter, e.Epoch, 1
		}
		s, err := chain.Next(next, e.sealed)
		if err == nil && s.Hash.String() != e.Hash {
			err = &crossing.ChainError{Sequence: next, Reason: "the stored hash differs"}
		}
		if err != nil {
			return n, fmt.Errorf("counter %s, epoch %s: %w", e.Counter, e.Epoch, err)
		}
		next++
		n++
	}
	return n, nil
}
