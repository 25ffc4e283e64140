package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"

	lib "modernc.org/sqlite/lib"

	"lintas/queue"
)

// A finding is what inspect finds before anything is written.
type finding struct {
	cause queue.Cause // "": the chain can go on
	why   error       // wraps queue.ErrDamaged

	epochs  []span // what follows is known if the cause is "" or Restored
	head    queue.Head
	through int64 // position of the watermark
	pruned  int64 // position up to which a gap is nothing to worry about
	later   bool  // only the ends of the file were looked at
}

// filePage is the page size of the files that this package makes: SQLite's own
// default.
const filePage = 4096

// inspect looks whether the chain that is stored can be continued. It only
// reads: what is in doubt must be there unchanged when it is salvaged, also
// what stands in the write-ahead log behind a damaged place. An error means
// that it could not be found out.
func (q *Queue) inspect(ctx context.Context, known *anchored, anchorThere bool, checkLater int64) (f finding, err error) {
	size, logSize := sizeOf(q.path), sizeOf(q.path+"-wal")
	switch {
	case size < 0 && !anchorThere && logSize <= 0:
		return f, nil // a new queue
	case size < 0:
		return finding{cause: queue.Deleted, why: damagef("the file is gone")}, nil
	case size == 0 && (known != nil || logSize > 0):
		return finding{cause: queue.Damaged, why: damagef("the file is empty")}, nil
	}
	var end *anchored // nil: the whole file is checked
	if checkLater > 0 && size+max(logSize, 0) > checkLater {
		end = known
	}
	blank, err := q.look(ctx, &f, end)
	switch code(err) {
	case lib.SQLITE_READONLY_ROLLBACK, lib.SQLITE_READONLY_RECOVERY, lib.SQLITE_READONLY_CANTINIT:
		if err = rollBack(ctx, q.path); err == nil {
			blank, err = q.look(ctx, &f, end)
		}
	case lib.SQLITE_IOERR_READ: // a sector that stays unreadable is damage
		blank, err = q.look(ctx, &f, end)
	case lib.SQLITE_CANTOPEN:
		if size == 0 { // there is nothing to look at
			blank, err = true, nil
		}
	}
	switch {
	case errors.Is(err, ErrNotOurs):
		return f, fmt.Errorf("cannot open queue database %s: %w", q.path, err)
	case err != nil && unreadable(err):
		return finding{cause: queue.Damaged, why: asDamage(err)}, nil
	case err != nil:
		return f, fmt.Errorf("cannot inspect queue %s: %w", q.path, err)
	case blank && known != nil:
		return finding{cause: queue.Damaged, why: damagef("the file holds nothing")}, nil
	case blank:
		return f, nil // its making was interrupted
	}
	if why, err := q.older(ctx, &f, known); err != nil {
		return f, fmt.Errorf("cannot inspect queue %s: %w", q.path, err)
	} else if why != "" {
		f.cause, f.why = queue.Restored, damagef("%s", why)
	}
	return f, nil
}

// sizeOf is -1 if there is no such file.
func sizeOf(path string) int64 {
	st, err := os.Stat(path)
	if err != nil {
		return -1
	}
	return st.Size()
}

// rollBack lets SQLite undo what a rollback journal says: the making of the
// file was interrupted.
func rollBack(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath())
	if err != nil {
		return err
	}
	_, err = pragmaInt(ctx, db, "user_version")
	return errors.Join(err, db.Close())
}

// unreadable tells whether an error is about what is stored, and not about
// what surrounds it.
func unreadable(err error) bool {
	if errors.Is(err, queue.ErrDamaged) {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return false
	}
	switch c := code(err); c {
	case lib.SQLITE_IOERR_READ, lib.SQLITE_IOERR_SHORT_READ:
		return true
	default:
		switch c & 0xff {
		case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB, lib.SQLITE_FORMAT, lib.SQLITE_MISMATCH, lib.SQLITE_ERROR, lib.SQLITE_TOOBIG:
			return true
		}
	}
	return false
}

// asDamage marks an error as queue.ErrDamaged if it is about what is stored.
func asDamage(err error) error {
	if unreadable(err) && !errors.Is(err, queue.ErrDamaged) {
		err = fmt.Errorf("%w: %w", queue.ErrDamaged, err)
	}
	return err
}

func damagef(format string, a ...any) error {
	return fmt.Errorf("%w: %s", queue.ErrDamaged, fmt.Sprintf(format, a...))
}

