package hub

import (
	"context"
	"crypto/sha256"
	"fmt"
	"iter"

	"github.com/google/uuid"

	"lintas/queue"
)

func hashOf(b []byte) []byte { h := sha256.Sum256(b); return h[:] }

// Entry is an event as the ledger lists it: nothing of the record. Of one that
// is owed only the position and the hash are known.
type Entry struct {
	Counter  string `json:"counter"`
	Epoch    string `json:"epoch"`
	Sequence uint64 `json:"sequence"`
	ID       string `json:"id"`
	Type     string `json:"type"`
	Time     string `json:"time"`
	Hash     string `json:"hash"`
	Repeated bool   `json:"repeated"`
	Owed     bool   `json:"owed"` // only a tombstone came, the body is to follow

	sealed []byte // the event, or the tombstone
}

// Entries goes through the ledger, chain by chain, oldest first.
func (l *Ledger) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		ends, err := l.ends(ctx, l.store)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for _, of := range ends {
			for e, err := range l.chain(ctx, l.store, of) {
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// end is where a chain ends, as it was acknowledged.
type end struct {
	chainOf
	through uint64
	head    queue.Hash
	missing ranges
}

// ends lists the chains, in the order in which they were first heard of.
func (l *Ledger) ends(ctx context.Context, q store) (list []end, err error) {
	missing := "missing"
	if l.version < 2 {
		missing = "'[]'"
	}
	rows, err := q.query(ctx, "SELECT counter, epoch, through, head, "+missing+" FROM epoch ORDER BY counter, seen_ms, rowid")
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e end
		var epoch, head []byte
		var missing string
		if err := rows.Scan(&e.counter, &epoch, &e.through, &head, &missing); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		if e.missing, err = readRanges(missing, e.through); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		e.epoch, e.head = queue.Epoch(epoch), queue.Hash(head)
		list = append(list, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	return list, nil
}

// chain goes through one chain. What is owed is read beforehand: it is little.
func (l *Ledger) chain(ctx context.Context, q store, of end) iter.Seq2[Entry, error] {
	const events = `SELECT sequence, id, type, time, hash, repeated, sealed, false FROM event WHERE counter = ? AND epoch = ? ORDER BY sequence`
	const owing = `SELECT sequence, NULL, '', '', hash, false, sealed, true FROM owed WHERE counter = ? AND epoch = ? ORDER BY sequence`
	return func(yield func(Entry, error) bool) {
		var owed []Entry
		if l.version >= 2 {
			for e, err := range entries(ctx, q, owing, of.chainOf) {
				if err != nil {
					yield(e, err)
					return
				}
				owed = append(owed, e)
			}
		}
		for e, err := range entries(ctx, q, events, of.chainOf) {
			for err == nil && len(owed) > 0 && owed[0].Sequence <= e.Sequence {
				if !yield(owed[0], nil) {
					return
				}
				owed = owed[1:]
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		for _, e := range owed {
			if !yield(e, nil) {
				return
			}
		}
	}
}

func entries(ctx context.Context, q store, query string, of chainOf) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		rows, err := q.query(ctx, query, of.counter, of.epoch[:])
		if err != nil {
			yield(Entry{}, fmt.Errorf("cannot read ledger: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			e := Entry{Counter: of.counter, Epoch: of.epoch.String()}
			var id, hash []byte
			if err := rows.Scan(&e.Sequence, &id, &e.Type, &e.Time, &hash, &e.Repeated, &e.sealed, &e.Owed); err != nil {
				yield(e, fmt.Errorf("cannot read ledger: %w", err))
				return
			}
			if e.Hash = queue.Hash(hash).String(); len(id) == len(uuid.UUID{}) {
				e.ID = uuid.UUID(id).String()
			}
			if !yield(e, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(Entry{}, fmt.Errorf("cannot read ledger: %w", err))
		}
	}
}

// Sealed gives the events with this id and whose they are: one, unless another
// counter uses the same id, or this one used it for two different events.
func (l *Ledger) Sealed(ctx context.Context, id uuid.UUID) (found []Delivery, err error) {
	rows, err := l.query(ctx, "SELECT counter, sealed FROM event WHERE id = ? AND NOT repeated", id[:])
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
