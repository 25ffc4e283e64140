package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/daemon"
)

// maxAckFile bounds a file of acknowledgements: a hundred counters' worth.
const maxAckFile = 1 << 20

func queueAckCommand() *command.Command {
	var path string
	return &command.Command{
		Name: "ack", Args: "FILE", Summary: "Take the hub's acknowledgement from a USB stick.",
		Help: "The file is what lintas-hub ledger import leaves beside the export. Its signature is checked.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("queue ack takes one file")
			}
			file, err := readAckFile(args[0])
			if err != nil {
				return err
			}
			return withConfig(&path, func(ctx context.Context, env command.Env, cfg *config.Config) error {
				return daemon.Acknowledge(ctx, cfg, file)
			})(ctx, env, nil)
		},
	}
}

func readAckFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read acknowledgement: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxAckFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read acknowledgement: %w", err)
	case len(b) > maxAckFile:
		return nil, fmt.Errorf("cannot read acknowledgement: %s is larger than %d MiB", name, maxAckFile>>20)
	}
	return b, nil
}
