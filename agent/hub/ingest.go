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
	ctx      context.Context
	tx       tx
	keys     *KeyRing
	result   *Result
	now      time.Time
	waits    bool // see Ledger.Waits
	counters map[string]*counterRow
	chains   map[chainOf]*chainEnd
	ids      map[uuid.UUID]bool // whether the ledger has an event of that id, as far as asked
	single   bool               // write each event at once: see errTaken
	events   [][]any            // rows that are not written yet
	fresh    map[place]standing // what stands at those places
	kept     map[Aside]int64    // how many are kept aside already, as far as asked
	toKeep   []keptAside        // aside, at the end
	asides   *bool              // whether anything is kept aside at all; nil: not asked yet
	unopened [][]any            // what is to be opened
}

func newIngest(ctx context.Context, tx tx, keys *KeyRing, r *Result) *ingest {
	return &ingest{ctx: ctx, tx: tx, keys: keys, result: r, now: time.Now(), counters: map[string]*counterRow{}, chains: map[chainOf]*chainEnd{},
		ids: map[uuid.UUID]bool{}, kept: map[Aside]int64{}, fresh: map[place]standing{}}
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

	repeated bool
}

// one takes in a delivery that has been opened.
func (in *ingest) one(d Delivery, a arrival, reason string) error {
	if reason == "" && in.counters[a.counter] == nil {
		reason = AsideKey // it was trusted just now: see Retake
	}
	out := Outcome{Counter: d.Counter, Reason: reason}
	of := chainOf{a.counter, a.at.Epoch}
	if reason == "" {
		var err error
		if out, err = in.take(a); err != nil {
			return err
		}
		if out.Reason == "" || out.Reason == Early {
			in.result.answer(a.counter)
			in.chain(of).heard = true
		}
	}
	in.result.Outcomes = append(in.result.Outcomes, out)
	switch out.Reason {
	case "":
		return in.forget(d.Sealed)
	case Early:
		in.result.Early++
		if in.waits {
			return in.keep(a)
		}
		return nil
	}
	return in.aside(d, out.Reason)
}

// arrival checks a delivery by itself.
func (k *KeyRing) arrival(d Delivery) (a arrival, reason string) {
	if !crossing.ValidCounter(d.Counter) {
		return a, AsideTopic
	}
	a, err := k.open(d.Counter, d.Sealed)
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
	chain := in.chain(chainOf{a.counter, a.at.Epoch})
	var err error
	switch {
	case a.at.Sequence <= chain.head.Sequence:
		out.Reason, err = in.again(a, chain.head)
	case in.counters[a.counter].revoked:
		out.Reason = AsideRevoked
	case a.at.Sequence > chain.head.Sequence+1:
		out.Sequence, out.Reason = chain.head.Sequence+1, Early
	case a.at.Prev != chain.head.Hash:
		out.Reason = AsideChain
	default:
		if out.Reason, err = in.store(a); err == nil && out.Reason == "" {
			chain.head.Sequence, chain.head.Hash, chain.grown = a.at.Sequence, a.hash, true
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

// place is a position in the ledger.
type place struct {
	chainOf
	sequence uint64
}

// standing is what the ledger has at a position.
type standing struct {
	found, owed bool
	hash        queue.Hash
	sealed      []byte
}

func (in *ingest) at(counter string, epoch queue.Epoch, sequence uint64) (s standing, err error) {
	if s := in.fresh[place{chainOf{counter, epoch}, sequence}]; s.found {
		return s, nil
	}
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

// store writes an arrival at its position. Something can be there only if
// somebody changed the ledger behind the hub's back; that stays as it is, and
// the hub goes on.
func (in *ingest) store(a arrival) (reason string, err error) {
	written := int64(1)
	if s := a.event; s == nil {
		written, err = in.tx.insert(in.ctx, "owed(counter, epoch, sequence, hash, sealed, received_ms)",
			[][]any{{a.counter, a.at.Epoch[:], a.at.Sequence, a.hash[:], a.sealed, in.now.UnixMilli()}}, "ON CONFLICT DO NOTHING")
	} else {
		var repeated bool
		if repeated, err = in.repeated(a); err != nil {
			return "", err
		}
		a.repeated = repeated
		in.events = append(in.events, []any{a.counter, a.at.Epoch[:], a.at.Sequence, s.UUID[:], s.Type, s.Time.String(), a.hash[:], a.sealed, in.now.UnixMilli(), repeated})
		if in.single {
			written, err = in.tx.insert(in.ctx, eventColumns, in.events, "ON CONFLICT DO NOTHING")
			in.events = nil
		} else {
			in.fresh[place{chainOf{a.counter, a.at.Epoch}, a.at.Sequence}] = standing{found: true, hash: a.hash, sealed: a.sealed}
		}
	}
	switch {
	case err != nil:
		return "", err
	case written == 0:
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
	in.toOpen(a)
	return "", in.heed(a)
}

const eventColumns = "event(counter, epoch, sequence, id, type, time, hash, sealed, received_ms, repeated)"

// errTaken: something stands where an event was to be written. The work is done
// anew, event by event.
var errTaken = errors.New("a position is taken already")

// write writes the events that were stored.
func (in *ingest) write() error {
	n, err := in.tx.insert(in.ctx, eventColumns, in.events, "ON CONFLICT DO NOTHING")
	if err == nil && n < int64(len(in.events)) {
		err = errTaken
	}
	return err
}

// lookUp asks which ids of events the ledger has.
func (in *ingest) lookUp(ids []any) error {
	for _, id := range ids {
		in.ids[uuid.UUID(id.([]byte))] = false
	}
	return in.tx.among(in.ctx, "SELECT id FROM event WHERE id in ", ids, func(rows *sql.Rows) error {
		var id []byte
		err := rows.Scan(&id)
		if err == nil && len(id) == len(uuid.UUID{}) {
			in.ids[uuid.UUID(id)] = true
		}
		return err
	})
}

// repeated tells whether the counter has sent this message before. One that
// it wrapped anew after losing its disk comes with an id that is here already:
// its place in the chain counts, its body does not. Another message under a
// known id is no repetition: it must not hide behind the first.
func (in *ingest) repeated(a arrival) (bool, error) {
	there, asked := in.ids[a.event.UUID]
	in.ids[a.event.UUID] = true
	if asked && !there {
		return false, nil
	}
	if err := in.write(); err != nil { // one of them may be it
		return false, err
	}
	in.events = nil
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

// finish writes what the transaction has found out, and closes the chains of
// which nothing is outstanding.
func (in *ingest) finish() error {
	if err := in.follow(); err != nil {
		return err
	}
	if err := in.write(); err != nil {
		return err
	}
	if _, err := in.tx.insert(in.ctx, "unopened(counter, epoch, sequence)", in.unopened, "ON CONFLICT DO NOTHING"); err != nil {
		return err
	}
	if err := in.advance(); err != nil {
		return err
	}
	for _, counter := range in.result.Counters {
		for in.counters[counter].closes {
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
	return in.putAside()
}
