package sqlite

import (
	"context"
	"fmt"
	"testing"
)

// LimitPages makes the file full, or gives it room again. A limit below its
// present size means that it cannot grow.
func (q *Queue) LimitPages(t testing.TB, n int) {
	t.Helper()
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if _, err := q.append.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
		t.Fatal(err)
	}
}

// ProbeOnce is Probe without a second try on a new handle.
func (q *Queue) ProbeOnce(ctx context.Context) error { return q.probe(ctx) }
