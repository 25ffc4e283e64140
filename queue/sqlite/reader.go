package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"lintas/queue"
)

var errNoRows = sql.ErrNoRows

// pageSize bounds how many events one read takes: a reader that stays in a
// transaction would keep the write-ahead log from being used again.
const pageSize = 256

// Reader reads a queue file, also while another process writes it.
type Reader struct {
	db    *sql.DB
	epoch queue.Epoch
	first int64
	parks bool // the file has a table of parked events: older ones have none
}

// OpenReader opens the queue file at path for reading only.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	db, err := Open(ctx, path, ReadOnly, QueueSchema)
	if err != nil {
		return nil, err
	}
	r := &Reader{db: db}
	version, err := pragmaInt(ctx, db, "user_version")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read queue %s: %w", path, err), db.Close())
	}
	r.parks = version >= 2
	err = db.QueryRowContext(ctx, "SELECT id, first FROM epoch ORDER BY number DESC LIMIT 1").Scan(exactly(r.epoch[:]), &r.first)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read queue %s: %w", path, err), db.Close())
	}
	return r, nil
}

// Close closes the reader.
func (r *Reader) Close() error { return r.db.Close() }

// Status tells how much waits, since when, and what has been acknowledged.
func (r *Reader) Status(ctx context.Context) (st queue.Status, err error) {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return st, err
	}
	defer tx.Rollback()
	if st.Head, err = lastEvent(ctx, tx, r.epoch, r.first); err != nil {
		return st, err
	}
	var through, ms int64
	through = r.first - 1
	err = tx.QueryRowContext(ctx, "SELECT through, time_ms FROM watermark").Scan(&through, &ms)
	if err != nil && !errors.Is(err, errNoRows) {
		return st, err
	}
	st.Acknowledged = uint64(through - r.first + 1)
	if ms != 0 {
		st.AckTime = time.UnixMilli(ms).UTC()
	}
	st.Depth = max(st.Head.Sequence, st.Acknowledged) - st.Acknowledged
	if r.parks {
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM parked").Scan(&st.Parked); err != nil {
			return st, err
		}
	}
	err = tx.QueryRowContext(ctx, "SELECT at_ms FROM event WHERE position > ? ORDER BY position LIMIT 1", through).Scan(&ms)
	switch {
	case err == nil:
		st.Oldest = time.UnixMilli(ms).UTC()
	case !errors.Is(err, errNoRows):
		return st, err
	}
	return st, nil
}

// Find returns the event with this id, or ErrNotFound.
func (r *Reader) Find(ctx context.Context, id queue.ID) (queue.Event, error) {
	var position int64
	err := r.db.QueryRowContext(ctx, "SELECT position FROM event WHERE id = ?", id[:]).Scan(&position)
	if errors.Is(err, errNoRows) {
		return queue.Event{}, queue.ErrNotFound
	} else if err != nil {
		return queue.Event{}, err
	}
	events, err := r.page(ctx, uint64(position-r.first+1), 1)
	if err == nil && len(events) == 0 {
		err = queue.ErrNotFound
	}
	if err != nil {
		return queue.Event{}, err
	}
	return events[0], nil
}

// Events goes through the retained events from a sequence on, oldest first. It
// ends with the first error.
func (r *Reader) Events(ctx context.Context, from uint64) iter.Seq2[queue.Event, error] {
	return func(yield func(queue.Event, error) bool) {
		for {
			events, err := r.page(ctx, from, pageSize)
			if err != nil {
				yield(queue.Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
				from = e.Sequence + 1
			}
			if len(events) < pageSize {
				return
			}
		}
	}
}

func (r *Reader) page(ctx context.Context, from uint64, max int) ([]queue.Event, error) {
	parked := "''"
	if r.parks {
		parked = "coalesce((SELECT reason FROM parked WHERE parked.position = event.position), '')"
	}
	rows, err := r.db.QueryContext(ctx, `SELECT position, id, at_ms, hash, sealed, note,
		position <= coalesce((SELECT through FROM watermark), 0), `+parked+`
		FROM event WHERE position >= ? ORDER BY position LIMIT ?`, r.first+int64(from)-1, max)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var events []queue.Event
	for rows.Next() {
		var position, ms int64
		e := queue.Event{}
		if err := rows.Scan(&position, exactly(e.ID[:]), &ms, exactly(e.Hash[:]), &e.Sealed, &e.Note, &e.Acknowledged, &e.Parked); err != nil {
			return nil, err
		}
		e.Epoch, e.Sequence, e.At = r.epoch, uint64(position-r.first+1), time.UnixMilli(ms).UTC()
		events = append(events, e)
	}
	return events, rows.Err()
}

type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func lastEvent(ctx context.Context, db querier, epoch queue.Epoch, first int64) (queue.Head, error) {
	head := queue.Head{Epoch: epoch}
	var position int64
	err := db.QueryRowContext(ctx, "SELECT position, hash FROM event ORDER BY position DESC LIMIT 1").Scan(&position, exactly(head.Hash[:]))
	if errors.Is(err, errNoRows) {
		return head, nil
	} else if err != nil {
		return head, err
	}
	head.Sequence = uint64(position - first + 1)
	return head, nil
}

// exactly takes a blob of just its own length: the columns are checked when
// they are written, but a damaged file can hold anything.
type exactly []byte

// Scan implements sql.Scanner.
func (x exactly) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(x) {
		return fmt.Errorf("damaged: it is not %d bytes", len(x))
	}
	copy(x, b)
	return nil
}
