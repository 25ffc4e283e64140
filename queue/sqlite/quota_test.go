package sqlite_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// At its quota a queue takes nothing more and loses nothing; acknowledging and
// pruning make room again, also after the handle was made anew.
func TestQuota(t *testing.T) {
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "queue.db")
	q := open(t, path)
	const quota = 256 << 10
	if err := q.SetQuota(ctx, quota); err != nil {
		t.Fatal(err)
	}
	body := string(make([]byte, 2000))
	var last queue.Receipt
	fill := func() (n int) {
		t.Helper()
		for ; n < 1000; n++ {
			r, err := q.Put(ctx, message(body), nil)
			if sqlite.IsFull(err) {
				return n
			} else if err != nil {
				t.Fatal(err)
			}
			last = r
		}
		t.Fatal("there is no bound")
		return n
	}
	n := fill()
	if again := fill(); again != 0 { // the failed write made a new handle
		t.Errorf("%d more at the bound", again)
	}
	if events := all(t, q.Reader); len(events) != n {
		t.Errorf("%d events of %d", len(events), n)
	}
	err := q.Acknowledge(ctx, queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{{Epoch: last.Epoch, Through: last.Sequence, Head: last.Hash}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := q.Prune(ctx, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if more := fill(); more < n/2 {
		t.Errorf("%d after pruning, %d before", more, n)
	}
	if err := q.Close(); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(path); err != nil || st.Size() > quota {
		t.Errorf("the file has %d bytes, %v", st.Size(), err)
	}
}
