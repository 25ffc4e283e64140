package cli

import (
	"context"
	"flag"
	"log/slog"
	"runtime/debug"

	"lintas/agent/command"
	"lintas/agent/config"
	"lintas/agent/daemon"
)

func runCommand() *command.Command {
	var path string
	return &command.Command{
		Name: "run", Summary: "Run the agent.",
		Help: "Runs until SIGTERM or SIGINT: then the officer may finish, what is recorded is sent,\n" +
			"and the agent ends. A second signal ends it at once; nothing recorded is lost by that.",
		Flags: func(fs *flag.FlagSet) { configFlag(fs, &path) },
		Run: withConfig(&path, func(ctx context.Context, env command.Env, cfg *config.Config) error {
			log := newLogger(env, cfg)
			for _, w := range cfg.Warnings() {
				log.Warn("configuration", "warning", w)
			}
			debug.SetMemoryLimit(memoryLimit)
			return daemon.Run(ctx, cfg, command.Release, log)
		}),
	}
}

// memoryLimit makes the collector work harder before the process grows.
const memoryLimit = 64 << 20

func newLogger(env command.Env, cfg *config.Config) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		level = slog.LevelInfo // the configuration was checked
	}
	o := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(env.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(env.Stderr, o))
}
