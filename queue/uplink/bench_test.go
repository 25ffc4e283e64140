package uplink_test

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lintas/queue"
	"lintas/queue/mqtt"
	"lintas/queue/sqlite"
	"lintas/queue/uplink"
)

const (
	drained  = 100_000
	bodySize = 600 - 16 - 8 - 32
)

// BenchmarkDrain drains a full queue to a hub that commits before it confirms,
// and for comparison lets the broker's own bridge move as many messages from
// memory to a subscriber that keeps nothing.
func BenchmarkDrain(b *testing.B) {
	for b.Loop() {
		ours := drainQueue(b)
		bridge := drainBridge(b)
		b.ReportMetric(ours, "events/s")
		b.ReportMetric(bridge, "bridge_events/s")
		b.ReportMetric(ours/bridge, "of_bridge(want_0.45)")
	}
}

func fill(b *testing.B, n int) *sqlite.Queue {
	b.Helper()
	q, err := sqlite.OpenQueue(b.Context(), filepath.Join(b.TempDir(), "queue.db"), sqlite.Options{Seal: plain})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { q.Close() })
	var putting sync.WaitGroup
	var next atomic.Int64
	for range 64 {
		putting.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				m := queue.Message{Body: make([]byte, bodySize)}
				copy(m.ID[:], fmt.Sprintf("%016d", i))
				if _, err := q.Put(context.Background(), m, nil); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	putting.Wait()
	return q
}

// plain binds a message to its position without any cryptography: epoch,
// sequence, hash of the one before, body.
func plain(p queue.Position, m queue.Message) ([]byte, error) {
	b := append(make([]byte, 0, 16+8+32+len(m.Body)), p.Epoch[:]...)
	b = append(binary.BigEndian.AppendUint64(b, p.Sequence), p.Prev[:]...)
	return append(b, m.Body...), nil
}

func drainQueue(b *testing.B) float64 {
	m := newMosquitto(b, "")
	keepLedger(b, m.url())
	q := fill(b, drained)
	o := options()
	o.Connections = append(o.Connections, func() (mqtt.Options, error) { return mqtt.Options{URL: m.url(), ClientID: "x"}, nil })
	began := time.Now()
	r := start(b, q, o, nil)
	until(b, "everything is confirmed", func() bool { return q.Acknowledged() == drained })
	rate := drained / time.Since(began).Seconds()
	r.stop()
	m.kill()
	return rate
}

// keepLedger stands in for the hub: what waits goes into one durable
// transaction, each event once, and then all of it is confirmed.
func keepLedger(b *testing.B, url string) {
	db, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "ledger.db"), sqlite.Durable, sqlite.Schema{
		ApplicationID: 1, Name: "ledger",
		Steps: []string{"CREATE TABLE event(sequence INTEGER PRIMARY KEY, hash BLOB NOT NULL, sealed BLOB NOT NULL) STRICT"},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	events := make(chan []byte, 1<<17)
	conn, err := mqtt.Dial(b.Context(), mqtt.Options{URL: url, ClientID: "hub", Filters: []string{topics.Event},
		Receive: func(m mqtt.Message) { events <- m.Payload }})
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	b.Cleanup(func() { close(events); <-done; conn.Close() })
	go func() {
		defer close(done)
		var a queue.EpochAck
		for p := range events {
			if err := commit(db, p, events, &a); err != nil {
				b.Error(err)
				return
			}
			payload, _ := json.Marshal(queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{a}})
			conn.Publish(topics.Ack, true, payload)
		}
	}()
}

func commit(db *sql.DB, p []byte, more <-chan []byte, a *queue.EpochAck) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.Prepare("INSERT OR IGNORE INTO event(sequence, hash, sealed) VALUES(?, ?, ?)")
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		hash, sequence := sha256.Sum256(p), binary.BigEndian.Uint64(p[16:])
		if a.Epoch = queue.Epoch(p[:16]); sequence == a.Through+1 {
			a.Through, a.Head = sequence, hash
		}
		if _, err := insert.Exec(sequence, hash[:], p); err != nil {
			return err
		}
		if len(more) == 0 || n == 512 {
			return tx.Commit()
		}
		p = <-more
	}
}

