package cli

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"time"

	"lintas/agent/command"
	"lintas/devices"
)

func scannerListenCommand() *command.Command {
	var w which
	var asJSON bool
	return &command.Command{
		Name: "listen", Summary: "Print each document as it is read, until interrupted.",
		Help: "With --json one object a line: scanner, seq (1, 2, 3 … without a gap), status (complete, partial,\n" +
			"boarding-pass, barcode), lines, at. What is printed is personal data.\n" +
			"A scanner that is missing or in use is waited for.",
		Flags: func(fs *flag.FlagSet) {
			w.flags(fs)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			list, err := w.scanners(env)
			if err != nil {
				return err
			}
			return serve(ctx, env.Stderr, readers(list), func(s devices.Scan) error {
				if asJSON {
					return command.JSON(env.Stdout, s)
				}
				_, err := fmt.Fprint(env.Stdout, written(s))
				return err
			})
		},
	}
}

// written is a scan for people.
func written(s devices.Scan) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %d  %s\n", s.Last.Format(time.TimeOnly), s.Scanner, s.Seq, s.Status)
	for _, l := range s.Lines {
		fmt.Fprintf(&b, "  %s\n", l)
	}
	if s.Kind != "" {
		fmt.Fprintf(&b, "  %s\n", s.Kind)
	}
	if s.Page != nil {
		for _, f := range s.Page.Findings {
			fmt.Fprintf(&b, "  %s\n", f.EN)
		}
	}
	if s.Pass != nil {
		for _, l := range s.Pass.Legs {
			fmt.Fprintf(&b, "  %s %s  %s → %s", l.Carrier, l.Flight, l.From, l.To)
			if l.Day > 0 {
				fmt.Fprintf(&b, "  day %d", l.Day)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}
