package devices

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// steadyAfter is how long a session must last before its end is taken for
	// a cable that was pulled and not for a scanner that does not work. Only
	// the former is opened again without waiting. A session that was shorter
	// but gave a scan makes the waiting begin from the least again.
	steadyAfter = time.Second

	// readSize is the most a tty hands over in one read, and one more.
	readSize = 4096
)

// A Reader keeps one scanner alive. Set its fields, then call Run; do not
// change them and do not copy the Reader afterwards.
type Reader struct {
	// Name is the scanner's name in the configuration.
	Name string
	// Mode is how its documents come in; empty: Swipe. A scan that says its own
	// mode keeps it.
	Mode Mode
	// Open opens the scanner. It is called again whenever the scanner is lost.
	Open Opener
	// Framer makes the framer of one session. If it is also a Driver the
	// scanner is armed.
	Framer func() Framer
	// Watch, if not nil, starts to tell when the scanner may have come, until ctx
	// ends; then it closes the channel. It is called once by Run, which tries to
	// open the scanner at each report instead of waiting longer. Package plug
	// has one.
	Watch func(ctx context.Context) (<-chan struct{}, error)
	// Tee, if not nil, serves a second program while Run runs.
	Tee Tee
	// Line is how a serial line is set, "9600 8N1", for the diagnosis. Empty: it
	// is no serial line.
	Line string
	// Logger gets a line when the state changes, and at debug level one for
	// each scan with its shape. Nil: no log.
	Logger *slog.Logger
	// OnChange is told each new status, in order and one at a time. It is
	// called while the scanner is being served, so it must return quickly. It
	// may call State. The reason can change while the status stays; State has
	// the newest. Nil: nobody is told.
	OnChange func(State)

	running atomic.Bool
	seq     uint64 // number of the last scan handed over; belongs to deliver

	telling sync.Mutex // held while a change is made and told; taken before mu

	mu      sync.Mutex  // guards the rest
	state   State       // as the reading side sees it
	stalled bool        // scans are being lost, as the line sees it
	past    Stats       // of sessions that have ended
	current Stats       // of this session
	history history     // what a diagnosis is made from
	signals chan Signal // to the scanner that is open; nil: none is, or it has no ears
}

// Run opens the scanner, arms it, reads it, and hands each scan to out, until
// ctx ends. A scanner that cannot be opened or that goes away is opened again,
// at once if it had been open for a while or Watch reports something, and
// otherwise after 0.1 to 5 seconds.
//
// Run returns nil when ctx has ended, and then all that it started has ended
// too: nothing is sent to out any more. Scans that nobody had taken by then are
// lost, and the log says how many. It fails only if the Reader is not set up or
// is running already. It never closes out.
func (r *Reader) Run(ctx context.Context, out chan<- Scan) error {
	switch {
	case r.Open == nil:
		return fmt.Errorf("cannot run scanner %q: its Open is nil", r.Name)
	case r.Framer == nil:
		return fmt.Errorf("cannot run scanner %q: its Framer is nil", r.Name)
	case out == nil:
		return fmt.Errorf("cannot run scanner %q: the channel for its scans is nil", r.Name)
	case !r.running.CompareAndSwap(false, true):
		return fmt.Errorf("cannot run scanner %q: it is running already", r.Name)
	}
	defer r.running.Store(false)

	l := newLine()
	var helpers sync.WaitGroup
	helpers.Go(func() { r.deliver(ctx, l, out) })
	if r.Tee != nil {
		helpers.Go(func() { r.Tee.Run(ctx) })
	}
	r.keepAlive(ctx, l)
	helpers.Wait()

	left := l.waiting()
	r.change(func() {
		r.state.Status, r.state.Reason = Stopped, ""
		r.state.Dropped += uint64(left)
		r.stalled = false
	})
	if left > 0 {
		r.log(slog.LevelWarn, "scans lost at the end", "count", left)
	}
	return nil
}

