package hub

import (
	"context"
	"database/sql"
	"math/bits"
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

// places gives the places of n arguments: (?,?,?).
func places(n int) string { return "(" + strings.TrimSuffix(strings.Repeat("?,", n), ",") + ")" }

// rowsAtOnce bounds the rows of one statement.
const rowsAtOnce = 256

// among runs a query over many values, some at a time: in of the statement
// stands for their places. The number of places is a power of two, so that
// there are few statements to prepare.
func (s store) among(ctx context.Context, statement string, values []any, scan func(*sql.Rows) error) error {
	for len(values) > 0 {
		n := min(len(values), rowsAtOnce)
		size := 1 << bits.Len(uint(n-1))
		args := make([]any, size)
		for i := range args {
			args[i] = values[min(i, n-1)] // the last one fills up
		}
		rows, err := s.query(ctx, strings.Replace(statement, " in ", " IN "+places(size)+" ", 1), args...)
		if err != nil {
			return err
		}
		for rows.Next() {
			if err := scan(rows); err != nil {
				rows.Close()
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// anys gives a list as arguments.
func anys[T any](list []T) []any {
	all := make([]any, len(list))
	for i, v := range list {
		all[i] = v
	}
	return all
}

// insert writes many rows, some at a time. It tells how many were written.
func (s store) insert(ctx context.Context, into string, rows [][]any, onConflict string) (written int64, err error) {
	for len(rows) > 0 {
		n := min(1<<(bits.Len(uint(len(rows)))-1), rowsAtOnce)
		var args []any
		for _, r := range rows[:n] {
			args = append(args, r...)
		}
		row := places(len(rows[0])) + ","
		r, err := s.exec(ctx, "INSERT INTO "+into+" VALUES "+strings.TrimSuffix(strings.Repeat(row, n), ",")+" "+onConflict, args...)
		if err != nil {
			return written, err
		}
		some, err := r.RowsAffected()
		if err != nil {
			return written, err
		}
		written, rows = written+some, rows[n:]
	}
	return written, nil
}

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
