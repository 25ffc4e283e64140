package sync_test

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/agent/placement/cache"
	"lintas/agent/placement/repository"
	"lintas/mrz"
)

func TestFullThenDeltas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.source.Rules = []byte(`{"version":3}`)
	w.source.Officers = []placement.Officer{{Site: site, ID: "7", Name: "Sari", PINHash: "$argon2id$v=19$m=1,t=1,p=1$AA$AA"}}
	w.source.Negatives = []placement.NegativeEntry{{DocumentRef: placement.DocumentRef{IssuingState: "IDN", DocumentNumber: "ZZ9999999"},
		Negative: placement.Negative{Kind: placement.Attention, Until: mrz.Date{Year: 2031, Month: 1, Day: 1}, Contact: "ext. 7"}}}
	list := workers(40)
	first := w.publish(list...)
	if r := w.mustSync(); !r.Installed || r.Info.Version != first.Version || r.Info.Rows != 80 {
		t.Fatalf("first: %+v", r)
	}
	l := w.open()
	if f := w.find(l, worker(7)); len(f.Records) != 1 || f.Agencies["A-1"].Name != "PT Contoh" || f.List.RulesVersion != 3 {
		t.Errorf("found %d records, %+v", len(f.Records), f.List)
	}
	if officers, err := l.Officers(t.Context(), site); err != nil || len(officers) != 1 || officers[0].ID != "7" {
		t.Errorf("officers: %v, %v", officers, err)
	}
	negative := documentOf(worker(1))
	negative.DocumentNumber, negative.DateOfBirth = "ZZ9999999", mrz.Date{Year: 2001, Month: 1, Day: 1}
	if f, err := l.Find(t.Context(), negative); err != nil || len(f.Negatives) != 1 {
		t.Errorf("negative: %v, %v", len(f.Negatives), err)
	}

	// One placement is gone, one has changed, one is new, and the negative list
	// is empty now.
	list[3].Rev, list[3].Status = 2, placement.Revoked
	list = append(list[:5], list[6:]...)
	list = append(list, worker(100))
	w.source.Negatives = []placement.NegativeEntry{}
	second := w.publish(list...)
	if second.Full || second.Changed != 3 {
		t.Errorf("second build: %+v", second)
	}
	r := w.mustSync()
	if !r.Installed || r.Info.Version != second.Version || r.Info.Base != first.Version {
		t.Fatalf("second: %+v", r)
	}
	third := w.publish(append(list, worker(101))...)
	w.mustSync()
	l = w.open()
	if l.Info().Version != third.Version || l.Info().Base != first.Version {
		t.Errorf("installed: %+v", l.Info())
	}
	for _, c := range []struct {
		name  string
		entry placement.Entry
		check func(placement.Found) bool
	}{
		{"unchanged", worker(7), func(f placement.Found) bool { return len(f.Records) == 1 }},
		{"changed", worker(3), func(f placement.Found) bool { return len(f.Records) == 1 && f.Records[0].Status == placement.Revoked }},
		{"gone", worker(5), func(f placement.Found) bool { return !f.Listed && !f.OtherPaper }},
		{"new", worker(100), func(f placement.Found) bool { return len(f.Records) == 1 }},
		{"new later", worker(101), func(f placement.Found) bool { return len(f.Records) == 1 }},
	} {
		if !c.check(w.find(l, c.entry)) {
			t.Errorf("%s: %+v", c.name, w.find(l, c.entry))
		}
	}
	if f, err := l.Find(t.Context(), negative); err != nil || len(f.Negatives) != 0 {
		t.Errorf("negative entry that is gone: %v, %v", len(f.Negatives), err)
	}
	if _, err := cache.Verify(t.Context(), w.client.Path); err != nil {
		t.Error(err)
	}

	// A full list replaces base and overlay.
	full := w.publishFull(append(list, worker(101))...)
	w.mustSync()
	if l = w.open(); l.Info().Base != full.Version || len(w.find(l, worker(101)).Records) != 1 || w.find(l, worker(5)).Listed {
		t.Errorf("full: %+v", l.Info())
	}
	// The same again: nothing is fetched.
	if r := w.mustSync(); r.Installed || r.Fetched != 0 || r.Info.Version != full.Version {
		t.Errorf("nothing new: %+v", r)
	}
	left, err := os.ReadDir(w.path("state/list/parts"))
	if err != nil || len(left) > 0 {
		t.Errorf("parts are left: %v, %v", left, err)
	}
}

