// Package daemon is one running agent. It is the only place that knows every
// part, starts all goroutines and waits for them.
//
// It starts with nothing attached: a scanner, list, broker or network that is
// missing is a condition on the health board and is tried again. Only what
// recording itself needs can keep it from starting: the state folder, the
// queue, the signing key.
//
// It ends in the opposite order: scanners stop, the officer may finish what is
// open, the last events are recorded and sent, and then the link, the page and
// the queue are closed.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"lintas/agent/config"
	"lintas/agent/control"
	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/screen"
	"lintas/agent/verdict"
	"lintas/devices"
	"lintas/queue"
	"lintas/queue/sqlite"
	"lintas/queue/uplink"
)

// Bounds on an orderly end; systemd waits longer than their sum.
const (
	drainTime = 5 * time.Second // for the officer to finish
	flushTime = 5 * time.Second // for the hub to confirm

	retryAfter = 10 * time.Second // for the page and the control socket
)

// daemon is a running agent's parts.
type daemon struct {
	cfg     *config.Config
	version string
	log     *slog.Logger
	started time.Time

	board       *health.Board
	key         atomic.Pointer[crossing.PrivateKey]
	rotating    sync.Mutex // held while the key is being rotated
	provisional bool       // the key is not the counter's own
	replaced    string     // id of the key before, until its replacement is recorded; belongs to begin, then to keepHouse
	sealer      *crossing.Sealer
	queue       *sqlite.Queue
	recorder    *recorder
	lists       *lists
	counter     *counter.Counter
	readers     []*devices.Reader
	uplink      *uplink.Uplink              // nil: no broker configured
	page        atomic.Value                // string: where the page is served, "" while it is not
	waiting     atomic.Pointer[screen.Link] // depth and oldest, as last read
	recovered   atomic.Bool                 // a new epoch has begun, and the hub does not know it yet
	distrusted  bool                        // the queue was found damaged: it is checked before it is used
	checked     chan struct{}               // closed when the queue has been checked, or cannot be yet
	beats       *beats
	showing     sync.Mutex       // held while the board is told about a scanner
	devices     chan deviceEvent // not recorded yet

	listRecorded atomic.Int64 // version of the list that was recorded last
	listRefused  string       // why and whence a list was refused last; belongs to syncList
	shiftEnds    time.Time    // when documents are recognised under another key
}

// Run runs an agent until ctx ends, and ends it in order. When its queue is
// found damaged it begins anew, which saves what can be saved.
func Run(ctx context.Context, cfg *config.Config, version string, log *slog.Logger) error {
	var damaged []time.Time
	for {
		err := runOnce(ctx, cfg, version, log, len(damaged) > 0)
		if ctx.Err() != nil || !errors.Is(err, queue.ErrDamaged) || often(&damaged) {
			return err
		}
		log.Error("the queue is damaged, the agent begins anew", "error", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(renewPause):
		}
	}
}

func runOnce(ctx context.Context, cfg *config.Config, version string, log *slog.Logger, distrusted bool) (err error) {
	d := &daemon{cfg: cfg, version: version, log: log, started: time.Now(), board: health.NewBoard(), beats: newBeats(),
		devices: make(chan deviceEvent, deviceEvents), distrusted: distrusted, checked: make(chan struct{})}
	if err := d.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.queue.Close(), d.lists.Close()) }()
	if err := d.begin(ctx); err != nil {
		return err
	}
	return d.run(ctx)
}

// open makes or opens what recording needs.
func (d *daemon) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(d.cfg.State.Dir, 0o700); err != nil {
		return fmt.Errorf("cannot use state folder: %w", err)
	}
	if err := os.MkdirAll(d.cfg.State.Run, 0o700); err != nil {
		d.log.Warn("cannot use run folder", "error", err) // the control socket says so on the board
	}
	if err := d.loadKey(); err != nil {
		return err
	}
	d.board.Set(health.Drill, "", d.cfg.Counter.Drill, "")
	d.lists = newLists(filepath.Join(d.cfg.State.Dir, ListFile), d.listAccess, d.board)
	d.lists.refresh(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, d.lists.Close())
		}
	}()
	recipients, err := d.recipients()
	if err != nil {
		return err
	}
	if d.sealer, err = crossing.NewSealer(*d.key.Load()); err != nil {
		return err
	}
	stamped := crossing.Recorder{
		Counter: d.cfg.Counter.ID, Encrypter: crossing.NewEncrypter(recipients...), Stamp: func() crossing.Stamp { return stamp(d.cfg.Counter.Drill) },
	}
	if err := d.openQueue(ctx, stamped); err != nil {
		return err
	}
	if err := d.lookAtSigner(ctx); err != nil {
		return errors.Join(err, d.queue.Close())
	}
	stamped.Queue = d.queue
	d.recorder = &recorder{first: d.startedRecord, Recorder: stamped}
	return nil
}

