// Package counter is the work of one counter: a scan comes in, is judged, and
// becomes an inspection; the officer decides, and it becomes a crossing or
// ends without one.
//
// It promises: an inspection and its verdict are durable before anybody sees
// the verdict; a crossing is durable before the page says that it is recorded;
// every inspection that was opened is ended by exactly one event, at the
// latest when the agent starts again; a decision names the inspection it is
// for, so that a late key never meets another traveller. Nothing here waits
// for the network.
//
// The document being inspected is in memory only until the decision. What
// stays is a note beside each event that names no traveller.
package counter

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/journey"
	"lintas/agent/placement"
	"lintas/agent/rule"
	"lintas/agent/verdict"
	"lintas/devices"
	"lintas/mrz"
	"lintas/queue"
)

// What Decide can answer besides "cannot record".
var (
	ErrDecided   = errors.New("this inspection is already decided")
	ErrDirection = errors.New("departure or return must be chosen first")
	ErrDecision  = errors.New("no such decision")
	ErrReading   = errors.New("there is no doubtful reading to confirm")
)

// Confirm says who ends an inspection that nothing speaks against.
type Confirm string

// An officer decides everything, or the agent records clear and none itself.
const (
	ByOfficer Confirm = "officer"
	Auto      Confirm = "auto"
)

const (
	reopenWithin = 60 * time.Second // a second swipe of the same open document
	historyShown = 50
	historyRead  = 5000 // events that are read back at start
	gapsKept     = 5000
	tick         = time.Second
)

// Recorder makes a record durable.
type Recorder interface {
	Record(context.Context, uuid.UUID, crossing.Type, crossing.Record, []byte) (queue.Receipt, error)
}

// List looks documents up. placement.ErrNoList: there is none to look in.
type List interface {
	Find(context.Context, mrz.Document) (placement.Found, error)
}

// Queue is what the counter asks the queue itself. Find answers
// queue.ErrNotFound for an event that was not stored.
type Queue interface {
	Acknowledged() uint64
	Find(context.Context, queue.ID) (queue.Event, error)
	Probe(context.Context) error
}

// Options of a Counter.
type Options struct {
	ID           string
	Place        crossing.Place
	Direction    verdict.Direction // empty: chosen for each traveller
	Confirm      Confirm
	AbandonAfter time.Duration // open inspections end after this
	RepeatAfter  time.Duration // the window of Q02
	Drill        bool
	Recorder     Recorder
	List         List
	Queue        Queue
	Health       *health.Board
	Rules        func() *rule.Set // of the list in use; nil: none
	Clock        func() string    // state of the clock: ntp, holdover, unknown; nil: ntp
	// ShiftKey keys the tags by which a document is recognised again; it dies
	// with the shift, see NewShift.
	ShiftKey []byte
	// Signal lets a scanner, named as in the configuration, say how a reading
	// went. It must not wait. Nil: none does.
	Signal func(scanner string, s devices.Signal)
	Logger *slog.Logger
}

// Counter is one counter at work. Its methods may be used from many
// goroutines.
type Counter struct {
	o Options

	// work is held while an event is written, so that events of one inspection
	// never overtake each other. It is taken before mu.
	work sync.Mutex

	mu        sync.Mutex // guards what follows
	shiftKey  []byte
	direction verdict.Direction
	open      []*inspection // the first is in front of the officer
	left      []*inspection // to be abandoned: open when an earlier run ended, or perhaps opened by a write that failed
	history   []Line        // newest last
	crossed   map[string]time.Time
	ways      map[string]verdict.Direction // in which a document crossed last, in this shift
	gaps      []time.Time                  // crossings after one that is not on record, oldest first
	company   []seen                       // travellers of the last minutes, for the rules
	referred  []Line                       // wait for an outcome, newest last
	outcomes  map[string]outcomeAttempt    // by inspection: what may have been stored
	tally     rule.Tally
	failed    []string // rules that could not be evaluated
	off       []string // rules that the board shows as off
	journey   journey.Journey
	pass      *waitingPass // of the traveller whose document comes next
	notice    *Notice
	fault     string
	closing   bool

	journeySince time.Time
	rulesVersion int64

	changed chan struct{}
}

