package daemon

import (
	"context"
	"path/filepath"
	"time"

	"lintas/agent/config"
	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/queue"
	"lintas/queue/sqlite"
)

// openQueue opens the queue whatever has happened to it. What was found is on
// the board until the hub has confirmed the event that tells of it.
func (d *daemon) openQueue(ctx context.Context, stamped crossing.Recorder) (err error) {
	o := queueOptions(d.cfg)
	o.Seal, o.Rewrap = d.sealer.Seal, d.sealer.Rewrap
	o.Recovered = func(r queue.Recovery) (queue.Message, []byte, error) {
		m, err := stamped.Message(crossing.NewID(), crossing.QueueRecovered, crossing.RecoveredOf(d.place(), r))
		return m, counter.NoteOf(crossing.QueueRecovered), err
	}
	if d.queue, err = sqlite.OpenQueue(ctx, queuePath(d.cfg), o); err != nil {
		return err
	}
	medium := sqlite.DoubtfulMedium(queuePath(d.cfg))
	d.board.Set(health.StateVolatile, "", medium != "", medium)
	if r, ok := d.queue.Recovery(); ok {
		d.tellRecovery(r)
	}
	return nil
}

func queuePath(cfg *config.Config) string { return filepath.Join(cfg.State.Dir, QueueFile) }

// queueOptions are those that do not depend on who opens it.
func queueOptions(cfg *config.Config) sqlite.Options {
	return sqlite.Options{Anchor: filepath.Join(cfg.State.Dir, AnchorFile), Quota: int64(cfg.Queue.QuotaMiB) << 20}
}

// fork begins a new epoch: the hub has other events than this counter at its
// positions, as after this disk was restored from an old image.
func (d *daemon) fork(ctx context.Context) error {
	r, err := d.queue.NewEpoch(ctx, queue.Forked)
	if err == nil {
		d.tellRecovery(r)
	}
	return err
}

func (d *daemon) tellRecovery(r queue.Recovery) {
	lost := 0
	for _, m := range r.Missing {
		lost += int(m[1] - m[0] + 1)
	}
	d.log.Error("the queue could not be continued, a new epoch has begun",
		"cause", r.Cause, "missing", lost, "rewrapped", r.Rewrapped, "aside", r.Aside)
	d.board.Set(health.QueueRecovered, "", true, string(r.Cause))
	d.recovered.Store(true)
}

// watchQueue puts on the board how the queue's file is. It returns an error if
// the file cannot be trusted any more: then it must be opened anew.
func (d *daemon) watchQueue() error {
	full := ""
	if d.queue.Full() {
		full = d.cfg.State.Dir
	}
	d.board.Set(health.DiskFull, "", full != "", full)
	anchor := ""
	if err := d.queue.AnchorError(); err != nil {
		anchor = err.Error()
	}
	d.board.Set(health.AnchorFailed, "", anchor != "", anchor)
	if d.recovered.Load() && d.queue.Acknowledged() > 0 { // it is the first event of the epoch
		d.recovered.Store(false)
		d.board.Set(health.QueueRecovered, "", false, "")
	}
	return d.queue.Damage()
}

// Renewals of a run: when the queue was found damaged.
const (
	renewPause = time.Second
	renewals   = 5 // within renewTime; more often, and it is not the file that is at fault
	renewTime  = 10 * time.Minute
)

// often tells whether something has happened too often of late, and that it has
// happened now.
func often(times *[]time.Time) bool {
	now := time.Now()
	*times = append(*times, now)
	for len(*times) > 0 && now.Sub((*times)[0]) > renewTime {
		*times = (*times)[1:]
	}
	return len(*times) > renewals
}
