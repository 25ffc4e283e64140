package sqlite_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// rewrap does what seal did, at another position.
func rewrap(p queue.Position, sealed []byte) ([]byte, error) {
	parts := bytes.SplitN(sealed, []byte("|"), 3)
	if len(parts) != 3 || string(parts[2]) == "not again" {
		return nil, errors.New("no")
	}
	return seal(p, queue.Message{Body: parts[2]})
}

// body is what seal was given; of what is spoiled, all.
func body(e queue.Event) string {
	parts := bytes.SplitN(e.Sealed, []byte("|"), 3)
	return string(parts[len(parts)-1])
}

// recovered tells of a recovery in JSON.
func recovered(r queue.Recovery) (queue.Message, []byte, error) {
	b, err := json.Marshal(r)
	return message(string(b)), []byte("note recovered"), err
}

// A house is the folders of a queue: the database's and the anchor's.
type house struct {
	t    testing.TB
	path string
	o    sqlite.Options
}

func newHouse(t testing.TB) *house {
	dir := t.TempDir()
	return &house{t, filepath.Join(dir, "queue.db"), sqlite.Options{
		Seal: seal, Rewrap: rewrap, Recovered: recovered, Anchor: filepath.Join(t.TempDir(), "anchor"), Reserve: -1,
	}}
}

func (h *house) open() *sqlite.Queue {
	h.t.Helper()
	q, err := sqlite.OpenQueue(context.Background(), h.path, h.o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { q.Close() })
	return q
}

// files are those of a queue, the anchor's among them.
type files map[string][]byte

var fileNames = []string{"", "-wal"}

func (h *house) copy() files {
	h.t.Helper()
	f := files{}
	for _, s := range fileNames {
		if b, err := os.ReadFile(h.path + s); err == nil {
			f[s] = b
		}
	}
	b, err := os.ReadFile(h.o.Anchor)
	if err != nil {
		h.t.Fatal(err)
	}
	f["anchor"] = b
	return f
}

// place puts files where the queue's are; nothing else stays.
func (h *house) place(f files) {
	h.t.Helper()
	h.clear()
	for name, b := range f {
		path := h.path + name
		if name == "anchor" {
			path = h.o.Anchor
		}
		h.write(path, b)
	}
}

