// Package sqlite keeps a queue in one SQLite file, and opens SQLite files for
// the other parts of the project: it is the only importer of the driver.
//
// The queue file is in WAL mode with synchronous=FULL: one fsync for each
// commit, durable when Put returns. One goroutine writes; it takes all that is
// waiting into one transaction, so that many callers share an fsync and a
// single one never waits for a timer. What has been acknowledged is a
// watermark, not a mark on every row; it is written over a second connection
// with synchronous=NORMAL, because losing it only sends events again.
//
// Every database this package makes carries an application_id and a
// user_version. Migrations only add: an older program can go on using a newer
// file.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"lintas/queue"
)

// busyTimeout is how long one connection waits for another's lock.
const busyTimeout = 5 * time.Second

// Mode says how a database file is opened.
type Mode int

const (
	// Durable: read and write, every commit on the disk when it returns.
	Durable Mode = iota
	// Relaxed: read and write, consistent after a power cut but perhaps
	// without the last commits.
	Relaxed
	// ReadOnly: beside a writer.
	ReadOnly
	// Immutable: read only, and nobody changes the file while it is open.
	Immutable
	// Bulk: for building a new file that nobody else sees yet. Without
	// journal and syncs; the builder syncs the finished file.
	Bulk
)

// Schema describes a kind of database: what marks the file as ours and the
// statements that bring it from one version to the next.
type Schema struct {
	ApplicationID int32
	Name          string   // for messages: "queue", "ledger", …
	Steps         []string // Steps[i] leads from user_version i to i+1; they only add
	Cache         int      // KiB of the file that each connection holds in memory; 0: as SQLite likes, 2 MiB
}

// ErrNotOurs: the file is a database of another kind.
var ErrNotOurs = errors.New("not a database of this kind")

// Open opens path in the given mode, creates or migrates it unless the mode
// only reads, and reads back the settings that durability hangs on. The
// handle has a single connection.
func Open(ctx context.Context, path string, mode Mode, schema Schema) (*sql.DB, error) {
	db, err := open(ctx, path, mode, schema)
	// A program that goes over to the write-ahead log is turned away at once by
	// others who do the same, without SQLite's waiting.
	for began := time.Now(); code(err)&0xff == lib.SQLITE_BUSY && ctx.Err() == nil && time.Since(began) < busyTimeout; {
		time.Sleep(rand.N(20 * time.Millisecond))
		db, err = open(ctx, path, mode, schema)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open %s database %s: %w", schema.Name, path, err)
	}
	return db, nil
}

// dataOnly has commits synced by fdatasync, as SQLite does where it is built in
// C: a commit is as durable, and the file's time of change is not written with
// it. Systems that have no fdatasync go on syncing as they do.
var dataOnly = sync.OnceFunc(func() { driver.Fdatasync(true) })

func open(ctx context.Context, path string, mode Mode, schema Schema) (*sql.DB, error) {
	dataOnly()
	writes := mode == Durable || mode == Relaxed || mode == Bulk
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if !writes {
			return nil, err
		}
		// Made here, so that nobody else can ever read it.
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dsn(path, mode))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	db.SetMaxIdleConns(1)
	db.SetConnMaxLifetime(0)
	if err := prepare(ctx, db, mode, schema, writes); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if writes { // also where the file is not new: whoever made it may have got no further
		if err := SyncDir(filepath.Dir(path)); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

func dsn(path string, mode Mode) string {
	q := url.Values{}
	pragma := func(p ...string) {
		for _, p := range p {
			q.Add("_pragma", p)
		}
	}
	pragma(fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()), "trusted_schema(0)", "cell_size_check(1)", "mmap_size(0)")
	switch mode {
	case Durable, Relaxed:
		sync := "synchronous(FULL)"
		if mode == Relaxed {
			sync = "synchronous(NORMAL)"
		}
		// auto_vacuum only takes hold in a file that has no table yet.
		pragma("auto_vacuum(INCREMENTAL)", "journal_mode(WAL)", sync, "foreign_keys(1)", "secure_delete(1)",
			"journal_size_limit(16777216)", "wal_autocheckpoint(1000)")
		q.Set("_txlock", "immediate")
	case ReadOnly:
		q.Set("mode", "ro")
		pragma("query_only(1)")
	case Immutable:
		q.Set("mode", "ro")
		q.Set("immutable", "1")
		pragma("query_only(1)", "cache_size(-8192)")
	case Bulk:
		pragma("journal_mode(OFF)", "synchronous(OFF)", "locking_mode(EXCLUSIVE)", "cache_size(-32768)")
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func prepare(ctx context.Context, db *sql.DB, mode Mode, schema Schema, writes bool) error {
	if schema.Cache > 0 && mode != Bulk {
		if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA cache_size = -%d", schema.Cache)); err != nil {
			return err
		}
	}
	// In this order: both are set at once, and another program may do so now.
	version, err := pragmaInt(ctx, db, "user_version")
	if err != nil {
		return err
	}
	app, err := pragmaInt(ctx, db, "application_id")
	if err != nil {
		return err
	}
	blank := app == 0 && version == 0
	if !blank && app != int64(schema.ApplicationID) || blank && !writes {
		return ErrNotOurs
	}
	if writes {
		if err := readBack(ctx, db, mode); err != nil {
			return err
		}
		return migrate(ctx, db, schema, int(version))
	}
	return nil
}

// readBack makes sure that the file really works in the mode it was asked
// for: a file system or an old journal may refuse it silently.
func readBack(ctx context.Context, db *sql.DB, mode Mode) error {
	want := map[Mode][2]string{Durable: {"wal", "2"}, Relaxed: {"wal", "1"}, Bulk: {"off", "0"}}[mode]
	for i, name := range []string{"journal_mode", "synchronous"} {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+name).Scan(&got); err != nil {
			return err
		}
		if got != want[i] {
			return fmt.Errorf("%s is %q and not %q: this file system cannot keep the file safely", name, got, want[i])
		}
	}
	return nil
}

func migrate(ctx context.Context, db *sql.DB, schema Schema, version int) error {
	if version < 0 || version >= len(schema.Steps) {
		return nil // the same or a newer program made it
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	// Whoever opened it at the same moment may have done it meanwhile.
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version >= len(schema.Steps) {
		return nil
	}
	for i := version; i < len(schema.Steps); i++ {
		if _, err := tx.ExecContext(ctx, schema.Steps[i]); err != nil {
			return fmt.Errorf("cannot bring it to version %d: %w", i+1, err)
		}
	}
	for _, p := range []string{
		"PRAGMA application_id = " + strconv.Itoa(int(schema.ApplicationID)),
		"PRAGMA user_version = " + strconv.Itoa(len(schema.Steps)),
	} {
		if _, err := tx.ExecContext(ctx, p); err != nil {
			return err
		}
	}
	return tx.Commit()
}

func pragmaInt(ctx context.Context, db *sql.DB, name string) (n int64, err error) {
	err = db.QueryRowContext(ctx, "PRAGMA "+name).Scan(&n)
	return n, err
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error { return syncDir(dir) }

// syncDir is replaced by tests: that a folder was synced shows only after a
// power cut.
var syncDir = func(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// damage marks an error as queue.ErrDamaged if it says so in SQLite's words.
func damage(err error) error {
	switch code(err) & 0xff {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		if !errors.Is(err, queue.ErrDamaged) {
			err = fmt.Errorf("%w: %w", queue.ErrDamaged, err)
		}
	}
	return err
}

func code(err error) int {
	if e, ok := errors.AsType[*driver.Error](err); ok {
		return e.Code()
	}
	return 0
}
