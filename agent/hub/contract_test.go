package hub_test

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"lintas/agent/crossing"
	"lintas/agent/hub"
	"lintas/queue/mqtt"
	"lintas/queue/mqtt/broker"
)

// wire is a broker and what the hub published on it.
type wire struct {
	*place
	broker  *broker.Broker
	address string
	log     *bytes.Buffer
	mu      sync.Mutex // guards acks
	acks    []crossing.Ack
}

func newWire(t *testing.T, at storage) *wire {
	t.Helper()
	w := &wire{place: newPlace(t, at), log: &bytes.Buffer{}}
	var err error
	if w.broker, err = broker.Start("127.0.0.1:0", nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.broker.Close() })
	w.address = w.broker.Address
	keys, err := crossing.LoadKeys(filepath.Join(w.dir, hub.FileAckKeys))
	if err != nil {
		t.Fatal(err)
	}
	err = w.broker.Subscribe(crossing.AckTopic(w.id), 1, func(_ *mochi.Client, _ packets.Subscription, p packets.Packet) {
		a, _, err := crossing.OpenAck(p.Payload, w.id, keys)
		if err != nil || !p.FixedHeader.Retain {
			t.Errorf("an acknowledgement that no counter takes: %v", err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.acks = append(w.acks, a)
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// run starts the hub; what it returns stops it and waits.
func (w *wire) run() (stop func()) {
	w.t.Helper()
	key, err := crossing.LoadPrivateKey(filepath.Join(w.dir, hub.FileAckKey))
	if err != nil {
		w.t.Fatal(err)
	}
	signer, err := crossing.NewAckSigner(key)
	if err != nil {
		w.t.Fatal(err)
	}
	h := &hub.Hub{Ledger: w.ledger, Keys: w.keys, Signer: signer, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
		Connection: func() (mqtt.Options, error) {
			return mqtt.Options{URL: "tcp://" + w.address, ClientID: "lintas-hub", KeepSession: true}, nil
		}}
	before := len(w.got())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := h.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	w.t.Cleanup(stop)
	until(w.t, "the answer at the start", func() bool { return len(w.got()) > before })
	return stop
}

func (w *wire) publish(sealed ...[]byte) {
	w.t.Helper()
	for _, b := range sealed {
		if err := w.broker.Publish(crossing.EventTopic(w.id), b, false, 1); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *wire) got() []crossing.Ack {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.acks)
}

// through is how far the last acknowledgement reaches in its first epoch.
func (w *wire) through() uint64 {
	if a := w.got(); len(a) > 0 && len(a[len(a)-1].Epochs) > 0 {
		return a[len(a)-1].Epochs[0].Through
	}
	return 0
}

// "Publishes every counter's ack at its start and answers duplicates with it";
// "the hub commits before it acknowledges"; times grow across restarts.
func TestHubAnswersAtItsStartAndDuplicates(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		w := newWire(t, at)
		c := w.tape(1, w.key)
		e := c.events(5)
		stop := w.run()
		if a := w.got(); len(a) != 1 || len(a[0].Epochs) != 0 {
			t.Errorf("a counter that never sent anything is told %+v", a)
		}
		w.publish(e[:3]...)
		until(t, "the answer", func() bool { return w.through() == 3 })
		if n := w.count(); n != 3 {
			t.Errorf("three events are acknowledged and %d committed", n)
		}
		before := len(w.got())
		w.publish(e[1])
		until(t, "the answer to a duplicate", func() bool { return len(w.got()) > before })
		before = len(w.got())
		w.publish(e[4])
		until(t, "the answer to what comes too early", func() bool { return len(w.got()) > before })
		stop()
		w.reopen()
		w.run()
		if w.through() != 3 {
			t.Errorf("it reaches to %d", w.through())
		}
		var last time.Time
		for _, a := range w.got() {
			if !a.Time.After(last) {
				t.Errorf("%s after %s", a.Time, last)
			}
			last = a.Time.Time
		}
	})
}

// What the broker kept for a hub that was away comes before its answer to the
// subscription, and is more than the hub takes at once: it goes to work on it,
// and ends when it is stopped in the middle.
func TestHubThatWasAwayForLong(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		w := newWire(t, at)
		c := w.tape(1, w.key)
		e := c.events(2000)
		stop := w.run()
		w.publish(e[0])
		until(t, "the answer", func() bool { return w.through() == 1 })
		stop()
		w.publish(e[1:]...)
		before := len(w.got())
		stop = w.run()
		until(t, "an answer beside that at the start", func() bool { return len(w.got()) > before+1 })
		stop()
		w.ingest(e...) // this broker sends what it kept in any order
		if n := w.whole(); n.Events != 2000 {
			t.Errorf("%+v", n)
		}
	})
}

