package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lintas/queue"
)

// pruneBatch bounds how many events one Prune transaction removes, so that a
// Put never waits long behind it; pruneFull, when there is hardly any room.
const (
	pruneBatch = 500
	pruneFull  = 50
)

// Acknowledge moves the watermark to what a verified acknowledgement proves.
// It may also move it back: then the far end was restored from a backup and
// everything from there is leased again. ErrStale and ErrForeign leave
// everything as it was. An acknowledgement that was taken before is fine.
//
// Of epochs before the current one only what they hold back is heeded: what
// could not be acknowledged there has been taken over into this one.
func (q *Queue) Acknowledge(ctx context.Context, a queue.Acknowledgement) error {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if err := q.trusted(ctx); err != nil {
		return fmt.Errorf("cannot record acknowledgement: %w", err)
	}
	q.mu.Lock()
	head, before, beforeTime := q.head, q.through, q.ackTime
	q.mu.Unlock()
	if a.Time.Before(beforeTime) {
		return queue.ErrStale
	}
	// An epoch that is not named is one of which the far end has nothing.
	var mine queue.EpochAck
	for _, e := range a.Epochs {
		if e.Epoch == q.epoch {
			mine = e
		}
	}
	if mine.Through > head.Sequence {
		return fmt.Errorf("%w: it reaches to %d, the last event is %d", queue.ErrForeign, mine.Through, head.Sequence)
	}
	if mine.Through > 0 {
		var hash []byte
		err := q.ack.QueryRowContext(ctx, "SELECT hash FROM event WHERE position = ?", q.position(mine.Through)).Scan(&hash)
		switch {
		case errors.Is(err, errNoRows): // pruned: its hash cannot be compared any more
		case err != nil:
			return q.note(err)
		case !bytes.Equal(hash, mine.Head[:]):
			return fmt.Errorf("%w: the hash at %d differs", queue.ErrForeign, mine.Through)
		}
	}
	if mine.Through == before && a.Time.Equal(beforeTime) {
		return nil
	}
	hold, err := q.held(ctx, a.Epochs)
	if err != nil {
		return q.note(err)
	}
	err = q.withRoom(ctx, func() error {
		// What the far end has behind the first event that it could not use, it
		// may still lack; of all before, it has the bodies, except of what
		// never was in a chain that it knows.
		_, err := q.ack.ExecContext(ctx, `INSERT INTO watermark(one, through, time_ms, hold) VALUES(1, ?1, ?2, ?3)
			ON CONFLICT(one) DO UPDATE SET through = excluded.through, time_ms = excluded.time_ms, hold = excluded.hold;
			DELETE FROM parked WHERE position <= ?1 AND position < coalesce(?3, ?1 + 1) AND reason <> ?4;
			DELETE FROM confirmed WHERE through > ?1;
			INSERT INTO confirmed(time_ms, through) SELECT ?2, ?1
			WHERE NOT EXISTS (SELECT 1 FROM confirmed WHERE time_ms > ?2 - ?5)`,
			q.position(mine.Through), a.Time.UnixMilli(), hold, cannotWrap, confirmedEvery.Milliseconds())
		return err
	})
	if err != nil {
		q.suspect.Store(true)
		return fmt.Errorf("cannot record acknowledgement: %w", q.note(err))
	}
	q.mu.Lock()
	q.through, q.ackTime = mine.Through, a.Time
	if q.through < before || q.leased < q.through {
		q.leased = q.through
	}
	q.rouse()
	q.mu.Unlock()
	q.drop()
	return nil
}

// held is the first position that an acknowledgement holds back, in any epoch
// of which something may be left; nil if there is none.
func (q *Queue) held(ctx context.Context, acks []queue.EpochAck) (hold any, err error) {
	for _, e := range acks {
		if e.Hold == 0 {
			continue
		}
		first := q.first
		if e.Epoch != q.epoch {
			err := q.ack.QueryRowContext(ctx, "SELECT first FROM epoch WHERE id = ?", e.Epoch[:]).Scan(&first)
			if errors.Is(err, errNoRows) {
				continue
			} else if err != nil {
				return nil, err
			}
		}
		if at := first + int64(e.Hold) - 1; hold == nil || at < hold.(int64) {
			hold = at
		}
	}
	return hold, nil
}

// Acknowledged is the sequence up to which the far end holds everything.
func (q *Queue) Acknowledged() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.through
}

// AckTime is the far end's time of the last acknowledgement; zero if none came.
func (q *Queue) AckTime() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ackTime
}

// Prune removes events that were acknowledged before the given time, the oldest
// first. The time is the far end's, as in AckTime: this machine's clock may
// stand anywhere, and has stood anywhere when the events were written. It
// removes a bounded number and tells whether there are more. The head stays, so
// that the chain goes on, and so does what is parked.
func (q *Queue) Prune(ctx context.Context, before time.Time) (n int64, more bool, err error) {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if err := q.trusted(ctx); err != nil {
		return 0, false, fmt.Errorf("cannot prune queue %s: %w", q.path, err)
	}
	batch := int64(pruneBatch)
	if q.full.Load() {
		batch = pruneFull
	}
	for {
		err = q.withRoom(ctx, func() error {
			n, err = q.prune(ctx, before.UnixMilli(), batch)
			return err
		})
		if !IsFull(err) || batch == 1 {
			break
		}
		batch = max(batch/8, 1) // what is removed stands in the log first
		if err := q.reopen(ctx); err != nil {
			break
		}
	}
	if err != nil {
		q.suspect.Store(true)
		return 0, false, fmt.Errorf("cannot prune queue %s: %w", q.path, q.note(err))
	}
	q.makeRoom(ctx)
	return n, n == batch, nil
}

func (q *Queue) prune(ctx context.Context, before, batch int64) (int64, error) {
	q.mu.Lock()
	limit := q.first - 1 + int64(min(q.through, max(q.head.Sequence, 1)-1))
	q.mu.Unlock()
	tx, err := q.append.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback()
	var n int64
	var last sql.NullInt64
	if err := tx.QueryRowContext(ctx, "SELECT count(*), max(position) FROM ("+prunable+")", limit, before, batch).Scan(&n, &last); err != nil || n == 0 {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM event WHERE position IN ("+prunable+")", limit, before, batch); err != nil {
		return 0, err
	}
	// Of what is known to be old the newest row says it all.
	if _, err := tx.ExecContext(ctx, "DELETE FROM confirmed WHERE time_ms < (SELECT max(time_ms) FROM confirmed WHERE time_ms < ?)", before); err != nil {
		return 0, err
	}
	// A gap up to here is nothing to worry about.
	if _, err := tx.ExecContext(ctx, "UPDATE pruned SET through = max(through, ?)", last.Int64); err != nil {
		return 0, err
	}
	return n, tx.Commit()
}

// confirmedEvery bounds how often it is written down when what was confirmed.
const confirmedEvery = time.Hour

const prunable = `SELECT position FROM event
	WHERE position <= ?1 AND position <= coalesce((SELECT max(through) FROM (
		SELECT time_ms, through FROM confirmed UNION ALL SELECT time_ms, through FROM watermark) WHERE time_ms < ?2), 0)
	AND position < coalesce((SELECT hold FROM watermark), ?1 + 1)
	AND position NOT IN (SELECT position FROM parked)
	ORDER BY position LIMIT ?3`

func (q *Queue) position(sequence uint64) int64 { return q.first + int64(sequence) - 1 }
