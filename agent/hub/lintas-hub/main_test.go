package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lintas/agent/command"
	"lintas/agent/crossing"
	"lintas/agent/e2e/servers"
	"lintas/queue"
)

const counterID = "CGK-T3-D07"

// site is a folder with a hub's keys, its ledger, and a counter's chain.
type site struct {
	t        *testing.T
	dir      string
	key      crossing.PrivateKey
	sealer   *crossing.Sealer
	recorder *crossing.Recorder
	head     queue.Head
	sealed   [][]byte
}

// hub runs a command line and returns what it printed and its exit code.
func (s *site) hub(args ...string) (stdout, stderr string, code int) {
	s.t.Helper()
	var out, errs bytes.Buffer
	env := command.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Getenv: func(string) string { return "" }}
	code = command.Run(s.t.Context(), env, "lintas-hub", "", commands(), args)
	return out.String(), errs.String(), code
}

// must runs a command line of which the exit code is known.
func (s *site) must(code int, args ...string) string {
	s.t.Helper()
	out, errs, got := s.hub(args...)
	if got != code {
		s.t.Fatalf("lintas-hub %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, errs)
	}
	return out
}

func newSite(t *testing.T, init ...string) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir()}
	s.must(0, append([]string{"keys", "init", "--keys", s.path("keys")}, init...)...)
	var err error
	if s.key, _, err = crossing.LoadOrCreatePrivateKey(s.path("counter.jwk")); err != nil {
		t.Fatal(err)
	}
	if s.sealer, err = crossing.NewSealer(s.key); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.path("keys/recipients.txt"))
	if err != nil {
		t.Fatal(err)
	}
	recipients, err := crossing.ParseRecipients(string(text))
	if err != nil {
		t.Fatal(err)
	}
	s.recorder = &crossing.Recorder{Counter: counterID, Encrypter: crossing.NewEncrypter(recipients...), Queue: s, Stamp: func() crossing.Stamp {
		return crossing.Stamp{OccurredAt: crossing.TimeOf(time.Now()), BootID: "b", ClockState: "ntp"}
	}}
	s.must(0, "keys", "trust", "--keys", s.path("keys"), counterID, s.path("counter.jwk"))
	s.events(6)
	return s
}

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

// path is a file of the site. A database's address stays as it is.
func (s *site) path(name string) string {
	if strings.HasPrefix(name, "postgres:") {
		return name
	}
	return filepath.Join(s.dir, filepath.FromSlash(name))
}

func (s *site) Put(_ context.Context, m queue.Message, _ []byte) (queue.Receipt, error) {
	b, err := s.sealer.Seal(queue.Position{Epoch: s.head.Epoch, Sequence: s.head.Sequence + 1, Prev: s.head.Hash}, m)
	s.sealed = append(s.sealed, b)
	s.head.Sequence, s.head.Hash = s.head.Sequence+1, sha256.Sum256(b)
	return queue.Receipt{}, err
}

func (s *site) events(n int) {
	s.t.Helper()
	for range n {
		if _, err := s.recorder.Record(s.t.Context(), crossing.NewID(), crossing.AgentStopped, &crossing.Stopped{Reason: "signal"}, nil); err != nil {
			s.t.Fatal(err)
		}
	}
}

