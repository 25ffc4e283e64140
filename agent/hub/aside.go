package hub

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"lintas/agent/crossing"
	"lintas/queue"
)

// asideLimit bounds how many events are kept aside for one trusted counter and
// reason, and for all others together: whoever can publish must not be able to
// fill the disk.
const asideLimit = 1000

// aside keeps what cannot be accepted. What comes on the topic of a counter
// that nobody trusts is kept under no counter; what could never be an event
// leaves only its hash.
func (in *ingest) aside(d Delivery, reason string) error {
	if keys, err := in.keys.For(d.Counter); err != nil || len(keys) == 0 {
		d.Counter = ""
	}
	a := Aside{d.Counter, reason}
	in.result.Aside = append(in.result.Aside, a)
	if _, counted := in.kept[a]; !counted {
		var n int64
		err := in.tx.row(in.ctx, "SELECT count(*) FROM aside WHERE counter = ? AND reason = ? AND decision IS NULL", d.Counter, reason).Scan(&n)
		if err != nil {
			return err
		}
		in.kept[a] = n
	}
	if in.kept[a] >= asideLimit {
		return nil
	}
	kept := d.Sealed
	if len(kept) > crossing.MaxSealed || reason == AsideTopic {
		kept = []byte{}
	}
	in.kept[a]++
	in.toKeep = append(in.toKeep, keptAside{a, kept, queue.Hash(hashOf(d.Sealed))})
	return nil
}

// keptAside is an event that is to be kept aside.
type keptAside struct {
	Aside
	sealed []byte
	hash   queue.Hash
}

// putAside writes what is kept aside, in the order of the hashes: two hubs that
// have the same things never wait for each other.
func (in *ingest) putAside() error {
	slices.SortFunc(in.toKeep, func(a, b keptAside) int { return bytes.Compare(a.hash[:], b.hash[:]) })
	var rows [][]any
	for _, k := range in.toKeep {
		rows = append(rows, []any{k.Counter, k.Reason, k.sealed, k.hash[:], in.now.UnixMilli()})
	}
	_, err := in.tx.insert(in.ctx, "aside(counter, reason, sealed, hash, received_ms)", rows, "ON CONFLICT(hash, reason) DO NOTHING")
	return err
}

// forget drops what was kept aside and is in the ledger now, to the byte: its
// key was not trusted when it first came.
func (in *ingest) forget(sealed []byte) error {
	if len(in.toKeep) > 0 {
		hash := queue.Hash(hashOf(sealed))
		in.toKeep = slices.DeleteFunc(in.toKeep, func(k keptAside) bool { return k.hash == hash })
	}
	if in.asides == nil {
		in.asides = new(bool)
		if err := in.tx.row(in.ctx, "SELECT EXISTS (SELECT 1 FROM aside)").Scan(in.asides); err != nil {
			return err
		}
	}
	if !*in.asides {
		return nil
	}
	_, err := in.tx.exec(in.ctx, "DELETE FROM aside WHERE hash = ?", hashOf(sealed))
	return err
}

// Retake takes in again what was kept aside for a counter because its key was
// not trusted, in the order of the chain. What lies behind a gap stays aside:
// the counter sends it again, as it does with everything that is not
// acknowledged, so nothing depends on what was kept.
func (l *Ledger) Retake(ctx context.Context, keys *KeyRing, counter string) (Result, error) {
	return l.ingest(ctx, keys, []string{counter}, func(in *ingest) error {
		list, err := in.readable(counter)
		if err != nil {
			return err
		}
		for _, k := range list {
			d := Delivery{Counter: counter}
			if err := in.tx.row(ctx, "SELECT sealed FROM aside WHERE n = ?", k.n).Scan(&d.Sealed); errors.Is(err, sql.ErrNoRows) {
				continue // another hub has it
			} else if err != nil {
				return err
			}
			early := in.result.Early
			a, reason := keys.arrival(d)
			if err := in.one(d, a, reason); err != nil {
				return err
			}
			if in.result.Early > early {
				continue
			}
			if _, err := in.tx.exec(ctx, "DELETE FROM aside WHERE n = ?", k.n); err != nil {
				return err
			}
		}
		return nil
	})
}

type retaken struct {
	n        int64
	epoch    int // in order of appearance
	sequence uint64
}

// readable lists what is kept aside for an unknown key and can be opened now,
// in the order of the chains. Only the places are held in memory.
func (in *ingest) readable(counter string) (list []retaken, err error) {
	rows, err := in.tx.query(in.ctx, "SELECT n, sealed FROM aside WHERE reason = ? AND counter IN (?, '') AND decision IS NULL ORDER BY n", AsideKey, counter)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	epochs := map[chainOf]int{}
	for rows.Next() {
		var n int64
		var sealed []byte
		if err := rows.Scan(&n, &sealed); err != nil {
			return nil, err
		}
		a, reason := in.keys.arrival(Delivery{Counter: counter, Sealed: sealed})
		if reason != "" {
			continue
		}
		of := chainOf{counter, a.at.Epoch}
		if _, seen := epochs[of]; !seen {
			epochs[of] = len(epochs)
		}
		list = append(list, retaken{n, epochs[of], a.at.Sequence})
	}
	slices.SortStableFunc(list, func(a, b retaken) int {
		if a.epoch != b.epoch {
			return a.epoch - b.epoch
		}
		return int(int64(a.sequence) - int64(b.sequence))
	})
	return list, rows.Err()
}

// AsideCount counts what was kept aside and nobody has decided on, by reason.
func (l *Ledger) AsideCount(ctx context.Context) (map[string]int, error) {
	undecided := "WHERE decision IS NULL"
	if l.version < 3 {
		undecided = ""
	}
	rows, err := l.query(ctx, "SELECT reason, count(*) FROM aside "+undecided+" GROUP BY reason")
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
