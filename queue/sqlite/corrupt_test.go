package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// sound is a queue before it is damaged: some events pruned, some
// acknowledged, some not.
type sound struct {
	closed *disk // one file
	killed *disk // the same, as a process that died left it: with a log
	events []queue.Event
	status queue.Status
}

func makeSound(t *testing.T) (s sound) {
	t.Helper()
	dir := folder(t)
	synctest.Test(t, func(t *testing.T) {
		w := &workload{t: t, chance: random(5), disk: newDisk(), path: filepath.Join(dir, "queue.db")}
		mount(dir, w.disk)
		w.open()
		p := &patient{t: t, disk: w.disk, path: w.path, q: w.q}
		p.live()
		for range 4 {
			w.put()
		}
		killed := newPlatter()
		for _, o := range w.disk.trace {
			killed.follow(o)
		}
		s.killed = killed.disk()
		var err error
		s.events, err = readAll(context.Background(), w.q)
		w.check(err)
		s.status, err = w.q.Status(context.Background())
		w.check(err)
		w.close()
		s.closed = w.disk
	})
	return s
}

// examine opens a damaged queue, reads and uses it, and says how far the
// damage was noticed. It never panics, whatever the file holds.
func examine(dir string, d *disk, s sound) (says string) {
	ctx := context.Background()
	path := filepath.Join(dir, "queue.db")
	if err := place(path, d); err != nil {
		return err.Error()
	}
	mount(dir, d)
	q, err := sqlite.OpenQueue(ctx, path, sqlite.Options{Seal: seal, Reserve: -1})
	if err != nil {
		return "refused when it is opened"
	}
	defer q.Close()
	events, err := readAll(ctx, q)
	if err != nil {
		return "noticed when it is read"
	}
	status, err := q.Status(ctx)
	if err != nil {
		return "noticed when it is read"
	}
	q.Lease(ctx, 100)
	for _, e := range s.events {
		q.Find(ctx, e.ID)
		q.Put(ctx, queue.Message{ID: e.ID}, nil)
	}
	q.Acknowledge(ctx, queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{
		{Epoch: s.status.Head.Epoch, Through: s.status.Head.Sequence, Head: s.status.Head.Hash}}})
	q.Prune(ctx, time.Now().Add(time.Hour))
	q.Put(ctx, messageOf(random(6)), nil)
	if chainError(events) != nil || len(events) > 0 && events[len(events)-1].Hash != status.Head.Hash {
		return "noticed when the chain is followed"
	}
	return unnoticed(events, status, s)
}

// unnoticed names what differs although all seems well.
func unnoticed(events []queue.Event, status queue.Status, s sound) string {
	if len(events) < len(s.events) {
		return "UNNOTICED: events are missing at an end"
	}
	for i, e := range events {
		was := s.events[i]
		switch {
		case !bytes.Equal(e.Sealed, was.Sealed):
			return "UNNOTICED: sealed bytes"
		case e.ID != was.ID:
			return "UNNOTICED: an id"
		case !bytes.Equal(e.Note, was.Note):
			return "UNNOTICED: a note"
		case !e.At.Equal(was.At):
			return "UNNOTICED: a time"
		case e.Epoch != was.Epoch:
			return "UNNOTICED: the epoch"
		}
	}
	if status.Acknowledged != s.status.Acknowledged || !status.AckTime.Equal(s.status.AckTime) {
		return "UNNOTICED: the watermark"
	}
	return "harmless"
}

// TestFlippedBits damages one bit at a time. Nothing panics, and sealed bytes
// that have changed never pass; what passes is in the log of the test.
func TestFlippedBits(t *testing.T) {
	s := makeSound(t)
	dir := folder(t)
	chance, flips := random(*crashSeed), max(50, *crashImages/20)
	if raced() {
		flips /= 2
	}
	for _, c := range []struct {
		name string
		disk *disk
		file string
	}{
		{"file", s.closed, "queue.db"},
		{"log", s.killed, "queue.db-wal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			says := map[string]int{}
			for range flips {
				d := damaged(c.disk)
				where := flip(d.names[c.file].data, chance)
				what := examine(dir, d, s)
				says[what]++
				if what == "UNNOTICED: sealed bytes" {
					t.Errorf("%s at byte %d", what, where)
				}
			}
			for _, what := range slices.Sorted(maps.Keys(says)) {
				t.Logf("%4d %s", says[what], what)
			}
		})
	}
}

// flip turns one bit over, mostly where there is something.
func flip(data []byte, chance *rand.Rand) (at int) {
	for range 20 {
		if at = chance.IntN(len(data)); data[at] != 0 {
			break
		}
	}
	data[at] ^= 1 << chance.IntN(8)
	return at
}

