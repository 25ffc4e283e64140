package cache_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/agent/placement"
	"lintas/agent/placement/cache"
	"lintas/queue/sqlite"
)

// sizes of lists to measure. Ten million rows take minutes to make: they are
// measured where LINTAS_BENCH_10M is set.
func sizes() []int {
	if os.Getenv("LINTAS_BENCH_10M") != "" {
		return []int{1_000_000, 10_000_000}
	}
	return []int{1_000_000}
}

// pile is a list of random rows, made again whenever it is read: memory does
// not grow with it.
type pile struct {
	s    *shelf
	n    int
	body int
}

// rows gives those of a shard.
func (p pile) rows(shard int) []placement.Row {
	r := rand.New(rand.NewPCG(uint64(shard), uint64(p.n)))
	rows := make([]placement.Row, p.n/placement.Shards)
	body := make([]byte, len(rows)*p.body)
	for i := range len(body) / 8 {
		binary.LittleEndian.PutUint64(body[i*8:], r.Uint64())
	}
	for i := range rows {
		binary.BigEndian.PutUint64(rows[i].Tag[:], r.Uint64())
		binary.BigEndian.PutUint64(rows[i].Tag[8:], r.Uint64())
		rows[i].Tag[0], rows[i].Kind, rows[i].Body = byte(shard), placement.KindRecord, body[i*p.body:(i+1)*p.body]
	}
	slices.SortFunc(rows, func(a, b placement.Row) int { return bytes.Compare(a.Tag[:], b.Tag[:]) })
	return rows
}

func (p pile) update(version int64) cache.Update {
	u := p.s.update(version)
	for shard := range placement.Shards {
		u.Full = append(u.Full, func(context.Context) (io.ReadCloser, error) {
			h := p.s.head
			h.Version, h.Shard = version, shard
			var b bytes.Buffer
			err := placement.WriteRows(&b, h, p.rows(shard))
			return io.NopCloser(&b), err
		})
	}
	return u
}

