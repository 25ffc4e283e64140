package sqlite_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// small mounts a file system of 20 MiB.
func small(t *testing.T, kind string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small file system")
	}
	dir := t.TempDir()
	switch kind {
	case "tmpfs":
		if err := unix.Mount("none", dir, "tmpfs", 0, "size=20m"); err != nil {
			t.Skip("cannot mount a tmpfs:", err)
		}
	default:
		image := filepath.Join(t.TempDir(), "image")
		f, err := os.Create(image)
		if err != nil {
			t.Fatal(err)
		}
		f.Truncate(20 << 20)
		f.Close()
		for _, c := range [][]string{{"mkfs." + kind, "-q", "-m", "0", image}, {"mount", "-o", "loop", image, dir}} {
			if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
				t.Skipf("%s: %v: %s", c[0], err, out)
			}
		}
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill writes a file until the file system is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break
			}
		}
	}
	f.Sync()
}

// fillQueue puts until that fails, and finds nothing that was refused.
func fillQueue(t *testing.T, q *sqlite.Queue) (last queue.Receipt, n int) {
	t.Helper()
	for ; n < 100_000; n++ {
		m := message(strings.Repeat("x", 4000))
		r, err := q.Put(context.Background(), m, nil)
		if err != nil {
			if !sqlite.IsFull(err) || !q.Full() {
				t.Fatalf("put %d: %v", n, err)
			}
			if _, err := q.Find(context.Background(), m.ID); !errors.Is(err, queue.ErrNotFound) {
				t.Fatalf("what was refused: %v", err)
			}
			return last, n
		}
		last = r
	}
	t.Fatal("it is never full")
	return
}

// unwedge confirms and prunes a full queue and finds it working again.
func unwedge(t *testing.T, q *sqlite.Queue, last queue.Receipt) {
	t.Helper()
	if _, err := q.Put(t.Context(), message(strings.Repeat("x", 4000)), nil); !sqlite.IsFull(err) {
		t.Errorf("put: %v", err)
	}
	if err := q.Park(t.Context(), last.Sequence, "x"); err != nil {
		t.Errorf("park: %v", err)
	}
	if err := q.Acknowledge(t.Context(), queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{
		{Epoch: last.Epoch, Through: last.Sequence, Head: last.Hash}}}); err != nil {
		t.Fatalf("acknowledge: %v", err)
	}
	for more := true; more; {
		var err error
		if _, more, err = q.Prune(t.Context(), time.Now().Add(time.Hour)); err != nil {
			t.Fatalf("prune: %v", err)
		}
	}
	if err := q.Probe(t.Context()); err != nil || q.Full() {
		t.Errorf("probe: %v", err)
	}
	put(t, q, "after")
	checkChain(t, all(t, q.Reader))
}

func TestFullDisk(t *testing.T) {
	for _, kind := range []string{"tmpfs", "ext4"} {
		t.Run(kind, func(t *testing.T) {
			h := newHouse(t)
			dir := small(t, kind)
			h.path = filepath.Join(dir, "queue.db")
			h.o.Reserve = 1 << 20
			q := h.open()
			if st, err := os.Stat(h.path + ".reserve"); err != nil || st.Size() != 1<<20 {
				t.Fatalf("the reserve: %v", err)
			}
			last, n := fillQueue(t, q)
			t.Logf("full after %d puts", n)
			q.Close()

			// Full to the last byte, with nothing beside the file.
			for _, s := range []string{"-wal", "-shm"} {
				os.Remove(h.path + s)
			}
			fill(t, filepath.Join(dir, "filler"))
			q = h.open()
			if !q.Full() {
				t.Error("it does not say that it is full")
			}
			if e := all(t, q.Reader); len(e) != n {
				t.Errorf("%d events, want %d", len(e), n)
			}
			if err := q.Probe(t.Context()); !sqlite.IsFull(err) {
				t.Errorf("probe: %v", err)
			}
			unwedge(t, q, last)
			if st, err := os.Stat(h.path + ".reserve"); err != nil || st.Size() != 1<<20 {
				t.Errorf("the reserve is not back: %v", err)
			}
			os.Remove(filepath.Join(dir, "filler"))
			h.soundAgain(q)
		})
	}
}

// The disk is full of something else; what is unconfirmed must not be lost when
// a new epoch is called for, and the queue goes on when there is room.
func TestFullOfOthers(t *testing.T) {
	h := newHouse(t)
	dir := small(t, "tmpfs")
	h.path = filepath.Join(dir, "queue.db")
	h.o.Reserve = 1 << 20
	q := h.open()
	for range 20 {
		put(t, q, "m")
	}
	fill(t, filepath.Join(dir, "filler"))
	if _, err := q.NewEpoch(t.Context(), queue.Forked); err != nil {
		t.Errorf("new epoch: %v", err)
	}
	fillQueue(t, q)
	os.Remove(filepath.Join(dir, "filler"))
	if err := q.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	put(t, q, "after")
	checkChain(t, all(t, q.Reader))
}

func TestQuota(t *testing.T) {
	h := newHouse(t)
	h.o.Quota = 2 << 20
	q := h.open()
	last, n := fillQueue(t, q)
	if st, err := os.Stat(h.path); err != nil || st.Size() > h.o.Quota {
		t.Errorf("it has grown to %d bytes", st.Size())
	}
	if n < 200 {
		t.Errorf("full after %d puts", n)
	}
	q.Close()
	q = h.open()
	if e := all(t, q.Reader); len(e) != n {
		t.Errorf("%d events, want %d", len(e), n)
	}
	unwedge(t, q, last)
	h.soundAgain(q)
}
