package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"

	"lintas/queue"
)

// Check checks the whole file, if OpenQueue left that for later: it returns
// queue.ErrDamaged, and the queue takes nothing more, if the file must be opened
// anew, without CheckLater, so that what can be read is saved. Another error
// means that it could not be found out; Check may be called again. It reads
// beside everything that is done with the queue, and on one processor.
func (q *Queue) Check(ctx context.Context) error {
	if !q.unchecked.Load() {
		return nil
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	q.stopCheck.Store(&stop)
	defer q.stopCheck.Store(nil)
	err := q.check(ctx)
	if err == nil {
		q.unchecked.Store(false)
		return nil
	}
	return fmt.Errorf("cannot check queue %s: %w", q.path, q.note(asDamage(err)))
}

func (q *Queue) check(ctx context.Context) error {
	db, err := Open(ctx, q.path, ReadOnly, QueueSchema)
	if err != nil {
		return err
	}
	defer db.Close()
	tx, err := db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var f finding
	rows, err := f.walk(ctx, tx, true)
	if err != nil {
		return err
	}
	index, err := checkFile(ctx, tx)
	if err != nil {
		return err
	}
	return rows.fit(index)
}

// interruptCheck ends a check that is under way: it keeps the write-ahead log
// from beginning anew.
func (q *Queue) interruptCheck() {
	if stop := q.stopCheck.Load(); stop != nil {
		(*stop)()
	}
}

// whole checks the whole file before anybody writes it. The two halves of that
// read all that weeks offline have left, so they go side by side.
func (f *finding) whole(ctx context.Context, path string, db querier, marked bool) error {
	beside, err := sql.Open("sqlite", dsn(path, ReadOnly))
	if err != nil {
		return err
	}
	defer beside.Close()
	beside.SetMaxOpenConns(1)
	var index tally
	checked := make(chan error, 1)
	go func() {
		var err error
		index, err = checkFile(ctx, beside)
		checked <- err
	}()
	rows, walked := f.walk(ctx, db, marked)
	if err := <-checked; err != nil {
		return err
	}
	if walked != nil {
		return walked
	}
	return rows.fit(index)
}

// A tally is the same for the same rows in whatever order they are met.
type tally struct {
	rows int
	sum  uint64
}

var tallySeed = maphash.MakeSeed()

func (t *tally) add(position int64, id queue.ID) {
	var b [24]byte
	binary.LittleEndian.PutUint64(b[:], uint64(position))
	copy(b[8:], id[:])
	t.rows++
	t.sum += maphash.Bytes(tallySeed, b[:])
}

func (t tally) fit(index tally) error {
	if t != index {
		return damagef("the index of the events does not fit them")
	}
	return nil
}

// checkFile lets SQLite check the whole file, but for what its full check takes
// most time for, and the walk over the events can tell in passing: whether
// every row has its entry in the index. The index is counted here.
func checkFile(ctx context.Context, db querier) (index tally, err error) {
	for _, pragma := range []string{"quick_check(1)", "integrity_check(epoch)"} {
		if err := checkWith(ctx, db, pragma); err != nil {
			return index, err
		}
	}
	rows, err := db.QueryContext(ctx, "SELECT position, id FROM event INDEXED BY sqlite_autoindex_event_1 ORDER BY id")
	if err != nil {
		return index, err
	}
	defer rows.Close()
	var position int64
	var id, before queue.ID
	for rows.Next() {
		if err := rows.Scan(&position, exactly(id[:])); err != nil {
			return index, err
		}
		if index.rows > 0 && bytes.Compare(before[:], id[:]) >= 0 {
			return index, damagef("the index of the events is out of order")
		}
		index.add(position, id)
		before = id
	}
	return index, rows.Err()
}

func checkWith(ctx context.Context, db querier, pragma string) error {
	var says string
	if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&says); err != nil {
		return err
	}
	if says != "ok" {
		return damagef("the check of the file fails") // its words could quote a row
	}
	return nil
}

