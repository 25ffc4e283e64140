package hub

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/jackc/pgx/v5/pgconn"

	"lintas/agent/crossing"
	"lintas/agent/hub/stay"
)

const (
	openBatch = 256
	openEvery = 200 * time.Millisecond
	warnEvery = time.Minute // of what cannot be opened
	// openVersion is raised when records can be opened that could not before:
	// they are tried again.
	openVersion = "1"
)

// Reasons for which a record is not opened.
const (
	SealedToOthers = "sealed-to-others" // none of the identities opens it
	Malformed      = "malformed"        // it is not the record that its type says
)

// Opener opens records after their events are committed, and writes them beside
// the sealed originals. Several may work on one ledger: each record is opened
// once. It holds nothing that a restart would lose.
type Opener struct {
	Ledger *Ledger
	Keys   *KeyRing
	Logger *slog.Logger
	// Each is told of every event that was opened, for the metrics. May be nil.
	Each func(kind string, lag time.Duration)
}

// Run opens records until ctx ends. Without identities it waits for them.
func (o *Opener) Run(ctx context.Context) error {
	tick := time.NewTicker(openEvery)
	defer tick.Stop()
	var told string
	var warned time.Time
	unreadable := map[string]int{} // and not told yet
	for {
		opening, err := o.once(ctx)
		if err != nil && ctx.Err() == nil && told != err.Error() {
			told = err.Error()
			o.Logger.Warn("cannot open records", "error", err)
		} else if err == nil {
			told = ""
		}
		for reason, n := range opening.Unreadable {
			unreadable[reason] += n
		}
		if len(unreadable) > 0 && time.Since(warned) > warnEvery {
			for reason, n := range unreadable {
				o.Logger.Warn("records cannot be opened", "reason", reason, "count", n)
			}
			clear(unreadable)
			warned = time.Now()
		}
		if err == nil && opening.full {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (o *Opener) once(ctx context.Context) (Opening, error) {
	identities, err := o.Keys.Identities()
	if err != nil {
		return Opening{}, err
	}
	opening, err := o.Ledger.Open(ctx, identities)
	if err == nil && o.Each != nil {
		for _, e := range opening.events {
			o.Each(e.kind, e.lag)
		}
	}
	return opening, err
}

// Opening says what one batch came to.
type Opening struct {
	Opened     int
	Unreadable map[string]int // by reason
	full       bool           // there may be more
	first      int64          // the first record that it was about, by its place in the table unopened
	events     []openedEvent
}

type openedEvent struct {
	kind string
	lag  time.Duration
}

// sealedRecord is one that is to be opened.
type sealedRecord struct {
	n        int64
	counter  string
	epoch    []byte
	sequence int64
	sealed   []byte
	received int64

	reason string // why it is not opened
	opened openedRecord
}

// openedRecord is a row of the table opened.
type openedRecord struct {
	event                    crossing.Sealed
	kind                     crossing.Type
	plain                    []byte
	occurred                 time.Time
	drill                    bool
	site, officer            string
	flight, document, person string
	corrected                *crossing.Corrected
}

// Open opens one batch of records.
func (l *Ledger) Open(ctx context.Context, identities []age.Identity) (Opening, error) {
	tried := fingerprint(identities)
	r, err := l.open(ctx, identities, tried, openBatch)
	if !refusesRow(err) {
		return r, wrapLedger(err)
	}
	// One of them is such that the database does not take it. The others must
	// not wait for it.
	r, err = l.oneByOne(ctx, identities, tried)
	return r, wrapLedger(err)
}

// refusesRow tells whether a database refused what was to be written, and not to
// write.
func refusesRow(err error) bool {
	if errors.Is(err, errOpened) {
		return true
	}
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(refused.Code, "22") || strings.HasPrefix(refused.Code, "23")
	}
	if refused, ok := errors.AsType[interface {
		error
		Code() int
	}](err); ok { // SQLite: TOOBIG, CONSTRAINT, MISMATCH
		return slices.Contains([]int{18, 19, 20}, refused.Code()&0xff)
	}
	return false
}

func wrapLedger(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("cannot write ledger: %w", err)
}

func (l *Ledger) oneByOne(ctx context.Context, identities []age.Identity, tried string) (all Opening, err error) {
	all = Opening{Unreadable: map[string]int{}, full: true}
	for range openBatch {
		r, err := l.open(ctx, identities, tried, 1)
		switch {
		case err != nil && !refusesRow(err):
			return all, err
		case err != nil:
			if _, err = l.exec(ctx, "UPDATE unopened SET tried = ?, reason = ? WHERE n = ?", tried, Malformed, r.first); err != nil {
				return all, err
			}
			all.Unreadable[Malformed]++
		case !r.full:
			all.full = false
			return all, nil
		default:
			all.add(r)
		}
	}
	return all, nil
}

func (o *Opening) add(r Opening) {
	o.Opened, o.events = o.Opened+r.Opened, append(o.events, r.events...)
	for reason, n := range r.Unreadable {
		o.Unreadable[reason] += n
	}
}

// OpenAll opens all that there is.
func (l *Ledger) OpenAll(ctx context.Context, identities []age.Identity) (all Opening, err error) {
	all.Unreadable = map[string]int{}
	for more := true; more && err == nil; {
		var r Opening
		r, err = l.Open(ctx, identities)
		all.add(r)
		more = r.full
	}
	return all, err
}

// open does the work in one transaction. On PostgreSQL it takes rows that no
// other hub holds; on SQLite records are decrypted before the only writer is
// kept busy, and what another one has opened meanwhile is passed over.
func (l *Ledger) open(ctx context.Context, identities []age.Identity, tried string, limit int) (r Opening, err error) {
	err = l.attempt(ctx, func() error {
		r = Opening{Unreadable: map[string]int{}}
		var t tx
		from := l.store
		if l.postgres {
			if t, err = l.begin(ctx, nil); err != nil {
				return err
			}
			defer t.rollback()
			from = t.store
		}
		list, err := unopened(ctx, from, tried, limit)
		if err != nil || len(list) == 0 {
			return err
		}
		r.first = list[0].n
		for i := range list {
			list[i].open(identities)
		}
		if !l.postgres {
			if t, err = l.begin(ctx, nil); err != nil {
				return err
			}
			defer t.rollback()
		}
		w, err := lockFeed(ctx, t)
		if err != nil {
			return err
		}
		if err := w.take(list, tried, &r); err != nil {
			return err
		}
		if err := w.release(); err != nil {
			return err
		}
		r.full = len(list) == limit
		return t.commit()
	})
	return r, err
}

// toOpen has the record of an arrival opened, unless it is here already.
func (in *ingest) toOpen(a arrival) {
	if !a.repeated {
		in.unopened = append(in.unopened, []any{a.counter, a.at.Epoch[:], a.at.Sequence})
	}
}

func unopened(ctx context.Context, q store, tried string, limit int) (list []sealedRecord, err error) {
	lock := ""
	if q.postgres {
		lock = " FOR UPDATE OF u SKIP LOCKED"
	}
	rows, err := q.query(ctx, `SELECT u.n, u.counter, u.epoch, u.sequence, e.sealed, e.received_ms FROM unopened u
		JOIN event e ON e.counter = u.counter AND e.epoch = u.epoch AND e.sequence = u.sequence
		WHERE u.tried <> ? ORDER BY u.n LIMIT ?`+lock, tried, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s sealedRecord
		if err := rows.Scan(&s.n, &s.counter, &s.epoch, &s.sequence, &s.sealed, &s.received); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// fingerprint names a set of identities by their public parts.
func fingerprint(identities []age.Identity) string {
	list := []string{}
	for _, id := range identities {
		switch id := id.(type) {
		case *age.X25519Identity:
			list = append(list, id.Recipient().String())
		case *age.HybridIdentity:
			list = append(list, id.Recipient().String())
		default:
			list = append(list, fmt.Sprintf("%T", id))
		}
	}
	slices.Sort(list)
	sum := sha256.Sum256([]byte(openVersion + " " + strings.Join(list, " ")))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

func (s *sealedRecord) open(identities []age.Identity) {
	event, err := crossing.Reread(s.sealed)
	if err != nil {
		s.reason = Malformed
		return
	}
	plain, err := event.Decrypt(identities...)
	if err != nil {
		s.reason = SealedToOthers
		return
	}
	s.opened = openedRecord{event: event, plain: plain}
	if s.opened.read() != nil {
		s.reason = Malformed
	}
}

var errRecord = errors.New("not a record")

// read takes from the record what the ledger lists.
func (o *openedRecord) read() error {
	// No text of a database holds it.
	if bytes.Contains(o.plain, []byte(`\u0000`)) || !json.Valid(o.plain) {
		return errRecord
	}
	kind, err := crossing.ParseType(o.event.Type)
	if err != nil {
		kind = crossing.Type(o.event.Type) // of a later version: kept as it is
	}
	o.kind = kind
	var base struct {
		crossing.Stamp
		crossing.Place
		Officer string            `json:"officer_id"`
		Journey *crossing.Journey `json:"journey"`
	}
	if err := json.Unmarshal(o.plain, &base); err != nil {
		return errRecord
	}
	if o.occurred = base.OccurredAt.Time; o.occurred.IsZero() {
		o.occurred = o.event.Time.Time
	}
	o.drill, o.site, o.officer = base.Drill, base.Site, base.Officer
	if base.Journey != nil {
		o.flight = Flight(base.Journey.Flight)
	}
	switch kind {
	case crossing.InspectionOpened, crossing.Departure, crossing.Return:
		var doc crossing.Document
		if err := json.Unmarshal(o.plain, &doc); err != nil {
			return errRecord
		}
		o.document = stay.Document{IssuingState: doc.IssuingState, Number: doc.DocumentNumber}.Key()
		o.person = stay.Person(doc.Primary, doc.Secondary, doc.DateOfBirth)
		if kind != crossing.InspectionOpened {
			_, err := readCrossing(o.plain)
			return err
		}
	case crossing.Voided, crossing.Amended:
		o.corrected = new(crossing.Corrected)
		if err := json.Unmarshal(o.plain, o.corrected); err != nil {
			return errRecord
		}
	}
	return nil
}

// Flight writes a flight's number in one way: the carrier, and the number
// without zeros before it.
func Flight(s string) string {
	s = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s))
	if len(s) < 3 {
		return s
	}
	carrier := 2
	if s[2] >= 'A' && s[2] <= 'Z' {
		carrier = 3
	}
	return s[:carrier] + strings.TrimLeft(s[carrier:], "0")
}

// feedWriter writes opened records while it holds the feed's row: one
// transaction at a time.
type feedWriter struct {
	ctx             context.Context
	tx              tx
	last, traveller int64
	now             time.Time
}

func lockFeed(ctx context.Context, tx tx) (*feedWriter, error) {
	w := &feedWriter{ctx: ctx, tx: tx, now: time.Now()}
	err := tx.row(ctx, "UPDATE feed SET last = last RETURNING last, traveller").Scan(&w.last, &w.traveller)
	return w, err
}

func (w *feedWriter) release() error {
	return w.exec("UPDATE feed SET last = ?, traveller = ?", w.last, w.traveller)
}

func (w *feedWriter) exec(query string, args ...any) error {
	_, err := w.tx.exec(w.ctx, query, args...)
	return err
}

// errOpened: one of several records is opened already; they are taken one by one
// then.
var errOpened = errors.New("a record is opened already")

// take writes records, or why they cannot be read.
func (w *feedWriter) take(list []sealedRecord, tried string, r *Opening) error {
	var all []any
	unreadable := map[string][]any{}
	for _, s := range list {
		if s.reason == "" {
			all = append(all, s.n)
		} else {
			unreadable[s.reason] = append(unreadable[s.reason], s.n)
		}
	}
	for reason, some := range unreadable {
		r.Unreadable[reason] = len(some)
		if err := w.exec("UPDATE unopened SET tried = ?, reason = ? WHERE n IN "+places(len(some)), append([]any{tried, reason}, some...)...); err != nil {
			return err
		}
	}
	ours := map[int64]bool{} // and not opened by another hub meanwhile
	err := w.tx.among(w.ctx, "DELETE FROM unopened WHERE n in RETURNING n", all, func(rows *sql.Rows) error {
		var n int64
		err := rows.Scan(&n)
		ours[n] = true
		return err
	})
	if err != nil {
		return err
	}
	var taken []openedRecord
	var rows [][]any
	for _, s := range list {
		if o := s.opened; ours[s.n] {
			rows = append(rows, []any{w.last + int64(len(rows)) + 1, s.counter, s.epoch, s.sequence, o.event.UUID[:], o.event.Hash[:], string(o.kind),
				o.occurred.UnixMilli(), s.received, w.now.UnixMilli(), truth(o.drill), o.site, o.officer, o.flight, o.document, o.person, string(o.plain)})
			taken = append(taken, o)
			r.events = append(r.events, openedEvent{string(o.kind), time.UnixMilli(s.received).Sub(o.event.Time.Time)})
		}
	}
	written, err := w.tx.insert(w.ctx, `opened(n, counter, epoch, sequence, id, hash, type, occurred_ms, received_ms, opened_ms,
		drill, site, officer_id, flight, document, person, record)`, rows, "ON CONFLICT (counter, epoch, sequence) DO NOTHING")
	switch {
	case err != nil:
		return err
	case written == 0 && len(rows) == 1: // it was gone from the ledger and came again
		r.events = nil
		return nil
	case written < int64(len(rows)):
		return errOpened
	}
	r.Opened += len(taken)
	for _, o := range taken {
		w.last++
		switch o.kind {
		case crossing.Departure, crossing.Return:
			err = w.settle(w.last)
		case crossing.Voided, crossing.Amended:
			err = w.correct(w.last, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// truth is how tables of both databases hold a truth value.
func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
