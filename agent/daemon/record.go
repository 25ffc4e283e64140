package daemon

import (
	"context"
	"errors"
	"sync"

	"github.com/google/uuid"

	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/queue"
)

// recorder makes sure that agent.started is the first event of a run, also
// when the disk could not be written at first.
type recorder struct {
	crossing.Recorder
	first func() crossing.Record

	mu    sync.Mutex // guards begun and orders the first events
	id    uuid.UUID
	begun bool
}

// start records agent.started, once.
func (r *recorder) start(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun {
		return nil
	}
	if r.id == uuid.Nil {
		r.id = crossing.NewID()
	}
	_, err := r.Recorder.Record(ctx, r.id, crossing.AgentStarted, r.first(), counter.NoteOf(crossing.AgentStarted))
	r.begun = err == nil
	return err
}

// Record makes a record durable.
func (r *recorder) Record(ctx context.Context, id uuid.UUID, t crossing.Type, rec crossing.Record, note []byte) (queue.Receipt, error) {
	if err := r.start(ctx); err != nil {
		return queue.Receipt{}, err
	}
	return r.Recorder.Record(ctx, id, t, rec, note)
}

// startedRecord is the first event of this run. The first event of an epoch
// names the one before, which a new database does not know.
func (d *daemon) startedRecord() crossing.Record {
	rec := &crossing.Started{Place: d.place(), Version: d.version}
	if d.queue.Head().Sequence == 0 {
		rec.PreviousEpoch, rec.PreviousHead = "unknown", "unknown"
	}
	if info, _, present := d.lists.info(); present {
		rec.ListVersion = info.Version
	}
	d.listRecorded.Store(rec.ListVersion)
	return rec
}

func (d *daemon) recordStopped(cause string) error {
	return d.record(context.Background(), crossing.AgentStopped, &crossing.Stopped{Place: d.place(), Reason: cause})
}

// recordInstalled writes which list is in use, if it is not the one that was
// recorded last.
func (d *daemon) recordInstalled(ctx context.Context) {
	info, _, present := d.lists.info()
	if !present || info.Version == d.listRecorded.Load() {
		return
	}
	rec := &crossing.Installed{Place: d.place(), ListVersion: info.Version, ListTime: crossing.TimeOf(info.Time), Rows: info.Rows, Source: info.Source}
	if err := d.record(ctx, crossing.ListInstalled, rec); err != nil {
		d.log.Error("cannot record", "error", err)
		return
	}
	d.listRecorded.Store(info.Version)
}

func (d *daemon) record(ctx context.Context, t crossing.Type, rec crossing.Record) error {
	_, err := d.recorder.Record(ctx, crossing.NewID(), t, rec, counter.NoteOf(t))
	if errors.Is(err, queue.ErrClosed) {
		return nil
	}
	return err
}
