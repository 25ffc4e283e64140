package main

import (
	"context"
	"flag"
	"time"

	"github.com/google/uuid"

	"lintas/agent/command"
	"lintas/agent/hub"
)

// opening is who opens named rows, and what for.
type opening struct{ officer, purpose string }

func (o *opening) flags(fs *flag.FlagSet) {
	fs.StringVar(&o.officer, "officer", "", "who asks: an officer's `id`, noted in the access log")
	fs.StringVar(&o.purpose, "purpose", "", "what for: a case number or a `reason`, noted in the access log")
}

func (o *opening) check() error {
	if o.officer == "" || o.purpose == "" {
		return command.UsageError("named rows are opened with --officer and --purpose, which are noted in the access log")
	}
	return nil
}

// note writes the access log before anything is shown.
func (o *opening) note(ctx context.Context, l *hub.Ledger, what string, events []uuid.UUID) error {
	return l.LogAccess(ctx, hub.Access{Officer: o.officer, Purpose: o.purpose, Command: what, Rows: len(events), Events: events})
}

// day is a flag that holds a day or a moment.
type day struct{ time.Time }

func (d *day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.RFC3339)
}

func (d *day) Set(s string) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, s); err != nil {
		d.Time, err = time.Parse(time.RFC3339, s)
	}
	return err
}

// withLedger opens a ledger that there is for the time of a function.
func withLedger(ctx context.Context, db string, do func(*hub.Ledger) error) error {
	l, err := hub.UseLedger(ctx, db)
	if err != nil {
		return err
	}
	defer l.Close()
	return do(l)
}
