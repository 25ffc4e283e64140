// Command lintas-hub is the receiving end at headquarters: it checks what the
// counters send, keeps it once in a ledger, acknowledges it, and builds the
// placement list.
package main

import "lintas/agent/command"

func main() {
	command.Main("lintas-hub", "Lintas hub, the receiving end of the counters.", commands())
}

func commands() []*command.Command {
	return []*command.Command{runCommand(), keysCommand(), countersCommand(), listCommand(), placementsCommand(), recipientsCommand(), ledgerCommand(), command.VersionCommand("lintas-hub")}
}
