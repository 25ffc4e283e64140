package sqlite_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"lintas/queue/sqlite"
)

// The name of a file that is made must be as durable as what is committed to
// it: the folder is synced before anybody can put anything, the anchor's too.
func TestFolderIsSynced(t *testing.T) {
	dir, beside := t.TempDir(), t.TempDir()
	path, anchor := filepath.Join(dir, "queue.db"), filepath.Join(beside, "anchor")
	o := sqlite.Options{Seal: seal, Reserve: -1, Anchor: anchor}
	var synced []string
	undo := sqlite.OnSyncDir(func(folder string) error {
		for _, file := range []string{path, anchor} {
			if _, err := os.Stat(file); err == nil && filepath.Dir(file) == folder {
				synced = append(synced, file)
			}
		}
		return nil
	})
	q, err := sqlite.OpenQueue(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(synced, path) {
		t.Error("the queue's name may be gone after a power cut")
	}
	put(t, q, "m")
	q.Close()
	if !slices.Contains(synced, anchor) {
		t.Error("the anchor's name may be gone after a power cut")
	}
	undo()

	refuse := errors.New("no sync")
	undo = sqlite.OnSyncDir(func(string) error { return refuse })
	path = filepath.Join(t.TempDir(), "queue.db")
	for range 2 { // the second time the file is there already
		if q, err := sqlite.OpenQueue(t.Context(), path, sqlite.Options{Seal: seal, Reserve: -1}); !errors.Is(err, refuse) {
			t.Errorf("a queue whose name is not durable: %v", err)
			q.Close()
		}
	}
	undo()
	open(t, path)
}

// A file system on which SQLite cannot keep a write-ahead log silently gives
// another mode, in which commits are durable or not as it likes. The settings
// are read back.
func TestModeIsReadBack(t *testing.T) {
	dir := folder(t)
	mount(dir, newDisk())
	methods.FiVersion = 1 // without shared memory there is no write-ahead log
	defer func() { methods.FiVersion = 2 }()
	for name, mode := range map[string]sqlite.Mode{"durable": sqlite.Durable, "relaxed": sqlite.Relaxed} {
		db, err := sqlite.Open(t.Context(), filepath.Join(dir, name), mode, sqlite.QueueSchema)
		if err == nil || !strings.Contains(err.Error(), "journal_mode is") {
			t.Errorf("%s: %v", name, err)
		}
		if db != nil {
			db.Close()
		}
	}
}

// Programs that open a new file at the same moment make it once.
func TestOpenedByManyAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.db")
	schema := sqlite.Schema{ApplicationID: 77, Name: "test", Steps: []string{"CREATE TABLE a (x INTEGER) STRICT", "CREATE TABLE b (x INTEGER) STRICT"}}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			db, err := sqlite.Open(context.Background(), path, sqlite.Durable, schema)
			if err != nil {
				t.Error(err)
				return
			}
			db.Close()
		})
	}
	all.Wait()
}
