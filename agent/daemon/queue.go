package daemon

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
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
	if !d.distrusted {
		o.CheckLater = checkLater
	}
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

// checkLater is up to how many bytes a queue is checked before it is used: that
// takes a tenth of a second.
const checkLater = 16 << 20

// A write that failed interrupts the check of the queue; so often it is tried
// again before sending and pruning go on without it.
const checkTries = 5

// checkQueue checks what weeks offline have left while the agent is in use:
// recording does not wait for it, sending and pruning do. It returns an error if
// the queue is damaged.
func (d *daemon) checkQueue(ctx context.Context) error {
	done := sync.OnceFunc(func() { close(d.checked) })
	for try := 1; ; try++ {
		err := d.queue.Check(ctx)
		switch {
		case err == nil:
			done()
			return nil
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, queue.ErrDamaged):
			return err
		case !errors.Is(err, context.Canceled) || try >= checkTries:
			done() // nothing waits for what may never be
		}
		d.log.Warn("the queue will be checked later", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(min(time.Duration(try)*time.Second, retryAfter)):
		}
	}
}

// afterCheck waits for the first check of the queue.
func (d *daemon) afterCheck(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-d.checked:
		return true
	}
}

func (d *daemon) isChecked() bool {
	select {
	case <-d.checked:
		return true
	default:
		return false
	}
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
