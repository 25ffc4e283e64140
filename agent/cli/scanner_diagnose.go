package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"time"

	"lintas/agent/command"
	"lintas/devices"
)

// diagnosed is a line of `lintas scanner diagnose --json`.
type diagnosed struct {
	devices.State
	Stats    devices.Stats       `json:"stats"`
	Findings []devices.Diagnosis `json:"findings"`
}

func scannerDiagnoseCommand() *command.Command {
	var w which
	var asJSON bool
	var long time.Duration
	return &command.Command{
		Name: "diagnose", Summary: "Listen for a while and say what is wrong with a scanner.",
		Help: "Swipe a document, better two, while it listens. Nothing of them is shown.\n" +
			"Exit status: 0 a document was read and nothing is wrong, 2 something is wrong or nothing was\n" +
			"read, 1 the scanner cannot be used.",
		Flags: func(fs *flag.FlagSet) {
			w.flags(fs)
			command.JSONFlag(fs, &asJSON)
			fs.DurationVar(&long, "for", 30*time.Second, "how long to listen")
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			list, err := w.scanners(env)
			if err != nil {
				return err
			}
			rs := readers(list)
			fmt.Fprintf(env.Stderr, "listening for %s; swipe a document now\n", long)
			states := make([]diagnosed, len(rs))
			ctx, cancel := context.WithTimeout(ctx, long)
			defer cancel()
			look := func() {
				for i, r := range rs {
					if s := r.State(); s.Status != devices.Stopped { // at the end all are
						states[i] = diagnosed{s, r.Stats(), r.Diagnose()}
					}
				}
			}
			looking := make(chan struct{})
			go func() {
				defer close(looking)
				t := time.NewTicker(50 * time.Millisecond)
				defer t.Stop()
				for {
					select {
					case <-t.C:
						look()
					case <-ctx.Done():
						return
					}
				}
			}()
			err = serve(ctx, env.Stderr, rs, func(s devices.Scan) error {
				fmt.Fprintf(env.Stderr, "scanner %q: %s\n", s.Scanner, s.Status)
				return nil
			})
			<-looking
			if err != nil {
				return err
			}
			return report(env, states, asJSON)
		},
	}
}

// report prints what was found, and tells how bad it is by the exit code.
func report(env command.Env, states []diagnosed, asJSON bool) error {
	worst := command.OK
	for _, d := range states {
		if d.Findings == nil {
			d.Findings = []devices.Diagnosis{}
		}
		if asJSON {
			if err := command.JSON(env.Stdout, d); err != nil {
				return err
			}
		} else {
			d.print(env.Stdout)
		}
		switch code := d.code(); {
		case code == command.Failed:
			worst = code
		case code == command.Warnings && worst == command.OK:
			worst = code
		}
	}
	if worst != command.OK {
		return &command.Exit{Code: worst}
	}
	return nil
}

func (d diagnosed) code() int {
	switch {
	case !d.Status.Up():
		return command.Failed
	case len(d.Findings) > 0 || d.Stats.Complete == 0:
		return command.Warnings
	}
	return command.OK
}

func (d diagnosed) print(w io.Writer) {
	fmt.Fprintf(w, "scanner %q\n", d.Scanner)
	if !d.Status.Up() {
		fmt.Fprintf(w, "  cannot be used: %s\n", d.Reason)
		return
	}
	s := d.Stats
	fmt.Fprintf(w, "  %d bytes: %d documents read, %d in part, %d boarding passes, %d magnetic tracks dropped, %d bytes of noise\n",
		s.Bytes, s.Complete, s.Partial, s.Passes, s.Tracks, s.Noise)
	if s.BadSums > 0 {
		fmt.Fprintf(w, "  %d messages had another checksum than expected; that alone does no harm\n", s.BadSums)
	}
	for _, f := range d.Findings {
		fmt.Fprintf(w, "  %s\n", f.EN)
	}
	switch {
	case len(d.Findings) > 0:
	case s.Complete > 0:
		fmt.Fprintln(w, "  nothing is wrong")
	case s.Bytes == 0:
		fmt.Fprintln(w, "  nothing came: was a document swiped? If so, check the cable, the line's settings, and whether the reader must be armed (profile)")
	default:
		fmt.Fprintln(w, "  no whole document came: swipe again, slowly, and check profile and line")
	}
}
