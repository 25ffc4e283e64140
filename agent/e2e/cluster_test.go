package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/e2e/servers"
	"lintas/queue/mqtt"
)

// cluster carries messages from one broker to another as a cluster on a bad day
// does: in another order, some of them twice, and when too many wait, without
// the oldest.
type cluster struct {
	to      *mqtt.Conn
	mu      sync.Mutex // guards what follows
	waiting []mqtt.Message
	lost    int
	twice   int
}

func (c *cluster) receive(m mqtt.Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	const room = 100
	if c.waiting = append(c.waiting, m); len(c.waiting) > room {
		c.waiting = c.waiting[1:]
		c.lost++
	}
}

func (c *cluster) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.mu.Lock()
		n := min(len(c.waiting), 1+rand.N(60))
		rand.Shuffle(len(c.waiting), func(i, j int) { c.waiting[i], c.waiting[j] = c.waiting[j], c.waiting[i] })
		some := c.waiting[:n]
		c.waiting = append([]mqtt.Message{}, c.waiting[n:]...)
		for _, m := range some[:n/5] {
			c.waiting = append(c.waiting, m)
			c.twice++
		}
		c.mu.Unlock()
		for _, m := range some {
			c.to.Publish(m.Topic, false, m.Payload)
		}
		if n == 0 {
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
			}
		}
	}
}

// A broker that deals messages in any order, delivers some twice and discards
// the oldest: each event is in the ledger once, and everything is confirmed.
func TestBrokerLikeACluster(t *testing.T) {
	t.Parallel()
	const desks, events = 3, 300
	h := newHeadquarters(t)
	h.withLedger()
	outside := freePort(t) // where the counters are
	servers.Mosquitto(t, outside, fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_type none\n", outside))
	inside := freePort(t) // where the hubs are
	servers.Mosquitto(t, inside, fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_type none\n", inside))
	c := &cluster{}
	dial := func(port int, id string, filter string, receive func(mqtt.Message)) *mqtt.Conn {
		t.Helper()
		o := mqtt.Options{URL: fmt.Sprintf("tcp://127.0.0.1:%d", port), ClientID: id, Receive: receive}
		if filter != "" {
			o.Filters = []string{filter}
		}
		conn, err := mqtt.Dial(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		return conn
	}
	c.to = dial(inside, "in", "", nil)
	dial(outside, "out", crossing.EventFilter, c.receive)
	back := dial(outside, "back", "", nil)
	dial(inside, "acks", "lintas/v1/+/ack", func(m mqtt.Message) { back.Publish(m.Topic, true, m.Payload) })

	for range 2 {
		h.spawn(nil, programs+"/lintas-hub", "run", "--db", h.db, "--keys", h.path("keys"), "--broker", fmt.Sprintf("tcp://127.0.0.1:%d", inside))
	}
	until(t, "two hubs listen", func() bool { return strings.Count(h.logs.String(), "msg=receiving") == 2 })
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { c.run(ctx) })
	var all []*desk
	for i := range desks {
		d := h.desk(fmt.Sprintf("SUB-T2-A%02d", i+1), func() (mqtt.Options, error) {
			return mqtt.Options{URL: fmt.Sprintf("tcp://127.0.0.1:%d", outside), ClientID: fmt.Sprintf("SUB-T2-A%02d", i+1)}, nil
		})
		for range events {
			if _, err := d.recorder.Record(ctx, crossing.NewID(), crossing.AgentStopped, &crossing.Stopped{Reason: "signal"}, nil); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, d)
	}
	for _, d := range all {
		running.Go(func() { d.uplink.Run(ctx) })
	}
	for _, d := range all {
		until(t, "everything is confirmed", func() bool { return d.queue.Acknowledged() == events })
	}
	c.mu.Lock()
	t.Logf("%d messages were lost on the way, %d came twice", c.lost, c.twice)
	if c.lost == 0 || c.twice == 0 {
		t.Error("the cluster had a good day")
	}
	c.mu.Unlock()
	if n := h.number("SELECT count(*) FROM event WHERE NOT repeated"); n != desks*events {
		t.Errorf("%d events are in the ledger", n)
	}
	if n := h.number("SELECT count(*) FROM aside"); n != 0 {
		t.Errorf("%d are aside", n)
	}
	h.tool("lintas-hub", "ledger", "verify", "--db", h.db, "--keys", h.path("keys"))
}
