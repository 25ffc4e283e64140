package uplink_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"lintas/queue"
	"lintas/queue/mqtt"
	"lintas/queue/uplink"
)

// mosquitto is the real broker, in a folder of its own.
type mosquitto struct {
	t       testing.TB
	program string
	dir     string
	port    int
	process *exec.Cmd
}

// newMosquitto starts a broker; conf may use %s for its folder.
func newMosquitto(t testing.TB, conf string) *mosquitto {
	t.Helper()
	m := prepareMosquitto(t, conf)
	m.start()
	return m
}

func prepareMosquitto(t testing.TB, conf string) *mosquitto {
	t.Helper()
	m := &mosquitto{t: t, dir: t.TempDir()}
	for _, p := range []string{"mosquitto", "/usr/sbin/mosquitto"} { // where Debian puts it not everybody looks
		if path, err := exec.LookPath(p); err == nil {
			m.program = path
		}
	}
	if m.program == "" {
		t.Skip("mosquitto is not installed; make setup installs it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.port = l.Addr().(*net.TCPAddr).Port
	l.Close()
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_type none\n", m.port)
	if os.Geteuid() == 0 {
		text += "user root\n" // it would give up its rights and then could not read the folder
	}
	m.write("mosquitto.conf", text+strings.ReplaceAll(conf, "%s", m.dir))
	t.Cleanup(m.kill)
	return m
}

func (m *mosquitto) write(name, text string) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), []byte(text), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mosquitto) start() {
	m.t.Helper()
	m.process = exec.Command(m.program, "-c", filepath.Join(m.dir, "mosquitto.conf"))
	if err := m.process.Start(); err != nil {
		m.t.Fatal(err)
	}
	until(m.t, "the broker listens", func() bool {
		c, err := net.Dial("tcp", m.address())
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (m *mosquitto) signal(s syscall.Signal) {
	if m.process != nil {
		m.process.Process.Signal(s)
	}
}

func (m *mosquitto) kill() {
	if m.process != nil {
		m.process.Process.Kill()
		m.process.Wait()
		m.process = nil
	}
}

func (m *mosquitto) address() string { return fmt.Sprintf("127.0.0.1:%d", m.port) }
func (m *mosquitto) url() string     { return "tcp://" + m.address() }

// farHub is a ledger behind a real broker; it connects again and again.
type farHub struct {
	ledger
	url string
}

func newFarHub(t testing.TB, url string) *farHub {
	h := &farHub{url: url}
	h.chains = map[queue.Epoch][]entry{}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			h.session(ctx)
			time.Sleep(20 * time.Millisecond)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return h
}

func (h *farHub) session(ctx context.Context) {
	events := make(chan []byte, 1<<16)
	conn, err := mqtt.Dial(ctx, mqtt.Options{
		URL: h.url, ClientID: "hub", Filters: []string{topics.Event},
		Receive: func(m mqtt.Message) { events <- m.Payload },
	})
	if err != nil {
		return
	}
	defer conn.Close()
	h.answer(conn)
	for {
		select {
		case <-ctx.Done():
			return
		case <-conn.Lost():
			return
		case p := <-events:
			h.take(p)
			for len(events) > 0 {
				h.take(<-events)
			}
			h.answer(conn)
		}
	}
}

func (h *farHub) answer(conn *mqtt.Conn) {
	var payload []byte
	h.set(func() { payload = h.acknowledgement() })
	conn.Publish(topics.Ack, true, payload)
}

// chaos is an uplink to a real broker that is in a hurry.
func chaos(t testing.TB, q *outbox, url string) *running {
	o := options()
	o.AckTimeout = 500 * time.Millisecond
	o.Connections = append(o.Connections, func() (mqtt.Options, error) { return mqtt.Options{URL: url, ClientID: "x"}, nil })
	return start(t, q, o, (*uplink.Uplink).Hurry)
}

// The broker is killed again and again and keeps nothing.
func TestBrokerKilled(t *testing.T) {
	t.Parallel()
	m := newMosquitto(t, "persistence false\n")
	h := newFarHub(t, m.url())
	q := openQueue(t)
	chaos(t, q, m.url())
	for i := range uint64(3) {
		put(t, q, 300)
		until(t, "events arrive", func() bool { return q.Acknowledged() > i*300 })
		m.kill()
		put(t, q, 100)
		m.start()
	}
	until(t, "everything is confirmed", func() bool { return q.Acknowledged() == 1200 })
	if h.count() != 1200 || len(h.buried()) > 0 || len(q.parked()) > 0 {
		t.Errorf("%d at the hub, tombstones for %v, parked %v", h.count(), h.buried(), q.parked())
	}
}

// A rule keeps the events from the hub, and the broker says nothing of it.
func TestBrokerRuleSwallowsAll(t *testing.T) {
	t.Parallel()
	m := prepareMosquitto(t, "acl_file %s/acl\n")
	const rules = "topic readwrite x/ack\ntopic readwrite x/state\n"
	m.write("acl", rules+"topic read x/event\n")
	m.start()
	h := newFarHub(t, m.url())
	q := openQueue(t)
	r := chaos(t, q, m.url())
	put(t, q, 500)
	until(t, "it is said that the hub confirms nothing", func() bool { return r.Status().Unconfirmed })
	time.Sleep(2 * time.Second) // time enough to draw wrong conclusions
	if q.Acknowledged() != 0 || h.count() != 0 {
		t.Errorf("acknowledged %d, at the hub %d", q.Acknowledged(), h.count())
	}
	m.write("acl", rules+"topic readwrite x/event\n")
	m.signal(syscall.SIGHUP)
	until(t, "everything is confirmed", func() bool { return q.Acknowledged() == 500 && !r.Status().Unconfirmed })
	if len(h.buried()) > 0 || len(q.parked()) > 0 {
		t.Errorf("tombstones for %v, parked %v", h.buried(), q.parked())
	}
}

// One event is larger than the broker likes.
func TestBrokerRefusesOneEvent(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"message_size_limit 2000", // PUBACK, it is dropped, and some versions end the connection
		"max_packet_size 2000",    // the connection ends
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			m := newMosquitto(t, setting+"\n")
			h := newFarHub(t, m.url())
			q := openQueue(t)
			r := chaos(t, q, m.url())
			put(t, q, 20)
			putSize(t, q, 4000)
			put(t, q, 20)
			until(t, "everything is confirmed", func() bool { return q.Acknowledged() == 41 })
			if p := q.parked(); len(p) != 1 || p[21] == "" {
				t.Errorf("parked %v", p)
			}
			if b := h.buried(); len(b) != 1 || b[0] != 21 {
				t.Errorf("tombstones for %v", b)
			}
			put(t, q, 20)
			until(t, "what comes later is confirmed", func() bool { return q.Acknowledged() == 61 && r.Status().Connected })
		})
	}
}

