// Command lintas is the edge agent of an immigration counter. It reads travel
// documents, shows the officer a verdict, records the crossing durably and
// delivers it to the hub.
package main

import "lintas/agent/cli"

func main() { cli.Main() }
