package uplink_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/packets"
)

// broker is a real MQTT broker that is reached through pipes, so that a test
// can run it inside a bubble of false time.
type broker struct {
	t      testing.TB
	server *mochi.Server
	mu     sync.Mutex
	conns  []net.Conn
	dials  int
	down   bool
	delay  time.Duration // each way
	script func(event sealed, size int) verdict
}

// verdict is what a scripted broker does with an event.
type verdict int

const (
	carry         verdict = iota
	kill                  // end the connection
	swallow               // confirm it and drop it
	ignore                // drop it and confirm nothing
	carryAndDie           // confirm it, forward it, end the connection
	swallowAndDie         // confirm it, drop it, end the connection
)

func newBroker(t testing.TB) *broker {
	b := &broker{t: t}
	b.start()
	t.Cleanup(b.stop)
	return b
}

func (b *broker) start() {
	b.server = mochi.New(&mochi.Options{InlineClient: true, SysTopicResendInterval: 3600, Logger: slog.New(slog.DiscardHandler)})
	for _, h := range []mochi.Hook{new(auth.AllowHook), &scripted{b: b}} {
		if err := b.server.AddHook(h, nil); err != nil {
			b.t.Fatal(err)
		}
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
	b.mu.Unlock()
	b.cut()
	b.server.Close()
}

// cut ends every connection.
func (b *broker) cut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.conns {
		c.Close()
	}
	b.conns = nil
}

func (b *broker) obey(script func(sealed, int) verdict) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.script = script
}

func (b *broker) dial(context.Context) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dials++
	if b.down {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	client, server := buffered(here, b.delay), buffered(there, b.delay)
	b.conns = append(b.conns, client, server)
	s := b.server
	go s.EstablishConnection("pipe", server)
	return client, nil
}

// scripted lets a test decide about every event that a client publishes.
type scripted struct {
	mochi.HookBase
	b *broker
}

func (h *scripted) ID() string { return "script" }

func (h *scripted) Provides(b byte) bool {
	return bytes.Contains([]byte{mochi.OnPublish, mochi.OnPublished}, []byte{b})
}

func (h *scripted) verdict(cl *mochi.Client, pk packets.Packet) verdict {
	h.b.mu.Lock()
	defer h.b.mu.Unlock()
	if h.b.script == nil || cl.Net.Inline || pk.TopicName != topics.Event {
		return carry
	}
	var e sealed
	json.Unmarshal(pk.Payload, &e)
	return h.b.script(e, len(pk.Payload))
}

func (h *scripted) OnPublish(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	switch h.verdict(cl, pk) {
	case kill:
		cl.Stop(errors.New("killed"))
		return pk, packets.ErrRejectPacket
	case swallow:
		return pk, packets.CodeSuccessIgnore
	case ignore:
		return pk, packets.ErrRejectPacket
	case swallowAndDie:
		time.AfterFunc(time.Millisecond, func() { cl.Stop(errors.New("died")) })
		return pk, packets.CodeSuccessIgnore
	case carryAndDie:
		time.AfterFunc(time.Millisecond, func() { cl.Stop(errors.New("died")) })
	}
	return pk, nil
}

// bufferedConn lets a Write return before the other side reads, as a socket
// does, and what is written arrives after a delay.
type bufferedConn struct {
	net.Conn
	delay time.Duration
	out   chan parcel
	gone  chan struct{}
	once  sync.Once
}

type parcel struct {
	bytes []byte
	due   time.Time
}

func buffered(c net.Conn, delay time.Duration) net.Conn {
	b := &bufferedConn{Conn: c, delay: delay, out: make(chan parcel, 1<<14), gone: make(chan struct{})}
	go func() {
		for {
			select {
			case p := <-b.out:
				if delay > 0 {
					select {
					case <-time.After(time.Until(p.due)):
					case <-b.gone:
						return
					}
				}
				if _, err := c.Write(p.bytes); err != nil {
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
	case b.out <- parcel{bytes.Clone(p), time.Now().Add(b.delay)}:
		return len(p), nil
	case <-b.gone:
		return 0, net.ErrClosed
	}
}

func (b *bufferedConn) Close() error {
	b.once.Do(func() { close(b.gone) })
	return b.Conn.Close()
}
