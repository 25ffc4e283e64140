package crossing_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"lintas/agent/crossing"
)

// "A removed, altered, reordered or cut event is found by anyone with the
// public keys": whatever is done to any event of a chain, the first bad
// sequence is named.
func TestChainNamesTheFirstBadSequence(t *testing.T) {
	p := newPost(t)
	for range 8 {
		p.record(t, crossing.AgentStopped, &crossing.Stopped{Reason: "signal"})
	}
	e := p.sealed
	// broken walks from an event on and gives where it stops, or the number of
	// the event that would come next.
	broken := func(from int, list [][]byte) uint64 {
		chain := &crossing.Chain{Keys: p.key.Public(), Counter: counterID}
		for i := from; i < len(list); i++ {
			if _, err := chain.Next(uint64(i+1), list[i]); err != nil {
				at, ok := errors.AsType[*crossing.ChainError](err)
				if !ok {
					t.Fatal(err)
				}
				return at.Sequence
			}
		}
		return uint64(len(list)) + 1
	}
	for i := range e {
		at := uint64(i + 1)
		// The events take turns with the bytes: a signature check is dear.
		for b := i % 4; b < len(e[i]); b += 4 {
			list := slices.Clone(e)
			list[i] = bytes.Clone(e[i])
			list[i][b] ^= 1 << (b % 6)
			if got := broken(max(i-1, 0), list); got != at {
				t.Fatalf("byte %d of event %d: a break at %d", b, at, got)
			}
		}
		if got := broken(0, slices.Delete(slices.Clone(e), i, i+1)); got != at {
			t.Errorf("removed %d: a break at %d", at, got)
		}
		if got := broken(0, slices.Insert(slices.Clone(e), i, e[i])); got != at+1 {
			t.Errorf("doubled %d: a break at %d", at, got)
		}
		if i+1 < len(e) {
			list := slices.Clone(e)
			list[i], list[i+1] = list[i+1], list[i]
			if got := broken(0, list); got != at {
				t.Errorf("swapped %d: a break at %d", at, got)
			}
		}
		if got := broken(0, e[:i]); got != at { // whoever knows the acknowledged end misses the next
			t.Errorf("cut at %d: a break at %d", at, got)
		}
	}
}
