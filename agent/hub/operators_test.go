package hub_test

import (
	"testing"

	"lintas/agent/crossing"
	"lintas/agent/hub"
)

var word = hub.Word{Officer: "S. Wulandari", Why: "stolen"}

func (p *place) decisions() (n int) {
	p.t.Helper()
	p.look("SELECT count(*) FROM decision WHERE officer = 'S. Wulandari' AND why = 'stolen'", &n)
	return n
}

func (p *place) kept() []hub.Kept {
	p.t.Helper()
	list, err := p.ledger.Kept(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return list
}

// A revoked counter's later events are kept aside, what it sent before is
// confirmed as ever, and both can be turned back.
func TestRevokedCounter(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		c := p.tape(1, p.key)
		e := c.events(6)
		p.ingest(e[:2]...)
		if err := p.ledger.Revoke(t.Context(), p.keys, p.id, word); err != nil {
			t.Fatal(err)
		}
		if err := p.ledger.Revoke(t.Context(), p.keys, p.id, word); err == nil {
			t.Error("revoked twice")
		}
		r := p.ingest(e[:5]...)
		if r.Duplicates != 2 || r.Stored != 0 || len(r.Aside) != 3 || r.Aside[0].Reason != hub.AsideRevoked {
			t.Fatalf("%+v", r)
		}
		if of, _ := p.epoch(c.head.Epoch); of.Through != 2 {
			t.Errorf("%+v", of)
		}
		p.whole() // its key still vouches for what came before
		if list, err := p.keys.Counters(); err != nil || len(list) != 0 {
			t.Errorf("the list's key would go to %v, %v", list, err)
		}
		other := hub.NewKeyRing(t.TempDir()) // on another machine
		trustIn(t, other, p.id, publicKey(t, p.key))
		if _, err := p.ledger.Learn(t.Context(), other); err != nil {
			t.Error(err)
		}
		if list, err := other.Counters(); err != nil || len(list) != 0 {
			t.Errorf("the list's key would go to %v, %v", list, err)
		}
		// An operator decides: in any order, and what has no gap before it.
		list := p.kept()
		if len(list) != 3 || list[0].Claims != p.id || list[0].KeyID != p.key.ID || list[0].Sequence != 3 {
			t.Fatalf("%+v", list)
		}
		ruled, err := p.ledger.Accept(t.Context(), p.keys, []int64{list[2].N}, word)
		if err != nil || len(ruled) != 1 || ruled[0].Reason != hub.Early {
			t.Errorf("%+v, %v", ruled, err)
		}
		ruled, err = p.ledger.Accept(t.Context(), p.keys, []int64{list[1].N, list[0].N}, word)
		if err != nil || len(ruled) != 2 || ruled[0].Reason+ruled[1].Reason != "" {
			t.Errorf("%+v, %v", ruled, err)
		}
		if of, _ := p.epoch(c.head.Epoch); of.Through != 4 {
			t.Errorf("%+v", of)
		}
		// Nothing that is rejected comes up again, and nothing is gone.
		if _, err := p.ledger.Reject(t.Context(), []int64{list[2].N}, word); err != nil {
			t.Fatal(err)
		}
		p.ingest(e[4])
		if list := p.kept(); len(list) != 1 || list[0].Decision != "rejected" {
			t.Errorf("%+v", list)
		}
		if n, err := p.ledger.AsideCount(t.Context()); err != nil || len(n) != 0 {
			t.Errorf("%v, %v", n, err)
		}
		if _, err := p.ledger.Accept(t.Context(), p.keys, []int64{list[2].N}, word); err == nil {
			t.Error("what was rejected is accepted without a word")
		}
		if n := p.decisions(); n != 4 { // revoke, two accepted, one rejected
			t.Errorf("%d decisions are on record", n)
		}
		// The machine was found again.
		if _, err := p.ledger.AddCounter(t.Context(), p.keys, p.id, p.key.Public(), word); err != nil {
			t.Fatal(err)
		}
		if r := p.ingest(e...); r.Stored != 2 {
			t.Errorf("%+v", r)
		}
		if list := p.kept(); len(list) != 0 {
			t.Errorf("in the ledger and aside: %+v", list)
		}
		if list, err := p.keys.Counters(); err != nil || len(list) != 1 {
			t.Errorf("%v, %v", list, err)
		}
	})
}

