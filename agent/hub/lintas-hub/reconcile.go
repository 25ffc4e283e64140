package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"

	"lintas/agent/command"
	"lintas/agent/hub"
)

// shownFlight is what `lintas-hub ledger reconcile --json` prints of a flight.
type shownFlight struct {
	Flight              string         `json:"flight"`
	Scheduled           time.Time      `json:"scheduled_at"`
	Matched             int            `json:"matched"`
	MatchedByPerson     []shownBoarded `json:"matched_by_person"` // with another document than the manifest's
	BoardedNotInspected []shownBoarded `json:"boarded_not_inspected"`
	BoardedNotCrossed   []shownBoarded `json:"boarded_not_crossed"`
	InspectedNotBoarded []shownSeen    `json:"inspected_not_boarded"`
	NotCrossed          int            `json:"not_crossed"` // inspected, not let pass, not on board
}

type shownBoarded struct {
	hub.Passenger
	Inspection *shownSeen `json:"inspection"`
}

type shownSeen struct {
	ID             string    `json:"id"`
	Counter        string    `json:"counter"`
	At             time.Time `json:"at"`
	Flight         string    `json:"flight"`
	IssuingState   string    `json:"issuing_state"`
	DocumentNumber string    `json:"document_number"`
	Primary        string    `json:"primary"`
	Secondary      string    `json:"secondary"`
	DateOfBirth    string    `json:"date_of_birth"`
}

func showSeen(s *hub.Seen) *shownSeen {
	if s == nil {
		return nil
	}
	d := s.Document
	return &shownSeen{s.Event.String(), s.Counter, s.At, s.Flight, d.IssuingState, d.DocumentNumber, d.Primary, d.Secondary, d.DateOfBirth}
}

func showFlight(r hub.Reconciliation) shownFlight {
	v := shownFlight{Flight: r.Flight, Scheduled: r.Scheduled, Matched: len(r.Matched), NotCrossed: len(r.NotCrossed), MatchedByPerson: []shownBoarded{},
		BoardedNotInspected: []shownBoarded{}, BoardedNotCrossed: []shownBoarded{}, InspectedNotBoarded: []shownSeen{}}
	for _, b := range r.Matched {
		if b.By == "person" {
			v.MatchedByPerson = append(v.MatchedByPerson, shownBoarded{b.Passenger, showSeen(b.Seen)})
		}
	}
	for _, b := range r.BoardedNotInspected {
		v.BoardedNotInspected = append(v.BoardedNotInspected, shownBoarded{b.Passenger, nil})
	}
	for _, b := range r.BoardedNotCrossed {
		v.BoardedNotCrossed = append(v.BoardedNotCrossed, shownBoarded{b.Passenger, showSeen(b.Seen)})
	}
	for _, s := range r.InspectedNotBoarded {
		v.InspectedNotBoarded = append(v.InspectedNotBoarded, *showSeen(s))
	}
	return v
}

// seenEvents names the inspections that are shown, for the access log.
func (v shownFlight) seenEvents() (list []uuid.UUID) {
	var shown []shownSeen
	for _, boarded := range [][]shownBoarded{v.MatchedByPerson, v.BoardedNotCrossed} {
		for _, b := range boarded {
			shown = append(shown, *b.Inspection)
		}
	}
	for _, s := range append(shown, v.InspectedNotBoarded...) {
		list = append(list, uuid.MustParse(s.ID))
	}
	return list
}

func ledgerReconcileCommand() *command.Command {
	var db, manifest string
	var asJSON bool
	var o opening
	return &command.Command{
		Name: "reconcile", Summary: "Compare those on board of a flight with those inspected for it.",
		Help: "The manifest is CSV with the columns' names in its first line:\n" +
			"  flight, scheduled_at (RFC 3339), and issuing_state, document_number or primary, secondary,\n" +
			"  date_of_birth (YYYY-MM-DD), or all of them. Other columns are passed over.\n" +
			"Inspections within 12 hours of scheduled_at count. Somebody who was on board counts as inspected\n" +
			"if the document was, whatever flight the counter had set, or else a document of the same name and\n" +
			"birth date. Exit status 2 if there are differences. It needs --officer and --purpose and is noted\n" +
			"in the access log.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			fs.StringVar(&manifest, "manifest", "", "CSV `file` of those who were on board; - for standard input")
			o.flags(fs)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if manifest == "" {
				return command.UsageError("ledger reconcile needs --manifest")
			}
			if err := o.check(); err != nil {
				return err
			}
			in := env.Stdin
			if manifest != "-" {
				f, err := os.Open(manifest)
				if err != nil {
					return fmt.Errorf("cannot read manifest: %w", err)
				}
				defer f.Close()
				in = f
			}
			passengers, err := hub.ReadManifest(manifest, in)
			if err != nil {
				return err
			}
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				list, err := l.Reconcile(ctx, passengers)
				if err != nil {
					return err
				}
				flights := []shownFlight{}
				var seen []uuid.UUID
				differ := false
				for _, r := range list {
					v := showFlight(r)
					flights, seen, differ = append(flights, v), append(seen, v.seenEvents()...), differ || r.Differ()
				}
				if err := o.note(ctx, l, "ledger reconcile", seen); err != nil {
					return err
				}
				if asJSON {
					err = command.JSON(env.Stdout, map[string]any{"flights": flights})
				} else {
					printFlights(env.Stdout, flights)
				}
				if err == nil && differ {
					err = &command.Exit{Code: command.Warnings}
				}
				return err
			})
		},
	}
}

func printFlights(w io.Writer, flights []shownFlight) {
	for _, v := range flights {
		fmt.Fprintf(w, "%s %s: %d on board were inspected and crossed; %d inspected were not let pass and not on board\n",
			v.Flight, v.Scheduled.Format(time.RFC3339), v.Matched, v.NotCrossed)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		boarded := func(what string, list []shownBoarded) {
			for _, b := range list {
				fmt.Fprintf(t, "  %s\tline %d\t%s %s\t%s, %s\t%s", what, b.Line, b.IssuingState, b.DocumentNumber, b.Primary, b.Secondary, b.DateOfBirth)
				if s := b.Inspection; s != nil {
					fmt.Fprintf(t, "\tseen at %s %s with %s %s", s.Counter, s.At.Format("2006-01-02 15:04"), s.IssuingState, s.DocumentNumber)
				}
				fmt.Fprintln(t)
			}
		}
		boarded("on board, not inspected", v.BoardedNotInspected)
		boarded("on board, but not let pass", v.BoardedNotCrossed)
		boarded("on board with another document", v.MatchedByPerson)
		for _, s := range v.InspectedNotBoarded {
			fmt.Fprintf(t, "  crossed, not on board\t%s\t%s %s\t%s, %s\t%s\t%s\n", s.Counter, s.IssuingState, s.DocumentNumber, s.Primary, s.Secondary, s.DateOfBirth, s.At.Format("2006-01-02 15:04"))
		}
		t.Flush()
	}
}
