package hub

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"

	"lintas/agent/crossing"
	"lintas/queue"
)

const (
	// ackEpochs bounds how many epochs an acknowledgement names, those heard
	// last first.
	ackEpochs = 8
	// ackOwed bounds how many owed positions of an epoch it names, the oldest
	// first: a counter keeps everything from the first of them on.
	ackOwed = 64
)

// CodeOwed says in an acknowledgement that only a tombstone came: the event's
// position is confirmed, and its body must be kept until it has followed.
const CodeOwed = "owed"

// Ack says where a counter stands. Its time is later than that of every
// acknowledgement before.
func (l *Ledger) Ack(ctx context.Context, counter string) (a crossing.Ack, err error) {
	err = l.Acks(ctx, []string{counter}, func(acks []crossing.Ack) error {
		a = acks[0]
		return nil
	})
	return a, err
}

// Acks says where counters stand, some at a time. While publish runs, no other
// hub can say anything newer of them; it returns when the broker has what it
// was given.
func (l *Ledger) Acks(ctx context.Context, counters []string, publish func([]crossing.Ack) error) error {
	for some := range slices.Chunk(union(counters, nil), rowsAtOnce) {
		var acks []crossing.Ack
		var published error
		err := l.attempt(ctx, func() error {
			tx, err := l.begin(ctx, nil)
			if err != nil {
				return err
			}
			defer tx.rollback()
			if acks, err = tx.acks(ctx, some); err != nil {
				return err
			}
			if l.postgres && published == nil { // the one hub that has a file need not hold it up
				published = publish(acks)
			}
			return tx.commit()
		})
		if err != nil {
			return fmt.Errorf("cannot acknowledge: %w", err)
		}
		if !l.postgres {
			published = publish(acks)
		}
		if published != nil {
			return published
		}
	}
	return nil
}

// acks says where counters stand, as one moment: all have the same time, by the
// database's clock where several hubs use it, and later than any before.
func (t tx) acks(ctx context.Context, counters []string) ([]crossing.Ack, error) {
	now := int64(0)
	if err := t.lock(ctx, counters, counters, func(_ string, last int64, _ bool) { now = max(now, last+1) }); err != nil {
		return nil, err
	}
	clock := time.Now().UnixMilli()
	if t.postgres {
		if err := t.row(ctx, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint").Scan(&clock); err != nil {
			return nil, err
		}
	}
	now = max(now, clock)
	acks := make([]crossing.Ack, len(counters))
	at := map[string]*crossing.Ack{}
	for i, c := range counters {
		acks[i] = crossing.Ack{Counter: c, Time: crossing.TimeOf(time.UnixMilli(now))}
		at[c] = &acks[i]
	}
	if err := t.ackEpochs(ctx, counters, at); err != nil {
		return nil, err
	}
	rows := make([][]any, len(counters))
	for i, c := range counters {
		rows[i] = []any{c, now}
	}
	_, err := t.insert(ctx, "counter(counter, ack_ms)", rows, "ON CONFLICT(counter) DO UPDATE SET ack_ms = excluded.ack_ms")
	return acks, err
}

// ackEpochs fills in the epochs of acknowledgements.
func (t tx) ackEpochs(ctx context.Context, counters []string, at map[string]*crossing.Ack) error {
	err := t.among(ctx, `SELECT counter, epoch, through, head, missing FROM (SELECT *, row_number() OVER (PARTITION BY counter
		ORDER BY coalesce(heard_ms, seen_ms) DESC, rowid DESC) AS nth FROM epoch WHERE counter in AND closed_ms IS NULL) AS e
		WHERE nth <= `+strconv.Itoa(ackEpochs)+` ORDER BY counter, nth`, anys(counters), func(rows *sql.Rows) error {
		var counter, missing string
		var epoch, head []byte
		var e crossing.AckEpoch
		if err := rows.Scan(&counter, &epoch, &e.Through, &head, &missing); err != nil {
			return err
		}
		lost, err := readRanges(missing, e.Through)
		e.Epoch, e.Head, e.Missing = queue.Epoch(epoch).String(), queue.Hash(head).String(), lost
		at[counter].Epochs = append(at[counter].Epochs, e)
		return err
	})
	if err != nil {
		return err
	}
	return t.among(ctx, `SELECT counter, epoch, sequence FROM (SELECT *, row_number() OVER (PARTITION BY counter, epoch ORDER BY sequence) AS nth
		FROM owed WHERE counter in ) AS o WHERE nth <= `+strconv.Itoa(ackOwed)+` ORDER BY counter, epoch, sequence`, anys(counters), func(rows *sql.Rows) error {
		var counter string
		var epoch []byte
		n := crossing.Nack{Code: CodeOwed}
		if err := rows.Scan(&counter, &epoch, &n.Sequence); err != nil {
			return err
		}
		for i, e := range at[counter].Epochs {
			if e.Epoch == queue.Epoch(epoch).String() {
				at[counter].Epochs[i].Nack = append(e.Nack, n)
			}
		}
		return nil
	})
}
