package placement

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// ManifestName is the file of a list directory that names all others.
const ManifestName = "list.json"

const (
	manifestFormat = "lintas-list/1"
	maxManifest    = 1 << 20
	shards         = 256
)

// Manifest is the header of a list: what opens it and what belongs to it.
type Manifest struct {
	Format  string            `json:"format"`
	Version int64             `json:"version"`
	Time    time.Time         `json:"time"`
	KeyID   string            `json:"key_id"`
	Salt    []byte            `json:"salt"`
	Cost    Cost              `json:"cost"`
	Cheap   bool              `json:"cheap,omitempty"` // the cost protects nothing
	Rows    int64             `json:"rows"`
	Targets map[string]Target `json:"targets"`
}

// Target is a file of the list.
type Target struct {
	Length int64  `json:"length"`
	SHA256 string `json:"sha256"`
}

// Source is what a list is built from.
type Source struct {
	Version   int64
	Time      time.Time
	Entries   []Entry
	Negatives []Negative
	Agencies  []Agency
	Key       Key
	Cost      Cost
}

// Build writes a list into an empty or new directory. On error nothing usable
// is left: the manifest is written last.
func Build(dir string, s Source) (Manifest, error) {
	m := Manifest{
		Format: manifestFormat, Version: s.Version, Time: s.Time.UTC().Truncate(time.Second), KeyID: s.Key.ID,
		Salt: make([]byte, saltSize), Cost: s.Cost, Cheap: s.Cost.Cheap(), Targets: map[string]Target{},
	}
	rand.Read(m.Salt)
	lock, err := NewLock(s.Key, m.Salt, s.Cost)
	if err != nil {
		return m, fmt.Errorf("cannot build list: %w", err)
	}
	records, negatives, err := lock.lockAll(s)
	if err != nil {
		return m, fmt.Errorf("cannot build list: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "placements"), 0o755); err != nil {
		return m, fmt.Errorf("cannot build list: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, ManifestName)); err == nil {
		return m, fmt.Errorf("cannot build list: %s holds one already", dir)
	}
	var buf bytes.Buffer
	put := func(name string) error {
		sum := sha256.Sum256(buf.Bytes())
		m.Targets[name] = Target{Length: int64(buf.Len()), SHA256: hex.EncodeToString(sum[:])}
		return os.WriteFile(filepath.Join(dir, name), buf.Bytes(), 0o644)
	}
	putRows := func(name string, rows []Row) error {
		buf.Reset()
		w, err := newRowWriter(&buf)
		for _, r := range rows {
			err = errors.Join(err, w.write(r))
		}
		m.Rows += int64(len(rows))
		return errors.Join(err, w.w.Flush(), put(name))
	}
	for i := range shards {
		from, _ := slices.BinarySearchFunc(records, i, func(r Row, i int) int { return cmp.Compare(int(r.Tag[0]), i) })
		to, _ := slices.BinarySearchFunc(records, i+1, func(r Row, i int) int { return cmp.Compare(int(r.Tag[0]), i) })
		if err := putRows(fmt.Sprintf("placements/%02x.%d.full", i, s.Version), records[from:to]); err != nil {
			return m, fmt.Errorf("cannot build list: %w", err)
		}
	}
	if err := putRows("negatives", negatives); err != nil {
		return m, fmt.Errorf("cannot build list: %w", err)
	}
	buf.Reset()
	agencies := s.Agencies
	if agencies == nil {
		agencies = []Agency{}
	}
	if err := errors.Join(json.NewEncoder(&buf).Encode(agencies), put("agencies")); err != nil {
		return m, fmt.Errorf("cannot build list: %w", err)
	}
	b, err := json.MarshalIndent(m, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ManifestName), append(b, '\n'), 0o644)
	}
	if err != nil {
		return m, fmt.Errorf("cannot build list: %w", err)
	}
	return m, nil
}

// lockAll makes the sorted rows; the slow hashes use every core.
func (l *Lock) lockAll(s Source) (records, negatives []Row, err error) {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex // guards records and negatives
	for _, e := range s.Entries {
		g.Go(func() error {
			rows, err := l.lockEntry(e)
			mu.Lock()
			defer mu.Unlock()
			records = append(records, rows...)
			return err
		})
	}
	for _, n := range s.Negatives {
		g.Go(func() error {
			tag, key, err := l.document(n.IssuingState, n.DocumentNumber)
			if err != nil {
				return err
			}
			body, err := seal(key, KindNegative, tag, n)
			mu.Lock()
			defer mu.Unlock()
			negatives = append(negatives, Row{tag, KindNegative, body})
			return err
		})
	}
	err = g.Wait()
	byTag := func(a, b Row) int { return cmp.Or(bytes.Compare(a.Tag[:], b.Tag[:]), cmp.Compare(a.Kind, b.Kind)) }
	slices.SortFunc(records, byTag)
	slices.SortFunc(negatives, byTag)
	return records, negatives, err
}

func (l *Lock) lockEntry(e Entry) ([]Row, error) {
	rows := []Row{{Tag: l.person(e.Primary, e.Secondary, e.DateOfBirth), Kind: KindStub}}
	for _, d := range e.Documents {
		tag, _, err := l.document(d.IssuingState, d.DocumentNumber)
		if err != nil {
			return nil, err
		}
		body, err := seal(l.body(d.IssuingState, d.DocumentNumber, e.DateOfBirth, d.DateOfExpiry), KindRecord, tag, e.Record)
		if err != nil {
			return nil, err
		}
		rows = append(rows, Row{tag, KindRecord, body})
	}
	return rows, nil
}

// ReadManifest reads the header of the list in dir.
func ReadManifest(dir string) (m Manifest, err error) {
	b, err := readBounded(filepath.Join(dir, ManifestName), maxManifest)
	if err != nil {
		return m, fmt.Errorf("cannot read list: %w", err)
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("cannot read list: %s: %w", ManifestName, err)
	}
	if m.Format != manifestFormat {
		return m, fmt.Errorf("cannot read list: format is %q and not %q", m.Format, manifestFormat)
	}
	if m.Version < 1 || len(m.Salt) != saltSize {
		return m, errors.New("cannot read list: version or salt is not valid")
	}
	return m, m.Cost.check()
}

// Open opens a file of the list for reading. Reading it to the end fails when
// its length or its hash is not what the manifest says.
func (m Manifest) Open(dir, name string) (io.ReadCloser, error) {
	t, ok := m.Targets[name]
	if !ok {
		return nil, fmt.Errorf("the list has no %s", name)
	}
	if !filepath.IsLocal(name) {
		return nil, fmt.Errorf("the list names a file outside of it: %s", name)
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return &checkedFile{f: f, name: name, left: t.Length, want: t.SHA256, sum: sha256.New()}, nil
}

func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fmt.Errorf("%s is larger than %d bytes", path, limit)
	}
	return b, err
}
