package sqlite_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// seal binds a message to its position readably: prev|sequence|body.
func seal(p queue.Position, m queue.Message) ([]byte, error) {
	if string(m.Body) == "unsealable" {
		return nil, errors.New("no")
	}
	return fmt.Appendf(nil, "%s|%d|%s", p.Prev, p.Sequence, m.Body), nil
}

func open(t testing.TB, path string) *sqlite.Queue {
	t.Helper()
	q, err := sqlite.OpenQueue(t.Context(), path, sqlite.Options{Seal: seal, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

func message(body string) queue.Message {
	m := queue.Message{Body: []byte(body)}
	rand.Read(m.ID[:])
	return m
}

func put(t testing.TB, q *sqlite.Queue, body string) queue.Receipt {
	t.Helper()
	r, err := q.Put(context.Background(), message(body), []byte("note "+body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// checkChain reads everything back and follows the hashes.
func checkChain(t testing.TB, events []queue.Event) {
	t.Helper()
	var prev queue.Hash
	for i, e := range events {
		if e.Hash != sha256.Sum256(e.Sealed) {
			t.Fatalf("event %d: hash is not that of its bytes", e.Sequence)
		}
		if i > 0 || e.Sequence == 1 {
			want := fmt.Sprintf("%s|%d|", prev, e.Sequence)
			if got := string(e.Sealed); len(got) < len(want) || got[:len(want)] != want {
				t.Fatalf("event %d begins %q, want %q", e.Sequence, got, want)
			}
		}
		prev = e.Hash
	}
}

func all(t testing.TB, r *sqlite.Reader) (events []queue.Event) {
	t.Helper()
	for e, err := range r.Events(context.Background(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

func TestPutLeaseAcknowledgePrune(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue.db")
	q := open(t, path)
	var receipts []queue.Receipt
	for i := range 5 {
		receipts = append(receipts, put(t, q, fmt.Sprint("m", i)))
	}
	if got := receipts[4].Sequence; got != 5 {
		t.Fatalf("fifth message has sequence %d", got)
	}
	first, err := q.Lease(t.Context(), 3)
	if err != nil || len(first) != 3 || string(first[0].Note) != "note m0" {
		t.Fatalf("lease gave %d events, %v", len(first), err)
	}
	rest, err := q.Lease(t.Context(), 10)
	if err != nil || len(rest) != 2 || rest[0].Sequence != 4 {
		t.Fatalf("second lease gave %d events, %v", len(rest), err)
	}
	if again, _ := q.Lease(t.Context(), 10); len(again) != 0 {
		t.Fatalf("leased events were handed out twice")
	}
	ack := func(through uint64, at time.Time) error {
		return q.Acknowledge(t.Context(), queue.Acknowledgement{Time: at, Epochs: []queue.EpochAck{
			{Epoch: receipts[0].Epoch, Through: through, Head: receipts[through-1].Hash}}})
	}
	now := time.UnixMilli(time.Now().UnixMilli())
	if err := ack(3, now); err != nil {
		t.Fatal(err)
	}
	q.Release()
	if back, _ := q.Lease(t.Context(), 10); len(back) != 2 || back[0].Sequence != 4 {
		t.Fatalf("after release, %d events", len(back))
	}
	st, err := q.Status(t.Context())
	if err != nil || st.Depth != 2 || st.Acknowledged != 3 || !st.AckTime.Equal(now) || st.Oldest.IsZero() {
		t.Fatalf("status %+v, %v", st, err)
	}
	if n, _, err := q.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 3 {
		t.Fatalf("pruned %d, %v", n, err)
	}
	if err := ack(5, now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, _, err := q.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 1 {
		t.Fatalf("pruned %d, %v: the head must stay", n, err)
	}
	q.Close()

	q = open(t, path)
	if r := put(t, q, "after"); r.Sequence != 6 || r.Epoch != receipts[0].Epoch {
		t.Fatalf("after reopening: sequence %d, epoch kept %v", r.Sequence, r.Epoch == receipts[0].Epoch)
	}
	checkChain(t, all(t, q.Reader))
}

func TestAcknowledgementsThatAreNotBelieved(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "queue.db"))
	one, two := put(t, q, "one"), put(t, q, "two")
	now := time.UnixMilli(time.Now().UnixMilli())
	ack := func(at time.Time, e ...queue.EpochAck) error {
		return q.Acknowledge(t.Context(), queue.Acknowledgement{Time: at, Epochs: e})
	}
	if err := ack(now, queue.EpochAck{Epoch: two.Epoch, Through: 2, Head: two.Hash}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		want error
		at   time.Time
		e    queue.EpochAck
	}{
		{"older", queue.ErrStale, now.Add(-time.Millisecond), queue.EpochAck{Epoch: one.Epoch, Through: 1, Head: one.Hash}},
		{"wrong head", queue.ErrForeign, now.Add(time.Second), queue.EpochAck{Epoch: two.Epoch, Through: 2, Head: one.Hash}},
		{"beyond ours", queue.ErrForeign, now.Add(time.Second), queue.EpochAck{Epoch: two.Epoch, Through: 3, Head: two.Hash}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := ack(c.at, c.e); !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if q.Acknowledged() != 2 {
				t.Fatal("the watermark moved")
			}
		})
	}
	t.Run("the hub was restored", func(t *testing.T) {
		if err := ack(now.Add(time.Second), queue.EpochAck{Epoch: one.Epoch, Through: 1, Head: one.Hash}); err != nil {
			t.Fatal(err)
		}
		if back, _ := q.Lease(t.Context(), 9); len(back) != 1 || back[0].Sequence != 2 {
			t.Fatalf("%d events are sent again", len(back))
		}
	})
	t.Run("the hub forgot everything", func(t *testing.T) {
		if err := ack(now.Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if back, _ := q.Lease(t.Context(), 9); len(back) != 2 {
			t.Fatalf("%d events are sent again", len(back))
		}
	})
}

func TestPutIsIdempotentAndIsolatesFailures(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "queue.db"))
	m := message("once")
	a, err := q.Put(t.Context(), m, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := q.Put(t.Context(), m, nil)
	if err != nil || a != b {
		t.Fatalf("second put gave %+v, %v; first %+v", b, err, a)
	}
	// Many callers share transactions; one that cannot be sealed fails alone.
	var wg sync.WaitGroup
	errs := make([]error, 200)
	for i := range errs {
		wg.Go(func() {
			body := "fine"
			if i%50 == 7 {
				body = "unsealable"
			}
			_, errs[i] = q.Put(context.Background(), message(body), nil)
		})
	}
	wg.Wait()
	for i, err := range errs {
		if (err != nil) != (i%50 == 7) {
			t.Fatalf("put %d: %v", i, err)
		}
	}
	events := all(t, q.Reader)
	if len(events) != 1+200-4 {
		t.Fatalf("%d events", len(events))
	}
	checkChain(t, events)
}

func TestOneProcessOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue.db")
	q := open(t, path)
	if _, err := sqlite.OpenQueue(t.Context(), path, sqlite.Options{Seal: seal, Reserve: -1}); !errors.Is(err, sqlite.ErrInUse) {
		t.Fatalf("second open: %v", err)
	}
	put(t, q, "x")
	r, err := sqlite.OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got := all(t, r); len(got) != 1 {
		t.Fatalf("a reader beside the writer sees %d events", len(got))
	}
	q.Close()
	if _, err := q.Put(t.Context(), message("late"), nil); !errors.Is(err, queue.ErrClosed) {
		t.Fatalf("put after close: %v", err)
	}
	if got := all(t, r); len(got) != 1 {
		t.Fatalf("a reader that outlives the writer sees %d events", len(got))
	}
}

func TestFileIsMarked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue.db")
	open(t, path).Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for pragma, want := range map[string]string{
		"application_id": fmt.Sprint(sqlite.QueueSchema.ApplicationID), "user_version": "4", "journal_mode": "wal", "auto_vacuum": "2",
	} {
		var got string
		if err := db.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, want %q (%v)", pragma, got, want, err)
		}
	}
	other := sqlite.Schema{ApplicationID: 1, Name: "other", Steps: []string{"CREATE TABLE x(y)"}}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Durable, other); !errors.Is(err, sqlite.ErrNotOurs) {
		t.Errorf("opening it as something else: %v", err)
	}
}

func TestNewerFileIsOpened(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue.db")
	newer := sqlite.QueueSchema
	newer.Steps = append(append([]string{}, newer.Steps...), "CREATE TABLE later(x INTEGER) STRICT")
	db, err := sqlite.Open(t.Context(), path, sqlite.Durable, newer)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	put(t, open(t, path), "by an older program")
}

// A full file refuses the write, loses nothing, and works again once there is
// room.
func TestFull(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "queue.db"))
	put(t, q, "before")
	q.LimitPages(t, 1)
	var err error
	n := 1
	for ; n < 1000 && err == nil; n++ {
		_, err = q.Put(t.Context(), message(string(make([]byte, 1000))), nil)
	}
	if !sqlite.IsFull(err) {
		t.Fatalf("after %d puts: %v", n, err)
	}
	q.LimitPages(t, 1) // the handle is a new one since
	if err := q.ProbeOnce(t.Context()); !sqlite.IsFull(err) {
		t.Fatalf("the probe of a full file says %v", err)
	}
	q.LimitPages(t, 1<<30)
	if err := q.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, q, "after")
	checkChain(t, all(t, q.Reader))
}