// "Provisional keys stay aside until keys trust": a running hub notices, takes
// in what it kept and answers, without the counter. Notices are logged.
func TestRunningHubTakesInWhatItKeptAside(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		w := newWire(t, at)
		key := newKey(t)
		c := w.tape(1, key)
		c.record(crossing.KeyRotated, rotated(t, "", key))
		c.events(2)
		stop := w.run()
		w.publish(c.sealed...)
		until(t, "keeping aside", func() bool {
			n, err := w.ledger.AsideCount(t.Context())
			return err == nil && n[hub.AsideKey] == 3
		})
		w.trust(&sender{t: t, id: w.id, key: key})
		until(t, "the answer", func() bool { return w.through() == 3 })
		stop()
		if text := w.log.String(); !strings.Contains(text, "events kept aside") || !strings.Contains(text, "took in what came before its key was trusted") {
			t.Errorf("the log does not say so:\n%s", text)
		}
	})
}

// "Assigns time strictly increasing": across restarts, and with a clock that
// was set back.
func TestAckTimeGrowsAcrossRestarts(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		p.ingest(p.tape(1, p.key).events(1)...)
		var last time.Time
		for i := range 5 {
			if i == 3 { // the clock stood ahead when the last one was given
				last = time.Now().Add(time.Hour)
				p.tamper("UPDATE counter SET ack_ms = ?1", last.UnixMilli())
			}
			p.reopen()
			a, err := p.ledger.Ack(t.Context(), p.id)
			if err != nil || !a.Time.After(last.Truncate(time.Millisecond)) {
				t.Fatalf("%s after %s, %v", a.Time, last, err)
			}
			last = a.Time.Time
		}
	})
}

// A counter's event counts on its own topic only, whoever signed it.
func TestReplayOnAnotherTopicIsRefused(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		e := p.tape(1, p.key).events(1)
		p.trust(&sender{t: t, id: "CGK-T3-D08", key: p.key}) // one key for two counters, by somebody's mistake
		r, err := p.ledger.Ingest(t.Context(), p.keys, []hub.Delivery{{Counter: "CGK-T3-D08", Sealed: e[0]}})
		if err != nil || len(r.Aside) != 1 || r.Aside[0].Reason != hub.AsideTopic || len(r.Counters) != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		if r := p.ingest(e[0]); r.Stored != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// "The same position with other bytes is equivocation: kept aside and
// alarmed", and what is there stays.
func TestEquivocationIsKeptAsideAndAlarmed(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		w := newWire(t, at)
		c, fork := w.tape(1, w.key), w.tape(1, w.key)
		c.events(3)
		fork.events(3)
		stop := w.run()
		w.publish(c.sealed...)
		w.publish(fork.sealed[1])
		until(t, "keeping it aside", func() bool {
			n, err := w.ledger.AsideCount(t.Context())
			return err == nil && n[hub.AsideEquivocation] == 1
		})
		stop()
		if text := w.log.String(); !strings.Contains(text, "reason=equivocation") {
			t.Errorf("nobody is told:\n%s", text)
		}
		if of, _ := w.epoch(c.head.Epoch); of.Head != c.head.Hash.String() || w.whole().Events != 3 {
			t.Errorf("%+v", of)
		}
	})
}

// An acknowledgement names the epochs that were heard last, however many a
// counter went through.
func TestAckNamesTheEpochsHeardLast(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		first := p.tape(1, p.key)
		p.ingest(first.events(1)...)
		for i := range byte(12) {
			time.Sleep(2 * time.Millisecond) // they are told apart by when they came
			p.ingest(p.tape(10+i, p.key).events(1)...)
		}
		if _, named := p.epoch(first.head.Epoch); named {
			t.Error("the acknowledgement grows without end")
		}
		time.Sleep(2 * time.Millisecond)
		p.ingest(first.sealed[0])
		if _, named := p.epoch(first.head.Epoch); !named {
			t.Error("a counter that speaks of an old epoch is not answered")
		}
	})
}
