package sqlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"lintas/queue"
	"lintas/queue/sqlite"
)

// promises is what the queue's caller knows at one moment.
type promises struct {
	begun   []queue.Message // Put was called
	kept    []kept          // Put returned nil
	absent  []queue.ID      // Put returned an error and Find said no
	asked   uint64          // highest watermark that Acknowledge was called with
	pruning uint64          // Prune was called when events up to here could go
	pruned  uint64          // and said that they had gone
}

// copy makes promises that can grow apart from p.
func (p promises) copy() promises {
	p.begun, p.kept, p.absent = slices.Clip(p.begun), slices.Clip(p.kept), slices.Clip(p.absent)
	return p
}

type kept struct {
	message queue.Message
	receipt queue.Receipt
}

// broken says which promise an image breaks.
type broken struct {
	promise string
	detail  string
}

func (b *broken) Error() string { return b.promise + ": " + b.detail }

// The promises.
const (
	opens   = "the queue opens"
	whole   = "the file is whole"
	chained = "the chain is whole"
	durable = "what Put took is there"
	alone   = "nothing else is there"
	spared  = "what is not acknowledged is not pruned"
	gone    = "what is pruned stays away"
	sends   = "what is not acknowledged is sent"
	goesOn  = "the queue goes on"
)

// inspect starts the queue on what a platter holds, as after a power cut, or
// as after the death of the process, and compares it with the promises. What
// it does itself is in the returned disk's trace.
func inspect(folder string, p *platter) (*disk, error) {
	ctx, known := context.Background(), p.known
	d := p.disk()
	path := filepath.Join(folder, "queue.db")
	if err := place(path, d); err != nil {
		return nil, err
	}
	mount(folder, d)
	breaks := func(promise, format string, a ...any) (*disk, error) {
		return d, &broken{promise, fmt.Sprintf(format, a...)}
	}
	q, err := sqlite.OpenQueue(ctx, path, sqlite.Options{Seal: seal, Reserve: -1})
	if err != nil {
		return breaks(opens, "%v", err)
	}
	defer func() { q.Close() }()

	events, err := readAll(ctx, q)
	if err != nil {
		return breaks(whole, "%v", err)
	}
	if err := chainError(events); err != nil {
		return breaks(chained, "%v", err)
	}
	st, err := q.Status(ctx)
	if err != nil {
		return breaks(whole, "%v", err)
	}
	gap, head := uint64(0), uint64(0) // up to where it was pruned, and its end
	if len(events) > 0 {
		gap, head = events[0].Sequence-1, events[len(events)-1].Sequence
	}
	switch {
	case gap > known.pruning:
		return breaks(spared, "begins with %d, Prune could take away up to %d", gap+1, known.pruning)
	case gap > st.Acknowledged:
		return breaks(spared, "begins with %d, the watermark is %d", gap+1, st.Acknowledged)
	case gap < known.pruned:
		return breaks(gone, "begins with %d, Prune had taken away up to %d", gap+1, known.pruned)
	case st.Acknowledged > known.asked:
		return breaks(spared, "the watermark is %d, asked for was %d", st.Acknowledged, known.asked)
	}
	for _, k := range known.kept {
		if k.receipt.Sequence <= gap {
			continue
		}
		if k.receipt.Sequence > head {
			return breaks(durable, "event %d is not there, the last is %d", k.receipt.Sequence, head)
		}
		if e := events[k.receipt.Sequence-gap-1]; e.ID != k.message.ID || e.Hash != k.receipt.Hash || e.Epoch != k.receipt.Epoch ||
			!bytes.HasSuffix(e.Sealed, append([]byte("|"), k.message.Body...)) || !bytes.Equal(e.Note, noteOf(k.message)) {
			return breaks(durable, "event %d is another one", k.receipt.Sequence)
		}
	}
	there := map[queue.ID]bool{}
	for _, e := range events {
		there[e.ID] = true
		if e.Acknowledged != (e.Sequence <= st.Acknowledged) {
			return breaks(sends, "event %d is marked acknowledged: %v, the watermark is %d", e.Sequence, e.Acknowledged, st.Acknowledged)
		}
		if !slices.ContainsFunc(known.begun, func(m queue.Message) bool { return m.ID == e.ID }) {
			return breaks(alone, "nobody put event %d", e.Sequence)
		}
	}
	for _, id := range known.absent {
		if there[id] {
			return breaks(alone, "an event that was said not to be there is")
		}
	}
	due, err := q.Lease(ctx, len(events)+1)
	if err != nil {
		return breaks(sends, "%v", err)
	}
	if want := head - max(st.Acknowledged, gap); uint64(len(due)) != want || want > 0 && due[0].Sequence != st.Acknowledged+1 {
		return breaks(sends, "%d events are to be sent after watermark %d, want %d", len(due), st.Acknowledged, want)
	}

	// Whoever had no answer asks again; then something new follows.
	again := slices.DeleteFunc(slices.Clone(known.begun), func(m queue.Message) bool {
		return slices.ContainsFunc(known.kept, func(k kept) bool { return k.message.ID == m.ID }) || slices.Contains(known.absent, m.ID)
	})
	for _, m := range append(again, messageOf(random(uint64(len(known.begun)), head))) {
		d.learn(func(p *promises) { p.begun = append(p.begun, m) })
		r, err := q.Put(ctx, m, noteOf(m))
		if err != nil {
			return breaks(goesOn, "put: %v", err)
		}
		d.learn(func(p *promises) { p.kept = append(p.kept, kept{m, r}) })
		if !there[m.ID] {
			if r.Sequence != head+1 {
				return breaks(goesOn, "a new event is number %d after %d", r.Sequence, head)
			}
			there[m.ID], head = true, r.Sequence
		}
	}
	if events, err = readAll(ctx, q); err != nil {
		return breaks(goesOn, "%v", err)
	}
	if err := chainError(events); err != nil {
		return breaks(goesOn, "%v", err)
	}
	if n := uint64(len(events)); n != head-gap {
		return breaks(goesOn, "%d events, want %d", n, head-gap)
	}
	if err := q.Close(); err != nil {
		return breaks(goesOn, "close: %v", err)
	}
	if err := integrity(ctx, path); err != nil {
		return breaks(whole, "%v", err)
	}
	return d, nil
}

