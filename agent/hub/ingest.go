package hub

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/queue"
)

// ingest is one transaction that takes deliveries in.
type ingest struct {
	ctx    context.Context
	tx     tx
	keys   *KeyRing
	result *Result
	now    time.Time
	kept   map[Aside]int64 // how many are kept aside already, as far as asked
	heard  map[chainOf]bool
	asides *bool // whether anything is kept aside at all; nil: not asked yet
}

type chainOf struct {
	counter string
	epoch   queue.Epoch
}

// arrival is a delivery whose signature has been checked.
type arrival struct {
	counter string
	at      queue.Position
	hash    queue.Hash       // of the event, also where only its tombstone came
	event   *crossing.Sealed // nil: a tombstone
	sealed  []byte
}

func (in *ingest) one(d Delivery) error {
	a, reason := in.open(d)
	out := Outcome{Counter: d.Counter, Reason: reason}
	if reason == "" {
		var err error
		if out, err = in.take(a); err != nil {
			return err
		}
		if out.Reason == "" || out.Reason == Early {
			in.result.answer(a.counter)
			in.heard[chainOf{a.counter, a.at.Epoch}] = true
		}
	}
	in.result.Outcomes = append(in.result.Outcomes, out)
	switch out.Reason {
	case "":
		return in.forget(d.Sealed)
	case Early:
		in.result.Early++
		return nil
	}
	return in.aside(d, out.Reason)
}

// open checks a delivery by itself.
func (in *ingest) open(d Delivery) (a arrival, reason string) {
	if !crossing.ValidCounter(d.Counter) {
		return a, AsideTopic
	}
	a, err := in.keys.open(d.Counter, d.Sealed)
	switch {
	case errors.Is(err, crossing.ErrUnknownKey), errors.Is(err, errKeyFile):
		return a, AsideKey
	case err != nil, a.event != nil && strings.ContainsRune(a.event.Type, 0): // which PostgreSQL does not take
		return a, AsideUnreadable
	case a.counter != d.Counter:
		return a, AsideTopic
	}
	return a, ""
}

// take finds the place of an arrival in its chain.
func (in *ingest) take(a arrival) (Outcome, error) {
	out := Outcome{Counter: a.counter, Sequence: a.at.Sequence}
	head, known, err := in.head(a.counter, a.at.Epoch)
	if err != nil {
		return out, err
	}
	switch {
	case a.at.Sequence <= head.Sequence:
		out.Reason, err = in.again(a, head)
	case a.at.Sequence > head.Sequence+1:
		out.Sequence, out.Reason = head.Sequence+1, Early
		if !known { // so that the counter gets an answer at all
			err = in.advance(a.counter, head)
		}
	case a.at.Prev != head.Hash:
		out.Reason = AsideChain
	default:
		if out.Reason, err = in.store(a); err == nil && out.Reason == "" {
			err = in.advance(a.counter, queue.Head{Epoch: a.at.Epoch, Sequence: a.at.Sequence, Hash: a.hash})
		}
	}
	return out, err
}

// again takes what stands at a position that the chain has passed: what is
// here already, the body that is owed there, or something else. A position at
// which nothing is left, because somebody removed it from the ledger, is
// filled again by what fits.
func (in *ingest) again(a arrival, head queue.Head) (reason string, err error) {
	there, err := in.at(a.counter, a.at.Epoch, a.at.Sequence)
	switch {
	case err != nil:
		return "", err
	case there.found && there.hash != a.hash:
		return AsideEquivocation, nil
	case there.found && (!there.owed || a.event == nil):
		in.result.Duplicates++
		return "", nil
	}
	fits, err := in.fits(a, head)
	switch {
	case err != nil:
		return "", err
	case !fits && there.found:
		return AsideChain, nil // the tombstone and the original name different events before them
	case !fits:
		return AsideEquivocation, nil
	case !there.found:
		in.result.notice(a.counter, "an event was gone from the ledger and came again", "epoch", a.at.Epoch.String(), "sequence", a.at.Sequence)
	default:
		_, err := in.tx.exec(in.ctx, "DELETE FROM owed WHERE counter = ? AND epoch = ? AND sequence = ?", a.counter, a.at.Epoch[:], a.at.Sequence)
		if err != nil {
			return "", err
		}
	}
	return in.store(a)
}

// fits tells whether an arrival links its neighbours, as far as they are here.
func (in *ingest) fits(a arrival, head queue.Head) (bool, error) {
	if a.at.Sequence == 1 && a.at.Prev != (queue.Hash{}) {
		return false, nil
	}
	if a.at.Sequence > 1 {
		before, err := in.at(a.counter, a.at.Epoch, a.at.Sequence-1)
		if err != nil || before.found && before.hash != a.at.Prev {
			return false, err
		}
	}
	if a.at.Sequence == head.Sequence {
		return a.hash == head.Hash, nil
	}
	after, err := in.at(a.counter, a.at.Epoch, a.at.Sequence+1)
	if err != nil || !after.found {
		return err == nil, err
	}
	prev, err := crossing.Before(after.sealed)
	return err == nil && prev == a.hash, nil
}

// standing is what the ledger has at a position.
type standing struct {
	found, owed bool
	hash        queue.Hash
	sealed      []byte
}

