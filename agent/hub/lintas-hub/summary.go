package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"lintas/agent/command"
	"lintas/agent/hub"
)

// shownCounter is what `lintas-hub ledger counters --json` prints of a counter.
type shownCounter struct {
	Counter   string           `json:"counter"`
	LastHeard *time.Time       `json:"last_heard"` // null: never
	Silent    bool             `json:"silent"`
	Days      []hub.CounterDay `json:"days"`
}

func ledgerCountersCommand() *command.Command {
	var db, keys string
	var since day
	var silent time.Duration
	var asJSON bool
	return &command.Command{
		Name: "counters", Summary: "Count events by counter and day, and name counters that are silent.",
		Help: "Days are UTC, by the counters' own clocks. Exit status 2 if a counter is silent.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			keysFlag(fs, &keys)
			fs.Var(&since, "since", "count from this `day` on (default a week ago)")
			fs.DurationVar(&silent, "silent", 24*time.Hour, "silent is from whom nothing came for so `long`")
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if since.IsZero() {
				since.Time = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -7)
			}
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				list, err := countByCounter(ctx, l, hub.NewKeyRing(keys), since.Time, silent)
				if err != nil {
					return err
				}
				if asJSON {
					err = command.JSON(env.Stdout, map[string]any{"counters": list})
				} else {
					err = printCounters(env, list)
				}
				if err == nil && slices.ContainsFunc(list, func(c *shownCounter) bool { return c.Silent }) {
					err = &command.Exit{Code: command.Warnings}
				}
				return err
			})
		},
	}
}

// countByCounter lists those that the ledger has heard of and those that are trusted.
func countByCounter(ctx context.Context, l *hub.Ledger, ring *hub.KeyRing, since time.Time, silent time.Duration) ([]*shownCounter, error) {
	heard, err := l.Heard(ctx)
	if err != nil {
		return nil, err
	}
	if trusted, err := ring.Counters(); err == nil { // no folder: nobody is trusted here
		for _, c := range trusted {
			if _, known := heard[c]; !known {
				heard[c] = time.Time{}
			}
		}
	}
	days, err := l.CounterDays(ctx, since)
	if err != nil {
		return nil, err
	}
	list := []*shownCounter{}
	of := map[string]*shownCounter{}
	for _, name := range slices.Sorted(maps.Keys(heard)) {
		c := &shownCounter{Counter: name, Days: []hub.CounterDay{}, Silent: time.Since(heard[name]) > silent}
		if at := heard[name]; !at.IsZero() {
			c.LastHeard = &at
		}
		list, of[name] = append(list, c), c
	}
	for _, d := range days {
		of[d.Counter].Days = append(of[d.Counter].Days, d)
	}
	return list, nil
}

func printCounters(env command.Env, list []*shownCounter) error {
	t := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
	for _, c := range list {
		last := "never heard"
		if c.LastHeard != nil {
			last = "last heard " + c.LastHeard.Format(time.RFC3339)
		}
		if c.Silent {
			last += ", SILENT"
		}
		fmt.Fprintf(t, "%s\t%s\n", c.Counter, last)
		for _, d := range c.Days {
			fmt.Fprintf(t, "  %s\t%d events, %d departures, %d returns\n", d.Day, d.Events, d.Departures, d.Returns)
		}
	}
	return t.Flush()
}

func ledgerGapsCommand() *command.Command {
	var db string
	var asJSON bool
	return &command.Command{
		Name: "gaps", Summary: "List what the ledger should have and has not.",
		Help: "lost: the counter says so; owed: only a tombstone came; outstanding: the counter says that it has\n" +
			"recorded more than came; aside: kept aside; unopened: the record cannot be opened. Exit status 2 if\n" +
			"there are any.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				gaps, err := l.Gaps(ctx)
				if err != nil {
					return err
				}
				if asJSON {
					if gaps == nil {
						gaps = []hub.Gap{}
					}
					err = command.JSON(env.Stdout, map[string]any{"gaps": gaps})
				} else {
					t := tabwriter.NewWriter(env.Stdout, 0, 0, 2, ' ', 0)
					for _, g := range gaps {
						fmt.Fprintf(t, "%s\t%s\t%d\t", g.Kind, orDash(g.Counter), g.Count)
						if g.From > 0 {
							fmt.Fprintf(t, "sequences %d to %d of epoch %s ", g.From, g.To, g.Epoch)
						}
						fmt.Fprintln(t, g.Reason)
					}
					err = t.Flush()
				}
				if err == nil && len(gaps) > 0 {
					err = &command.Exit{Code: command.Warnings}
				}
				return err
			})
		},
	}
}
