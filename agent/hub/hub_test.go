package hub_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"lintas/agent/crossing"
	"lintas/agent/e2e/servers"
	"lintas/agent/hub"
	"lintas/queue"
	"lintas/queue/sqlite"
)

const counterID = "CGK-T3-D07"

// place is a hub's folder and one counter that it trusts.
type place struct {
	keys   *hub.KeyRing
	dir    string
	db     string // the ledger: a file or a URL
	ledger *hub.Ledger
	knife  *sql.DB // into the ledger; see tamper
	*sender
}

// sender is a counter: a key and a queue.
type sender struct {
	t        *testing.T
	id       string
	key      crossing.PrivateKey
	queue    *sqlite.Queue
	recorder *crossing.Recorder
}

func newSender(t *testing.T, id, recipients string) *sender {
	t.Helper()
	dir := t.TempDir()
	key, _, err := crossing.LoadOrCreatePrivateKey(filepath.Join(dir, "counter.jwk"))
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := crossing.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	q, err := sqlite.OpenQueue(t.Context(), filepath.Join(dir, "queue.db"), sqlite.Options{Seal: sealer.Seal, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	r, err := age.ParseRecipients(strings.NewReader(recipients))
	if err != nil {
		t.Fatal(err)
	}
	return &sender{t: t, id: id, key: key, queue: q, recorder: &crossing.Recorder{
		Counter: id, Encrypter: crossing.NewEncrypter(r...), Queue: q,
		Stamp: func() crossing.Stamp { return crossing.Stamp{OccurredAt: crossing.TimeOf(time.Now()), BootID: "b"} },
	}}
}

// events records n events and returns all sealed ones from the first of them.
func (s *sender) events(n int) (sealed [][]byte) {
	s.t.Helper()
	from := s.queue.Head().Sequence + 1
	for range n {
		if _, err := s.recorder.Record(context.Background(), crossing.NewID(), crossing.AgentStopped, &crossing.Stopped{Reason: "signal"}, nil); err != nil {
			s.t.Fatal(err)
		}
	}
	for e, err := range s.queue.Events(context.Background(), from) {
		if err != nil {
			s.t.Fatal(err)
		}
		sealed = append(sealed, e.Sealed)
	}
	return sealed
}

// storage is where a ledger is kept.
type storage int

const (
	inFile storage = iota
	inPostgres
)

// eachStore runs a test over a SQLite file and over PostgreSQL.
func eachStore(t *testing.T, test func(*testing.T, storage)) {
	t.Run("sqlite", func(t *testing.T) { test(t, inFile) })
	t.Run("postgres", func(t *testing.T) { test(t, inPostgres) })
}

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

func newPlace(t *testing.T, at storage) *place {
	t.Helper()
	dir := t.TempDir()
	if err := hub.InitKeys(dir); err != nil {
		t.Fatal(err)
	}
	recipients, err := os.ReadFile(filepath.Join(dir, hub.FileRecipients))
	if err != nil {
		t.Fatal(err)
	}
	p := &place{dir: dir, keys: hub.NewKeyRing(dir), sender: newSender(t, counterID, string(recipients))}
	p.trust(p.sender)
	if p.db = filepath.Join(dir, "ledger.db"); at == inPostgres {
		p.db = servers.Schema(t)
	}
	p.open()
	t.Cleanup(func() { p.ledger.Close() })
	return p
}

func (p *place) open() {
	p.t.Helper()
	var err error
	if p.ledger, err = hub.OpenLedger(p.t.Context(), p.db); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) trust(s *sender) {
	p.t.Helper()
	jwks, err := s.key.Public().MarshalJWKS()
	if err != nil {
		p.t.Fatal(err)
	}
	trustIn(p.t, p.keys, s.id, jwks)
}

func trustIn(t *testing.T, ring *hub.KeyRing, counter string, jwks []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.jwk")
	if err := os.WriteFile(path, jwks, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ring.Trust(counter, path); err != nil {
		t.Fatal(err)
	}
}

func (p *place) ingest(sealed ...[]byte) hub.Result {
	p.t.Helper()
	var d []hub.Delivery
	for _, b := range sealed {
		d = append(d, hub.Delivery{Counter: p.id, Sealed: b})
	}
	r, err := p.ledger.Ingest(p.t.Context(), p.keys, d)
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// ack gives the counter's acknowledgement as the counter's queue takes it.
func (p *place) ack() (crossing.Ack, error) {
	p.t.Helper()
	a, err := p.ledger.Ack(p.t.Context(), p.id)
	if err != nil {
		p.t.Fatal(err)
	}
	key, err := crossing.LoadPrivateKey(filepath.Join(p.dir, hub.FileAckKey))
	if err != nil {
		p.t.Fatal(err)
	}
	signer, err := crossing.NewAckSigner(key)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(a)
	if err != nil {
		p.t.Fatal(err)
	}
	keys, err := crossing.LoadKeys(filepath.Join(p.dir, hub.FileAckKeys))
	if err != nil {
		p.t.Fatal(err)
	}
	_, q, err := crossing.OpenAck(signed, p.id, keys)
	if err != nil {
		p.t.Fatal(err)
	}
	return a, p.queue.Acknowledge(p.t.Context(), q)
}

func (p *place) count() (n int) {
	p.t.Helper()
	for _, err := range p.ledger.Entries(p.t.Context()) {
		if err != nil {
			p.t.Fatal(err)
		}
		n++
	}
	return n
}

func TestIngestOnce(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		e := p.events(5)
		if r := p.ingest(e[0], e[1], e[1], e[0]); r.Stored != 2 || r.Duplicates != 2 || len(r.Counters) != 1 {
			t.Fatalf("%+v", r)
		}
		if r := p.ingest(e[3], e[4]); r.Early != 2 || r.Stored != 0 || len(r.Counters) != 1 {
			t.Fatalf("after a gap: %+v", r)
		}
		if _, err := p.ack(); err != nil || p.queue.Acknowledged() != 2 {
			t.Fatalf("acknowledged %d, %v", p.queue.Acknowledged(), err)
		}
		if r := p.ingest(e...); r.Stored != 3 || r.Duplicates != 2 {
			t.Fatalf("sent again: %+v", r)
		}
		if _, err := p.ack(); err != nil || p.queue.Acknowledged() != 5 || p.count() != 5 {
			t.Fatalf("acknowledged %d, stored %d, %v", p.queue.Acknowledged(), p.count(), err)
		}
		if n, err := p.ledger.Verify(t.Context(), p.keys); err != nil || n != (hub.Whole{Events: 5}) {
			t.Fatalf("verified %+v, %v", n, err)
		}
	})
}

func TestKeptAside(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		recipients, err := os.ReadFile(filepath.Join(p.dir, hub.FileRecipients))
		if err != nil {
			t.Fatal(err)
		}
		e := p.events(2)
		stranger := newSender(t, counterID, string(recipients)) // the same name, another key
		neighbour := newSender(t, "CGK-T3-D08", string(recipients))
		p.trust(neighbour)
		twin := &sender{t: t, id: p.id, key: p.key} // the counter's key over a second history
		sealer, err := crossing.NewSealer(p.key)
		if err != nil {
			t.Fatal(err)
		}
		// The second history has the first one's epoch: the disk was copied.
		twin.queue, err = sqlite.OpenQueue(t.Context(), filepath.Join(t.TempDir(), "queue.db"), sqlite.Options{Reserve: -1, Seal: func(at queue.Position, m queue.Message) ([]byte, error) {
			at.Epoch = p.queue.Head().Epoch
			return sealer.Seal(at, m)
		}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { twin.queue.Close() })
		twin.recorder = &crossing.Recorder{Counter: p.id, Encrypter: p.recorder.Encrypter, Queue: twin.queue, Stamp: p.recorder.Stamp}
		forked := twin.events(3)
		garbage := make([]byte, 500)
		rand.Read(garbage)

		p.ingest(e...)
		for _, c := range []struct {
			name    string
			counter string
			sealed  []byte
			reason  string
		}{
			{"unknown key", p.id, stranger.events(1)[0], hub.AsideKey},
			{"another counter's event", p.id, neighbour.events(1)[0], hub.AsideKey},
			{"a counter nobody trusts", "XXX-1", e[0], hub.AsideKey},
			{"a type that no database takes", p.id, p.tape(7, p.key).record("a\x00b", &crossing.Stopped{}), hub.AsideUnreadable},
			{"a topic that names nobody", "", e[0], hub.AsideTopic},
			{"garbage", p.id, garbage, hub.AsideUnreadable},
			{"empty", p.id, []byte{}, hub.AsideUnreadable},
			{"huge", p.id, bytes.Repeat([]byte("A"), crossing.MaxSealed+1), hub.AsideUnreadable},
			{"another event at the same place", p.id, forked[0], hub.AsideEquivocation},
			{"a chain that does not fit", p.id, forked[2], hub.AsideChain},
		} {
			t.Run(c.name, func(t *testing.T) {
				for range 2 { // a second time, it is kept once
					r, err := p.ledger.Ingest(t.Context(), p.keys, []hub.Delivery{{Counter: c.counter, Sealed: c.sealed}})
					if err != nil {
						t.Fatal(err)
					}
					if len(r.Aside) != 1 || r.Aside[0].Reason != c.reason || r.Stored != 0 {
						t.Fatalf("%+v, want aside: %s", r, c.reason)
					}
				}
			})
		}
		count, err := p.ledger.AsideCount(t.Context())
		if err != nil || count[hub.AsideKey] != 3 || count[hub.AsideUnreadable] != 4 {
			t.Errorf("kept aside: %v, %v", count, err)
		}
		if p.count() != 2 {
			t.Errorf("the ledger holds %d events", p.count())
		}
		// None of it keeps the counter's own events out.
		if r := p.ingest(p.events(1)...); r.Stored != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// Nobody can fill the hub's disk with what is not accepted.
func TestAsideIsBounded(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		var d []hub.Delivery
		for n := range 3000 {
			d = append(d, hub.Delivery{Counter: p.id, Sealed: fmt.Appendf(nil, "junk %d", n)})
		}
		d = append(d, hub.Delivery{Counter: strings.Repeat("x", 1<<20), Sealed: []byte("y")},
			hub.Delivery{Counter: p.id, Sealed: bytes.Repeat([]byte("A"), 8<<20)})
		r, err := p.ledger.Ingest(t.Context(), p.keys, d)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 50 { // whoever can publish can invent names
			for m := range 100 {
				d = append(d, hub.Delivery{Counter: fmt.Sprintf("NOBODY-%d", n), Sealed: fmt.Appendf(nil, "junk %d %d", n, m)})
			}
		}
		if r, err = p.ledger.Ingest(t.Context(), p.keys, d); err != nil {
			t.Fatal(err)
		}
		if last := r.Aside[3000]; last.Counter != "" {
			t.Error("a counter's name was taken from the topic as it came")
		}
		count, err := p.ledger.AsideCount(t.Context())
		if err != nil || count[hub.AsideUnreadable] != 2000 { // 1000 of the counter, 1000 of all who are nobody
			t.Errorf("kept aside: %v, %v", count, err)
		}
		if st, err := os.Stat(p.db + "-wal"); at == inFile && (err != nil || st.Size() > 4<<20) {
			t.Errorf("the ledger grew to %d bytes, %v", st.Size(), err)
		}
	})
}

// Whatever is taken out of the ledger is found, the end of a chain too.
func TestVerifyFindsWhatIsGone(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		for name, statement := range map[string]string{
			"the end":       "DELETE FROM event WHERE sequence > 3",
			"the middle":    "DELETE FROM event WHERE sequence = 3",
			"the beginning": "DELETE FROM event WHERE sequence = 1",
			"everything":    "DELETE FROM event",
		} {
			t.Run(name, func(t *testing.T) {
				p := newPlace(t, at)
				p.ingest(p.events(5)...)
				p.tamper(statement)
				if n, err := p.ledger.Verify(t.Context(), p.keys); err == nil {
					t.Errorf("%+v, and nothing is missed", n)
				}
			})
		}
	})
}

