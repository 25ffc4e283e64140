package sqlite

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"lintas/queue"
)

// NewEpoch begins a new chain in the same file: first the message that tells of
// it, then every event that is not acknowledged, in order and wrapped anew. It
// is called for when the far end holds other events at this queue's positions
// (queue.ErrForeign). Put waits meanwhile, and what was leased is leased again.
//
// An event that cannot be wrapped anew stays where it is, parked. One that is
// not what was written, or missing, is damage: in the new chain it would be
// taken for sound ever after.
func (q *Queue) NewEpoch(ctx context.Context, cause queue.Cause) (queue.Recovery, error) {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if q.o.Rewrap == nil || q.o.Recovered == nil {
		return queue.Recovery{}, errors.New("cannot begin a new epoch: nobody can wrap events anew")
	}
	if err := q.trusted(ctx); err != nil {
		return queue.Recovery{}, fmt.Errorf("cannot begin a new epoch: %w", err)
	}
	before := q.epoch
	var r queue.Recovery
	err := q.withRoom(ctx, func() (err error) {
		r, err = q.startOver(ctx, cause)
		return err
	})
	if err != nil {
		// Its outcome may be unknown: the file tells.
		q.suspect.Store(true)
		if e := q.trusted(ctx); e != nil || q.epoch == before {
			return queue.Recovery{}, fmt.Errorf("cannot begin a new epoch: %w", errors.Join(q.note(err), e))
		}
	}
	if err := q.reload(ctx); err != nil {
		q.suspect.Store(true)
		return queue.Recovery{}, fmt.Errorf("cannot begin a new epoch: %w", q.note(err))
	}
	q.drop()
	return r, nil
}

func (q *Queue) startOver(ctx context.Context, cause queue.Cause) (queue.Recovery, error) {
	refused := map[int64]bool{}
	for {
		n := len(refused)
		r, err := q.tryStartOver(ctx, cause, refused)
		if err != nil || len(refused) == n {
			return r, err
		}
	}
}