func (h *house) clear() {
	h.t.Helper()
	entries, err := filepath.Glob(filepath.Join(filepath.Dir(h.path), "*"))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range append(entries, h.o.Anchor) {
		if err := os.RemoveAll(e); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) write(path string, b []byte) {
	h.t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// life is a queue's history: some events acknowledged and pruned, some
// acknowledged, the rest not.
type life struct {
	receipts []queue.Receipt // of sequence 1, 2, …
	bodies   []string
	through  uint64
}

func (h *house) live(q *sqlite.Queue, n, through, pruned int) (l life) {
	h.t.Helper()
	for i := range n {
		b := fmt.Sprintf("event %04d %s", i+1, strings.Repeat("x", 200+i%7*90))
		if i%50 == 33 {
			b += strings.Repeat("long ", 2500)
		}
		l.receipts, l.bodies = append(l.receipts, put(h.t, q, b)), append(l.bodies, b)
		if i+1 == pruned {
			l.acknowledge(h.t, q, pruned)
			if _, _, err := q.Prune(context.Background(), time.Now().Add(time.Hour)); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	l.acknowledge(h.t, q, through)
	return l
}

func (l *life) acknowledge(t testing.TB, q *sqlite.Queue, through int) {
	t.Helper()
	r := l.receipts[through-1]
	time.Sleep(2 * time.Millisecond)
	if err := q.Acknowledge(context.Background(), queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{
		{Epoch: r.Epoch, Through: r.Sequence, Head: r.Hash}}}); err != nil {
		t.Fatal(err)
	}
	l.through = uint64(through)
}

// account checks that every event which is not acknowledged is in the queue or
// named as missing, and never both, and that the queue goes on.
func (l life) account(t testing.TB, q *sqlite.Queue) (rec queue.Recovery, was bool) {
	t.Helper()
	rec, was = q.Recovery()
	events := all(t, q.Reader)
	due := slices.Clone(events) // an acknowledged one may rot unnoticed: the far end has it
	if !was {
		due = slices.DeleteFunc(due, func(e queue.Event) bool { return e.Sequence <= l.through })
	}
	checkChain(t, due)
	there := map[string]queue.Event{} // an id may rot unnoticed; in the sealed bytes there is another
	for _, e := range events {
		there[body(e)] = e
	}
	missing := map[uint64]bool{}
	for _, r := range rec.Missing {
		for s := r[0]; s <= r[1]; s++ {
			missing[s] = true
		}
	}
	for i, r := range l.receipts {
		if r.Sequence <= l.through {
			continue
		}
		switch e, ok := there[l.bodies[i]]; {
		case ok && missing[r.Sequence]:
			t.Errorf("event %d is there and named as missing", r.Sequence)
		case !ok && !missing[r.Sequence]:
			t.Errorf("event %d is neither there nor named as missing", r.Sequence)
		case ok && e.Acknowledged:
			t.Errorf("event %d is acknowledged", r.Sequence)
		}
	}
	for s := range missing {
		if s <= l.through || s > uint64(len(l.receipts)) {
			t.Errorf("event %d is named as missing", s)
		}
	}
	if was {
		var told queue.Recovery
		if len(events) == 0 || json.Unmarshal([]byte(body(events[0])), &told) != nil || told.Cause != rec.Cause || events[0].Sequence != 1 ||
			told.Rewrapped != rec.Rewrapped || rec.Rewrapped != len(events)-1 || string(events[0].Note) != "note recovered" {
			t.Errorf("the first of %d events does not tell of %+v", len(events), rec)
		}
		if st, err := q.Status(context.Background()); err != nil || st.Acknowledged != 0 || st.Depth != uint64(len(events)) {
			t.Errorf("status %+v, %v", st, err)
		}
	}
	head := q.Head()
	if r := put(t, q, "after"); r.Sequence != head.Sequence+1 || r.Epoch != head.Epoch {
		t.Errorf("it goes on with %d after %d", r.Sequence, head.Sequence)
	}
	return rec, was
}

// soundAgain opens the queue once more: nothing is left to recover.
func (h *house) soundAgain(q *sqlite.Queue) {
	h.t.Helper()
	before := len(all(h.t, q.Reader))
	q.Close()
	q = h.open()
	if r, was := q.Recovery(); was {
		h.t.Errorf("it is recovered again: %+v", r)
	}
	if n := len(all(h.t, q.Reader)); n != before {
		h.t.Errorf("%d events, there were %d", n, before)
	}
	q.Close()
	if err := integrity(context.Background(), h.path); err != nil {
		h.t.Error(err)
	}
}

func TestDeletedRestoredDamaged(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 60, 20, 10)
	early := h.copy() // as a process that was killed would leave it
	q.Close()
	earlyClosed := h.copy()
	q = h.open()
	if _, was := q.Recovery(); was {
		t.Fatal("a sound queue is recovered")
	}
	for i := 60; i < 90; i++ {
		b := fmt.Sprint("late event ", i+1)
		l.receipts, l.bodies = append(l.receipts, put(t, q, b)), append(l.bodies, b)
	}
	l.acknowledge(t, q, 30)
	killed := h.copy()
	q.Close()
	closed := h.copy()
	with := func(f files, name string, b []byte) files {
		c := files{}
		for k, v := range f {
			c[k] = v
		}
		c[name] = b
		if b == nil {
			delete(c, name)
		}
		return c
	}
	for _, c := range []struct {
		name    string
		files   files
		cause   queue.Cause // "": none
		missing [][2]uint64
	}{
		{"nothing happened", closed, "", nil},
		{"killed", killed, "", nil},
		{"anchor lags", with(killed, "anchor", early["anchor"]), "", nil},
		{"anchor deleted", with(killed, "anchor", nil), "", nil},
		{"anchor emptied", with(killed, "anchor", []byte{}), "", nil},
		{"database deleted", with(closed, "", nil), queue.Deleted, [][2]uint64{{31, 90}}},
		{"database emptied", with(closed, "", []byte{}), queue.Damaged, [][2]uint64{{31, 90}}},
		{"log deleted", with(killed, "-wal", nil), queue.Restored, [][2]uint64{{61, 90}}},
		{"old copy", with(earlyClosed, "anchor", closed["anchor"]), queue.Restored, [][2]uint64{{61, 90}}},
		{"old copy of a killed one", with(early, "anchor", closed["anchor"]), queue.Restored, [][2]uint64{{61, 90}}},
		{"not a database", with(closed, "", bytes.Repeat([]byte("no database "), 3000)), queue.Damaged, [][2]uint64{{31, 90}}},
		{"header destroyed", with(closed, "", append(make([]byte, 100), closed[""][100:]...)), queue.Damaged, nil},
		{"first page destroyed", with(closed, "", append(make([]byte, 4096), closed[""][4096:]...)), queue.Damaged, nil},
		{"mark destroyed", with(closed, "", append(append(bytes.Clone(closed[""][:68]), 1, 2, 3, 4), closed[""][72:]...)), queue.Damaged, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := &house{t, h.path, h.o}
			h.place(c.files)
			began := time.Now()
			q := h.open()
			took := time.Since(began)
			rec, was := l.account(t, q)
			if rec.Cause != c.cause || was != (c.cause != "") || !slices.Equal(rec.Missing, c.missing) {
				t.Errorf("found %+v", rec)
			}
			if was {
				if last := l.receipts[89]; rec.Previous.Epoch != last.Epoch || rec.Previous.Sequence != 90 || rec.Previous.Hash != last.Hash {
					t.Errorf("before was %+v", rec.Previous)
				}
				if old, there := c.files[""]; there {
					kept, err := os.ReadFile(filepath.Join(rec.Aside, "queue.db"))
					if err != nil || !bytes.Equal(kept, old) {
						t.Errorf("the old file is not kept as it was: %v", err)
					}
				} else if rec.Aside != "" {
					t.Errorf("aside is %s", rec.Aside)
				}
			}
			h.soundAgain(q)
			t.Logf("opened in %v", took)
		})
	}
	t.Run("without an anchor", func(t *testing.T) {
		h := &house{t, h.path, h.o}
		h.place(with(closed, "", append(make([]byte, 4096), closed[""][4096:]...)))
		os.Remove(h.o.Anchor)
		h.o.Anchor = ""
		q := h.open()
		if rec, _ := l.account(t, q); rec.Cause != queue.Damaged || rec.Missing != nil || rec.Previous.Sequence != 90 {
			t.Errorf("found %+v", rec)
		}
		h.soundAgain(q)
	})
	t.Run("a new queue without an anchor", func(t *testing.T) {
		h := &house{t, h.path, h.o}
		h.clear()
		if _, was := h.open().Recovery(); was {
			t.Error("it was recovered")
		}
	})
	t.Run("nobody can wrap anew", func(t *testing.T) {
		h := &house{t, h.path, h.o}
		h.place(with(closed, "", nil))
		h.o.Rewrap = nil
		if _, err := sqlite.OpenQueue(t.Context(), h.path, h.o); !errors.Is(err, queue.ErrDamaged) {
			t.Errorf("opened: %v", err)
		}
	})
}

// Somebody else's database is left alone.
func TestForeignFileIsNotMoved(t *testing.T) {
	h := newHouse(t)
	other := sqlite.Schema{ApplicationID: 77, Name: "other", Steps: []string{"CREATE TABLE x(y)"}}
	db, err := sqlite.Open(t.Context(), h.path, sqlite.Durable, other)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if _, err := sqlite.OpenQueue(t.Context(), h.path, h.o); !errors.Is(err, sqlite.ErrNotOurs) {
		t.Errorf("opened: %v", err)
	}
	if aside, _ := filepath.Glob(filepath.Join(filepath.Dir(h.path), "damaged-*")); len(aside) > 0 {
		t.Error("it was moved")
	}
}

// What is damaged twice is recovered twice, into folders of their own.
func TestDamagedTwice(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 20, 5, 2)
	q.Close()
	for round := range 2 {
		f := h.copy()
		h.write(h.path, append(make([]byte, 100), f[""][100:]...))
		q = h.open()
		rec, _ := q.Recovery()
		if want := []int{15, 16}[round]; rec.Cause != queue.Damaged || rec.Rewrapped != want || rec.Missing != nil {
			t.Errorf("round %d: %+v", round, rec)
		}
		q.Close()
	}
	if aside, _ := filepath.Glob(filepath.Join(filepath.Dir(h.path), "damaged-*")); len(aside) != 2 {
		t.Errorf("set aside: %v", aside)
	}
	events := all(t, h.open().Reader)
	checkChain(t, events)
	for i, e := range events[2:] { // behind two that tell
		if body(e) != l.bodies[5+i] {
			t.Errorf("event %d is %.20q", e.Sequence, body(e))
		}
	}
}

