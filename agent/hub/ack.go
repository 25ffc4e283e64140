package hub

import (
	"context"
	"fmt"
	"time"

	"lintas/agent/crossing"
	"lintas/queue"
)

const (
	// ackEpochs bounds how many epochs an acknowledgement names, those heard
	// last first.
	ackEpochs = 8
	// ackOwed bounds how many owed positions of an epoch it names, the oldest
	// first: a counter keeps everything from the first of them on.
	ackOwed = 64
)

// CodeOwed says in an acknowledgement that only a tombstone came: the event's
// position is confirmed, and its body must be kept until it has followed.
const CodeOwed = "owed"

// Ack says where a counter stands. Its time is later than that of every
// acknowledgement before.
func (l *Ledger) Ack(ctx context.Context, counter string) (a crossing.Ack, err error) {
	err = l.attempt(ctx, func() error {
		tx, err := l.begin(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.rollback()
		if a, err = tx.ack(ctx, counter); err != nil {
			return err
		}
		return tx.commit()
	})
	if err != nil {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	return a, nil
}

func (t tx) ack(ctx context.Context, counter string) (a crossing.Ack, err error) {
	a.Counter = counter
	if _, err := t.exec(ctx, "INSERT INTO counter(counter, ack_ms) VALUES(?, 0) ON CONFLICT DO NOTHING", counter); err != nil {
		return a, err
	}
	var last int64
	if err := t.row(ctx, "SELECT ack_ms FROM counter WHERE counter = ?"+t.forUpdate(), counter).Scan(&last); err != nil {
		return a, err
	}
	now := max(time.Now().UnixMilli(), last+1)
	a.Time = crossing.TimeOf(time.UnixMilli(now))
	if a.Epochs, err = ackedEpochs(ctx, t.store, counter); err != nil {
		return a, err
	}
	_, err = t.exec(ctx, "UPDATE counter SET ack_ms = ? WHERE counter = ?", now, counter)
	return a, err
}

func ackedEpochs(ctx context.Context, tx store, counter string) ([]crossing.AckEpoch, error) {
	rows, err := tx.query(ctx, `SELECT epoch, through, head, missing FROM epoch WHERE counter = ? AND closed_ms IS NULL
		ORDER BY coalesce(heard_ms, seen_ms) DESC, rowid DESC LIMIT ?`, counter, ackEpochs)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []crossing.AckEpoch
	var epochs [][]byte
	for rows.Next() {
		var epoch, head []byte
		var missing string
		var e crossing.AckEpoch
		if err := rows.Scan(&epoch, &e.Through, &head, &missing); err != nil {
			return nil, err
		}
		lost, err := readRanges(missing, e.Through)
		if err != nil {
			return nil, err
		}
		e.Epoch, e.Head, e.Missing = queue.Epoch(epoch).String(), queue.Hash(head).String(), lost
		list, epochs = append(list, e), append(epochs, epoch)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Nack, err = owedOf(ctx, tx, counter, epochs[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func owedOf(ctx context.Context, tx store, counter string, epoch []byte) (list []crossing.Nack, err error) {
	rows, err := tx.query(ctx, "SELECT sequence FROM owed WHERE counter = ? AND epoch = ? ORDER BY sequence LIMIT ?", counter, epoch, ackOwed)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		n := crossing.Nack{Code: CodeOwed}
		if err := rows.Scan(&n.Sequence); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
}
