package main

import (
	"context"
	"flag"
	"fmt"

	"lintas/agent/command"
	"lintas/agent/hub"
)

func placementsCommand() *command.Command {
	return &command.Command{
		Name: "placements", Summary: "Keep what headquarters knows of placements, for reports and lists.",
		Sub: []*command.Command{placementsLoadCommand()},
	}
}

func placementsLoadCommand() *command.Command {
	var db, all, changes string
	var asJSON bool
	return &command.Command{
		Name: "load", Summary: "Take over placements from the authority's file.",
		Help: "Files are those of lintas-hub list build, with two fields more that no list has: province and\n" +
			"regency, where the worker comes from. Crossings advance the status: siap becomes berangkat with a\n" +
			"departure, berangkat becomes pulang with a return (cuti with one for leave). A status that the\n" +
			"authority gives anew counts from then on; one that it repeats does not undo what crossings have\n" +
			"made of it. lintas-hub list build --db makes the next list of the placements as they stand.",
		Flags: func(fs *flag.FlagSet) {
			dbFlag(fs, &db)
			fs.StringVar(&all, "placements", "", "`file` of all placement records; what is not in it is removed")
			fs.StringVar(&changes, "changes", "", "`file` of new, changed and removed ones")
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if (all == "") == (changes == "") {
				return command.UsageError("placements load takes one of --placements and --changes")
			}
			return withLedger(ctx, db, func(l *hub.Ledger) error {
				r, err := l.LoadPlacements(ctx, file(all+changes), changes != "")
				if err != nil {
					return err
				}
				if asJSON {
					return command.JSON(env.Stdout, r)
				}
				_, err = fmt.Fprintf(env.Stdout, "%d placements taken over, %d removed; %d are advanced by crossings\n", r.Placements, r.Removed, r.Advanced)
				return err
			})
		},
	}
}
