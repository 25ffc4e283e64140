package hub

import (
	"encoding/json"
	"fmt"

	"lintas/agent/crossing"
	"lintas/queue"
)

// heed acts on the two records that are meant for the hub itself. Everything
// else stays sealed. A hub without identities leaves them to the operator.
func (in *ingest) heed(a arrival) error {
	if a.at.Sequence == 1 {
		in.began(a)
	}
	t, err := crossing.ParseType(a.event.Type)
	if err != nil {
		return nil // of a later version: stored, not understood
	}
	switch t {
	case crossing.KeyRotated:
		var rec crossing.Rotated
		if in.understand(a, &rec) {
			return in.rotated(a, rec)
		}
	case crossing.QueueRecovered:
		var rec crossing.Recovered
		if a.at.Sequence == 1 && in.understand(a, &rec) {
			return in.recovered(a, rec)
		}
	}
	return nil
}

// began tells the operator when a counter that has an open chain begins another
// one as if nothing had been before: somebody has removed all that it knew of
// itself.
func (in *ingest) began(a arrival) {
	if a.event.Type == crossing.QueueRecovered.Wire() {
		return // it says itself what happened
	}
	for of, c := range in.chains {
		if of.counter == a.counter && of.epoch != a.at.Epoch && c.head.Sequence > 0 && !c.closed {
			in.result.notice(a.counter, "the counter has begun a new chain and says nothing of the one before: its queue was removed", "epoch", a.at.Epoch.String())
			break
		}
	}
}

// understand opens a record; where it cannot be opened, the operator is told.
func (in *ingest) understand(a arrival, rec crossing.Record) bool {
	identities, err := in.keys.Identities()
	if err == nil {
		var plain []byte
		if plain, err = a.event.Decrypt(identities...); err == nil {
			err = json.Unmarshal(plain, rec)
		}
	}
	if err != nil {
		in.result.notice(a.counter, "a record for the hub cannot be opened here", "type", a.event.Type, "id", a.event.ID, "error", err)
	}
	return err == nil
}

// rotated trusts the key that a trusted key names: in the ledger, for all hubs,
// and in this one's folder. That file is written before the event is committed:
// a power cut in between leaves a key too many, which the event names again when
// it comes again, and never an event whose key was forgotten.
func (in *ingest) rotated(a arrival, rec crossing.Rotated) error {
	added, err := rec.NewKey()
	if err == nil {
		_, err = in.keys.add(a.counter, added)
	}
	if err != nil {
		in.result.notice(a.counter, "cannot trust the counter's new key; use lintas-hub keys trust", "id", a.event.ID, "error", err)
		return nil
	}
	in.result.notice(a.counter, "the counter has a new key, named by the one before", "key", rec.KeyID, "previous_key", a.event.KeyID)
	in.result.Trusted = append(in.result.Trusted, a.counter)
	return in.tx.trust(in.ctx, a.counter, added, in.now)
}

// recovered notes what a counter says of the epoch before: what of it is lost,
// and when all the rest has come again.
func (in *ingest) recovered(a arrival, rec crossing.Recovered) error {
	in.result.notice(a.counter, "the counter's queue was recovered", "cause", rec.Cause, "missing", rec.Missing, "rewrapped", rec.Rewrapped)
	previous, err := queue.ParseEpoch(rec.PreviousEpoch)
	if err != nil || previous == a.at.Epoch || rec.Rewrapped < 0 {
		return nil // unknown to the counter: there is nothing to close
	}
	missing, err := json.Marshal(ranges(rec.Missing[:min(len(rec.Missing), missingLimit)]).after(0))
	if err != nil {
		return err
	}
	_, err = in.tx.exec(in.ctx, `INSERT INTO epoch(counter, epoch, through, head, seen_ms) VALUES(?, ?, 0, ?, ?) ON CONFLICT DO NOTHING`,
		a.counter, previous[:], make([]byte, len(queue.Hash{})), in.now.UnixMilli())
	if err != nil {
		return err
	}
	_, err = in.tx.exec(in.ctx, "UPDATE epoch SET successor = ?, settled = ?, missing = ? WHERE counter = ? AND epoch = ?",
		a.at.Epoch[:], rec.Rewrapped+1, string(missing), a.counter, previous[:])
	in.counters[a.counter].closes = true
	return err
}

const (
	// missingLimit bounds how many ranges of an epoch are kept.
	missingLimit = 256
	// sequenceLimit is the largest integer that every reader of JSON gets
	// right (RFC 8259 §6).
	sequenceLimit = 1<<53 - 1
)

// ranges of sequences, both ends included.
type ranges [][2]uint64

// after gives what of the ranges lies behind a sequence, and drops what is no
// range.
func (r ranges) after(through uint64) ranges {
	list := ranges{}
	for _, m := range r {
		if m[0] = max(m[0], through+1); m[0] <= m[1] && m[1] <= sequenceLimit {
			list = append(list, m)
		}
	}
	return list
}

func (r ranges) count() (n uint64) {
	for _, m := range r {
		n += m[1] - m[0] + 1
	}
	return n
}

// readRanges reads what recovered stored, as far as it lies behind a sequence:
// what came after all is not missing.
func readRanges(text string, through uint64) (ranges, error) {
	var r ranges
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, fmt.Errorf("ranges of missing events: %w", err)
	}
	return r.after(through), nil
}
