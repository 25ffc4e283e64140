package hub

import (
	"database/sql"
	"time"
)

const (
	// waitingLimit bounds how many events of a counter wait for one before
	// them: as many as a counter sends without having heard of any.
	waitingLimit = 4096
	// waitingFor is how long one waits, when there is no room for another: the
	// counter has long sent it again.
	waitingFor = time.Hour
	followers  = 64 // are looked at together
)

// keep lets an event wait for the one before it, which another hub has. What
// finds no room is dropped: the counter sends it again.
func (in *ingest) keep(a arrival) error {
	of := in.counters[a.counter]
	if of.waiting >= waitingLimit {
		r, err := in.tx.exec(in.ctx, "DELETE FROM waiting WHERE counter = ? AND received_ms < ?", a.counter, in.now.Add(-waitingFor).UnixMilli())
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if of.waiting -= n; err != nil || of.waiting >= waitingLimit {
			return err
		}
	}
	n, err := in.tx.insert(in.ctx, "waiting(counter, epoch, sequence, sealed, received_ms)",
		[][]any{{a.counter, a.at.Epoch[:], a.at.Sequence, a.sealed, in.now.UnixMilli()}}, "ON CONFLICT DO NOTHING")
	of.waiting += n
	return err
}

// follow takes in what waits for the event that has just been stored, as far as
// there is no gap.
func (in *ingest) follow(of chainOf) error {
	counter := in.counters[of.counter]
	for counter != nil && counter.waiting > 0 {
		list, err := in.followers(of)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, d := range list {
			a, reason := in.keys.arrival(d)
			if reason == "" && a.at.Sequence != in.chain(of).head.Sequence+1 {
				return nil
			}
			if reason == "" {
				out, err := in.take(a)
				if err != nil {
					return err
				}
				reason = out.Reason
			}
			if reason != "" {
				// It may wait no longer, or it would stand in the way of the right one.
				_, err := in.tx.exec(in.ctx, "DELETE FROM waiting WHERE counter = ? AND epoch = ? AND sealed = ?", of.counter, of.epoch[:], d.Sealed)
				if err != nil {
					return err
				}
				return in.aside(d, reason)
			}
			if err := in.forget(d.Sealed); err != nil {
				return err
			}
		}
	}
	return nil
}

// followers reads what waits behind the end of a chain, the next first.
func (in *ingest) followers(of chainOf) (found []Delivery, err error) {
	rows, err := in.tx.query(in.ctx, "SELECT sealed FROM waiting WHERE counter = ? AND epoch = ? AND sequence > ? ORDER BY sequence LIMIT ?",
		of.counter, of.epoch[:], in.chain(of).head.Sequence, followers)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		d := Delivery{Counter: of.counter}
		if err := rows.Scan(&d.Sealed); err != nil {
			return nil, err
		}
		found = append(found, d)
	}
	return found, rows.Err()
}

// waitNoLonger removes what has been passed.
func (in *ingest) waitNoLonger() error {
	for of, c := range in.chains {
		if c.grown && in.counters[of.counter].waiting > 0 {
			_, err := in.tx.exec(in.ctx, "DELETE FROM waiting WHERE counter = ? AND epoch = ? AND sequence <= ?", of.counter, of.epoch[:], c.head.Sequence)
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// countWaiting counts what waits of each counter of the transaction.
func (in *ingest) countWaiting(counters []string) error {
	return in.tx.among(in.ctx, "SELECT counter, count(*) FROM waiting WHERE counter in GROUP BY counter", anys(counters), func(rows *sql.Rows) error {
		var counter string
		var n int64
		err := rows.Scan(&counter, &n)
		if err == nil {
			in.counters[counter].waiting = n
		}
		return err
	})
}
