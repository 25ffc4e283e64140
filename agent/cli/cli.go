// Package cli is the command line of `lintas`, one file for each subcommand.
package cli

import "lintas/agent/command"

// Main runs the command line and does not return.
func Main() {
	command.Main("lintas", "Lintas, the edge agent of an immigration counter.", Commands())
}

// Commands lists the subcommands in the order of the help.
func Commands() []*command.Command {
	return []*command.Command{
		runCommand(), statusCommand(), mrzCommand(), scannerCommand(), listCommand(), queueCommand(), keyCommand(), configCommand(), command.VersionCommand("lintas"),
		readPageCommand(),
	}
}
