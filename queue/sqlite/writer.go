package sqlite

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"lintas/queue"
)

// write is done by one caller of Put at a time. It takes everything that waits,
// makes it durable in one transaction and answers all others; its own is p.
func (q *Queue) write(p *put) {
	q.writeMu.Lock()
	batch := q.line.take()
	if err := q.note(q.transact(batch)); err != nil {
		for _, p := range batch {
			p.err = fmt.Errorf("cannot write queue %s: %w", q.path, err)
		}
	}
	q.writeMu.Unlock()
	q.line.pass()
	for _, other := range batch {
		if other != p {
			other.done <- true
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

// commit writes the batch in one transaction and fills in receipts. On error
// nothing may be believed; on success a message that could not be sealed has
// an error of its own.
func (q *Queue) commit(batch []*put) (head queue.Head, err error) {
	ctx := context.Background()
	head = q.Head()
	if _, err := q.append.begin.ExecContext(ctx); err != nil {
		return head, err
	}
	defer func() {
		if err != nil {
			q.append.rollback.ExecContext(ctx) // the handle is not used again, whatever it says
		}
	}()
	for _, p := range batch {
		if head, err = q.add(ctx, p, head); err != nil {
			return head, err
		}
	}
	_, err = q.append.commit.ExecContext(ctx)
	return head, err
}

// add writes one message behind head, and returns the new one. One that is
// there already leaves head as it is, and so does one that cannot be sealed.
func (q *Queue) add(ctx context.Context, p *put, head queue.Head) (queue.Head, error) {
	p.err = nil
	at := time.UnixMilli(time.Now().UnixMilli()).UTC()
	sealed, unsealed := q.o.Seal(queue.Position{Epoch: q.epoch, Sequence: head.Sequence + 1, Prev: head.Hash}, p.message)
	if unsealed == nil {
		hash := queue.Hash(sha256.Sum256(sealed))
		res, err := q.append.insert.ExecContext(ctx, q.position(head.Sequence+1), p.message.ID[:], at.UnixMilli(), hash[:], sealed, p.note)
		if err != nil {
			return head, err
		}
		if n, err := res.RowsAffected(); err != nil {
			return head, err
		} else if n > 0 {
			head.Sequence, head.Hash = head.Sequence+1, hash
			p.receipt = queue.Receipt{ID: p.message.ID, Epoch: q.epoch, Sequence: head.Sequence, Hash: hash, At: at}
			return head, nil
		}
	}
	there, err := q.existing(ctx, p)
	if err == nil && !there {
		p.err = fmt.Errorf("cannot seal event: %w", unsealed)
	}
	return head, err
}

// existing fills in p's receipt from a row that is there already, in whatever
// epoch.
func (q *Queue) existing(ctx context.Context, p *put) (bool, error) {
	var position, ms int64
	r := queue.Receipt{ID: p.message.ID, Epoch: q.epoch}
	row := q.append.find.QueryRowContext(ctx, p.message.ID[:])
	if err := row.Scan(&position, &ms, exactly(r.Hash[:])); errors.Is(err, errNoRows) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	first := q.first
	if position < first {
		err := q.append.QueryRowContext(ctx, "SELECT id, first FROM epoch WHERE first <= ? ORDER BY number DESC LIMIT 1", position).
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
		switch there, err := q.existing(ctx, p); {
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
	q.interruptCheck()
	if err := q.append.Close(); err != nil {
		return err
	}
	err := q.withRoom(ctx, func() error {
		a, err := openAppender(ctx, q.path)
		if err != nil {
			return err
		}
		q.append.Close()
		q.append = a
		if err := q.limit(ctx); err != nil {
			return err
		}
		if err := restartLog(ctx, a); err != nil {
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
func restartLog(ctx context.Context, db querier) error {
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
