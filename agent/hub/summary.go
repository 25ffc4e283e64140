package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"lintas/agent/crossing"
	"lintas/queue"
)

// CounterDay is what a counter recorded on one day.
type CounterDay struct {
	Counter    string `json:"counter"`
	Day        string `json:"day"` // UTC, by the events' own time
	Events     int    `json:"events"`
	Departures int    `json:"departures"`
	Returns    int    `json:"returns"`
}

// CounterDays counts events by counter and day, since a day.
func (l *Ledger) CounterDays(ctx context.Context, since time.Time) (list []CounterDay, err error) {
	rows, err := l.query(ctx, `SELECT counter, substr(time, 1, 10), count(*), sum(CASE WHEN type = ? THEN 1 ELSE 0 END), sum(CASE WHEN type = ? THEN 1 ELSE 0 END)
		FROM event WHERE NOT repeated AND time >= ? GROUP BY counter, substr(time, 1, 10) ORDER BY 1, 2`,
		crossing.Departure.Wire(), crossing.Return.Wire(), crossing.TimeOf(since).String())
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d CounterDay
		if err := rows.Scan(&d.Counter, &d.Day, &d.Events, &d.Departures, &d.Returns); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// Heard tells when something of each counter's chains last came. One that never
// sent anything has the zero time.
func (l *Ledger) Heard(ctx context.Context) (map[string]time.Time, error) {
	rows, err := l.query(ctx, `SELECT c.counter, coalesce(max(coalesce(e.heard_ms, e.seen_ms)), 0) FROM counter c
		LEFT JOIN epoch e ON e.counter = c.counter GROUP BY c.counter`)
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	heard := map[string]time.Time{}
	for rows.Next() {
		var counter string
		var ms int64
		if err := rows.Scan(&counter, &ms); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		if heard[counter] = (time.Time{}); ms > 0 {
			heard[counter] = time.UnixMilli(ms).UTC()
		}
	}
	return heard, rows.Err()
}

// States gives what each counter said last about itself.
func (l *Ledger) States(ctx context.Context) (map[string]crossing.State, error) {
	rows, err := l.query(ctx, "SELECT counter, message FROM state")
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	states := map[string]crossing.State{}
	for rows.Next() {
		var counter, message string
		if err := rows.Scan(&counter, &message); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		var s crossing.State
		if json.Unmarshal([]byte(message), &s) == nil {
			states[counter] = s
		}
	}
	return states, rows.Err()
}

// Gap is something that the ledger should have and has not.
type Gap struct {
	Counter string `json:"counter"`
	Epoch   string `json:"epoch,omitempty"`
	Kind    string `json:"kind"` // lost, owed, outstanding, aside, unopened
	From    uint64 `json:"from,omitempty"`
	To      uint64 `json:"to,omitempty"`
	Count   uint64 `json:"count"`
	Reason  string `json:"reason,omitempty"`
}

// Kinds of gaps.
const (
	GapLost        = "lost"        // the counter says that it has lost them
	GapOwed        = "owed"        // only a tombstone came
	GapOutstanding = "outstanding" // the counter says that it has recorded them; they have not come
	GapAside       = "aside"       // kept aside, not accepted
	GapUnopened    = "unopened"    // in the ledger, but the record cannot be opened
)

// Gaps lists what is missing.
func (l *Ledger) Gaps(ctx context.Context) (list []Gap, err error) {
	t, err := l.snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer t.rollback()
	ends, err := l.ends(ctx, t.store)
	if err != nil {
		return nil, err
	}
	through := map[string]uint64{}
	for _, e := range ends {
		through[e.counter+e.epoch.String()] = e.through
		for _, m := range e.missing {
			list = append(list, Gap{Counter: e.counter, Epoch: e.epoch.String(), Kind: GapLost, From: m[0], To: m[1], Count: m[1] - m[0] + 1})
		}
	}
	more, err := gaps(ctx, t.store)
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	t.rollback() // a SQLite ledger has one connection
	states, err := l.States(ctx)
	if err != nil {
		return nil, err
	}
	for counter, s := range states {
		if have := through[counter+s.Epoch]; s.Sequence > have {
			more = append(more, Gap{Counter: counter, Epoch: s.Epoch, Kind: GapOutstanding, From: have + 1, To: s.Sequence, Count: s.Sequence - have})
		}
	}
	return append(list, more...), nil
}

func gaps(ctx context.Context, q store) (list []Gap, err error) {
	rows, err := q.query(ctx, `SELECT 'owed', counter, epoch, min(sequence), max(sequence), count(*), '' FROM owed GROUP BY counter, epoch
		UNION ALL SELECT 'aside', counter, NULL, 0, 0, count(*), reason FROM aside WHERE decision IS NULL GROUP BY counter, reason
		UNION ALL SELECT 'unopened', counter, epoch, min(sequence), max(sequence), count(*), reason FROM unopened WHERE reason <> '' GROUP BY counter, epoch, reason
		ORDER BY 1, 2, 4`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var g Gap
		var epoch []byte
		if err := rows.Scan(&g.Kind, &g.Counter, &epoch, &g.From, &g.To, &g.Count, &g.Reason); err != nil {
			return nil, err
		}
		if len(epoch) == len(queue.Epoch{}) {
			g.Epoch = queue.Epoch(epoch).String()
		}
		list = append(list, g)
	}
	return list, rows.Err()
}

// Gauges are what the metrics show of the ledger.
type Gauges struct {
	Aside    map[string]int // not decided on, by reason
	Unopened map[string]int // by reason; "": not tried yet
	Owed     int
	Feed     int64
	Heard    map[string]time.Time
	States   map[string]crossing.State
}

// Gauges reads them.
func (l *Ledger) Gauges(ctx context.Context) (s Gauges, err error) {
	s.Aside, s.Unopened = map[string]int{}, map[string]int{"": 0}
	rows, err := l.query(ctx, `SELECT 'aside', reason, count(*) FROM aside WHERE decision IS NULL GROUP BY reason
		UNION ALL SELECT 'unopened', reason, count(*) FROM unopened GROUP BY reason UNION ALL SELECT 'owed', '', count(*) FROM owed`)
	if err != nil {
		return s, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var what, reason string
		var n int
		if err := rows.Scan(&what, &reason, &n); err != nil {
			return s, fmt.Errorf("cannot read ledger: %w", err)
		}
		switch what {
		case "aside":
			s.Aside[reason] = n
		case "unopened":
			s.Unopened[reason] = n
		default:
			s.Owed = n
		}
	}
	if err := rows.Err(); err != nil {
		return s, fmt.Errorf("cannot read ledger: %w", err)
	}
	rows.Close() // before the next: a SQLite ledger has one connection
	if s.Heard, err = l.Heard(ctx); err == nil {
		if s.States, err = l.States(ctx); err == nil {
			s.Feed, err = l.FeedEnd(ctx)
		}
	}
	return s, err
}