// keepAlive runs one session after the other until ctx ends.
func (r *Reader) keepAlive(ctx context.Context, l *line) {
	var pause backoff
	if r.Watch != nil {
		changed, err := r.Watch(ctx)
		if err != nil {
			r.log(slog.LevelWarn, "scanner is looked for now and then only", "error", err)
		} else {
			pause.cut = changed
			defer func() {
				for range changed { // until Watch has seen the end too
				}
			}()
		}
	}
	for ctx.Err() == nil {
		src, err := r.Open(ctx)
		steady := false
		if err == nil {
			opened := time.Now()
			var scans int
			inPlace, stop := stayInPlace(ctx, src, pause.cut)
			scans, err = r.session(inPlace, src, l)
			if inPlace.Err() != nil {
				err = context.Cause(inPlace)
			}
			stop()
			src.Close() // it is of no more use, whatever this says
			steady = time.Since(opened) >= steadyAfter
			if steady || scans > 0 {
				pause.reset()
			}
		}
		if ctx.Err() != nil {
			return
		}
		r.set(presence(err), err.Error())
		if !steady {
			pause.wait(ctx)
		}
	}
}

// session serves an open scanner until it is lost or ctx ends. It always
// returns an error, and how many scans came before it.
func (r *Reader) session(ctx context.Context, src Source, l *line) (scans int, err error) {
	framer := r.Framer()
	defer r.endStats(framer)
	r.begin(time.Now(), src)

	speaker := &speaker{r: r, framer: framer, src: src}
	if err := speaker.arm(); err != nil {
		return 0, fmt.Errorf("cannot arm the scanner: %w", err)
	}
	defer speaker.start()()

	// The end of ctx wakes a Read that waits. Since every deadline set below is
	// followed by a look at ctx, none can undo this one unseen.
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		src.SetReadDeadline(time.Unix(1, 0)) // if this fails, so did the one below
	})
	defer func() {
		if !stop() {
			<-woken
		}
	}()

	emit := func(scan Scan) {
		scans++
		r.take(l, scan)
	}
	defer func() {
		if errors.Is(context.Cause(ctx), ErrUnplugged) {
			framer.Idle(time.Now(), emit) // what came before the name was another's
			r.showStats(framer)
		}
	}()
	buf := make([]byte, readSize)
	for {
		due, held := framer.Deadline()
		if !held {
			due = time.Time{}
		}
		r.showReading(held)
		if err := src.SetReadDeadline(due); err != nil {
			return scans, fmt.Errorf("cannot set a read deadline on the scanner: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return scans, err
		}

		n, err := src.Read(buf)
		now := time.Now()
		before := scans
		if n > 0 {
			r.hear(now, buf[:n])
			framer.Push(now, buf[:n], emit)
			r.showStats(framer)
		}
		switch {
		case ctx.Err() != nil:
			return scans, ctx.Err()
		case err == nil && n == 0:
			return scans, fmt.Errorf("cannot read the scanner: %w", io.ErrNoProgress)
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded) && (held || n > 0):
			if n == 0 && !now.Before(due) {
				framer.Idle(now, emit)
				r.showStats(framer)
			}
		default:
			framer.Idle(now, emit) // what came before it was lost
			r.showStats(framer)
			return scans, err
		}
		if _, held := framer.Deadline(); !held {
			r.judge(now, src)
		}
		if scans > before {
			if err := speaker.arm(); err != nil {
				return scans, fmt.Errorf("cannot arm the scanner: %w", err)
			}
		}
	}
}

// showReading says whether a document is on its way.
func (r *Reader) showReading(held bool) {
	p := Ready
	if held {
		p = Reading
	}
	r.mu.Lock()
	same := r.state.Status == p
	r.mu.Unlock()
	if !same { // only this goroutine changes r.state.Status
		r.set(p, "")
	}
}

// showStats makes the framer's counts visible to Stats, and what it has to say to
// Diagnose.
func (r *Reader) showStats(framer Framer) {
	r.mu.Lock()
	r.current = framer.Stats()
	if d, ok := framer.(Diagnoser); ok {
		r.history.own = d.Diagnose()
	}
	r.mu.Unlock()
}

// endStats keeps the counts of a session that has ended.
func (r *Reader) endStats(framer Framer) {
	r.mu.Lock()
	r.past, r.current = r.past.Plus(framer.Stats()), Stats{}
	r.mu.Unlock()
}

func (r *Reader) log(level slog.Level, text string, args ...any) {
	if r.Logger != nil {
		r.Logger.Log(context.Background(), level, text, append([]any{"scanner", r.Name}, args...)...)
	}
}

func (r *Reader) logScan(scan Scan) {
	r.log(slog.LevelDebug, "scan read", "status", string(scan.Status), "shape", scan.shape())
}
