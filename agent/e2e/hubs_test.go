package e2e_test

import (
	"context"
	"crypto/tls"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"
	_ "github.com/jackc/pgx/v5/stdlib"

	"lintas/agent/crossing"
	"lintas/agent/e2e/servers"
	"lintas/queue"
	"lintas/queue/mqtt"
	"lintas/queue/sqlite"
	"lintas/queue/uplink"
)

// headquarters is a broker as configs/mosquitto describes it, with the two
// authorities that it wants, and what hubs need.
type headquarters struct {
	*site
	counters, own *authority
	counterPort   int
	hubPort       int
	server        *servers.Postgres
	db            string
	sql           *sql.DB
}

func newHeadquarters(t *testing.T) *headquarters {
	t.Helper()
	h := &headquarters{site: &site{t: t, dir: t.TempDir(), logs: &log{}}, counterPort: freePort(t), hubPort: freePort(t)}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log("what the processes said:\n" + tail(h.logs.String(), 60))
		}
	})
	h.counters, h.own = &authority{s: h.site}, &authority{s: h.site}
	year := time.Now().AddDate(1, 0, 0)
	h.counters.issue("counters-ca", year)
	h.own.issue("headquarters-ca", year)
	for _, name := range []string{"broker", "lintas-hub", "lintas-list"} {
		h.own.issue(name, year)
	}
	h.startBroker()
	return h
}

// startBroker runs the sample, with this test's folder and ports in it.
func (h *headquarters) startBroker() {
	h.t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, "configs", "mosquitto", name))
		if err != nil {
			h.t.Fatal(err)
		}
		return string(text)
	}
	conf := read("lintas.conf")
	replace := func(n int, old, new string) {
		h.t.Helper()
		if strings.Count(conf, old) != n {
			h.t.Fatalf("the sample has %q %d times", old, strings.Count(conf, old))
		}
		conf = strings.ReplaceAll(conf, old, new)
	}
	replace(1, "\nlistener 8883\n", fmt.Sprintf("\nlistener %d 127.0.0.1\n", h.counterPort))
	replace(1, "\nlistener 8884\n", fmt.Sprintf("\nlistener %d 127.0.0.1\n", h.hubPort))
	replace(1, "/etc/mosquitto/conf.d/lintas.conf", "")
	replace(1, "persistence_location /var/lib/mosquitto/", "persistence_location "+h.dir+"/")
	conf = strings.ReplaceAll(conf, "/etc/mosquitto/lintas/", h.dir+"/")
	if err := os.WriteFile(h.path("acl"), []byte(read("acl")), 0o600); err != nil {
		h.t.Fatal(err)
	}
	servers.Mosquitto(h.t, h.hubPort, conf)
}

// withLedger adds a PostgreSQL of its own and the hubs' keys.
func (h *headquarters) withLedger() {
	h.t.Helper()
	h.server = servers.StartPostgres(h.t)
	h.db = h.server.Schema(h.t)
	db, err := sql.Open("pgx", h.db)
	if err != nil {
		h.t.Fatal(err)
	}
	h.sql = db
	h.t.Cleanup(func() { db.Close() })
	h.tool("lintas-hub", "keys", "init", "--keys", h.path("keys"))
}

// hub starts one of several hubs.
func (h *headquarters) hub() *process {
	h.t.Helper()
	return h.spawn(nil, filepath.Join(programs, "lintas-hub"), "run", "--db", h.db, "--keys", h.path("keys"),
		"--broker", fmt.Sprintf("tls://127.0.0.1:%d", h.hubPort), "--ca", h.path("headquarters-ca.pem"),
		"--certificate", h.path("lintas-hub.pem"), "--key", h.path("lintas-hub.key"))
}

