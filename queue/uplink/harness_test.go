package uplink_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"maps"
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

// outbox is a real queue. What it parks, and the epoch it is in, last only as
// long as the test.
type outbox struct {
	t    testing.TB
	mu   sync.Mutex // guards what follows
	q    *sqlite.Queue
	ids  []queue.Message
	lots map[uint64]string // parked
	fail error             // what Lease answers
}

func openQueue(t testing.TB) *outbox {
	t.Helper()
	o := &outbox{t: t}
	o.open()
	return o
}

func (o *outbox) open() {
	q, err := sqlite.OpenQueue(context.Background(), filepath.Join(o.t.TempDir(), "queue.db"), seal)
	if err != nil {
		o.t.Fatal(err)
	}
	o.q, o.lots = q, map[uint64]string{}
	o.t.Cleanup(func() { q.Close() })
}

func (o *outbox) queue() *sqlite.Queue {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.q
}

func (o *outbox) Lease(ctx context.Context, max int) ([]queue.Event, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail != nil {
		return nil, o.fail
	}
	events, err := o.q.Lease(ctx, max)
	for i := range events {
		events[i].Parked = o.lots[events[i].Sequence]
	}
	return events, err
}

func (o *outbox) Park(_ context.Context, sequence uint64, reason string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lots[sequence] = reason
	return nil
}

func (o *outbox) Acknowledge(ctx context.Context, a queue.Acknowledgement) error {
	return o.queue().Acknowledge(ctx, a)
}
func (o *outbox) Release()              { o.queue().Release() }
func (o *outbox) Acknowledged() uint64  { return o.queue().Acknowledged() }
func (o *outbox) Wake() <-chan struct{} { return o.queue().Wake() }
func (o *outbox) Head() queue.Head      { return o.queue().Head() }
func (o *outbox) Prune(ctx context.Context, before time.Time) (int64, bool, error) {
	return o.queue().Prune(ctx, before)
}

func (o *outbox) parked() map[uint64]string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.lots)
}

// renew begins a new epoch with every message that was put.
func (o *outbox) renew(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.open()
	for _, m := range o.ids {
		if _, err := o.q.Put(ctx, m, nil); err != nil {
			return err
		}
	}
	return nil
}

func put(t testing.TB, o *outbox, n int) {
	t.Helper()
	for range n {
		putSize(t, o, 1)
	}
}

func putSize(t testing.TB, o *outbox, bytes int) {
	t.Helper()
	m := queue.Message{Body: make([]byte, bytes)}
	rand.Read(m.ID[:])
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ids = append(o.ids, m)
	if _, err := o.q.Put(context.Background(), m, nil); err != nil {
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
