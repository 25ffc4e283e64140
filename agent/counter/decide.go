package counter

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/verdict"
	"lintas/queue"
)

// Decide ends an inspection as the officer chose. When it returns nil, the
// decision is durable.
func (c *Counter) Decide(_ context.Context, choice Choice) error {
	if !slices.Contains(verdict.Decisions(), choice.Decision) {
		return ErrDecision
	}
	c.work.Lock()
	defer c.work.Unlock()
	c.mu.Lock()
	i := slices.IndexFunc(c.open, func(in *inspection) bool { return in.ID == choice.Inspection })
	var in *inspection
	if i >= 0 {
		in = c.open[i]
	}
	c.mu.Unlock()
	if in == nil {
		return ErrDecided
	}
	direction := in.direction
	if direction == "" {
		direction = choice.Direction
	}
	if choice.Decision == verdict.Proceed && direction != verdict.Departure && direction != verdict.Return {
		return ErrDirection
	}
	if err := c.end(in, choice.Decision, direction, "officer"); err != nil {
		c.Fail(err)
		return err
	}
	c.recovered()
	return nil
}

// SetDirection chooses the direction of the travellers to come, where the
// counter has no fixed one.
func (c *Counter) SetDirection(_ context.Context, d verdict.Direction) error {
	if c.o.Direction != "" || d != "" && d != verdict.Departure && d != verdict.Return {
		return ErrDirection
	}
	c.show(func() { c.direction = d })
	return nil
}

// Dismiss takes the notice away.
func (c *Counter) Dismiss() { c.show(func() { c.notice = nil }) }

// end records what an inspection came to and takes it off the page.
// c.work is held.
func (c *Counter) end(in *inspection, d verdict.Decision, direction verdict.Direction, by string) error {
	decided := in.decided(d, by)
	line := c.line(in)
	line.Decision, line.DecidedBy, line.Direction = d, by, direction
	var rec crossing.Record
	var t crossing.Type
	if d == verdict.Proceed {
		t, line.Crossing = crossing.Departure, true
		if direction == verdict.Return {
			t = crossing.Return
		}
		rec = &crossing.Crossed{
			Place: c.o.Place, Direction: string(direction), EntryMode: in.record.EntryMode,
			Document: in.record.Document, Finding: in.record.Finding, Decided: decided,
		}
	} else {
		t = crossing.InspectionAbandoned
		rec = &crossing.Abandoned{Place: c.o.Place, Decided: decided, Reason: "decided"}
	}
	return c.finish(in, t, rec, line)
}

// abandon ends an inspection that nobody decided. If it cannot be recorded,
// the inspection stays open. c.work is held.
func (c *Counter) abandon(in *inspection, reason string) {
	line := c.line(in)
	line.DecidedBy = "agent"
	rec := &crossing.Abandoned{Place: c.o.Place, Decided: in.decided("", "agent"), Reason: reason}
	if err := c.finish(in, crossing.InspectionAbandoned, rec, line); err != nil {
		c.Fail(err)
	}
}

func (in *inspection) decided(d verdict.Decision, by string) crossing.Decided {
	return crossing.Decided{
		InspectionID: in.ID, InspectionHash: in.opened.Hash.String(),
		Decision: string(d), DecidedBy: by, DecisionMS: time.Since(in.At).Milliseconds(),
	}
}

func (c *Counter) finish(in *inspection, t crossing.Type, rec crossing.Record, line Line) error {
	receipt, err := c.write(context.Background(), in, t, rec, line)
	if err != nil {
		return err
	}
	line.Sequence = receipt.Sequence
	c.show(func() {
		c.open = slices.DeleteFunc(c.open, func(o *inspection) bool { return o.ID == in.ID })
		c.remember(line, in.tag, receipt.At)
	})
	return nil
}

// remember adds a line to the history. c.mu is held.
func (c *Counter) remember(line Line, tag string, at time.Time) {
	c.history = append(c.history, line)
	if extra := len(c.history) - historyShown; extra > 0 {
		c.history = slices.Delete(c.history, 0, extra)
	}
	if line.Crossing {
		c.crossed[tag] = at
	}
	for t, last := range c.crossed {
		if time.Since(last) > c.o.RepeatAfter {
			delete(c.crossed, t)
		}
	}
}

// write records an event of an inspection with its note.
func (c *Counter) write(ctx context.Context, in *inspection, t crossing.Type, rec crossing.Record, line Line) (queue.Receipt, error) {
	id := in.decision
	if t == crossing.InspectionOpened {
		id = uuid.MustParse(in.ID)
	}
	b, err := json.Marshal(noteOf(t, line, in.tag))
	if err != nil {
		return queue.Receipt{}, err
	}
	return c.o.Recorder.Record(ctx, id, t, rec, b)
}

func (c *Counter) line(in *inspection) Line {
	return Line{
		ID: in.ID, At: in.At, Document: mask(in.Document.DocumentNumber),
		Verdict: in.Verdict.Code, Reasons: in.Verdict.Codes(), Direction: in.direction,
	}
}

// mask shows so much of a document number that the officer knows which one is
// meant and nobody else does.
func mask(number string) string {
	r := []rune(number)
	switch {
	case len(r) >= 7:
		return string(r[:1]) + "•••" + string(r[len(r)-3:])
	case len(r) >= 3:
		return "•••" + string(r[len(r)-2:])
	}
	return "•••"
}