// The broker hangs while its system answers.
func TestBrokerHangs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a quarter of a minute")
	}
	t.Parallel()
	m := newMosquitto(t, "")
	h := newFarHub(t, m.url())
	q := openQueue(t)
	r := chaos(t, q, m.url())
	put(t, q, 100)
	until(t, "the first events are confirmed", func() bool { return q.Acknowledged() == 100 })
	m.signal(syscall.SIGSTOP)
	defer m.signal(syscall.SIGCONT)
	began := time.Now()
	put(t, q, 500)
	until(t, "it is noticed", func() bool { return !r.Status().Connected })
	t.Logf("noticed after %.1f s: %s", time.Since(began).Seconds(), r.Status().LastError)
	m.signal(syscall.SIGCONT)
	until(t, "everything is confirmed", func() bool { return q.Acknowledged() == 600 })
	if h.count() != 600 || len(q.parked()) > 0 {
		t.Errorf("%d at the hub, parked %v", h.count(), q.parked())
	}
}

// Over a long line everything arrives, in order and once.
func TestLongLine(t *testing.T) {
	t.Parallel()
	for _, roundTrip := range []time.Duration{50 * time.Millisecond, 200 * time.Millisecond, 600 * time.Millisecond} {
		t.Run(roundTrip.String(), func(t *testing.T) {
			t.Parallel()
			m := newMosquitto(t, "")
			h := newFarHub(t, m.url())
			p := newProxy(t, m.address(), roundTrip)
			q := openQueue(t)
			chaos(t, q, p.url())
			put(t, q, 1000)
			until(t, "everything is confirmed", func() bool { return q.Acknowledged() == 1000 })
			if h.count() != 1000 || len(q.parked()) > 0 {
				t.Errorf("%d at the hub, parked %v", h.count(), q.parked())
			}
		})
	}
}