// number asks the ledger.
func (h *headquarters) number(query string, args ...any) uint64 {
	h.t.Helper()
	n, err := h.ask(query, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

// ask asks the ledger, again while its server is not there: it is crashed, and
// connections from before are broken.
func (h *headquarters) ask(query string, args ...any) (n uint64, err error) {
	for limit := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		err = h.sql.QueryRow(query, args...).Scan(&n)
		if err == nil || time.Now().After(limit) {
			return n, err
		}
	}
}

// options are those of a counter's or a hub's connection.
func (h *headquarters) options(port int, name, id string) mqtt.Options {
	h.t.Helper()
	conf, err := mqtt.ClientTLS(h.path("headquarters-ca.pem"), h.path(name+".pem"), h.path(name+".key"))
	if err != nil {
		h.t.Fatal(err)
	}
	return mqtt.Options{URL: fmt.Sprintf("tls://127.0.0.1:%d", port), ClientID: id, TLS: conf}
}

// desk is a counter that records and delivers, without a screen.
type desk struct {
	h        *headquarters
	id       string
	queue    *sqlite.Queue
	recorder *crossing.Recorder
	uplink   *uplink.Uplink
	told     crossing.Ack // the newest acknowledgement
	mu       sync.Mutex   // guards told
}

// desk makes a counter that delivers over a connection, or over this broker.
func (h *headquarters) desk(id string, over func() (mqtt.Options, error)) *desk {
	t := h.t
	t.Helper()
	h.counters.issue(id, time.Now().AddDate(1, 0, 0))
	key, _, err := crossing.LoadOrCreatePrivateKey(h.path(id + ".jwk"))
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(err)
	h.tool("lintas-hub", "keys", "trust", "--keys", h.path("keys"), id, h.path(id+".jwk"))
	sealer, err := crossing.NewSealer(key)
	check(err)
	d := &desk{h: h, id: id}
	d.queue, err = sqlite.OpenQueue(t.Context(), h.path(id+".db"), sqlite.Options{Seal: sealer.Seal, Reserve: -1})
	check(err)
	t.Cleanup(func() { d.queue.Close() })
	recipients, err := os.Open(h.path("keys/recipients.txt"))
	check(err)
	defer recipients.Close()
	to, err := age.ParseRecipients(recipients)
	check(err)
	d.recorder = &crossing.Recorder{Counter: id, Encrypter: crossing.NewEncrypter(to...), Queue: d.queue,
		Stamp: func() crossing.Stamp { return crossing.Stamp{OccurredAt: crossing.TimeOf(time.Now()), BootID: "b"} }}
	keys, err := crossing.LoadKeys(h.path("keys/ack.jwks"))
	check(err)
	if over == nil {
		over = func() (mqtt.Options, error) { return h.options(h.counterPort, id, id), nil }
	}
	d.uplink = uplink.New(d.queue, uplink.Options{
		Connections: []func() (mqtt.Options, error){over},
		Topics:      uplink.Topics{Event: crossing.EventTopic(id), Ack: crossing.AckTopic(id), State: crossing.StateTopic(id)},
		Verify: func(p []byte) (queue.Acknowledgement, error) {
			a, q, err := crossing.OpenAck(p, id, keys)
			if err == nil {
				d.heard(a)
			}
			return q, err
		},
		Tombstone:  func(e queue.Event) ([]byte, error) { return sealer.Tombstone(e.Sealed) },
		State:      func(online bool) []byte { return crossing.State{Counter: id, Online: online}.Marshal() },
		AckTimeout: 2 * time.Second, // in earnest half a minute
	})
	return d
}

// heard looks at an acknowledgement: what it confirms is committed.
func (d *desk) heard(a crossing.Ack) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.Time.Before(d.told.Time.Time) {
		d.h.t.Errorf("counter %s is told %s after %s", d.id, a.Time, d.told.Time)
	}
	d.told = a
	for _, e := range a.Epochs {
		epoch, err := queue.ParseEpoch(e.Epoch)
		if err != nil {
			d.h.t.Error(err)
			continue
		}
		n, err := d.h.ask("SELECT count(*) FROM event WHERE counter = $1 AND epoch = $2 AND sequence <= $3", d.id, epoch[:], e.Through)
		if err != nil || n != e.Through {
			d.h.t.Errorf("counter %s: %d confirmed, %d committed, %v", d.id, e.Through, n, err)
		}
	}
}

// One of three hubs is killed under load, and then their database crashes:
// nothing is lost, nothing is there twice, and nothing is confirmed that is not
// committed.
func TestOneOfThreeHubsIsKilled(t *testing.T) {
	const desks, events = 6, 250
	h := newHeadquarters(t)
	h.withLedger()
	var all []*desk
	for i := range desks {
		all = append(all, h.desk(fmt.Sprintf("CGK-T3-D%02d", i+1), nil))
	}
	hubs := []*process{h.hub(), h.hub(), h.hub()}
	until(t, "three hubs listen", func() bool { return strings.Count(h.logs.String(), "msg=receiving") == 3 })
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	var recorded atomic.Int64
	for _, d := range all {
		running.Go(func() { d.uplink.Run(ctx) })
		running.Go(func() {
			for range events {
				if _, err := d.recorder.Record(ctx, crossing.NewID(), crossing.AgentStopped, &crossing.Stopped{Reason: "signal"}, nil); err != nil {
					t.Error(err)
					return
				}
				recorded.Add(1)
			}
		})
	}
	until(t, "a fifth is in the ledger", func() bool { return h.number("SELECT count(*) FROM event") > desks*events/5 })
	hubs[1].kill()
	h.server.Crash(t)
	t.Logf("killed with %d of %d events in the ledger", h.number("SELECT count(*) FROM event"), recorded.Load())
	for _, d := range all {
		until(t, "everything is confirmed", func() bool { return d.queue.Acknowledged() == events })
	}
	for _, q := range []struct {
		query string
		want  uint64
	}{
		{"SELECT count(*) FROM event", desks * events},
		{"SELECT count(DISTINCT id) FROM event", desks * events},
		{"SELECT count(*) FROM event WHERE repeated", 0},
		{"SELECT count(*) FROM aside", 0},
		{"SELECT count(*) FROM waiting", 0},
		{"SELECT count(*) FROM owed", 0},
		{"SELECT sum(through)::bigint FROM epoch", desks * events},
	} {
		if n := h.number(q.query); n != q.want {
			t.Errorf("%s: %d, want %d", q.query, n, q.want)
		}
	}
	cancel()
	running.Wait()
	hubs[0].stop()
	hubs[2].stop()
	h.tool("lintas-hub", "ledger", "verify", "--db", h.db, "--keys", h.path("keys"))
}

