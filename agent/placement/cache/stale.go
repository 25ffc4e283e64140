package cache

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

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