// An event that cannot be wrapped anew keeps its place and its bytes, and does
// not keep the others from being taken over.
func TestWhatCannotBeWrappedAnew(t *testing.T) {
	for _, how := range []string{"damage", "new epoch"} {
		t.Run(how, func(t *testing.T) {
			h := newHouse(t)
			q := h.open()
			put(t, q, "one")
			stubborn := put(t, q, "not again")
			put(t, q, "three")
			if how == "damage" {
				q.Close()
				h.write(h.path, append(make([]byte, 100), h.copy()[""][100:]...))
				q = h.open()
			} else if _, err := q.NewEpoch(t.Context(), queue.Forked); err != nil {
				t.Fatal(err)
			}
			events := all(t, q.Reader)
			checkChain(t, events)
			if len(events) != 3 || body(events[2]) != "three" {
				t.Fatalf("%d events", len(events))
			}
			for range 2 {
				head := q.Head()
				if err := q.Acknowledge(t.Context(), queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{
					{Epoch: head.Epoch, Through: head.Sequence, Head: head.Hash}}}); err != nil {
					t.Fatal(err)
				}
				if _, _, err := q.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
					t.Fatal(err)
				}
				parked, err := q.Parked(t.Context())
				if err != nil || len(parked) != 1 || parked[0].Receipt != stubborn || body(parked[0]) != "not again" {
					t.Fatalf("parked %+v, %v", parked, err)
				}
				put(t, q, "more")
			}
			h.soundAgain(q)
		})
	}
}

