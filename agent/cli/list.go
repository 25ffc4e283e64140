package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/daemon"
	"lintas/agent/placement"
	"lintas/agent/placement/cache"
)

func listCommand() *command.Command {
	return &command.Command{
		Name: "list", Summary: "Install the placement list, or show which one is installed.",
		Sub: []*command.Command{listImportCommand(), listStatusCommand(), listRulesCommand()},
	}
}

func listImportCommand() *command.Command {
	var path string
	return &command.Command{
		Name: "import", Args: "DIR", Summary: "Install the list in a directory, such as a USB stick.",
		Help: "The list is checked file by file against its header and put in place whole; a running\n" +
			"agent takes it up within seconds. A list that is not newer than the installed one is refused.",
		Flags: func(fs *flag.FlagSet) { configFlag(fs, &path) },
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("list import takes one directory")
			}
			cfg, err := loadConfig(env, path)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(cfg.State.Dir, 0o700); err != nil {
				return fmt.Errorf("cannot use state folder: %w", err)
			}
			m, err := cache.Install(ctx, args[0], listFile(cfg))
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Stderr, "installed list version %d with %d rows\n", m.Version, m.Rows)
			if key, err := placement.LoadKey(cfg.Keys.ListFile); err != nil || key.ID != m.KeyID {
				fmt.Fprintf(env.Stderr, "warning: this counter does not hold list key %s (looked in %s); no row will open\n", m.KeyID, cfg.Keys.ListFile)
				return &command.Exit{Code: command.Warnings}
			}
			return nil
		},
	}
}

func listFile(cfg *config.Config) string { return filepath.Join(cfg.State.Dir, daemon.ListFile) }

// listInfo is what `lintas list status --json` prints.
type listInfo struct {
	Present bool      `json:"present"`
	Version int64     `json:"version"`
	Time    time.Time `json:"time,omitzero"`
	Age     int64     `json:"age_s"`
	Rows    int64     `json:"rows"`
	KeyID   string    `json:"key_id"`
	Cheap   bool      `json:"cheap"`
}

func listStatusCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "status", Summary: "Show the installed list.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: withConfig(&path, func(ctx context.Context, env command.Env, cfg *config.Config) error {
			m, err := cache.Installed(ctx, listFile(cfg))
			absent := errors.Is(err, fs.ErrNotExist)
			if err != nil && !absent {
				return err
			}
			info := listInfo{Present: !absent}
			if info.Present {
				info = listInfo{true, m.Version, m.Time, int64(time.Since(m.Time).Seconds()), m.Rows, m.KeyID, m.Cost.Cheap()}
			}
			switch {
			case asJSON:
				err = command.JSON(env.Stdout, info)
			case absent:
				fmt.Fprintln(env.Stdout, "no list is installed; install one with lintas list import DIR")
				err = nil
			default:
				fmt.Fprintf(env.Stdout, "version %d of %s (%s old), %d rows, list key %s\n",
					m.Version, m.Time.Format(time.RFC3339), (time.Duration(info.Age) * time.Second).String(), m.Rows, m.KeyID)
			}
			if err == nil && absent {
				err = &command.Exit{Code: command.Warnings}
			}
			return err
		}),
	}
}
