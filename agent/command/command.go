// Package command is what the two command lines share: how a subcommand is
// described and found, how its flags are read, what goes to which stream, and
// the exit codes.
//
// Data goes to stdout, talk to stderr. An error says what could not be done,
// why, and what to do next.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Exit codes; the last two are those of sysexits(3).
const (
	OK       = 0
	Failed   = 1
	Warnings = 2
	Usage    = 64
	Config   = 78
)

// Env is what a command may touch of the world around it.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
}

// Command is a subcommand, or a group of them.
type Command struct {
	Name    string
	Args    string // what follows the name, for the help
	Summary string // one line
	Help    string // the rest of the help; may be empty
	// Flags declares the flags; Run is called with what is left of the
	// arguments.
	Flags func(*flag.FlagSet)
	Run   func(context.Context, Env, []string) error
	// Sub makes it a group; then Run is not used.
	Sub []*Command
	// Hidden keeps it out of the help: the program itself runs it.
	Hidden bool
}

// Exit is an error with an exit code of its own.
type Exit struct {
	Code int
	Err  error // nil: everything has been said
}

func (e *Exit) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit %d", e.Code)
	}
	return e.Err.Error()
}

func (e *Exit) Unwrap() error { return e.Err }

// UsageError is a mistake in the arguments.
func UsageError(format string, args ...any) error {
	return &Exit{Usage, fmt.Errorf(format, args...)}
}

// Main runs a program made of commands and does not return. SIGINT and
// SIGTERM end the context; a second one ends the program.
func Main(program, about string, commands []*Command) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	env := Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
	os.Exit(Run(ctx, env, program, about, commands, os.Args[1:]))
}

// Run runs one command line and returns the exit code.
func Run(ctx context.Context, env Env, program, about string, commands []*Command, args []string) int {
	root := &Command{Name: program, Summary: about, Sub: commands}
	err := root.run(ctx, env, nil, args)
	if err == nil {
		return OK
	}
	code := Failed
	if exit, ok := errors.AsType[*Exit](err); ok {
		code = exit.Code
		if exit.Err == nil {
			return code
		}
	}
	fmt.Fprintf(env.Stderr, "%s: %v\n", program, err)
	return code
}

func (c *Command) run(ctx context.Context, env Env, path []string, args []string) error {
	path = append(path, c.Name)
	name := strings.Join(path, " ")
	if c.Sub != nil {
		if len(args) > 0 && isHelp(args[0]) {
			c.help(env.Stdout, name)
			return nil
		}
		if len(args) == 0 {
			c.help(env.Stderr, name)
			return &Exit{Code: Usage}
		}
		for _, sub := range c.Sub {
			if sub.Name == args[0] {
				return sub.run(ctx, env, path, args[1:])
			}
		}
		return UsageError("no command %q; see %s help", args[0], name)
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	if c.Flags != nil {
		c.Flags(fs)
	}
	rest, err := parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		c.help(env.Stdout, name)
		return nil
	} else if err != nil {
		return UsageError("%s: %v; see %s -h", c.Name, err, name)
	}
	return c.Run(ctx, env, rest)
}

// parse reads flags also behind arguments: lintas mrz FILE --json.
func parse(fs *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		args = fs.Args()
		if len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

func isHelp(s string) bool { return s == "help" || s == "-h" || s == "--help" || s == "-help" }

func (c *Command) help(w io.Writer, name string) {
	fmt.Fprintf(w, "%s\n\nUsage: %s", c.Summary, name)
	if c.Sub != nil {
		fmt.Fprint(w, " COMMAND [ARGUMENTS]\n\nCommands:\n")
		for _, sub := range c.Sub {
			if !sub.Hidden {
				fmt.Fprintf(w, "  %-10s %s\n", sub.Name, sub.Summary)
			}
		}
		return
	}
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	if c.Flags != nil {
		c.Flags(fs)
		fmt.Fprint(w, " [FLAGS]")
	}
	fmt.Fprintf(w, " %s\n", c.Args)
	if c.Help != "" {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(c.Help))
	}
	if c.Flags != nil {
		fmt.Fprint(w, "\nFlags:\n")
		fs.SetOutput(w)
		fs.PrintDefaults()
	}
}

// JSON writes one value as a line of JSON.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