// files writes the shards where an import finds them.
func (p pile) files(b *testing.B, dir string) {
	b.Helper()
	for shard := range placement.Shards {
		h := p.s.head
		h.Shard = shard
		f, err := os.Create(filepath.Join(dir, strconv.Itoa(shard)))
		if err != nil {
			b.Fatal(err)
		}
		if err := placement.WriteRows(f, h, p.rows(shard)); err != nil {
			b.Fatal(err)
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func fromFiles(s *shelf, dir string) cache.Update {
	u := s.update(1)
	for shard := range placement.Shards {
		u.Full = append(u.Full, func(context.Context) (io.ReadCloser, error) { return os.Open(filepath.Join(dir, strconv.Itoa(shard))) })
	}
	return u
}

const (
	importEnv = "LINTAS_BENCH_IMPORT" // folder of the shards
	rawEnv    = "LINTAS_BENCH_RAW"
)

// importOnce is a process that imports a list and says how long that took and
// how much memory it had.
func importOnce(dir string) {
	path := filepath.Join(dir, "placements.db")
	begun := time.Now()
	if _, err := cache.Install(context.Background(), path, fromFiles(cutShelf(&testing.B{}), dir)); err != nil {
		panic(err)
	}
	took := time.Since(begun)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); f[0] == "VmHWM:" {
			fmt.Println(took.Nanoseconds(), f[1])
		}
	}
}

// rawOnce writes the same bytes, sorted, by themselves: what SQLite can do.
func rawOnce(dir string) {
	ctx := context.Background()
	path := filepath.Join(dir, "raw.db")
	begun := time.Now()
	db, err := sqlite.Open(ctx, path, sqlite.Bulk, cache.Schema)
	if err == nil {
		err = rawWrite(ctx, db, dir)
	}
	if err == nil {
		err = db.Close()
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		panic(err)
	}
	fmt.Println(time.Since(begun).Nanoseconds(), 0)
}

func rawWrite(ctx context.Context, db *sql.DB, dir string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	insert, err := tx.PrepareContext(ctx, "INSERT INTO row(key, rows) VALUES "+strings.Repeat("(?, ?), ", 49)+"(?, ?)")
	if err != nil {
		return err
	}
	var args []any
	for shard := range placement.Shards {
		f, err := os.Open(filepath.Join(dir, strconv.Itoa(shard)))
		if err != nil {
			return err
		}
		r, err := placement.NewRowReader(bufio.NewReaderSize(f, 1<<20))
		if err != nil {
			return err
		}
		for {
			row, err := r.Next()
			if err == io.EOF {
				break
			} else if err != nil {
				return err
			}
			b, err := row.Append(nil)
			if err != nil {
				return err
			}
			if args = append(args, int64(binary.BigEndian.Uint64(row.Tag[:])>>1), b); len(args) == 100 {
				if _, err := insert.ExecContext(ctx, args...); err != nil {
					return err
				}
				args = args[:0]
			}
		}
		f.Close()
	}
	return tx.Commit()
}

// BenchmarkImport measures how long a full list takes to install, and the
// memory of a process that does, beside the mere writing of its bytes.
func BenchmarkImport(b *testing.B) {
	for _, n := range sizes() {
		for _, body := range []int{64, 320} {
			b.Run(fmt.Sprintf("rows=%d/body=%d", n, body), func(b *testing.B) {
				dir := b.TempDir()
				pile{cutShelf(b), n, body}.files(b, dir)
				run := func(env string) (ns, kib float64) {
					cmd := exec.Command(os.Args[0])
					cmd.Env = append(os.Environ(), env+"="+dir)
					cmd.Stderr = os.Stderr
					out, err := cmd.Output()
					if err != nil {
						b.Fatal(err)
					}
					f := strings.Fields(string(out))
					ns, _ = strconv.ParseFloat(f[0], 64)
					kib, _ = strconv.ParseFloat(f[1], 64)
					os.Remove(filepath.Join(dir, "placements.db"))
					os.Remove(filepath.Join(dir, "raw.db"))
					return ns, kib
				}
				var ours, raw, most float64
				for range b.N {
					ns, kib := run(importEnv)
					limit, _ := run(rawEnv)
					ours, raw, most = ours+ns, raw+limit, max(most, kib)
				}
				b.ReportMetric(ours/float64(b.N)/1e9, "s/import")
				b.ReportMetric(ours/raw, "×raw")
				b.ReportMetric(most/1024, "MiB-RSS")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// BenchmarkLookup measures a look-up without the slow hash, in a list with an
// overlay of thirty days, beside SQLite's own look-up of a row by its key.
func BenchmarkLookup(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			s := cutShelf(b)
			p := pile{s, n, 320}
			path := filepath.Join(b.TempDir(), "placements.db")
			if _, err := cache.Install(b.Context(), path, p.update(1)); err != nil {
				b.Fatal(err)
			}
			var delta []placement.Row
			for shard := range placement.Shards {
				delta = append(delta, p.rows(shard)[:30_000/placement.Shards]...)
			}
			if _, err := cache.Install(b.Context(), path, s.delta(1, 2, delta)); err != nil {
				b.Fatal(err)
			}
			l, err := cache.Open(b.Context(), path, cache.Access{Keys: placement.Keyring{s.key}})
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			var tags []placement.Tag
			for shard := range placement.Shards {
				rows := p.rows(shard)
				for range 400 {
					tags = append(tags, rows[rand.IntN(len(rows))].Tag)
				}
			}
			rand.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
			find := func(tag placement.Tag) {
				if rows, err := l.Tagged(b.Context(), tag); err != nil || len(rows) != 1 {
					b.Fatal(len(rows), err)
				}
			}
			for _, tag := range tags {
				find(tag)
			}
			limit, limit99 := rawLookup(b, path, tags)
			took := make([]time.Duration, 0, b.N)
			b.ResetTimer()
			for i := range b.N {
				begun := time.Now()
				find(tags[i%len(tags)])
				took = append(took, time.Since(begun))
			}
			b.StopTimer()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "µs-p50")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "µs-p99")
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/limit, "×raw-p50")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/limit99, "×raw-p99")
		})
	}
}

