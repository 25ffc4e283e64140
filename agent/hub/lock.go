package hub

import (
	"context"
	"database/sql"
	"maps"
	"slices"

	"lintas/agent/crossing"
	"lintas/queue"
)

// counterRow is a counter whose row is locked: nobody else takes in its events
// or acknowledges them before the transaction ends.
type counterRow struct {
	revoked bool
	waiting int64 // how many events wait for one before them
	cleared bool  // of those that have waited for long
	closes  bool  // it has an epoch that goes on in another one
}

// chainEnd is the end of a chain in the transaction.
type chainEnd struct {
	head    queue.Head
	closed  bool              // nothing of it was outstanding
	heard   bool              // something of it came
	grown   bool              // the head has moved
	waiting map[uint64]waiter // behind the head, by sequence
}

// lock locks the rows of counters, always in the order of their names: two hubs
// that need the same ones never wait for each other. Only counters that are
// trusted have rows: nobody else can make the ledger grow by inventing names.
func (in *ingest) lock(counters []string) error {
	counters = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(counters))), func(c string) bool { return !crossing.ValidCounter(c) })
	trusted := slices.DeleteFunc(slices.Clone(counters), func(c string) bool {
		keys, err := in.keys.For(c)
		return err != nil || len(keys) == 0
	})
	err := in.tx.lock(in.ctx, trusted, counters, func(counter string, _ int64, revoked bool) {
		in.counters[counter] = &counterRow{revoked: revoked}
	})
	if err != nil {
		return err
	}
	counters = slices.Sorted(maps.Keys(in.counters))
	// What another hub was told by a counter's former key, or an operator said.
	if err := in.tx.learn(in.ctx, in.keys, counters); err != nil {
		return err
	}
	err = in.tx.among(in.ctx, "SELECT counter, epoch, through, head, closed_ms IS NOT NULL, successor IS NOT NULL FROM epoch WHERE counter in ", anys(counters), func(rows *sql.Rows) error {
		var counter string
		var epoch, hash []byte
		var c chainEnd
		var goesOn bool
		if err := rows.Scan(&counter, &epoch, &c.head.Sequence, &hash, &c.closed, &goesOn); err != nil {
			return err
		}
		c.head.Epoch, c.head.Hash = queue.Epoch(epoch), queue.Hash(hash)
		in.chains[chainOf{counter, c.head.Epoch}] = &c
		if goesOn && !c.closed {
			in.counters[counter].closes = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	return in.waiters(counters)
}

// chain gives the end of a chain as the transaction sees it.
func (in *ingest) chain(of chainOf) *chainEnd {
	c := in.chains[of]
	if c == nil {
		c = &chainEnd{head: queue.Head{Epoch: of.epoch}}
		in.chains[of] = c
	}
	return c
}

// advance writes the ends of the chains that were heard. One that was closed is
// open from then on: a counter whose disk was restored from an old copy must
// learn from its acknowledgement that the hub knows more than it does.
func (in *ingest) advance() error {
	var rows [][]any
	for of, c := range in.chains {
		if c.heard || c.grown {
			now := in.now.UnixMilli()
			rows = append(rows, []any{of.counter, of.epoch[:], c.head.Sequence, c.head.Hash[:], now, now})
		}
	}
	_, err := in.tx.insert(in.ctx, "epoch(counter, epoch, through, head, seen_ms, heard_ms)", rows,
		`ON CONFLICT(counter, epoch) DO UPDATE SET through = excluded.through, head = excluded.head, heard_ms = excluded.heard_ms,
		successor = CASE WHEN epoch.closed_ms IS NULL THEN epoch.successor END, closed_ms = NULL`)
	return err
}

// lock makes the rows of trusted counters and locks those of counters that have
// one. Both lists are in order.
func (t tx) lock(ctx context.Context, trusted, counters []string, locked func(counter string, ackMS int64, revoked bool)) error {
	rows := make([][]any, len(trusted))
	for i, c := range trusted {
		rows[i] = []any{c, 0}
	}
	if _, err := t.insert(ctx, "counter(counter, ack_ms)", rows, "ON CONFLICT DO NOTHING"); err != nil {
		return err
	}
	return t.among(ctx, "SELECT counter, ack_ms, revoked_ms IS NOT NULL FROM counter WHERE counter in ORDER BY counter"+t.forUpdate(), anys(counters), func(rows *sql.Rows) error {
		var counter string
		var ack int64
		var revoked bool
		err := rows.Scan(&counter, &ack, &revoked)
		if err == nil {
			locked(counter, ack, revoked)
		}
		return err
	})
}
