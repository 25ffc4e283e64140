package cache

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/queue/sqlite"
)

// Opener gives a file of rows, whole and verified.
type Opener func(context.Context) (io.ReadCloser, error)

// Update is a list to install. Its files have been verified: this package looks
// only whether they fit together.
type Update struct {
	Version   int64
	Time      time.Time         // when it was signed
	Source    string            // where it came from
	Full      []Opener          // the shards of a full list; none: the base stays
	Deltas    []Opener          // what leads from the full list, or from the installed one, to Version
	Negatives Opener            // all negative entries
	Targets   map[string][]byte // what is no file of rows
	Room      int64             // bytes that its files have
}

// Errors of an installation.
var (
	ErrBusy  = errors.New("another import is running")
	ErrOlder = errors.New("a newer list is installed")
	ErrUnfit = errors.New("its files do not fit together")
)

const roomToSpare = 256 << 20 // left free for the queue, which may be on the same disk

// Lock keeps others from installing a list at path. ErrBusy: somebody does.
func Lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, ErrBusy
	}
	giveToOwner(path + ".lock")
	return func() { f.Close() }, nil
}

// Install puts a list in the place of the one whose base is at path. Whatever
// goes wrong, the old one stays. The caller holds the Lock.
func Install(ctx context.Context, path string, u Update) (placement.Info, error) {
	in := &installer{ctx: ctx, path: path, update: u}
	defer in.clean()
	if err := in.run(); err != nil {
		return placement.Info{}, fmt.Errorf("cannot install list version %d: %w", u.Version, err)
	}
	return Installed(ctx, path)
}

type installer struct {
	ctx    context.Context
	path   string
	update Update
	old    *List // nil: none, or none that can be read
}

// step is called before each step that changes a disk; tests make it fail.
var step = func(string) error { return nil }

func (in *installer) run() error {
	if err := CheckRoom(in.path, in.update.Room); err != nil {
		return err
	}
	in.old = &List{}
	if err := in.old.open(in.ctx, in.path); err != nil {
		in.old.Close()
		in.old = nil
		if in.ctx.Err() != nil {
			return in.ctx.Err()
		}
		if len(in.update.Full) == 0 {
			return errors.Join(errors.New("a full list is needed"), err)
		}
	} else if now := in.old.top().header; now.Version > in.update.Version {
		return fmt.Errorf("%w: version %d", ErrOlder, now.Version)
	}
	if err := in.removeStale(); err != nil {
		return err
	}
	if len(in.update.Full) > 0 {
		return in.replaceBase()
	}
	return in.replaceOverlay(in.old.base.header, in.old.over)
}

// replaceBase builds a base and, if there are deltas on it, its overlay, which
// lies in place before the base does.
func (in *installer) replaceBase() error {
	next := in.path + ".new"
	h, err := in.build(next, func(b *builder) error {
		b.header.Build = newBuild()
		return b.full()
	})
	if err != nil {
		return err
	}
	if h.Version < in.update.Version || len(in.update.Deltas) > 0 {
		if err := in.replaceOverlay(h, nil); err != nil {
			return err
		}
	}
	return in.settle(next, in.path)
}

// replaceOverlay builds the overlay of a base.
func (in *installer) replaceOverlay(base header, old *file) error {
	path := overlayPath(in.path, base.Build)
	next := path + ".new"
	if _, err := in.build(next, func(b *builder) error { return b.overlay(base, old) }); err != nil {
		return err
	}
	return in.settle(next, path)
}

// settle makes a finished file durable and puts it in its place.
func (in *installer) settle(from, to string) error {
	if err := step("sync"); err != nil {
		return err
	}
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := giveToOwner(from); err != nil {
		return err
	}
	if err := step("rename"); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	if err := step("sync folder"); err != nil {
		return err
	}
	return sqlite.SyncDir(filepath.Dir(to))
}

