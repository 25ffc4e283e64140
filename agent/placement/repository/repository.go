// Package repository is the placement list as it leaves headquarters: a TUF
// repository (specification 1.0, consistent snapshots, Ed25519, SHA-256 only).
//
// A repository is a folder that any web server can serve, or a USB stick carry:
//
//	metadata/<v>.root.json      2 of 3 offline keys each for root and targets
//	metadata/<v>.targets.json   signed offline: names every file by length and hash
//	metadata/<v>.snapshot.json  signed online
//	metadata/timestamp.json     signed online; expires 7 days after it was signed
//	targets/…/<sha256>.<name>
//
// The library makes and checks the metadata; this package decides what is in
// it, and puts it where counters find it. Files are added before what names
// them, so that a reader sees the old list or the new one.
package repository

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"lintas/agent/crossing"
	"lintas/agent/placement"
)

// Folders of a repository.
const (
	MetadataFolder = "metadata"
	TargetsFolder  = "targets"
)

// How long signatures are good for. A timestamp is signed at every publication,
// at least daily.
const (
	rootLife     = 2 * 365 * 24 * time.Hour
	targetsLife  = 90 * 24 * time.Hour
	snapshotLife = 30 * 24 * time.Hour
)

// superseded is how long a file stays that nothing names any more: somebody
// may be reading it.
const superseded = 7 * 24 * time.Hour

// Repository is a repository's folder.
type Repository struct {
	Dir string
	Now func() time.Time // nil: time.Now
}

func (r Repository) now() time.Time {
	if r.Now != nil {
		return r.Now().UTC().Truncate(time.Second)
	}
	return time.Now().UTC().Truncate(time.Second)
}

func (r Repository) meta(name string) string { return filepath.Join(r.Dir, MetadataFolder, name) }

// Targets is the folder of the targets' files.
func (r Repository) Targets() string { return filepath.Join(r.Dir, TargetsFolder) }

// newest finds the metadata file of a role with the highest version; 0: there
// is none.
func (r Repository) newest(role string) (version int64, path string, err error) {
	entries, err := os.ReadDir(filepath.Join(r.Dir, MetadataFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, "", err
	}
	for _, e := range entries {
		if v, ok := versionOf(e.Name(), role); ok && v > version {
			version, path = v, r.meta(e.Name())
		}
	}
	return version, path, nil
}

func versionOf(file, role string) (int64, bool) {
	s, ok := strings.CutSuffix(file, "."+role+".json")
	v, err := strconv.ParseInt(s, 10, 64)
	return v, ok && err == nil && v > 0 && strconv.FormatInt(v, 10) == s
}

// next numbers metadata by time, so that a repository that was restored from a
// backup, or begun anew, does not go back behind what counters have seen. Roots
// are numbered one by one (TUF specification section 5.3).
func (r Repository) next(before int64) int64 {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	return max(before+1, now().UnixMilli())
}

// root reads the newest root.
func (r Repository) root() (*metadata.Metadata[metadata.RootType], error) {
	_, path, err := r.newest(metadata.ROOT)
	if err != nil {
		return nil, err
	}
	if path == "" {
		return nil, errors.New("it has no root metadata")
	}
	return metadata.Root().FromFile(path)
}

// List is what the newest targets metadata says.
type List struct {
	Targets placement.Targets
	Version int64 // of the list
	Full    int64 // of the full list in it
	FullAge time.Duration
	KeyID   string // of the list key
}

// List reads which list is in the repository, signed or not; none is no error.
func (r Repository) List() (l List, err error) {
	l.Targets = placement.Targets{}
	_, path, err := r.newest(metadata.TARGETS)
	if err != nil || path == "" {
		return l, err
	}
	m, err := metadata.Targets().FromFile(path)
	if err != nil {
		return l, fmt.Errorf("cannot read %s: %w", path, err)
	}
	for name, t := range m.Signed.Targets {
		l.Targets[name] = placement.Target{Length: t.Length, SHA256: hex.EncodeToString(t.Hashes["sha256"])}
	}
	l.Version, l.Full = l.Targets.Version()
	if t, ok := l.Targets[placement.FullName(0, l.Full)]; ok {
		f, err := os.Open(filepath.Join(r.Targets(), placement.FileName(placement.FullName(0, l.Full), t.SHA256)))
		if err != nil {
			return l, err
		}
		defer f.Close()
		st, err := f.Stat()
		if err != nil {
			return l, err
		}
		rows, err := placement.NewRowReader(f)
		if err != nil {
			return l, fmt.Errorf("%s: %w", f.Name(), err)
		}
		l.KeyID, l.FullAge = rows.Header().KeyID, r.now().Sub(st.ModTime())
	}
	return l, nil
}

// Stage writes metadata that names these targets. It is worth nothing before
// enough keys have signed it.
func (r Repository) Stage(targets placement.Targets) (path string, err error) {
	old, _, err := r.newest(metadata.TARGETS)
	if err != nil {
		return "", err
	}
	m := metadata.Targets(r.now().Add(targetsLife))
	m.Signed.Version = r.next(old)
	for name, t := range targets {
		sum, err := hex.DecodeString(t.SHA256)
		if err != nil {
			return "", err
		}
		m.Signed.Targets[name] = &metadata.TargetFiles{Length: t.Length, Hashes: metadata.Hashes{"sha256": sum}, Path: name}
	}
	path = r.meta(strconv.FormatInt(m.Signed.Version, 10) + ".targets.json")
	return path, write(m, path)
}

// write puts metadata in place whole.
func write[T metadata.Roles](m *metadata.Metadata[T], path string) error {
	b, err := m.ToBytes(false)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return crossing.WriteFile(path, b, 0o644)
}

// AddRoots puts the root metadata files of a folder into the repository, all
// versions of them.
func (r Repository) AddRoots(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	found := false
	for _, e := range entries {
		if _, ok := versionOf(e.Name(), metadata.ROOT); !ok {
			continue
		}
		found = true
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Join(r.Dir, MetadataFolder), 0o755); err != nil {
			return err
		}
		if err := crossing.WriteFile(r.meta(e.Name()), b, 0o644); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%s holds no root metadata: make it with lintas-hub list keys init", dir)
	}
	return nil
}

