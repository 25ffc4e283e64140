package main

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"lintas/agent/placement"
	"lintas/agent/placement/cache"
	"lintas/agent/placement/sync"
	"lintas/configs"
	"lintas/mrz"
)

const listed = `{"placement_id":"EX-1","rev":1,"status":"siap","destination":"HKG","primary":"CONTOH","secondary":"MELATI","date_of_birth":"1994-03-07","documents":[{"issuing_state":"IDN","document_number":"ZZ0000101","date_of_expiry":"2031-11-23"}]}` + "\n"

func (s *site) write(name, text string) string {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(s.path(name)), 0o700); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return s.path(name)
}

// fetch does what the counter does.
func (s *site) fetch(from string) (placement.Info, error) {
	s.t.Helper()
	if err := os.MkdirAll(s.path("state"), 0o700); err != nil {
		s.t.Fatal(err)
	}
	c := &sync.Client{Path: s.path("state/placements.db"), Dir: s.path("state/list"), Root: s.path("keys/list-root.json"), Counter: counterID, Site: "IDCGK",
		Log: slog.New(slog.DiscardHandler)}
	r, err := c.Sync(s.t.Context(), from)
	return r.Info, err
}

// finds tells whether the installed list has a record of the document, for a
// counter that holds nothing but its own key.
func (s *site) finds(number, expiry string) bool {
	s.t.Helper()
	id, err := s.key.Identity()
	if err != nil {
		s.t.Fatal(err)
	}
	l, err := cache.Open(s.t.Context(), s.path("state/placements.db"), cache.Access{Counter: counterID, Identities: []age.Identity{id}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	birth, _ := mrz.ParseDate("1994-03-07")
	until, _ := mrz.ParseDate(expiry)
	f, err := l.Find(s.t.Context(), mrz.Document{IssuingState: "IDN", DocumentNumber: number, DateOfBirth: birth, DateOfExpiry: until, Name: mrz.NewName("CONTOH", "MELATI")})
	if err != nil {
		s.t.Fatal(err)
	}
	return len(f.Records) == 1
}

func (s *site) copy(from, to string) {
	s.t.Helper()
	b, err := os.ReadFile(s.path(from))
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(to, string(b))
}

// Six offline keys on six machines, which see nothing but the files that they
// sign; then a root with other online keys.
func TestKeyCeremony(t *testing.T) {
	s := newSite(t)
	s.trustCounter()
	var pub [2][]string
	for i, role := range []string{"root", "targets"} {
		for _, n := range []string{"1", "2", "3"} {
			key := s.write("machine-"+role+n+"/x", "")
			key = filepath.Join(filepath.Dir(key), role+".jwk")
			s.must(0, "list", "keys", "make", key)
			s.must(1, "list", "keys", "make", key) // it is not overwritten
			pub[i] = append(pub[i], key+".pub")
		}
	}
	s.write("keys/list/x", "")
	s.must(0, "list", "keys", "make", s.path("keys/list/snapshot.jwk"))
	s.must(0, "list", "keys", "make", s.path("keys/list/timestamp.jwk"))
	root := s.path("1.root.json")
	s.must(1, "list", "root", "--root", pub[0][0], "--targets", pub[1][0], "-o", root) // one key is too few
	s.must(0, "list", "root", "--root", strings.Join(pub[0], ","), "--targets", strings.Join(pub[1], ","),
		"--snapshot", s.path("keys/list/snapshot.jwk.pub"), "--timestamp", s.path("keys/list/timestamp.jwk.pub"), "-o", root)
	s.must(0, "list", "sign", "--key", s.path("machine-root1/root.jwk"), root)
	s.must(0, "list", "sign", "--key", s.path("machine-root3/root.jwk"), root)
	s.copy("1.root.json", "keys/list/1.root.json")
	s.copy("1.root.json", "keys/list-root.json")

	source := s.write("p.jsonl", listed)
	list := s.path("list")
	_, said, code := s.hub("list", "build", "--cheap", "--keys", s.path("keys"), "--placements", source, "-o", list)
	if code != 0 || !strings.Contains(said, "next: sign") {
		t.Fatalf("exit %d: %s", code, said)
	}
	if _, said, code = s.hub("list", "publish", "--keys", s.path("keys"), list); code != 1 || !strings.Contains(said, "2 of the targets keys") {
		t.Errorf("an unsigned list was published: %d %s", code, said)
	}
	targets, err := filepath.Glob(filepath.Join(list, "metadata", "*.targets.json"))
	if err != nil || len(targets) != 1 {
		t.Fatal(targets, err)
	}
	s.must(0, "list", "sign", "--key", s.path("machine-targets2/targets.jwk"), targets[0])
	s.must(1, "list", "publish", "--keys", s.path("keys"), list)
	s.must(0, "list", "sign", "--key", s.path("machine-targets3/targets.jwk"), targets[0])
	s.must(0, "list", "publish", "--keys", s.path("keys"), "--to", s.path("www"), list)
	if _, err := s.fetch(s.path("www")); err != nil || !s.finds("ZZ0000101", "2031-11-23") {
		t.Fatal(err)
	}

	// Other online keys.
	for _, role := range []string{"snapshot", "timestamp"} {
		if err := os.Remove(s.path("keys/list/" + role + ".jwk")); err != nil {
			t.Fatal(err)
		}
		s.must(0, "list", "keys", "make", s.path("keys/list/"+role+"-2.jwk"))
	}
	if _, said, code = s.hub("list", "publish", "--keys", s.path("keys"), list); code != 1 || !strings.Contains(said, "not at hand") {
		t.Errorf("published with keys that the root does not name: %d %s", code, said)
	}
	s.must(0, "list", "root", "--from", root, "--snapshot", s.path("keys/list/snapshot-2.jwk.pub"), "--timestamp", s.path("keys/list/timestamp-2.jwk.pub"), "-o", s.path("keys/list/2.root.json"))
	s.must(0, "list", "sign", "--key", s.path("machine-root2/root.jwk"), s.path("keys/list/2.root.json"))
	s.must(0, "list", "sign", "--key", s.path("machine-root3/root.jwk"), s.path("keys/list/2.root.json"))
	s.must(0, "list", "publish", "--keys", s.path("keys"), "--to", s.path("www"), list)
	if _, err := s.fetch(s.path("www")); err != nil {
		t.Fatal(err)
	}
}

func (s *site) trustCounter() {
	s.t.Helper()
	b, err := s.key.Public().MarshalJWKS()
	if err != nil {
		s.t.Fatal(err)
	}
	s.must(0, "keys", "trust", "--keys", s.path("keys"), counterID, s.write("counter.pub.jwk", string(b)))
}

func TestListCommands(t *testing.T) {
	s := newSite(t)
	s.trustCounter()
	keys, list := s.path("keys"), s.path("list")
	if _, said, code := s.hub("list", "build", "--keys", keys, "-o", list); code != 1 || !strings.Contains(said, "list keys init") {
		t.Errorf("without keys: %d %s", code, said)
	}
	s.must(0, "list", "keys", "init", "--keys", keys)
	s.must(1, "list", "keys", "init", "--keys", keys)
	csv := s.write("p.csv", "placement_id,rev,status,destination,primary,secondary,date_of_birth,documents\nEX-1,1,siap,HKG,CONTOH,MELATI,1994-03-07,IDN ZZ0000101 2031-11-23\n")
	s.must(0, "list", "build", "--cheap", "--keys", keys, "--placements", csv, "-o", list)
	first, err := s.fetch(list)
	if err != nil || !s.finds("ZZ0000101", "2031-11-23") {
		t.Fatal(err)
	}

	// Everything that is wrong, and nothing built.
	bad := s.write("bad.jsonl", strings.Replace(listed, "siap", "ready", 1)+listed+"{\n")
	negatives := s.write("n.csv", "issuing_state,document_number,kind,until,contact\nIDN,ZZ1,lost,2031-01-01,\n")
	_, said, code := s.hub("list", "build", "--cheap", "--keys", keys, "--placements", bad, "-o", list)
	if code != 1 || !strings.Contains(said, "bad.jsonl:1:41: status") || !strings.Contains(said, "bad.jsonl:3:1:") || !strings.Contains(said, "nothing was built") {
		t.Errorf("exit %d: %s", code, said)
	}
	if _, said, code := s.hub("list", "build", "--cheap", "--keys", keys, "--negatives", negatives, "-o", list); code != 1 || !strings.Contains(said, "n.csv:2:25: contact") {
		t.Errorf("exit %d: %s", code, said)
	}
	if again, err := s.fetch(list); err != nil || again.Version != first.Version {
		t.Errorf("after faults: %+v, %v", again, err)
	}

	// Changes, a cleared passport, officers, rules.
	changes := s.write("c.jsonl", strings.Replace(strings.Replace(listed, "EX-1", "EX-2", 1), "ZZ0000101", "ZZ0000102", 1)+listed)
	cleared := s.write("cleared.jsonl", `{"placement_id":"EX-1","issuing_state":"IDN","document_number":"ZZ7","date_of_expiry":"2036-01-01"}`)
	officers := s.write("o.csv", "site,officer_id,name,pin_hash\nIDCGK,7,Sari,$argon2id$v=19$m=8\n")
	counters := s.write("counters.csv", "counter,site\n"+counterID+",IDCGK\n")
	rules := s.write("rules.json", `{"format":"lintas-rules/1","version":9,"time":"2026-11-20T00:00:00Z","rules":[],"closed":[]}`)
	faulty := s.write("faulty.json", `{"format":"lintas-rules/1","version":9,"time":"2026-11-20T00:00:00Z","rules":[{"id":"R01","when":"sex == 'F'"}]}`)
	if _, said, code := s.hub("list", "build", "--cheap", "--keys", keys, "--rules", faulty, "-o", list); code != 1 || !strings.Contains(said, "nothing was built") || !strings.Contains(said, "R01") {
		t.Errorf("faulty rules: exit %d: %s", code, said)
	}
	s.must(64, "list", "build", "--keys", keys, "--officers", officers, "-o", list)
	s.must(64, "list", "build", "--keys", keys, "--placements", csv, "--changes", changes, "-o", list)
	s.must(64, "list", "build", "--keys", keys, "--postgres", "postgres://x", "-o", list)
	s.must(0, "list", "build", "--cheap", "--keys", keys, "--changes", changes, "--cleared", cleared, "--officers", officers, "--counters", counters, "--rules", rules, "-o", list)
	info, err := s.fetch(list)
	if err != nil || info.Base != first.Version || info.RulesVersion != 9 || !s.finds("ZZ0000102", "2031-11-23") || !s.finds("ZZ7", "2036-01-01") {
		t.Errorf("%+v, %v", info, err)
	}

	// The next list key, announced, then used.
	s.must(1, "list", "keys", "switch", "--keys", keys)
	s.must(0, "list", "keys", "next", "--keys", keys)
	s.must(1, "list", "keys", "next", "--keys", keys)
	s.must(0, "list", "build", "--cheap", "--keys", keys, "-o", list)
	s.must(0, "list", "keys", "switch", "--keys", keys)
	if _, said, code := s.hub("list", "build", "--cheap", "--keys", keys, "-o", list); code != 1 || !strings.Contains(said, "give all placements") {
		t.Errorf("a new key without placements: %d %s", code, said)
	}
	none := s.write("none.jsonl", "")
	s.must(0, "list", "build", "--cheap", "--keys", keys, "--placements", csv, "--negatives", none, "-o", list)
	rotated, err := s.fetch(list)
	if err != nil || rotated.KeyID == info.KeyID || !s.finds("ZZ0000101", "2031-11-23") {
		t.Errorf("%+v, %v", rotated, err)
	}
	var shown shownList
	if err := json.Unmarshal([]byte(s.must(0, "list", "show", "--json", list)), &shown); err != nil || !shown.Signed || shown.Version != rotated.Version {
		t.Errorf("%+v, %v", shown, err)
	}
	s.must(1, "list", "show", s.path("nowhere"))
	if strings.Contains(said, "CONTOH") || strings.Contains(said, "ZZ0") {
		t.Errorf("a fault names somebody: %s", said)
	}
}

// A list that was signed some days ago is as old as that.
func TestListTime(t *testing.T) {
	s := newSite(t)
	s.must(0, "list", "keys", "init", "--keys", s.path("keys"))
	source := s.write("p.jsonl", listed)
	six := time.Now().Add(-6 * 24 * time.Hour).Truncate(time.Second)
	s.must(64, "list", "build", "--keys", s.path("keys"), "--placements", source, "--time", "yesterday", "-o", s.path("list"))
	s.must(0, "list", "build", "--cheap", "--keys", s.path("keys"), "--placements", source, "--time", six.Format(time.RFC3339), "-o", s.path("list"))
	if info, err := s.fetch(s.path("list")); err != nil || !info.Time.Equal(six) {
		t.Errorf("%v, want %v: %v", info.Time, six, err)
	}
	s.must(0, "list", "publish", "--keys", s.path("keys"), s.path("list"))
	if info, err := s.fetch(s.path("list")); err != nil || time.Since(info.Time) > time.Minute {
		t.Errorf("dated anew: %v, %v", info.Time, err)
	}
}

// What the timer runs keeps a list young, says when people must sign, and puts
// a new list out once it is signed.
func TestPublishedByTheTimer(t *testing.T) {
	s := newSite(t)
	s.trustCounter()
	s.must(0, "list", "keys", "init", "--keys", s.path("keys"))
	source := s.write("p.jsonl", listed)
	old := time.Now().AddDate(0, 0, -80)
	s.must(0, "list", "build", "--cheap", "--keys", s.path("keys"), "--placements", source, "--time", old.Format(time.RFC3339), "-o", s.path("list"))
	unit, err := configs.System.ReadFile("lintas-hub-list.service")
	if err != nil {
		t.Fatal(err)
	}
	run := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/lintas-hub (.*)$`).FindSubmatch(unit)
	if run == nil {
		t.Fatal("the unit runs something else")
	}
	line := strings.Replace(string(run[1]), "$LINTAS_LIST", "--keys "+s.path("keys")+" --to "+s.path("www"), 1)
	line = strings.Replace(line, "/var/lib/lintas-hub/list", s.path("list"), 1)
	timer := func() (said string, code int) {
		_, said, code = s.hub(strings.Fields(line)...)
		return said, code
	}
	if said, code := timer(); code != 2 || !strings.Contains(said, "targets metadata expires on "+old.AddDate(0, 0, 90).UTC().Format(time.DateOnly)) {
		t.Fatalf("exit %d: %s", code, said)
	}
	first, err := s.fetch(s.path("www"))
	if err != nil || time.Since(first.Time) > time.Minute {
		t.Fatalf("%+v, %v", first, err)
	}
	// A list is built where the offline keys are not.
	if err := os.Mkdir(s.path("safe"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"1", "2", "3"} {
		if err := os.Rename(s.path("keys/list/targets-"+n+".jwk"), s.path("safe/"+n)); err != nil {
			t.Fatal(err)
		}
	}
	s.must(0, "list", "build", "--cheap", "--keys", s.path("keys"), "-o", s.path("list"))
	if said, code := timer(); code != 2 || !strings.Contains(said, "a newer list is not published yet") {
		t.Errorf("exit %d: %s", code, said)
	}
	if info, err := s.fetch(s.path("www")); err != nil || info.Version != first.Version {
		t.Errorf("%+v, %v", info, err)
	}
	targets, err := filepath.Glob(s.path("list/metadata/*.targets.json"))
	if err != nil || len(targets) != 2 {
		t.Fatal(targets, err)
	}
	s.must(0, "list", "sign", "--key", s.path("safe/2"), targets[1])
	s.must(0, "list", "sign", "--key", s.path("safe/3"), targets[1])
	if said, code := timer(); code != 0 {
		t.Errorf("exit %d: %s", code, said)
	}
	if info, err := s.fetch(s.path("www")); err != nil || info.Version <= first.Version {
		t.Errorf("%+v, %v", info, err)
	}
}
