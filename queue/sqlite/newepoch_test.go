package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// everything is what is retained of all epochs.
func everything(t testing.TB, r *sqlite.Reader) (events []queue.Event) {
	t.Helper()
	for e, err := range r.Events(context.Background(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func TestNewEpoch(t *testing.T) {
	ctx := t.Context()
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 12, 5, 2)
	if err := q.Park(ctx, 7, "too large"); err != nil {
		t.Fatal(err)
	}
	beside, err := sqlite.OpenReader(ctx, h.path)
	if err != nil {
		t.Fatal(err)
	}
	defer beside.Close()
	if leased, err := q.Lease(ctx, 3); err != nil || len(leased) != 3 {
		t.Fatalf("%d leased, %v", len(leased), err)
	}
	old := q.Head()
	err = q.Acknowledge(ctx, queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{{Epoch: old.Epoch, Through: 13, Head: old.Hash}}})
	if !errors.Is(err, queue.ErrForeign) {
		t.Fatal(err)
	}
	rec, err := q.NewEpoch(ctx, queue.Forked)
	if err != nil || rec.Cause != queue.Forked || rec.Previous != old || rec.Rewrapped != 7 || rec.Missing != nil || rec.Aside != "" {
		t.Fatalf("%+v, %v", rec, err)
	}
	check := func(q *sqlite.Queue) {
		t.Helper()
		for name, r := range map[string]*sqlite.Reader{"its own": q.Reader, "one beside it": beside} {
			st, err := r.Status(ctx)
			if err != nil || st.Head.Epoch == old.Epoch || st.Head != q.Head() || st.Acknowledged != 0 || st.Depth != 8 || st.Parked != 1 || st.Oldest.IsZero() {
				t.Errorf("status of %s: %+v, %v", name, st, err)
			}
			events := all(t, r)
			checkChain(t, events)
			if len(events) != 8 || events[0].Sequence != 1 || events[2].Parked != "too large" {
				t.Errorf("%s: %d events", name, len(events))
			}
			for i, e := range events[1:] {
				if e.ID != l.receipts[5+i].ID || body(e) != l.bodies[5+i] || e.Epoch != st.Head.Epoch || e.Acknowledged ||
					!e.At.Equal(l.receipts[5+i].At) || string(e.Note) != "note "+l.bodies[5+i] {
					t.Errorf("%s: event %d is not what was taken over", name, e.Sequence)
				}
			}
			kept := everything(t, r)
			if len(kept) != 4+8 || kept[0].Receipt != l.receipts[1] || !kept[0].Acknowledged {
				t.Errorf("%s: %d events of all epochs, the first %d", name, len(kept), kept[0].Sequence)
			}
			if e, err := r.Find(ctx, l.receipts[3].ID); err != nil || e.Receipt != l.receipts[3] || !e.Acknowledged {
				t.Errorf("%s: an event of the old epoch: %+v, %v", name, e.Receipt, err)
			}
		}
	}
	check(q)
	if again, err := q.Put(ctx, queue.Message{ID: l.receipts[4].ID, Body: []byte("again")}, nil); err != nil || again != l.receipts[4] {
		t.Errorf("putting one of the old epoch again: %+v, %v", again, err)
	}
	q.Close()
	q = h.open()
	if _, was := q.Recovery(); was {
		t.Error("it is recovered")
	}
	check(q)
	due, err := q.Lease(ctx, 100)
	if err != nil || len(due) != 8 || due[0].Sequence != 1 {
		t.Fatalf("%d are due, %v", len(due), err)
	}

	// An acknowledgement of the old epoch moves nothing, but holds back.
	ack := func(at time.Time, e ...queue.EpochAck) {
		t.Helper()
		if err := q.Acknowledge(ctx, queue.Acknowledgement{Time: at, Epochs: e}); err != nil {
			t.Fatal(err)
		}
	}
	prune := func(want int64) {
		t.Helper()
		if n, _, err := q.Prune(ctx, time.Now().Add(time.Hour)); err != nil || n != want {
			t.Errorf("pruned %d, want %d; %v", n, want, err)
		}
	}
	now := time.Now().Add(time.Minute)
	oldAck := queue.EpochAck{Epoch: old.Epoch, Through: 5, Head: l.receipts[4].Hash, Hold: 4}
	ack(now, oldAck)
	if q.Acknowledged() != 0 {
		t.Error("the watermark moved")
	}
	prune(2) // those before the one that is held back
	ack(now.Add(time.Second), oldAck, queue.EpochAck{Epoch: due[0].Epoch, Through: 8, Head: due[7].Hash})
	prune(0)
	ack(now.Add(2*time.Second), queue.EpochAck{Epoch: due[0].Epoch, Through: 8, Head: due[7].Hash})
	prune(2 + 7)
	if left := everything(t, q.Reader); len(left) != 1 || left[0].Sequence != 8 {
		t.Errorf("%d are left", len(left))
	}
	h.soundAgain(q)
}

// A copy from before a new epoch is an old copy.
func TestCopyFromBeforeNewEpoch(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 10, 4, 2)
	q.Close()
	f := h.copy()
	q = h.open()
	if _, err := q.NewEpoch(t.Context(), queue.Forked); err != nil {
		t.Fatal(err)
	}
	head := q.Head()
	q.Close()
	f["anchor"] = h.copy()["anchor"]
	h.place(f)
	q = h.open()
	rec, _ := q.Recovery()
	if rec.Cause != queue.Restored || rec.Previous != head || rec.Rewrapped != 6 || fmt.Sprint(rec.Missing) != "[[1 7]]" {
		t.Errorf("found %+v", rec)
	}
	for i, e := range all(t, q.Reader)[1:] {
		if body(e) != l.bodies[4+i] {
			t.Errorf("event %d is another one", e.Sequence)
		}
	}
	h.soundAgain(q)
}

// Puts and leases that go on meanwhile see one epoch or the other.
func TestNewEpochBesidePuts(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	var wg sync.WaitGroup
	var mu sync.Mutex
	given := map[queue.ID]bool{}
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r := put(t, q, "m")
				mu.Lock()
				given[r.ID] = true
				mu.Unlock()
			}
		})
	}
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			events, err := q.Lease(context.Background(), 7)
			if err != nil {
				t.Error(err)
			}
			checkChain(t, events)
			if len(events) == 0 {
				q.Release()
			}
		}
	})
	for range 20 {
		if _, err := q.NewEpoch(t.Context(), queue.Forked); err != nil {
			t.Error(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	events := all(t, q.Reader)
	checkChain(t, events)
	for _, e := range events {
		delete(given, e.ID)
	}
	if len(given) > 0 {
		t.Errorf("%d events are not in the last epoch", len(given))
	}
	h.soundAgain(q)
}

// A program of the version before goes on with a newer file, and a newer one
// with its.
func TestVersions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue.db")
	steps := sqlite.QueueSchema.Steps
	for n := 1; n < len(steps); n++ {
		older := sqlite.QueueSchema
		older.Steps = steps[:n]
		db, err := sqlite.Open(t.Context(), path, sqlite.Durable, older)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	q := open(t, path)
	put(t, q, "m")
	q.Close()
	older := sqlite.QueueSchema
	older.Steps = steps[:1]
	db, err := sqlite.Open(t.Context(), path, sqlite.Durable, older)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("DELETE FROM event WHERE position > 1"); err != nil {
		t.Error(err)
	}
	db.Close()
	put(t, open(t, path), "n")
}
