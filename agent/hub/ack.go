package hub

import (
	"context"
	"database/sql"
	"errors"
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
func (l *Ledger) Ack(ctx context.Context, counter string) (crossing.Ack, error) {
	a := crossing.Ack{Counter: counter}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	defer tx.Rollback()
	var last int64
	err = tx.QueryRowContext(ctx, "SELECT ack_ms FROM counter WHERE counter = ?", counter).Scan(&last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	now := max(time.Now().UnixMilli(), last+1)
	a.Time = crossing.TimeOf(time.UnixMilli(now))
	if a.Epochs, err = ackedEpochs(ctx, tx, counter); err != nil {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO counter(counter, ack_ms) VALUES(?, ?)
		ON CONFLICT(counter) DO UPDATE SET ack_ms = excluded.ack_ms`, counter, now)
	if err != nil {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return a, fmt.Errorf("cannot acknowledge: %w", err)
	}
	return a, nil
}

func ackedEpochs(ctx context.Context, tx *sql.Tx, counter string) ([]crossing.AckEpoch, error) {
	rows, err := tx.QueryContext(ctx, `SELECT epoch, through, head, missing FROM epoch WHERE counter = ? AND closed_ms IS NULL
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

func owedOf(ctx context.Context, tx *sql.Tx, counter string, epoch []byte) (list []crossing.Nack, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT sequence FROM owed WHERE counter = ? AND epoch = ? ORDER BY sequence LIMIT ?", counter, epoch, ackOwed)
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
