package hub

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync/atomic"

	"lintas/queue/sqlite"
)

//go:embed schema.sql
var schemaSQL string

//go:embed schema2.sql
var schema2SQL string

//go:embed schema3.sql
var schema3SQL string

//go:embed schema4.sql
var schema4SQL string

// Schema marks ledgers that are SQLite files: "LntL". Steps that have been
// shipped are never edited; each has its like in migrations, for PostgreSQL.
var Schema = sqlite.Schema{ApplicationID: 0x4c6e744c, Name: "ledger", Steps: []string{schemaSQL, schema2SQL, schema3SQL, schema4SQL}}

// Reasons for which an event is kept aside.
const (
	AsideTopic        = "topic"        // the topic names no counter, or another one
	AsideKey          = "unknown-key"  // signed with a key that is not trusted for the counter
	AsideUnreadable   = "unreadable"   // not a sealed event, or the signature does not fit
	AsideEquivocation = "equivocation" // another event at a position that is taken
	AsideChain        = "chain"        // does not name the hash of the event before
	AsideRevoked      = "revoked"      // signed well, by a counter that is revoked
)

// Early is the reason for which an event is not taken in: something before it
// has not come. See Ledger.Waits.
const Early = "early"

// Ledger keeps sealed events, in a SQLite file or in a PostgreSQL database that
// several hubs share. Its methods may be used from many goroutines.
type Ledger struct {
	// Waits: what comes before the event that it follows waits for it in the
	// ledger. Where several hubs share the load, another one has that event;
	// where one hub has all, it was lost, and comes again with all behind it.
	Waits bool

	store
	db      *sql.DB
	version int // of the SQLite schema; one that is only read may be old
	learnt  atomic.Int64
}

// OpenLedger opens or makes the ledger: a file's path or postgres://….
func OpenLedger(ctx context.Context, db string) (*Ledger, error) {
	return openLedger(ctx, db, sqlite.Durable, true)
}

// UseLedger opens a ledger that there is, to ask it and to note in it who asked
// or decided. None is made where a name is mistyped: it would answer that nobody
// has left.
func UseLedger(ctx context.Context, db string) (*Ledger, error) {
	return openLedger(ctx, db, sqlite.Durable, false)
}

// ReadLedger opens the ledger for reading beside a running hub, also a file
// that an older hub made.
func ReadLedger(ctx context.Context, db string) (*Ledger, error) {
	return openLedger(ctx, db, sqlite.ReadOnly, false)
}

func openLedger(ctx context.Context, name string, mode sqlite.Mode, create bool) (*Ledger, error) {
	if isPostgres(name) {
		db, err := openPostgres(ctx, name, mode == sqlite.ReadOnly, create)
		if err != nil {
			return nil, fmt.Errorf("cannot open ledger: %w", err)
		}
		return &Ledger{store: store{db, true}, db: db, version: len(Schema.Steps)}, nil
	}
	if _, err := os.Stat(name); err != nil && !create {
		return nil, fmt.Errorf("cannot open ledger: %w; lintas-hub run makes one", err)
	}
	db, err := sqlite.Open(ctx, name, mode, Schema)
	if err != nil {
		return nil, err
	}
	l := &Ledger{store: store{db, false}, db: db}
	if err := db.QueryRowContext(ctx, "PRAGMA user_version").Scan(&l.version); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot read ledger: %w", err), db.Close())
	}
	return l, nil
}

// Shared tells whether several hubs can use the ledger at a time.
func (l *Ledger) Shared() bool { return l.postgres }

// Close closes the ledger.
func (l *Ledger) Close() error { return l.db.Close() }

// Delivery is an event as it came in. Counter is whose topic it came on.
type Delivery struct {
	Counter string
	Sealed  []byte
}

// Aside is an event that was not accepted.
type Aside struct{ Counter, Reason string }

// Outcome is what became of one delivery.
type Outcome struct {
	Counter string
	// Sequence is the event's; for one that is Early, that of the first one
	// that has not come; 0 for what could not be read.
	Sequence uint64
	Reason   string // "" when the ledger has it
}

// Notice is something that an operator should know, for the log: never
// anything of a traveller. Args are keys and values.
type Notice struct {
	Counter string
	What    string
	Args    []any
}

// Result says what became of deliveries.
type Result struct {
	Stored     int
	Duplicates int
	Owed       int // tombstones: stored is the position, the body is to follow
	Early      int // after a gap: the counter sends it again in order, unless it waits here
	Aside      []Aside
	Outcomes   []Outcome // one for each delivery
	Counters   []string  // who is to be answered
	Notices    []Notice
	Trusted    []string // counters that have a new key
}

// Ingest commits deliveries, in the order given.
func (l *Ledger) Ingest(ctx context.Context, keys *KeyRing, deliveries []Delivery) (Result, error) {
	opened := make([]arrival, len(deliveries))
	reasons := make([]string, len(deliveries))
	counters := make([]string, len(deliveries))
	ids := make([]any, 0, len(deliveries))
	for i, d := range deliveries { // here: while a counter is locked, others may wait for it
		counters[i] = d.Counter
		if opened[i], reasons[i] = keys.arrival(d); reasons[i] == "" && opened[i].event != nil {
			ids = append(ids, opened[i].event.UUID[:])
		}
	}
	return l.ingest(ctx, keys, counters, func(in *ingest) error {
		if err := in.lookUp(ids); err != nil {
			return err
		}
		for i, d := range deliveries {
			a, reason := opened[i], reasons[i]
			if reason == AsideKey { // perhaps it has become known
				a, reason = keys.arrival(d)
			}
			if err := in.one(d, a, reason); err != nil {
				return err
			}
		}
		return nil
	})
}

// ingest does work in one transaction that has locked counters.
func (l *Ledger) ingest(ctx context.Context, keys *KeyRing, counters []string, work func(*ingest) error) (r Result, err error) {
	single := false
	once := func() error {
		r = Result{}
		tx, err := l.begin(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.rollback()
		in := newIngest(ctx, tx, keys, &r)
		in.waits, in.single = l.Waits, single
		if err := in.lock(counters); err != nil {
			return err
		}
		if err := work(in); err != nil {
			return err
		}
		if err := in.finish(); err != nil {
			return err
		}
		return tx.commit()
	}
	if err = l.attempt(ctx, once); errors.Is(err, errTaken) {
		single = true
		err = l.attempt(ctx, once)
	}
	if err != nil {
		return Result{}, fmt.Errorf("cannot write ledger: %w", err)
	}
	return r, nil
}

// Counters lists every counter that the ledger has heard of.
func (l *Ledger) Counters(ctx context.Context) ([]string, error) {
	rows, err := l.query(ctx, "SELECT counter FROM counter ORDER BY counter")
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

func (r *Result) answer(counter string) {
	if !slices.Contains(r.Counters, counter) {
		r.Counters = append(r.Counters, counter)
	}
}

func (r *Result) notice(counter, what string, args ...any) {
	r.Notices = append(r.Notices, Notice{counter, what, args})
}
