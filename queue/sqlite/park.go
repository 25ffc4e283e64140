package sqlite

import (
	"context"
	"fmt"
	"time"

	"lintas/queue"
)

// Park notes that an event of the current epoch does not go over the wire, and
// why. It keeps its place in the chain and Lease goes on handing it out, with
// the reason: something has to be sent in its stead. Its body is not pruned
// until an acknowledgement says that the far end has it all the same. Parking it
// again changes the reason.
func (q *Queue) Park(ctx context.Context, sequence uint64, reason string) error {
	return q.change(ctx, "park event", func() (int64, error) {
		return q.affected(ctx, `INSERT INTO parked(position, reason, at_ms) SELECT position, ?2, ?3 FROM event WHERE position = ?1
			ON CONFLICT(position) DO UPDATE SET reason = excluded.reason`, q.position(sequence), reason, time.Now().UnixMilli())
	})
}

// Unpark says that an event of the current epoch may go over the wire after
// all. If its place is acknowledged already it is not sent again: then it says
// that the far end has the body by another way, and it may be pruned.
func (q *Queue) Unpark(ctx context.Context, sequence uint64) error {
	return q.change(ctx, "unpark event", func() (int64, error) {
		return q.affected(ctx, "DELETE FROM parked WHERE position = ?", q.position(sequence))
	})
}

// change does what touches one row, or nothing if there is no such event.
func (q *Queue) change(ctx context.Context, what string, do func() (int64, error)) error {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if err := q.trusted(ctx); err != nil {
		return fmt.Errorf("cannot %s: %w", what, err)
	}
	var n int64
	err := q.withRoom(ctx, func() (err error) {
		n, err = do()
		return err
	})
	switch {
	case err != nil:
		q.suspect.Store(true)
		return fmt.Errorf("cannot %s: %w", what, q.note(err))
	case n == 0:
		return fmt.Errorf("cannot %s: %w", what, queue.ErrNotFound)
	}
	q.wakeUp()
	return nil
}

func (q *Queue) affected(ctx context.Context, statement string, args ...any) (int64, error) {
	res, err := q.append.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Parked returns the events of all epochs that do not go over the wire, oldest
// first. The far end has at most something in their stead: what it lacks is
// exported from here.
func (r *Reader) Parked(ctx context.Context) ([]queue.Event, error) {
	if ok, err := r.knowsParked(ctx); err != nil || !ok {
		return nil, err
	}
	events, _, err := r.page(ctx, "e.position IN (SELECT position FROM parked)", nil, -1)
	return events, err
}
