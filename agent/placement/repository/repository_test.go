package repository_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/agent/placement/repository"
)

// house is a repository with all its keys.
type house struct {
	t    *testing.T
	dir  string
	now  time.Time
	repo repository.Repository
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, dir: t.TempDir(), now: time.Now()}
	h.repo = repository.Repository{Dir: filepath.Join(h.dir, "list"), Now: func() time.Time { return h.now }}
	h.must(repository.Init(filepath.Join(h.dir, "keys")))
	h.must(h.repo.AddRoots(repository.KeyFolder(filepath.Join(h.dir, "keys"))))
	return h
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) keys(role string) []crossing.PrivateKey {
	h.t.Helper()
	keys, err := repository.RoleKeys(repository.KeyFolder(filepath.Join(h.dir, "keys")), role)
	h.must(err)
	return keys
}

// put writes a target's file and describes it.
func (h *house) put(name, text string) placement.Target {
	h.t.Helper()
	sum := sha256.Sum256([]byte(text))
	target := placement.Target{Length: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}
	path := filepath.Join(h.repo.Targets(), placement.FileName(name, target.SHA256))
	h.must(os.MkdirAll(filepath.Dir(path), 0o755))
	h.must(os.WriteFile(path, []byte(text), 0o644))
	h.must(os.Chtimes(path, h.now, h.now))
	return target
}

func (h *house) publish(targets placement.Targets) {
	h.t.Helper()
	path, err := h.repo.Stage(targets)
	h.must(err)
	h.must(repository.Sign(path, h.keys("targets")[1:]...))
	h.must(h.repo.Date(append(h.keys("snapshot"), h.keys("timestamp")...)...))
}

// A file that nothing names any more stays for a week, then it goes; roots stay
// for ever.
func TestSupersededFilesGo(t *testing.T) {
	h := newHouse(t)
	old := h.put("agencies", "old")
	long := h.now.Add(-30 * 24 * time.Hour) // it has been named for long
	h.must(os.Chtimes(filepath.Join(h.repo.Targets(), placement.FileName("agencies", old.SHA256)), long, long))
	h.publish(placement.Targets{"agencies": old})
	count := func(what string) (n int) {
		h.must(filepath.WalkDir(h.repo.Dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, what) {
				n++
			}
			return err
		}))
		return n
	}
	h.now = h.now.Add(time.Hour)
	h.publish(placement.Targets{"agencies": h.put("agencies", "new")})
	if count(".agencies") != 2 || count(".targets.json") != 2 || count(".snapshot.json") != 2 {
		t.Error("a list that somebody may be reading is gone")
	}
	h.now = h.now.Add(8 * 24 * time.Hour)
	h.must(h.repo.Date(append(h.keys("snapshot"), h.keys("timestamp")...)...))
	if count(".agencies") != 1 || count(".targets.json") != 1 || count(".snapshot.json") != 1 || count("1.root.json") != 1 {
		t.Errorf("after 8 days: %d targets, %d snapshots", count(".agencies"), count(".snapshot.json"))
	}
}

// A copy has what is current, and a second one copies no file again.
func TestCopy(t *testing.T) {
	h := newHouse(t)
	h.publish(placement.Targets{"agencies": h.put("agencies", "x"), "officers/IDCGK": h.put("officers/IDCGK", "y")})
	to := filepath.Join(h.dir, "www")
	if n, err := h.repo.CopyTo(to); err != nil || n != 6 {
		t.Errorf("%d files, %v", n, err)
	}
	if n, err := h.repo.CopyTo(to); err != nil || n != 4 { // metadata only
		t.Errorf("the second time %d files, %v", n, err)
	}
	if _, err := os.Stat(filepath.Join(to, "targets", "officers")); err != nil {
		t.Error(err)
	}
}

// Only keys that the root names can date a list, and only one that is signed.
func TestDate(t *testing.T) {
	h := newHouse(t)
	path, err := h.repo.Stage(placement.Targets{"agencies": h.put("agencies", "x")})
	h.must(err)
	online := append(h.keys("snapshot"), h.keys("timestamp")...)
	if err := h.repo.Date(online...); err == nil || !strings.Contains(err.Error(), "signatures of 2") {
		t.Errorf("dated without signatures: %v", err)
	}
	h.must(repository.Sign(path, h.keys("targets")[:2]...))
	if err := h.repo.Date(h.keys("targets")...); err == nil || !strings.Contains(err.Error(), "not at hand") {
		t.Errorf("dated by other keys: %v", err)
	}
	h.must(h.repo.Date(online...))
	if _, err := h.repo.NewRoot([]byte("{}"), repository.Roles{}); err == nil {
		t.Error("a root was made from nothing")
	}
	if err := repository.Sign(filepath.Join(h.repo.Dir, "metadata", "timestamp.json"), online...); err == nil {
		t.Error("a timestamp was signed by hand")
	}
}

// While a list waits for the signatures of keys that lie elsewhere, the one
// before goes on being dated and published, for as long as that takes.
func TestNewListWaitsForSignatures(t *testing.T) {
	h := newHouse(t)
	online := append(h.keys("snapshot"), h.keys("timestamp")...)
	old := h.put("agencies", "old")
	h.publish(placement.Targets{"agencies": old})
	path, err := h.repo.Stage(placement.Targets{"agencies": h.put("agencies", "new")})
	h.must(err)
	h.must(repository.Sign(path, h.keys("targets")[0])) // one of two
	www := filepath.Join(h.dir, "www")
	published := func() string {
		t.Helper()
		h.must(h.repo.Date(online...))
		_, err := h.repo.CopyTo(www)
		h.must(err)
		l, err := repository.Repository{Dir: www}.Current()
		h.must(err)
		return l.Targets["agencies"].SHA256
	}
	for range 3 {
		h.now = h.now.Add(10 * 24 * time.Hour)
		if published() != old.SHA256 {
			t.Fatal("a list was published that is not signed")
		}
		if _, err := os.Stat(filepath.Join(h.repo.Targets(), placement.FileName("agencies", old.SHA256))); err != nil {
			t.Fatal("the list that is published is gone")
		}
	}
	if err := h.repo.Signed(); err == nil {
		t.Error("nothing says that a list waits")
	}
	h.must(repository.Sign(path, h.keys("targets")[1]))
	if err := h.repo.Signed(); err != nil || published() == old.SHA256 {
		t.Errorf("it is signed and not published: %v", err)
	}
}

// What people must sign is told before it is too late.
func TestDue(t *testing.T) {
	h := newHouse(t)
	h.publish(placement.Targets{"agencies": h.put("agencies", "x")})
	due := func(days int) (roles string) {
		t.Helper()
		at := repository.Repository{Dir: h.repo.Dir, Now: func() time.Time { return h.now.AddDate(0, 0, days) }}
		list, err := at.Due()
		h.must(err)
		for _, d := range list {
			roles += d.Role + " "
		}
		return roles
	}
	for days, want := range map[int]string{0: "", 75: "", 77: "targets ", 100: "targets ", 669: "targets ", 671: "root targets "} {
		if got := due(days); got != want {
			t.Errorf("after %d days: %q", days, got)
		}
	}
}
