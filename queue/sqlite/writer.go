package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lintas/queue"
)

// write is the single writer. It takes everything that waits, makes it
// durable in one transaction and answers all callers.
func (q *Queue) write() {
	defer close(q.done)
	for {
		batch := q.take()
		if batch == nil {
			return
		}
		q.writeMu.Lock()
		if err := q.note(q.transact(batch)); err != nil {
			for _, p := range batch {
				p.err = fmt.Errorf("cannot write queue %s: %w", q.path, err)
			}
		}
		q.writeMu.Unlock()
		for _, p := range batch {
			close(p.done)
		}
	}
}

// transact writes the batch, or finds out what became of it. On error nothing
// is known.
func (q *Queue) transact(batch []*put) error {
	if err := q.trusted(context.Background()); err != nil {
		return err
	}
	if q.reserve.gone() {
		return ErrFull // what room there is must do for acknowledging and pruning
	}
	head, err := q.commit(batch)
	if err != nil {
		if err = q.note(err); errors.Is(err, queue.ErrDamaged) {
			return err
		}
		return q.settle(batch, err)
	}
	q.full.Store(false)
	q.setHead(head)
	q.drop()
	return nil
}

func (q *Queue) setHead(head queue.Head) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.head = head
	q.rouse()
}

// take waits for one message and returns it with all that wait behind it, or
// nil when the queue is closed and the line is empty.
func (q *Queue) take() (batch []*put) {
	select {
	case p := <-q.puts:
		batch = append(batch, p)
	case <-q.closed:
	}
	for len(batch) < batchLimit {
		select {
		case p := <-q.puts:
			batch = append(batch, p)
		default:
			return batch
		}
	}
	return batch
}

// commit writes the batch in one transaction and fills in receipts. On error
// nothing may be believed; on success a message that could not be sealed has
// an error of its own.
func (q *Queue) commit(batch []*put) (queue.Head, error) {
	ctx := context.Background()
	head := q.Head()
	tx, err := q.append.BeginTx(ctx, nil)
	if err != nil {
		return head, err
	}
	defer tx.Rollback()
	find, err := tx.PrepareContext(ctx, lookUp)
	if err != nil {
		return head, err
	}
	defer find.Close()
	insert, err := tx.PrepareContext(ctx, insertEvent)
	if err != nil {
		return head, err
	}
	defer insert.Close()
	for _, p := range batch {
		p.err = nil
		if there, err := q.existing(find.QueryRowContext(ctx, p.message.ID[:]), p, tx); err != nil {
			return head, err
		} else if there {
			continue
		}
		at := time.UnixMilli(time.Now().UnixMilli()).UTC()
		sealed, err := q.o.Seal(queue.Position{Epoch: q.epoch, Sequence: head.Sequence + 1, Prev: head.Hash}, p.message)
		if err != nil {
			p.err = fmt.Errorf("cannot seal event: %w", err)
			continue
		}
		hash := queue.Hash(sha256.Sum256(sealed))
		if _, err := insert.ExecContext(ctx, q.first+int64(head.Sequence), p.message.ID[:], at.UnixMilli(), hash[:], sealed, p.note); err != nil {
			return head, err
		}
		head.Sequence, head.Hash = head.Sequence+1, hash
		p.receipt = queue.Receipt{ID: p.message.ID, Epoch: q.epoch, Sequence: head.Sequence, Hash: hash, At: at}
	}
	return head, tx.Commit()
}

type scanner interface{ Scan(...any) error }

const lookUp = "SELECT position, at_ms, hash FROM event WHERE id = ?"

