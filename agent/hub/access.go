package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Access is a look at named rows, or their deletion: who, and what for. What was
// seen is named by events alone.
type Access struct {
	At      time.Time
	Officer string
	Purpose string
	Command string
	Rows    int
	Events  []uuid.UUID
}

// LogAccess notes an access. It is called before anything is shown: what cannot
// be noted is not shown.
func (l *Ledger) LogAccess(ctx context.Context, a Access) error {
	if err := logAccess(ctx, l.store, a); err != nil {
		return fmt.Errorf("cannot note who opens these rows, so they stay closed: %w", err)
	}
	return nil
}

func logAccess(ctx context.Context, to store, a Access) error {
	if a.Events == nil {
		a.Events = []uuid.UUID{}
	}
	events, err := json.Marshal(a.Events)
	if err != nil {
		return err
	}
	_, err = to.exec(ctx, "INSERT INTO access(at_ms, officer_id, purpose, command, row_count, events) VALUES(?, ?, ?, ?, ?, ?)",
		time.Now().UnixMilli(), a.Officer, a.Purpose, a.Command, a.Rows, string(events))
	return err
}

// Accesses lists what was noted, oldest first.
func (l *Ledger) Accesses(ctx context.Context) (list []Access, err error) {
	rows, err := l.query(ctx, "SELECT at_ms, officer_id, purpose, command, row_count, events FROM access ORDER BY n")
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Access
		var ms int64
		var events string
		if err := rows.Scan(&ms, &a.Officer, &a.Purpose, &a.Command, &a.Rows, &events); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		if err := json.Unmarshal([]byte(events), &a.Events); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		a.At = time.UnixMilli(ms).UTC()
		list = append(list, a)
	}
	return list, rows.Err()
}
