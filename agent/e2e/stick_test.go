package e2e_test

import (
	"os"
	"strings"
	"testing"
)

// A counter without any link: its events go to headquarters on a USB stick, and
// the acknowledgement comes back on it, to a running agent or to a stopped one.
func TestUSBStick(t *testing.T) {
	s := newSite(t, `direction = "departure"`) // its broker's address is nobody's
	agent := s.agent()
	s.ready()
	s.trust()
	l := zone(t, traveller(1))
	s.send(l[0] + "\r" + l[1] + "\r")
	s.opened(0)

	carry := func() {
		t.Helper()
		s.tool("lintas", "queue", "export", "-c", s.config(), "-o", s.path("events.jsonl"))
		s.tool("lintas-hub", "ledger", "import", "--db", s.path("ledger.db"), "--keys", s.path("keys"), s.path("events.jsonl"))
		s.tool("lintas", "queue", "ack", "-c", s.config(), s.path("events.jsonl.ack"))
		s.confirmed()
	}
	carry()
	carry() // any number of times
	if err := agent.stop(); err != nil {
		t.Fatal(err)
	}
	carry()

	forged, err := os.ReadFile(s.path("events.jsonl.ack"))
	if err != nil {
		t.Fatal(err)
	}
	forged[len(forged)-20] ^= 1
	if err := os.WriteFile(s.path("forged"), forged, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.try("lintas", "queue", "ack", "-c", s.config(), s.path("forged")); exitCode(err) != 1 {
		t.Errorf("a forged acknowledgement: %v, %s", err, out)
	}
	if !strings.Contains(s.tool("lintas-hub", "ledger", "verify", "--db", s.path("ledger.db"), "--keys", s.path("keys")), "whole") {
		t.Error("the ledger is not whole")
	}
}
