package build_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/e2e/servers"
	"lintas/agent/placement"
	"lintas/agent/placement/build"
	"lintas/mrz"
)

// office builds lists one after the other.
type office struct {
	t    testing.TB
	dir  string
	keys placement.Keyring
	now  time.Time
	last build.Result
	full int64
	age  time.Time
	lock string
}

func newOffice(t testing.TB) *office {
	return &office{t: t, dir: t.TempDir(), keys: placement.Keyring{placement.NewKey()}, now: time.Now()}
}

func (o *office) options() build.Options {
	return build.Options{State: filepath.Join(o.dir, "state"), Out: filepath.Join(o.dir, "out"), Keys: o.keys, Key: o.keys[0],
		Cost: placement.CheapCost, Now: o.now, Last: o.last.Version, LastFull: o.full, FullAge: o.now.Sub(o.age), LastKey: o.lock, Targets: o.last.Targets}
}

func (o *office) build(s build.Source) build.Result {
	o.t.Helper()
	r, err := build.Run(o.t.Context(), o.options(), s)
	if err != nil {
		o.t.Fatal(err)
	}
	if o.last, o.lock = r, o.keys[0].ID; r.Full {
		o.full, o.age = r.Version, o.now
	}
	return r
}

// rows reads all rows of a target.
func (o *office) rows(name string) (rows []placement.Row) {
	o.t.Helper()
	target, ok := o.last.Targets[name]
	if !ok {
		o.t.Fatalf("there is no %s", name)
	}
	f, err := os.Open(filepath.Join(o.dir, "out", placement.FileName(name, target.SHA256)))
	if err != nil {
		o.t.Fatal(err)
	}
	defer f.Close()
	r, err := placement.NewRowReader(f)
	if err != nil {
		o.t.Fatal(err)
	}
	for {
		row, err := r.Next()
		if err != nil {
			return rows
		}
		row.Body = bytes.Clone(row.Body)
		rows = append(rows, row)
	}
}

func (o *office) allRows() (rows []placement.Row) {
	for shard := range placement.Shards {
		rows = append(rows, o.rows(placement.FullName(shard, o.full))...)
	}
	return rows
}

func worker(n int) placement.Entry {
	return placement.Entry{
		Record: placement.Record{PlacementID: fmt.Sprintf("EX-%07d", n), Rev: 1, Status: placement.Ready, Destination: "HKG", AgencyID: "A-1",
			ContractUntil: mrz.Date{Year: 2031, Month: 12, Day: 31}, Primary: "CONTOH" + letters(n), Secondary: "MELATI",
			DateOfBirth: mrz.Date{Year: 1970 + n%30, Month: 1 + n%12, Day: 2 + n%27}},
		Documents: []placement.DocumentRef{{IssuingState: "IDN", DocumentNumber: fmt.Sprintf("ZZ%07d", n), DateOfExpiry: mrz.Date{Year: 2031, Month: 5, Day: 1 + n%28}}},
	}
}

func letters(n int) string {
	s := ""
	for ; n > 0; n /= 20 {
		s += string(rune('A' + n%20))
	}
	return s
}

func stream(list ...placement.Entry) build.Stream {
	return func(each func(placement.Entry) error) error {
		for _, e := range list {
			if err := each(e); err != nil {
				return err
			}
		}
		return nil
	}
}

func workers(n int) (list []placement.Entry) {
	for i := range n {
		list = append(list, worker(i))
	}
	return list
}

// What has not changed is not locked again: its rows are the same bytes.
func TestUnchangedRowsStay(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.build(build.Source{Placements: stream(workers(50)...)})
	before := map[placement.Tag][]byte{}
	for _, r := range o.allRows() {
		before[r.Tag] = r.Body
	}
	list := workers(50)
	list[7].Status = placement.Revoked
	o.now = o.now.Add(8 * 24 * time.Hour) // a week later there is a full list again
	r := o.build(build.Source{Placements: stream(list...)})
	if !r.Full || r.Changed != 1 {
		t.Errorf("%+v", r)
	}
	differ := 0
	for _, r := range o.allRows() {
		if !bytes.Equal(before[r.Tag], r.Body) {
			differ++
		}
	}
	if differ != 1 || len(before) != 100 {
		t.Errorf("%d rows differ of %d", differ, len(before))
	}
}

// Changes alone make the same delta as all placements do.
func TestChangesOnly(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first := o.build(build.Source{Placements: stream(workers(50)...)})
	changed, gone := worker(3), placement.Entry{Record: placement.Record{PlacementID: worker(4).PlacementID}, Removed: true}
	changed.Status = placement.Suspended
	unknown := placement.Entry{Record: placement.Record{PlacementID: "NOBODY"}, Removed: true}
	r := o.build(build.Source{Placements: stream(changed, gone, worker(60), worker(5), unknown), Changes: true})
	if r.Full || r.Changed != 3 {
		t.Errorf("%+v", r)
	}
	kinds := map[placement.Kind]int{}
	for _, row := range o.rows(placement.DeltaName(first.Version, r.Version)) {
		kinds[row.Kind]++
	}
	if kinds[placement.KindRecord] != 2 || kinds[placement.KindStub] != 2 || kinds[placement.KindGone] != 2 {
		t.Errorf("rows of the delta: %v", kinds)
	}
	if _, err := build.Run(t.Context(), newOffice(t).options(), build.Source{Placements: stream(worker(1)), Changes: true}); err == nil {
		t.Error("a list was begun with changes")
	}
}

