package cache_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"lintas/agent/placement"
	"lintas/agent/placement/cache"
	"lintas/mrz"
)

const counterID = "CGK-T3-D07"

// shelf makes lists that are locked alike, straight from rows.
type shelf struct {
	t    testing.TB
	key  placement.Key
	head placement.Header
	lock *placement.Lock
}

func newShelf(t testing.TB) *shelf { return shelfOf(t, placement.NewKey(), placement.NewSalt()) }

func shelfOf(t testing.TB, key placement.Key, salt []byte) *shelf {
	t.Helper()
	s := &shelf{t: t, key: key, head: placement.Header{Version: 1, KeyID: key.ID, Salt: salt, Cost: placement.CheapCost, Cheap: true}}
	var err error
	if s.lock, err = placement.NewLock(s.key, salt, placement.CheapCost); err != nil {
		t.Fatal(err)
	}
	return s
}

// entry n says in its record which version of the list it was made for.
func entry(n int, version int64) placement.Entry {
	return placement.Entry{
		Record: placement.Record{PlacementID: "P-" + strconv.Itoa(n), Rev: version, Status: placement.Ready, Destination: "HKG",
			Primary: "CONTOH", DateOfBirth: mrz.Date{Year: 1970, Month: 1 + n%12, Day: 1 + n%28}},
		Documents: []placement.DocumentRef{{IssuingState: "IDN", DocumentNumber: fmt.Sprintf("ZZ%07d", n), DateOfExpiry: mrz.Date{Year: 2031, Month: 1, Day: 1}}},
	}
}

func documentOf(e placement.Entry) mrz.Document {
	d := e.Documents[0]
	return mrz.Document{IssuingState: d.IssuingState, DocumentNumber: d.DocumentNumber, DateOfBirth: e.DateOfBirth, DateOfExpiry: d.DateOfExpiry}
}

// rows are those of entries 0 to n-1 as of a version, without stubs.
func (s *shelf) rows(n int, version int64) (rows []placement.Row) {
	for i := range n {
		all, err := s.lock.Entry(entry(i, version))
		if err != nil {
			s.t.Fatal(err)
		}
		rows = append(rows, all[1:]...)
	}
	slices.SortFunc(rows, func(a, b placement.Row) int { return bytes.Compare(a.Tag[:], b.Tag[:]) })
	return rows
}

func (s *shelf) file(h placement.Header, rows []placement.Row) cache.Opener {
	var b bytes.Buffer
	if err := placement.WriteRows(&b, h, rows); err != nil {
		s.t.Fatal(err)
	}
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
}

// full is a list in which every record is of that version.
func (s *shelf) full(version int64, rows []placement.Row) cache.Update {
	u := s.update(version)
	for shard := range placement.Shards {
		h := s.head
		h.Version, h.Shard = version, shard
		from, _ := slices.BinarySearchFunc(rows, shard, func(r placement.Row, i int) int { return int(r.Tag[0]) - i })
		to, _ := slices.BinarySearchFunc(rows, shard+1, func(r placement.Row, i int) int { return int(r.Tag[0]) - i })
		u.Full = append(u.Full, s.file(h, rows[from:to]))
	}
	return u
}

func (s *shelf) delta(from, to int64, rows []placement.Row) cache.Update {
	u := s.update(to)
	h := s.head
	h.From, h.Version = from, to
	u.Deltas = append(u.Deltas, s.file(h, rows))
	return u
}

func (s *shelf) update(version int64) cache.Update {
	h := s.head
	h.Version = version
	return cache.Update{Version: version, Time: time.Now(), Source: "test", Negatives: s.file(h, nil),
		Targets: map[string][]byte{placement.TargetAgencies: []byte("[]"), placement.TargetRules: fmt.Appendf(nil, `{"version":%d}`, version)}}
}