func (in *ingest) at(counter string, epoch queue.Epoch, sequence uint64) (s standing, err error) {
	var hash []byte
	err = in.tx.row(in.ctx, `SELECT hash, sealed, false FROM event WHERE counter = ?1 AND epoch = ?2 AND sequence = ?3
		UNION ALL SELECT hash, sealed, true FROM owed WHERE counter = ?1 AND epoch = ?2 AND sequence = ?3 LIMIT 1`,
		counter, epoch[:], sequence).Scan(&hash, &s.sealed, &s.owed)
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil
	} else if err != nil {
		return s, err
	}
	s.found = true
	copy(s.hash[:], hash) // of another length only if somebody wrote it; then it equals nothing
	return s, nil
}

// head gives the end of the chain as the ledger has it.
func (in *ingest) head(counter string, epoch queue.Epoch) (h queue.Head, known bool, err error) {
	h.Epoch = epoch
	var hash []byte
	err = in.tx.row(in.ctx, "SELECT through, head FROM epoch WHERE counter = ? AND epoch = ?", counter, epoch[:]).
		Scan(&h.Sequence, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return h, false, nil
	} else if err != nil {
		return h, false, err
	}
	h.Hash = queue.Hash(hash)
	return h, true, nil
}

// store writes an arrival at its position. Something can be there only if
// somebody changed the ledger behind the hub's back; that stays as it is, and
// the hub goes on.
func (in *ingest) store(a arrival) (reason string, err error) {
	var r sql.Result
	if s := a.event; s == nil {
		r, err = in.tx.exec(in.ctx, `INSERT INTO owed(counter, epoch, sequence, hash, sealed, received_ms) VALUES(?, ?, ?, ?, ?, ?)
			ON CONFLICT DO NOTHING`, a.counter, a.at.Epoch[:], a.at.Sequence, a.hash[:], a.sealed, in.now.UnixMilli())
	} else {
		var repeated bool
		if repeated, err = in.repeated(a); err != nil {
			return "", err
		}
		r, err = in.tx.exec(in.ctx, `INSERT INTO event(counter, epoch, sequence, id, type, time, hash, sealed, received_ms, repeated)
			VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			a.counter, a.at.Epoch[:], a.at.Sequence, s.UUID[:], s.Type, s.Time.String(), a.hash[:], a.sealed, in.now.UnixMilli(), repeated)
	}
	if err != nil {
		return "", err
	}
	n, err := r.RowsAffected()
	switch {
	case err != nil:
		return "", err
	case n == 0:
		there, err := in.at(a.counter, a.at.Epoch, a.at.Sequence)
		if err == nil && there.hash != a.hash {
			return AsideEquivocation, nil
		}
		in.result.Duplicates++
		return "", err
	case a.event == nil:
		in.result.Owed++
		return "", nil
	}
	in.result.Stored++
	return "", in.heed(a)
}

// repeated tells whether the counter has sent this message before. One that
// it wrapped anew after losing its disk comes with an id that is here already:
// its place in the chain counts, its body does not. Another message under a
// known id is no repetition: it must not hide behind the first.
func (in *ingest) repeated(a arrival) (bool, error) {
	rows, err := in.tx.query(in.ctx, "SELECT sealed FROM event WHERE id = ? AND counter = ? AND NOT repeated", a.event.UUID[:], a.counter)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	known := false
	for rows.Next() {
		var sealed []byte
		if err := rows.Scan(&sealed); err != nil {
			return false, err
		}
		known = true
		if crossing.SameMessage(sealed, a.sealed) {
			return true, nil
		}
	}
	if known {
		in.result.notice(a.counter, "an id was used for two different events", "id", uuid.UUID(a.event.UUID).String(), "sequence", a.at.Sequence)
	}
	return false, rows.Err()
}

func (in *ingest) advance(counter string, h queue.Head) error {
	_, err := in.tx.exec(in.ctx, "INSERT INTO counter(counter, ack_ms) VALUES(?, 0) ON CONFLICT DO NOTHING", counter)
	if err != nil {
		return err
	}
	_, err = in.tx.exec(in.ctx, `INSERT INTO epoch(counter, epoch, through, head, seen_ms) VALUES(?, ?, ?, ?, ?)
		ON CONFLICT(counter, epoch) DO UPDATE SET through = excluded.through, head = excluded.head`,
		counter, h.Epoch[:], h.Sequence, h.Hash[:], in.now.UnixMilli())
	return err
}

// finish notes which chains were heard, and closes those of which nothing is
// outstanding. A closed one that is heard again is open from then on: a
// counter whose disk was restored from an old copy must learn from its
// acknowledgement that the hub knows more than it does.
func (in *ingest) finish() error {
	for of := range in.heard {
		_, err := in.tx.exec(in.ctx, `UPDATE epoch SET heard_ms = ?,
			successor = CASE WHEN closed_ms IS NULL THEN successor END, closed_ms = NULL
			WHERE counter = ? AND epoch = ?`, in.now.UnixMilli(), of.counter, of.epoch[:])
		if err != nil {
			return err
		}
	}
	for _, counter := range in.result.Counters {
		for {
			// Closing one may close the one before it.
			r, err := in.tx.exec(in.ctx, `UPDATE epoch AS p SET closed_ms = ? WHERE counter = ? AND closed_ms IS NULL
				AND EXISTS (SELECT 1 FROM epoch s WHERE s.counter = p.counter AND s.epoch = p.successor
					AND (s.through >= p.settled OR s.closed_ms IS NOT NULL))
				AND NOT EXISTS (SELECT 1 FROM owed o WHERE o.counter = p.counter AND o.epoch = p.epoch)`, in.now.UnixMilli(), counter)
			if err != nil {
				return err
			}
			if n, err := r.RowsAffected(); err != nil || n == 0 {
				if err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}