func publicKey(t *testing.T, key crossing.PrivateKey) []byte {
	t.Helper()
	jwks, err := key.Public().MarshalJWKS()
	if err != nil {
		t.Fatal(err)
	}
	return jwks
}

// A provisional key introduces itself in what was kept aside. Whoever claims
// the counter's name with a key of his own is listed beside it: the thumbprint
// decides.
func TestProvisionalKeyIntroducesItself(t *testing.T) {
	eachStore(t, func(t *testing.T, at storage) {
		p := newPlace(t, at)
		provisional, evil := newKey(t), newKey(t)
		c, forged := p.tape(1, provisional), p.tape(1, evil)
		c.record(crossing.KeyRotated, rotated(t, "", provisional))
		c.events(2)
		forged.record(crossing.KeyRotated, rotated(t, "", evil))
		stolen := p.tape(2, evil) // names a key that it does not sign with
		stolen.record(crossing.KeyRotated, rotated(t, "", provisional))
		p.refused(hub.AsideKey, append(c.sealed, forged.sealed[0], stolen.sealed[0])...)
		found, err := p.ledger.Provisionals(t.Context(), p.keys, p.id)
		if err != nil || len(found) != 2 {
			t.Fatalf("%+v, %v", found, err)
		}
		if found[0].KeyID == evil.ID { // they came together
			found[0], found[1] = found[1], found[0]
		}
		if found[0].KeyID != provisional.ID || found[1].KeyID != evil.ID {
			t.Fatalf("%+v", found)
		}
		r, err := p.ledger.AddCounter(t.Context(), p.keys, p.id, found[0].Keys, word)
		if err != nil || r.Stored != 3 {
			t.Fatalf("%+v, %v", r, err)
		}
		if list := p.kept(); len(list) != 2 {
			t.Errorf("%+v", list)
		}
		ruled, err := p.ledger.Accept(t.Context(), p.keys, []int64{p.kept()[0].N}, word)
		if err != nil || ruled[0].Reason != hub.AsideKey {
			t.Errorf("%+v, %v", ruled, err)
		}
	})
}

// How the counters stand, as far as they were heard and say themselves.
func TestStandings(t *testing.T) {
	w := newWire(t, inPostgres)
	e := w.tape(1, w.key).events(4)
	w.run()
	w.publish(e[0], e[1], []byte("junk"))
	depth := uint64(2)
	state := func(counter string, s crossing.State) {
		if err := w.broker.Publish(crossing.StateTopic(counter), s.Marshal(), true, 1); err != nil {
			t.Fatal(err)
		}
	}
	state(w.id, crossing.State{Counter: w.id, Online: true, QueueDepth: depth})
	state("XXX-1", crossing.State{Counter: "XXX-1"})   // nobody has heard of it
	state("CGK-T3-D08", crossing.State{Counter: w.id}) // in another's name
	if err := w.broker.Publish(crossing.StateTopic(w.id), []byte("{\"counter\":\"\xff\"}"), true, 1); err != nil {
		t.Fatal(err)
	}
	var list []*hub.Standing
	until(t, "the state is known", func() bool {
		var err error
		if list, err = w.ledger.Standings(t.Context(), w.keys); err != nil {
			t.Fatal(err)
		}
		return len(list) > 0 && list[0].Online != nil
	})
	s := list[0]
	if len(list) != 1 || s.Counter != w.id || s.Trust != "trusted" || s.Through != 2 || s.HeardAt == nil || !*s.Online || *s.QueueDepth != depth || s.Aside[hub.AsideUnreadable] != 1 {
		t.Errorf("%d counters, %+v", len(list), s)
	}
}