// state reads the installed list and makes sure that it is one list: every
// record of it is of the version that it says it has.
func (s *shelf) state(t *testing.T, path string, n int) int64 {
	t.Helper()
	l, err := cache.Open(t.Context(), path, cache.Access{Counter: counterID, Keys: placement.Keyring{s.key}})
	if err != nil {
		t.Fatalf("the list is lost: %v", err)
	}
	defer l.Close()
	if _, err := cache.Verify(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	v := l.Info().Version
	if l.Info().RulesVersion != v {
		t.Fatalf("a mixture: version %d with rules %d", v, l.Info().RulesVersion)
	}
	for i := range n {
		f, err := l.Find(t.Context(), documentOf(entry(i, v)))
		if err != nil || len(f.Records) != 1 || f.Records[0].Rev != v {
			t.Fatalf("a mixture: version %d, record %d is of %+v, %v", v, i, f.Records, err)
		}
	}
	return v
}

// Every step of an installation fails once, for every kind of installation: the
// old list stays, or, behind the last rename, the new one is there.
func TestEveryStepFails(t *testing.T) {
	const n = 30
	s := newShelf(t)
	r1, r2, r3 := s.rows(n, 1), s.rows(n, 2), s.rows(n, 3)
	both := s.full(2, r2) // a full list with a delta on it
	both.Version, both.Targets = 3, s.update(3).Targets
	both.Deltas = s.delta(2, 3, r3).Deltas
	const overgrown = "delta on a delta that has outgrown its base"
	for _, c := range []struct {
		name   string
		before []cache.Update
		update cache.Update
	}{
		{"full on full", []cache.Update{s.full(1, r1)}, s.full(2, r2)},
		{"delta on full", []cache.Update{s.full(1, r1)}, s.delta(1, 2, r2)},
		{"delta on delta", []cache.Update{s.full(1, r1), s.delta(1, 2, r2)}, s.delta(2, 3, r3)},
		{overgrown, []cache.Update{s.full(1, r1), s.delta(1, 2, r2)}, s.delta(2, 3, r3)},
		{"full on delta", []cache.Update{s.full(1, r1), s.delta(1, 2, r2)}, s.full(3, r3)},
		{"full and delta on delta", []cache.Update{s.full(1, r1), s.delta(1, 2, r2)}, both},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == overgrown {
				defer cache.FewRows(n - 1)()
			}
			old := c.before[len(c.before)-1].Version
			outcomes := map[int64]int{}
			for at := 0; ; at++ {
				path := filepath.Join(t.TempDir(), "placements.db")
				for _, u := range c.before {
					if _, err := cache.Install(t.Context(), path, u); err != nil {
						t.Fatal(err)
					}
				}
				count, shards := 0, 0
				broken := errors.New("no space left on device")
				restore := cache.Step(func(step string) error {
					if step == "shard" {
						if shards++; shards > 2 {
							return nil // one is as another
						}
					}
					if count++; count == at+1 {
						return broken
					}
					return nil
				})
				_, err := cache.Install(t.Context(), path, c.update)
				restore()
				got := s.state(t, path, n)
				outcomes[got]++
				if got != old && got != c.update.Version {
					t.Fatalf("failing at step %d: neither the old list nor the new one, version %d", at, got)
				}
				if err == nil {
					if got != c.update.Version {
						t.Fatalf("installed, and version %d is there", got)
					}
					break
				}
				if !errors.Is(err, broken) {
					t.Fatal(err)
				}
				if got == c.update.Version {
					continue
				}
				// It goes on from there.
				if _, err := cache.Install(t.Context(), path, c.update); err != nil {
					t.Fatalf("after a failure at step %d: %v", at, err)
				}
				if got := s.state(t, path, n); got != c.update.Version {
					t.Fatalf("version %d after the second try", got)
				}
				if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*.new*")); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
			if outcomes[old] < 3 || outcomes[c.update.Version] < 1 {
				t.Errorf("outcomes %v: the test cuts too little", outcomes)
			}
		})
	}
}

const cutEnv = "LINTAS_CUT_INSTALL"

// TestMain runs as the process that is killed, where it is told to.
func TestMain(m *testing.M) {
	if path := os.Getenv(cutEnv); path != "" {
		installForEver(path)
	}
	if dir := os.Getenv(importEnv); dir != "" {
		importOnce(dir)
		return
	}
	if dir := os.Getenv(rawEnv); dir != "" {
		rawOnce(dir)
		return
	}
	os.Exit(m.Run())
}

// What the killed process and the test agree on.
var (
	cutSalt = []byte("0123456789abcdef")
	cutJWK  = []byte(`{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}`)
)

const cutRows = 60

func cutShelf(t testing.TB) *shelf {
	keys, err := placement.ParseKeyring(cutJWK)
	if err != nil {
		t.Fatal(err)
	}
	return shelfOf(t, keys[0], cutSalt)
}

// installForEver installs list after list on top of what is there: now a full
// one, now a delta.
func installForEver(path string) {
	s := cutShelf(&testing.B{})
	info, err := cache.Installed(context.Background(), path)
	if err != nil {
		panic(err)
	}
	for v := info.Version; ; v++ {
		u := s.delta(v, v+1, s.rows(cutRows, v+1))
		if v%3 == 2 {
			u = s.full(v+1, s.rows(cutRows, v+1))
		}
		if _, err := cache.Install(context.Background(), path, u); err != nil {
			panic(err)
		}
		fmt.Println(v + 1)
	}
}

