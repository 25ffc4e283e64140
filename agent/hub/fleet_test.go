package hub_test

import (
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"lintas/agent/crossing"
	"lintas/agent/e2e/servers"
	"lintas/agent/hub"
	"lintas/queue"
	"lintas/queue/mqtt"
)

const (
	fleetCounters = 2000
	fleetEvents   = 100 // each, a week's
	fleetHubs     = 2
	// fleetWindow is how many events are on their way and not acknowledged, of
	// all counters together.
	fleetWindow = 10_000
	fleetWait   = 30 * time.Second // for an acknowledgement, as a counter's
)

// BenchmarkFleet lets two thousand counters deliver what a week offline has
// left, all at once, to two hubs over one PostgreSQL that syncs to the disk:
// every event must be in the ledger once. Beside it, in the same run, one client
// inserts single rows of that size into the same server.
func BenchmarkFleet(b *testing.B) {
	for b.Loop() {
		f := newFleet(b)
		single := f.singleRows()
		rate, memory := f.deliver()
		b.ReportMetric(rate, "events/s")
		b.ReportMetric(single, "single_row_inserts/s")
		b.ReportMetric(rate/single, "of_single_rows")
		b.ReportMetric(memory, "hub_peak_MB")
	}
}

// fleet is the counters and what they talk to.
type fleet struct {
	b    *testing.B
	dir  string
	db   string
	sql  *sql.DB
	port int
	keys crossing.Keys

	counters map[string]*fleetCounter
	order    []*fleetCounter

	mu    sync.Mutex // guards what follows, and through and sent of the counters
	ahead int        // events that are sent and not acknowledged
}

type fleetCounter struct {
	id            string
	sealed        [][]byte
	through, sent int
	last          time.Time // of progress
}

func newFleet(b *testing.B) *fleet {
	f := &fleet{b: b, dir: b.TempDir(), db: servers.StartPostgres(b).Schema(b), port: servers.FreePort(b), counters: map[string]*fleetCounter{}}
	must(b, hub.InitKeys(f.dir))
	var err error
	f.sql, err = sql.Open("pgx", f.db)
	must(b, err)
	b.Cleanup(func() { f.sql.Close() })
	f.keys, err = crossing.LoadKeys(filepath.Join(f.dir, hub.FileAckKeys))
	must(b, err)
	for i := range fleetCounters {
		c := &fleetCounter{id: fmt.Sprintf("CGK-T3-%04d", i)}
		key, err := crossing.NewPrivateKey()
		must(b, err)
		jwks, err := key.Public().MarshalJWKS()
		must(b, err)
		must(b, os.WriteFile(filepath.Join(f.dir, hub.DirCounters, c.id+".jwk"), jwks, 0o600))
		sealer, err := crossing.NewSealer(key)
		must(b, err)
		head := queue.Head{}
		rand.Read(head.Epoch[:])
		for range fleetEvents {
			// As long as a crossing's record is when it is encrypted; the hub does
			// not open it.
			record := make([]byte, 900)
			rand.Read(record)
			id := crossing.NewID()
			body, err := json.Marshal(crossing.Event{SpecVersion: "1.0", ID: id.String(), Source: "/counters/" + c.id, Type: crossing.Departure.Wire(),
				Time: crossing.TimeOf(time.Now()), DataContentType: "application/age", Data: base64.StdEncoding.EncodeToString(record)})
			must(b, err)
			sealed, err := sealer.Seal(queue.Position{Epoch: head.Epoch, Sequence: head.Sequence + 1, Prev: head.Hash}, queue.Message{Body: body})
			must(b, err)
			head.Sequence, head.Hash = head.Sequence+1, sha256.Sum256(sealed)
			c.sealed = append(c.sealed, sealed)
		}
		f.counters[c.id], f.order = c, append(f.order, c)
	}
	return f
}

// singleRows is how many rows of an event's size one client inserts, each in a
// transaction of its own.
func (f *fleet) singleRows() float64 {
	b := f.b
	_, err := f.sql.Exec("CREATE TABLE single(id bytea PRIMARY KEY, sealed bytea)")
	must(b, err)
	conn, err := f.sql.Conn(b.Context())
	must(b, err)
	defer conn.Close()
	began, n := time.Now(), 0
	for ; time.Since(began) < 3*time.Second; n++ {
		id := crossing.NewID()
		_, err := conn.ExecContext(b.Context(), "INSERT INTO single(id, sealed) VALUES($1, $2)", id[:], f.order[n%len(f.order)].sealed[0])
		must(b, err)
	}
	return float64(n) / time.Since(began).Seconds()
}

