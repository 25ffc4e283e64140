package main

import (
	"os"
	"testing"

	"lintas/agent/e2e/servers"
)

// Where there is no ledger nothing is answered: a mistyped name must not say
// that nobody has left. None is made either.
func TestNoLedger(t *testing.T) {
	s := newSite(t)
	manifest := s.write("manifest.csv", "flight,scheduled_at,issuing_state,document_number\nCX798,2026-11-23T10:30:00+07:00,IDN,ZZ0000101\n")
	placements := s.write("placements.jsonl", "")
	who := []string{"--officer", "a", "--purpose", "b"}
	for _, db := range []string{s.path("missing.db"), servers.Schema(t)} {
		for _, c := range [][]string{
			{"ledger", "ls"}, {"ledger", "verify"}, {"ledger", "gaps"}, {"ledger", "counters"}, {"ledger", "access"}, {"ledger", "open", "--keys", s.path("keys")},
			{"ledger", "aside", "list"}, {"ledger", "aside", "reject", "--why", "x", "1"}, {"counters", "list"}, {"counters", "revoke", "--why", "x", counterID},
			{"ledger", "open-stays", "--by", "destination"}, append([]string{"ledger", "open-stays"}, who...), append([]string{"ledger", "traveller", "IDN", "ZZ0000101"}, who...),
			append([]string{"ledger", "reconcile", "--manifest", manifest}, who...), append([]string{"ledger", "forget", "--before", "2020-01-01"}, who...),
			{"placements", "load", "--placements", placements},
		} {
			c = append(c, "--db", db)
			if out := s.must(1, c...); out != "" {
				t.Errorf("%v: %s", c, out)
			}
		}
	}
	if _, err := os.Stat(s.path("missing.db")); err == nil {
		t.Error("a ledger was made")
	}
}
