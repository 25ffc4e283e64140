package hub

import (
	"context"
	"database/sql"
	"strconv"
	"strings"
)

// querier is a database or a transaction.
type querier interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// store is a ledger's database or a transaction on it, SQLite or PostgreSQL.
// Statements are written once, in what both understand, with ? and ?1 in the
// place of arguments.
type store struct {
	q        querier
	postgres bool
}

func (s store) exec(ctx context.Context, statement string, args ...any) (sql.Result, error) {
	return s.q.ExecContext(ctx, s.words(statement), args...)
}

func (s store) query(ctx context.Context, statement string, args ...any) (*sql.Rows, error) {
	return s.q.QueryContext(ctx, s.words(statement), args...)
}

func (s store) row(ctx context.Context, statement string, args ...any) *sql.Row {
	return s.q.QueryRowContext(ctx, s.words(statement), args...)
}

// words gives a statement as the database wants it.
func (s store) words(statement string) string {
	if !s.postgres {
		return statement
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(statement, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteByte('$')
		if after == "" || after[0] < '0' || after[0] > '9' {
			b.WriteString(strconv.Itoa(n))
		}
		statement = after
	}
}

// forUpdate ends a SELECT that locks its rows until the transaction ends. In
// SQLite whoever writes has the whole file.
func (s store) forUpdate() string {
	if s.postgres {
		return " FOR UPDATE"
	}
	return ""
}

// list gives the places of n arguments: (?,?,?).
func list(n int) string { return "(" + strings.TrimSuffix(strings.Repeat("?,", n), ",") + ")" }

// tx is a transaction.
type tx struct {
	store
	tx *sql.Tx
}

func (t tx) commit() error   { return t.tx.Commit() }
func (t tx) rollback() error { return t.tx.Rollback() }

func (l *Ledger) begin(ctx context.Context, o *sql.TxOptions) (tx, error) {
	t, err := l.db.BeginTx(ctx, o)
	return tx{store{t, l.postgres}, t}, err
}

// snapshot begins a transaction that reads one state of the ledger, whatever
// others add meanwhile.
func (l *Ledger) snapshot(ctx context.Context) (tx, error) {
	o := &sql.TxOptions{ReadOnly: true}
	if l.postgres { // SQLite knows nothing else
		o.Isolation = sql.LevelRepeatableRead
	}
	return l.begin(ctx, o)
}