func damaged(d *disk) *disk {
	c := newDisk()
	c.last = d.last
	for name, f := range d.names {
		c.names[name] = &content{id: f.id, data: slices.Clone(f.data)}
	}
	return c
}

// TestDamagedRows does with whole rows what a bit cannot. The chain tells,
// except where the end or what is pruned is cut off: that only the hub knows.
func TestDamagedRows(t *testing.T) {
	s := makeSound(t)
	dir := folder(t)
	path := filepath.Join(dir, "queue.db")
	for _, c := range []struct {
		name, statement, want string
	}{
		{"one dropped", "DELETE FROM event WHERE position = (SELECT max(position) - 2 FROM event)", "refused when it is opened"},
		{"two swapped", `UPDATE event SET (hash, sealed) = (SELECT hash, sealed FROM event other WHERE other.position = (SELECT 2 * max(position) - 3 FROM event) - event.position)
			WHERE position > (SELECT max(position) - 3 FROM event) AND position < (SELECT max(position) FROM event)`, "noticed when the chain is followed"},
		{"one doubled", "INSERT INTO event SELECT position + 1, randomblob(16), at_ms, hash, sealed, note FROM event ORDER BY position DESC LIMIT 1", "noticed when the chain is followed"},
		{"one changed with its hash", "UPDATE event SET sealed = CAST(sealed || x'20' AS BLOB), hash = randomblob(32) WHERE position = (SELECT max(position) - 1 FROM event)", "refused when it is opened"},
		{"head's hash changed", "UPDATE event SET hash = randomblob(32) WHERE position = (SELECT max(position) FROM event)", "refused when it is opened"},
		{"short hash", "PRAGMA ignore_check_constraints = 1; UPDATE event SET hash = x'00' WHERE position = (SELECT max(position) FROM event)", "refused when it is opened"},
		{"short id", "PRAGMA ignore_check_constraints = 1; UPDATE event SET id = x'00' WHERE position = (SELECT max(position) FROM event)", "refused when it is opened"},
		{"short epoch", "PRAGMA ignore_check_constraints = 1; UPDATE epoch SET id = x'00'", "refused when it is opened"},
		{"no epoch", "DELETE FROM epoch", "refused when it is opened"},
		{"tail cut", "DELETE FROM event WHERE position = (SELECT max(position) FROM event)", "UNNOTICED: events are missing at an end"},
		{"beginning cut", "DELETE FROM event WHERE position = (SELECT min(position) FROM event)", "UNNOTICED: events are missing at an end"},
		{"watermark raised", "UPDATE watermark SET through = (SELECT max(position) FROM event)", "UNNOTICED: the watermark"},
		{"note changed", "UPDATE event SET note = x'00' WHERE position = (SELECT max(position) FROM event)", "UNNOTICED: a note"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := damaged(s.closed)
			spoil(t, path, d, c.statement)
			if got := examine(dir, d, s); got != c.want {
				t.Errorf("%s, want: %s", got, c.want)
			}
		})
	}
}

func spoil(t *testing.T, path string, d *disk, statement string) {
	t.Helper()
	if err := place(path, d); err != nil {
		t.Fatal(err)
	}
	mount(filepath.Dir(path), d)
	db, err := sqlite.Open(t.Context(), path, sqlite.Durable, sqlite.QueueSchema)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTailBehindWatermark: when the file has lost its end beyond what is
// acknowledged, a new event must not come to stand where everything counts as
// acknowledged: it would never be sent, and pruned in time.
func TestTailBehindWatermark(t *testing.T) {
	s := makeSound(t)
	dir := folder(t)
	path := filepath.Join(dir, "queue.db")
	for _, keep := range []uint64{s.status.Acknowledged - 1, 0} {
		t.Run(fmt.Sprint("up to ", keep), func(t *testing.T) {
			d := damaged(s.closed)
			spoil(t, path, d, fmt.Sprint("DELETE FROM event WHERE position > ", keep))
			q, err := sqlite.OpenQueue(t.Context(), path, sqlite.Options{Seal: seal, Reserve: -1})
			if err != nil {
				return
			}
			defer q.Close()
			if st, err := q.Status(t.Context()); err == nil && st.Depth > st.Head.Sequence {
				t.Errorf("%d of %d events are not acknowledged", st.Depth, st.Head.Sequence)
			}
			m := messageOf(random(9))
			r, err := q.Put(t.Context(), m, nil)
			if err != nil {
				return
			}
			due, err := q.Lease(t.Context(), 100)
			if err != nil || !slices.ContainsFunc(due, func(e queue.Event) bool { return e.ID == m.ID }) {
				t.Errorf("the new event, number %d, is not sent: %d others, %v", r.Sequence, len(due), err)
			}
		})
	}
}
