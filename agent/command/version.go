package command

import (
	"context"
	"flag"
	"fmt"
	"runtime"
)

// Release and Commit are set by the Makefile (-ldflags -X).
var (
	Release = "dev"
	Commit  = ""
)

// VersionCommand is the same for every program.
func VersionCommand(program string) *Command {
	var asJSON bool
	return &Command{
		Name: "version", Summary: "Show the version.",
		Flags: func(fs *flag.FlagSet) { JSONFlag(fs, &asJSON) },
		Run: func(_ context.Context, env Env, args []string) error {
			if err := NoArguments(args); err != nil {
				return err
			}
			if asJSON {
				return JSON(env.Stdout, map[string]string{"version": Release, "commit": Commit, "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(env.Stdout, "%s %s (%s)\n", program, Release, runtime.Version())
			return err
		},
	}
}

// JSONFlag declares --json.
func JSONFlag(fs *flag.FlagSet, v *bool) { fs.BoolVar(v, "json", false, "print JSON with stable keys") }

// NoArguments refuses arguments.
func NoArguments(args []string) error {
	if len(args) > 0 {
		return UsageError("unexpected argument %q", args[0])
	}
	return nil
}
