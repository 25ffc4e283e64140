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

func keyCommand() *command.Command {
	return &command.Command{Name: "key", Summary: "Care for the counter's signing key.", Sub: []*command.Command{keyRotateCommand()}}
}

func keyRotateCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "rotate", Summary: "Sign with a new key from now on.",
		Help: "The old key signs an event that names the new one, so the hub trusts it. The agent must be running.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: withConfig(&path, func(ctx context.Context, env command.Env, cfg *config.Config) error {
			r, err := control.RotateKey(ctx, filepath.Join(cfg.State.Run, daemon.SocketFile))
			if err != nil {
				return err
			}
			if asJSON {
				return command.JSON(env.Stdout, r)
			}
			_, err = fmt.Fprintf(env.Stdout, "the counter signs with key %s now\n", r.KeyID)
			return err
		}),
	}
}