// deliver gives the rate and the most memory that a hub took, in MB.
func (f *fleet) deliver() (rate, memory float64) {
	b := f.b
	conf, err := os.ReadFile("../../configs/mosquitto/lintas.conf")
	must(b, err)
	queues := ""
	for line := range strings.Lines(string(conf)) { // the sample's, without its certificates
		if strings.HasPrefix(line, "max_") || strings.HasPrefix(line, "message_size") {
			queues += line
		}
	}
	servers.Mosquitto(b, f.port, fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nlog_type none\n", f.port)+queues)
	program := filepath.Join(f.dir, "lintas-hub")
	if out, err := exec.Command("go", "build", "-o", program, "./lintas-hub").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	url := fmt.Sprintf("tcp://127.0.0.1:%d", f.port)
	var hubs []*exec.Cmd
	ready := make(chan struct{}, fleetHubs)
	for range fleetHubs {
		cmd := exec.Command(program, "run", "--db", f.db, "--keys", f.dir, "--broker", url)
		cmd.Stderr = &lookout{want: "msg=receiving", seen: ready}
		must(b, cmd.Start())
		b.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		hubs = append(hubs, cmd)
	}
	for range fleetHubs {
		<-ready
	}
	listener, err := mqtt.Dial(b.Context(), mqtt.Options{URL: url, ClientID: "listener", Filters: []string{"lintas/v1/+/ack"}, Receive: f.heard})
	must(b, err)
	defer listener.Close()
	const lines = 4
	var sending sync.WaitGroup
	began := time.Now()
	for i := range lines {
		conn, err := mqtt.Dial(b.Context(), mqtt.Options{URL: url, ClientID: fmt.Sprintf("line-%d", i)})
		must(b, err)
		defer conn.Close()
		sending.Go(func() { f.send(conn, f.order[i*fleetCounters/lines:(i+1)*fleetCounters/lines]) })
	}
	sending.Wait()
	rate = fleetCounters * fleetEvents / time.Since(began).Seconds()
	for _, cmd := range hubs {
		memory = max(memory, peakMemory(b, cmd.Process.Pid))
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	}
	var events, ids, through, waiting, aside int
	must(b, f.sql.QueryRow(`SELECT count(*), count(DISTINCT id), (SELECT sum(through) FROM epoch), (SELECT count(*) FROM waiting), (SELECT count(*) FROM aside)
		FROM event`).Scan(&events, &ids, &through, &waiting, &aside))
	if all := fleetCounters * fleetEvents; events != all || ids != all || through != all || waiting+aside != 0 {
		b.Fatalf("%d events, %d ids, %d confirmed, %d wait, %d aside", events, ids, through, waiting, aside)
	}
	return rate, memory
}

// send publishes what some counters have, and again what is not acknowledged,
// until all is.
func (f *fleet) send(conn *mqtt.Conn, counters []*fleetCounter) {
	flight := make(chan mqtt.Token, 500)
	go func() {
		for t := range flight {
			<-t.Done()
		}
	}()
	defer close(flight)
	pending := append([]*fleetCounter{}, counters...)
	for len(pending) > 0 {
		i := mathrand.N(len(pending))
		c := pending[i]
		f.mu.Lock()
		if c.sent > c.through && time.Since(c.last) > fleetWait {
			f.ahead -= c.sent - c.through // as a counter does after a time-out
			c.sent, c.last = c.through, time.Now()
		}
		next := c.sent
		if f.ahead >= fleetWindow {
			next = fleetEvents
		}
		if next < fleetEvents {
			c.sent++
			f.ahead++
			c.last = time.Now()
		}
		if c.through == fleetEvents {
			pending[i] = pending[len(pending)-1]
			pending = pending[:len(pending)-1]
		}
		idle := next == fleetEvents && c.through < fleetEvents
		f.mu.Unlock()
		if next < fleetEvents {
			flight <- conn.Publish(crossing.EventTopic(c.id), false, c.sealed[next])
		} else if idle {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

func (f *fleet) heard(m mqtt.Message) {
	id, _ := strings.CutSuffix(strings.TrimPrefix(m.Topic, crossing.TopicPrefix), "/ack")
	a, _, err := crossing.OpenAck(m.Payload, id, f.keys)
	if err != nil {
		f.b.Error(err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.counters[id]
	for _, e := range a.Epochs {
		if through := int(e.Through); through > c.through {
			f.ahead -= max(0, min(through, c.sent)-c.through)
			c.through, c.sent, c.last = through, max(c.sent, through), time.Now()
		}
	}
}

// lookout tells when something has been written.
type lookout struct {
	want string
	seen chan<- struct{}
	text string
	once sync.Once
}

func (l *lookout) Write(p []byte) (int, error) {
	if l.text += string(p); strings.Contains(l.text, l.want) {
		l.once.Do(func() { l.seen <- struct{}{} })
		l.text = ""
	}
	return len(p), nil
}

func peakMemory(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(b, err)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.Atoi(strings.Fields(value)[0])
			must(b, err)
			return float64(kb) / 1024
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
