package sqlite_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// openLater leaves the check of the file for later, if that may be.
func (h *house) openLater() *sqlite.Queue {
	h.t.Helper()
	later := &house{h.t, h.path, h.o}
	later.o.CheckLater = 1
	return later.open()
}

// A page that is destroyed is found, when the file is opened or by Check. What
// was recorded between the two is as safe as what was there before.
func TestCheckFindsEveryDestroyedPage(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 150, 40, 20)
	q.Close()
	sound := h.copy()
	says := map[string]int{}
	step := 1
	if raced() {
		step = 4
	}
	for page := 0; page < len(sound[""])/4096; page += step {
		t.Run(fmt.Sprint("page ", page), func(t *testing.T) {
			h, l := &house{t, h.path, h.o}, life{slices.Clone(l.receipts), slices.Clone(l.bodies), l.through}
			f := bytes.Clone(sound[""])
			clear(f[4096*page : 4096*(page+1)])
			h.place(files{"": f, "anchor": sound["anchor"]})
			q := h.openLater()
			if _, was := q.Recovery(); was {
				says["found when it was opened"]++
				l.account(t, q)
				return
			}
			body := "recorded in a doubtful queue"
			r, put := q.Put(t.Context(), message(body), nil)
			if put == nil {
				l.receipts, l.bodies = append(l.receipts, r), append(l.bodies, body)
			} else if !errors.Is(put, queue.ErrDamaged) {
				t.Errorf("put: %v", put)
			}
			switch err := q.Check(t.Context()); {
			case err == nil && put != nil:
				t.Error("checked, and damaged")
			case err == nil:
				says["harmless"]++
				l.account(t, q)
				h.soundAgain(q)
				return
			case !errors.Is(err, queue.ErrDamaged):
				t.Fatalf("check: %v", err)
			}
			says["found by Check"]++
			if _, err := q.Put(t.Context(), message("one more"), nil); !errors.Is(err, queue.ErrDamaged) {
				t.Errorf("put into a damaged queue: %v", err)
			}
			q.Close()
			q = h.open()
			rec, _ := l.account(t, q)
			if rec.Cause != queue.Damaged {
				t.Errorf("found %+v", rec)
			}
			if put == nil && !slices.ContainsFunc(all(t, q.Reader), func(e queue.Event) bool { return e.ID == r.ID }) {
				t.Error("what was recorded before the check is gone")
			}
			h.soundAgain(q)
		})
	}
	t.Log(says)
	if says["found by Check"] == 0 {
		t.Error("Check found nothing")
	}
}

// Check reads beside those who record and acknowledge, and finds nothing wrong
// with what they do.
func TestCheckBesideWriters(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 300, 20, 10)
	q.Close()
	q = h.openLater()
	if !q.Unchecked() {
		t.Fatal("there is nothing to check")
	}
	var writing sync.WaitGroup
	stop := make(chan struct{})
	for w := range 4 {
		writing.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
					put(t, q, fmt.Sprint("writer ", w, " event ", i))
				}
			}
		})
	}
	writing.Go(func() { l.acknowledge(t, q, 200) })
	if err := q.Check(t.Context()); err != nil {
		t.Error(err)
	}
	close(stop)
	writing.Wait()
	if err := q.Check(t.Context()); err != nil {
		t.Errorf("once more: %v", err)
	}
	checkChain(t, all(t, q.Reader))
}

// A file is checked when it is opened if it is small, or if it is not known from
// elsewhere where it must end.
func TestWhatIsCheckedAtOnce(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	h.live(q, 90, 20, 10)
	q.Close()
	sound := h.copy()
	put(t, h.open(), "one more")
	further := h.copy()
	for name, c := range map[string]struct {
		anchor []byte
		later  int64
		cause  queue.Cause
	}{
		"small":               {sound["anchor"], int64(len(sound[""])), queue.Damaged},
		"no anchor":           {nil, 1, queue.Damaged},
		"the anchor is ahead": {further["anchor"], 1, queue.Damaged},
		"large":               {sound["anchor"], 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			h := &house{t, h.path, h.o}
			f := files{"": bytes.Clone(sound[""])}
			at := bytes.Index(f[""], []byte("event 0050"))
			f[""][at] ^= 1
			if c.anchor != nil {
				f["anchor"] = c.anchor
			}
			h.place(f)
			h.o.CheckLater = c.later
			q := h.open()
			if rec, _ := q.Recovery(); rec.Cause != c.cause {
				t.Errorf("found %+v", rec)
			}
			if err := q.Check(t.Context()); errors.Is(err, queue.ErrDamaged) != (c.cause == "") {
				t.Errorf("check: %v", err)
			}
		})
	}
}

