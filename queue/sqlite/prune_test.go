package sqlite_test

import (
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"lintas/queue"
)

// The retention is counted from the far end's confirmation and by its clock. The
// counter's own clock may jump to wherever it likes: nothing is pruned too soon,
// nothing stays for ever, and no gap is left in the middle.
func TestRetentionWhateverTheClock(t *testing.T) {
	const retention = 30 * 24 * time.Hour
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(dir, "queue.db")
		q := open(t, path)
		hub := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) // the far end's clock, which nothing here is about
		var last queue.Receipt
		confirm := func(after time.Duration) {
			t.Helper()
			hub = hub.Add(after)
			if err := q.Acknowledge(t.Context(), queue.Acknowledgement{Time: hub, Epochs: []queue.EpochAck{
				{Epoch: last.Epoch, Through: last.Sequence, Head: last.Hash}}}); err != nil {
				t.Fatal(err)
			}
		}
		pruned := func(want int64) {
			t.Helper()
			n, _, err := q.Prune(t.Context(), q.AckTime().Add(-retention))
			if err != nil || n != want {
				t.Errorf("on %s pruned %d, %v, want %d", hub.Format(time.DateOnly), n, err, want)
			}
			checkChain(t, all(t, q.Reader))
		}
		for range 3 {
			last = put(t, q, "at first")
		}
		confirm(0)
		time.Sleep(80 * 365 * 24 * time.Hour) // it jumps ahead
		for range 4 {
			last = put(t, q, "far ahead")
		}
		pruned(0)
		confirm(10 * 24 * time.Hour) // the 11th
		pruned(0)
		// Back, as far as this test can go: written at the clock's beginning.
		q.Exec(t, "UPDATE event SET at_ms = 0 WHERE position IN (2, 6)")
		confirm(19 * 24 * time.Hour) // the 30th
		pruned(0)
		for range 2 {
			last = put(t, q, "later")
		}
		confirm(2 * 24 * time.Hour) // the 1st of February: the first three
		pruned(3)
		pruned(0)
		q.Close()
		q = open(t, path)
		confirm(10 * 24 * time.Hour) // the 11th: the four after them
		pruned(4)
		confirm(retention + 2*time.Hour)
		pruned(1) // the head stays
	})
}
