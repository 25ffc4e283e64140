package hub

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"time"

	"lintas/agent/crossing"
	"lintas/queue"
	"lintas/queue/sqlite"
)

//go:embed schema.sql
var schemaSQL string

// Schema marks ledgers: "LntL".
var Schema = sqlite.Schema{ApplicationID: 0x4c6e744c, Name: "ledger", Steps: []string{schemaSQL}}

// Reasons for which an event is kept aside.
const (
	AsideTopic        = "topic"        // the topic names no counter, or another one
	AsideKey          = "unknown-key"  // signed with a key that is not trusted for the counter
	AsideUnreadable   = "unreadable"   // not a sealed event, or the signature does not fit
	AsideEquivocation = "equivocation" // another event at a position that is taken
	AsideChain        = "chain"        // does not name the hash of the event before
)

// Ledger keeps sealed events. Its methods may be used from many goroutines.
type Ledger struct{ db *sql.DB }

// OpenLedger opens or makes the ledger at path.
func OpenLedger(ctx context.Context, path string) (*Ledger, error) {
	db, err := sqlite.Open(ctx, path, sqlite.Durable, Schema)
	return &Ledger{db}, err
}

// ReadLedger opens the ledger for reading beside a running hub.
func ReadLedger(ctx context.Context, path string) (*Ledger, error) {
	db, err := sqlite.Open(ctx, path, sqlite.ReadOnly, Schema)
	return &Ledger{db}, err
}

// Close closes the ledger.
func (l *Ledger) Close() error { return l.db.Close() }

// Delivery is an event as it came in. Counter is whose topic it came on.
type Delivery struct {
	Counter string
	Sealed  []byte
}

// Aside is an event that was not accepted.
type Aside struct{ Counter, Reason string }

// Result says what became of deliveries.
type Result struct {
	Stored     int
	Duplicates int
	Early      int // after a gap: not kept, the counter sends it again in order
	Aside      []Aside
	Counters   []string // who is to be answered
}