func TestAckTimeOnlyGrows(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		p.ingest(p.events(1)...)
		var last time.Time
		for range 200 {
			a, err := p.ack()
			if err != nil {
				t.Fatal(err)
			}
			if !a.Time.After(last) {
				t.Fatalf("%s after %s", a.Time, last)
			}
			last = a.Time.Time
		}
	})
}

// A hub that is restored from a backup says so, and gets the rest again.
func TestRestoredHub(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		e := p.events(4)
		p.ingest(e[:2]...)
		if _, err := p.ack(); err != nil {
			t.Fatal(err)
		}
		p.ledger.Close()
		restore := p.backup()
		p.open()
		p.ingest(e[2:]...)
		if _, err := p.ack(); err != nil || p.queue.Acknowledged() != 4 {
			t.Fatal(p.queue.Acknowledged(), err)
		}
		p.ledger.Close()
		restore()
		p.open()
		if _, err := p.ack(); err != nil || p.queue.Acknowledged() != 2 {
			t.Fatalf("acknowledged %d, %v", p.queue.Acknowledged(), err)
		}
		again, err := p.queue.Lease(t.Context(), 10)
		if err != nil || len(again) != 2 || again[0].Sequence != 3 {
			t.Fatalf("%d events are sent again, %v", len(again), err)
		}
	})
}