// A real process is killed at many moments of its installations. What it said
// to be installed is there, or the next one; never less, never a mixture.
func TestKilled(t *testing.T) {
	cuts := 25
	if testing.Short() {
		cuts = 8
	}
	s := cutShelf(t)
	path := filepath.Join(t.TempDir(), "placements.db")
	if _, err := cache.Install(t.Context(), path, s.full(1, s.rows(cutRows, 1))); err != nil {
		t.Fatal(err)
	}
	last := int64(1)
	advanced := 0
	for range cuts {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), cutEnv+"="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Some lists, and then any moment of the time that two more take.
		said := bufio.NewScanner(out)
		begun := time.Now()
		for range 1 + rand.IntN(3) {
			if !said.Scan() {
				t.Fatal("the process ended by itself")
			}
			if last, err = strconv.ParseInt(said.Text(), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(rand.N(1 + time.Since(begun)))
		cmd.Process.Kill()
		for said.Scan() {
			if last, err = strconv.ParseInt(said.Text(), 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		cmd.Wait()
		got := s.state(t, path, cutRows)
		if got < last || got > last+1 {
			t.Fatalf("version %d is there, %d was installed", got, last)
		}
		if got > last {
			advanced++
		}
		last = got
	}
	t.Logf("%d lists installed, %d cuts, of which %d between the rename and the word of it", last, cuts, advanced)
}

// A cancelled installation leaves the old list as a failed one does.
func TestCancelled(t *testing.T) {
	s := newShelf(t)
	path := filepath.Join(t.TempDir(), "placements.db")
	for _, u := range []cache.Update{s.full(1, s.rows(5, 1)), s.delta(1, 2, s.rows(5, 2))} {
		if _, err := cache.Install(t.Context(), path, u); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []string{"", "create", "commit", "rename"} {
		ctx, cancel := context.WithCancel(t.Context())
		restore := cache.Step(func(step string) error {
			if step == at {
				cancel()
			}
			return ctx.Err()
		})
		if at == "" {
			cancel()
		}
		_, err := cache.Install(ctx, path, s.full(3, s.rows(5, 3)))
		restore()
		cancel()
		if err == nil || s.state(t, path, 5) != 2 {
			t.Errorf("cancelled at %q: %v", at, err)
		}
	}
}

// Files that do not belong together, or ask too much, are refused.
func TestUnfit(t *testing.T) {
	s, other := newShelf(t), newShelf(t)
	r1, r2 := s.rows(5, 1), s.rows(5, 2)
	swapped := s.full(2, r2)
	swapped.Full[0], swapped.Full[1] = swapped.Full[1], swapped.Full[0]
	mixed := s.full(2, r2)
	mixed.Full[7] = s.full(3, r2).Full[7]
	few := s.full(2, r2)
	few.Full = few.Full[:255]
	foreign := s.full(2, r2)
	foreign.Negatives = other.update(2).Negatives
	room := s.full(2, r2)
	room.Room = 1 << 50
	gap := s.delta(3, 4, r2)
	for _, c := range []struct {
		name string
		u    cache.Update
	}{
		{"shards in another order", swapped}, {"a shard of another version", mixed}, {"a shard too few", few},
		{"negative entries of another lock", foreign}, {"more than the disk holds", room}, {"a delta that does not go on", gap},
		{"a delta of another lock", other.delta(1, 2, other.rows(5, 2))}, {"an older one", s.full(0, r1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "placements.db")
			if _, err := cache.Install(t.Context(), path, s.full(1, r1)); err != nil {
				t.Fatal(err)
			}
			if _, err := cache.Install(t.Context(), path, c.u); err == nil {
				t.Error("it was installed")
			}
			if v := s.state(t, path, 5); v != 1 {
				t.Errorf("version %d", v)
			}
		})
	}
}

// A damaged file is found, at the latest by Verify.
func TestVerifyFindsDamage(t *testing.T) {
	s := newShelf(t)
	path := filepath.Join(t.TempDir(), "placements.db")
	if _, err := cache.Install(t.Context(), path, s.full(1, s.rows(50, 1))); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	body := s.rows(50, 1)[20].Tag // the row's tag stands in the file
	if !bytes.Contains(whole, body[:]) {
		t.Fatal("no row found in the file")
	}
	for _, off := range []int{3, 40} {
		b := bytes.Clone(whole)
		for at, n := 0, 0; n >= 0; at += n + 1 { // the free room of a page may hold copies
			if n = bytes.Index(whole[at:], body[:]); n >= 0 {
				b[at+n+off] ^= 4
			}
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := cache.Verify(t.Context(), path); err == nil {
			t.Errorf("a flipped bit at %d was not found", off)
		}
	}
}
