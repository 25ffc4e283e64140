package command

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"runtime"
	"runtime/debug"
)

// Release is set when a release is built (-ldflags -X).
var Release = ""

// Version is Release, or "dev" where nothing was set, and the commit that the
// build recorded about itself.
func Version() (version, commit string) {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return cmp.Or(Release, "dev"), commit
}

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
			version, commit := Version()
			if asJSON {
				return JSON(env.Stdout, map[string]string{"version": version, "commit": commit, "go": runtime.Version()})
			}
			fmt.Fprintf(env.Stdout, "%s %s %s (%s)\n", program, version, commit, runtime.Version())
			return nil
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