// Deltas stay on offer for thirty days; the chain of those that are left is
// whole.
func TestDeltasAreKept(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	versions := []int64{o.build(build.Source{Placements: stream(workers(3)...)}).Version}
	for day := range 40 {
		o.now = o.now.Add(24 * time.Hour)
		r := o.build(build.Source{Placements: stream(workers(4 + day)...)})
		name := placement.DeltaName(versions[len(versions)-1], r.Version)
		path := filepath.Join(o.dir, "out", placement.FileName(name, r.Targets[name].SHA256))
		if err := os.Chtimes(path, o.now, o.now); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, r.Version)
	}
	for i := range versions[1:] {
		_, there := o.last.Targets[placement.DeltaName(versions[i], versions[i+1])]
		if day := 40 - i; there != (day <= 31) {
			t.Errorf("the delta of %d days ago: %v", day, there)
		}
	}
}

// A build that was cut off between its state and its metadata is made up for by
// the next one.
func TestCutOffBetweenStateAndList(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	first := o.build(build.Source{Placements: stream(workers(10)...)})
	if _, err := build.Run(t.Context(), o.options(), build.Source{Placements: stream(workers(11)...)}); err != nil {
		t.Fatal(err) // what it made is never signed
	}
	r := o.build(build.Source{Placements: stream(workers(12)...)})
	records := 0
	for _, row := range o.rows(placement.DeltaName(first.Version, r.Version)) {
		if row.Kind == placement.KindRecord {
			records++
		}
	}
	if records != 2 {
		t.Errorf("the delta has %d records, two are new", records)
	}
}

// A fault in a source leaves list and state as they were.
func TestFaultsLeaveNothing(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.build(build.Source{Placements: stream(workers(10)...)})
	files := func() (n int) {
		filepath.WalkDir(o.dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !strings.HasSuffix(path, "-wal") && !strings.HasSuffix(path, "-shm") {
				n++
			}
			return nil
		})
		return n
	}
	before := files()
	twice := worker(20)
	twice.Status = placement.Ended
	broken := errors.New("disk on fire")
	for _, c := range []struct {
		name   string
		source build.Source
		want   string
	}{
		{"the source breaks", build.Source{Placements: func(each func(placement.Entry) error) error {
			return errors.Join(each(worker(11)), broken)
		}}, "disk on fire"},
		{"one placement twice", build.Source{Placements: stream(worker(20), twice)}, "twice with revision 1"},
		{"removed among all", build.Source{Placements: stream(placement.Entry{Record: placement.Record{PlacementID: "X"}, Removed: true})}, "among changes only"},
		{"cleared for nobody", build.Source{Placements: stream(workers(3)...), Cleared: []placement.Cleared{{PlacementID: "NOBODY"}}}, "NOBODY"},
		{"officers without counters", build.Source{Officers: []placement.Officer{{Site: "IDCGK"}}}, "no counter whose key"},
	} {
		if _, err := build.Run(t.Context(), o.options(), c.source); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
		if n := files(); n != before && c.want != "no counter whose key" {
			t.Errorf("%s: %d files, before %d", c.name, n, before)
		}
	}
	// The newest revision counts.
	newer := worker(20)
	newer.Rev, newer.Status = 2, placement.Ended
	if r := o.build(build.Source{Placements: stream(append(workers(10), worker(20), newer)...)}); r.Changed != 1 {
		t.Errorf("%+v", r)
	}
	options := o.options()
	options.Version = 5
	if _, err := build.Run(t.Context(), options, build.Source{}); err == nil || !strings.Contains(err.Error(), "counters would refuse") {
		t.Errorf("an older version: %v", err)
	}
}