// recoverySteps are the places at which a recovery can be cut off.
var recoverySteps = []string{"built", "complete", "folder made", "moved", "moved-wal", "moved-shm", "moved-journal", "moved for certain", "named"}

// TestKilledWhileRecovering kills a real process between any two steps of a
// recovery. The next start finds the old state or the new one.
func TestKilledWhileRecovering(t *testing.T) {
	if at := os.Getenv("LINTAS_TEST_CUT"); at != "" {
		sqlite.CutAt(func(step string) {
			if step == at {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		})
		_, err := sqlite.OpenQueue(context.Background(), os.Getenv("LINTAS_TEST_QUEUE"), sqlite.Options{
			Seal: seal, Rewrap: rewrap, Recovered: recovered, Anchor: os.Getenv("LINTAS_TEST_ANCHOR"), Reserve: -1})
		fmt.Println("not killed:", err)
		os.Exit(1)
	}
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 60, 20, 10)
	q.Close()
	q = h.open()
	b := "in the log"
	l.receipts, l.bodies = append(l.receipts, put(t, q, b)), append(l.bodies, b)
	f := h.copy()
	q.Close()
	page := 4096 * (len(f[""]) / 4096 / 2)
	f[""] = append(append(bytes.Clone(f[""][:page]), make([]byte, 4096)...), f[""][page+4096:]...)
	kill := func(t *testing.T, at string) {
		t.Helper()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWhileRecovering$")
		cmd.Env = append(os.Environ(), "LINTAS_TEST_CUT="+at, "LINTAS_TEST_QUEUE="+h.path, "LINTAS_TEST_ANCHOR="+h.o.Anchor)
		out, err := cmd.CombinedOutput()
		if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("%v: %s", err, out)
		}
	}
	check := func(t *testing.T) {
		t.Helper()
		h := &house{t, h.path, h.o}
		q := h.open()
		rec, _ := l.account(t, q)
		if rec.Cause != queue.Damaged || rec.Previous.Sequence != 61 {
			t.Errorf("found %+v", rec)
		}
		for _, s := range fileNames {
			if kept, err := os.ReadFile(filepath.Join(rec.Aside, "queue.db"+s)); err != nil || !bytes.Equal(kept, f[s]) {
				t.Errorf("queue.db%s is not kept as it was: %v", s, err)
			}
		}
		if aside, _ := filepath.Glob(filepath.Join(filepath.Dir(h.path), "damaged-*")); len(aside) != 1 {
			t.Errorf("set aside: %v", aside)
		}
		h.soundAgain(q)
	}
	for _, at := range recoverySteps {
		t.Run(at, func(t *testing.T) {
			h.place(f)
			kill(t, at)
			check(t)
		})
	}
	t.Run("again and again", func(t *testing.T) {
		h.place(f)
		for _, at := range recoverySteps {
			kill(t, at)
			if at == "named" {
				break
			}
		}
		check(t)
	})
}

