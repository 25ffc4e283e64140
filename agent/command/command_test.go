package command_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"lintas/agent/command"
)

func TestRun(t *testing.T) {
	var loud bool
	commands := []*command.Command{
		{Name: "say", Args: "WORD", Summary: "Say a word.", Help: "Loudly, if asked.",
			Flags: func(fs *flag.FlagSet) { fs.BoolVar(&loud, "loud", false, "shout") },
			Run: func(_ context.Context, env command.Env, args []string) error {
				word := strings.Join(args, " ")
				if loud {
					word = strings.ToUpper(word)
				}
				switch word {
				case "no":
					return errors.New("cannot say no")
				case "warn":
					return &command.Exit{Code: command.Warnings}
				case "config":
					return &command.Exit{Code: command.Config, Err: errors.New("bad file")}
				}
				fmt.Fprint(env.Stdout, word)
				return nil
			}},
		{Name: "group", Summary: "A group.", Sub: []*command.Command{{Name: "one", Summary: "First.",
			Run: func(context.Context, command.Env, []string) error { return nil }}}},
		command.VersionCommand("prog"),
	}
	for _, c := range []struct {
		args     string
		code     int
		out, err string
	}{
		{"say hello", 0, "hello", ""},
		{"say hello --loud", 0, "HELLO", ""}, // flags may stand behind
		{"say -loud hello", 0, "HELLO", ""},
		{"say no", 1, "", "prog: cannot say no"},
		{"say warn", 2, "", ""},
		{"say config", 78, "", "prog: bad file"},
		{"say --colour x", 64, "", "flag provided but not defined"},
		{"", 64, "", "Commands:"},
		{"sing", 64, "", `no command "sing"`},
		{"group", 64, "", "one"},
		{"group two", 64, "", `no command "two"`},
		{"group one", 0, "", ""},
		{"help", 0, "Say a word.", ""},
		{"say -h", 0, "Loudly, if asked.", ""},
		{"version", 0, "prog dev", ""},
		{"version --json", 0, `"version":"dev"`, ""},
		{"version now", 64, "", "unexpected argument"},
	} {
		t.Run(c.args, func(t *testing.T) {
			loud = false
			var out, errs bytes.Buffer
			env := command.Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs}
			code := command.Run(t.Context(), env, "prog", "A program.", commands, strings.Fields(c.args))
			if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errs.String(), c.err) {
				t.Errorf("code %d, out %q, err %q", code, out.String(), errs.String())
			}
		})
	}
}