// place makes or removes the file by whose presence the queue tells whether
// it has been here before.
func place(path string, d *disk) error {
	if d.names[filepath.Base(path)] == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	return os.WriteFile(path, nil, 0o600)
}

func readAll(ctx context.Context, q *sqlite.Queue) (events []queue.Event, err error) {
	for e, err := range q.Events(ctx, 1) {
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// chainError follows the hashes from the first event that is kept.
func chainError(events []queue.Event) error {
	var prev queue.Hash
	for i, e := range events {
		if i > 0 && e.Sequence != events[i-1].Sequence+1 {
			return fmt.Errorf("%d follows %d", e.Sequence, events[i-1].Sequence)
		}
		if e.Hash != sha256.Sum256(e.Sealed) {
			return fmt.Errorf("the hash of %d is not that of its bytes", e.Sequence)
		}
		if want := fmt.Appendf(nil, "%s|%d|", prev, e.Sequence); (i > 0 || e.Sequence == 1) && !bytes.HasPrefix(e.Sealed, want) {
			return fmt.Errorf("%d does not name the one before it", e.Sequence)
		}
		prev = e.Hash
	}
	return nil
}

func integrity(ctx context.Context, path string) error {
	db, err := sqlite.Open(ctx, path, sqlite.ReadOnly, sqlite.QueueSchema)
	if err != nil {
		return err
	}
	defer db.Close()
	var says string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&says); err != nil || says != "ok" {
		return fmt.Errorf("integrity check: %s %v", says, err)
	}
	return nil
}
