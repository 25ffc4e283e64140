package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// SetQuota bounds the file at bytes, 0 for no bound: at the bound Put fails as on
// a full disk (IsFull), and nothing is dropped. Acknowledgements are still taken,
// and pruning makes room.
func (q *Queue) SetQuota(ctx context.Context, bytes int64) error {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	q.quota = bytes
	return q.limit(ctx, q.append)
}

// limit sets the bound on a handle; SQLite forgets it with the handle.
func (q *Queue) limit(ctx context.Context, db *sql.DB) error {
	if q.quota <= 0 {
		return nil
	}
	size, err := pragmaInt(ctx, db, "page_size")
	if err == nil {
		_, err = db.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", max(1, q.quota/size)))
	}
	if err != nil {
		return fmt.Errorf("cannot bound queue %s: %w", q.path, err)
	}
	return nil
}
