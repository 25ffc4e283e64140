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
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if err := q.trusted(ctx); err != nil {
		return fmt.Errorf("cannot park event: %w", err)
	}
	var n int64
	err := q.withRoom(ctx, func() error {
		res, err := q.append.ExecContext(ctx, `INSERT INTO parked(position, reason, at_ms) SELECT position, ?2, ?3 FROM event WHERE position = ?1
			ON CONFLICT(position) DO UPDATE SET reason = excluded.reason`, q.position(sequence), reason, time.Now().UnixMilli())
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	switch {
	case err != nil:
		q.suspect.Store(true)
		return fmt.Errorf("cannot park event: %w", q.note(err))
	case n == 0:
		return fmt.Errorf("cannot park event: %w", queue.ErrNotFound)
	}
	q.wakeUp()
	return nil
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
