package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// An anchor that cannot be written is said, and hinders nothing.
func TestAnchorThatCannotBeWritten(t *testing.T) {
	h := newHouse(t)
	h.o.Anchor = filepath.Join(t.TempDir(), "nowhere", "anchor")
	q := h.open()
	put(t, q, "m")
	if q.AnchorError() == nil {
		t.Error("nothing is said")
	}
	if err := os.Mkdir(filepath.Dir(h.o.Anchor), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, q, "n")
	if err := q.AnchorError(); err != nil {
		t.Errorf("when it can be written: %v", err)
	}
	h.soundAgain(q)
}

// An anchor that is ahead by one acknowledgement, as a power cut may leave it,
// and one that lags by one are fine.
func TestAnchorBesideUnsyncedAcknowledgement(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 10, 4, 2)
	before := h.copy()
	l.acknowledge(t, q, 7)
	after := h.copy()
	q.Close()
	for _, c := range []struct {
		name            string
		files           files
		anchor          string
		acknowledged    uint64
		stillUnanswered int
	}{
		{"ahead", before, "after", 4, 6},
		{"behind", after, "before", 4, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &house{t, h.path, h.o}
			f := files{"": c.files[""], "-wal": c.files["-wal"], "anchor": map[string]files{"before": before, "after": after}[c.anchor]["anchor"]}
			h.place(f)
			q := h.open()
			if rec, was := q.Recovery(); was {
				t.Errorf("recovered: %+v", rec)
			}
			if n := q.Acknowledged(); n != c.acknowledged {
				t.Errorf("%d are acknowledged", n)
			}
			if due, err := q.Lease(t.Context(), 100); err != nil || len(due) != c.stillUnanswered {
				t.Errorf("%d are due, %v", len(due), err)
			}
			q.Close()
		})
	}
}

func BenchmarkAnchor(b *testing.B) {
	for _, anchor := range []bool{false, true} {
		b.Run(fmt.Sprintf("anchor=%v", anchor), func(b *testing.B) {
			h := newHouse(b)
			if !anchor {
				h.o.Anchor = ""
			}
			q := h.open()
			r := put(b, q, "m")
			for i := 0; b.Loop(); i++ {
				q.Acknowledge(context.Background(), queue.Acknowledgement{Time: time.UnixMilli(int64(i + 1)), Epochs: []queue.EpochAck{
					{Epoch: r.Epoch, Through: 1, Head: r.Hash}}})
			}
		})
	}
	b.Run("alone", func(b *testing.B) {
		path := filepath.Join(b.TempDir(), "anchor")
		for b.Loop() {
			sqlite.WriteAnchor(path)
		}
	})
}
