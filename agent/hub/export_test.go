package hub

import (
	"context"
	"database/sql"
	"testing"
)

// Pragma tells a setting of the ledger's connection.
func (l *Ledger) Pragma(t testing.TB, name string) (value string) {
	t.Helper()
	if err := l.db.QueryRow("PRAGMA " + name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// Query asks the ledger's database.
func (l *Ledger) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return l.query(ctx, query, args...)
}

// TravellersAtOnce sets how many travellers a report reads at once.
func TravellersAtOnce(t testing.TB, n int) {
	before := staysAtOnce
	staysAtOnce = n
	t.Cleanup(func() { staysAtOnce = before })
}

// Setting tells one of PostgreSQL.
func (l *Ledger) Setting(t testing.TB, name string) (value string) {
	t.Helper()
	if err := l.db.QueryRow("SELECT current_setting($1)", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}
