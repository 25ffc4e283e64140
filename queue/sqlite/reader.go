package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"lintas/queue"
)

var (
	errNoRows  = sql.ErrNoRows
	errNoEpoch = fmt.Errorf("%w: it has no epoch", queue.ErrDamaged)
)

// pageSize bounds how many events one read takes: a reader that stays in a
// transaction would keep the write-ahead log from being used again.
const pageSize = 256

// Reader reads a queue file, also while another process writes it and begins
// new epochs in it. What cannot be read is an error that wraps
// queue.ErrDamaged.
type Reader struct {
	db     *sql.DB
	parked atomic.Bool       // the file has the table
	note   func(error) error // told of errors
}

// OpenReader opens the queue file at path for reading only.
func OpenReader(ctx context.Context, path string) (*Reader, error) {
	db, err := Open(ctx, path, ReadOnly, QueueSchema)
	if err != nil {
		return nil, damage(err)
	}
	r := &Reader{db: db, note: damage}
	if _, err := readEpochs(ctx, db); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read queue %s: %w", path, damage(err)), db.Close())
	}
	return r, nil
}

// Close closes the reader.
func (r *Reader) Close() error { return r.db.Close() }

// Status tells how much waits, since when, and what has been acknowledged in
// the current epoch.
func (r *Reader) Status(ctx context.Context) (queue.Status, error) {
	if _, err := r.knowsParked(ctx); err != nil {
		return queue.Status{}, err
	}
	st, err := r.status(ctx)
	return st, r.note(err)
}

func (r *Reader) status(ctx context.Context) (st queue.Status, err error) {
	tx, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return st, err
	}
	defer tx.Rollback()
	epochs, err := readEpochs(ctx, tx)
	if err != nil {
		return st, err
	}
	now := epochs[len(epochs)-1]
	if st.Head, st.Acknowledged, st.AckTime, err = readEnds(ctx, tx, now); err != nil {
		return st, err
	}
	st.Depth = max(st.Head.Sequence, st.Acknowledged) - st.Acknowledged
	if r.parked.Load() {
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM parked").Scan(&st.Parked); err != nil {
			return st, err
		}
	}
	var ms int64
	err = tx.QueryRowContext(ctx, "SELECT at_ms FROM event WHERE position > ? ORDER BY position LIMIT 1",
		now.first-1+int64(st.Acknowledged)).Scan(&ms)
	switch {
	case err == nil:
		st.Oldest = time.UnixMilli(ms).UTC()
	case !errors.Is(err, errNoRows):
		return st, err
	}
	return st, nil
}

// Find returns the event with this id, in whatever epoch, or ErrNotFound.
func (r *Reader) Find(ctx context.Context, id queue.ID) (queue.Event, error) {
	events, _, err := r.page(ctx, "e.id = ?1", id[:], 1)
	if err == nil && len(events) == 0 {
		err = queue.ErrNotFound
	}
	if err != nil {
		return queue.Event{}, err
	}
	return events[0], nil
}

