package cache

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

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
		return in.replaceBase((*builder).full)
	}
	if in.overgrown() {
		return in.replaceBase((*builder).folded)
	}
	return in.replaceOverlay(in.old.base.header, in.old.over)
}

// overgrown tells that the overlay has become too large to be written anew with
// every delta and to be kept in mind by its keys: a counter that is given deltas
// only, for months, would have another list in it. It is folded into a new base
// then, if the disk has room for that.
func (in *installer) overgrown() bool {
	base, over := in.old.base, in.old.over
	if over == nil || over.header.Rows <= min(manyKeys, max(fewRows, base.header.Rows/8)) {
		return false
	}
	length, err := in.old.size(in.path)
	return err == nil && CheckRoom(in.path, length+in.update.Room) == nil
}

// fewRows is how many rows any overlay may have; tests make it less.
var fewRows int64 = 4096

// replaceBase builds a base and, if there are deltas on it, its overlay, which
// lies in place before the base does.
func (in *installer) replaceBase(fill func(*builder) error) error {
	next := in.path + ".new"
	h, err := in.build(next, func(b *builder) error {
		b.header.Build = newBuild()
		return fill(b)
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
