package sqlite_test

import (
	"crypto/sha256"
	"testing"

	"lintas/queue"
)

// A mutant is a queue with a mistake that the explorer must find.
type mutant struct {
	noSync       bool // the disk says that it has synced and has not
	noFolderSync bool // the same for folders only
	normal       bool // synchronous=NORMAL where FULL belongs
	early        bool // Put is answered before the commit
	purge        bool // rows are removed that are not acknowledged
}

func receiptOf(p queue.Position, m queue.Message, sealed []byte) queue.Receipt {
	return queue.Receipt{ID: m.ID, Epoch: p.Epoch, Sequence: p.Sequence, Hash: sha256.Sum256(sealed)}
}

// purge removes events up to a sequence, acknowledged or not, and notes that as
// Prune does: without the note the queue itself would find that they are
// missing.
func (w *workload) purge(through uint64) {
	w.beside("DELETE FROM event WHERE position <= ? AND position < (SELECT max(position) FROM event)", int64(through))
	w.beside("UPDATE pruned SET through = max(through, ?)", int64(through))
}

// TestMutants shows that the explorer has teeth: it finds every one of these
// mistakes, and as what it is.
func TestMutants(t *testing.T) {
	for _, c := range []struct {
		name   string
		mutant mutant
		breaks string
	}{
		{"no sync", mutant{noSync: true}, durable},
		{"no sync of the folder", mutant{noFolderSync: true}, durable},
		{"NORMAL instead of FULL", mutant{normal: true}, durable},
		{"answered before the commit", mutant{early: true}, durable},
		{"purged before it is acknowledged", mutant{purge: true}, spared},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &explorer{t: t, seed: 1, mutant: c.mutant, images: 1500, until: c.breaks}
			e.run()
			t.Logf("%d images: %v", e.count, e.broken)
			if e.broken[c.breaks] == 0 {
				t.Errorf("in %d images, %q held", e.count, c.breaks)
			}
		})
	}
}
