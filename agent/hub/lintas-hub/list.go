package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"lintas/agent/command"
	"lintas/agent/hub"
	"lintas/agent/placement"
)

func listCommand() *command.Command {
	return &command.Command{
		Name: "list", Summary: "Build the placement list for the counters.",
		Sub: []*command.Command{listBuildCommand()},
	}
}

type listBuild struct {
	keys, placements, negatives, agencies, out, at string
	version                                        int64
	cheap                                          bool
}

func listBuildCommand() *command.Command {
	b := &listBuild{}
	return &command.Command{
		Name: "build", Summary: "Lock placement records into a list directory.",
		Help: "Sources are JSON Lines, one object a line; every line that is wrong is reported, and then nothing\n" +
			"is built. Locking takes about 20 ms of one core for each record.",
		Flags: func(fs *flag.FlagSet) {
			keysFlag(fs, &b.keys)
			fs.StringVar(&b.placements, "placements", "", "JSON Lines `file` of placement records")
			fs.StringVar(&b.negatives, "negatives", "", "JSON Lines `file` of negative entries")
			fs.StringVar(&b.agencies, "agencies", "", "JSON Lines `file` of agencies and their licences")
			fs.StringVar(&b.out, "o", "", "`directory` to write, new or empty")
			fs.Int64Var(&b.version, "version", time.Now().Unix(), "the list's version `number`; counters refuse to go back")
			fs.StringVar(&b.at, "time", "", "the `time` the list is as of, RFC 3339 (default now)")
			fs.BoolVar(&b.cheap, "cheap", false, "lock weakly, for benchmarks and demonstrations; the counters say so")
		},
		Run: func(_ context.Context, env command.Env, args []string) error {
			if err := command.NoArguments(args); err != nil {
				return err
			}
			if b.out == "" || b.placements == "" {
				return command.UsageError("list build needs --placements and -o")
			}
			m, err := b.run()
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "built list version %d with %d rows in %s\n", m.Version, m.Rows, b.out)
			return nil
		},
	}
}

func (b *listBuild) run() (m placement.Manifest, err error) {
	s := placement.Source{Version: b.version, Time: time.Now(), Cost: placement.DefaultCost}
	if b.cheap {
		s.Cost = placement.CheapCost
	}
	if b.at != "" {
		if s.Time, err = time.Parse(time.RFC3339, b.at); err != nil {
			return m, command.UsageError("--time %q is not RFC 3339", b.at)
		}
	}
	if s.Key, err = placement.LoadKey(filepath.Join(b.keys, hub.FileListKey)); err != nil {
		return m, err
	}
	var errs [3]error
	s.Entries, errs[0] = source(b.placements, placement.ReadEntries)
	s.Negatives, errs[1] = source(b.negatives, placement.ReadNegatives)
	s.Agencies, errs[2] = source(b.agencies, placement.ReadAgencies)
	if err := errors.Join(errs[:]...); err != nil {
		return m, fmt.Errorf("nothing was built:\n%w", err)
	}
	return placement.Build(b.out, s)
}

func source[T any](path string, read func(string, io.Reader) ([]T, error)) ([]T, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(path, f)
}
