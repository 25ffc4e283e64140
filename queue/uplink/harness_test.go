package uplink_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lintas/queue"
	"lintas/queue/mqtt"
	"lintas/queue/sqlite"
	"lintas/queue/uplink"
)

var topics = uplink.Topics{Event: "x/event", Ack: "x/ack", State: "x/state"}

// TestMain lets the tests that only wait in real time wait together, however
// few processors there are.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", "12")
	m.Run()
}

// outbox is a real queue whose reading can be made to fail.
type outbox struct {
	*sqlite.Queue
	t testing.TB

	mu   sync.Mutex // guards fail
	fail error      // what Lease answers
}

func openQueue(t testing.TB) *outbox {
	t.Helper()
	q, err := sqlite.OpenQueue(context.Background(), filepath.Join(t.TempDir(), "queue.db"), sqlite.Options{
		Seal: seal, Rewrap: rewrap, Reserve: -1,
		Recovered: func(queue.Recovery) (queue.Message, []byte, error) { return message(1), nil, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return &outbox{Queue: q, t: t}
}

func (o *outbox) Lease(ctx context.Context, max int) ([]queue.Event, error) {
	o.mu.Lock()
	fail := o.fail
	o.mu.Unlock()
	if fail != nil {
		return nil, fail
	}
	return o.Queue.Lease(ctx, max)
}

// parked tells why events are parked, by their sequences.
func (o *outbox) parked() map[uint64]string {
	o.t.Helper()
	events, err := o.Parked(context.Background())
	if err != nil {
		o.t.Fatal(err)
	}
	reasons := map[uint64]string{}
	for _, e := range events {
		reasons[e.Sequence] = e.Parked
	}
	return reasons
}

// renew begins a new epoch.
func (o *outbox) renew(ctx context.Context) error {
	_, err := o.NewEpoch(ctx, queue.Forked)
	return err
}

func message(bytes int) queue.Message {
	m := queue.Message{Body: make([]byte, bytes)}
	rand.Read(m.ID[:])
	return m
}

func put(t testing.TB, o *outbox, n int) {
	t.Helper()
	for range n {
		putSize(t, o, 1)
	}
}

func putSize(t testing.TB, o *outbox, bytes int) {
	t.Helper()
	if _, err := o.Put(context.Background(), message(bytes), nil); err != nil {
		t.Fatal(err)
	}
}

type running struct {
	*uplink.Uplink
	stop func() error
	mu   sync.Mutex
	last []uplink.Status
}

func verify(p []byte) (a queue.Acknowledgement, err error) { return a, json.Unmarshal(p, &a) }

// options are those of an uplink to brokers that are reached through pipes.
func options(brokers ...*broker) uplink.Options {
	o := uplink.Options{
		Topics: topics, Verify: verify, Tombstone: tombstone,
		State: func(online bool) []byte { p, _ := json.Marshal(online); return p },
	}
	for _, b := range brokers {
		o.Connections = append(o.Connections, func() (mqtt.Options, error) {
			return mqtt.Options{URL: "tcp://user:secret@pipe:1", ClientID: "x", Dial: b.dial}, nil
		})
	}
	return o
}

func run(t testing.TB, q *outbox, b *broker) *running {
	t.Helper()
	return start(t, q, options(b), nil)
}

func start(t testing.TB, q uplink.Outbox, o uplink.Options, edit func(*uplink.Uplink)) *running {
	t.Helper()
	r := &running{}
	ctx, cancel := context.WithCancel(context.Background())
	o.OnChange = func(s uplink.Status) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.last = append(r.last, s)
	}
	r.Uplink = uplink.New(q, o)
	if edit != nil {
		edit(r.Uplink)
	}
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	r.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() { r.stop() })
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
func bubble(t *testing.T, f func(t *testing.T, q *outbox)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { f(t, openQueue(t)) })
}

// settle lets false time pass until something has come true.
func settle(t testing.TB, done func() bool) {
	t.Helper()
	for range 60 * 60 {
		synctest.Wait()
		if done() {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatal("an hour passed in vain")
}