// What is free according to a page that is older than the rest, or lies behind
// the end that the header names, would be written over before Check comes to it.
func TestNothingIsWrittenOver(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 300, 200, 190)
	q.Close()
	early := h.copy()[""]
	q = h.open()
	for i := range 20 {
		b := fmt.Sprintf("more %04d %01200d", i, 0)
		l.receipts, l.bodies = append(l.receipts, put(t, q, b)), append(l.bodies, b)
	}
	q.Close()
	sound := h.copy()
	header := func(at int) int { return int(binary.BigEndian.Uint32(sound[""][at:])) }
	trunk := 4096 * (header(32) - 1)
	if trunk < 0 || bytes.Equal(early[trunk:trunk+4096], sound[""][trunk:trunk+4096]) {
		t.Fatal("there is no list of free pages, or it did not change")
	}
	q = h.openLater()
	if _, was := q.Recovery(); was || !q.Unchecked() {
		t.Error("a sound file is not left for later")
	}
	q.Close()
	for name, spoil := range map[string]func(f []byte){
		"list of free pages is old": func(f []byte) { copy(f[trunk:trunk+4096], early[trunk:]) },
		"free page is another one":  func(f []byte) { f[trunk+11] ^= 8 },
		"too few are free":          func(f []byte) { f[39]-- },
		"end is before the end":     func(f []byte) { f[31]-- },
	} {
		t.Run(name, func(t *testing.T) {
			h := &house{t, h.path, h.o}
			f := bytes.Clone(sound[""])
			spoil(f)
			h.place(files{"": f, "anchor": sound["anchor"]})
			if rec, _ := l.account(t, h.openLater()); rec.Cause != queue.Damaged || len(rec.Missing) > 0 {
				t.Errorf("found %+v", rec)
			}
		})
	}
}

// Of the tables beside the events nothing is left for later: the agent cannot
// even begin with some of them.
func TestSmallTablesAreCheckedAtOnce(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 90, 20, 10)
	q.Close()
	sound := h.copy()
	roots := map[string]int{}
	db, err := sqlite.Open(t.Context(), h.path, sqlite.ReadOnly, sqlite.QueueSchema)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT name, rootpage FROM sqlite_schema WHERE type = 'table' AND name <> 'event'")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var name string
		var root int
		if err := rows.Scan(&name, &root); err != nil {
			t.Fatal(err)
		}
		roots[name] = root
	}
	if err := errors.Join(rows.Err(), db.Close()); err != nil || len(roots) < 7 {
		t.Fatal(roots, err)
	}
	for name, root := range roots {
		t.Run(name, func(t *testing.T) {
			h, l := &house{t, h.path, h.o}, life{slices.Clone(l.receipts), slices.Clone(l.bodies), l.through}
			f := bytes.Clone(sound[""])
			clear(f[4096*(root-1) : 4096*root])
			h.place(files{"": f, "anchor": sound["anchor"]})
			if rec, _ := l.account(t, h.openLater()); rec.Cause != queue.Damaged {
				t.Errorf("found %+v", rec)
			}
		})
	}
}

// A chain that is begun anew before the file has been checked hides nothing: what
// it is made of is looked at then.
func TestNewEpochBeforeCheck(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(h *house)
		missing [][2]uint64
	}{
		"changed": {func(h *house) {
			f := h.copy()
			f[""][bytes.Index(f[""], []byte("event 0050"))] ^= 1
			h.place(f)
		}, [][2]uint64{{50, 50}}},
		"missing": {func(h *house) { h.without("BETWEEN 50 AND 52") }, [][2]uint64{{50, 52}}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			q := h.open()
			l := h.live(q, 90, 20, 10)
			q.Close()
			c.spoil(h)
			q = h.openLater()
			if _, err := q.NewEpoch(t.Context(), queue.Forked); !errors.Is(err, queue.ErrDamaged) {
				t.Errorf("new epoch: %v", err)
			}
			q.Close()
			if rec, _ := l.account(t, h.open()); rec.Cause != queue.Damaged || !slices.Equal(rec.Missing, c.missing) {
				t.Errorf("found %+v", rec)
			}
		})
	}
}

// A file that an older program made is checked before it is brought to this
// one's version, however large.
func TestOlderFileIsCheckedAtOnce(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 60, 20, 10)
	q.Close()
	whole := filepath.Join(t.TempDir(), "whole.db")
	if err := os.Rename(h.path, whole); err != nil {
		t.Fatal(err)
	}
	older := sqlite.QueueSchema
	older.Steps = older.Steps[:1]
	db, err := sqlite.Open(t.Context(), h.path, sqlite.Durable, older)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("ATTACH ? AS whole", whole); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"epoch", "event", "watermark"} {
		if _, err := db.Exec("INSERT INTO main." + table + " SELECT * FROM whole." + table); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	q = h.openLater()
	if q.Unchecked() {
		t.Error("the check is left for later")
	}
	if rec, was := l.account(t, q); was {
		t.Errorf("found %+v", rec)
	}
}

// without takes events away as no queue does.
func (h *house) without(positions string) {
	h.t.Helper()
	db, err := sqlite.Open(context.Background(), h.path, sqlite.Durable, sqlite.QueueSchema)
	if err == nil {
		_, err = db.Exec("DELETE FROM event WHERE position " + positions)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

// A write that fails needs the log to begin anew, which a check that is under
// way would keep it from: the check gives way, and is made again.
func TestCheckGivesWay(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	for i := range 1000 {
		put(t, q, fmt.Sprintf("event %d %01000d", i, 0))
	}
	for tries := 0; ; tries++ {
		q.Close()
		q = h.openLater()
		checked := make(chan error, 1)
		go func() { checked <- q.Check(context.Background()) }()
		for !q.Checking() && len(checked) == 0 {
			runtime.Gosched()
		}
		q.Suspect()
		if _, err := q.Put(t.Context(), message("in between"), nil); err != nil {
			t.Fatal(err)
		}
		err := <-checked
		if err == nil && tries < 50 {
			continue // it was over before
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("check: %v", err)
		}
		break
	}
	if err := q.Damage(); err != nil {
		t.Error(err)
	}
	if err := q.Check(t.Context()); err != nil {
		t.Errorf("once more: %v", err)
	}
}