// existing fills in p's receipt from a row that is there already, in whatever
// epoch.
func (q *Queue) existing(row scanner, p *put, db querier) (bool, error) {
	var position, ms int64
	r := queue.Receipt{ID: p.message.ID, Epoch: q.epoch}
	if err := row.Scan(&position, &ms, exactly(r.Hash[:])); errors.Is(err, errNoRows) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	first := q.first
	if position < first {
		err := db.QueryRowContext(context.Background(), "SELECT id, first FROM epoch WHERE first <= ? ORDER BY number DESC LIMIT 1", position).
			Scan(exactly(r.Epoch[:]), &first)
		if err != nil {
			return false, err
		}
	}
	r.Sequence, r.At = uint64(position-first+1), time.UnixMilli(ms).UTC()
	p.receipt = r
	return true, nil
}

// settle finds out what became of a batch whose transaction ended with an
// error. After a failed commit the outcome is unknown and the handle cannot be
// trusted: the file is opened anew and every message is looked up by its id.
func (q *Queue) settle(batch []*put, cause error) error {
	ctx := context.Background()
	q.suspect.Store(true)
	if err := q.reopen(ctx); err != nil {
		return errors.Join(cause, err) // the next batch begins with it
	}
	for _, p := range batch {
		p.err = nil
		row := q.append.QueryRowContext(ctx, lookUp, p.message.ID[:])
		switch there, err := q.existing(row, p, q.append); {
		case err != nil:
			return errors.Join(cause, err)
		case !there:
			p.err = fmt.Errorf("cannot write queue %s: %w", q.path, cause)
		}
	}
	return nil
}

// reopen makes a handle that can be trusted again, and takes from the file how
// things stand: a commit whose outcome was not known may have taken effect.
func (q *Queue) reopen(ctx context.Context) error {
	if err := q.append.Close(); err != nil {
		return err
	}
	err := q.withRoom(ctx, func() error {
		db, err := Open(ctx, q.path, Durable, QueueSchema)
		if err != nil {
			return err
		}
		q.append.Close()
		q.append = db
		if err := q.limit(ctx); err != nil {
			return err
		}
		if err := restartLog(ctx, db); err != nil {
			return err
		}
		// A commit at the log's new beginning is the end of those that failed:
		// without it a power cut could bring one back after Find had denied it.
		// It takes no room that is not there already.
		return q.probe(ctx, 1)
	})
	if err != nil {
		return err
	}
	if err := q.reload(ctx); err != nil {
		return err
	}
	q.suspect.Store(false)
	q.drop()
	return nil
}

// restartLog moves all that the write-ahead log holds into the file, syncs
// that, and lets the log begin anew. A sync that fails takes with it what was
// written since the last one, also what another connection or an earlier
// process wrote: the system shows it but will never bring it to the disk, and
// no later sync tells. A commit that stood behind it in the log would be lost
// with it.
func restartLog(ctx context.Context, db *sql.DB) error {
	var busy, frames, moved int
	err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(RESTART)").Scan(&busy, &frames, &moved)
	if err == nil && busy != 0 {
		err = errors.New("the write-ahead log stays in use")
	}
	return err
}

// Probe makes a durable write of an event's size and takes it back, to find out
// whether the queue can be written again after Put failed.
func (q *Queue) Probe(ctx context.Context) error {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if err := q.damaged.Load(); err != nil {
		return *err
	}
	if q.suspect.Load() || q.probe(ctx, eventRoom) != nil {
		if err := q.reopen(ctx); err != nil {
			return q.note(err)
		}
		if err := q.probe(ctx, eventRoom); err != nil {
			return q.note(err)
		}
	}
	q.makeRoom(ctx)
	if q.reserve.gone() {
		return ErrFull
	}
	q.full.Store(false)
	return nil
}

// eventRoom is about what an event takes.
const eventRoom = 8192

// probe takes some room and gives it back. Both are commits of their own: one
// that writes nothing would prove nothing.
func (q *Queue) probe(ctx context.Context, bytes int) error {
	for _, statement := range []string{fmt.Sprintf("INSERT INTO probe(filler) VALUES(zeroblob(%d))", bytes), "DELETE FROM probe"} {
		if _, err := q.append.ExecContext(ctx, statement); err != nil {
			q.suspect.Store(true)
			return err
		}
	}
	return nil
}