// Ingest commits deliveries, in the order given.
func (l *Ledger) Ingest(ctx context.Context, keys *KeyRing, deliveries []Delivery) (Result, error) {
	var r Result
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return r, fmt.Errorf("cannot write ledger: %w", err)
	}
	defer tx.Rollback()
	in := &ingest{ctx: ctx, tx: tx, keys: keys, result: &r, now: time.Now(), kept: map[Aside]int64{}}
	for _, d := range deliveries {
		if err := in.one(d); err != nil {
			return r, fmt.Errorf("cannot write ledger: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return r, fmt.Errorf("cannot write ledger: %w", err)
	}
	return r, nil
}

type ingest struct {
	ctx    context.Context
	tx     *sql.Tx
	keys   *KeyRing
	result *Result
	now    time.Time
	kept   map[Aside]int64 // how many are kept aside already, as far as asked
}

func (in *ingest) one(d Delivery) error {
	if !crossing.ValidCounter(d.Counter) {
		return in.aside(d, AsideTopic)
	}
	s, err := in.keys.Open(d.Counter, d.Sealed)
	switch {
	case errors.Is(err, crossing.ErrUnknownKey):
		return in.aside(d, AsideKey)
	case err != nil:
		return in.aside(d, AsideUnreadable)
	case s.Counter != d.Counter:
		return in.aside(d, AsideTopic)
	}
	at := s.Position
	head, known, err := in.head(d.Counter, at.Epoch)
	if err != nil {
		return err
	}
	switch {
	case at.Sequence <= head.Sequence:
		same, err := in.stored(d.Counter, at, s.Hash)
		if err != nil {
			return err
		}
		if !same {
			return in.aside(d, AsideEquivocation)
		}
		in.result.Duplicates++
	case at.Sequence > head.Sequence+1:
		in.result.Early++
		if !known { // so that the counter gets an answer at all
			if err := in.advance(d.Counter, head); err != nil {
				return err
			}
		}
	case at.Prev != head.Hash:
		return in.aside(d, AsideChain)
	default:
		if err := in.store(d.Counter, s, d.Sealed); err != nil {
			return err
		}
		in.result.Stored++
	}
	if !slices.Contains(in.result.Counters, d.Counter) {
		in.result.Counters = append(in.result.Counters, d.Counter)
	}
	return nil
}

// head gives the end of the chain as the ledger has it.
func (in *ingest) head(counter string, epoch queue.Epoch) (h queue.Head, known bool, err error) {
	h.Epoch = epoch
	var hash []byte
	err = in.tx.QueryRowContext(in.ctx, "SELECT through, head FROM epoch WHERE counter = ? AND epoch = ?", counter, epoch[:]).
		Scan(&h.Sequence, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return h, false, nil
	} else if err != nil {
		return h, false, err
	}
	h.Hash = queue.Hash(hash)
	return h, true, nil
}

func (in *ingest) stored(counter string, at queue.Position, hash queue.Hash) (same bool, err error) {
	var there []byte
	err = in.tx.QueryRowContext(in.ctx, "SELECT hash FROM event WHERE counter = ? AND epoch = ? AND sequence = ?",
		counter, at.Epoch[:], at.Sequence).Scan(&there)
	return string(there) == string(hash[:]), err
}

func (in *ingest) store(counter string, s crossing.Sealed, sealed []byte) error {
	// An event that a counter wrapped anew after losing its disk comes with an
	// id that is here already: its place in the chain counts, its body does not.
	_, err := in.tx.ExecContext(in.ctx, `INSERT INTO event(counter, epoch, sequence, id, type, time, hash, sealed, received_ms, repeated)
		VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, EXISTS(SELECT 1 FROM event WHERE id = ? AND counter = ?))`,
		counter, s.Position.Epoch[:], s.Position.Sequence, s.UUID[:], s.Type, s.Time.String(), s.Hash[:], sealed,
		in.now.UnixMilli(), s.UUID[:], counter)
	if err != nil {
		return err
	}
	return in.advance(counter, queue.Head{Epoch: s.Position.Epoch, Sequence: s.Position.Sequence, Hash: s.Hash})
}

func (in *ingest) advance(counter string, h queue.Head) error {
	_, err := in.tx.ExecContext(in.ctx, "INSERT INTO counter(counter, ack_ms) VALUES(?, 0) ON CONFLICT DO NOTHING", counter)
	if err != nil {
		return err
	}
	_, err = in.tx.ExecContext(in.ctx, `INSERT INTO epoch(counter, epoch, through, head, seen_ms) VALUES(?, ?, ?, ?, ?)
		ON CONFLICT(counter, epoch) DO UPDATE SET through = excluded.through, head = excluded.head`,
		counter, h.Epoch[:], h.Sequence, h.Hash[:], in.now.UnixMilli())
	return err
}

// asideLimit bounds how many events are kept aside for one trusted counter and
// reason, and for all others together: whoever can publish must not be able to
// fill the disk.
const asideLimit = 1000

// aside keeps what cannot be accepted. What comes on the topic of a counter
// that nobody trusts is kept under no counter; what could never be an event
// leaves only its hash.
func (in *ingest) aside(d Delivery, reason string) error {
	if keys, err := in.keys.For(d.Counter); err != nil || len(keys) == 0 {
		d.Counter = ""
	}
	a := Aside{d.Counter, reason}
	in.result.Aside = append(in.result.Aside, a)
	if _, counted := in.kept[a]; !counted {
		var n int64
		err := in.tx.QueryRowContext(in.ctx, "SELECT count(*) FROM aside WHERE counter = ? AND reason = ?", d.Counter, reason).Scan(&n)
		if err != nil {
			return err
		}
		in.kept[a] = n
	}
	if in.kept[a] >= asideLimit {
		return nil
	}
	kept := d.Sealed
	if len(kept) > crossing.MaxSealed || reason == AsideTopic {
		kept = []byte{}
	}
	r, err := in.tx.ExecContext(in.ctx, `INSERT INTO aside(counter, reason, sealed, hash, received_ms) VALUES(?, ?, ?, ?, ?)
		ON CONFLICT(hash, reason) DO NOTHING`, d.Counter, reason, kept, hashOf(d.Sealed), in.now.UnixMilli())
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	in.kept[a] += n
	return err
}

// ackEpochs bounds how many epochs an acknowledgement names, the newest first.
const ackEpochs = 8

// Ack says where a counter stands. Its time is later than that of every
// acknowledgement before.
func (l *Ledger) Ack(ctx context.Context, counter string) (crossing.Ack, error) {
	a := crossing.Ack{Counter: counter}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	defer tx.Rollback()
	var last int64
	err = tx.QueryRowContext(ctx, "SELECT ack_ms FROM counter WHERE counter = ?", counter).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	now := max(time.Now().UnixMilli(), last+1)
	a.Time = crossing.TimeOf(time.UnixMilli(now))
	if a.Epochs, err = ackedEpochs(ctx, tx, counter); err != nil {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO counter(counter, ack_ms) VALUES(?, ?)
		ON CONFLICT(counter) DO UPDATE SET ack_ms = excluded.ack_ms`, counter, now)
	if err != nil {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	return a, nil
}

func ackedEpochs(ctx context.Context, tx *sql.Tx, counter string) ([]crossing.AckEpoch, error) {
	rows, err := tx.QueryContext(ctx, `SELECT epoch, through, head FROM epoch WHERE counter = ?
		ORDER BY seen_ms DESC, rowid DESC LIMIT ?`, counter, ackEpochs)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []crossing.AckEpoch
	for rows.Next() {
		var epoch, head []byte
		var e crossing.AckEpoch
		if err := rows.Scan(&epoch, &e.Through, &head); err != nil {
			return nil, err
		}
		e.Epoch, e.Head = queue.Epoch(epoch).String(), queue.Hash(head).String()
		list = append(list, e)
	}
	return list, rows.Err()
}

// Counters lists every counter that the ledger has heard of.
func (l *Ledger) Counters(ctx context.Context) ([]string, error) {
	rows, err := l.db.QueryContext(ctx, "SELECT counter FROM counter ORDER BY counter")
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	var list []string
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
