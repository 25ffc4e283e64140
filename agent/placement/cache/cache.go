// Package cache keeps the installed placement list in a file on the counter,
// placements.db, and answers look-ups from it.
//
// The file is built beside the old one, checked, made durable and renamed into
// place; while it is in use nobody changes it. It can be rebuilt from the list
// at any time and holds nothing that opens without the list key and the
// document's own data.
package cache

import (
	"context"
	"database/sql"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"lintas/agent/placement"
	"lintas/mrz"
	"lintas/queue/sqlite"
)

//go:embed schema.sql
var schemaSQL string

// Schema marks placement lists: "LntP".
var Schema = sqlite.Schema{ApplicationID: 0x4c6e7450, Name: "placement list", Steps: []string{schemaSQL}}

// List is an open list.
type List struct {
	db       *sql.DB
	rows     *sql.Stmt
	lock     *placement.Lock
	info     placement.Info
	agencies map[string]placement.Agency
}

// Open opens the list file at path with the key it was made for.
// fs.ErrNotExist: there is none.
func Open(ctx context.Context, path string, key placement.Key) (*List, error) {
	db, err := sqlite.Open(ctx, path, sqlite.Immutable, Schema)
	if err != nil {
		return nil, err
	}
	l := &List{db: db, agencies: map[string]placement.Agency{}}
	if err := l.load(ctx, key); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open placement list %s: %w", path, err), db.Close())
	}
	return l, nil
}

func (l *List) load(ctx context.Context, key placement.Key) (err error) {
	var header, agencies []byte
	if err := l.db.QueryRowContext(ctx, "SELECT manifest, agencies FROM list").Scan(&header, &agencies); err != nil {
		return err
	}
	var m placement.Manifest
	if err := json.Unmarshal(header, &m); err != nil {
		return err
	}
	if m.KeyID != key.ID {
		return fmt.Errorf("it was made for list key %s, this counter holds %s", m.KeyID, key.ID)
	}
	var all []placement.Agency
	if err := json.Unmarshal(agencies, &all); err != nil {
		return err
	}
	for _, a := range all {
		l.agencies[a.ID] = a
	}
	l.info = placement.Info{Version: m.Version, Time: m.Time, Rows: m.Rows, Cheap: m.Cost.Cheap()}
	if l.lock, err = placement.NewLock(key, m.Salt, m.Cost); err != nil {
		return err
	}
	l.rows, err = l.db.PrepareContext(ctx, "SELECT kind, body FROM row WHERE tag = ?")
	return err
}

// Info describes the list.
func (l *List) Info() placement.Info { return l.info }

// Close closes the file.
func (l *List) Close() error { return errors.Join(l.rows.Close(), l.db.Close()) }

// Find looks a document up.
func (l *List) Find(ctx context.Context, doc mrz.Document) (placement.Found, error) {
	f, err := l.lock.Find(doc, func(tag placement.Tag) ([]placement.Row, error) { return l.tagged(ctx, tag) })
	if err != nil {
		return f, fmt.Errorf("cannot look up document: %w", err)
	}
	f.List, f.ListPresent, f.Agencies = l.info, true, map[string]placement.Agency{}
	for _, r := range f.Records {
		if a, ok := l.agencies[r.AgencyID]; ok {
			f.Agencies[r.AgencyID] = a
		}
	}
	return f, nil
}

