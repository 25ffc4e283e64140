// Package uplink drains a queue to the far end over MQTT, for as long as it
// runs, whatever happens to the link.
//
// It sends events in order, keeps at most a window of them without the
// broker's PUBACK, and believes only the far end's own acknowledgement: a
// PUBACK moves the window and nothing else. What stays unacknowledged after a
// reconnection or a time-out is sent again from the watermark on, the same
// bytes (go back N); the far end removes duplicates. Each connection is a new
// one and begins with a window of one that doubles (slow start). There may be
// several brokers, in order of preference.
//
// An event that no broker will carry is replaced on the wire by a tombstone, so
// that it neither blocks those behind it nor breaks the chain. Nothing is ever
// left out because a link is bad: see killer and swallowed.
//
// It knows nothing of what it carries: the caller gives the topics, a function
// that verifies an acknowledgement, one that makes a tombstone and one that
// says how things stand.
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
	DefaultWindow      = 256
	DefaultAckTimeout  = 30 * time.Second
	DefaultPreferEvery = 15 * time.Minute

	unconfirmedWindow = 4096             // events sent and not acknowledged
	maxAckTimeout     = 15 * time.Minute // the ack time-out doubles up to this
	pubackTimeout     = time.Minute      // without any PUBACK, while something is in flight
	stateEvery        = time.Minute
	acksKept          = 64
)

// pace is how fast an uplink tries again. Only tests change it.
type pace struct {
	backoffMin, backoffMax time.Duration // between rounds, with full jitter
	dwellMin, dwellMax     time.Duration // a link that is to be trusted
}

var usual = pace{backoffMin: time.Second, backoffMax: time.Minute, dwellMin: time.Second / 2, dwellMax: 2 * time.Second}

// Outbox is the queue as uplink uses it; queue/sqlite.Queue is one.
type Outbox interface {
	Lease(ctx context.Context, max int) ([]queue.Event, error)
	Release()
	Acknowledge(context.Context, queue.Acknowledgement) error
	Acknowledged() uint64
	Wake() <-chan struct{}
	// Park notes durably why an event does not go over the wire: from then on
	// it is leased with that reason in Event.Parked.
	Park(ctx context.Context, sequence uint64, reason string) error
	// Parked gives those that are parked and whose bodies the far end lacks.
	Parked(context.Context) ([]queue.Event, error)
}

// Topics are the three topics of one sender.
type Topics struct{ Event, Ack, State string }

// Options of an Uplink.
type Options struct {
	// Connections give the settings of the brokers, the most preferred first.
	// Each is asked anew for every connection, so that renewed certificates
	// and passwords are picked up. Filters, Receive and Will are filled in by
	// the uplink.
	Connections []func() (mqtt.Options, error)
	// PreferEvery is how often it is looked, while connected to a less
	// preferred broker, whether a more preferred one is back; zero:
	// DefaultPreferEvery.
	PreferEvery time.Duration
	Topics      Topics
	// Verify checks an acknowledgement's signature and reads it.
	Verify func([]byte) (queue.Acknowledgement, error)
	// Foreign begins a new epoch, because the far end holds other events than
	// this queue at its positions. It is called at most once for the time of
	// an acknowledgement and must not call Take; nil: nothing is done about it.
	Foreign func(context.Context) error
	// Tombstone makes what is sent in the place of an event that is parked;
	// nil: every event is sent as it is, and none is parked.
	Tombstone func(queue.Event) ([]byte, error)
	// MaxMessage is the largest event that is sent, in bytes; zero: no bound.
	MaxMessage int
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
	Broker      int       // index in Options.Connections of the last that was connected
	LastError   string    // why there is no connection; "" when there is one that is not Failing
	Failing     bool      // connections are made, and lost before the far end confirms anything
	Unconfirmed bool      // the broker takes events, but the far end does not confirm them
	Pruned      bool      // the far end lacks events that are not here any more
	AckFault    string    // why the last acknowledgement was not believed; "" if it was
}

// Uplink drains one queue.
type Uplink struct {
	outbox Outbox
	o      Options
	nudge  chan struct{}
	taken  chan struct{} // an acknowledgement came another way
	fatal  chan error    // Take found the queue damaged
	again  chan struct{} // Retry was called
	pace   pace
	killer killer // only Run's goroutine touches it
	flaps  flaps  // only Run's goroutine touches it
	logged string // what the log last said is wrong; only Run's goroutine touches it

	ackMu     sync.Mutex // held while an acknowledgement is taken; guards those that follow
	ackTime   time.Time  // of the newest that was taken
	foreign   time.Time  // of the last for which a new epoch was to begin
	epochs    int        // new ones begun
	swallowed swallowed

	mu     sync.Mutex    // guards what follows
	owed   []queue.Event // parked ones that are to be sent once more
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
	if o.PreferEvery == 0 {
		o.PreferEvery = DefaultPreferEvery
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Uplink{
		outbox: outbox, o: o, nudge: make(chan struct{}, 1), taken: make(chan struct{}, 1), fatal: make(chan error, 1), again: make(chan struct{}, 1),
		pace: usual, status: Status{Since: time.Now()},
	}
}

// Status tells how the link is.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.status
}

// Nudge asks for the state to be published again soon.
func (u *Uplink) Nudge() { poke(u.nudge) }

// Run connects, drains and reconnects until ctx ends; then it returns nil. It
// ends with an error only when the queue is damaged (queue.ErrDamaged): what
// helps is to open it anew.
func (u *Uplink) Run(ctx context.Context) error {
	defer u.change(func(s *Status) { s.Connected = false })
	wait := u.pace.backoffMin
	for ctx.Err() == nil {
		served, err := u.round(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, queue.ErrDamaged):
			return err
		case errors.Is(err, errPreferred):
			wait = u.pace.backoffMin
			continue
		case served:
			wait = u.pace.backoffMin
		}
		timer := time.NewTimer(rand.N(wait))
		select {
		case <-timer.C:
		case err = <-u.fatal:
		case <-u.again:
			wait = u.pace.backoffMin
		case <-ctx.Done():
		}
		timer.Stop()
		if errors.Is(err, queue.ErrDamaged) {
			return err
		}
		wait = min(2*wait, u.pace.backoffMax)
	}
	return nil
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

// poke makes one who waits on the channel look, now or as soon as he can.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