// backup copies the ledger, which is closed; what it returns restores it.
func (p *place) backup() (restore func()) {
	p.t.Helper()
	if strings.HasPrefix(p.db, "postgres:") {
		return servers.Dump(p.t, p.db)
	}
	copied := filepath.Join(p.t.TempDir(), "ledger.db")
	copyFile(p.t, p.db, copied)
	return func() { copyFile(p.t, copied, p.db) }
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestInitKeysKeepsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	if err := hub.InitKeys(dir); err != nil {
		t.Fatal(err)
	}
	read := func() string {
		var all []string
		for _, name := range []string{hub.FileAckKey, hub.FileAckKeys, hub.FileIdentity, hub.FileRecipients, hub.FileListKey} {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			st, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if secret := name != hub.FileAckKeys && name != hub.FileRecipients; secret && st.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %v", name, st.Mode())
			}
			all = append(all, string(b))
		}
		return fmt.Sprint(all)
	}
	before := read()
	if err := hub.InitKeys(dir); err != nil {
		t.Fatal(err)
	}
	if read() != before {
		t.Error("a second init changed the keys")
	}
	if ids, err := hub.Identities(dir); err != nil || len(ids) != 1 {
		t.Errorf("%d identities, %v", len(ids), err)
	}
}

// A record can be opened by the hub, and says what was recorded.
func TestShow(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		id := crossing.NewID()
		if _, err := p.recorder.Record(t.Context(), id, crossing.AgentStopped, &crossing.Stopped{Reason: "why"}, nil); err != nil {
			t.Fatal(err)
		}
		for e, err := range p.queue.Events(t.Context(), 1) {
			if err != nil {
				t.Fatal(err)
			}
			p.ingest(e.Sealed)
		}
		found, err := p.ledger.Sealed(t.Context(), id)
		if err != nil || len(found) != 1 || found[0].Counter != p.id {
			t.Fatal(found, err)
		}
		s, err := p.keys.Open(p.id, found[0].Sealed)
		if err != nil {
			t.Fatal(err)
		}
		identities, err := hub.Identities(p.dir)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := s.Decrypt(identities...)
		if err != nil {
			t.Fatal(err)
		}
		var rec struct{ Reason string }
		if err := json.Unmarshal(plain, &rec); err != nil || rec.Reason != "why" {
			t.Errorf("%s, %v", plain, err)
		}
		if _, err := p.ledger.Sealed(t.Context(), crossing.NewID()); err == nil {
			t.Error("an event was found that is not there")
		}
	})
}

// What is acknowledged must survive a power cut of the hub's machine: every
// commit of the ledger is on the disk when it returns, as in the counters'
// queues.
func TestLedgerIsDurable(t *testing.T) {
	p := newPlace(t, inFile)
	if mode, sync := p.ledger.Pragma(t, "journal_mode"), p.ledger.Pragma(t, "synchronous"); mode != "wal" || sync != "2" {
		t.Errorf("journal_mode %s, synchronous %s", mode, sync)
	}
}