// inspection is an open inspection.
type inspection struct {
	Inspection
	tag       string
	lines     []string
	opened    queue.Receipt
	record    crossing.Opened
	judged    verdict.Case // what the verdict was made from
	confirmed bool         // the officer has compared a doubtful reading
	direction verdict.Direction
	said      bool // the officer said something that was judged
	company   seen
	fromPass  bool     // the journey is that of a boarding pass
	note      Note     // of one that is left to be abandoned
	leftBy    string   // why: "restart" or "fault"
	doubtful  bool     // it is not known whether it was opened
	auto      bool     // to be recorded without an officer
	attempt   *attempt // to end it, with an unknown outcome
}

// attempt is an event that may have been stored although its writing failed.
type attempt struct {
	id   uuid.UUID
	line Line
}

// New makes a counter that has no history; Restore gives it one.
func New(o Options) *Counter {
	return &Counter{o: o, shiftKey: o.ShiftKey, direction: o.Direction, crossed: map[string]time.Time{},
		ways: map[string]verdict.Direction{}, outcomes: map[string]outcomeAttempt{}, tally: rule.Tally{}, changed: make(chan struct{})}
}

// NewShift forgets which documents have crossed and recognises those to come
// under another key.
func (c *Counter) NewShift(key []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shiftKey, c.crossed, c.ways, c.company = key, map[string]time.Time{}, map[string]verdict.Direction{}, nil
}

// Run takes scans until ctx ends. progress, if not nil, is called whenever the
// loop goes round.
func (c *Counter) Run(ctx context.Context, scans <-chan devices.Scan, progress func()) error {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		if progress != nil {
			progress()
		}
		select {
		case <-ctx.Done():
			return nil
		case s := <-scans:
			c.Scan(s)
		case <-t.C:
			c.tick()
		}
	}
}

// tick ends what nobody decided, and tries whether a queue that could not be
// written can be written again.
func (c *Counter) tick() {
	c.mu.Lock()
	broken := c.fault != ""
	c.mu.Unlock()
	if broken {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if c.o.Queue.Probe(ctx) != nil {
			return
		}
		c.recovered()
	}
	c.work.Lock()
	defer c.work.Unlock()
	c.endLeft()
	for _, in := range c.openNow() {
		switch {
		case time.Since(in.At) > c.o.AbandonAfter:
			c.abandon(in, "timeout")
		case in.auto:
			c.endAuto(in)
		}
	}
}

func (c *Counter) openNow() []*inspection {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]*inspection(nil), c.open...)
}

// Drain takes no more scans, gives the officer until ctx ends to decide what
// is open, and ends the rest.
func (c *Counter) Drain(ctx context.Context) {
	c.mu.Lock()
	c.closing = true
	c.mu.Unlock()
	c.work.Lock() // a scan that was being judged is open from here on
	//lint:ignore SA2001 only to wait for it
	c.work.Unlock()
	for {
		c.mu.Lock()
		left, changed := len(c.open), c.changed
		c.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			c.work.Lock()
			defer c.work.Unlock()
			for _, in := range c.openNow() {
				c.abandon(in, "shutdown")
			}
			return
		}
	}
}

// Changed is closed at the next change of View. Take it before looking.
func (c *Counter) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Refresh tells those who look that something outside changed, such as what
// the hub confirmed.
func (c *Counter) Refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rouse()
}

func (c *Counter) rouse() { // c.mu is held
	close(c.changed)
	c.changed = make(chan struct{})
}

// Fail shows that nothing can be recorded, until a write succeeds again.
func (c *Counter) Fail(err error) {
	c.o.Logger.Error("cannot record", "error", err)
	c.o.Health.Set(health.CannotRecord, "", true, err.Error())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = err.Error()
	c.rouse()
}

func (c *Counter) recovered() {
	c.o.Health.Set(health.CannotRecord, "", false, "")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fault != "" {
		c.o.Logger.Info("recording again")
		c.fault = ""
		c.rouse()
	}
}
