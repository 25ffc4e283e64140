// Package build makes the files of the placement list from what the authority
// knows: full lists, cut into shards, and deltas.
//
// Locking a record costs tens of milliseconds, so a build keeps a state beside
// the list: the locked rows, by keyed digests of their content. What has not
// changed is not locked again, and what has changed since a version is known,
// so that a delta of a list of millions takes as long as its changes. Memory is
// bounded: sources are read as streams and sorted in pieces on the disk. What
// is in those pieces is encrypted under a key that is never written down; the
// state itself holds locked rows and digests only.
//
// A build makes all or nothing: the files are named in what it returns, and a
// fault in a source leaves list and state as they were.
package build

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/queue/sqlite"
)

//go:embed schema.sql
var schemaSQL string

// schema marks build states: "LntB".
var schema = sqlite.Schema{ApplicationID: 0x4c6e7442, Name: "list build", Steps: []string{schemaSQL}}

// Stream hands placements on, one after the other.
type Stream func(each func(placement.Entry) error) error

// Source is what a list is built from. What is nil is taken over from the list
// before.
type Source struct {
	Placements Stream
	Changes    bool // Placements are changed, new and removed ones only
	Cleared    []placement.Cleared
	Negatives  []placement.NegativeEntry
	Agencies   []placement.Agency
	Officers   []placement.Officer
	Rules      []byte
	Hub        []byte
	Sites      map[string]crossing.Keys // of each site's counters, for its officers
	Counters   map[string]crossing.Keys // of each counter, for its list keys
}

// Options of a build.
type Options struct {
	State   string // folder of the state, beside the list
	Out     string // folder of the list's targets
	Keys    placement.Keyring
	Key     placement.Key // one of Keys: it locks this list
	Cost    placement.Cost
	Version int64 // 0: one more than the last, or the time in seconds if that is more
	Full    bool  // a full list also where a delta would do
	Now     time.Time

	Last     int64             // version of the list that is in Out, 0 if none
	LastFull int64             // and of the full list there
	FullAge  time.Duration     // of that
	LastKey  string            // id of the key that locks it
	Targets  placement.Targets // what is in Out
}

// Result says what a build has made.
type Result struct {
	Version int64
	Full    bool
	Changed int // placements that were locked anew or removed
	Rows    int64
	LeftOut int               // person stubs that would have been ambiguous
	Targets placement.Targets // all files of the new list
}

// fullEvery is how old a full list gets before there is another.
const fullEvery = 7 * 24 * time.Hour

// builder is a build in progress.
type builder struct {
	Options
	ctx    context.Context
	source Source
	db     *sql.DB
	tx     *sql.Tx
	lock   *placement.Lock
	head   placement.Header
	before int64 // version of the state
	fresh  bool  // there was no state
	spill  string

	frequent map[int64]int64 // placements of names that are not seldom
	written  []string        // files of targets, not yet made durable
	result   Result
}

// Run builds a list.
func Run(ctx context.Context, o Options, s Source) (Result, error) {
	b := &builder{Options: o, ctx: ctx, source: s}
	if err := b.run(); err != nil {
		return Result{}, fmt.Errorf("cannot build list: %w", err)
	}
	return b.result, nil
}

func (b *builder) run() (err error) {
	if err := os.MkdirAll(b.State, 0o700); err != nil {
		return err
	}
	if b.spill, err = os.MkdirTemp(b.State, "tmp-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.spill)) }()
	path := filepath.Join(b.State, b.Key.ID+".db")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		b.fresh = true
	} else if err != nil {
		return err
	}
	if b.fresh && (b.source.Placements == nil || b.source.Changes) {
		return errors.New("this list key has locked no list yet; give all placements (--placements or --postgres)")
	}
	work, mode := path, sqlite.Relaxed
	if b.fresh {
		// Nobody needs a half of it: no journal, and a name of its own when done.
		work, mode = path+".new", sqlite.Bulk
		if err := os.Remove(work); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if b.db, err = sqlite.Open(b.ctx, work, mode, schema); err != nil {
		return err
	}
	err = b.update()
	if err == nil && b.fresh {
		err = errors.Join(b.db.Close(), settle(work, path))
		if err == nil {
			b.db, err = sqlite.Open(b.ctx, path, sqlite.Relaxed, schema)
		}
	}
	if err != nil {
		return errors.Join(err, b.db.Close())
	}
	return errors.Join(b.emit(), b.db.Close())
}

// settle makes a new file durable under its name.
func settle(from, to string) error {
	if err := syncFile(from); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return sqlite.SyncDir(filepath.Dir(to))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// update brings the state to the new version, in one transaction.
func (b *builder) update() (err error) {
	if b.tx, err = b.db.BeginTx(b.ctx, nil); err != nil {
		return err
	}
	defer b.tx.Rollback()
	if err := b.open(); err != nil {
		return err
	}
	if b.source.Placements != nil {
		changes, err := b.diff()
		if err != nil {
			return err
		}
		if err := b.apply(changes); err != nil {
			return err
		}
	}
	if _, err := b.tx.ExecContext(b.ctx, "UPDATE list SET version = ?", b.head.Version); err != nil {
		return err
	}
	// What the published list has, no delta needs any more.
	if _, err := b.tx.ExecContext(b.ctx, "DELETE FROM touched WHERE version <= ?", b.Last); err != nil {
		return err
	}
	return b.tx.Commit()
}

// open reads what the state was made with, and chooses the version.
func (b *builder) open() error {
	h := &b.head
	h.KeyID, h.Cost = b.Key.ID, b.Cost
	row := b.tx.QueryRowContext(b.ctx, "SELECT version, salt, time, memory FROM list WHERE key_id = ?", h.KeyID)
	switch err := row.Scan(&b.before, &h.Salt, &h.Cost.Time, &h.Cost.MemoryKiB); {
	case errors.Is(err, sql.ErrNoRows):
		h.Salt = placement.NewSalt()
		_, err := b.tx.ExecContext(b.ctx, "INSERT INTO list(one, version, key_id, salt, time, memory) VALUES(1, 0, ?, ?, ?, ?)",
			h.KeyID, h.Salt, h.Cost.Time, h.Cost.MemoryKiB)
		if err != nil {
			return err
		}
	case err != nil:
		return err
	case h.Cost != b.Cost:
		return fmt.Errorf("the list was begun with another cost of the slow hash (time %d, %d KiB); a new cost begins with a new list key", h.Cost.Time, h.Cost.MemoryKiB)
	}
	h.Cheap = h.Cost.Cheap()
	last := max(b.before, b.Last)
	switch h.Version = b.Version; {
	case h.Version == 0:
		h.Version = max(last+1, b.Now.Unix())
	case h.Version <= last:
		return fmt.Errorf("version %d is not above %d, the last one: counters would refuse it", h.Version, last)
	}
	var err error
	b.lock, err = placement.NewLock(b.Key, h.Salt, h.Cost)
	b.result.Version = h.Version
	return err
}
