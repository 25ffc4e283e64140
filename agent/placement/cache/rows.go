package cache

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"hash/crc32"
	"slices"
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
	c, err := newCursor(ctx, from)
	if err != nil {
		return err
	}
	defer c.rows.Close()
	for c.next() {
		if err := w.add(c.key, bytes.Clone(c.value)); err != nil {
			return err
		}
	}
	return errors.Join(c.err, w.flush())
}

// mergeRows writes the rows of a base as its overlay has changed them.
func mergeRows(ctx context.Context, base, over *sql.DB, w *writer) error {
	low, err := newCursor(ctx, base)
	if err != nil {
		return err
	}
	defer low.rows.Close()
	top, err := newCursor(ctx, over)
	if err != nil {
		return err
	}
	defer top.rows.Close()
	low.next()
	top.next()
	for low.here || top.here {
		var list []placement.Row
		key := top.key
		switch {
		case !top.here || low.here && low.key < top.key:
			key = low.key
			list, err = placement.ParseRows(low.value)
		case !low.here || top.key < low.key:
			list, err = placement.ParseRows(top.value)
		default:
			list, err = covered(low.value, top.value)
		}
		for _, r := range list {
			if err == nil && r.Kind != placement.KindGone {
				err = w.put(r)
			}
		}
		if err != nil {
			return err
		}
		if low.here && low.key == key {
			low.next()
		}
		if top.here && top.key == key {
			top.next()
		}
	}
	return errors.Join(low.err, top.err, w.flush())
}

// covered gives the rows of one key: of each tag those of the overlay, if it has
// any, for it holds all that the tag has.
func covered(base, over []byte) ([]placement.Row, error) {
	low, err := placement.ParseRows(base)
	if err != nil {
		return nil, err
	}
	top, err := placement.ParseRows(over)
	low = slices.DeleteFunc(low, func(r placement.Row) bool {
		return slices.ContainsFunc(top, func(t placement.Row) bool { return t.Tag == r.Tag })
	})
	return append(low, top...), err
}

// cursor walks through the rows of a file by their keys.
type cursor struct {
	rows  *sql.Rows
	here  bool // key and value are those of a row
	key   int64
	value sql.RawBytes // good until next
	err   error
}

func newCursor(ctx context.Context, db queryer) (*cursor, error) {
	rows, err := db.QueryContext(ctx, "SELECT key, rows FROM row ORDER BY key")
	return &cursor{rows: rows}, err
}

func (c *cursor) next() bool {
	if c.here = c.rows.Next(); !c.here {
		c.err = c.rows.Err()
	} else if c.err = c.rows.Scan(&c.key, &c.value); c.err != nil {
		c.here = false
	}
	return c.here
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// sumOf counts the rows of a file and computes their checksum.
func sumOf(ctx context.Context, db queryer) (count int64, sum uint32, err error) {
	c, err := newCursor(ctx, db)
	if err != nil {
		return 0, 0, err
	}
	defer c.rows.Close()
	for c.next() {
		list, err := placement.ParseRows(c.value)
		if err != nil {
			return 0, 0, err
		}
		count += int64(len(list))
		sum = crc32.Update(sum, castagnoli, c.value)
	}
	return count, sum, c.err
}
