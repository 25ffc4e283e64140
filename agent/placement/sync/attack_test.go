package sync_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	gosync "sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"golang.org/x/sys/unix"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/agent/placement/repository"
	"lintas/agent/placement/sync"
)

// Attacks of the TUF specification, section 1.5.2, each on a counter that has a
// list. After each of them the old list answers, and an honest one can be
// installed.
func TestAttacks(t *testing.T) {
	t.Parallel()
	before := newWorld(t)
	before.publish(workers(10)...)
	before.mustSync()
	for _, c := range []struct {
		name string
		// attack makes what the counter finds at evil/.
		attack func(w *world)
		want   string // reason of the refusal
	}{
		{"rollback: the whole repository of yesterday", func(w *world) {
			copyTree(w.t, w.path("list"), w.path("evil"))
			w.publish(workers(11)...)
			w.mustSync()
		}, "rollback"},
		{"rollback: old targets, dated by somebody with the online keys", func(w *world) {
			copyTree(w.t, w.path("list"), w.path("evil"))
			w.publish(workers(11)...)
			w.mustSync()
			evil := repository.Repository{Dir: w.path("evil"), Now: func() time.Time { return w.now.Add(time.Hour) }}
			w.must(os.Remove(filepath.Join(w.path("evil/metadata"), filepath.Base(newest(w, "evil", "snapshot")))))
			w.must(evil.Date(append(w.keys("snapshot"), w.keys("timestamp")...)...))
		}, "rollback"},
		{"freeze: a list whose time is over", func(w *world) {
			w.now = time.Now().Add(-8 * 24 * time.Hour)
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			w.now = time.Now()
		}, "expired"},
		{"mix and match: new timestamp and snapshot, old targets", func(w *world) {
			old, err := os.ReadFile(w.meta("targets"))
			w.must(err)
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			w.must(os.WriteFile(newest(w, "evil", "targets"), old, 0o644))
		}, "altered"},
		{"mix and match: new metadata, old file", func(w *world) {
			old, err := os.ReadFile(w.target("negatives"))
			w.must(err)
			w.source.Negatives = []placement.NegativeEntry{{DocumentRef: placement.DocumentRef{IssuingState: "IDN", DocumentNumber: "ZZ9"}}}
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			rel, err := filepath.Rel(w.repo.Dir, w.target("negatives"))
			w.must(err)
			w.must(os.WriteFile(w.path("evil/"+rel), old, 0o644))
		}, "altered"},
		{"arbitrary software: other content, same length", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			rel, err := filepath.Rel(w.repo.Dir, w.target("negatives"))
			w.must(err)
			flip(w, w.path("evil/"+rel))
		}, "altered"},
		{"arbitrary software: the metadata says so, unsigned", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			edit(w.t, newest(w, "evil", "targets"), func(m *metadata.Metadata[metadata.TargetsType]) { m.Signed.Targets["agencies"].Length++ })
			redate(w, "evil", w.keys("snapshot"), w.keys("timestamp"))
		}, "unsigned"},
		{"arbitrary length, signed: more than the file has", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			edit(w.t, newest(w, "evil", "targets"), func(m *metadata.Metadata[metadata.TargetsType]) { m.Signed.Targets["agencies"].Length++ })
			w.must(repository.Sign(newest(w, "evil", "targets"), w.keys("targets")[1:]...))
			redate(w, "evil", w.keys("snapshot"), w.keys("timestamp"))
		}, "altered"},
		{"arbitrary hash, signed", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			edit(w.t, newest(w, "evil", "targets"), func(m *metadata.Metadata[metadata.TargetsType]) {
				a, n := m.Signed.Targets["agencies"], m.Signed.Targets["negatives"]
				a.Length, n.Length, a.Hashes, n.Hashes = n.Length, a.Length, n.Hashes, a.Hashes
				from, to := w.target("negatives"), w.target("agencies")
				w.must(os.Rename(w.path("evil/targets/"+filepath.Base(from)), w.path("evil/targets/"+strings.TrimSuffix(filepath.Base(from), "negatives")+"agencies")))
				w.must(os.Rename(w.path("evil/targets/"+filepath.Base(to)), w.path("evil/targets/"+strings.TrimSuffix(filepath.Base(to), "agencies")+"negatives")))
			})
			w.must(repository.Sign(newest(w, "evil", "targets"), w.keys("targets")[1:]...))
			redate(w, "evil", w.keys("snapshot"), w.keys("timestamp"))
		}, ""},
		{"endless data: a file longer than the list says", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			rel, err := filepath.Rel(w.repo.Dir, w.target("agencies"))
			w.must(err)
			w.must(os.Truncate(w.path("evil/"+rel), 1<<30))
		}, "altered"},
		{"endless data: a timestamp of a gigabyte", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			w.must(os.Truncate(w.path("evil/metadata/timestamp.json"), 1<<30))
		}, "altered"},
		{"endless data: a snapshot that promises gigabytes of targets metadata", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			path := newest(w, "evil", "snapshot")
			edit(w.t, path, func(m *metadata.Metadata[metadata.SnapshotType]) {
				m.Signed.Version++
				m.Signed.Meta["targets.json"].Version++
				m.Signed.Meta["targets.json"].Length = 1 << 33
			})
			w.must(os.Truncate(newest(w, "evil", "targets"), 1<<33)) // takes no room
			w.must(os.Rename(newest(w, "evil", "targets"), w.path("evil/metadata/"+strconv.FormatInt(number(newest(w, "evil", "targets"))+1, 10)+".targets.json")))
			w.must(os.Rename(path, w.path("evil/metadata/"+strconv.FormatInt(number(path)+1, 10)+".snapshot.json")))
			resign(w, newest(w, "evil", "snapshot"), w.keys("snapshot")[0])
			retimestamp(w, "evil", w.keys("timestamp")[0])
		}, "altered"},
		{"endless data: a file that is cut off", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			rel, err := filepath.Rel(w.repo.Dir, w.target("agencies"))
			w.must(err)
			w.must(os.Truncate(w.path("evil/"+rel), 3))
		}, "altered"},
		{"wrong signatures", func(w *world) {
			_, path := w.stage(false, workers(11)...)
			w.must(repository.Sign(path, strangers(w, 3)...))
			copyTree(w.t, w.path("list"), w.path("evil"))
			redate(w, "evil", w.keys("snapshot"), w.keys("timestamp"))
		}, "unsigned"},
		{"too few signatures", func(w *world) {
			_, path := w.stage(false, workers(11)...)
			w.must(repository.Sign(path, w.keys("targets")[0]))
			copyTree(w.t, w.path("list"), w.path("evil"))
			redate(w, "evil", w.keys("snapshot"), w.keys("timestamp"))
		}, "unsigned"},
		{"one signature counted twice", func(w *world) {
			_, path := w.stage(false, workers(11)...)
			w.must(repository.Sign(path, w.keys("targets")[0]))
			copyTree(w.t, w.path("list"), w.path("evil"))
			edit(w.t, newest(w, "evil", "targets"), func(m *metadata.Metadata[metadata.TargetsType]) { m.Signatures = append(m.Signatures, m.Signatures[0]) })
			redate(w, "evil", w.keys("snapshot"), w.keys("timestamp"))
		}, ""},
		{"one signature and a stranger's", func(w *world) {
			_, path := w.stage(false, workers(11)...)
			w.must(repository.Sign(path, w.keys("targets")[0], strangers(w, 1)[0]))
			copyTree(w.t, w.path("list"), w.path("evil"))
			redate(w, "evil", w.keys("snapshot"), w.keys("timestamp"))
		}, "unsigned"},
		{"the online keys in place of the offline ones", func(w *world) {
			_, path := w.stage(false, workers(11)...)
			w.must(repository.Sign(path, w.keys("snapshot")[0], w.keys("timestamp")[0]))
			copyTree(w.t, w.path("list"), w.path("evil"))
			redate(w, "evil", w.keys("snapshot"), w.keys("timestamp"))
		}, "unsigned"},
		{"a timestamp of strangers", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			redate(w, "evil", w.keys("snapshot"), strangers(w, 1))
		}, "unsigned"},
		{"a snapshot that forgets the targets", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			path := newest(w, "evil", "snapshot")
			edit(w.t, path, func(m *metadata.Metadata[metadata.SnapshotType]) {
				m.Signed.Meta = map[string]*metadata.MetaFiles{"other.json": metadata.MetaFile(1)}
			})
			resign(w, path, w.keys("snapshot")[0])
			retimestamp(w, "evil", w.keys("timestamp")[0])
		}, "invalid"},
		{"a root that only its own keys have signed", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			nextRoot(w, w.path("evil/metadata"), strangers(w, 3), strangers(w, 0))
		}, "unsigned"},
		{"a root that skips a version", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			nextRoot(w, w.path("evil/metadata"), w.keys("root"), w.keys("root"))
			w.must(os.Rename(w.path("evil/metadata/2.root.json"), w.path("evil/metadata/3.root.json")))
			nextRootFrom(w, w.path("evil/metadata/3.root.json"), w.path("evil/metadata/2.root.json"), w.keys("root"), w.keys("root"))
		}, "rollback"},
		{"a pipe in place of a file", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			w.must(os.Remove(w.path("evil/metadata/timestamp.json")))
			w.must(unix.Mkfifo(w.path("evil/metadata/timestamp.json"), 0o644))
		}, ""},
		{"a link that leads out of the folder", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			w.must(os.Remove(w.path("evil/metadata/timestamp.json")))
			w.must(os.Symlink(w.path("list/metadata/timestamp.json"), w.path("evil/metadata/timestamp.json")))
		}, ""},
		{"no JSON", func(w *world) {
			w.publish(workers(11)...)
			copyTree(w.t, w.path("list"), w.path("evil"))
			w.must(os.WriteFile(w.path("evil/metadata/timestamp.json"), []byte("{"), 0o644))
		}, ""},
		{"nothing", func(w *world) { w.must(os.MkdirAll(w.path("evil"), 0o755)) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := before.copied(t)
			c.attack(w)
			before := w.open().Info()
			r, err := w.sync(w.path("evil"))
			code, _ := sync.Refusal(err)
			if err == nil || code != c.want {
				t.Errorf("want a refusal %q, got %q: %v, %+v", c.want, code, err, r)
			}
			l := w.open()
			if l.Info() != before || len(w.find(l, worker(7)).Records) != 1 {
				t.Errorf("the list is another one: %+v, before %+v", l.Info(), before)
			}
			w.now = time.Now().Add(2 * time.Hour)
			honest := w.publish(workers(12)...)
			if r, err := w.sync(); err != nil || r.Info.Version != honest.Version {
				t.Fatalf("the counter does not recover: %v", err)
			}
			if f := w.find(w.open(), worker(11)); len(f.Records) != 1 {
				t.Error("the honest list does not answer")
			}
		})
	}
}