func drainBridge(b *testing.B) float64 {
	far := prepareMosquitto(b, "")
	near := newMosquitto(b, fmt.Sprintf("connection far\naddress %s\ntopic %s out 1\ncleansession false\nrestart_timeout 1\nbridge_attempt_unsubscribe false\n", far.address(), topics.Event))
	conn, err := mqtt.Dial(b.Context(), mqtt.Options{URL: near.url(), ClientID: "x"})
	if err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, 600)
	var flight []mqtt.Token
	for range drained {
		flight = append(flight, conn.Publish(topics.Event, false, payload))
		if len(flight) == 1000 {
			<-flight[0].Done()
			flight = flight[1:]
		}
	}
	for _, t := range flight {
		<-t.Done()
	}
	conn.Close()
	var n atomic.Int64
	var first, last time.Time
	done := make(chan struct{})
	far.start()
	sub, err := mqtt.Dial(b.Context(), mqtt.Options{URL: far.url(), ClientID: "hub", Filters: []string{topics.Event}, Receive: func(mqtt.Message) {
		switch n.Add(1) {
		case 1:
			first = time.Now()
		case drained:
			last = time.Now()
			close(done)
		}
	}})
	if err != nil {
		b.Fatal(err)
	}
	defer sub.Close()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		b.Fatalf("the bridge moved %d", n.Load())
	}
	near.kill()
	far.kill()
	return drained / last.Sub(first).Seconds()
}

func BenchmarkDrainRTT50(b *testing.B)  { drainFar(b, 50*time.Millisecond) }
func BenchmarkDrainRTT200(b *testing.B) { drainFar(b, 200*time.Millisecond) }
func BenchmarkDrainRTT600(b *testing.B) { drainFar(b, 600*time.Millisecond) }

// drainFar measures how much of window/RTT is reached once the window is open,
// and how much of what the broker's PUBACKs allow on that line in the same run:
// on a busy machine a round trip is longer than the line.
func drainFar(b *testing.B, roundTrip time.Duration) {
	const opening, n = 1024, 1024 + 30*uplink.DefaultWindow
	for b.Loop() {
		m := newMosquitto(b, "")
		keepLedger(b, m.url())
		p := newProxy(b, m.address(), roundTrip)
		q := fill(b, n)
		o := options()
		o.Connections = append(o.Connections, func() (mqtt.Options, error) { return mqtt.Options{URL: p.url(), ClientID: "x"}, nil })
		r := start(b, q, o, nil)
		until(b, "the window is open", func() bool { return q.Acknowledged() >= opening })
		began, from := time.Now(), q.Acknowledged()
		until(b, "everything is confirmed", func() bool { return q.Acknowledged() == n })
		rate := float64(n-from) / time.Since(began).Seconds()
		r.stop()
		limit := publishFar(b, p.url(), n-opening)
		b.ReportMetric(rate, "events/s")
		b.ReportMetric(limit, "pubacks/s")
		b.ReportMetric(rate/limit, "of_pubacks")
		b.ReportMetric(rate/(uplink.DefaultWindow/roundTrip.Seconds()), "of_window/RTT(want_0.8)")
	}
}

// publishFar publishes with the same window, and asks for nothing but PUBACKs.
func publishFar(b *testing.B, url string, n int) float64 {
	b.Helper()
	conn, err := mqtt.Dial(b.Context(), mqtt.Options{URL: url, ClientID: "y"})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	payload := make([]byte, 600)
	var flight []mqtt.Token
	began := time.Now()
	for range n {
		if len(flight) == uplink.DefaultWindow {
			<-flight[0].Done()
			flight = flight[1:]
		}
		flight = append(flight, conn.Publish("y", false, payload))
	}
	<-flight[len(flight)-1].Done()
	return float64(n) / time.Since(began).Seconds()
}