// Signed tells whether enough keys have signed the newest targets.
func (r Repository) Signed() error {
	root, err := r.root()
	if err != nil {
		return err
	}
	_, path, err := r.newest(metadata.TARGETS)
	if err != nil {
		return err
	}
	if path == "" {
		return errors.New("it has no list yet: build one with lintas-hub list build")
	}
	m, err := metadata.Targets().FromFile(path)
	if err != nil {
		return err
	}
	if err := root.VerifyDelegate(metadata.TARGETS, m); err != nil {
		return fmt.Errorf("%s needs the signatures of %d of the targets keys, each added with lintas-hub list sign: %w",
			path, root.Signed.Roles[metadata.TARGETS].Threshold, err)
	}
	return nil
}

// Date signs what is signed online: a snapshot if there is something new, and
// a timestamp. From then on the list is current for 7 days. Of the keys given it
// takes those that the root names.
func (r Repository) Date(keys ...crossing.PrivateKey) error {
	if err := r.Signed(); err != nil {
		return err
	}
	root, err := r.root()
	if err != nil {
		return err
	}
	snapshot, err := keyOf(root, metadata.SNAPSHOT, keys)
	if err != nil {
		return err
	}
	timestamp, err := keyOf(root, metadata.TIMESTAMP, keys)
	if err != nil {
		return err
	}
	named, err := r.snapshot(root, snapshot)
	if err != nil {
		return err
	}
	if err := r.timestamp(root, timestamp, named); err != nil {
		return err
	}
	return r.clean()
}

// snapshot signs a snapshot of the newest targets metadata, unless there is one
// that is good for some time. It gives what the timestamp is to name.
func (r Repository) snapshot(root *metadata.Metadata[metadata.RootType], key crossing.PrivateKey) (*metadata.MetaFiles, error) {
	version, path, err := r.newest(metadata.TARGETS)
	if err != nil {
		return nil, err
	}
	targets, err := metaFile(path, version)
	if err != nil {
		return nil, err
	}
	last, path, err := r.newest(metadata.SNAPSHOT)
	if err != nil {
		return nil, err
	}
	if path != "" {
		s, err := metadata.Snapshot().FromFile(path)
		if err != nil {
			return nil, err
		}
		named := s.Signed.Meta["targets.json"]
		if named != nil && named.Version == version && named.Hashes.Equal(targets.Hashes) &&
			root.VerifyDelegate(metadata.SNAPSHOT, s) == nil && s.Signed.Expires.After(r.now().Add(snapshotLife/2)) {
			return metaFile(path, last)
		}
	}
	s := metadata.Snapshot(r.now().Add(snapshotLife))
	s.Signed.Version = r.next(last)
	s.Signed.Meta["targets.json"] = targets
	if err := sign(s, key); err != nil {
		return nil, err
	}
	path = r.meta(strconv.FormatInt(s.Signed.Version, 10) + ".snapshot.json")
	if err := write(s, path); err != nil {
		return nil, err
	}
	return metaFile(path, s.Signed.Version)
}

