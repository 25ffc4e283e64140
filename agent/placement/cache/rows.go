package cache

import (
	"context"
	"database/sql"
	"errors"
	"hash/crc32"
	"strings"

	"lintas/agent/placement"
)

// perInsert is how many keys one statement writes: it saves half the time.
const perInsert = 50

// writer writes rows that come in order of their tags: all of one key into one
// value.
type writer struct {
	ctx       context.Context
	many, one *sql.Stmt
	key       int64
	values    []byte // those of args, one after the other, and the one that grows
	begun     int    // where that one begins
	args      []any
	count     int64
	sum       uint32
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func newWriter(ctx context.Context, tx *sql.Tx, table string) (w *writer, err error) {
	w = &writer{ctx: ctx, key: -1}
	insert := "INSERT OR REPLACE INTO " + table + "(key, rows) VALUES "
	if w.many, err = tx.PrepareContext(ctx, insert+strings.Repeat("(?, ?), ", perInsert-1)+"(?, ?)"); err != nil {
		return nil, err
	}
	if w.one, err = tx.PrepareContext(ctx, insert+"(?, ?)"); err != nil {
		return nil, errors.Join(err, w.many.Close())
	}
	return w, nil
}

func (w *writer) close() { w.many.Close(); w.one.Close() }

func (w *writer) put(r placement.Row) (err error) {
	if key := keyOf(r.Tag); key != w.key {
		if err := w.end(); err != nil {
			return err
		}
		w.key = key
	}
	w.count++
	w.values, err = r.Append(w.values)
	return err
}

// end closes the value that rows have been put into.
func (w *writer) end() error {
	if w.key < 0 {
		return nil
	}
	return w.add(w.key, w.values[w.begun:len(w.values):len(w.values)])
}

func (w *writer) add(key int64, value []byte) error {
	w.args = append(w.args, key, value)
	w.sum = crc32.Update(w.sum, castagnoli, value)
	w.key, w.begun = -1, len(w.values)
	if len(w.args) < 2*perInsert {
		return nil
	}
	_, err := w.many.ExecContext(w.ctx, w.args...)
	w.args, w.values, w.begun = w.args[:0], w.values[:0], 0
	return err
}

// flush writes what is left.
func (w *writer) flush() error {
	if err := w.end(); err != nil {
		return err
	}
	for i := 0; i < len(w.args); i += 2 {
		if _, err := w.one.ExecContext(w.ctx, w.args[i], w.args[i+1]); err != nil {
			return err
		}
	}
	w.args, w.values, w.begun = w.args[:0], w.values[:0], 0
	return nil
}

func copyRows(ctx context.Context, from *sql.DB, w *writer) error {
	rows, err := from.QueryContext(ctx, "SELECT key, rows FROM row ORDER BY key")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		var value []byte
		if err := rows.Scan(&key, &value); err != nil {
			return err
		}
		if err := w.add(key, value); err != nil {
			return err
		}
	}
	return errors.Join(rows.Err(), w.flush())
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// sumOf counts the rows of a file and computes their checksum.
func sumOf(ctx context.Context, db queryer) (count int64, sum uint32, err error) {
	rows, err := db.QueryContext(ctx, "SELECT key, rows FROM row ORDER BY key")
	if err != nil {
		return 0, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		var value sql.RawBytes
		if err := rows.Scan(&key, &value); err != nil {
			return 0, 0, err
		}
		list, err := placement.ParseRows(value)
		if err != nil {
			return 0, 0, err
		}
		count += int64(len(list))
		sum = crc32.Update(sum, castagnoli, value)
	}
	return count, sum, rows.Err()
}
