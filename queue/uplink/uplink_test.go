package uplink_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/packets"

	"lintas/queue"
	"lintas/queue/mqtt"
	"lintas/queue/sqlite"
	"lintas/queue/uplink"
)

var topics = uplink.Topics{Event: "x/event", Ack: "x/ack", State: "x/state"}

// broker is a real MQTT broker that is reached through pipes, so that a test
// can run it inside a bubble of false time.
type broker struct {
	t      *testing.T
	server *mochi.Server
	mu     sync.Mutex
	conns  []net.Conn
	down   bool
}

func newBroker(t *testing.T) *broker {
	b := &broker{t: t}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start() {
	b.server = mochi.New(&mochi.Options{InlineClient: true, SysTopicResendInterval: 3600, Logger: slog.New(slog.DiscardHandler)})
	if err := b.server.AddHook(new(auth.AllowHook), nil); err != nil {
		b.t.Fatal(err)
	}
	if err := b.server.Serve(); err != nil {
		b.t.Fatal(err)
	}
	b.mu.Lock()
	b.down = false
	b.mu.Unlock()
}

func (b *broker) stop() {
	b.mu.Lock()
	if b.down {
		b.mu.Unlock()
		return
	}
	b.down = true
	for _, c := range b.conns {
		c.Close()
	}
	b.conns = nil
	b.mu.Unlock()
	b.server.Close()
}

func (b *broker) dial(context.Context) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	b.conns = append(b.conns, here, there)
	server := b.server
	go server.EstablishConnection("pipe", buffered(there))
	return buffered(here), nil
}

// bufferedConn lets a Write return before the other side reads, as a socket
// does.
type bufferedConn struct {
	net.Conn
	out  chan []byte
	gone chan struct{}
	once sync.Once
}

func buffered(c net.Conn) net.Conn {
	b := &bufferedConn{Conn: c, out: make(chan []byte, 1<<14), gone: make(chan struct{})}
	go func() {
		for {
			select {
			case p := <-b.out:
				if _, err := c.Write(p); err != nil {
					b.Close()
					return
				}
			case <-b.gone:
				return
			}
		}
	}()
	return b
}

func (b *bufferedConn) Write(p []byte) (int, error) {
	select {
	case b.out <- append([]byte{}, p...):
		return len(p), nil
	case <-b.gone:
		return 0, net.ErrClosed
	}
}

func (b *bufferedConn) Close() error {
	b.once.Do(func() { close(b.gone) })
	return b.Conn.Close()
}

// hub stores what arrives in order and acknowledges it.
type hub struct {
	b        *broker
	mu       sync.Mutex
	stored   [][]byte
	received int
	time     time.Time // of the last answer: it only grows
	deaf     bool
	stuck    bool
	wrong    bool
}

func newHub(b *broker) *hub {
	h := &hub{b: b}
	h.listen()
	return h
}

func (h *hub) listen() {
	err := h.b.server.Subscribe(topics.Event, 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.deaf {
			return
		}
		h.received++
		var e sealed
		if err := json.Unmarshal(pk.Payload, &e); err != nil {
			return
		}
		if int(e.Sequence) == len(h.stored)+1 && !h.stuck {
			h.stored = append(h.stored, append([]byte{}, pk.Payload...))
		}
		h.answer(e.Epoch)
	})
	if err != nil {
		h.b.t.Fatal(err)
	}
}

func (h *hub) answer(epoch queue.Epoch) {
	if h.time = h.time.Add(time.Millisecond); h.time.Before(time.Now()) {
		h.time = time.Now()
	}
	a := queue.Acknowledgement{Time: h.time, Epochs: []queue.EpochAck{{Epoch: epoch, Through: uint64(len(h.stored))}}}
	if n := len(h.stored); n > 0 {
		a.Epochs[0].Head = sha256.Sum256(h.stored[n-1])
	}
	if h.wrong {
		a.Epochs[0].Head[0] ^= 1
	}
	payload, _ := json.Marshal(a)
	go h.b.server.Publish(topics.Ack, payload, true, 1)
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.stored)
}

