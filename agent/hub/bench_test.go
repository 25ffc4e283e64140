package hub_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"lintas/agent/crossing"
	"lintas/agent/e2e/servers"
	"lintas/agent/hub"
	"lintas/queue"
	"lintas/queue/mqtt"
	"lintas/queue/sqlite"
	"lintas/queue/uplink"
)

const drainedEvents = 20_000

// BenchmarkDrainSealed drains a full queue of sealed events over a real broker
// to this hub, which checks, chains and commits them before it confirms; beside
// it, in the same run, the broker's own bridge moves as many messages of the
// same size from memory to a subscriber that keeps nothing. DESIGN.md wants a
// tenth of that.
func BenchmarkDrainSealed(b *testing.B) {
	for b.Loop() {
		ours, size := drainSealed(b)
		bridge := drainBridge(b, size)
		b.ReportMetric(ours, "events/s")
		b.ReportMetric(bridge, "bridge_events/s")
		b.ReportMetric(float64(size), "bytes/event")
		b.ReportMetric(ours/bridge, "of_bridge(want_0.1)")
	}
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func drainSealed(b *testing.B) (rate float64, size int) {
	dir := b.TempDir()
	must(b, hub.InitKeys(dir))
	address := startMosquitto(b, "")
	key, err := crossing.NewPrivateKey()
	must(b, err)
	sealer, err := crossing.NewSealer(key)
	must(b, err)
	jwks, err := key.Public().MarshalJWKS()
	must(b, err)
	const counter = "CGK-T3-D07"
	must(b, os.WriteFile(filepath.Join(dir, hub.DirCounters, counter+".jwk"), jwks, 0o600))
	identities, err := hub.Identities(dir)
	must(b, err)
	q, err := sqlite.OpenQueue(b.Context(), filepath.Join(dir, "queue.db"), sqlite.Options{Seal: sealer.Seal, Anchor: filepath.Join(dir, "anchor")})
	must(b, err)
	defer q.Close()
	r := crossing.Recorder{Counter: counter, Queue: q, Encrypter: crossing.NewEncrypter(identities[0].(*age.X25519Identity).Recipient()),
		Stamp: func() crossing.Stamp {
			return crossing.Stamp{OccurredAt: crossing.TimeOf(time.Now()), BootID: "b", MonotonicMS: 1, ClockState: "ntp"}
		}}
	var filling sync.WaitGroup
	for range 32 {
		filling.Go(func() {
			for range drainedEvents / 32 {
				rec := &crossing.Device{Scanner: "passport", Reason: strings.Repeat("as long as a crossing's record is ", 20)}
				if _, err := r.Record(b.Context(), crossing.NewID(), crossing.DeviceUp, rec, nil); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	filling.Wait()
	for e, err := range q.Events(b.Context(), 1) {
		must(b, err)
		size = len(e.Sealed)
		break
	}

	ledger, err := hub.OpenLedger(b.Context(), filepath.Join(dir, "ledger.db"))
	must(b, err)
	defer ledger.Close()
	ackKey, err := crossing.LoadPrivateKey(filepath.Join(dir, hub.FileAckKey))
	must(b, err)
	signer, err := crossing.NewAckSigner(ackKey)
	must(b, err)
	ackKeys, err := crossing.LoadKeys(filepath.Join(dir, hub.FileAckKeys))
	must(b, err)
	h := &hub.Hub{Ledger: ledger, Keys: hub.NewKeyRing(dir), Signer: signer, Logger: slog.New(slog.DiscardHandler),
		Connection: func() (mqtt.Options, error) {
			return mqtt.Options{URL: "tcp://" + address, ClientID: "lintas-hub", KeepSession: true}, nil
		}}
	u := uplink.New(q, uplink.Options{
		Connections: []func() (mqtt.Options, error){func() (mqtt.Options, error) {
			return mqtt.Options{URL: "tcp://" + address, ClientID: counter}, nil
		}},
		Topics: uplink.Topics{Event: crossing.EventTopic(counter), Ack: crossing.AckTopic(counter), State: crossing.StateTopic(counter)},
		Verify: func(p []byte) (queue.Acknowledgement, error) {
			_, a, err := crossing.OpenAck(p, counter, ackKeys)
			return a, err
		},
		Tombstone: func(e queue.Event) ([]byte, error) { return sealer.Tombstone(e.Sealed) },
		State:     func(bool) []byte { return []byte("{}") },
	})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { h.Run(ctx) })
	all := q.Head().Sequence
	began := time.Now()
	running.Go(func() { u.Run(ctx) })
	for q.Acknowledged() < all {
		wake := q.Wake()
		if q.Acknowledged() < all {
			<-wake
		}
	}
	rate = float64(all) / time.Since(began).Seconds()
	if w, err := ledger.Verify(ctx, h.Keys); err != nil || uint64(w.Events) != all {
		b.Fatalf("the ledger holds %+v, %v", w, err)
	}
	return rate, size
}

// drainBridge lets one mosquitto move what it holds to another.
func drainBridge(b *testing.B, size int) float64 {
	port := servers.FreePort(b)
	far := fmt.Sprintf("127.0.0.1:%d", port)
	near := startMosquitto(b, fmt.Sprintf("connection far\naddress %s\ntopic x out 1\ncleansession false\nrestart_timeout 1\nbridge_attempt_unsubscribe false\n", far))
	conn, err := mqtt.Dial(b.Context(), mqtt.Options{URL: "tcp://" + near, ClientID: "x"})
	must(b, err)
	payload := make([]byte, size)
	var flight []mqtt.Token
	for range drainedEvents {
		if flight = append(flight, conn.Publish("x", false, payload)); len(flight) == 1000 {
			<-flight[0].Done()
			flight = flight[1:]
		}
	}
	for _, t := range flight {
		<-t.Done()
	}
	conn.Close()
	startMosquittoAt(b, port, "")
	var n atomic.Int64
	var first, last time.Time
	done := make(chan struct{})
	sub, err := mqtt.Dial(b.Context(), mqtt.Options{URL: "tcp://" + far, ClientID: "hub", Filters: []string{"x"}, Receive: func(mqtt.Message) {
		switch n.Add(1) {
		case 1:
			first = time.Now()
		case drainedEvents:
			last = time.Now()
			close(done)
		}
	}})
	must(b, err)
	defer sub.Close()
	select {
	case <-done:
	case <-time.After(time.Minute):
		b.Fatalf("the bridge moved %d", n.Load())
	}
	return drainedEvents / last.Sub(first).Seconds()
}

func startMosquitto(b *testing.B, conf string) (address string) {
	b.Helper()
	port := servers.FreePort(b)
	startMosquittoAt(b, port, conf)
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func startMosquittoAt(b *testing.B, port int, conf string) {
	b.Helper()
	servers.Mosquitto(b, port, fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_type none\n", port)+conf)
}
