package cli_test

import (
	"context"
	"os"
	"testing"

	"lintas/agent/cli"
	"lintas/agent/command"
)

// TestMain lets this test binary be the child that reads pages, as the program
// itself is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "read-page" {
		env := command.Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv}
		os.Exit(command.Run(context.Background(), env, "lintas", "", cli.Commands(), os.Args[1:]))
	}
	os.Exit(m.Run())
}
