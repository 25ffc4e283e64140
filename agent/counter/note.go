package counter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/journey"
	"lintas/agent/verdict"
	"lintas/queue"
)

// Note is what stays on this machine beside a sealed event, which cannot be
// read here again. It names no traveller.
type Note struct {
	Type       crossing.Type     `json:"type"`
	Inspection string            `json:"inspection_id,omitempty"`
	Document   string            `json:"document,omitempty"` // masked
	Tag        string            `json:"tag,omitempty"`      // under the key of the shift
	Verdict    verdict.Code      `json:"verdict,omitempty"`
	Reasons    []string          `json:"reasons,omitempty"`
	Decision   verdict.Decision  `json:"decision,omitempty"`
	DecidedBy  string            `json:"decided_by,omitempty"`
	Direction  verdict.Direction `json:"direction,omitempty"`
	Shadow     []string          `json:"shadow,omitempty"`   // rules that held in the shadow
	Flight     string            `json:"flight,omitempty"`   // what the rules count
	Unlisted   bool              `json:"unlisted,omitempty"` // not on the list
	Near       near              `json:"near,omitzero"`      // where the number lies
	Outcome    string            `json:"outcome,omitempty"`  // of a secondary.outcome
	Journey    string            `json:"journey,omitempty"`  // of a config.changed
}

// NoteOf gives the note of an event that belongs to no inspection.
func NoteOf(t crossing.Type) []byte {
	b, err := json.Marshal(Note{Type: t})
	if err != nil {
		panic(err) // only strings
	}
	return b
}

// ReadNote reads a note that was stored with an event.
func ReadNote(b []byte) (n Note, err error) {
	if err := json.Unmarshal(b, &n); err != nil {
		return n, fmt.Errorf("cannot read note: %w", err)
	}
	return n, nil
}

func noteOf(t crossing.Type, l Line, tag string, s seen) Note {
	n := Note{
		Type: t, Inspection: l.ID, Document: l.Document, Tag: tag, Verdict: l.Verdict, Reasons: l.Reasons,
		Decision: l.Decision, DecidedBy: l.DecidedBy, Direction: l.Direction, Shadow: l.Shadow,
	}
	if s.flight != "" {
		n.Flight, n.Unlisted, n.Near = s.flight, s.unlisted, s.near
	}
	return n
}

// Events reads stored events back, oldest first.
type Events interface {
	Head() queue.Head
	Events(ctx context.Context, from uint64) iter.Seq2[queue.Event, error]
}

// Restore rebuilds the history from the notes and ends the inspections that
// were open when the agent last ended.
func (c *Counter) Restore(ctx context.Context, events Events) error {
	from := uint64(1)
	if head := events.Head(); head.Sequence > historyRead {
		from = head.Sequence - historyRead
	}
	type opened struct {
		note  Note
		event queue.Event
	}
	left := map[string]opened{}
	var order []string
	unreadable := 0
	for e, err := range events.Events(ctx, from) {
		if err != nil {
			return fmt.Errorf("cannot read back the history: %w", err)
		}
		n, err := ReadNote(e.Note)
		if err != nil {
			unreadable++
			continue
		}
		switch n.Type {
		case crossing.InspectionOpened:
			e.Sealed = nil
			left[n.Inspection] = opened{n, e}
			order = append(order, n.Inspection)
			c.show(func() { c.join(n.companion(e.At)) })
		case crossing.Departure, crossing.Return, crossing.InspectionAbandoned:
			began := left[n.Inspection].event.At
			c.show(func() { c.join(n.companion(e.At)) })
			delete(left, n.Inspection)
			c.show(func() { c.remember(n.line(began, e), n.Tag, e.At) })
		case crossing.SecondaryOutcome:
			c.settle(Line{ID: n.Inspection, Reasons: n.Reasons, Shadow: n.Shadow}, n.Outcome)
		case crossing.ConfigChanged:
			if j, err := journey.Parse(n.Journey); err == nil {
				c.show(func() { c.journey, c.journeySince = j, e.At })
			}
		}
	}
	if unreadable > 0 {
		c.o.Logger.Warn("notes of past events cannot be read: they are missing in the history", "count", unreadable)
	}
	c.work.Lock()
	defer c.work.Unlock()
	for _, id := range order {
		o, isOpen := left[id]
		if !isOpen {
			continue
		}
		in := &inspection{tag: o.note.Tag, opened: o.event.Receipt, direction: o.note.Direction, note: o.note, leftBy: "restart"}
		in.ID, in.At = id, o.event.At
		c.show(func() { c.left = append(c.left, in) })
	}
	c.endLeft()
	return nil
}

// endLeft ends what an earlier run or a failed write left open; what cannot be
// written now is tried again with the next tick. c.work is held.
func (c *Counter) endLeft() {
	c.mu.Lock()
	left := append([]*inspection(nil), c.left...)
	c.mu.Unlock()
	for _, in := range left {
		if in.doubtful {
			switch e, err := c.o.Queue.Find(context.Background(), queue.ID(uuid.MustParse(in.ID))); {
			case errors.Is(err, queue.ErrNotFound):
				c.show(func() { c.left = slices.DeleteFunc(c.left, func(o *inspection) bool { return o == in }) })
				continue
			case err != nil:
				return // with the next tick
			default:
				in.opened, in.doubtful = e.Receipt, false
			}
		}
		line := in.note.line(in.At, queue.Event{Receipt: in.opened})
		line.DecidedBy = "agent"
		rec := &crossing.Abandoned{Place: c.o.Place, Decided: in.decided("", "agent"), Reason: in.leftBy}
		if err := c.finish(in, crossing.InspectionAbandoned, rec, line); err != nil && !errors.Is(err, ErrDecided) {
			c.Fail(err)
			return
		}
	}
}

func (n Note) line(began time.Time, e queue.Event) Line {
	if began.IsZero() {
		began = e.At
	}
	return Line{
		ID: n.Inspection, At: began, Document: n.Document, Verdict: n.Verdict, Reasons: n.Reasons,
		Decision: n.Decision, DecidedBy: n.DecidedBy, Direction: n.Direction, Shadow: n.Shadow,
		Crossing: n.Type == crossing.Departure || n.Type == crossing.Return, Sequence: e.Sequence,
	}
}

// View gives a snapshot for the page.
func (c *Counter) View() View {
	acked := c.o.Queue.Acknowledged()
	c.mu.Lock()
	defer c.mu.Unlock()
	v := View{
		Counter: c.o.ID, Site: c.o.Place.Site, Terminal: c.o.Place.Terminal, Lane: c.o.Place.Lane,
		Direction: c.direction, DirectionFixed: c.o.Direction != "", Confirm: string(c.o.Confirm), Drill: c.o.Drill, Fault: c.fault,
	}
	if j := c.journeyNow(); !j.IsZero() {
		v.Journey, v.JourneySince = j, c.journeySince
	}
	v.Referred = append(v.Referred, c.referred...)
	slices.Reverse(v.Referred)
	if c.notice != nil {
		n := *c.notice
		v.Notice = &n
	}
	for i, in := range c.open {
		if i == 0 {
			shown := in.Inspection
			v.Current = &shown
			continue
		}
		v.Waiting = append(v.Waiting, c.line(in))
	}
	for i := len(c.history) - 1; i >= 0; i-- {
		l := c.history[i]
		l.Confirmed = l.Sequence <= acked
		v.History = append(v.History, l)
	}
	return v
}