// timestamp signs a timestamp that names a snapshot.
func (r Repository) timestamp(root *metadata.Metadata[metadata.RootType], key crossing.PrivateKey, snapshot *metadata.MetaFiles) error {
	path := r.meta("timestamp.json")
	t := metadata.Timestamp(r.now().Add(placement.Lifetime))
	t.Signed.Version = r.next(0)
	if old, err := metadata.Timestamp().FromFile(path); err == nil {
		t.Signed.Version = r.next(old.Signed.Version)
	}
	t.Signed.Meta["snapshot.json"] = snapshot
	if err := sign(t, key); err != nil {
		return err
	}
	if err := root.VerifyDelegate(metadata.TIMESTAMP, t); err != nil {
		return fmt.Errorf("the timestamp key is not the root's: %w", err)
	}
	return write(t, path)
}

// keyOf finds the key that may sign for a role.
func keyOf(root *metadata.Metadata[metadata.RootType], role string, keys []crossing.PrivateKey) (crossing.PrivateKey, error) {
	for _, k := range keys {
		id, err := keyID(k)
		if err != nil {
			return k, err
		}
		if slices.Contains(root.Signed.Roles[role].KeyIDs, id) {
			return k, nil
		}
	}
	return crossing.PrivateKey{}, fmt.Errorf("the %s key that root version %d names is not at hand", role, root.Signed.Version)
}

// metaFile describes a metadata file for the one that names it.
func metaFile(path string, version int64) (*metadata.MetaFiles, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := metadata.TargetFile().FromBytes(path, b, "sha256")
	if err != nil {
		return nil, err
	}
	m := metadata.MetaFile(version)
	m.Length, m.Hashes = t.Length, t.Hashes
	return m, nil
}

// clean removes what was superseded long enough ago: metadata whose successor is
// a week old, and targets that no metadata names any more.
func (r Repository) clean() error {
	if _, err := r.cleanRole(metadata.SNAPSHOT); err != nil {
		return err
	}
	kept, err := r.cleanRole(metadata.TARGETS)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for _, path := range kept {
		m, err := metadata.Targets().FromFile(path)
		if err != nil {
			return err
		}
		for name, t := range m.Signed.Targets {
			named[placement.FileName(name, hex.EncodeToString(t.Hashes["sha256"]))] = true
		}
	}
	return filepath.WalkDir(r.Targets(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(r.Targets(), path)
		if err != nil || named[rel] {
			return err
		}
		st, err := d.Info()
		if err != nil || st.ModTime().After(r.now().Add(-superseded)) { // a build may just be making it
			return err
		}
		return os.Remove(path)
	})
}

// cleanRole removes a role's metadata that was superseded long enough ago, and
// gives what is left.
func (r Repository) cleanRole(role string) (kept []string, err error) {
	entries, err := os.ReadDir(filepath.Join(r.Dir, MetadataFolder))
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		_, ok := versionOf(e.Name(), role)
		return !ok
	})
	slices.SortFunc(entries, func(a, b fs.DirEntry) int {
		x, _ := versionOf(a.Name(), role)
		y, _ := versionOf(b.Name(), role)
		return cmp.Compare(x, y)
	})
	for i, e := range entries {
		if i+1 < len(entries) {
			next, err := entries[i+1].Info()
			if err != nil {
				return nil, err
			}
			if next.ModTime().Before(r.now().Add(-superseded)) {
				if err := os.Remove(r.meta(e.Name())); err != nil {
					return nil, err
				}
				continue
			}
		}
		kept = append(kept, r.meta(e.Name()))
	}
	return kept, nil
}

// Files lists the metadata that a client may ask for now, in the order in which
// it may be published: what names other files comes after them.
func (r Repository) Files() (list []string, err error) {
	entries, err := os.ReadDir(filepath.Join(r.Dir, MetadataFolder))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if _, ok := versionOf(e.Name(), metadata.ROOT); ok {
			list = append(list, e.Name())
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		x, _ := versionOf(a, metadata.ROOT)
		y, _ := versionOf(b, metadata.ROOT)
		return cmp.Compare(x, y)
	})
	for _, role := range []string{metadata.TARGETS, metadata.SNAPSHOT} {
		_, path, err := r.newest(role)
		if err != nil {
			return nil, err
		}
		if path != "" {
			list = append(list, filepath.Base(path))
		}
	}
	if _, err := os.Stat(r.meta("timestamp.json")); err != nil {
		return nil, fmt.Errorf("the list is not dated yet: %w", err)
	}
	return append(list, "timestamp.json"), nil
}
