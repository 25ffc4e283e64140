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

// versions lists those that there are of a role's metadata, in order.
func (r Repository) versions(role string) (list []int64, err error) {
	entries, err := os.ReadDir(filepath.Join(r.Dir, MetadataFolder))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if v, ok := versionOf(e.Name(), role); ok {
			list = append(list, v)
		}
	}
	slices.Sort(list)
	return list, nil
}

// file is the metadata file of a role and version.
func (r Repository) file(role string, version int64) string {
	return r.meta(strconv.FormatInt(version, 10) + "." + role + ".json")
}

// newest finds the metadata file of a role with the highest version; 0: there
// is none.
func (r Repository) newest(role string) (version int64, path string, err error) {
	all, err := r.versions(role)
	if err != nil || len(all) == 0 {
		return 0, "", err
	}
	version = all[len(all)-1]
	return version, r.file(role, version), nil
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
	_, path, err := r.newest(metadata.TARGETS)
	if err != nil || path == "" {
		return List{Targets: placement.Targets{}}, err
	}
	return r.list(path)
}

// Current reads the list that is to be published: the newest that is signed.
func (r Repository) Current() (List, error) {
	_, path, err := r.current()
	if err != nil {
		return List{}, err
	}
	return r.list(path)
}

func (r Repository) list(path string) (l List, err error) {
	l.Targets = placement.Targets{}
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
	path = r.file(metadata.TARGETS, m.Signed.Version)
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
	version, _, err := r.current()
	if err != nil {
		return err
	}
	newest, path, err := r.newest(metadata.TARGETS)
	if err == nil && version < newest {
		err = r.signed(path)
	}
	return err
}

// signed tells whether enough keys have signed targets metadata.
func (r Repository) signed(path string) error {
	root, err := r.root()
	if err != nil {
		return err
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

// current finds the newest targets metadata that enough keys have signed. A newer
// one may wait for its signatures for days; meanwhile the one before is dated
// and published.
func (r Repository) current() (version int64, path string, err error) {
	all, err := r.versions(metadata.TARGETS)
	if err != nil {
		return 0, "", err
	}
	if len(all) == 0 {
		return 0, "", errors.New("it has no list yet: build one with lintas-hub list build")
	}
	for _, v := range slices.Backward(all) {
		path = r.file(metadata.TARGETS, v)
		switch bad := r.signed(path); {
		case bad == nil:
			return v, path, nil
		case err == nil:
			err = bad // what the newest one lacks
		}
	}
	return 0, "", err
}

// Due is metadata that was signed offline and is soon to be signed again.
type Due struct {
	Role    string // root or targets
	Expires time.Time
}

// How long before its end offline metadata is due: its keys lie at several
// places, and people must meet.
const (
	rootDue    = 60 * 24 * time.Hour
	targetsDue = 14 * 24 * time.Hour
)

// Due lists what must soon be signed offline, or is over already: counters would
// refuse the list then, however young its timestamp.
func (r Repository) Due() (list []Due, err error) {
	root, err := r.root()
	if err != nil {
		return nil, err
	}
	_, path, err := r.current()
	if err != nil {
		return nil, err
	}
	targets, err := metadata.Targets().FromFile(path)
	if err != nil {
		return nil, err
	}
	if e := root.Signed.Expires; e.Before(r.now().Add(rootDue)) {
		list = append(list, Due{metadata.ROOT, e})
	}
	if e := targets.Signed.Expires; e.Before(r.now().Add(targetsDue)) {
		list = append(list, Due{metadata.TARGETS, e})
	}
	return list, nil
}

// Date signs what is signed online: a snapshot if there is something new, and
// a timestamp. From then on the newest list that is signed is current for 7
// days. Of the keys given it takes those that the root names.
func (r Repository) Date(keys ...crossing.PrivateKey) error {
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

// snapshot signs a snapshot of the newest targets metadata that is signed, unless
// there is one that is good for some time. It gives what the timestamp is to
// name.
func (r Repository) snapshot(root *metadata.Metadata[metadata.RootType], key crossing.PrivateKey) (*metadata.MetaFiles, error) {
	version, path, err := r.current()
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
	path = r.file(metadata.SNAPSHOT, s.Signed.Version)
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
	last, _, err := r.newest(metadata.SNAPSHOT)
	if err != nil {
		return err
	}
	if _, err := r.cleanRole(metadata.SNAPSHOT, last); err != nil {
		return err
	}
	// What waits for its signatures supersedes nothing.
	current, _, err := r.current()
	if err != nil {
		return err
	}
	kept, err := r.cleanRole(metadata.TARGETS, current)
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

// cleanRole removes what of a role's metadata before the current version was
// superseded long enough ago, and gives what is left.
func (r Repository) cleanRole(role string, current int64) (kept []string, err error) {
	all, err := r.versions(role)
	if err != nil {
		return nil, err
	}
	for i, v := range all {
		path := r.file(role, v)
		if v < current {
			next, err := os.Stat(r.file(role, all[i+1]))
			if err != nil {
				return nil, err
			}
			if next.ModTime().Before(r.now().Add(-superseded)) {
				if err := os.Remove(path); err != nil {
					return nil, err
				}
				continue
			}
		}
		kept = append(kept, path)
	}
	return kept, nil
}

// Files lists the metadata that a client may ask for now, in the order in which
// it may be published: what names other files comes after them.
func (r Repository) Files() (list []string, err error) {
	roots, err := r.versions(metadata.ROOT)
	if err != nil {
		return nil, err
	}
	for _, v := range roots {
		list = append(list, filepath.Base(r.file(metadata.ROOT, v)))
	}
	_, targets, err := r.current()
	if err != nil {
		return nil, err
	}
	_, snapshot, err := r.newest(metadata.SNAPSHOT)
	if err != nil {
		return nil, err
	}
	list = append(list, filepath.Base(targets))
	if snapshot != "" {
		list = append(list, filepath.Base(snapshot))
	}
	if _, err := os.Stat(r.meta("timestamp.json")); err != nil {
		return nil, fmt.Errorf("the list is not dated yet: %w", err)
	}
	return append(list, "timestamp.json"), nil
}
