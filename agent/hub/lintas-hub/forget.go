package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"lintas/agent/command"
	"lintas/agent/hub"
)

func ledgerForgetCommand() *command.Command {
	var db, document string
	var before day
	var asJSON bool
	var o opening
	return &command.Command{
		Name: "forget", Args: "[ID…]", Summary: "Delete opened personal data: by age, by document, or of single events.",
		Help: "What is deleted is the opened record and everything made of it. That there was an event, its\n" +
			"type, time and counter stay, and so does the sealed original: chains and counts can be verified as\n" +
			"before. The original opens only with the hub's identity (age.txt), and ledger show refuses to open\n" +
			"what was forgotten. To make originals of a time unreadable for good, rotate the identity at its\n" +
			"end and later destroy the old one with its copies. It needs --officer and --purpose and is noted\n" +
			"in the access log, which itself names events and no persons.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			fs.Var(&before, "before", "what happened before this `day`, 2026-01-31 or RFC 3339")
			fs.StringVar(&document, "document", "", "`document`: issuing state and number, as \"IDN ZZ0000101\"; - reads it from standard input")
			o.flags(fs)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			what := hub.Forget{Before: before.Time}
			for _, arg := range args {
				id, err := uuid.Parse(arg)
				if err != nil {
					return command.UsageError("%q is not an event's id", arg)
				}
				what.Events = append(what.Events, id)
			}
			if document == "-" {
				line := make([]byte, 128)
				n, _ := env.Stdin.Read(line)
				document = string(line[:n])
			}
			if words := strings.Fields(document); len(words) == 2 {
				what.IssuingState, what.Document = strings.ToUpper(words[0]), strings.ToUpper(words[1])
			} else if document != "" {
				return command.UsageError("--document takes an issuing state and a number")
			}
			if before.IsZero() && len(args) == 0 && document == "" {
				return command.UsageError("ledger forget takes --before, --document or the ids of events")
			}
			if err := o.check(); err != nil {
				return err
			}
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				n, err := l.Forget(ctx, what, hub.Access{Officer: o.officer, Purpose: o.purpose, Command: "ledger forget"})
				if err != nil {
					return err
				}
				if asJSON {
					return command.JSON(env.Stdout, map[string]int{"forgotten": n})
				}
				_, err = fmt.Fprintf(env.Stdout, "%d records forgotten\n", n)
				return err
			})
		},
	}
}

// shownAccess is what `lintas-hub ledger access --json` prints of one.
type shownAccess struct {
	At      time.Time   `json:"at"`
	Officer string      `json:"officer_id"`
	Purpose string      `json:"purpose"`
	Command string      `json:"command"`
	Rows    int         `json:"rows"`
	Events  []uuid.UUID `json:"events"`
}

func ledgerAccessCommand() *command.Command {
	var db string
	var asJSON bool
	return &command.Command{
		Name: "access", Summary: "List who opened named rows or had some forgotten, and what for.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				list, err := l.Accesses(ctx)
				for _, a := range list {
					if err != nil {
						break
					}
					if asJSON {
						err = command.JSON(env.Stdout, shownAccess(a))
					} else {
						_, err = fmt.Fprintf(env.Stdout, "%s  %-12s %-18s %5d rows  %s\n", a.At.Format(time.RFC3339), a.Officer, a.Command, a.Rows, a.Purpose)
					}
				}
				return err
			})
		},
	}
}
