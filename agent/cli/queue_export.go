package cli

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/queue/sqlite"
)

func queueExportCommand() *command.Command {
	var path, to string
	var all bool
	return &command.Command{
		Name: "export", Summary: "Write sealed events, one a line, for a USB stick.",
		Help: "lintas-hub ledger import takes the file, any number of times. Nothing is removed from the queue.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			fs.StringVar(&to, "o", "-", "`file` to write; - is stdout")
			fs.BoolVar(&all, "all", true, "also events that the hub has confirmed")
		},
		Run: queueRun(&path, func(ctx context.Context, env command.Env, _ *config.Config, r *sqlite.Reader) error {
			n := 0
			write := func(w io.Writer) error {
				out := bufio.NewWriter(w)
				for e, err := range r.Events(ctx, 0) {
					if err != nil {
						return err
					}
					if e.Acknowledged && e.Parked == "" && !all {
						continue
					}
					n++
					if _, err := out.Write(append(e.Sealed, '\n')); err != nil {
						return err
					}
				}
				return out.Flush()
			}
			if to == "-" {
				return write(env.Stdout)
			}
			if err := writeFile(to, write); err != nil {
				return fmt.Errorf("cannot export: %w", err)
			}
			fmt.Fprintf(env.Stderr, "wrote %d sealed events to %s\n", n, to)
			return nil
		}),
	}
}

// writeFile makes a file that is on the medium when it returns.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Sync(), f.Close(), sqlite.SyncDir(filepath.Dir(path)))
}