// Events goes through the retained events of the current epoch from a sequence
// on, oldest first; from 0 on it goes through those of all epochs. It ends with
// the first error.
func (r *Reader) Events(ctx context.Context, from uint64) iter.Seq2[queue.Event, error] {
	return func(yield func(queue.Event, error) bool) {
		where, arg := "e.position >= (SELECT first - 1 FROM epoch ORDER BY number DESC LIMIT 1) + ?1", int64(from)
		if from == 0 {
			where = "e.position >= ?1"
		}
		for {
			events, last, err := r.page(ctx, where, arg, pageSize)
			if err != nil {
				yield(queue.Event{}, err)
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			if len(events) < pageSize {
				return
			}
			where, arg = "e.position > ?1", last
		}
	}
}

// page returns the events that a condition with one argument chooses, in order,
// and the position of the last.
func (r *Reader) page(ctx context.Context, where string, arg any, max int) (events []queue.Event, last int64, err error) {
	parked := "NULL"
	if ok, err := r.knowsParked(ctx); err != nil {
		return nil, 0, err
	} else if ok {
		parked = "(SELECT reason FROM parked WHERE parked.position = e.position)"
	}
	rows, err := r.db.QueryContext(ctx, `SELECT e.position, e.id, e.at_ms, e.hash, e.sealed, e.note,
		e.position <= coalesce((SELECT through FROM watermark), 0), `+parked+`, p.id, e.position - p.first + 1
		FROM event e LEFT JOIN epoch p ON p.number = (SELECT max(number) FROM epoch WHERE first <= e.position)
		WHERE `+where+` ORDER BY e.position LIMIT ?2`, arg, max)
	if err != nil {
		return nil, 0, r.note(err)
	}
	events, last, err = scanEvents(rows)
	return events, last, r.note(err)
}

// scanEvents reads all rows and closes them. Their columns are position, id,
// time, hash, sealed bytes, note, whether it is acknowledged, why it is parked,
// epoch, sequence.
func scanEvents(rows *sql.Rows) (events []queue.Event, last int64, err error) {
	defer rows.Close()
	for rows.Next() {
		var ms int64
		var reason sql.NullString
		e := queue.Event{}
		if err := rows.Scan(&last, exactly(e.ID[:]), &ms, exactly(e.Hash[:]), &e.Sealed, &e.Note, &e.Acknowledged, &reason,
			exactly(e.Epoch[:]), &e.Sequence); err != nil {
			return nil, 0, err
		}
		e.At, e.Parked = time.UnixMilli(ms).UTC(), reason.String
		events = append(events, e)
	}
	return events, last, rows.Err()
}

// knowsParked tells whether the file has the table of parked events: one that
// only an older program has written so far does not.
func (r *Reader) knowsParked(ctx context.Context) (bool, error) {
	if !r.parked.Load() {
		version, err := pragmaInt(ctx, r.db, "user_version")
		if err != nil {
			return false, r.note(err)
		}
		r.parked.Store(version >= 2)
	}
	return r.parked.Load(), nil
}

type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// span is an epoch and where in the file it begins.
type span struct {
	number int64
	id     queue.Epoch
	first  int64 // position of sequence 1
	began  int64
}

// readEpochs returns all epochs of the file, the current one last. There is at
// least one.
func readEpochs(ctx context.Context, db querier) (epochs []span, err error) {
	rows, err := db.QueryContext(ctx, "SELECT number, id, first, began_ms FROM epoch ORDER BY number")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e span
		if err := rows.Scan(&e.number, exactly(e.id[:]), &e.first, &e.began); err != nil {
			return nil, err
		}
		epochs = append(epochs, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(epochs) == 0 {
		return nil, errNoEpoch
	}
	return epochs, nil
}

// readEnds tells how far an epoch, the current one, has come and how much of it
// is acknowledged.
func readEnds(ctx context.Context, db querier, e span) (head queue.Head, through uint64, ackTime time.Time, err error) {
	head.Epoch = e.id
	var position, ms int64
	err = db.QueryRowContext(ctx, "SELECT position, hash FROM event WHERE position >= ? ORDER BY position DESC LIMIT 1", e.first).
		Scan(&position, exactly(head.Hash[:]))
	if err == nil {
		head.Sequence = uint64(position - e.first + 1)
	} else if !errors.Is(err, errNoRows) {
		return head, 0, ackTime, err
	}
	err = db.QueryRowContext(ctx, "SELECT through, time_ms FROM watermark").Scan(&position, &ms)
	if errors.Is(err, errNoRows) {
		return head, 0, ackTime, nil
	} else if err != nil {
		return head, 0, ackTime, err
	}
	return head, uint64(max(position-e.first+1, 0)), fromMillis(ms), nil
}

// exactly takes a blob of just its own length: the columns are checked when
// they are written, but a damaged file can hold anything.
type exactly []byte

// Scan implements sql.Scanner.
func (x exactly) Scan(v any) error {
	b, ok := v.([]byte)
	if !ok || len(b) != len(x) {
		return fmt.Errorf("%w: a value is not %d bytes long", queue.ErrDamaged, len(x))
	}
	copy(x, b)
	return nil
}