// rawLookup is what one prepared statement takes on the same file, in ns: the
// median, and what one of a hundred exceeds.
func rawLookup(b *testing.B, path string, tags []placement.Tag) (p50, p99 float64) {
	b.Helper()
	db, err := sqlite.Open(b.Context(), path, sqlite.Immutable, cache.Schema)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	stmt, err := db.PrepareContext(b.Context(), "SELECT rows FROM row WHERE key = ?")
	if err != nil {
		b.Fatal(err)
	}
	defer stmt.Close()
	took := make([]time.Duration, 0, 2*len(tags))
	for range 2 {
		for _, tag := range tags {
			begun := time.Now()
			var rows []byte
			if err := stmt.QueryRowContext(b.Context(), int64(binary.BigEndian.Uint64(tag[:])>>1)).Scan(&rows); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(begun))
		}
	}
	slices.Sort(took)
	return float64(took[len(took)/2].Nanoseconds()), float64(took[len(took)*99/100].Nanoseconds())
}

// BenchmarkDelta measures how long a delta of a thousand changes takes to
// install on an overlay that has 29 thousand.
func BenchmarkDelta(b *testing.B) {
	s := cutShelf(b)
	p := pile{s, 1_000_000, 320}
	path := filepath.Join(b.TempDir(), "placements.db")
	if _, err := cache.Install(b.Context(), path, p.update(1)); err != nil {
		b.Fatal(err)
	}
	changes := func(from, n int) (rows []placement.Row) {
		for shard := range placement.Shards {
			rows = append(rows, p.rows(shard)[from:from+n/placement.Shards]...)
		}
		return rows
	}
	if _, err := cache.Install(b.Context(), path, s.delta(1, 2, changes(0, 29_000))); err != nil {
		b.Fatal(err)
	}
	thousand := changes(1000, 1000)
	version := int64(2)
	for b.Loop() {
		if _, err := cache.Install(b.Context(), path, s.delta(version, version+1, thousand)); err != nil {
			b.Fatal(err)
		}
		version++
	}
}

// BenchmarkFirst measures opening a list whose file is not in memory, and the
// first look-up then.
func BenchmarkFirst(b *testing.B) {
	for _, n := range sizes() {
		b.Run(fmt.Sprintf("rows=%d", n), func(b *testing.B) {
			s := cutShelf(b)
			p := pile{s, n, 320}
			path := filepath.Join(b.TempDir(), "placements.db")
			if _, err := cache.Install(b.Context(), path, p.update(1)); err != nil {
				b.Fatal(err)
			}
			rows := p.rows(7)
			var open, first time.Duration
			for range b.N {
				evict(b, path)
				begun := time.Now()
				l, err := cache.Open(b.Context(), path, cache.Access{Keys: placement.Keyring{s.key}})
				if err != nil {
					b.Fatal(err)
				}
				opened := time.Now()
				if _, err := l.Tagged(b.Context(), rows[rand.IntN(len(rows))].Tag); err != nil {
					b.Fatal(err)
				}
				open, first = open+opened.Sub(begun), first+time.Since(opened)
				l.Close()
			}
			b.ReportMetric(float64(open.Microseconds())/float64(b.N)/1e3, "ms-open")
			b.ReportMetric(float64(first.Microseconds())/float64(b.N)/1e3, "ms-first")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// evict takes a file out of the page cache.
func evict(b *testing.B, path string) {
	b.Helper()
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkFind measures a whole look-up, with the slow hashes of a real list.
func BenchmarkFind(b *testing.B) {
	key := placement.NewKey()
	s := shelfOf(b, key, placement.NewSalt())
	s.head.Cost, s.head.Cheap = placement.DefaultCost, false
	var err error
	if s.lock, err = placement.NewLock(key, s.head.Salt, placement.DefaultCost); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "placements.db")
	if _, err := cache.Install(b.Context(), path, s.full(1, s.rows(10, 1))); err != nil {
		b.Fatal(err)
	}
	l, err := cache.Open(b.Context(), path, cache.Access{Keys: placement.Keyring{key}})
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	doc := documentOf(entry(3, 1))
	for b.Loop() {
		if f, err := l.Find(b.Context(), doc); err != nil || len(f.Records) != 1 {
			b.Fatal(err)
		}
	}
}
