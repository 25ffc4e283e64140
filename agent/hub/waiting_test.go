package hub_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"lintas/agent/crossing"
	"lintas/agent/hub"
)

func (p *place) waiting() (n int) {
	p.t.Helper()
	p.look("SELECT count(*) FROM waiting", &n)
	return n
}

// Whatever order the broker deals the messages in, and however often: several
// hubs take each event once, and acknowledge only what has no gap before it.
func TestHubsTakeShuffledEventsOnce(t *testing.T) {
	const hubs, counters, events = 3, 5, 120
	p := newPlace(t, inPostgres)
	var all []hub.Delivery
	tapes := map[string]*tape{}
	for i := range counters {
		c := &place{sender: &sender{t: t, id: fmt.Sprintf("CGK-T3-D%02d", i), key: newKey(t), recorder: p.recorder}, keys: p.keys}
		p.trust(c.sender)
		tapes[c.id] = c.tape(byte(i+1), c.key)
		for _, b := range tapes[c.id].events(events) {
			all = append(all, hub.Delivery{Counter: c.id, Sealed: b}, hub.Delivery{Counter: c.id, Sealed: b})
		}
	}
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var hand, wg sync.WaitGroup
	deal := make(chan hub.Delivery)
	hand.Go(func() {
		defer close(deal)
		for _, d := range all {
			deal <- d
		}
	})
	var mu sync.Mutex
	times := map[string]crossing.Time{}
	stored := 0
	for range hubs {
		l, err := hub.OpenLedger(t.Context(), p.db)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		l.Waits = true
		wg.Go(func() {
			for d := range deal {
				batch := []hub.Delivery{d}
				for range rand.N(40) {
					if d, more := <-deal; more {
						batch = append(batch, d)
					}
				}
				r, err := l.Ingest(t.Context(), p.keys, batch)
				if err != nil || len(r.Aside) > 0 {
					t.Errorf("%+v, %v", r.Aside, err)
					return
				}
				err = l.Acks(t.Context(), r.Counters, func(acks []crossing.Ack) error {
					mu.Lock()
					defer mu.Unlock()
					for _, a := range acks {
						if !a.Time.After(times[a.Counter].Time) {
							t.Errorf("counter %s is told %s after %s", a.Counter, a.Time, times[a.Counter])
						}
						times[a.Counter] = a.Time
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				stored += r.Stored
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	hand.Wait()
	if w := p.whole(); w.Events != counters*events || stored != counters*events || p.waiting() != 0 {
		t.Errorf("%+v, %d stored, %d wait", w, stored, p.waiting())
	}
	for id, c := range tapes {
		a, err := p.ledger.Ack(t.Context(), id)
		if err != nil || len(a.Epochs) != 1 || a.Epochs[0].Through != events || a.Epochs[0].Head != c.head.Hash.String() {
			t.Errorf("%+v, %v", a, err)
		}
	}
}

// What waits counts for nothing until the gap is filled, by whoever: another
// hub, an import, an operator who trusts a key.
func TestWhatWaitsIsTakenInWhenTheGapIsFilled(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		p.ledger.Waits = true
		c, fork := p.tape(1, p.key), p.tape(1, p.key)
		e := c.events(6)
		if r := p.ingest(e[5], e[1], e[2]); r.Early != 3 || r.Stored != 0 || len(r.Counters) != 1 || p.waiting() != 3 {
			t.Fatalf("%+v, %d wait", r, p.waiting())
		}
		if of, named := p.epoch(c.head.Epoch); !named || of.Through != 0 {
			t.Errorf("%+v", of)
		}
		p.ledger.Waits = false // as an import
		if r := p.ingest(e[0]); r.Stored != 3 || p.waiting() != 1 {
			t.Errorf("%+v, %d wait", r, p.waiting())
		}
		if of, _ := p.epoch(c.head.Epoch); of.Through != 3 {
			t.Errorf("%+v", of)
		}
		// One that does not fit, although well signed, stands in nobody's way.
		p.ledger.Waits = true
		fork.events(6)
		p.ingest(fork.sealed[4])
		if r := p.ingest(e[3]); r.Stored != 1 || len(r.Aside) != 1 || r.Aside[0].Reason != hub.AsideChain {
			t.Errorf("%+v", r)
		}
		if r := p.ingest(e[4]); r.Stored != 2 || p.waiting() != 0 {
			t.Errorf("%+v, %d wait", r, p.waiting())
		}
		if w := p.whole(); w.Events != 6 {
			t.Errorf("%+v", w)
		}
	})
}

// A counter cannot fill the disk with what waits.
func TestWaitingIsBounded(t *testing.T) {
	p := newPlace(t, inFile)
	p.ledger.Waits = true
	e := p.tape(1, p.key).events(4200)
	p.ingest(e[1:]...)
	if n := p.waiting(); n != 4096 {
		t.Fatalf("%d wait", n)
	}
	// Long after, there is room for others.
	p.tamper("UPDATE waiting SET received_ms = received_ms - 7200000")
	p.ingest(p.tape(2, p.key).events(3)[1:]...)
	if n := p.waiting(); n != 2 {
		t.Errorf("%d wait", n)
	}
	if r := p.ingest(e...); r.Stored != len(e) {
		t.Errorf("%+v", r.Stored)
	}
}

// What one hub is told of a counter's new key the others know, on whatever
// machine they are.
func TestHubsTellEachOtherOfKeys(t *testing.T) {
	p := newPlace(t, inPostgres)
	other := hub.NewKeyRing(t.TempDir()) // another machine
	jwks, err := p.key.Public().MarshalJWKS()
	if err != nil {
		t.Fatal(err)
	}
	trustIn(t, other, p.id, jwks)
	c, next := p.tape(1, p.key), newKey(t)
	c.record(crossing.KeyRotated, rotated(t, p.key.ID, next))
	if err := c.sealer.Use(next); err != nil {
		t.Fatal(err)
	}
	c.events(2)
	p.ingest(c.sealed[0])
	l, err := hub.OpenLedger(t.Context(), p.db)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r, err := l.Ingest(t.Context(), other, []hub.Delivery{{Counter: p.id, Sealed: c.sealed[1]}, {Counter: p.id, Sealed: c.sealed[2]}})
	if err != nil || r.Stored != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	third := hub.NewKeyRing(t.TempDir())
	if news, err := l.Learn(t.Context(), third); err != nil || len(news) != 1 {
		t.Errorf("%v, %v", news, err)
	}
	if keys, err := third.For(p.id); err != nil || keys[next.ID] == nil {
		t.Errorf("%v, %v", keys, err)
	}
	if news, err := l.Learn(t.Context(), third); err != nil || len(news) != 0 {
		t.Errorf("learnt twice: %v, %v", news, err)
	}
	// Those that somebody trusts on one machine only, too.
	by := newKey(t)
	trustIn(t, third, "CGK-T3-D09", publicKey(t, by))
	if err := l.Tell(t.Context(), third, []string{"CGK-T3-D09", p.id}); err != nil {
		t.Fatal(err)
	}
	if news, err := l.Learn(t.Context(), other); err != nil || len(news) != 1 || news[0] != "CGK-T3-D09" {
		t.Errorf("%v, %v", news, err)
	}
}
