package cli

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/control"
	"lintas/agent/daemon"
)

func queueRetryCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "retry", Summary: "Connect now, and send once more what no broker carried.",
		Help: "For events that lintas queue ls shows as parked, once the broker is mended. The agent must be running.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: withConfig(&path, func(ctx context.Context, env command.Env, cfg *config.Config) error {
			r, err := control.Retry(ctx, filepath.Join(cfg.State.Run, daemon.SocketFile))
			if err != nil {
				return fmt.Errorf("cannot retry: %w", err)
			}
			if asJSON {
				return command.JSON(env.Stdout, r)
			}
			_, err = fmt.Fprintf(env.Stdout, "%d parked events are sent once more\n", r.Events)
			return err
		}),
	}
}
