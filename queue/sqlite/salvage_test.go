package sqlite_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// TestEveryRegionDamaged spoils a queue's files in every region and in several
// ways. It always opens, what is not named as missing is there, and it goes on.
func TestEveryRegionDamaged(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 150, 60, 30)
	q.Close()
	closed := h.copy()
	q = h.open()
	for i := 150; i < 260; i++ {
		b := fmt.Sprint("in the log ", i+1, strings.Repeat(" x", 300))
		l.receipts, l.bodies = append(l.receipts, put(t, q, b)), append(l.bodies, b)
	}
	l.acknowledge(t, q, 70)
	killed := h.copy()
	q.Close()
	short := l
	short.receipts, short.bodies, short.through = l.receipts[:150], l.bodies[:150], 60

	chance := random(*crashSeed)
	samples := max(4, *crashImages/400)
	for _, c := range []struct {
		name     string
		files    files
		file     string
		l        life
		from, to int // 0: the end
	}{
		{"header", closed, "", short, 0, 100},
		{"schema", closed, "", short, 100, 4096},
		{"first pages", closed, "", short, 4096, 8 * 4096},
		{"pages", closed, "", short, 0, 0},
		{"file beside a log", killed, "", l, 0, 0},
		{"log's header", killed, "-wal", l, 0, 32},
		{"log's first frames", killed, "-wal", l, 32, 5 * 4120},
		{"log", killed, "-wal", l, 0, 0},
	} {
		for _, how := range []struct {
			name  string
			spoil func(b []byte, at int) []byte
		}{
			{"a bit", func(b []byte, at int) []byte { b[at] ^= 1 << chance.IntN(8); return b }},
			{"a byte", func(b []byte, at int) []byte { b[at] = byte(chance.Uint32()); return b }},
			{"a sector of zeros", func(b []byte, at int) []byte { at = at / 512 * 512; clear(b[at:min(at+512, len(b))]); return b }},
			{"a page of junk", func(b []byte, at int) []byte {
				at = at / 4096 * 4096
				for i := range b[at:min(at+4096, len(b))] {
					b[at+i] = byte(chance.Uint32())
				}
				return b
			}},
			{"the rest cut off", func(b []byte, at int) []byte { return b[:at] }},
		} {
			t.Run(c.name+"/"+how.name, func(t *testing.T) {
				recovered, missing, slowest := 0, 0, time.Duration(0)
				for range samples {
					to := c.to
					if to == 0 {
						to = len(c.files[c.file])
					}
					at := c.from + chance.IntN(to-c.from)
					f := files{}
					for name, b := range c.files {
						f[name] = bytes.Clone(b)
					}
					f[c.file] = how.spoil(f[c.file], at)
					h := &house{t, h.path, h.o}
					h.place(f)
					began := time.Now()
					q, err := sqlite.OpenQueue(context.Background(), h.path, h.o)
					if err != nil {
						t.Fatalf("byte %d: %v", at, err)
					}
					slowest = max(slowest, time.Since(began))
					rec, was := c.l.account(t, q)
					if was {
						recovered++
					}
					for _, r := range rec.Missing {
						missing += int(r[1] - r[0] + 1)
					}
					h.soundAgain(q)
					if t.Failed() {
						t.Fatalf("byte %d: %+v", at, rec)
					}
				}
				t.Logf("%d of %d recovered, %d events missing, %v at most", recovered, samples, missing, slowest.Round(time.Millisecond))
			})
		}
	}
}

// TestSpoiledAnchor: an anchor that cannot be read, or only half of it, says
// nothing wrong.
func TestSpoiledAnchor(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 20, 10, 5)
	killed := h.copy()
	q.Close()
	chance := random(3)
	for range 60 {
		f := files{}
		for name, b := range killed {
			f[name] = bytes.Clone(b)
		}
		b := f["anchor"]
		at := chance.IntN(len(b))
		switch chance.IntN(3) {
		case 0:
			b[at] ^= 1 << chance.IntN(8)
		case 1:
			f["anchor"] = b[:at]
		case 2:
			for i := range b[at:] {
				b[at+i] = byte(chance.Uint32())
			}
		}
		h.place(f)
		q := h.open()
		if rec, was := l.account(t, q); was {
			t.Errorf("spoiled at %d: %+v", at, rec)
		}
		h.soundAgain(q)
	}
}

// A watermark that a flipped bit has raised would let events go unsent; the
// anchor knows better.
func TestRaisedWatermark(t *testing.T) {
	h := newHouse(t)
	q := h.open()
	l := h.live(q, 20, 10, 5)
	q.Close()
	db, err := sqlite.Open(t.Context(), h.path, sqlite.Durable, sqlite.QueueSchema)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE watermark SET through = 18"); err != nil {
		t.Fatal(err)
	}
	db.Close()
	q = h.open()
	if n := q.Acknowledged(); n != 10 {
		t.Errorf("%d are acknowledged", n)
	}
	if due, err := q.Lease(t.Context(), 100); err != nil || len(due) != 10 || due[0].Acknowledged {
		t.Errorf("%d are due, %v", len(due), err)
	}
	l.account(t, q)
}

// FuzzSalvage: whatever a file holds, it is read without panic, and what is
// salvaged is what its hash says.
func FuzzSalvage(f *testing.F) {
	h := newHouse(f)
	q := h.open()
	h.live(q, 12, 4, 2)
	sound := h.copy()
	q.Close()
	f.Add(uint64(1), 0, 1)
	f.Add(uint64(2), 4096, 100)
	f.Fuzz(func(t *testing.T, seed uint64, at, n int) {
		b := bytes.Clone(sound["-wal"])
		if at < 0 || n < 0 || at >= len(b) {
			return
		}
		chance := rand.New(rand.NewPCG(seed, 0))
		for i := range b[at:min(at+n, len(b))] {
			b[at+i] = byte(chance.Uint32())
		}
		h := newHouse(t)
		h.place(files{"": sound[""], "-wal": b, "anchor": sound["anchor"]})
		q := h.open()
		checkChain(t, all(t, q.Reader))
		q.Close()
	})
}

// BenchmarkRecover: a file with 100 000 events that are not acknowledged and a
// destroyed page.
func BenchmarkRecover(b *testing.B) {
	h := newHouse(b)
	q := h.open()
	const events = 100_000
	text := strings.Repeat("x", 1000)
	line := make(chan queue.Message, 128)
	done := make(chan error)
	for range 64 {
		go func() {
			var last error
			for m := range line {
				if _, err := q.Put(context.Background(), m, []byte("note")); err != nil {
					last = err
				}
			}
			done <- last
		}()
	}
	for range events {
		line <- message(text)
	}
	close(line)
	for range 64 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	q.Close()
	f := h.copy()
	b.Run("sound", func(b *testing.B) {
		for b.Loop() {
			q := h.open()
			b.StopTimer()
			q.Close()
			b.StartTimer()
		}
	})
	page := len(f[""]) / 4096 / 2 * 4096
	clear(f[""][page : page+4096])
	b.Run("damaged", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			h.place(f)
			b.StartTimer()
			q := h.open()
			b.StopTimer()
			rec, was := q.Recovery()
			if !was || rec.Rewrapped < events-20 {
				b.Errorf("%+v", rec)
			}
			q.Close()
			b.StartTimer()
		}
		b.ReportMetric(float64(len(f[""]))/(1<<20), "MiB")
	})
}
