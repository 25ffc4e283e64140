package hub

import "testing"

// Pragma tells a setting of the ledger's connection.
func (l *Ledger) Pragma(t testing.TB, name string) (value string) {
	t.Helper()
	if err := l.db.QueryRow("PRAGMA " + name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
