package sync_test

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"filippo.io/age"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/agent/placement/build"
	"lintas/agent/placement/cache"
	"lintas/agent/placement/repository"
	"lintas/agent/placement/sync"
	"lintas/mrz"
)

const (
	counterID = "CGK-T3-D07"
	site      = "IDCGK"
)

// world is a headquarters with its keys and a counter.
type world struct {
	t       testing.TB
	dir     string
	repo    repository.Repository
	ring    placement.Keyring
	counter crossing.PrivateKey
	client  *sync.Client
	source  build.Source
	now     time.Time // at headquarters; the counter's clock is the machine's
}

func newWorld(t testing.TB) *world {
	t.Helper()
	counter, err := crossing.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	w := worldIn(t, t.TempDir(), placement.Keyring{placement.NewKey()}, counter)
	w.must(repository.Init(w.path("keys")))
	return w
}

// worldIn is a world in a folder, with these keys.
func worldIn(t testing.TB, dir string, ring placement.Keyring, counter crossing.PrivateKey) *world {
	t.Helper()
	w := &world{t: t, dir: dir, ring: ring, counter: counter, now: time.Now()}
	w.repo = repository.Repository{Dir: w.path("list"), Now: func() time.Time { return w.now }}
	w.client = &sync.Client{
		Path: w.path("state/placements.db"), Dir: w.path("state/list"), Root: repository.TrustedRoot(w.path("keys")),
		Counter: counterID, Site: site, Log: slog.New(slog.DiscardHandler),
	}
	w.must(os.MkdirAll(w.path("state"), 0o700))
	w.source = build.Source{
		Counters: map[string]crossing.Keys{counterID: w.counter.Public()},
		Sites:    map[string]crossing.Keys{site: w.counter.Public()},
		Agencies: []placement.Agency{{ID: "A-1", Name: "PT Contoh", Licence: placement.LicenceActive}},
	}
	return w
}

// copied is the same world in a folder of its own, which changes by itself.
func (w *world) copied(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	copyTree(t, w.dir, dir)
	return worldIn(t, dir, w.ring, w.counter)
}

func (w *world) path(name string) string { return filepath.Join(w.dir, filepath.FromSlash(name)) }

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// placements gives a stream of entries.
func placements(list ...placement.Entry) build.Stream {
	return func(each func(placement.Entry) error) error {
		for _, e := range list {
			if err := each(e); err != nil {
				return err
			}
		}
		return nil
	}
}

// stage builds a list and writes targets metadata that nobody has signed.
func (w *world) stage(full bool, list ...placement.Entry) (build.Result, string) {
	w.t.Helper()
	w.must(os.MkdirAll(w.repo.Dir, 0o755))
	w.must(w.repo.AddRoots(repository.KeyFolder(w.path("keys"))))
	before, err := w.repo.List()
	w.must(err)
	w.source.Placements = placements(list...)
	r, err := build.Run(w.t.Context(), build.Options{
		State: w.path("list.state"), Out: w.repo.Targets(), Keys: w.ring, Key: w.ring[0], Cost: placement.CheapCost, Full: full, Now: w.now,
		Last: before.Version, LastFull: before.Full, FullAge: before.FullAge, LastKey: before.KeyID, Targets: before.Targets,
	}, w.source)
	w.must(err)
	path, err := w.repo.Stage(r.Targets)
	w.must(err)
	return r, path
}

// publish builds, signs and dates a list.
func (w *world) publish(list ...placement.Entry) build.Result { return w.publishAs(false, list...) }

func (w *world) publishFull(list ...placement.Entry) build.Result {
	return w.publishAs(true, list...)
}

func (w *world) publishAs(full bool, list ...placement.Entry) build.Result {
	w.t.Helper()
	r, path := w.stage(full, list...)
	w.must(repository.Sign(path, w.keys("targets")[:2]...))
	w.date()
	return r
}

func (w *world) date() {
	w.t.Helper()
	w.must(w.repo.Date(append(w.keys("snapshot"), w.keys("timestamp")...)...))
}

func (w *world) keys(role string) []crossing.PrivateKey {
	w.t.Helper()
	keys, err := repository.RoleKeys(repository.KeyFolder(w.path("keys")), role)
	w.must(err)
	return keys
}

func (w *world) sync(sources ...string) (sync.Result, error) {
	if len(sources) == 0 {
		sources = []string{w.repo.Dir}
	}
	return w.client.Sync(w.t.Context(), sources...)
}