// newest finds a role's newest metadata in a folder of the world.
func newest(w *world, dir, role string) string {
	paths, err := filepath.Glob(w.path(dir + "/metadata/*." + role + ".json"))
	w.must(err)
	best := ""
	for _, p := range paths {
		if best == "" || number(p) > number(best) {
			best = p
		}
	}
	return best
}

func number(path string) int64 {
	head, _, _ := strings.Cut(filepath.Base(path), ".")
	n, _ := strconv.ParseInt(head, 10, 64)
	return n
}

func flip(w *world, path string) {
	b, err := os.ReadFile(path)
	w.must(err)
	b[len(b)-1] ^= 1
	w.must(os.WriteFile(path, b, 0o644))
}

func strangers(w *world, n int) (keys []crossing.PrivateKey) {
	for range n {
		k, err := crossing.NewPrivateKey()
		w.must(err)
		keys = append(keys, k)
	}
	return keys
}

// redate makes a snapshot and a timestamp for whatever targets metadata is
// there, without asking whether it is signed: as a thief of the online keys
// would.
func redate(w *world, dir string, snapshot, timestamp []crossing.PrivateKey) {
	w.t.Helper()
	targets := newest(w, dir, "targets")
	s := metadata.Snapshot(time.Now().Add(time.Hour))
	s.Signed.Version = number(newest(w, dir, "snapshot")) + 1
	s.Signed.Meta["targets.json"] = metaFile(w, targets, number(targets))
	path := w.path(dir + "/metadata/" + strconv.FormatInt(s.Signed.Version, 10) + ".snapshot.json")
	w.must(s.ToFile(path, false))
	resign(w, path, snapshot[0])
	retimestamp(w, dir, timestamp[0])
}

