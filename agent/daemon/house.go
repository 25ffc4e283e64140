package daemon

import (
	"context"
	"os"
	"runtime/debug"
	"sync"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"

	"lintas/agent/health"
)

const (
	listEvery  = 2 * time.Second
	pruneEvery = time.Hour
	freeEvery  = time.Minute            // a look-up's slow hash leaves megabytes behind
	freeFirst  = 5 * time.Second        // after the start; so does the check of a long queue
	refreshMin = 100 * time.Millisecond // the page follows the hub's confirmations at this pace
)

// keepHouse does what must be done now and then. Nothing is pruned of a queue
// that has not been checked.
func (d *daemon) keepHouse(ctx context.Context) error {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	beat := d.beats.of("house")
	var listAt, pruneAt time.Time
	freeAt := time.Now().Add(freeFirst - freeEvery)
	for {
		beat()
		if err := d.watchQueue(); err != nil {
			return err
		}
		d.lookAtScanners()
		now := time.Now()
		if now.Sub(listAt) >= listEvery {
			listAt = now
			d.lists.refresh(ctx)
			d.recordInstalled(ctx)
			d.recordRefused(ctx)
			d.recordKeyChange(ctx)
			_, err := os.Stat(d.cfg.Hub.AckKeysFile)
			d.board.Set(health.AckKeysMissing, "", err != nil, d.cfg.Hub.AckKeysFile)
			d.board.Set(health.ClockUnsynced, "", clockState() != "ntp", clockState())
		}
		if now.Sub(freeAt) >= freeEvery {
			freeAt = now
			debug.FreeOSMemory()
		}
		if now.After(d.shiftEnds) {
			key, left := d.shiftKey()
			d.shiftEnds = now.Add(left)
			d.counter.NewShift(key)
		}
		if full := d.queue.Full(); d.isChecked() && (full || now.Sub(pruneAt) >= pruneEvery) {
			if more := d.prune(ctx, full); !more { // a long backlog takes a round for each part of it
				pruneAt = now
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-second.C:
		}
	}
}

// prune removes a part of what the hub confirmed longer ago than the retention,
// by the hub's clock. On a full disk it does not wait for that: what the hub has
// makes room, the oldest first, for what it has not, until an event is taken
// again.
func (d *daemon) prune(ctx context.Context, full bool) (more bool) {
	confirmed := d.queue.AckTime()
	if confirmed.IsZero() {
		return false
	}
	before := confirmed.Add(-d.cfg.Queue.Retention)
	if full {
		before = confirmed.Add(time.Millisecond)
	}
	n, more, err := d.queue.Prune(ctx, before)
	switch {
	case err != nil:
		d.log.Warn("cannot prune queue", "error", err)
	case n > 0 && full:
		d.log.Warn("pruned confirmed events before their time, the disk is full", "count", n)
	case n > 0:
		d.log.Info("pruned confirmed events", "count", n)
	}
	return more
}

// watch passes news on: a change of the queue to the page, a change of the
// health board to the hub, and progress to systemd.
func (d *daemon) watch(ctx context.Context) error {
	notifyReady()
	watchdog := time.NewTicker(watchdogInterval())
	defer watchdog.Stop()
	wake, changed := d.queue.Wake(), d.board.Changed()
	acked := d.queue.Acknowledged()
	var refresh <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			wake = d.queue.Wake()
			if refresh == nil {
				refresh = time.After(refreshMin)
			}
		case <-refresh:
			refresh = nil
			d.lookAtQueue(ctx)
			if now := d.queue.Acknowledged(); now != acked {
				acked = now
				d.board.Set(health.KeyCreated, "", false, "") // the hub knows it
				d.counter.Refresh()
			}
		case <-changed:
			changed = d.board.Changed()
			if d.uplink != nil {
				d.uplink.Nudge()
			}
		case <-watchdog.C:
			if d.beats.alive() {
				sd.SdNotify(false, sd.SdNotifyWatchdog)
			} else {
				d.log.Error("a loop makes no progress", "loops", d.beats.late())
			}
		}
	}
}

func notifyReady()    { sd.SdNotify(false, sd.SdNotifyReady) }
func notifyStopping() { sd.SdNotify(false, sd.SdNotifyStopping) }

// watchdogInterval is a third of what systemd allows; without systemd it only
// paces a check that nobody reads.
func watchdogInterval() time.Duration {
	if t, err := sd.SdWatchdogEnabled(false); err == nil && t > 0 {
		return t / 3
	}
	return time.Minute
}

// beats remembers when each loop last went round.
type beats struct {
	mu   sync.Mutex // guards last
	last map[string]time.Time
}

// lateAfter is longer than any loop's pause, and shorter than the watchdog.
const lateAfter = 15 * time.Second

func newBeats() *beats { return &beats{last: map[string]time.Time{}} }

// of gives the function that a loop calls whenever it goes round.
func (b *beats) of(loop string) func() {
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.last[loop] = time.Now()
	}
}

// rest says that a loop is not running for now.
func (b *beats) rest(loop string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.last, loop)
}

func (b *beats) late() (loops []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for loop, t := range b.last {
		if time.Since(t) > lateAfter {
			loops = append(loops, loop)
		}
	}
	return loops
}

func (b *beats) alive() bool { return len(b.late()) == 0 }
