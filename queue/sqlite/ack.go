package sqlite

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"lintas/queue"
)

// pruneBatch bounds how many events one Prune transaction removes, so that a
// Put never waits long behind it.
const pruneBatch = 500

// Acknowledge moves the watermark to what a verified acknowledgement proves.
// It may also move it back: then the far end was restored from a backup and
// everything from there is leased again. ErrStale and ErrForeign leave
// everything as it was. An acknowledgement that was taken before is fine.
func (q *Queue) Acknowledge(ctx context.Context, a queue.Acknowledgement) error {
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
			return err
		case !bytes.Equal(hash, mine.Head[:]):
			return fmt.Errorf("%w: the hash at %d differs", queue.ErrForeign, mine.Through)
		}
	}
	if mine.Through == before && a.Time.Equal(beforeTime) {
		return nil
	}
	var hold any
	if mine.Hold > 0 {
		hold = q.position(mine.Hold)
	}
	// What the far end has behind the first event that it could not use, it may
	// still lack; of all before, it has the bodies.
	_, err := q.ack.ExecContext(ctx, `INSERT INTO watermark(one, through, time_ms, hold) VALUES(1, ?1, ?2, ?3)
		ON CONFLICT(one) DO UPDATE SET through = excluded.through, time_ms = excluded.time_ms, hold = excluded.hold;
		DELETE FROM parked WHERE position <= ?1 AND position < coalesce(?3, ?1 + 1)`,
		q.position(mine.Through), a.Time.UnixMilli(), hold)
	if err != nil {
		q.suspect.Store(true)
		return fmt.Errorf("cannot record acknowledgement: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.through, q.ackTime = mine.Through, a.Time
	if q.through < before || q.leased < q.through {
		q.leased = q.through
	}
	q.rouse()
	return nil
}

// Acknowledged is the sequence up to which the far end holds everything.
func (q *Queue) Acknowledged() uint64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.through
}

// Prune removes events that are acknowledged and were written before the
// given time, the oldest first. It removes a bounded number and tells whether
// there are more. The head stays, so that the chain goes on.
func (q *Queue) Prune(ctx context.Context, before time.Time) (n int64, more bool, err error) {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if q.suspect.Load() {
		if err := q.reopen(ctx); err != nil {
			return 0, false, fmt.Errorf("cannot prune queue %s: %w", q.path, err)
		}
	}
	q.mu.Lock()
	limit := min(q.through, max(q.head.Sequence, 1)-1)
	q.mu.Unlock()
	res, err := q.append.ExecContext(ctx, `DELETE FROM event WHERE position IN (
		SELECT position FROM event
		WHERE position <= ?1 AND at_ms < ?2 AND position < coalesce((SELECT hold FROM watermark), ?1 + 1)
			AND position NOT IN (SELECT position FROM parked)
		ORDER BY position LIMIT ?3)`,
		q.position(limit), before.UnixMilli(), pruneBatch)
	if err != nil {
		q.suspect.Store(true)
		return 0, false, fmt.Errorf("cannot prune queue %s: %w", q.path, err)
	}
	n, err = res.RowsAffected()
	return n, n == pruneBatch, err
}

func (q *Queue) position(sequence uint64) int64 { return q.first + int64(sequence) - 1 }