// What the far end could not read stays here, whatever else is confirmed.
func TestHoldKeepsFromPruning(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "queue.db"))
	var last queue.Receipt
	for range 5 {
		last = put(t, q, "m")
	}
	now := time.UnixMilli(time.Now().UnixMilli())
	prune := func(hold uint64, at time.Time) int64 {
		t.Helper()
		err := q.Acknowledge(t.Context(), queue.Acknowledgement{Time: at, Epochs: []queue.EpochAck{
			{Epoch: last.Epoch, Through: 5, Head: last.Hash, Hold: hold}}})
		if err != nil {
			t.Fatal(err)
		}
		n, _, err := q.Prune(t.Context(), time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := prune(3, now); n != 2 {
		t.Errorf("pruned %d, want the two before the held one", n)
	}
	if n := prune(0, now.Add(time.Second)); n != 2 {
		t.Errorf("pruned %d after the hold was lifted", n)
	}
}

// An orderly end leaves everything in the one file.
func TestCloseLeavesOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "queue.db")
	q := open(t, path)
	put(t, q, "m")
	q.Close()
	if st, err := os.Stat(path + "-wal"); err == nil && st.Size() > 0 {
		t.Errorf("%d bytes are still in the write-ahead log", st.Size())
	}
}

func TestWakeIsNotMissed(t *testing.T) {
	q := open(t, filepath.Join(t.TempDir(), "queue.db"))
	wake := q.Wake()
	put(t, q, "x")
	select {
	case <-wake:
	default:
		t.Fatal("a put did not wake")
	}
}
