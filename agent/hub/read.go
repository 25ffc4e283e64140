package hub

import (
	"context"
	"crypto/sha256"
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

// Sealed gives the events with this id and whose they are: one, unless a
// counter had to send it in a new chain, or another one uses the same id.
func (l *Ledger) Sealed(ctx context.Context, id uuid.UUID) (found []Delivery, err error) {
	rows, err := l.db.QueryContext(ctx, "SELECT counter, sealed FROM event WHERE id = ? AND repeated = 0", id[:])
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d Delivery
		if err := rows.Scan(&d.Counter, &d.Sealed); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		found = append(found, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("the ledger has no event %s", id)
	}
	return found, nil
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

// Verify walks every chain of the ledger to the end that was acknowledged, and
// returns how many events it found whole. The first break ends it.
func (l *Ledger) Verify(ctx context.Context, keys *KeyRing) (n int, err error) {
	ends, err := l.ends(ctx)
	if err != nil {
		return 0, err
	}
	type chainOf struct{ counter, epoch string }
	chains := map[chainOf]*crossing.Chain{}
	last := map[chainOf]end{}
	for e, err := range l.Entries(ctx) {
		if err != nil {
			return n, err
		}
		of := chainOf{e.Counter, e.Epoch}
		if chains[of] == nil {
			trusted, err := keys.For(e.Counter)
			if err != nil {
				return n, err
			}
			chains[of] = &crossing.Chain{Keys: trusted, Counter: e.Counter}
		}
		next := last[of].through + 1
		s, err := chains[of].Next(next, e.sealed)
		if err == nil && s.Hash.String() != e.Hash {
			err = &crossing.ChainError{Sequence: next, Reason: "the stored hash differs"}
		}
		if err != nil {
			return n, fmt.Errorf("counter %s, epoch %s: %w", e.Counter, e.Epoch, err)
		}
		last[of] = end{e.Counter, e.Epoch, next, e.Hash}
		n++
	}
	for _, want := range ends {
		got := last[chainOf{want.counter, want.epoch}]
		if want.through > 0 && got != want {
			return n, fmt.Errorf("counter %s, epoch %s: %w", want.counter, want.epoch,
				&crossing.ChainError{Sequence: got.through + 1, Reason: "missing: the end was cut off"})
		}
	}
	return n, nil
}

// end is where a chain ends, as it was acknowledged.
type end struct {
	counter, epoch string
	through        uint64
	head           string
}

func (l *Ledger) ends(ctx context.Context) (list []end, err error) {
	rows, err := l.db.QueryContext(ctx, "SELECT counter, epoch, through, head FROM epoch")
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e end
		var epoch, head []byte
		if err := rows.Scan(&e.counter, &epoch, &e.through, &head); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		e.epoch, e.head = queue.Epoch(epoch).String(), queue.Hash(head).String()
		list = append(list, e)
	}
	return list, rows.Err()
}
