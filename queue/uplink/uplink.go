// Package uplink drains a queue to the far end over MQTT, for as long as it
// runs, whatever happens to the link.
//
// It sends events in order, keeps at most a window of them without the
// broker's PUBACK, and believes only the far end's own acknowledgement: a
// PUBACK moves the window and nothing else. What stays unacknowledged after a
// reconnection or a time-out is sent again from the watermark on, the same
// bytes (go back N); the far end removes duplicates. Each connection is a new
// one and begins with a window of one that doubles (slow start). Between
// connections it waits, with full jitter.
//
// It knows nothing of what it carries: the caller gives the topics, a function
// that verifies an acknowledgement and one that says how things stand.
package uplink

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"lintas/queue"
	"lintas/queue/mqtt"
)

// Defaults and bounds.
const (
	DefaultWindow     = 256
	DefaultAckTimeout = 30 * time.Second

	unconfirmedWindow = 4096             // events sent and not acknowledged
	maxAckTimeout     = 15 * time.Minute // the ack time-out doubles up to this
	backoffMin        = time.Second
	backoffMax        = time.Minute
	stateEvery        = time.Minute
	acksKept          = 64
)

// Outbox is the queue as uplink uses it; queue/sqlite.Queue is one.
type Outbox interface {
	Lease(ctx context.Context, max int) ([]queue.Event, error)
	Release()
	Acknowledge(context.Context, queue.Acknowledgement) error
	Acknowledged() uint64
	Wake() <-chan struct{}
}

// Topics are the three topics of one sender.
type Topics struct{ Event, Ack, State string }

// Options of an Uplink.
type Options struct {
	// Connection gives the settings of the next connection; it is asked each
	// time, so that renewed certificates are picked up. Filters, Receive and
	// Will are filled in by the uplink.
	Connection func() (mqtt.Options, error)
	Topics     Topics
	// Verify checks an acknowledgement's signature and reads it.
	Verify func([]byte) (queue.Acknowledgement, error)
	// State is the retained message about this sender; with online false it
	// is the will, published by the broker when the link breaks.
	State func(online bool) []byte
	// Window is the number of events without PUBACK; zero: DefaultWindow.
	Window int
	// AckTimeout is how long an event may stay unacknowledged after its
	// PUBACK before it is sent again; zero: DefaultAckTimeout.
	AckTimeout time.Duration
	// OnChange is told when Status changes. It must not block.
	OnChange func(Status)
	Logger   *slog.Logger
}

// Status of the link.
type Status struct {
	Connected   bool
	Since       time.Time // of Connected
	LastError   string    // why there is no connection; "" when there is one
	Unconfirmed bool      // the broker takes events, but the far end does not confirm them
	Pruned      bool      // the far end lacks events that are not here any more
	AckFault    string    // why the last acknowledgement was not believed; "" if it was
}

// Uplink drains one queue.
type Uplink struct {
	outbox Outbox
	o      Options
	nudge  chan struct{}

	mu     sync.Mutex // guards status
	status Status
}

// New makes an uplink; Run makes it work.
func New(outbox Outbox, o Options) *Uplink {
	if o.Window == 0 {
		o.Window = DefaultWindow
	}
	if o.AckTimeout == 0 {
		o.AckTimeout = DefaultAckTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Uplink{outbox: outbox, o: o, nudge: make(chan struct{}, 1), status: Status{Since: time.Now()}}
}

// Status tells how the link is.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.status
}

// Nudge asks for the state to be published again soon.
func (u *Uplink) Nudge() {
	select {
	case u.nudge <- struct{}{}:
	default:
	}
}

// Run connects, drains and reconnects until ctx ends. It returns nil.
func (u *Uplink) Run(ctx context.Context) error {
	wait := backoffMin
	for ctx.Err() == nil {
		began := time.Now()
		progress, err := u.session(ctx)
		if ctx.Err() != nil {
			break
		}
		u.disconnected(err)
		if progress || time.Since(began) > backoffMax {
			wait = backoffMin
		}
		timer := time.NewTimer(rand.N(wait))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
		wait = min(2*wait, backoffMax)
	}
	u.change(func(s *Status) { s.Connected = false })
	return nil
}

func (u *Uplink) disconnected(err error) {
	text := "connection ended"
	if err != nil {
		text = err.Error()
	}
	if u.Status().LastError != text {
		u.o.Logger.Warn("uplink down", "error", text)
	}
	u.change(func(s *Status) { s.Connected, s.LastError = false, text })
}

func (u *Uplink) change(edit func(*Status)) {
	u.mu.Lock()
	old := u.status
	edit(&u.status)
	if u.status.Connected != old.Connected {
		u.status.Since = time.Now()
	}
	now := u.status
	u.mu.Unlock()
	if now != old && u.o.OnChange != nil {
		u.o.OnChange(now)
	}
}

var errLost = errors.New("connection lost")
