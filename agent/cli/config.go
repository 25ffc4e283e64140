package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"lintas/agent/command"
	"lintas/agent/config"
)

// defaultConfig is where the package puts the configuration.
const defaultConfig = "/etc/lintas/lintas.toml"

func configFlag(fs *flag.FlagSet, v *string) {
	fs.StringVar(v, "c", defaultConfig, "configuration `file`")
	fs.StringVar(v, "config", defaultConfig, "the same as -c")
}

// loadConfig reads the configuration; what is wrong with it is told at once,
// with exit code 78.
func loadConfig(env command.Env, path string) (*config.Config, error) {
	cfg, err := config.Load(path, env.Getenv)
	if faults, ok := errors.AsType[config.Faults](err); ok {
		fmt.Fprintln(env.Stderr, faults.Error())
		return nil, &command.Exit{Code: command.Config}
	}
	if err != nil {
		return nil, &command.Exit{Code: command.Config, Err: err}
	}
	return cfg, nil
}

// withConfig is the Run of a command that takes no arguments and needs the
// configuration at *path.
func withConfig(path *string, run func(context.Context, command.Env, *config.Config) error) func(context.Context, command.Env, []string) error {
	return func(ctx context.Context, env command.Env, args []string) error {
		if err := command.NoArguments(args); err != nil {
			return err
		}
		cfg, err := loadConfig(env, *path)
		if err != nil {
			return err
		}
		return run(ctx, env, cfg)
	}
}

func configCommand() *command.Command {
	var path string
	var asJSON bool
	check := &command.Command{
		Name: "check", Args: "[FILE]", Summary: "Check a configuration: everything a start would check.",
		Help: "Exit status: 0 fine, 2 fine with warnings, 78 faults.",
		Flags: func(fs *flag.FlagSet) {
			configFlag(fs, &path)
			command.JSONFlag(fs, &asJSON)
		},
		Run: func(_ context.Context, env command.Env, args []string) error {
			if len(args) > 0 {
				path = args[0]
				if err := command.NoArguments(args[1:]); err != nil {
					return err
				}
			}
			return checkConfig(env, path, asJSON)
		},
	}
	return &command.Command{
		Name: "config", Summary: "Check the configuration, or show the default one.",
		Sub: []*command.Command{check, {
			Name: "default", Summary: "Print the default configuration, which documents every key.",
			Run: func(_ context.Context, env command.Env, args []string) error {
				_, err := fmt.Fprint(env.Stdout, config.Default())
				return err
			},
		}},
	}
}

type checked struct {
	File     string   `json:"file"`
	Valid    bool     `json:"valid"`
	Faults   []fault  `json:"faults"`
	Warnings []string `json:"warnings"`
}

type fault struct {
	Line    int    `json:"line"`
	Key     string `json:"key"`
	Message string `json:"message"`
}

func checkConfig(env command.Env, path string, asJSON bool) error {
	cfg, err := config.Load(path, env.Getenv)
	faults, isFaults := errors.AsType[config.Faults](err)
	if err != nil && !isFaults {
		return &command.Exit{Code: command.Config, Err: err}
	}
	c := checked{File: path, Valid: err == nil, Faults: []fault{}, Warnings: []string{}}
	if cfg != nil {
		c.Warnings = append(c.Warnings, cfg.Warnings()...)
	}
	for _, f := range faults {
		c.Faults = append(c.Faults, fault{f.Line, f.Key, f.Message})
	}
	if asJSON {
		if err := command.JSON(env.Stdout, c); err != nil {
			return err
		}
	} else {
		if err != nil {
			fmt.Fprintln(env.Stdout, err)
		}
		for _, w := range c.Warnings {
			fmt.Fprintf(env.Stdout, "%s: warning: %s\n", path, w)
		}
		if c.Valid && len(c.Warnings) == 0 {
			fmt.Fprintf(env.Stdout, "%s: fine\n", path)
		}
	}
	switch {
	case !c.Valid:
		return &command.Exit{Code: command.Config}
	case len(c.Warnings) > 0:
		return &command.Exit{Code: command.Warnings}
	}
	return nil
}
