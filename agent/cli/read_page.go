package cli

import (
	"context"
	"os"

	"lintas/agent/command"
	"lintas/devices/page"
)

// readPageCommand is the child that opens a scanned page, see package page. It
// is started by this program itself.
func readPageCommand() *command.Command {
	return &command.Command{
		Name: "read-page", Hidden: true, Summary: "Read the scanned page on stdin (for this program itself).",
		Run: func(_ context.Context, env command.Env, args []string) error {
			return page.Child(os.Stdin, env.Stdout, args)
		},
	}
}