func retimestamp(w *world, dir string, key crossing.PrivateKey) {
	w.t.Helper()
	path := w.path(dir + "/metadata/timestamp.json")
	old, err := metadata.Timestamp().FromFile(path)
	w.must(err)
	snapshot := newest(w, dir, "snapshot")
	m := metadata.Timestamp(time.Now().Add(7 * 24 * time.Hour))
	m.Signed.Version = old.Signed.Version + 1
	m.Signed.Meta["snapshot.json"] = metaFile(w, snapshot, number(snapshot))
	w.must(m.ToFile(path, false))
	resign(w, path, key)
}

func metaFile(w *world, path string, version int64) *metadata.MetaFiles {
	b, err := os.ReadFile(path)
	w.must(err)
	t, err := metadata.TargetFile().FromBytes(path, b, "sha256")
	w.must(err)
	m := metadata.MetaFile(version)
	m.Length, m.Hashes = t.Length, t.Hashes
	return m
}

// nextRoot makes the successor of the newest root in a folder, with these root
// keys, signed by them and by some of the old ones.
func nextRoot(w *world, dir string, keys, old []crossing.PrivateKey) {
	from := ""
	for v := 1; ; v++ {
		p := filepath.Join(dir, strconv.Itoa(v)+".root.json")
		if _, err := os.Stat(p); err != nil {
			break
		}
		from = p
	}
	nextRootFrom(w, from, filepath.Join(dir, strconv.FormatInt(number(from)+1, 10)+".root.json"), keys, old)
}