// export writes a file as lintas queue export does.
func (s *site) export(lines ...[]byte) string {
	s.t.Helper()
	path := s.path("events.jsonl")
	if err := os.WriteFile(path, append(bytes.Join(lines, []byte("\n")), '\n'), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// take imports lines into a ledger.
func (s *site) take(db string, lines ...[]byte) (r imported, code int) {
	s.t.Helper()
	out, errs, code := s.hub("ledger", "import", "--json", "--db", s.path(db), "--keys", s.path("keys"), s.export(lines...))
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		s.t.Fatalf("%v\n%s%s", err, out, errs)
	}
	return r, code
}

// "lintas-hub ledger import takes it and writes an ack file that lintas queue
// ack FILE accepts": a signed acknowledgement a line, one for each counter.
func TestImportWritesAnAckFile(t *testing.T) {
	s := newSite(t)
	other := *s
	other.sealed, other.head = nil, queue.Head{Epoch: queue.Epoch{2}}
	rec := *s.recorder
	rec.Counter, rec.Queue = "SUB-T2-A01", &other
	other.recorder = &rec
	other.events(2)
	s.must(0, "keys", "trust", "--keys", s.path("keys"), "SUB-T2-A01", s.path("counter.jwk"))

	r, code := s.take("ledger.db", append(append([][]byte{}, s.sealed...), other.sealed...)...)
	if code != 0 || r.Stored != 8 || r.FirstBad != nil || r.Ack != s.path("events.jsonl.ack") {
		t.Fatalf("%+v, exit %d", r, code)
	}
	text, err := os.ReadFile(r.Ack)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := crossing.LoadKeys(s.path("keys/ack.jwks"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	if len(lines) != 2 {
		t.Fatalf("%d lines", len(lines))
	}
	for i, want := range []struct {
		counter string
		head    queue.Head
	}{{counterID, s.head}, {"SUB-T2-A01", other.head}} {
		_, q, err := crossing.OpenAck(lines[i], want.counter, keys)
		if err != nil || len(q.Epochs) != 1 || q.Epochs[0] != (queue.EpochAck{Epoch: want.head.Epoch, Through: want.head.Sequence, Head: want.head.Hash}) {
			t.Errorf("%+v, %v", q, err)
		}
	}
	// Any number of times, and each answer is newer than the one before.
	if r, code := s.take("ledger.db", s.sealed...); code != 0 || r.Duplicates != 6 || r.Stored != 0 {
		t.Errorf("%+v, exit %d", r, code)
	}
	again, err := os.ReadFile(s.path("events.jsonl.ack"))
	if err != nil || bytes.Equal(again, text) {
		t.Errorf("the second answer is the first, %v", err)
	}
	// A hub whose signing key is elsewhere says so and keeps what it took.
	if err := os.Rename(s.path("keys/ack.jwk"), s.path("ack.jwk")); err != nil {
		t.Fatal(err)
	}
	if r, code := s.take("second.db", s.sealed...); code != 2 || r.Stored != 6 || r.Ack != "" {
		t.Errorf("%+v, exit %d", r, code)
	}
	s.must(0, "ledger", "verify", "--db", s.path("second.db"), "--keys", s.path("keys"))
}

// Whatever happens to a file on its way, import stores what is whole, names
// the first bad sequence, and confirms no more than it stored.
func TestImportNamesTheFirstBadSequence(t *testing.T) {
	s := newSite(t)
	n := 0
	try := func(what string, want uint64, lines ...[]byte) {
		t.Helper()
		n++
		r, code := s.take(fmt.Sprintf("%d.db", n), lines...) // a ledger of its own
		if code != 2 || r.FirstBad == nil || r.FirstBad.Sequence != want || r.FirstBad.Counter != counterID {
			t.Fatalf("%s: %+v, first bad %+v, exit %d; want %d", what, r, r.FirstBad, code, want)
		}
	}
	e := s.sealed
	for i := range e {
		at := uint64(i + 1)
		for b := i * 11; b < len(e[i]); b += 97 {
			lines := append([][]byte{}, e...)
			lines[i] = bytes.Clone(e[i])
			lines[i][b] ^= 1 << (b % 6)
			try("a byte", at, lines...)
		}
		if i+1 == len(e) {
			continue
		}
		try("a line removed", at, append(append([][]byte{}, e[:i]...), e[i+1:]...)...)
		lines := append([][]byte{}, e...)
		lines[i], lines[i+1] = lines[i+1], lines[i]
		try("lines swapped", at, lines...)
		lines[i] = append(append(bytes.Clone(e[i]), ' '), e[i+1]...) // a line end lost
		lines = append(lines[:i+1], e[i+2:]...)
		try("lines joined", at, lines...)
	}
	// What is there twice is stored once; what is cut off is just not there.
	if r, code := s.take("twice.db", e[0], e[1], e[1], e[2], e[0]); code != 0 || r.Stored != 3 || r.Duplicates != 2 {
		t.Errorf("%+v, exit %d", r, code)
	}
	if r, code := s.take("twice.db", e[:1]...); code != 0 || r.Duplicates != 1 {
		t.Errorf("%+v, exit %d", r, code)
	}
	if r, code := s.take("twice.db", []byte("nothing of ours")); code != 2 || r.FirstBad == nil || r.FirstBad.Sequence != 0 || r.Ack != "" {
		t.Errorf("%+v, exit %d", r, code)
	}
}

// What only a tombstone told of is owed until an export brings it.
func TestImportBringsWhatIsOwed(t *testing.T) {
	s := newSite(t)
	stone, err := s.sealer.Tombstone(s.sealed[1])
	if err != nil {
		t.Fatal(err)
	}
	db := []string{"--db", s.path("ledger.db")}
	withKeys := append([]string{"--keys", s.path("keys")}, db...)
	if r, code := s.take("ledger.db", s.sealed[0], stone, s.sealed[2]); code != 0 || r.Stored != 2 || r.Owed != 1 {
		t.Fatalf("%+v, exit %d", r, code)
	}
	if out := s.must(0, append([]string{"ledger", "verify"}, withKeys...)...); !strings.Contains(out, "2 events, every chain whole\n1 bodies owed") {
		t.Error(out)
	}
	if out := s.must(0, append([]string{"ledger", "verify", "--json"}, withKeys...)...); !strings.Contains(out, `"owed":1`) || !strings.Contains(out, `"whole":true`) {
		t.Error(out)
	}
	if out := s.must(0, append([]string{"ledger", "ls"}, db...)...); strings.Count(out, "\n") != 3 || !strings.Contains(out, "owed") {
		t.Error(out)
	}
	second, err := crossing.Open(s.sealed[1], s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	s.must(1, append(append([]string{"ledger", "show"}, withKeys...), second.ID)...)
	if r, code := s.take("ledger.db", s.sealed...); code != 0 || r.Stored != 4 || r.Duplicates != 2 {
		t.Errorf("%+v, exit %d", r, code)
	}
	if out := s.must(0, append(append([]string{"ledger", "show"}, withKeys...), second.ID)...); !strings.Contains(out, `"reason":"signal"`) {
		t.Error(out)
	}
	if out := s.must(0, append([]string{"ledger", "verify"}, withKeys...)...); !strings.HasPrefix(out, "6 events") || strings.Contains(out, "owed") {
		t.Error(out)
	}
}

// A break in the ledger is told to programs too.
func TestVerifySaysWhere(t *testing.T) {
	s := newSite(t)
	s.take("ledger.db", s.sealed...)
	if err := os.Remove(s.path("keys/counters/" + counterID + ".jwk")); err != nil { // nobody can vouch for it any more
		t.Fatal(err)
	}
	out := s.must(1, "ledger", "verify", "--json", "--db", s.path("ledger.db"), "--keys", s.path("keys"))
	var v struct {
		Whole    bool
		Counter  string
		Sequence uint64 `json:"first_bad_sequence"`
		Reason   string
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || v.Whole || v.Counter != counterID || v.Sequence != 1 || v.Reason == "" {
		t.Errorf("%s, %v", out, err)
	}
}

// keys init --pq makes recipients that withstand a quantum computer, of one
// kind with what is there.
func TestPostQuantumKeys(t *testing.T) {
	s := newSite(t, "--pq")
	text, err := os.ReadFile(s.path("keys/recipients.txt"))
	if err != nil || !strings.HasPrefix(string(text), "age1pq1") || strings.Count(string(text), "\n") != 1 {
		t.Fatalf("%.20s…, %v", text, err)
	}
	s.take("ledger.db", s.sealed...)
	event, err := crossing.Open(s.sealed[0], s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if out := s.must(0, "ledger", "show", "--db", s.path("ledger.db"), "--keys", s.path("keys"), event.ID); !strings.Contains(out, "signal") {
		t.Error(out)
	}
	// Keys that are there stay.
	s.must(0, "keys", "init", "--keys", s.path("keys"))
	classic := newSite(t)
	classic.must(0, "keys", "init", "--pq", "--keys", classic.path("keys"))
	if text, err := os.ReadFile(classic.path("keys/recipients.txt")); err != nil || strings.HasPrefix(string(text), "age1pq1") {
		t.Errorf("%s, %v", text, err)
	}
}

// A counter is added by the key that it names itself, revoked, and what it sent
// then is decided on.
func TestCountersAndAside(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { countersAndAside(t, "ledger.db") })
	t.Run("postgres", func(t *testing.T) { countersAndAside(t, servers.Schema(t)) })
}

func countersAndAside(t *testing.T, ledger string) {
	s := newSite(t)
	where := []string{"--db", s.path(ledger), "--keys", s.path("keys")}
	hub := func(code int, args ...string) string {
		t.Helper()
		return s.must(code, append(args, where...)...)
	}
	if err := os.Remove(s.path("keys/counters/" + counterID + ".jwk")); err != nil {
		t.Fatal(err)
	}
	s.sealed, s.head = nil, queue.Head{}
	rec, err := crossing.RotatedTo(crossing.Place{}, "", s.key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.recorder.Record(t.Context(), crossing.NewID(), crossing.KeyRotated, rec, nil); err != nil {
		t.Fatal(err)
	}
	s.events(2)
	if r, code := s.take(ledger, s.sealed...); code != 2 || r.Aside["unknown-key"] != 3 {
		t.Fatalf("%+v, exit %d", r, code)
	}
	out := hub(0, "counters", "list", "--json")
	if out != "" {
		t.Errorf("a counter that nobody trusts is listed: %s", out)
	}
	if _, errs, code := s.hub(append([]string{"counters", "add", counterID}, where...)...); code != 1 || !strings.Contains(errs, s.key.ID) {
		t.Errorf("exit %d, %s", code, errs)
	}
	hub(1, "counters", "add", counterID, "--thumbprint", "another")
	if out := hub(0, "counters", "add", counterID, "--thumbprint", s.key.ID, "--json"); !strings.Contains(out, `"stored":3`) {
		t.Error(out)
	}
	hub(64, "counters", "revoke", counterID) // why?
	hub(64, "counters", "revoke", "no-counter", "--why", "x")
	hub(0, "counters", "revoke", counterID, "--why", "stolen")
	hub(1, "counters", "revoke", counterID, "--why", "stolen")
	s.events(2)
	s.take(ledger, s.sealed...)
	var standing struct {
		Trust   string
		Through int
		Online  *bool
		Aside   map[string]int
	}
	if err := json.Unmarshal([]byte(hub(0, "counters", "list", "--json")), &standing); err != nil || standing.Trust != "revoked" || standing.Through != 3 || standing.Online != nil || standing.Aside["revoked"] != 2 {
		t.Errorf("%+v, %v", standing, err)
	}
	db := where[:2]
	list := func(flags ...string) (numbers []string) {
		t.Helper()
		for line := range strings.Lines(s.must(0, append(append([]string{"ledger", "aside", "list", "--json"}, flags...), db...)...)) {
			var k struct {
				N      json.Number
				Reason string
			}
			if err := json.Unmarshal([]byte(line), &k); err != nil || k.Reason != "revoked" {
				t.Errorf("%s, %v", line, err)
			}
			numbers = append(numbers, string(k.N))
		}
		return numbers
	}
	n := list("--counter", counterID)
	if len(n) != 2 || len(list("--reason", "chain")) != 0 {
		t.Fatalf("%v", n)
	}
	hub(2, "ledger", "aside", "accept", n[1], "--why", "found") // the one before it first
	hub(0, "ledger", "aside", "accept", n[0], "--why", "found")
	hub(1, "ledger", "aside", "accept", n[0], "--why", "found")
	s.must(0, append([]string{"ledger", "aside", "reject", n[1], "--why", "not his"}, db...)...)
	if len(list()) != 0 || len(list("--all")) != 1 {
		t.Errorf("%v, %v", list(), list("--all"))
	}
	if out := hub(0, "ledger", "verify"); !strings.HasPrefix(out, "4 events") || strings.Contains(out, "aside") {
		t.Error(out)
	}
	if out := s.must(0, "ledger", "ls", "--db", s.path(ledger)); strings.Count(out, "\n") != 4 {
		t.Error(out)
	}
	event, err := crossing.Open(s.sealed[1], s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if out := hub(0, "ledger", "show", event.ID); !strings.Contains(out, `"reason":"signal"`) {
		t.Error(out)
	}
}
