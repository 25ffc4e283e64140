package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"lintas/agent/crossing"
	"lintas/agent/placement"
)

// NextListKey makes the key that will lock the list, and gives its id. Lists
// that are built from now on bring it to the counters.
func NextListKey(dir string) (id string, err error) {
	path := filepath.Join(dir, FileNextListKey)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return "", errors.Join(fmt.Errorf("cannot make list key: %s is there already", path), err)
	}
	k := placement.NewKey()
	b, err := k.MarshalJWK()
	if err != nil {
		return "", err
	}
	return k.ID, crossing.WriteFile(path, b, 0o600)
}

// SwitchListKey puts the next list key in the place of the one in use, which is
// kept as the old one. Cut off in the middle, it can be called again.
func SwitchListKey(dir string) (id string, err error) {
	next, err := placement.LoadKey(filepath.Join(dir, FileNextListKey))
	if err != nil {
		return "", fmt.Errorf("%w; make it with lintas-hub list keys next", err)
	}
	now, err := os.ReadFile(filepath.Join(dir, FileListKey))
	if err != nil {
		return "", err
	}
	if err := crossing.WriteFile(filepath.Join(dir, FileOldListKey), now, 0o600); err != nil {
		return "", err
	}
	return next.ID, crossing.Rename(filepath.Join(dir, FileNextListKey), filepath.Join(dir, FileListKey))
}
