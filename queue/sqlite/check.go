package sqlite

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"hash/maphash"

	"lintas/queue"
)

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

// checkFile lets SQLite check the whole file, but for what its full check takes
// most time for, and the walk over the events can tell in passing: whether
// every row has its entry in the index. The index is counted here.
func checkFile(ctx context.Context, path string) (index tally, err error) {
	db, err := sql.Open("sqlite", dsn(path, ReadOnly))
	if err != nil {
		return index, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, pragma := range []string{"quick_check(1)", "integrity_check(epoch)"} {
		var says string
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(&says); err != nil {
			return index, err
		}
		if says != "ok" {
			return index, damagef("the check of the file fails") // its words could quote a row
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

// walk goes over the events: of what is not acknowledged none is missing, and
// every one is what it was. The rest is only counted.
func (f *finding) walk(ctx context.Context, db *sql.DB, marked bool) (all tally, err error) {
	if f.epochs, err = readEpochs(ctx, db); errors.Is(err, errNoEpoch) {
		var rows int
		if e := db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM event) + (SELECT count(*) FROM watermark)").Scan(&rows); e != nil || rows > 0 {
			return all, errors.Join(e, err)
		}
		return all, nil // its making was interrupted
	} else if err != nil {
		return all, err
	}
	for i, e := range f.epochs[1:] {
		if e.first < f.epochs[i].first {
			return all, damagef("epochs %d and %d overlap", f.epochs[i].number, e.number)
		}
	}
	now := f.epochs[len(f.epochs)-1]
	f.head.Epoch = now.id
	f.through = now.first - 1
	if err := db.QueryRowContext(ctx, "SELECT through FROM watermark").Scan(&f.through); err != nil && !errors.Is(err, errNoRows) {
		return all, err
	}
	mark := "SELECT through FROM pruned"
	if !marked { // as it is marked when the file is brought to the next version
		mark = "SELECT coalesce(min(position), 1) - 1 FROM event"
	}
	if err := db.QueryRowContext(ctx, mark).Scan(&f.pruned); err != nil && !errors.Is(err, errNoRows) {
		return all, err
	}
	if f.through < now.first-1 {
		return all, damagef("the watermark lies before the epoch")
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
		if sha256.Sum256(sealed) != hash {
			return all, damagef("event at %d is not what was written", end)
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
	if end == 0 { // nothing from the watermark on, not even the head that always stays
		if sure >= now.first {
			return all, damagef("the end is missing: %d is the watermark", sure)
		}
		return all, nil
	}
	if end < sure {
		return all, damagef("the end is missing: %d is the last event", end)
	}
	if end >= now.first {
		f.head.Sequence, f.head.Hash = uint64(end-now.first+1), hash
	}
	return all, nil
}
