package hub

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
)

// FeedEvent is a crossing or a correction of one, opened, as it is handed on.
type FeedEvent struct {
	N                  int64
	Cursor             string
	ID                 uuid.UUID
	Type               crossing.Type
	Counter            string
	Occurred, Received time.Time
	Record             json.RawMessage // null: forgotten
	Placement          *Placed         // of the crossing; nil: none is known now

	crossing *Crossing // which, or which is corrected; nil: not here
}

// Format keeps the traveller out of whatever prints one by mistake.
func (FeedEvent) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(crossing)") }

// markSize is how much of an event's hash a cursor has.
const markSize = 6

func cursor(n int64, hash []byte) string {
	return fmt.Sprintf("%d-%s", n, base64.RawURLEncoding.EncodeToString(hash[:min(markSize, len(hash))]))
}

// Errors of a cursor.
var (
	ErrCursor     = errors.New("not a cursor")
	ErrCursorGone = errors.New("this ledger has not given that cursor: it was restored from a backup")
)

// ParseCursor gives the number of a cursor. It carries a mark of the event that
// it stands behind, so that a ledger which was restored from a backup, and has
// given the number to another event since, is found out. "" and "0" are the
// beginning.
func (l *Ledger) ParseCursor(ctx context.Context, text string) (n int64, err error) {
	if text == "" || text == "0" {
		return 0, nil
	}
	var mark string
	if _, err := fmt.Sscanf(text, "%d-%s", &n, &mark); err != nil || n <= 0 {
		return 0, ErrCursor
	}
	var hash []byte
	err = l.row(ctx, "SELECT hash FROM opened WHERE n = ?", n).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) || err == nil && cursor(n, hash) != text {
		return 0, ErrCursorGone
	} else if err != nil {
		return 0, fmt.Errorf("cannot read ledger: %w", err)
	}
	return n, nil
}

// FeedEnd gives the last number of the feed.
func (l *Ledger) FeedEnd(ctx context.Context) (n int64, err error) {
	if err = l.row(ctx, "SELECT last FROM feed").Scan(&n); err != nil {
		err = fmt.Errorf("cannot read ledger: %w", err)
	}
	return n, err
}

// Feed gives crossings and corrections behind a number, drills left out, in the
// order in which they were opened, and the number and cursor up to which that
// is all. Numbers become visible in their order, however many hubs write: what
// is behind next is never older than what was given.
func (l *Ledger) Feed(ctx context.Context, after int64, limit int) (events []FeedEvent, next int64, at string, err error) {
	events, next, err = l.feed(ctx, after, limit)
	if err == nil && next > 0 {
		var hash []byte
		if err = l.row(ctx, "SELECT hash FROM opened WHERE n = ?", next).Scan(&hash); err == nil {
			at = cursor(next, hash)
		}
	}
	if err != nil {
		err = fmt.Errorf("cannot read ledger: %w", err)
	}
	return events, next, at, err
}

func (l *Ledger) feed(ctx context.Context, after int64, limit int) (events []FeedEvent, next int64, err error) {
	if next, err = l.FeedEnd(ctx); err != nil || next <= after {
		return nil, after, err
	}
	rows, err := l.query(ctx, `SELECT o.n, o.id, o.hash, o.type, o.counter, o.occurred_ms, o.received_ms, o.record,
		coalesce(c.traveller, 0), coalesce(c.document, ''), coalesce(c.placement_id, ''), coalesce(c.primary_name, ''), coalesce(c.secondary_name, ''),
		coalesce(c.date_of_birth, '') FROM opened o
		LEFT JOIN correction k ON k.n = o.n
		LEFT JOIN crossing c ON c.n = coalesce((SELECT min(x.n) FROM crossing x WHERE x.id = k.crossing_id), o.n)
		WHERE o.n > ? AND o.n <= ? AND o.type IN (?, ?, ?, ?) AND o.drill = 0 ORDER BY o.n LIMIT ?`,
		after, next, string(crossing.Departure), string(crossing.Return), string(crossing.Voided), string(crossing.Amended), limit)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var e FeedEvent
		var id, hash []byte
		var record sql.NullString
		var occurred, received int64
		c := &Crossing{}
		err := rows.Scan(&e.N, &id, &hash, &e.Type, &e.Counter, &occurred, &received, &record, &c.traveller, &c.document, &c.placed,
			&c.Primary, &c.Secondary, &c.DateOfBirth)
		if err != nil {
			return nil, 0, err
		}
		if e.ID, err = uuid.FromBytes(id); err != nil {
			return nil, 0, err
		}
		if record.Valid {
			e.Record = json.RawMessage(record.String)
		}
		if c.traveller > 0 {
			e.crossing = c
		}
		e.Cursor, e.Occurred, e.Received = cursor(e.N, hash), time.UnixMilli(occurred).UTC(), time.UnixMilli(received).UTC()
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	rows.Close() // before the next: a SQLite ledger has one connection
	for i := range events {
		e := &events[i]
		if e.crossing == nil {
			continue
		}
		placements, err := placementsOf(ctx, l.store, e.crossing.traveller, e.crossing.traveller)
		if err != nil {
			return nil, 0, err
		}
		e.Placement, _ = placementOf(e.crossing, placements)
	}
	if len(events) == limit {
		next = events[limit-1].N
	}
	return events, next, nil
}