func (h *hub) set(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

type sealed struct {
	Epoch    queue.Epoch
	Sequence uint64
	Prev     queue.Hash
	Body     []byte
}

func seal(p queue.Position, m queue.Message) ([]byte, error) {
	return json.Marshal(sealed{p.Epoch, p.Sequence, p.Prev, m.Body})
}

func openQueue(t *testing.T) *sqlite.Queue {
	t.Helper()
	q, err := sqlite.OpenQueue(context.Background(), filepath.Join(t.TempDir(), "queue.db"), seal)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func put(t *testing.T, q *sqlite.Queue, n int) {
	t.Helper()
	for range n {
		m := queue.Message{Body: []byte("m")}
		rand.Read(m.ID[:])
		if _, err := q.Put(context.Background(), m, nil); err != nil {
			t.Fatal(err)
		}
	}
}

type running struct {
	*uplink.Uplink
	stop func()
	mu   sync.Mutex
	last []uplink.Status
}

func run(t *testing.T, q *sqlite.Queue, b *broker) *running {
	t.Helper()
	r := &running{}
	ctx, cancel := context.WithCancel(context.Background())
	r.Uplink = uplink.New(q, uplink.Options{
		Connection: func() (mqtt.Options, error) {
			return mqtt.Options{URL: "tcp://pipe:1", ClientID: "x", Dial: b.dial}, nil
		},
		Topics: topics,
		Verify: func(p []byte) (a queue.Acknowledgement, err error) {
			return a, json.Unmarshal(p, &a)
		},
		State: func(online bool) []byte { p, _ := json.Marshal(online); return p },
		OnChange: func(s uplink.Status) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.last = append(r.last, s)
		},
	})
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	r.stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(r.stop)
	return r
}

func (r *running) saw(f func(uplink.Status) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.last {
		if f(s) {
			return true
		}
	}
	return false
}

// bubble runs a test in false time with a queue, which is closed at its end.
func bubble(t *testing.T, f func(t *testing.T, q *sqlite.Queue)) {
	synctest.Test(t, func(t *testing.T) {
		q := openQueue(t)
		t.Cleanup(func() { q.Close() })
		f(t, q)
	})
}

func TestDaysOffline(t *testing.T) {
	bubble(t, func(t *testing.T, q *sqlite.Queue) {
		b := newBroker(t)
		h := newHub(b)
		run(t, q, b)
		put(t, q, 10)
		settle(t, func() bool { return q.Acknowledged() == 10 })
		b.stop()
		for range 3 * 24 { // three days, one event an hour
			put(t, q, 1)
			time.Sleep(time.Hour)
		}
		if h.count() != 10 {
			t.Fatalf("%d events while the broker was away", h.count())
		}
		b.start()
		h.listen()
		settle(t, func() bool { return q.Acknowledged() == 82 })
		if h.count() != 82 {
			t.Fatalf("stored %d, want 82", h.count())
		}
	})
}

// settle lets false time pass until something has come true.
func settle(t *testing.T, done func() bool) {
	t.Helper()
	for range 20 * 60 {
		synctest.Wait()
		if done() {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatal("twenty minutes passed in vain")
}

func TestPubackIsNotDelivery(t *testing.T) {
	bubble(t, func(t *testing.T, q *sqlite.Queue) {
		b := newBroker(t)
		h := newHub(b)
		h.deaf = true
		r := run(t, q, b)
		put(t, q, 300)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if q.Acknowledged() != 0 {
			t.Fatal("events count as delivered that nobody received")
		}
		if !r.Status().Connected || !r.Status().Unconfirmed {
			t.Fatalf("status %+v does not say that the hub is silent", r.Status())
		}
		h.set(func() { h.deaf = false })
		settle(t, func() bool { return q.Acknowledged() == 300 })
		if r.Status().Unconfirmed {
			t.Fatal("status still says that the hub is silent")
		}
		if h.count() != 300 {
			t.Fatalf("%d stored", h.count())
		}
	})
}

// A hub that was silent for long and speaks again is served at once, not when
// the back-off has run out.
func TestHubThatComesBack(t *testing.T) {
	bubble(t, func(t *testing.T, q *sqlite.Queue) {
		b := newBroker(t)
		h := newHub(b)
		h.deaf = true
		run(t, q, b)
		put(t, q, 5)
		time.Sleep(2 * time.Hour)
		h.set(func() { h.deaf = false; h.answer(q.Head().Epoch) }) // as at its start
		began := time.Now()
		settle(t, func() bool { return q.Acknowledged() == 5 })
		if waited := time.Since(began); waited > uplink.DefaultAckTimeout/4 {
			t.Errorf("the first event came after %s", waited)
		}
	})
}

func TestHubThatForgot(t *testing.T) {
	bubble(t, func(t *testing.T, q *sqlite.Queue) {
		b := newBroker(t)
		h := newHub(b)
		run(t, q, b)
		put(t, q, 50)
		settle(t, func() bool { return q.Acknowledged() == 50 })
		h.set(func() { h.stored = h.stored[:20]; h.answer(q.Head().Epoch) })
		settle(t, func() bool { return h.count() == 50 && q.Acknowledged() == 50 })
	})
}

// A hub that answers and never gets further is told to the technician, and is
// not flooded.
func TestHubThatIsStuck(t *testing.T) {
	bubble(t, func(t *testing.T, q *sqlite.Queue) {
		b := newBroker(t)
		h := newHub(b)
		h.stuck = true
		r := run(t, q, b)
		put(t, q, 100)
		time.Sleep(time.Hour)
		synctest.Wait()
		if !r.Status().Unconfirmed {
			t.Error("nothing says that the hub does not get further")
		}
		var received int
		h.set(func() { received = h.received })
		if received > 20*100 {
			t.Errorf("100 events were sent %d times in an hour", received)
		}
		h.set(func() { h.stuck = false })
		settle(t, func() bool { return q.Acknowledged() == 100 })
		if r.Status().Unconfirmed {
			t.Error("the fault stays when it is over")
		}
	})
}

// Everything is confirmed at once, again and again: nothing is wrong.
func TestNoFalseAlarm(t *testing.T) {
	bubble(t, func(t *testing.T, q *sqlite.Queue) {
		b := newBroker(t)
		newHub(b)
		r := run(t, q, b)
		for range 30 {
			put(t, q, 20)
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if q.Acknowledged() != q.Head().Sequence {
				t.Fatal("not everything is confirmed")
			}
		}
		if r.saw(func(s uplink.Status) bool { return s.Unconfirmed }) {
			t.Error("a false alarm was given")
		}
	})
}

// The hub was restored from a backup older than what is still here.
func TestHubWantsWhatIsPruned(t *testing.T) {
	bubble(t, func(t *testing.T, q *sqlite.Queue) {
		b := newBroker(t)
		h := newHub(b)
		r := run(t, q, b)
		put(t, q, 10)
		settle(t, func() bool { return q.Acknowledged() == 10 })
		if n, _, err := q.Prune(context.Background(), time.Now().Add(time.Hour)); n != 9 || err != nil {
			t.Fatal(n, err)
		}
		h.set(func() { h.stored = h.stored[:4]; h.answer(q.Head().Epoch) })
		settle(t, func() bool { return r.Status().Pruned })
	})
}

func TestWrongHeadIsNotBelieved(t *testing.T) {
	bubble(t, func(t *testing.T, q *sqlite.Queue) {
		b := newBroker(t)
		h := newHub(b)
		h.wrong = true
		r := run(t, q, b)
		put(t, q, 3)
		settle(t, func() bool { return r.saw(func(s uplink.Status) bool { return s.AckFault != "" }) })
		if q.Acknowledged() != 0 {
			t.Fatal("a wrong head was believed")
		}
		h.set(func() { h.wrong = false })
		settle(t, func() bool { return q.Acknowledged() == 3 && r.Status().AckFault == "" })
	})
}

func TestStateAndWill(t *testing.T) {
	bubble(t, func(t *testing.T, q *sqlite.Queue) {
		b := newBroker(t)
		var mu sync.Mutex
		var states []string
		err := b.server.Subscribe(topics.State, 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
			mu.Lock()
			defer mu.Unlock()
			states = append(states, string(pk.Payload))
		})
		if err != nil {
			t.Fatal(err)
		}
		last := func() string {
			mu.Lock()
			defer mu.Unlock()
			if len(states) == 0 {
				return ""
			}
			return states[len(states)-1]
		}
		r := run(t, q, b)
		settle(t, func() bool { return last() == "true" })
		b.mu.Lock()
		b.conns[1].Close() // the link breaks; the broker publishes the will
		b.mu.Unlock()
		settle(t, func() bool { return last() == "false" })
		settle(t, func() bool { return last() == "true" }) // a new connection
		r.stop()
		settle(t, func() bool { return last() == "false" })
	})
}
