package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
)

// LimitPages makes the file full, or gives it room again. A limit below its
// present size means that it cannot grow.
func (q *Queue) LimitPages(t testing.TB, n int) {
	t.Helper()
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if _, err := q.append.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
		t.Fatal(err)
	}
}

// ProbeOnce is Probe without a second try on a new handle.
func (q *Queue) ProbeOnce(ctx context.Context) error { return q.probe(ctx, eventRoom) }

// Exec runs a statement on both connections that write.
func (q *Queue) Exec(t testing.TB, statement string) {
	t.Helper()
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	for _, db := range []interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
	}{q.append, q.ack} {
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
}

// CutAt calls f between two steps of a recovery.
func CutAt(f func(step string)) { step = f }

var benched *anchor

// WriteAnchor writes one slot.
func WriteAnchor(path string) {
	if benched == nil || benched.path != path {
		benched, _, _ = openAnchor(path)
	}
	benched.write(anchored{through: 1})
}

// OnSyncDir lets f look at every sync of a folder, and refuse it, until undo is
// called.
func OnSyncDir(f func(dir string) error) (undo func()) {
	real := syncDir
	syncDir = func(dir string) error {
		if err := f(dir); err != nil {
			return err
		}
		return real(dir)
	}
	return func() { syncDir = real }
}

// Suspect lets the next write begin with a new handle, as after one that failed.
func (q *Queue) Suspect() { q.suspect.Store(true) }

// Checking tells whether a check is under way.
func (q *Queue) Checking() bool { return q.stopCheck.Load() != nil }

// Unchecked tells that Check has not gone through the file yet.
func (q *Queue) Unchecked() bool { return q.unchecked.Load() }
