package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// An appender is the connection that takes messages. It is one connection and
// stays the same one, so that the statements of a commit are prepared once and
// a transaction needs no goroutine of its own: with one caller both cost as
// much as the disk does. Who holds Queue.writeMu may use it.
type appender struct {
	*sql.Conn
	db *sql.DB

	begin, commit, rollback *sql.Stmt
	insert, find            *sql.Stmt
}

const (
	insertEvent = "INSERT INTO event(position, id, at_ms, hash, sealed, note) VALUES(?, ?, ?, ?, ?, ?)"
	lookUp      = "SELECT position, at_ms, hash FROM event WHERE id = ?"
)

func openAppender(ctx context.Context, path string) (a *appender, err error) {
	a = &appender{}
	if a.db, err = Open(ctx, path, Durable, QueueSchema); err != nil {
		return nil, err
	}
	if a.Conn, err = a.db.Conn(ctx); err != nil {
		return nil, errors.Join(err, a.db.Close())
	}
	for _, p := range []struct {
		statement **sql.Stmt
		text      string
	}{
		{&a.begin, "BEGIN IMMEDIATE"}, {&a.commit, "COMMIT"}, {&a.rollback, "ROLLBACK"},
		{&a.insert, insertEvent + " ON CONFLICT(id) DO NOTHING"}, {&a.find, lookUp},
	} {
		if *p.statement, err = a.Conn.PrepareContext(ctx, p.text); err != nil {
			return nil, errors.Join(err, a.Close())
		}
	}
	return a, nil
}

// Close closes the statements, the connection and the handle. Closing it again
// does nothing.
func (a *appender) Close() error {
	for _, s := range []*sql.Stmt{a.begin, a.commit, a.rollback, a.insert, a.find} {
		if s != nil {
			s.Close() // says what its last run said
		}
	}
	err := a.Conn.Close()
	if errors.Is(err, sql.ErrConnDone) {
		err = nil
	}
	return errors.Join(err, a.db.Close())
}