// build makes a new file and checks it.
func (in *installer) build(path string, fill func(*builder) error) (h header, err error) {
	if err := step("create"); err != nil {
		return h, err
	}
	db, err := sqlite.Open(in.ctx, path, sqlite.Bulk, Schema)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(in.ctx, nil)
	if err != nil {
		return h, err
	}
	defer tx.Rollback()
	b := &builder{installer: in, tx: tx}
	b.header.Version, b.header.Time, b.header.Source = in.update.Version, in.update.Time, in.update.Source
	if err := fill(b); err != nil {
		return h, err
	}
	text, err := json.Marshal(b.header)
	if err != nil {
		return h, err
	}
	if _, err := tx.ExecContext(in.ctx, "INSERT INTO list(one, header) VALUES(1, ?)", string(text)); err != nil {
		return h, err
	}
	if err := step("commit"); err != nil {
		return h, err
	}
	if err := tx.Commit(); err != nil {
		return h, err
	}
	return b.header, check(in.ctx, db)
}

// check looks whether SQLite finds its own structures whole.
func check(ctx context.Context, db *sql.DB) error {
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("the file is damaged: %s", verdict)
	}
	return nil
}

// builder fills a new file.
type builder struct {
	*installer
	tx     *sql.Tx
	header header
}

// full writes a base.
func (b *builder) full() error {
	w, err := newWriter(b.ctx, b.tx, "row")
	if err != nil {
		return err
	}
	defer w.close()
	if len(b.update.Full) != placement.Shards {
		return fmt.Errorf("a full list has %d shards and not %d", placement.Shards, len(b.update.Full))
	}
	for i, open := range b.update.Full {
		if err := step("shard"); err != nil {
			return err
		}
		err := readRows(b.ctx, open, func(h placement.Header) error {
			if i == 0 {
				b.header.Lock, b.header.Version, b.header.Base = lockOf(h), h.Version, h.Version
			}
			if h.Shard != i || h.From != 0 || h.Version != b.header.Base || !h.SameLock(b.header.Lock) {
				return fmt.Errorf("%w: it is of another list", ErrUnfit)
			}
			return nil
		}, func(r placement.Row) error {
			if int(r.Tag[0]) != i || r.Kind == placement.KindGone || r.Kind == placement.KindNegative {
				return fmt.Errorf("%w: it holds rows that do not belong there", ErrUnfit)
			}
			return w.put(r)
		})
		if err != nil {
			return fmt.Errorf("shard %02x: %w", i, err)
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	b.header.Rows, b.header.Sum = w.count, w.sum
	return b.rest()
}

// lockOf keeps of a header what locks.
func lockOf(h placement.Header) placement.Header {
	return placement.Header{Version: h.Version, KeyID: h.KeyID, Salt: h.Salt, Cost: h.Cost, Cheap: h.Cheap}
}

// overlay writes what has changed since the base: what the overlay before had,
// and the deltas on top of it, each tag as the last delta has it.
func (b *builder) overlay(base header, old *file) error {
	b.header.Build, b.header.Base, b.header.Lock = base.Build, base.Version, base.Lock
	at := base.Version
	w, err := newWriter(b.ctx, b.tx, "row")
	if err != nil {
		return err
	}
	defer w.close()
	if old != nil {
		at = old.header.Version
		if err := copyRows(b.ctx, old.db, w); err != nil {
			return err
		}
	}
	for _, open := range b.update.Deltas {
		if err := step("delta"); err != nil {
			return err
		}
		err := readRows(b.ctx, open, func(h placement.Header) error {
			if h.From != at || !h.SameLock(base.Lock) {
				return fmt.Errorf("%w: delta from %d to %d does not go on from version %d", ErrUnfit, h.From, h.Version, at)
			}
			at = h.Version
			return nil
		}, w.put)
		if err != nil {
			return err
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	if at != b.update.Version {
		return fmt.Errorf("%w: the deltas lead to version %d", ErrUnfit, at)
	}
	if b.header.Rows, b.header.Sum, err = sumOf(b.ctx, b.tx); err != nil {
		return err
	}
	return b.rest()
}

// rest writes what is not locked rows of placements.
func (b *builder) rest() error {
	w, err := newWriter(b.ctx, b.tx, "negative")
	if err != nil {
		return err
	}
	defer w.close()
	err = readRows(b.ctx, b.update.Negatives, func(h placement.Header) error {
		if !h.SameLock(b.header.Lock) {
			return fmt.Errorf("%w: they are locked differently", ErrUnfit)
		}
		return nil
	}, func(r placement.Row) error {
		if r.Kind != placement.KindNegative {
			return fmt.Errorf("%w: a row is of another kind", ErrUnfit)
		}
		return w.put(r)
	})
	if err := errors.Join(err, w.flush()); err != nil {
		return fmt.Errorf("negative entries: %w", err)
	}
	for name, body := range b.update.Targets {
		if _, err := b.tx.ExecContext(b.ctx, "INSERT INTO target(name, body) VALUES(?, ?)", name, body); err != nil {
			return err
		}
	}
	return nil
}

func readRows(ctx context.Context, open Opener, head func(placement.Header) error, each func(placement.Row) error) (err error) {
	f, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r, err := placement.NewRowReader(f)
	if err != nil {
		return err
	}
	if err := head(r.Header()); err != nil {
		return err
	}
	for {
		row, err := r.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}

// perInsert is how many keys one statement writes: it saves half the time.
const perInsert = 50

// writer writes rows that come in order of their tags: all of one key into one
// value.
type writer struct {
	ctx       context.Context
	many, one *sql.Stmt
	key       int64
	values    []byte // those of args, one after the other, and the one that grows
	begun     int    // where that one begins
	args      []any
	count     int64
	sum       uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func newWriter(ctx context.Context, tx *sql.Tx, table string) (w *writer, err error) {
	w = &writer{ctx: ctx, key: -1}
	insert := "INSERT OR REPLACE INTO " + table + "(key, rows) VALUES "
	if w.many, err = tx.PrepareContext(ctx, insert+strings.Repeat("(?, ?), ", perInsert-1)+"(?, ?)"); err != nil {
		return nil, err
	}
	if w.one, err = tx.PrepareContext(ctx, insert+"(?, ?)"); err != nil {
		return nil, errors.Join(err, w.many.Close())
	}
	return w, nil
}

func (w *writer) close() { w.many.Close(); w.one.Close() }

func (w *writer) put(r placement.Row) (err error) {
	if key := keyOf(r.Tag); key != w.key {
		if err := w.end(); err != nil {
			return err
		}
		w.key = key
	}
	w.count++
	w.values, err = r.Append(w.values)
	return err
}

// end closes the value that rows have been put into.
func (w *writer) end() error {
	if w.key < 0 {
		return nil
	}
	return w.add(w.key, w.values[w.begun:len(w.values):len(w.values)])
}

func (w *writer) add(key int64, value []byte) error {
	w.args = append(w.args, key, value)
	w.sum = crc32.Update(w.sum, castagnoli, value)
	w.key, w.begun = -1, len(w.values)
	if len(w.args) < 2*perInsert {
		return nil
	}
	_, err := w.many.ExecContext(w.ctx, w.args...)
	w.args, w.values, w.begun = w.args[:0], w.values[:0], 0
	return err
}

// flush writes what is left.
func (w *writer) flush() error {
	if err := w.end(); err != nil {
		return err
	}
	for i := 0; i < len(w.args); i += 2 {
		if _, err := w.one.ExecContext(w.ctx, w.args[i], w.args[i+1]); err != nil {
			return err
		}
	}
	w.args, w.values, w.begun = w.args[:0], w.values[:0], 0
	return nil
}

func copyRows(ctx context.Context, from *sql.DB, w *writer) error {
	rows, err := from.QueryContext(ctx, "SELECT key, rows FROM row ORDER BY key")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		var value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return err
		}
		if err := w.add(key, value); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), w.flush())
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// sumOf counts the rows of a file and computes their checksum.
func sumOf(ctx context.Context, db queryer) (count int64, sum uint32, err error) {
	rows, err := db.QueryContext(ctx, "SELECT key, rows FROM row ORDER BY key")
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		var value sql.RawBytes
		if err := rows.Scan(&key, &value); err != nil {
			return 0, 0, err
		}
		list, err := placement.ParseRows(value)
		if err != nil {
			return 0, 0, err
		}
		count += int64(len(list))
		sum = crc32.Update(sum, castagnoli, value)
	}
	return count, sum, rows.Err()
}

// Verify reads the installed list from end to end and compares it with what it
// was when it was installed.
func Verify(ctx context.Context, path string) (placement.Info, error) {
	l := &List{}
	defer l.Close()
	if err := l.open(ctx, path); err != nil {
		return placement.Info{}, err
	}
	for _, f := range []*file{l.base, l.over} {
		if f == nil {
			continue
		}
		if err := check(ctx, f.db); err != nil {
			return placement.Info{}, err
		}
		count, sum, err := sumOf(ctx, f.db)
		if err != nil {
			return placement.Info{}, err
		}
		if count != f.header.Rows || sum != f.header.Sum {
			return placement.Info{}, fmt.Errorf("the file is damaged: %d rows with checksum %08x, installed were %d with %08x",
				count, sum, f.header.Rows, f.header.Sum)
		}
	}
	return infoOf(l.top().header, l.base.header), nil
}

// overlays lists the overlays beside a base, whole or not.
func overlays(path string) ([]string, error) {
	return filepath.Glob(strings.TrimSuffix(path, ".db") + ".????????????????.db")
}

// removeStale removes what an installation that was cut off has left, and
// overlays of other bases than the one in place. If that cannot be read, nobody
// knows which overlay is its own, and all stay.
func (in *installer) removeStale() error {
	stale, err := filepath.Glob(strings.TrimSuffix(in.path, ".db") + "*.new*")
	if err != nil {
		return err
	}
	if in.old != nil {
		all, err := overlays(in.path)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p != overlayPath(in.path, in.old.base.header.Build) {
				stale = append(stale, p)
			}
		}
	}
	for _, p := range stale {
		if err := os.Remove(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// clean removes what is left over: of this installation, or the overlay of the
// base before. Files that somebody has open stay readable.
func (in *installer) clean() {
	if in.old != nil {
		in.old.Close()
		in.old = nil
	}
	now := &List{}
	if err := now.open(context.WithoutCancel(in.ctx), in.path); err == nil {
		in.old = now
	}
	in.removeStale() // what stays is removed the next time
	in.old = nil
	now.Close()
}

// timePath is the file that says when the list was last signed.
func timePath(path string) string { return strings.TrimSuffix(path, ".db") + ".time" }

type signed struct {
	Version int64     `json:"version"`
	Time    time.Time `json:"time"`
}

func signedAgain(path string, version int64) (time.Time, bool) {
	b, err := os.ReadFile(timePath(path))
	if err != nil {
		return time.Time{}, false
	}
	var s signed
	err = json.Unmarshal(b, &s)
	return s.Time, err == nil && s.Version == version
}

// SetTime notes that the installed list, of this version, was signed again.
func SetTime(path string, version int64, t time.Time) error {
	b, err := json.Marshal(signed{version, t})
	if err != nil {
		return err
	}
	if err := crossing.WriteFile(timePath(path), b, 0o600); err != nil {
		return fmt.Errorf("cannot note the list's time: %w", err)
	}
	return giveToOwner(timePath(path))
}

// maxRoom is more than any list has.
const maxRoom = 1 << 40

// CheckRoom refuses to write so many bytes of a list beside the installed one
// where they would fill the disk. Rows take about as much in the database as in
// the files, and a part more.
func CheckRoom(path string, length int64) error {
	if length < 0 || length > maxRoom {
		return fmt.Errorf("%w: it has no sensible length", ErrUnfit)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(path), &st); err != nil {
		return err
	}
	need, free := uint64(length)+uint64(length)/4+roomToSpare, st.Bavail*uint64(st.Bsize)
	if need > free {
		return fmt.Errorf("it needs %d MiB of disk, %d are free", need>>20, free>>20)
	}
	return nil
}

// giveToOwner lets the folder's owner use a file that root has made in it: the
// agent runs as a user of its own.
func giveToOwner(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Dir(path), &st); err != nil {
		return err
	}
	return os.Chown(path, int(st.Uid), int(st.Gid))
}

func inode(st fs.FileInfo) uint64 {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return s.Ino
	}
	return 0
}
