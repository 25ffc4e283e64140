package sqlite

import (
	"context"
	"crypto/sha256"
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
		head, err := q.commit(batch)
		if err != nil {
			head, err = q.settle(batch, err)
		}
		q.writeMu.Unlock()
		if err == nil {
			q.mu.Lock()
			q.head = head
			q.rouse()
			q.mu.Unlock()
		}
		for _, p := range batch {
			close(p.done)
		}
	}
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
	find, err := tx.PrepareContext(ctx, "SELECT position, at_ms, hash FROM event WHERE id = ?")
	if err != nil {
		return head, err
	}
	defer find.Close()
	insert, err := tx.PrepareContext(ctx, "INSERT INTO event(position, id, at_ms, hash, sealed, note) VALUES(?, ?, ?, ?, ?, ?)")
	if err != nil {
		return head, err
	}
	defer insert.Close()
	for _, p := range batch {
		p.err = nil
		if there, err := q.existing(find.QueryRowContext(ctx, p.message.ID[:]), p); err != nil {
			return head, err
		} else if there {
			continue
		}
		at := time.UnixMilli(time.Now().UnixMilli()).UTC()
		sealed, err := q.seal(queue.Position{Epoch: q.epoch, Sequence: head.Sequence + 1, Prev: head.Hash}, p.message)
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

// existing fills in p's receipt from a row that is there already.
func (q *Queue) existing(row scanner, p *put) (bool, error) {
	var position, ms int64
	var hash []byte
	if err := row.Scan(&position, &ms, &hash); errors.Is(err, errNoRows) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	p.receipt = queue.Receipt{
		ID: p.message.ID, Epoch: q.epoch, Sequence: uint64(position - q.first + 1),
		Hash: queue.Hash(hash), At: time.UnixMilli(ms).UTC(),
	}
	return true, nil
}

// settle finds out what became of a batch whose transaction ended with an
// error. After a failed commit the outcome is unknown and the handle cannot be
// trusted: the file is opened anew and every message is looked up by its id.
func (q *Queue) settle(batch []*put, cause error) (queue.Head, error) {
	ctx := context.Background()
	fail := func(err error) (queue.Head, error) {
		for _, p := range batch {
			p.err = fmt.Errorf("cannot write queue %s: %w", q.path, err)
		}
		return queue.Head{}, err
	}
	if err := q.reopen(ctx); err != nil {
		return fail(errors.Join(cause, err)) // the handle stays closed: the next batch comes here again
	}
	var head queue.Head
	for _, p := range batch {
		p.err = nil
		row := q.append.QueryRowContext(ctx, "SELECT position, at_ms, hash FROM event WHERE id = ?", p.message.ID[:])
		switch there, err := q.existing(row, p); {
		case err != nil:
			return fail(errors.Join(cause, err))
		case !there:
			p.err = fmt.Errorf("cannot write queue %s: %w", q.path, cause)
		}
	}
	head, err := lastEvent(ctx, q.append, q.epoch, q.first)
	if err != nil {
		return fail(errors.Join(cause, err))
	}
	return head, nil
}

func (q *Queue) reopen(ctx context.Context) error {
	if err := q.append.Close(); err != nil {
		return err
	}
	db, err := Open(ctx, q.path, Durable, QueueSchema)
	if err != nil {
		return err
	}
	q.append = db
	return nil
}

// Probe makes a durable write of an event's size and takes it back, to find out
// whether the queue can be written again after Put failed.
func (q *Queue) Probe(ctx context.Context) error {
	q.writeMu.Lock()
	defer q.writeMu.Unlock()
	if err := q.probe(ctx); err == nil {
		return nil
	}
	if err := q.reopen(ctx); err != nil {
		return err
	}
	// A commit whose outcome was not known may have taken effect.
	head, err := lastEvent(ctx, q.append, q.epoch, q.first)
	if err != nil {
		return err
	}
	q.mu.Lock()
	q.head = head
	q.mu.Unlock()
	return q.probe(ctx)
}

// probe takes the room that an event takes, and gives it back. Both are
// commits of their own: one that writes nothing would prove nothing.
func (q *Queue) probe(ctx context.Context) error {
	if _, err := q.append.ExecContext(ctx, "INSERT INTO probe(filler) VALUES(zeroblob(8192))"); err != nil {
		return err
	}
	_, err := q.append.ExecContext(ctx, "DELETE FROM probe")
	return err
}
