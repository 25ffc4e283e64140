package counter

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/verdict"
	"lintas/devices"
	"lintas/mrz"
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
	if direction == verdict.Return && choice.Decision == verdict.Postpone || !verdict.ValidDocuments(choice.Seen) {
		return ErrDecision
	}
	c.mu.Lock()
	in.toward(direction)
	c.mu.Unlock()
	err := c.end(in, choice.Decision, direction, "officer", choice.Seen)
	if err != nil && !errors.Is(err, ErrDecided) {
		c.Fail(err)
		return err
	}
	c.recovered()
	return err
}

// ConfirmReading notes that the officer has compared the doubtful characters of
// a picture with the document and found them right. The inspection is judged
// anew as if they had been read with certainty; nothing new is looked up, and the
// event that ends the inspection says what was confirmed. To confirm twice does
// nothing.
func (c *Counter) ConfirmReading(_ context.Context, id string) error {
	c.work.Lock()
	defer c.work.Unlock()
	open := c.openNow()
	i := slices.IndexFunc(open, func(in *inspection) bool { return in.ID == id })
	if i < 0 {
		return ErrDecided
	}
	in := open[i]
	switch {
	case in.confirmed:
		return nil
	case in.Reading == nil || !in.Reading.Doubtful:
		return ErrReading
	}
	sure := in.judged
	sure.Doubtful, sure.Document.Valid = false, true
	sure.Document.Findings = slices.DeleteFunc(slices.Clone(sure.Document.Findings), func(f mrz.Finding) bool { return f.Code == devices.CodeLowConfidence })
	reading := *in.Reading
	reading.Doubtful = false
	c.show(func() {
		in.confirmed, in.said, in.judged = true, true, sure
		in.Document, in.Reading, in.record.Document = sure.Document, &reading, crossing.DocumentOf(sure.Document)
		in.judge()
	})
	c.broke(in.Verdict.Failed)
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
func (c *Counter) end(in *inspection, d verdict.Decision, direction verdict.Direction, by string, seen []string) error {
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
			Document: in.record.Document, Journey: in.journeyOf(), Reading: in.record.Reading, Finding: in.record.Finding, Decided: decided, Said: in.saidFor(direction, seen),
		}
	} else {
		t = crossing.InspectionAbandoned
		rec = &crossing.Abandoned{Place: c.o.Place, Decided: decided, Reason: "decided", Said: in.saidFor(direction, seen), Finding: in.final()}
	}
	return c.finish(in, t, rec, line)
}

// abandon ends an inspection that nobody decided. If it cannot be recorded,
// the inspection stays open. c.work is held.
func (c *Counter) abandon(in *inspection, reason string) {
	line := c.line(in)
	line.DecidedBy = "agent"
	rec := &crossing.Abandoned{Place: c.o.Place, Decided: in.decided("", "agent"), Reason: reason, Said: in.saidFor(in.direction, nil), Finding: in.final()}
	if err := c.finish(in, crossing.InspectionAbandoned, rec, line); err != nil && !errors.Is(err, ErrDecided) {
		c.Fail(err)
	}
}

func (in *inspection) decided(d verdict.Decision, by string) crossing.Decided {
	return crossing.Decided{
		InspectionID: in.ID, InspectionHash: in.opened.Hash.String(),
		ReadingConfirmed: in.confirmed,
		Decision:         string(d), DecidedBy: by, DecisionMS: max(0, time.Since(in.At).Milliseconds()),
	}
}

// finish writes the event that ends an inspection. If an earlier attempt turns
// out to have been stored after all, that one stands, and the answer is
// ErrDecided. c.work is held.
func (c *Counter) finish(in *inspection, t crossing.Type, rec crossing.Record, line Line) error {
	ctx := context.Background() // what was begun is finished
	if in.attempt != nil {
		switch e, err := c.o.Queue.Find(ctx, queue.ID(in.attempt.id)); {
		case err == nil:
			c.close(in, in.attempt.line, e.Receipt)
			return ErrDecided
		case !errors.Is(err, queue.ErrNotFound):
			return err
		}
	}
	in.attempt = &attempt{id: crossing.NewID(), line: line}
	receipt, err := c.write(ctx, in.attempt.id, in, t, rec, line)
	if err != nil {
		return err
	}
	c.close(in, line, receipt)
	return nil
}

// close takes an inspection that has been ended off the page.
func (c *Counter) close(in *inspection, line Line, receipt queue.Receipt) {
	line.Sequence = receipt.Sequence
	c.show(func() {
		c.open = slices.DeleteFunc(c.open, func(o *inspection) bool { return o.ID == in.ID })
		c.left = slices.DeleteFunc(c.left, func(o *inspection) bool { return o.ID == in.ID })
		c.remember(line, in.tag, receipt.At)
	})
}

// remember adds a line to the history. c.mu is held.
func (c *Counter) remember(line Line, tag string, at time.Time) {
	c.history = append(c.history, line)
	if extra := len(c.history) - historyShown; extra > 0 {
		c.history = slices.Delete(c.history, 0, extra)
	}
	if line.Crossing && tag != "" {
		c.crossed[tag], c.ways[tag] = at, line.Direction
	}
	if line.Crossing && slices.Contains(line.Reasons, string(verdict.Q01)) {
		c.gaps = append(c.gaps, at)
		c.gaps = c.gaps[max(0, len(c.gaps)-gapsKept):]
	}
	c.refer(line)
	for t, last := range c.crossed {
		if time.Since(last) > c.o.RepeatAfter {
			delete(c.crossed, t)
		}
	}
}

// Gaps is how many crossings of the last 24 hours, of those that the counter
// remembers, followed one that is not on record (Q01).
func (c *Counter) Gaps() (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range c.gaps {
		if time.Since(at) < 24*time.Hour {
			n++
		}
	}
	return n
}

// write records an event of an inspection with its note.
func (c *Counter) write(ctx context.Context, id uuid.UUID, in *inspection, t crossing.Type, rec crossing.Record, line Line) (queue.Receipt, error) {
	b, err := json.Marshal(noteOf(t, line, in.tag, in.company))
	if err != nil {
		return queue.Receipt{}, err
	}
	return c.o.Recorder.Record(ctx, id, t, rec, b)
}

func (c *Counter) line(in *inspection) Line {
	return Line{
		ID: in.ID, At: in.At, Document: mask(in.Document.DocumentNumber),
		Verdict: in.Verdict.Code, Reasons: in.Verdict.Codes(), Shadow: in.Verdict.Shadow, Direction: in.direction,
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
