package repository

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/queue/sqlite"
)

// CopyTo copies what is current into another folder, such as a web server's or
// a USB stick: targets first, the timestamp last. It gives how many files were
// not there yet.
func (r Repository) CopyTo(dir string) (copied int, err error) {
	l, err := r.Current()
	if err != nil {
		return 0, err
	}
	files, err := r.Files()
	if err != nil {
		return 0, err
	}
	for name, t := range l.Targets {
		file := filepath.Join(TargetsFolder, placement.FileName(name, t.SHA256))
		to := filepath.Join(dir, file)
		if st, err := os.Stat(to); err == nil && st.Size() == t.Length {
			continue // its name is its hash
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return copied, err
		}
		if err := copyFile(filepath.Join(r.Dir, file), to); err != nil {
			return copied, fmt.Errorf("cannot copy %s: %w", name, err)
		}
		copied++
	}
	for _, name := range files {
		b, err := os.ReadFile(r.meta(name))
		if err != nil {
			return copied, err
		}
		if err := os.MkdirAll(filepath.Join(dir, MetadataFolder), 0o755); err != nil {
			return copied, err
		}
		if err := crossing.WriteFile(filepath.Join(dir, MetadataFolder, name), b, 0o644); err != nil {
			return copied, fmt.Errorf("cannot copy %s: %w", name, err)
		}
		copied++
	}
	return copied, Repository{Dir: dir, Now: r.Now}.clean()
}

// copyFile makes a copy under another name and then renames it.
func copyFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.CreateTemp(filepath.Dir(to), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(out.Name()) // a no-op after the rename
	_, err = io.Copy(out, in)
	if err := errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close()); err != nil {
		return err
	}
	if err := os.Rename(out.Name(), to); err != nil {
		return err
	}
	return sqlite.SyncDir(filepath.Dir(to))
}