func (w *world) mustSync(sources ...string) sync.Result {
	w.t.Helper()
	r, err := w.sync(sources...)
	w.must(err)
	return r
}

// open opens the installed list as the counter does: with its own key only.
func (w *world) open() *cache.List {
	w.t.Helper()
	id, err := w.counter.Identity()
	w.must(err)
	l, err := cache.Open(w.t.Context(), w.client.Path, cache.Access{Counter: counterID, Identities: []age.Identity{id}})
	w.must(err)
	w.t.Cleanup(func() { l.Close() })
	return l
}

func (w *world) find(l *cache.List, e placement.Entry) placement.Found {
	w.t.Helper()
	f, err := l.Find(w.t.Context(), documentOf(e))
	w.must(err)
	return f
}

func documentOf(e placement.Entry) mrz.Document {
	d := e.Documents[0]
	return mrz.Document{Valid: true, IssuingState: d.IssuingState, DocumentNumber: d.DocumentNumber, DateOfExpiry: d.DateOfExpiry,
		DateOfBirth: e.DateOfBirth, Name: mrz.NewName(e.Primary, e.Secondary)}
}

// worker is an invented person placed abroad.
func worker(n int) placement.Entry {
	return placement.Entry{
		Record: placement.Record{PlacementID: fmt.Sprintf("EX-%06d", n), Rev: 1, Status: placement.Ready, Destination: "HKG", AgencyID: "A-1",
			Primary: "CONTOH" + letters(n), Secondary: "MELATI", DateOfBirth: mrz.Date{Year: 1970 + n%30, Month: 1 + n%12, Day: 1 + n%28}},
		Documents: []placement.DocumentRef{{IssuingState: "IDN", DocumentNumber: fmt.Sprintf("ZZ%07d", n), DateOfExpiry: mrz.Date{Year: 2031, Month: 5, Day: 1 + n%28}}},
	}
}

// letters writes a number in letters: names have no digits.
func letters(n int) string {
	s := ""
	for ; n > 0; n /= 20 {
		s += string(rune('A' + n%20))
	}
	return s
}

func workers(n int) (list []placement.Entry) {
	for i := range n {
		list = append(list, worker(i))
	}
	return list
}

// edit changes a metadata file as somebody would who holds none of its keys:
// its signatures stay.
func edit[T metadata.Roles](t testing.TB, path string, change func(*metadata.Metadata[T])) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var m *metadata.Metadata[T]
	switch any(*new(T)).(type) {
	case metadata.TargetsType:
		v, err := metadata.Targets().FromBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		m = any(v).(*metadata.Metadata[T])
	case metadata.SnapshotType:
		v, err := metadata.Snapshot().FromBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		m = any(v).(*metadata.Metadata[T])
	case metadata.TimestampType:
		v, err := metadata.Timestamp().FromBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		m = any(v).(*metadata.Metadata[T])
	}
	change(m)
	if b, err = m.ToBytes(false); err == nil {
		err = os.WriteFile(path, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// meta finds the newest metadata file of a role.
func (w *world) meta(role string) string {
	w.t.Helper()
	if role == "timestamp" {
		return w.path("list/metadata/timestamp.json")
	}
	paths, err := filepath.Glob(w.path("list/metadata/*." + role + ".json"))
	w.must(err)
	return slices.MaxFunc(paths, func(a, b string) int {
		x, _ := strconv.ParseInt(filepath.Base(a)[:len(filepath.Base(a))-len("."+role+".json")], 10, 64)
		y, _ := strconv.ParseInt(filepath.Base(b)[:len(filepath.Base(b))-len("."+role+".json")], 10, 64)
		return int(x - y)
	})
}

// copyTree copies a folder, to put it back later.
func copyTree(t testing.TB, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
}

// target gives the file of a target that the newest metadata names.
func (w *world) target(name string) string {
	w.t.Helper()
	l, err := w.repo.List()
	w.must(err)
	t, ok := l.Targets[name]
	if !ok {
		w.t.Fatalf("no target %s among %v", name, slices.Sorted(maps.Keys(l.Targets)))
	}
	return filepath.Join(w.repo.Targets(), placement.FileName(name, t.SHA256))
}

func signerOf(w *world, key crossing.PrivateKey) signature.Signer {
	w.t.Helper()
	s, err := signature.LoadED25519Signer(key.Signer())
	w.must(err)
	return s
}