// The broker's sample confines each counter to its own topics, whatever client
// id and topic it names, and a counter's certificate opens nothing at
// headquarters.
func TestBrokerConfinesCounters(t *testing.T) {
	h := newHeadquarters(t)
	ids := []string{"CGK-T3-D01", "CGK-T3-D02"}
	for _, id := range ids {
		h.counters.issue(id, time.Now().AddDate(1, 0, 0))
	}
	var mu sync.Mutex
	got := map[string][]string{}
	dial := func(port int, name, id string, filters ...string) *mqtt.Conn {
		t.Helper()
		o := h.options(port, name, id)
		o.Filters = filters
		o.Receive = func(m mqtt.Message) {
			mu.Lock()
			defer mu.Unlock()
			got[name] = append(got[name], m.Topic+" "+string(m.Payload))
		}
		c, err := mqtt.Dial(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		return c
	}
	publish := func(c *mqtt.Conn, topic, text string) {
		t.Helper()
		token := c.Publish(topic, strings.HasSuffix(topic, "/ack") || strings.Contains(topic, "/list/"), []byte(text))
		<-token.Done()
		if err := token.Error(); err != nil {
			t.Fatal(err)
		}
	}
	office := dial(h.hubPort, "lintas-hub", "a-hub", "$share/nobody-knows/"+crossing.EventFilter, crossing.StateFilter)
	list := dial(h.hubPort, "lintas-list", "a-list")
	everything := []string{"#", "lintas/#", "lintas/v1/+/event", "lintas/v1/+/ack", "lintas/v1/+/state", "lintas/v1/list/index",
		"$share/lintas-hub/lintas/v1/+/event"}
	one := dial(h.counterPort, ids[0], ids[1], everything...) // under the other's client id
	two := dial(h.counterPort, ids[1], ids[1], everything...)
	for _, c := range []*mqtt.Conn{one, two} {
		for _, id := range ids {
			publish(c, crossing.EventTopic(id), "event")
			publish(c, crossing.StateTopic(id), "state")
			publish(c, crossing.AckTopic(id), "forged")
		}
		publish(c, "lintas/v1/list/index", "forged")
		publish(c, "other", "x")
	}
	for _, id := range ids {
		publish(office, crossing.AckTopic(id), "ack")
	}
	publish(office, "lintas/v1/list/index", "forged")
	publish(list, "lintas/v1/list/index", "index")
	publish(list, crossing.AckTopic(ids[0]), "forged")
	want := map[string][]string{
		ids[0]:       {"lintas/v1/CGK-T3-D01/ack ack", "lintas/v1/list/index index"},
		ids[1]:       {"lintas/v1/CGK-T3-D02/ack ack", "lintas/v1/list/index index"},
		"lintas-hub": {"lintas/v1/CGK-T3-D01/event event", "lintas/v1/CGK-T3-D01/state state", "lintas/v1/CGK-T3-D02/event event", "lintas/v1/CGK-T3-D02/state state"},
	}
	until(t, "everything has come", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for name, list := range want {
			if len(got[name]) < len(list) {
				return false
			}
		}
		return true
	})
	for _, c := range []*mqtt.Conn{one, two} {
		if c.IsLost() {
			t.Error("a counter was pushed off")
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for name, list := range want {
		slices.Sort(got[name])
		if !slices.Equal(got[name], list) {
			t.Errorf("%s got %q, want %q", name, got[name], list)
		}
	}
	// Neither certificate fits the other door.
	for name, port := range map[string]int{ids[0]: h.hubPort, "lintas-hub": h.counterPort} {
		o := h.options(port, name, name)
		if c, err := mqtt.Dial(t.Context(), o); err == nil {
			c.Close()
			t.Errorf("%s comes in at the other door", name)
		}
		o.TLS = &tls.Config{RootCAs: o.TLS.RootCAs, MinVersion: tls.VersionTLS13}
		if c, err := mqtt.Dial(t.Context(), o); err == nil {
			c.Close()
			t.Error("somebody without a certificate comes in")
		}
	}
}