func nextRootFrom(w *world, from, to string, keys, old []crossing.PrivateKey) {
	w.t.Helper()
	before, err := os.ReadFile(from)
	w.must(err)
	public := crossing.Keys{}
	for _, k := range keys {
		for id, p := range k.Public() {
			public[id] = p
		}
	}
	b, err := w.repo.NewRoot(before, repository.Roles{Root: public})
	w.must(err)
	w.must(os.WriteFile(to, b, 0o644))
	w.must(repository.Sign(to, append(append([]crossing.PrivateKey{}, keys...), old...)...))
}

// A counter that was in a drawer while the root changed hands five times goes
// on from the root it was given.
func TestRootRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(3)...)
	w.mustSync()
	folder := repository.KeyFolder(w.path("keys"))
	old := w.keys("root")
	for range 5 {
		next := strangers(w, 3)
		nextRoot(w, folder, next[:], old[:2])
		old = next
	}
	w.publish(workers(4)...)
	w.mustSync()
	if f := w.find(w.open(), worker(3)); len(f.Records) != 1 {
		t.Error("the list of the sixth root was not installed")
	}
	// The next root is signed by one of the old keys only.
	next := strangers(w, 3)
	nextRoot(w, folder, next, old[:1])
	w.publish(workers(5)...)
	if _, err := w.sync(); err == nil {
		t.Error("a root with one signature of its predecessor was believed")
	}
	if code, _ := sync.Refusal(func() error { _, err := w.sync(); return err }()); code != "unsigned" {
		t.Errorf("refused as %q", code)
	}
	// Signed by a second one, it is good: nothing was damaged.
	w.must(repository.Sign(filepath.Join(folder, "7.root.json"), old[1]))
	w.must(w.repo.AddRoots(folder))
	w.mustSync()
}