// tryStartOver commits nothing if it finds events that cannot be wrapped anew:
// the first message says how many follow, so it has to be known before.
func (q *Queue) tryStartOver(ctx context.Context, cause queue.Cause, refused map[int64]bool) (r queue.Recovery, err error) {
	tx, err := q.append.BeginTx(ctx, nil)
	if err != nil {
		return r, err
	}
	defer tx.Rollback()
	q.mu.Lock()
	r = queue.Recovery{Cause: cause, Previous: q.head}
	from, end := q.position(q.through), q.position(q.head.Sequence)
	q.mu.Unlock()
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM event WHERE position > ?", from).Scan(&r.Rewrapped); err != nil {
		return r, err
	}
	r.Rewrapped -= len(refused)
	sure := from // a gap up to here is nothing to worry about
	if err := tx.QueryRowContext(ctx, "SELECT max(?, coalesce((SELECT through FROM pruned), 0))", from).Scan(&sure); err != nil {
		return r, err
	}
	known := len(refused)
	if err := park(ctx, tx, refused); err != nil {
		return r, err
	}
	c, err := beginChain(ctx, tx, end+1, r, q.o)
	if err != nil {
		return r, err
	}
	update, err := tx.PrepareContext(ctx, "UPDATE event SET position = ?, hash = ?, sealed = ? WHERE position = ?")
	if err != nil {
		return r, err
	}
	defer update.Close()
	parked, err := tx.PrepareContext(ctx, "UPDATE parked SET position = ? WHERE position = ?")
	if err != nil {
		return r, err
	}
	defer parked.Close()
	for from < end {
		page, err := readSealed(ctx, tx, from, end)
		if err != nil {
			return r, err
		}
		if len(page) == 0 {
			break
		}
		for _, e := range page {
			if err := unchanged(e.position, e.sealed, e.hash); err != nil {
				return r, err
			}
			if e.position > max(from, sure)+1 {
				return r, damagef("events before %d are missing", e.position)
			}
			from = e.position
			if refused[e.position] {
				continue
			}
			sealed, err := q.o.Rewrap(c.next(), e.sealed)
			if err != nil {
				refused[e.position] = true
				continue
			}
			position, hash := c.add(sealed)
			if _, err := update.ExecContext(ctx, position, hash[:], sealed, e.position); err != nil {
				return r, err
			}
			if _, err := parked.ExecContext(ctx, position, e.position); err != nil {
				return r, err
			}
		}
	}
	if max(from, sure) < end {
		return r, damagef("events after %d are missing", from)
	}
	if len(refused) > known {
		return r, nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO watermark(one, through, time_ms) VALUES(1, ?1, 0)
		ON CONFLICT(one) DO UPDATE SET through = ?1`, end); err != nil {
		return r, err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE pruned SET through = ?", end); err != nil {
		return r, err
	}
	return r, tx.Commit()
}

// cannotWrap is why an event is parked that cannot be taken over.
const cannotWrap = "cannot be wrapped anew"

type sealedAt struct {
	position int64
	hash     queue.Hash
	sealed   []byte
}

func readSealed(ctx context.Context, tx *sql.Tx, after, end int64) (page []sealedAt, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT position, hash, sealed FROM event WHERE position > ? AND position <= ? ORDER BY position LIMIT ?", after, end, pageSize)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e sealedAt
		if err := rows.Scan(&e.position, exactly(e.hash[:]), &e.sealed); err != nil {
			return nil, err
		}
		page = append(page, e)
	}
	return page, rows.Err()
}

func park(ctx context.Context, tx *sql.Tx, positions map[int64]bool) error {
	for p := range positions {
		if _, err := tx.ExecContext(ctx, `INSERT INTO parked(position, reason, at_ms) VALUES(?, ?, ?)
			ON CONFLICT(position) DO NOTHING`, p, cannotWrap, time.Now().UnixMilli()); err != nil {
			return err
		}
	}
	return nil
}

// A chain is a new epoch in the making.
type chain struct {
	epoch queue.Epoch
	first int64
	head  queue.Head
}

// beginChain writes down the epoch and why it begins, and its first event.
func beginChain(ctx context.Context, tx *sql.Tx, first int64, r queue.Recovery, o Options) (*chain, error) {
	c := &chain{first: first}
	rand.Read(c.epoch[:])
	now := time.Now().UnixMilli()
	res, err := tx.ExecContext(ctx, "INSERT INTO epoch(id, first, began_ms) VALUES(?, ?, ?)", c.epoch[:], first, now)
	if err != nil {
		return nil, err
	}
	number, err := res.LastInsertId()
	if err != nil {
		return nil, err
	}
	missing, err := json.Marshal(r.Missing)
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO recovery(epoch, cause, previous, sequence, hash, missing, rewrapped, aside)
		VALUES(?, ?, ?, ?, ?, ?, ?, ?)`, number, string(r.Cause), r.Previous.Epoch[:], int64(r.Previous.Sequence), r.Previous.Hash[:],
		string(missing), r.Rewrapped, r.Aside); err != nil {
		return nil, err
	}
	m, note, err := o.Recovered(r)
	if err != nil {
		return nil, fmt.Errorf("cannot make the first event: %w", err)
	}
	sealed, err := o.Seal(c.next(), m)
	if err != nil {
		return nil, fmt.Errorf("cannot seal the first event: %w", err)
	}
	position, hash := c.add(sealed)
	_, err = tx.ExecContext(ctx, insertEvent, position, m.ID[:], now, hash[:], sealed, note)
	return c, err
}

// next is the position of the event that is added next.
func (c *chain) next() queue.Position {
	return queue.Position{Epoch: c.epoch, Sequence: c.head.Sequence + 1, Prev: c.head.Hash}
}

// add counts an event in and says where it stands in the file.
func (c *chain) add(sealed []byte) (position int64, hash queue.Hash) {
	hash = sha256.Sum256(sealed)
	c.head = queue.Head{Epoch: c.epoch, Sequence: c.head.Sequence + 1, Hash: hash}
	return c.first + int64(c.head.Sequence) - 1, hash
}
