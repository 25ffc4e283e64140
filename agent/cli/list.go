package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/daemon"
	"lintas/agent/placement"
	"lintas/agent/placement/cache"
	"lintas/agent/placement/sync"
)

func listCommand() *command.Command {
	return &command.Command{
		Name: "list", Summary: "Install the placement list, or show which one is installed.",
		Sub: []*command.Command{listStatusCommand(), listImportCommand(), listSyncCommand(), listVerifyCommand(), listRulesCommand()},
	}
}

func listFile(cfg *config.Config) string { return filepath.Join(cfg.State.Dir, daemon.ListFile) }

// listInfo is what the list's commands print with --json.
type listInfo struct {
	Present      bool      `json:"present"`
	Version      int64     `json:"version"`
	Base         int64     `json:"base"` // version of the full list below the deltas
	Time         time.Time `json:"time,omitzero"`
	Age          int64     `json:"age_s"`
	Rows         int64     `json:"rows"`
	RulesVersion int64     `json:"rules_version"`
	KeyID        string    `json:"key_id"`
	Opens        bool      `json:"opens"` // this counter holds the list key
	Cheap        bool      `json:"cheap"`
}

func infoOf(i placement.Info, opens bool) listInfo {
	return listInfo{true, i.Version, i.Base, i.Time, int64(max(0, time.Since(i.Time)).Seconds()), i.Rows, i.RulesVersion, i.KeyID, opens, i.Cheap}
}

// installedInfo is what `lintas list import` and `sync` print.
type installedInfo struct {
	listInfo
	Source    string `json:"source"`
	Installed bool   `json:"installed"` // false: there was nothing new
	Fetched   int64  `json:"fetched_bytes"`
}

func listImportCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "import", Args: "DIR", Summary: "Install the list in a directory, such as a USB stick.",
		Help: "What is in the directory is believed only with the signatures of headquarters, and put in place\n" +
			"whole; a running agent takes it up within seconds. An older list than the installed one, one that\n" +
			"was signed more than 7 days ago, and one that is not whole are refused.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			if len(args) != 1 {
				return command.UsageError("list import takes one directory")
			}
			cfg, err := loadConfig(env, path)
			if err != nil {
				return err
			}
			return install(ctx, env, cfg, asJSON, args[0])
		},
	}
}

func listSyncCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "sync", Args: "[SOURCE…]", Summary: "Fetch what is new of the list, from the configured sources or those given.",
		Help: "Sources are \"mqtt:\" for the counter's broker, file:/path and https://…. The agent does the same\n" +
			"by itself every [list] every. What a broken link has left is gone on with.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(ctx context.Context, env command.Env, args []string) error {
			cfg, err := loadConfig(env, path)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = cfg.List.Sources
			}
			if len(args) == 0 {
				return command.UsageError("list sync: no source is configured; set [list] sources, or name one")
			}
			return install(ctx, env, cfg, asJSON, args...)
		},
	}
}

func install(ctx context.Context, env command.Env, cfg *config.Config, asJSON bool, sources ...string) error {
	if err := os.MkdirAll(cfg.State.Dir, 0o700); err != nil {
		return fmt.Errorf("cannot use state folder: %w", err)
	}
	client := daemon.ListClient(cfg, slog.New(slog.DiscardHandler))
	client.Access = func() cache.Access { return daemon.ListAccess(cfg) }
	r, err := client.Sync(ctx, sources...)
	if err != nil {
		if errors.Is(err, sync.ErrNoRoot) {
			err = fmt.Errorf("%w; or name it in [list] root_file", err)
		}
		return errors.Join(err, daemon.NoteRefused(cfg, err))
	}
	opens := opens(ctx, cfg)
	if asJSON {
		if err := command.JSON(env.Stdout, installedInfo{infoOf(r.Info, opens), r.Source, r.Installed, r.Fetched}); err != nil {
			return err
		}
	}
	if r.Installed {
		fmt.Fprintf(env.Stderr, "installed list version %d with %d rows\n", r.Info.Version, r.Info.Rows)
	} else {
		fmt.Fprintf(env.Stderr, "list version %d is installed already\n", r.Info.Version)
	}
	if !opens {
		fmt.Fprintf(env.Stderr, "warning: this counter does not hold list key %s, neither in %s nor from the list; no row will open\n", r.Info.KeyID, cfg.Keys.ListFile)
		return &command.Exit{Code: command.Warnings}
	}
	return nil
}

// opens tells whether the counter can use the installed list. Outside of the
// service its keys may not be readable.
func opens(ctx context.Context, cfg *config.Config) bool {
	l, err := cache.Open(ctx, listFile(cfg), daemon.ListAccess(cfg))
	if err != nil {
		return false
	}
	return l.Close() == nil
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
			i, err := cache.Installed(ctx, listFile(cfg))
			return showList(ctx, env, cfg, asJSON, i, err)
		}),
	}
}

func listVerifyCommand() *command.Command {
	var path string
	var asJSON bool
	return &command.Command{
		Name: "verify", Summary: "Read the installed list from end to end and look whether it is whole.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: withConfig(&path, func(ctx context.Context, env command.Env, cfg *config.Config) error {
			i, err := cache.Verify(ctx, listFile(cfg))
			if err == nil {
				fmt.Fprintln(env.Stderr, "the installed list is whole")
			} else if !errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("%w; install it again with lintas list sync or import, after removing %s", err, listFile(cfg))
			}
			return showList(ctx, env, cfg, asJSON, i, err)
		}),
	}
}

func showList(ctx context.Context, env command.Env, cfg *config.Config, asJSON bool, i placement.Info, err error) error {
	absent := errors.Is(err, fs.ErrNotExist)
	if err != nil && !absent {
		return err
	}
	info := listInfo{}
	if !absent {
		info = infoOf(i, opens(ctx, cfg))
	}
	switch {
	case asJSON:
		err = command.JSON(env.Stdout, info)
	case absent:
		_, err = fmt.Fprintln(env.Stdout, "no list is installed; install one with lintas list import DIR")
	default:
		_, err = fmt.Fprintf(env.Stdout, "version %d of %s (%s old), full list %d, %d rows, list key %s\n",
			info.Version, info.Time.Format(time.RFC3339), (time.Duration(info.Age) * time.Second).String(), info.Base, info.Rows, info.KeyID)
		if !info.Opens {
			fmt.Fprintln(env.Stdout, "this counter does not hold the list key, or it cannot be read by you")
		}
	}
	if err == nil && absent {
		err = &command.Exit{Code: command.Warnings}
	}
	return err
}
