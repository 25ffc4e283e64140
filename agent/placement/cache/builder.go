package cache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"

	"lintas/agent/placement"
)

// builder fills a new file.
type builder struct {
	*installer
	tx     *sql.Tx
	header header
}

// full writes a base.
func (b *builder) full() error {
	w, err := newWriter(b.ctx, b.tx, "row")
	if err != nil {
		return err
	}
	defer w.close()
	if len(b.update.Full) != placement.Shards {
		return fmt.Errorf("a full list has %d shards and not %d", placement.Shards, len(b.update.Full))
	}
	for i, open := range b.update.Full {
		if err := step("shard"); err != nil {
			return err
		}
		err := readRows(b.ctx, open, func(h placement.Header) error {
			if i == 0 {
				b.header.Lock, b.header.Version, b.header.Base = lockOf(h), h.Version, h.Version
			}
			if h.Shard != i || h.From != 0 || h.Version != b.header.Base || !h.SameLock(b.header.Lock) {
				return fmt.Errorf("%w: it is of another list", ErrUnfit)
			}
			return nil
		}, func(r placement.Row) error {
			if int(r.Tag[0]) != i || r.Kind == placement.KindGone || r.Kind == placement.KindNegative {
				return fmt.Errorf("%w: it holds rows that do not belong there", ErrUnfit)
			}
			return w.put(r)
		})
		if err != nil {
			return fmt.Errorf("shard %02x: %w", i, err)
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	b.header.Rows, b.header.Sum = w.count, w.sum
	return b.rest()
}

// folded writes a base of the one in use and its overlay.
func (b *builder) folded() error {
	old := b.old
	h := old.top().header
	b.header.Lock, b.header.Version, b.header.Base = old.base.header.Lock, h.Version, h.Version
	w, err := newWriter(b.ctx, b.tx, "row")
	if err != nil {
		return err
	}
	defer w.close()
	if err := step("fold"); err != nil {
		return err
	}
	if err := mergeRows(b.ctx, old.base.db, old.over.db, w); err != nil {
		return err
	}
	b.header.Rows, b.header.Sum = w.count, w.sum
	return b.rest()
}

// lockOf keeps of a header what locks.
func lockOf(h placement.Header) placement.Header {
	return placement.Header{Version: h.Version, KeyID: h.KeyID, Salt: h.Salt, Cost: h.Cost, Cheap: h.Cheap}
}

// overlay writes what has changed since the base: what the overlay before had,
// and the deltas on top of it, each tag as the last delta has it.
func (b *builder) overlay(base header, old *file) error {
	b.header.Build, b.header.Base, b.header.Lock = base.Build, base.Version, base.Lock
	at := base.Version
	w, err := newWriter(b.ctx, b.tx, "row")
	if err != nil {
		return err
	}
	defer w.close()
	if old != nil {
		at = old.header.Version
		if err := copyRows(b.ctx, old.db, w); err != nil {
			return err
		}
	}
	for _, open := range b.update.Deltas {
		if err := step("delta"); err != nil {
			return err
		}
		err := readRows(b.ctx, open, func(h placement.Header) error {
			if h.From != at || !h.SameLock(base.Lock) {
				return fmt.Errorf("%w: delta from %d to %d does not go on from version %d", ErrUnfit, h.From, h.Version, at)
			}
			at = h.Version
			return nil
		}, w.put)
		if err != nil {
			return err
		}
		if err := w.flush(); err != nil {
			return err
		}
	}
	if at != b.update.Version {
		return fmt.Errorf("%w: the deltas lead to version %d", ErrUnfit, at)
	}
	if b.header.Rows, b.header.Sum, err = sumOf(b.ctx, b.tx); err != nil {
		return err
	}
	return b.rest()
}

// rest writes what is not locked rows of placements.
func (b *builder) rest() error {
	w, err := newWriter(b.ctx, b.tx, "negative")
	if err != nil {
		return err
	}
	defer w.close()
	err = readRows(b.ctx, b.update.Negatives, func(h placement.Header) error {
		if !h.SameLock(b.header.Lock) {
			return fmt.Errorf("%w: they are locked differently", ErrUnfit)
		}
		return nil
	}, func(r placement.Row) error {
		if r.Kind != placement.KindNegative {
			return fmt.Errorf("%w: a row is of another kind", ErrUnfit)
		}
		return w.put(r)
	})
	if err := errors.Join(err, w.flush()); err != nil {
		return fmt.Errorf("negative entries: %w", err)
	}
	for name, body := range b.update.Targets {
		if _, err := b.tx.ExecContext(b.ctx, "INSERT INTO target(name, body) VALUES(?, ?)", name, body); err != nil {
			return err
		}
	}
	return nil
}

func readRows(ctx context.Context, open Opener, head func(placement.Header) error, each func(placement.Row) error) (err error) {
	f, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r, err := placement.NewRowReader(f)
	if err != nil {
		return err
	}
	if err := head(r.Header()); err != nil {
		return err
	}
	for {
		row, err := r.Next()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := each(row); err != nil {
			return err
		}
	}
}