// While a build runs, its files hold nobody in the clear.
func TestSpillIsEncrypted(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	seen := 0
	look := func() {
		filepath.WalkDir(o.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil
			}
			b, err := os.ReadFile(path)
			if err == nil && len(b) > 0 {
				seen++
				if bytes.Contains(b, []byte("CONTOH")) || bytes.Contains(b, []byte("ZZ00")) {
					t.Errorf("%s holds somebody", path)
				}
			}
			return nil
		})
	}
	o.build(build.Source{Placements: func(each func(placement.Entry) error) error {
		for i := range 1_500 {
			e := worker(i)
			e.EmployerName = strings.Repeat("CONTOH ", 400) // so that pieces are written out
			if err := each(e); err != nil {
				return err
			}
		}
		look()
		return nil
	}})
	if seen < 100 {
		t.Errorf("only %d files were there to look into", seen)
	}
	look()
	if left, _ := filepath.Glob(filepath.Join(o.dir, "state", "tmp-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Stubs of a name that many have are left out, those of a vague birth date
// earlier.
func TestFrequentNames(t *testing.T) {
	t.Parallel()
	named := func(n int, name string, vague bool) placement.Entry {
		e := worker(n)
		e.Primary, e.Secondary = name, ""
		e.DateOfBirth = mrz.Date{Year: 1960 + n%40, Month: 2 + n/40%11, Day: 2 + n/440%26}
		if vague {
			e.DateOfBirth = mrz.Date{Year: 1960 + n%40, Month: 1, Day: 1}
		}
		return e
	}
	var list []placement.Entry
	for i := range 230 {
		list = append(list, named(i, "SITI", false))
	}
	for i := range 100 {
		list = append(list, named(1000+i, "SEKAR", false))
	}
	for i := range 15 {
		list = append(list, named(2000+i, "PURWANTO", true))
	}
	for i := range 8 {
		list = append(list, named(3000+i, "LASTRI", true))
	}
	o := newOffice(t)
	r := o.build(build.Source{Placements: stream(list...)})
	stubs := 0
	for _, row := range o.allRows() {
		if row.Kind == placement.KindStub {
			stubs++
		}
	}
	if stubs != 108 || r.LeftOut != 245 {
		t.Errorf("%d stubs, %d left out", stubs, r.LeftOut)
	}
	// Fewer have the name: with the next full list the stubs are there.
	o.now = o.now.Add(8 * 24 * time.Hour)
	r = o.build(build.Source{Placements: stream(list[50:]...)})
	if r.LeftOut != 15 {
		t.Errorf("%d left out afterwards", r.LeftOut)
	}
}

// Sealed targets change only with their content, or with those who may read
// them.
func TestSealedStays(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	a, err := crossing.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	b, err := crossing.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	s := build.Source{Placements: stream(workers(3)...), Counters: map[string]crossing.Keys{"CGK-1": a.Public(), "CGK-2": a.Public()}}
	first := o.build(s).Targets
	s.Counters["CGK-2"] = b.Public()
	second := o.build(s).Targets
	if first["keys/CGK-1"] != second["keys/CGK-1"] || first["keys/CGK-2"] == second["keys/CGK-2"] {
		t.Error("a sealed target changes with what does not concern it, or not with what does")
	}
	delete(s.Counters, "CGK-1")
	if _, there := o.build(s).Targets["keys/CGK-1"]; there {
		t.Error("a counter that is not trusted any more gets keys")
	}
}

// Placements from a real PostgreSQL.
func TestPostgres(t *testing.T) {
	t.Parallel()
	server := servers.StartPostgres(t)
	server.Exec(t, `CREATE TABLE placement(placement_id text, rev int, status text, primary_name text, birth date, number text, expiry date);
		INSERT INTO placement SELECT 'P-' || n, 1, 'siap', 'CONTOH' || chr(65 + n % 26), DATE '1980-01-02' + n, 'ZZ' || lpad(n::text, 7, '0'), DATE '2031-01-01' FROM generate_series(1, 3000) n;
		INSERT INTO placement VALUES ('P-X', 1, 'ready', 'X', DATE '1980-01-01', 'ZZ1', DATE '2031-01-01')`)
	url := server.URL()
	query := func(where string) string {
		return `SELECT placement_id, rev, status, 'HKG' AS destination, primary_name AS "primary", birth AS date_of_birth, ARRAY['SGP'] AS via, NULL AS scheme,
			json_build_array(json_build_object('issuing_state', 'IDN', 'document_number', number, 'date_of_expiry', expiry)) AS documents
			FROM placement ` + where
	}
	o := newOffice(t)
	r := o.build(build.Source{Placements: build.Postgres(t.Context(), url, query("WHERE status = 'siap'"))})
	if r.Changed != 3000 {
		t.Errorf("%+v", r)
	}
	for _, c := range []struct{ query, want string }{
		{query(""), "postgres:3001:"},
		{"SELECT 1 AS weight", `unknown field "weight"`},
		{"SELEKT", "syntax error"},
		{query("") + " ; DROP TABLE placement", "syntax error"},
	} {
		if _, err := build.Run(t.Context(), o.options(), build.Source{Placements: build.Postgres(t.Context(), url, c.query)}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.query, err)
		}
	}
	if _, err := build.Run(t.Context(), o.options(), build.Source{Placements: build.Postgres(t.Context(), "postgres://nobody:sesame@127.0.0.1:1/x", "SELECT 1")}); err == nil || strings.Contains(err.Error(), "sesame") {
		t.Errorf("a password is shown, or nothing is: %v", err)
	}
}
