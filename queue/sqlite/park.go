package sqlite

import (
	"context"
	"fmt"
	"time"

	"lintas/queue"
)

// Park notes durably why an event does not go over the wire. The event keeps its
// place in the chain; Lease goes on giving it, marked. It is not pruned until an
// acknowledgement says that the far end has the body all the same.
func (q *Queue) Park(ctx context.Context, sequence uint64, reason string) error {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	res, err := q.append.ExecContext(ctx, `INSERT INTO parked(position, reason, at_ms)
		SELECT position, ?, ? FROM event WHERE position = ?
		ON CONFLICT(position) DO UPDATE SET reason = excluded.reason, at_ms = excluded.at_ms`,
		reason, time.Now().UnixMilli(), q.position(sequence))
	var n int64
	if err == nil {
		n, err = res.RowsAffected()
	} else {
		q.suspect.Store(true)
	}
	if err == nil && n == 0 {
		err = queue.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("cannot park event %d of queue %s: %w", sequence, q.path, err)
	}
	return nil
}
