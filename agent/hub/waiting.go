package hub

import (
	"cmp"
	"database/sql"
	"slices"
	"time"

	"lintas/queue"
)

const (
	// waitingLimit bounds how many events of a counter wait for one before
	// them: as many as a counter sends without having heard of any.
	waitingLimit = 4096
	// waitingFor is how long one waits, when there is no room for another: the
	// counter has long sent it again.
	waitingFor = time.Hour
)

// waiter is an event that waits for the one before it.
type waiter struct {
	n int64    // of its row; 0: it has come in this transaction
	a *arrival // nil: it is not read yet
}

// waiters finds what waits of each counter of the transaction.
func (in *ingest) waiters(counters []string) error {
	return in.tx.among(in.ctx, "SELECT n, counter, epoch, sequence FROM waiting WHERE counter in ", anys(counters), func(rows *sql.Rows) error {
		var w waiter
		var counter string
		var epoch []byte
		var sequence uint64
		if err := rows.Scan(&w.n, &counter, &epoch, &sequence); err != nil {
			return err
		}
		c := in.chain(chainOf{counter, queue.Epoch(epoch)})
		if c.waiting == nil {
			c.waiting = map[uint64]waiter{}
		}
		c.waiting[sequence] = w
		in.counters[counter].waiting++
		return nil
	})
}

// keep lets an event wait for the one before it, which another hub has. What
// finds no room is dropped: the counter sends it again.
func (in *ingest) keep(a arrival) error {
	counter, c := in.counters[a.counter], in.chain(chainOf{a.counter, a.at.Epoch})
	if _, waits := c.waiting[a.at.Sequence]; waits {
		return nil
	}
	if counter.waiting >= waitingLimit && !counter.cleared {
		counter.cleared = true
		r, err := in.tx.exec(in.ctx, "DELETE FROM waiting WHERE counter = ? AND received_ms < ?", a.counter, in.now.Add(-waitingFor).UnixMilli())
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if counter.waiting -= n; err != nil {
			return err
		}
	}
	if counter.waiting >= waitingLimit {
		return nil
	}
	counter.waiting++
	if c.waiting == nil {
		c.waiting = map[uint64]waiter{}
	}
	c.waiting[a.at.Sequence] = waiter{a: &a}
	return nil
}

// next is an event that waits and can be taken in.
type next struct {
	of       chainOf
	sequence uint64
	waiter
}

// follow takes in what waits for events that have been stored, as far as there
// is no gap. What has been passed waits no longer.
func (in *ingest) follow() error {
	var passed []any
	for {
		list := in.followers()
		if len(list) == 0 {
			break
		}
		if err := in.read(list); err != nil {
			return err
		}
		for _, f := range list {
			c := in.chain(f.of)
			if f.sequence != c.head.Sequence+1 {
				continue // the one before it did not fit
			}
			delete(c.waiting, f.sequence)
			if f.n > 0 {
				passed = append(passed, f.n)
			}
			if f.a == nil {
				continue // somebody removed it
			}
			out, err := in.take(*f.a)
			if err == nil && out.Reason == "" {
				err = in.forget(f.a.sealed)
			} else if err == nil {
				err = in.aside(Delivery{f.of.counter, f.a.sealed}, out.Reason)
			}
			if err != nil {
				return err
			}
		}
	}
	var rows [][]any
	for of, c := range in.chains {
		for sequence, w := range c.waiting {
			switch {
			case sequence <= c.head.Sequence && w.n > 0:
				passed = append(passed, w.n)
			case sequence > c.head.Sequence && w.n == 0:
				rows = append(rows, []any{of.counter, of.epoch[:], sequence, w.a.sealed, in.now.UnixMilli()})
			}
		}
	}
	if _, err := in.tx.insert(in.ctx, "waiting(counter, epoch, sequence, sealed, received_ms)", rows, "ON CONFLICT DO NOTHING"); err != nil {
		return err
	}
	return in.tx.among(in.ctx, "DELETE FROM waiting WHERE n in RETURNING n", passed, func(*sql.Rows) error { return nil })
}

// followers lists what waits right behind the ends of chains, some at a time.
func (in *ingest) followers() (list []next) {
	for of, c := range in.chains {
		for sequence := c.head.Sequence + 1; len(list) < rowsAtOnce; sequence++ {
			w, waits := c.waiting[sequence]
			if !waits {
				break
			}
			list = append(list, next{of, sequence, w})
		}
	}
	slices.SortFunc(list, func(a, b next) int {
		return cmp.Or(cmp.Compare(a.of.counter, b.of.counter), slices.Compare(a.of.epoch[:], b.of.epoch[:]), cmp.Compare(a.sequence, b.sequence))
	})
	return list
}

// read reads those that are not read yet. They are checked anew: nobody vouches
// for what stood in the database.
func (in *ingest) read(list []next) error {
	at := map[int64]*next{}
	var numbers []any
	for i, f := range list {
		if f.a == nil {
			at[f.n] = &list[i]
			numbers = append(numbers, f.n)
		}
	}
	return in.tx.among(in.ctx, "SELECT n, sealed FROM waiting WHERE n in ", numbers, func(rows *sql.Rows) error {
		var n int64
		d := Delivery{}
		if err := rows.Scan(&n, &d.Sealed); err != nil {
			return err
		}
		f := at[n]
		d.Counter = f.of.counter
		if a, reason := in.keys.arrival(d); reason == "" && a.at.Epoch == f.of.epoch && a.at.Sequence == f.sequence {
			f.a = &a
		}
		return nil
	})
}