// begin records that the agent runs and rebuilds what it knew.
func (d *daemon) begin(ctx context.Context) error {
	shiftKey, left := d.shiftKey()
	d.shiftEnds = time.Now().Add(left)
	c := d.cfg.Counter
	d.counter = counter.New(counter.Options{
		ID: c.ID, Place: d.place(), Direction: verdict.Direction(c.Direction), Confirm: counter.Confirm(c.Confirm),
		AbandonAfter: c.AbandonAfter, RepeatAfter: c.RepeatAfter, Drill: c.Drill,
		Recorder: d.recorder, List: d.lists, Queue: d.queue, Health: d.board, ShiftKey: shiftKey, Signal: d.signal, Logger: d.log,
		Rules: d.lists.rules.Load, Clock: clockState,
	})
	if err := errors.Join(d.recorder.start(ctx), d.counter.Restore(ctx, d.queue)); err != nil {
		d.counter.Fail(err) // the page says so; recording is tried again
	}
	d.recordKeyChange(ctx)
	d.finishRotation(ctx)
	d.waiting.Store(&screen.Link{})
	d.readers = d.scanners()
	d.uplink = d.newUplink()
	d.page.Store("")
	d.lookAtQueue(ctx)
	return nil
}

func (d *daemon) run(ctx context.Context) error {
	alive, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	g, alive := errgroup.WithContext(alive)
	intake, stopIntake := context.WithCancel(alive)
	defer stopIntake()
	defer context.AfterFunc(ctx, stopIntake)()

	scans := make(chan devices.Scan)
	for _, r := range d.readers {
		g.Go(func() error { return r.Run(intake, scans) })
	}
	g.Go(func() error { return d.counter.Run(alive, scans, d.beats.of("counter")) })
	g.Go(func() error { return d.checkQueue(alive) })
	if d.uplink != nil {
		g.Go(func() error {
			if !d.afterCheck(alive) {
				return nil
			}
			return d.uplink.Run(alive)
		})
	}
	g.Go(func() error { return d.recorder.Encrypter.Run(alive) })
	g.Go(func() error { return d.recordDevices(alive) })
	g.Go(func() error { return d.servePage(alive) })
	g.Go(func() error { return d.serveControl(alive) })
	g.Go(func() error { return d.keepHouse(alive) })
	g.Go(func() error { return d.syncList(alive) })
	g.Go(func() error { return d.watch(alive) })
	g.Go(func() error {
		<-intake.Done()
		notifyStopping()
		d.finish(alive, cause(ctx))
		end()
		return nil
	})
	d.log.Info("agent running", "version", d.version, "counter", d.cfg.Counter.ID)
	err := g.Wait()
	d.log.Info("agent ended")
	return err
}

// finish lets the officer and the link end what they began.
func (d *daemon) finish(ctx context.Context, cause string) {
	drain, cancel := context.WithTimeout(ctx, drainTime)
	d.counter.Drain(drain)
	cancel()
	if err := d.recordStopped(cause); err != nil {
		d.log.Error("cannot record the end", "error", err)
	}
	flush, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	for d.uplink != nil && d.uplink.Status().Connected && d.queue.Acknowledged() < d.queue.Head().Sequence {
		wake := d.queue.Wake()
		if d.queue.Acknowledged() >= d.queue.Head().Sequence {
			return
		}
		select {
		case <-wake:
		case <-flush.Done():
			return
		case <-time.After(100 * time.Millisecond): // the link may have gone
		}
	}
}

// cause says why a run ends: somebody asked for it, or a part failed.
func cause(asked context.Context) string {
	if asked.Err() != nil {
		return "signal"
	}
	return "failure"
}

// serveControl keeps the control socket up; without it only lintas status does
// not work.
func (d *daemon) serveControl(ctx context.Context) error {
	for ctx.Err() == nil {
		d.board.Set(health.ControlDown, "", false, "")
		err := control.Serve(ctx, d.socket(), control.Handler(d.agent()), d.log)
		if ctx.Err() != nil {
			return nil
		}
		d.board.Set(health.ControlDown, "", true, fmt.Sprint(err))
		select {
		case <-ctx.Done():
		case <-time.After(retryAfter):
		}
	}
	return nil
}

// place says where this counter stands.
func (d *daemon) place() crossing.Place {
	c := d.cfg.Counter
	return crossing.Place{Site: c.Site, Terminal: c.Terminal, Lane: c.Lane, LaneKind: c.LaneKind}
}

func (d *daemon) socket() string { return filepath.Join(d.cfg.State.Run, SocketFile) }

// Files of the state folders.
const (
	QueueFile     = "queue.db"
	AnchorFile    = "queue.anchor" // the end of the queue's chain, beside it
	ListFile      = "placements.db"
	listFolder    = "list" // what was fetched of the list, and which signatures are trusted
	PublicKeyFile = "counter.pub.jwk"
	SocketFile    = "lintas.sock"
)