// Deltas that were missed are made up for in order; a counter that has no list
// takes the full one and the deltas on it.
func TestCatchUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(10)...)
	w.mustSync()
	for n := range 4 {
		w.publish(workers(11 + n)...)
	}
	w.mustSync()
	if f := w.find(w.open(), worker(13)); len(f.Records) != 1 {
		t.Errorf("after three deltas missed: %+v", f)
	}
	w.client.Path, w.client.Dir = w.path("state/other.db"), w.path("state/other")
	r := w.mustSync()
	if f := w.find(w.open(), worker(13)); len(f.Records) != 1 || r.Info.Base == r.Info.Version {
		t.Errorf("from nothing: %+v, %+v", f, r)
	}
}

// The timestamp alone makes the list young again.
func TestRedated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.now = time.Now().Add(-6 * 24 * time.Hour)
	w.publish(workers(3)...)
	w.mustSync()
	if age := time.Since(w.open().Info().Time); age < 6*24*time.Hour-time.Minute {
		t.Errorf("age %s", age)
	}
	w.now = time.Now()
	w.date()
	if r := w.mustSync(); r.Installed || !r.Dated {
		t.Errorf("%+v", r)
	}
	if age := time.Since(w.open().Info().Time); age > time.Minute {
		t.Errorf("age %s after it was dated again", age)
	}
}

// For as long as headquarters dates a list that nobody changes, a counter that
// asks holds it for young; when the offline signatures have run out it installs
// nothing more and keeps what it has.
func TestDatedForMonths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.repo.Now = time.Now
		w.publish(workers(2)...)
		w.mustSync()
		for day := range 100 {
			time.Sleep(24 * time.Hour)
			if day%4 > 0 { // it asks and headquarters dates oftener; this is quicker
				continue
			}
			w.date()
			_, err := w.sync()
			l := w.open()
			age := time.Since(l.Info().Time)
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			switch {
			case day < 88 && (err != nil || age > time.Minute):
				t.Fatalf("day %d: the list is %s old: %v", day, age, err)
			case day > 90 && (err == nil || age < 24*time.Hour):
				t.Fatalf("day %d: a list whose signatures have run out was believed", day)
			}
		}
	})
}

// The list that is installed goes on being used when all signatures have run
// out; only its age tells.
func TestExpiryDoesNotStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(3)...)
	w.mustSync()
	w.must(os.RemoveAll(w.path("state/list")))
	w.must(cache.SetTime(w.client.Path, w.open().Info().Version, time.Now().Add(-365*24*time.Hour)))
	if f := w.find(w.open(), worker(1)); len(f.Records) != 1 {
		t.Error("the list does not answer")
	}
}

// A04: a second passport leads to the stub; once headquarters has cleared it,
// the next delta brings the record under it.
func TestClearedPassport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(5)...)
	w.mustSync()
	second := worker(2)
	second.Documents = []placement.DocumentRef{{IssuingState: "IDN", DocumentNumber: "ZZ7000000", DateOfExpiry: mrz.Date{Year: 2036, Month: 2, Day: 3}}}
	if f := w.find(w.open(), second); f.Listed || !f.OtherPaper {
		t.Fatalf("before: %+v", f)
	}
	w.source.Cleared = []placement.Cleared{{PlacementID: second.PlacementID, DocumentRef: second.Documents[0]}}
	if r := w.publish(workers(5)...); r.Full || r.Changed != 1 {
		t.Errorf("build: %+v", r)
	}
	w.mustSync()
	l := w.open()
	if f := w.find(l, second); len(f.Records) != 1 || f.OtherPaper {
		t.Errorf("after: %+v", f)
	}
	if f := w.find(l, worker(2)); len(f.Records) != 1 {
		t.Errorf("the first passport: %+v", f)
	}
}

// The list key of the next period reaches the counters before it is used, and
// the one before goes on opening what it has locked.
func TestListKeyRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.source.Negatives = []placement.NegativeEntry{}
	w.publish(workers(5)...)
	w.mustSync()
	old := w.ring[0]
	w.ring = append(w.ring, placement.NewKey())
	w.publish(workers(6)...)
	w.mustSync()
	if f := w.find(w.open(), worker(5)); len(f.Records) != 1 {
		t.Error("a list that announces a key does not open")
	}
	w.ring = placement.Keyring{w.ring[1], old}
	r := w.publish(workers(7)...)
	if !r.Full {
		t.Error("a new key without a full list")
	}
	w.mustSync()
	l := w.open()
	if l.Info().KeyID == old.ID || len(w.find(l, worker(6)).Records) != 1 || len(w.find(l, worker(0)).Records) != 1 {
		t.Errorf("after the switch: %+v", l.Info())
	}
	// Another counter's key opens nothing.
	stranger, err := cache.Open(t.Context(), w.client.Path, cache.Access{Counter: "XXX-1"})
	if err == nil {
		stranger.Close()
		t.Error("a counter without keys opens the list")
	}
}