// look reads the file as SQLite sees it: the whole of it, or no more than its
// ends if it ends as it is said to. Blank means that it holds nothing at all.
func (q *Queue) look(ctx context.Context, f *finding, end *anchored) (blank bool, err error) {
	*f = finding{}
	db, err := sql.Open("sqlite", dsn(q.path, ReadOnly))
	if err != nil {
		return false, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	app, err := pragmaInt(ctx, db, "application_id")
	if err != nil {
		return false, err
	}
	version, err := pragmaInt(ctx, db, "user_version")
	if err != nil {
		return false, err
	}
	var tables, first int
	if err := db.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(name IN ('epoch', 'event', 'watermark', 'probe')), 0)
		FROM sqlite_schema WHERE type = 'table'`).Scan(&tables, &first); err != nil {
		return false, err
	}
	ours := app == int64(QueueSchema.ApplicationID)
	switch {
	case app == 0 && version == 0 && tables == 0:
		return true, nil
	case !ours && first < 4:
		return false, ErrNotOurs
	case !ours, version < 1:
		return false, damagef("it is not marked as what it is")
	}
	if version <= int64(len(QueueSchema.Steps)) { // what a newer program has added is not known
		want, err := madeBy(QueueSchema.Steps[:version])
		if err != nil {
			return false, err
		}
		if got, err := readSchema(ctx, db); err != nil {
			return false, err
		} else if !slices.Equal(got, want) {
			return false, damagef("its tables are not as they were made")
		}
	}
	if err := headerError(q.path); err != nil {
		return false, err
	}
	for pragma, want := range map[string]string{"encoding": "UTF-8", "auto_vacuum": "2", "page_size": strconv.Itoa(filePage)} {
		var got string
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&got); err != nil {
			return false, err
		} else if got != want {
			return false, damagef("its %s is %s", pragma, got)
		}
	}
	// What a newer program or an older one has made is checked whole.
	if end != nil && version == int64(len(QueueSchema.Steps)) {
		if err := f.ends(ctx, db, true); err != nil {
			return false, err
		}
		if f.head == end.head {
			if err := checkSmall(ctx, db); err != nil {
				return false, err
			}
			err := freeIsFree(ctx, db, sizeOf(q.path))
			if f.later = err == nil; f.later || !unreadable(err) {
				return false, err
			}
		}
	}
	return false, f.whole(ctx, q.path, db, version >= 3)
}

// readSchema returns the statements that made what is in the file.
func readSchema(ctx context.Context, db *sql.DB) (statements []string, err error) {
	rows, err := db.QueryContext(ctx, "SELECT type || ' ' || name || ' ' || tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		statements = append(statements, s)
	}
	return statements, rows.Err()
}

var made sync.Map // what madeBy found, by number of steps

// madeBy returns what readSchema finds in a file that the steps have just made.
func madeBy(steps []string) ([]string, error) {
	if known, ok := made.Load(len(steps)); ok {
		return known.([]string), nil
	}
	ctx := context.Background()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, s := range steps {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return nil, err
		}
	}
	statements, err := readSchema(ctx, db)
	if err == nil {
		made.Store(len(steps), statements)
	}
	return statements, err
}

// headerError compares what SQLite reads leniently with what it writes.
func headerError(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var b [100]byte
	if _, err := file.ReadAt(b[:], 0); err != nil {
		return nil // shorter than a header: SQLite has its opinion of that
	}
	if string(b[:24]) != "SQLite format 3\x00\x10\x00\x02\x02\x00\x40\x20\x20" {
		return damagef("its header is not as it was written")
	}
	return nil
}

// older tells how the anchor contradicts the file, "" if it does not: it may
// lag behind.
func (q *Queue) older(ctx context.Context, f *finding, known *anchored) (why string, err error) {
	if known == nil {
		return "", nil
	}
	a := known.head
	if a.Epoch == f.head.Epoch && a.Sequence > f.head.Sequence {
		return fmt.Sprintf("it ends with %d, but had come to %d", f.head.Sequence, a.Sequence), nil
	}
	for i, e := range f.epochs {
		if e.id != a.Epoch {
			continue
		}
		if i+1 < len(f.epochs) && e.first+int64(a.Sequence) > f.epochs[i+1].first {
			return "its epoch before the current one is too short", nil
		}
		return q.differs(ctx, e.first+int64(a.Sequence)-1, a)
	}
	// The epoch before this file was made anew stands in it by name only.
	db, err := sql.Open("sqlite", dsn(q.path, ReadOnly))
	if err != nil {
		return "", err
	}
	defer db.Close()
	var last int64
	err = db.QueryRowContext(ctx, "SELECT sequence FROM recovery WHERE previous = ? ORDER BY epoch DESC LIMIT 1", a.Epoch[:]).Scan(&last)
	if err == nil && int64(a.Sequence) <= last {
		return "", q.readRecovery(ctx) // nobody has been told yet
	}
	if err != nil && !errors.Is(err, errNoRows) && code(err) != lib.SQLITE_ERROR { // an older file does not have the table
		return "", err
	}
	return "it does not know the last epoch", nil
}

func (q *Queue) differs(ctx context.Context, position int64, a queue.Head) (why string, err error) {
	if a.Sequence == 0 {
		return "", nil
	}
	db, err := sql.Open("sqlite", dsn(q.path, ReadOnly))
	if err != nil {
		return "", err
	}
	defer db.Close()
	var hash queue.Hash
	err = db.QueryRowContext(ctx, "SELECT hash FROM event WHERE position = ?", position).Scan(exactly(hash[:]))
	switch {
	case errors.Is(err, errNoRows): // pruned, or moved into the next epoch
		return "", nil
	case err == nil && hash != a.Hash:
		return fmt.Sprintf("event %d is another one", a.Sequence), nil
	}
	return "", err
}

// lowerWatermark takes the lower one of two watermarks that differ: if the
// file's were too high, events would never be sent, and pruned in time; if it
// is too low, the far end gets some again.
func (q *Queue) lowerWatermark(ctx context.Context, f finding, known *anchored) error {
	if f.cause != "" || known == nil || known.head.Epoch != q.epoch || known.through >= q.through {
		return nil
	}
	through := max(q.position(known.through), min(f.pruned, q.position(q.through)))
	if through == q.position(q.through) {
		return nil
	}
	if _, err := q.ack.ExecContext(ctx, "UPDATE watermark SET through = ?", through); err != nil {
		return fmt.Errorf("cannot lower watermark: %w", err)
	}
	q.through = uint64(through - q.first + 1)
	q.leased = q.through
	return nil
}
