package hub_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"lintas/agent/crossing"
	"lintas/agent/hub"
)

func rotated(t testing.TB, previous string, next crossing.PrivateKey) *crossing.Rotated {
	t.Helper()
	r, err := crossing.RotatedTo(crossing.Place{}, previous, next)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A key that a trusted key names is trusted, in the same batch already and
// after a restart.
func TestRotatedKeyIsTrusted(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		c, next := p.tape(1, p.key), newKey(t)
		c.record(crossing.KeyRotated, rotated(t, p.key.ID, next))
		if err := c.sealer.Use(next); err != nil {
			t.Fatal(err)
		}
		c.events(2)
		if r := p.ingest(c.sealed...); r.Stored != 3 || len(r.Notices) != 1 {
			t.Fatalf("%+v", r)
		}
		p.keys = hub.NewKeyRing(p.dir)
		if keys, err := p.keys.For(p.id); err != nil || keys[next.ID] == nil || keys[p.key.ID] == nil {
			t.Errorf("%v, %v", keys, err)
		}
		if w := p.whole(); w.Events != 3 {
			t.Errorf("%+v", w)
		}
	})
}

// Whoever is not trusted cannot make himself so.
func TestRotatedKeyOfAStrangerStaysAside(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		evil := newKey(t)
		c := p.tape(1, evil)
		c.record(crossing.KeyRotated, rotated(t, p.key.ID, evil))
		p.refused(hub.AsideKey, append(c.events(1), c.sealed[0])...)
		if keys, err := p.keys.For(p.id); err != nil || keys[evil.ID] != nil {
			t.Errorf("%v, %v", keys, err)
		}
		// Nor can a trusted key name one that is not what it says.
		rec := rotated(t, p.key.ID, evil)
		rec.KeyID = p.key.ID
		good := p.tape(2, p.key)
		if r := p.ingest(good.record(crossing.KeyRotated, rec)); r.Stored != 1 || len(r.Notices) != 1 {
			t.Errorf("%+v", r)
		}
		if keys, err := p.keys.For(p.id); err != nil || len(keys) != 1 {
			t.Errorf("%v, %v", keys, err)
		}
	})
}

// A hub that cannot open records stores the event and tells the operator.
func TestRotationWithoutIdentityIsLeftToTheOperator(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		if err := os.Remove(filepath.Join(p.dir, hub.FileIdentity)); err != nil {
			t.Fatal(err)
		}
		c, next := p.tape(1, p.key), newKey(t)
		if r := p.ingest(c.record(crossing.KeyRotated, rotated(t, p.key.ID, next))); r.Stored != 1 || len(r.Notices) != 1 {
			t.Fatalf("%+v", r)
		}
		if keys, err := p.keys.For(p.id); err != nil || len(keys) != 1 {
			t.Errorf("%v, %v", keys, err)
		}
		if err := c.sealer.Use(next); err != nil {
			t.Fatal(err)
		}
		late := c.events(1)
		p.refused(hub.AsideKey, late...)
		p.trust(&sender{t: t, id: p.id, key: next})
		if r := p.ingest(late...); r.Stored != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// What came under a provisional key is kept aside until somebody trusts it,
// and then taken in, in the order of the chain, without the counter.
func TestProvisionalKeyIsTakenInWhenTrusted(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		provisional := newKey(t)
		c := p.tape(1, provisional)
		e := c.events(4)
		p.refused(hub.AsideKey, e[2], e[0], c.tombstone(e[1]), e[3])
		unknown := p.tape(2, newKey(t))
		p.refused(hub.AsideKey, unknown.events(1)...)
		if r, err := p.ledger.Retake(t.Context(), p.keys, p.id); err != nil || r.Stored+len(r.Aside) > 0 {
			t.Fatalf("before anybody trusts it: %+v, %v", r, err)
		}
		p.trust(&sender{t: t, id: p.id, key: provisional})
		r, err := p.ledger.Retake(t.Context(), p.keys, p.id)
		if err != nil || r.Stored != 3 || r.Owed != 1 || len(r.Counters) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		if w := p.whole(); w != (hub.Whole{Events: 3, Owed: 1}) {
			t.Errorf("%+v", w)
		}
		count, err := p.ledger.AsideCount(t.Context())
		if err != nil || count[hub.AsideKey] != 1 {
			t.Errorf("still aside: %v, %v", count, err)
		}
	})
}

// Nothing depends on what was kept aside: it is bounded, and the counter sends
// again whatever is not acknowledged.
func TestProvisionalKeyCounterSendsAgain(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		provisional := newKey(t)
		c := p.tape(1, provisional)
		e := c.events(4)
		p.refused(hub.AsideKey, e[1], e[2]) // the first was never kept
		p.trust(&sender{t: t, id: p.id, key: provisional})
		r, err := p.ledger.Retake(t.Context(), p.keys, p.id)
		if err != nil || r.Stored != 0 || r.Early != 2 || len(r.Counters) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		if r := p.ingest(e...); r.Stored != 4 {
			t.Fatalf("%+v", r)
		}
		if count, err := p.ledger.AsideCount(t.Context()); err != nil || len(count) != 0 {
			t.Errorf("what is in the ledger counts as kept aside: %v, %v", count, err)
		}
	})
}

// Keys are read while others are added.
func TestKeyRingIsSafe(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		var wg sync.WaitGroup
		for range 4 {
			key := newKey(t)
			wg.Go(func() {
				c := p.tape(1, key)
				for range 5 {
					if keys, err := p.keys.For(p.id); err != nil || keys[p.key.ID] == nil {
						t.Error("a key was lost for a while", err)
					}
				}
				p.trust(&sender{t: t, id: p.id, key: key})
				if _, err := p.keys.Open(p.id, c.events(1)[0]); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if keys, err := p.keys.For(p.id); err != nil || len(keys) != 5 {
			t.Errorf("%d keys, %v", len(keys), err)
		}
	})
}