// A list that this counter could not open does not take the place of one that
// it can; and a counter's new key opens what was sealed to the one before.
func TestListOfAnotherKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.source.Negatives = []placement.NegativeEntry{}
	identities := func(keys ...crossing.PrivateKey) (a cache.Access) {
		a.Counter = counterID
		for _, k := range keys {
			id, err := k.Identity()
			w.must(err)
			a.Identities = append(a.Identities, id)
		}
		return a
	}
	w.client.Access = func() cache.Access { return identities(w.counter) }
	w.publish(workers(3)...)
	w.mustSync()
	w.ring = placement.Keyring{placement.NewKey()}
	w.source.Counters = map[string]crossing.Keys{"OTHER-1": w.counter.Public()}
	w.publish(workers(4)...)
	if _, err := w.sync(); !errors.Is(err, cache.ErrNoKey) {
		t.Errorf("installed a list that does not open: %v", err)
	}
	if f := w.find(w.open(), worker(2)); len(f.Records) != 1 {
		t.Error("the list does not answer any more")
	}
	w.source.Counters = map[string]crossing.Keys{counterID: w.counter.Public()}
	w.publish(workers(5)...)
	w.mustSync()

	next, err := crossing.NewPrivateKey()
	w.must(err)
	sealed, err := crossing.HandOver(next, w.counter)
	w.must(err)
	if _, err := cache.Open(t.Context(), w.client.Path, identities(next)); !errors.Is(err, cache.ErrNoKey) {
		t.Errorf("the new key alone opens it: %v", err)
	}
	former, err := crossing.TakeOver(next, sealed)
	w.must(err)
	l, err := cache.Open(t.Context(), w.client.Path, identities(append(former, next)...))
	w.must(err)
	defer l.Close()
	if _, err := crossing.TakeOver(w.counter, sealed); err == nil {
		t.Error("the key before opens what was handed over to the next")
	}
}

// Two placements of one person are one person; two persons with one name and
// birth date get no stub, so that nobody is taken for somebody else.
func TestAmbiguousStub(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	twin := func(id, number string) placement.Entry {
		e := worker(1)
		e.PlacementID, e.Documents = id, []placement.DocumentRef{{IssuingState: "IDN", DocumentNumber: number, DateOfExpiry: mrz.Date{Year: 2031, Month: 1, Day: 1}}}
		return e
	}
	stranger := twin("", "ZZ8888888")
	for _, c := range []struct {
		name string
		list []placement.Entry
		want bool
	}{
		{"one", []placement.Entry{twin("P-1", "ZZ0000001")}, true},
		{"one person placed twice", []placement.Entry{twin("P-1", "ZZ0000001"), twin("P-2", "ZZ0000001")}, true},
		{"two persons", []placement.Entry{twin("P-1", "ZZ0000001"), twin("P-3", "ZZ0000003")}, false},
		{"one again", []placement.Entry{twin("P-3", "ZZ0000003")}, true},
	} {
		r := w.publish(c.list...)
		w.mustSync()
		if f := w.find(w.open(), stranger); f.OtherPaper != c.want || r.LeftOut > 0 == c.want {
			t.Errorf("%s: other paper %v, %d left out", c.name, f.OtherPaper, r.LeftOut)
		}
	}
}

// A source that lies is passed over, and said.
func TestNextSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(3)...)
	copyTree(t, w.path("list"), w.path("evil"))
	flip(w, w.path("evil/metadata/timestamp.json"))
	r := w.mustSync(w.path("nowhere"), w.path("evil"), w.repo.Dir)
	if !r.Installed || r.Source != w.repo.Dir || r.Info.Source != w.repo.Dir || r.Passed == nil {
		t.Errorf("%+v", r)
	}
}

// Without a root given by hand nothing is trusted, and another root begins
// anew.
func TestTrustedRoot(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.publish(workers(2)...)
	w.client.Root = w.path("nowhere.json")
	if _, err := w.sync(); err == nil {
		t.Fatal("a list was installed without a root")
	}
	other := newWorld(t)
	other.publish(workers(3)...)
	w.client.Root = repository.TrustedRoot(w.path("keys"))
	w.mustSync()
	if _, err := w.sync(other.repo.Dir); err == nil {
		t.Error("another headquarters' list was installed")
	}
	w.client.Root = repository.TrustedRoot(other.path("keys"))
	other.now = time.Now().Add(time.Minute)
	other.publish(workers(4)...)
	if r := w.mustSync(other.repo.Dir); !r.Installed {
		t.Errorf("with its root given: %+v", r)
	}
}