func (l *List) tagged(ctx context.Context, tag placement.Tag) ([]placement.Row, error) {
	rows, err := l.rows.QueryContext(ctx, tag[:])
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []placement.Row
	for rows.Next() {
		r := placement.Row{Tag: tag}
		if err := rows.Scan(&r.Kind, &r.Body); err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// Bounds on what a list may take. Where it comes from is not trusted with them.
const (
	maxAgencies = 16 << 20
	roomToSpare = 256 << 20 // left free for the queue, which may be on the same disk
)

// Install builds the list file at path from a list directory. The old file
// stays until the new one is whole; an older or equal version than the one
// installed is refused, and so is a list that would fill the disk.
func Install(ctx context.Context, dir, path string) (placement.Manifest, error) {
	m, err := placement.ReadManifest(dir)
	if err != nil {
		return m, err
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return m, fmt.Errorf("cannot install list: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return m, errors.New("cannot install list: another import is running")
	}
	if err := checkRoom(m, filepath.Dir(path)); err != nil {
		return m, fmt.Errorf("cannot install list: %w", err)
	}
	if old, err := installed(ctx, path); err == nil && old.Version >= m.Version {
		return m, fmt.Errorf("cannot install list version %d: version %d is installed", m.Version, old.Version)
	}
	next := path + ".new"
	defer os.Remove(next)
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return m, fmt.Errorf("cannot install list: %w", err)
	}
	if err := build(ctx, dir, next, m); err != nil {
		return m, fmt.Errorf("cannot install list version %d: %w", m.Version, err)
	}
	if err := giveToOwner(next); err != nil {
		return m, fmt.Errorf("cannot install list: %w", err)
	}
	if err := os.Rename(next, path); err != nil {
		return m, fmt.Errorf("cannot install list: %w", err)
	}
	return m, sqlite.SyncDir(filepath.Dir(path))
}

// checkRoom refuses a list for which there is no room. Its rows take about as
// much in the database as in the files, and half again for the index.
func checkRoom(m placement.Manifest, dir string) error {
	var need, free uint64
	for name, t := range m.Targets {
		if t.Length < 0 || t.Length > 1<<40 {
			return fmt.Errorf("%s has no sensible length", name)
		}
		need += uint64(t.Length)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return err
	}
	need, free = need+need/2+roomToSpare, st.Bavail*uint64(st.Bsize)
	if need > free {
		return fmt.Errorf("it needs %d MiB of disk, %d are free", need>>20, free>>20)
	}
	return nil
}

// giveToOwner lets the folder's owner read a file that root has made in it: the
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

func installed(ctx context.Context, path string) (m placement.Manifest, err error) {
	db, err := sqlite.Open(ctx, path, sqlite.Immutable, Schema)
	if err != nil {
		return m, err
	}
	defer db.Close()
	var header []byte
	if err := db.QueryRowContext(ctx, "SELECT manifest FROM list").Scan(&header); err != nil {
		return m, err
	}
	return m, json.Unmarshal(header, &m)
}

// Installed reads the header of the installed list; no key is needed.
func Installed(ctx context.Context, path string) (placement.Manifest, error) {
	return installed(ctx, path)
}

func build(ctx context.Context, dir, path string, m placement.Manifest) error {
	db, err := sqlite.Open(ctx, path, sqlite.Bulk, Schema)
	if err != nil {
		return err
	}
	err = fill(ctx, db, dir, m)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func fill(ctx context.Context, db *sql.DB, dir string, m placement.Manifest) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.PrepareContext(ctx, "INSERT INTO row(tag, kind, n, body) VALUES(?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	names := make([]string, 0, len(m.Targets))
	for name := range m.Targets {
		names = append(names, name)
	}
	slices.Sort(names)
	var agencies []byte
	var count int64
	for _, name := range names {
		f, err := m.Open(dir, name)
		if err != nil {
			return err
		}
		var n int64
		if name == "agencies" {
			agencies, err = io.ReadAll(io.LimitReader(f, maxAgencies+1))
			if err == nil && len(agencies) > maxAgencies {
				err = fmt.Errorf("larger than %d bytes", maxAgencies)
			}
		} else {
			n, err = copyRows(ctx, insert, f)
		}
		count += n
		if err := errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if count != m.Rows {
		return fmt.Errorf("it has %d rows and says %d", count, m.Rows)
	}
	header, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO list(one, manifest, agencies) VALUES(1, ?, ?)", header, agencies); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("the new file is damaged: %s", verdict)
	}
	return nil
}

func copyRows(ctx context.Context, insert *sql.Stmt, r io.Reader) (count int64, err error) {
	rr, err := placement.NewRowReader(r)
	if err != nil {
		return 0, err
	}
	var last placement.Row
	n := 0
	for {
		row, err := rr.Next()
		if err == io.EOF {
			return count, nil
		} else if err != nil {
			return count, err
		}
		if n++; row.Tag != last.Tag || row.Kind != last.Kind {
			n = 0
		}
		last = row
		if _, err := insert.ExecContext(ctx, row.Tag[:], row.Kind, n, row.Body); err != nil {
			return count, err
		}
		count++
	}
}