// A file that goes bad under a running queue stops it; opening it anew saves
// what there is.
func TestDamagedWhileRunning(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 200, 20, 10)
	q.Close()
	q = h.open()
	f, err := os.OpenFile(h.path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	st, _ := f.Stat()
	junk := bytes.Repeat([]byte{0xa5}, 4096)
	for page := int64(2); page < st.Size()/4096; page++ { // all but the first two
		if page%3 > 0 {
			f.WriteAt(junk, page*4096)
		}
	}
	f.Close()
	for range 300 {
		if _, err = q.Put(t.Context(), message("x"), nil); err != nil {
			break
		}
	}
	if !errors.Is(err, queue.ErrDamaged) {
		t.Fatalf("put: %v", err)
	}
	for what, err := range map[string]error{
		"put":         func() error { _, err := q.Put(t.Context(), message("y"), nil); return err }(),
		"acknowledge": q.Acknowledge(t.Context(), queue.Acknowledgement{Time: time.Now().Add(time.Hour)}),
		"prune":       func() error { _, _, err := q.Prune(t.Context(), time.Now()); return err }(),
		"lease":       func() error { _, err := q.Lease(t.Context(), 10); return err }(),
		"probe":       q.Probe(t.Context()),
		"park":        q.Park(t.Context(), 100, "x"),
		"find":        func() error { _, err := q.Find(t.Context(), queue.ID{1}); return err }(),
		"new epoch":   func() error { _, err := q.NewEpoch(t.Context(), queue.Forked); return err }(),
	} {
		if !errors.Is(err, queue.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	q.Close()
	q = h.open()
	rec, _ := l.account(t, q)
	if rec.Cause != queue.Damaged || len(rec.Missing) == 0 || rec.Rewrapped == 0 {
		t.Errorf("found %+v", rec)
	}
}
