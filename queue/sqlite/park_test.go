package sqlite_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// A parked event keeps its place and its bytes, over a restart too, until the far
// end says that it has the body.
func TestParkedEventIsKeptUntilItsBodyIsThere(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "queue.db")
	q := open(t, path)
	var last queue.Receipt
	for _, body := range []string{"one", "two", "three"} {
		last = put(t, q, body)
	}
	if err := q.Park(ctx, 2, "too large"); err != nil {
		t.Fatal(err)
	}
	if err := q.Park(ctx, 4, "too large"); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("parking what is not there: %v", err)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	q = open(t, path)
	events, err := q.Lease(ctx, 10)
	if err != nil || len(events) != 3 || events[1].Parked != "too large" || events[0].Parked != "" || len(events[1].Sealed) == 0 {
		t.Fatalf("leased %v, %v", events, err)
	}

	ack := queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{{Epoch: last.Epoch, Through: 3, Head: last.Hash, Hold: 2}}}
	prune := func(want int64) {
		t.Helper()
		ack.Time = ack.Time.Add(time.Second)
		if err := q.Acknowledge(ctx, ack); err != nil {
			t.Fatal(err)
		}
		if n, _, err := q.Prune(ctx, time.Now().Add(time.Hour)); err != nil || n != want {
			t.Errorf("pruned %d, want %d (%v)", n, want, err)
		}
	}
	prune(1) // the body of the second is owed
	if e := all(t, q.Reader); len(e) != 2 || e[0].Parked == "" {
		t.Errorf("kept %v", e)
	}
	ack.Epochs[0].Hold = 0
	prune(1) // it has arrived; the head always stays
}

// A file of the version before, opened by a reader, has no parked events.
func TestReaderOfAnOlderFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue.db")
	older := sqlite.QueueSchema
	older.Steps = older.Steps[:1]
	db, err := sqlite.Open(t.Context(), path, sqlite.Durable, older)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO epoch(id, first, began_ms) VALUES(zeroblob(16), 1, 0)"); err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if events := all(t, r); len(events) != 0 {
		t.Errorf("%d events", len(events))
	}
}