// walk goes over the events: of what is not acknowledged none is missing, and
// every one is what it was. The rest is only counted.
func (f *finding) walk(ctx context.Context, db querier, marked bool) (all tally, err error) {
	if err := f.begin(ctx, db, marked); err != nil || len(f.epochs) == 0 {
		return all, err
	}
	sure := max(f.through, f.pruned)
	last := sure
	rows, err := db.QueryContext(ctx, `SELECT position, id, CASE WHEN position >= ?1 THEN hash END, CASE WHEN position >= ?1 THEN sealed END
		FROM event ORDER BY position`, f.through)
	if err != nil {
		return all, err
	}
	defer rows.Close()
	var hash queue.Hash
	var id queue.ID
	var written, sealed sql.RawBytes
	end := int64(0)
	for rows.Next() {
		var position int64
		if err := rows.Scan(&position, exactly(id[:]), &written, &sealed); err != nil {
			return all, err
		}
		all.add(position, id)
		if position < f.through {
			continue
		}
		end = position
		if err := exactly(hash[:]).Scan([]byte(written)); err != nil {
			return all, err
		}
		if err := unchanged(end, sealed, hash); err != nil {
			return all, err
		}
		if end > sure {
			if end != last+1 {
				return all, damagef("events from %d to %d are missing", last+1, end-1)
			}
			last = end
		}
	}
	if err := rows.Err(); err != nil {
		return all, err
	}
	return all, f.finish(end, hash)
}

// ends looks at the last event alone.
func (f *finding) ends(ctx context.Context, db querier, marked bool) error {
	if err := f.begin(ctx, db, marked); err != nil || len(f.epochs) == 0 {
		return err
	}
	var end int64
	var hash queue.Hash
	var sealed []byte
	err := db.QueryRowContext(ctx, "SELECT position, hash, sealed FROM event WHERE position >= ? ORDER BY position DESC LIMIT 1", f.through).
		Scan(&end, exactly(hash[:]), &sealed)
	if err == nil {
		err = unchanged(end, sealed, hash)
	}
	if err != nil && !errors.Is(err, errNoRows) {
		return err
	}
	return f.finish(end, hash)
}

// checkSmall checks every table but that of the events. They are small, and a
// queue of which one cannot be read is of no use until it is checked: not every
// error that a bad sector leads to says that it is damage.
func checkSmall(ctx context.Context, db querier) error {
	for _, table := range []string{"epoch", "watermark", "probe", "parked", "pruned", "recovery", "confirmed"} {
		if err := checkWith(ctx, db, "integrity_check("+table+")"); err != nil {
			return err
		}
	}
	return nil
}

func unchanged(position int64, sealed []byte, hash queue.Hash) error {
	if sha256.Sum256(sealed) != hash {
		return damagef("event at %d is not what was written", position)
	}
	return nil
}

// begin reads what is known beside the events. No epoch and no error mean that
// the making of the file was interrupted.
func (f *finding) begin(ctx context.Context, db querier, marked bool) (err error) {
	if f.epochs, err = readEpochs(ctx, db); errors.Is(err, errNoEpoch) {
		var rows int
		if e := db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM watermark)").Scan(&rows); e != nil || rows > 0 {
			return errors.Join(e, err)
		}
		return nil
	} else if err != nil {
		return err
	}
	for i, e := range f.epochs[1:] {
		if e.first < f.epochs[i].first {
			return damagef("epochs %d and %d overlap", f.epochs[i].number, e.number)
		}
	}
	now := f.epochs[len(f.epochs)-1]
	f.head.Epoch = now.id
	f.through = now.first - 1
	if err := db.QueryRowContext(ctx, "SELECT through FROM watermark").Scan(&f.through); err != nil && !errors.Is(err, errNoRows) {
		return err
	}
	mark := "SELECT through FROM pruned"
	if !marked { // as it is marked when the file is brought to the next version
		mark = "SELECT coalesce(min(position), 1) - 1 FROM event"
	}
	if err := db.QueryRowContext(ctx, mark).Scan(&f.pruned); err != nil && !errors.Is(err, errNoRows) {
		return err
	}
	if f.through < now.first-1 {
		return damagef("the watermark lies before the epoch")
	}
	return nil
}

// finish takes the position and the hash of the last event from the watermark
// on; position 0 means that there is none, not even the head that always stays.
func (f *finding) finish(end int64, hash queue.Hash) error {
	now, sure := f.epochs[len(f.epochs)-1], max(f.through, f.pruned)
	switch {
	case end == 0 && sure >= now.first:
		return damagef("the end is missing: %d is the watermark", sure)
	case end > 0 && end < sure:
		return damagef("the end is missing: %d is the last event", end)
	case end >= now.first:
		f.head.Sequence, f.head.Hash = uint64(end-now.first+1), hash
	}
	return nil
}
