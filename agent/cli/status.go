package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/control"
	"lintas/agent/daemon"
	"lintas/agent/health"
)

func statusCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "status", Summary: "Show how the running agent is.",
		Help: "Exit status: 0 all is well, 1 the agent does not run or cannot record, 2 it runs with warnings.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: withConfig(&path, func(ctx context.Context, env command.Env, cfg *config.Config) error {
			s, err := control.Ask(ctx, filepath.Join(cfg.State.Run, daemon.SocketFile))
			if err != nil {
				return fmt.Errorf("%w; start it with systemctl start lintas", err)
			}
			if asJSON {
				err = command.JSON(env.Stdout, s)
			} else {
				printStatus(env.Stdout, s)
			}
			if err != nil {
				return err
			}
			return statusExit(s)
		}),
	}
}

func statusExit(s control.Status) error {
	bad := func(c control.Condition) bool { return c.Severity != string(health.Info) }
	switch {
	case !s.Recording:
		return &command.Exit{Code: command.Failed}
	case slices.ContainsFunc(s.Conditions, bad):
		return &command.Exit{Code: command.Warnings}
	}
	return nil
}

func printStatus(w io.Writer, s control.Status) {
	fmt.Fprintf(w, "counter   %s, version %s, running since %s\n", s.Counter, s.Version, s.Started.Format(time.RFC3339))
	fmt.Fprintf(w, "page      %s\n", or(s.Page, "not served"))
	fmt.Fprintf(w, "queue     %d recorded, %d not confirmed by the hub", s.Queue.Sequence, s.Queue.Depth)
	if s.Queue.Oldest != nil {
		fmt.Fprintf(w, ", the oldest for %s", time.Since(*s.Queue.Oldest).Round(time.Second))
	}
	fmt.Fprintln(w)
	switch {
	case s.Uplink.Broker == "":
		fmt.Fprintln(w, "uplink    no broker configured")
	case s.Uplink.Connected:
		fmt.Fprintf(w, "uplink    connected to %s\n", s.Uplink.Broker)
	default:
		fmt.Fprintf(w, "uplink    not connected: %s\n", s.Uplink.LastError)
	}
	if s.List.Present {
		fmt.Fprintf(w, "list      version %d, %d rows, %s old\n", s.List.Version, s.List.Rows, (time.Duration(s.List.Age) * time.Second).String())
	} else {
		fmt.Fprintln(w, "list      none")
	}
	fmt.Fprintf(w, "gaps      %d crossings in 24 hours followed one that is not on record (Q01)\n", s.Gaps)
	for _, sc := range s.Scanners {
		fmt.Fprintf(w, "scanner   %s: %s\n", sc.Name, strings.TrimSpace(sc.Status+" "+sc.Reason))
		fmt.Fprintf(w, "          %d read, %d in part, %d lost, %d cards dropped, %d of %d bytes were noise\n",
			sc.Complete, sc.Partial, sc.Dropped, sc.Tracks, sc.Noise, sc.Bytes)
		if sc.Tee != nil {
			fmt.Fprintf(w, "          handed on at %s: %s\n", sc.Tee.Path, teeWords(*sc.Tee))
		}
	}
	if len(s.Conditions) == 0 {
		fmt.Fprintln(w, "\nAll is well.")
	}
	for _, c := range s.Conditions {
		fmt.Fprintf(w, "\n%s  %s", c.Severity, c.EN)
		if c.Subject != "" {
			fmt.Fprintf(w, " (%s)", c.Subject)
		}
		fmt.Fprintf(w, "\n  %s\n", c.NextEN)
		if c.Detail != "" {
			fmt.Fprintf(w, "  %s\n", c.Detail)
		}
	}
}

func teeWords(t control.Tee) string {
	words := "not opened by a second program"
	switch {
	case !t.Ready:
		words = or(t.Reason, "not ready")
	case t.Stuck:
		words = "the second program takes nothing"
	case t.Opened:
		words = "opened"
	}
	if t.Lost > 0 {
		words += fmt.Sprintf(", %d bytes lost", t.Lost)
	}
	return words
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
