package hub

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"lintas/agent/crossing"
)

// Whole is what Verify found where nothing is wrong.
type Whole struct {
	Events  int    `json:"events"`
	Owed    int    `json:"owed"`    // positions whose body is still to come
	Missing uint64 `json:"missing"` // events that the counters said they lost
}

// BrokenError says where the ledger is not what was acknowledged.
type BrokenError struct {
	Counter string
	Epoch   string
	*crossing.ChainError
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("counter %s, epoch %s: %v", e.Counter, e.Epoch, e.ChainError)
}

// Unwrap gives the ChainError.
func (e *BrokenError) Unwrap() error { return e.ChainError }

// Verify walks every chain of the ledger to the end that was acknowledged. The
// first break ends it, with a *BrokenError. It reads one state of the ledger,
// whatever a running hub adds meanwhile.
func (l *Ledger) Verify(ctx context.Context, keys *KeyRing) (w Whole, err error) {
	tx, err := l.snapshot(ctx)
	if err != nil {
		return w, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer tx.rollback()
	ends, err := l.ends(ctx, tx.store)
	if err != nil {
		return w, err
	}
	if err := strays(ctx, tx.store, ends); err != nil {
		return w, err
	}
	for _, of := range ends {
		trusted, err := keys.For(of.counter)
		if err != nil {
			return w, err
		}
		if err := l.walk(ctx, tx.store, of, trusted, &w); err != nil {
			if broken, ok := errors.AsType[*crossing.ChainError](err); ok {
				err = &BrokenError{of.counter, of.epoch.String(), broken}
			}
			return w, err
		}
		w.Missing += of.missing.count()
	}
	return w, hidden(ctx, tx.store)
}

// walk follows one chain to its end.
func (l *Ledger) walk(ctx context.Context, tx store, of end, trusted crossing.Keys, w *Whole) error {
	chain := &crossing.Chain{Keys: trusted, Counter: of.counter}
	var last uint64
	hash := of.head
	for e, err := range l.chain(ctx, tx, of) {
		if err != nil {
			return err
		}
		next := last + 1
		if e.Owed {
			t, err := chain.Pass(next, e.sealed)
			if err != nil {
				return err
			}
			if hash = t.Hash; hash.String() != e.Hash {
				return &crossing.ChainError{Sequence: next, Reason: "the stored hash differs"}
			}
			w.Owed++
		} else {
			s, err := chain.Next(next, e.sealed)
			if err != nil {
				return err
			}
			if hash = s.Hash; hash.String() != e.Hash {
				return &crossing.ChainError{Sequence: next, Reason: "the stored hash differs"}
			}
			// What the ledger lists is what was signed.
			if s.Epoch != e.Epoch || s.ID != e.ID || s.Type != e.Type || s.Time.String() != e.Time {
				return &crossing.ChainError{Sequence: next, Reason: "it is listed under another epoch, id, type or time"}
			}
			w.Events++
		}
		if last = next; last > of.through {
			return &crossing.ChainError{Sequence: next, Reason: "it lies behind the end that was acknowledged"}
		}
	}
	switch {
	case last < of.through:
		return &crossing.ChainError{Sequence: last + 1, Reason: "missing: the end was cut off"}
	case last > 0 && hash != of.head:
		return &crossing.ChainError{Sequence: last, Reason: "it is not the one that was acknowledged"}
	}
	return nil
}

// strays finds events of a chain that the ledger does not list: its end was
// removed, so that nobody would walk it.
func strays(ctx context.Context, tx store, ends []end) error {
	rows, err := tx.query(ctx, "SELECT counter, epoch, min(sequence) FROM event GROUP BY counter, epoch")
	if err != nil {
		return fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var counter string
		var epoch []byte
		var first uint64
		if err := rows.Scan(&counter, &epoch, &first); err != nil {
			return fmt.Errorf("cannot read ledger: %w", err)
		}
		if !slices.ContainsFunc(ends, func(e end) bool { return e.counter == counter && string(e.epoch[:]) == string(epoch) }) {
			return &BrokenError{counter, fmt.Sprintf("%x", epoch), &crossing.ChainError{Sequence: first, Reason: "the ledger does not list this chain"}}
		}
	}
	return rows.Err()
}

// hidden finds events that are marked as repetitions of one that is not there,
// so that nobody would be shown them.
func hidden(ctx context.Context, tx store) error {
	var b BrokenError
	b.ChainError = &crossing.ChainError{Reason: "it is marked as a repetition, but the first of its id is not there"}
	var epoch []byte
	err := tx.row(ctx, `SELECT counter, epoch, sequence FROM event e WHERE e.repeated
		AND NOT EXISTS (SELECT 1 FROM event f WHERE f.id = e.id AND f.counter = e.counter AND NOT f.repeated)
		ORDER BY counter, epoch, sequence LIMIT 1`).Scan(&b.Counter, &epoch, &b.Sequence)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	} else if err != nil {
		return fmt.Errorf("cannot read ledger: %w", err)
	}
	b.Epoch = fmt.Sprintf("%x", epoch)
	return &b
}