// Who steals the online keys can date lists far into the future (fast forward).
// A root with new online keys makes the counter forget that.
func TestFastForwardRecovery(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(3)...)
	w.mustSync()
	far := time.Now().AddDate(300, 0, 0)
	copyTree(t, w.path("list"), w.path("evil"))
	stamp := w.path("evil/metadata/timestamp.json")
	snap := newest(w, "evil", "snapshot")
	edit(t, snap, func(m *metadata.Metadata[metadata.SnapshotType]) { m.Signed.Version = far.UnixMilli() })
	w.must(os.Rename(snap, w.path("evil/metadata/"+strconv.FormatInt(far.UnixMilli(), 10)+".snapshot.json")))
	snap = newest(w, "evil", "snapshot")
	resign(w, snap, w.keys("snapshot")[0])
	edit(t, stamp, func(m *metadata.Metadata[metadata.TimestampType]) {
		m.Signed.Version = far.UnixMilli()
		m.Signed.Meta["snapshot.json"] = metaFile(w, snap, far.UnixMilli())
	})
	resign(w, stamp, w.keys("timestamp")[0])
	w.mustSync(w.path("evil")) // believed: its signatures are good

	w.publish(workers(4)...)
	if _, err := w.sync(); err == nil {
		t.Fatal("the test does not fast-forward")
	}
	// Headquarters replaces both online keys.
	folder := repository.KeyFolder(w.path("keys"))
	for _, role := range []string{"snapshot", "timestamp"} {
		w.must(os.Remove(filepath.Join(folder, role+".jwk")))
		_, _, err := crossing.LoadOrCreatePrivateKey(filepath.Join(folder, role+"-new.jwk"))
		w.must(err)
	}
	before, err := os.ReadFile(filepath.Join(folder, "1.root.json"))
	w.must(err)
	b, err := w.repo.NewRoot(before, repository.Roles{Snapshot: w.keys("snapshot")[0].Public(), Timestamp: w.keys("timestamp")[0].Public()})
	w.must(err)
	w.must(os.WriteFile(filepath.Join(folder, "2.root.json"), b, 0o644))
	w.must(repository.Sign(filepath.Join(folder, "2.root.json"), w.keys("root")[:2]...))
	w.publish(workers(5)...)
	w.mustSync()
	if f := w.find(w.open(), worker(4)); len(f.Records) != 1 {
		t.Error("the counter does not recover")
	}
	// The thief's keys are worth nothing now.
	if _, err := w.sync(w.path("evil")); err == nil {
		t.Error("the stolen keys still count")
	}
}

// resign replaces a file's signatures.
func resign(w *world, path string, key crossing.PrivateKey) {
	w.t.Helper()
	b, err := os.ReadFile(path)
	w.must(err)
	signer := signerOf(w, key)
	if m, err := metadata.Timestamp().FromBytes(b); err == nil {
		m.ClearSignatures()
		_, err = m.Sign(signer)
		w.must(errors.Join(err, m.ToFile(path, false)))
		return
	}
	m, err := metadata.Snapshot().FromBytes(b)
	w.must(err)
	m.ClearSignatures()
	_, err = m.Sign(signer)
	w.must(errors.Join(err, m.ToFile(path, false)))
}

// A server that never ends costs no more than what the metadata allows.
func TestEndlessServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(3)...)
	for _, c := range []struct{ name, path string }{{"timestamp", "timestamp.json"}, {"root", "2.root.json"}, {"agencies", ".agencies"}} {
		t.Run(c.name, func(t *testing.T) {
			var sent atomic.Int64
			files := http.FileServer(http.Dir(w.repo.Dir))
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, c.path) {
					files.ServeHTTP(rw, r)
					return
				}
				chunk := make([]byte, 64<<10)
				for {
					n, err := rw.Write(chunk)
					sent.Add(int64(n))
					if err != nil {
						return
					}
				}
			}))
			defer server.Close()
			_, err := w.sync(server.URL)
			if code, _ := sync.Refusal(err); code != "altered" {
				t.Errorf("%q: %v", code, err)
			}
			if sent.Load() > 16<<20 {
				t.Errorf("the server got rid of %d bytes", sent.Load())
			}
		})
	}
	if r := w.mustSync(); !r.Installed {
		t.Error("an honest source does not help")
	}
}

// A source that drips is given up when it is slower than the pace, however
// long it goes on.
func TestSlowData(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		r, out := io.Pipe()
		var wg gosync.WaitGroup
		defer wg.Wait()
		wg.Go(func() {
			for {
				if _, err := out.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		const length = 1 << 20
		patience, err := sync.SlowRead(t.Context(), r, dir, length)
		if err == nil || !strings.Contains(err.Error(), "slower than") {
			t.Errorf("got %v", err)
		}
		if patience > 5*time.Minute {
			t.Errorf("it held the counter up for %s", patience)
		}
		r.Close()
	})
}
