package counter

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/verdict"
	"lintas/queue"
)

// referredKept bounds how many travellers who were referred wait for an
// outcome.
const referredKept = 20

// What a closer look came to.
const (
	Positive = "positive" // something was found
	Negative = "negative" // nothing was
)

// Outcome records what came of a traveller who was referred. Rules that asked
// for him in vain too often turn themselves off.
func (c *Counter) Outcome(ctx context.Context, inspection, outcome string) error {
	if outcome != Positive && outcome != Negative {
		return ErrDecision
	}
	c.work.Lock()
	defer c.work.Unlock()
	c.mu.Lock()
	i := slices.IndexFunc(c.referred, func(l Line) bool { return l.ID == inspection })
	var line Line
	if i >= 0 {
		line = c.referred[i]
	}
	attempt := c.outcomes[inspection]
	c.mu.Unlock()
	if i < 0 {
		return ErrDecided
	}
	ctx = context.WithoutCancel(ctx)
	if attempt.id != uuid.Nil { // perhaps it was stored all the same
		switch _, err := c.o.Queue.Find(ctx, queue.ID(attempt.id)); {
		case err == nil:
			c.settle(line, attempt.outcome)
			return ErrDecided
		case !errors.Is(err, queue.ErrNotFound):
			return err
		}
	}
	opened, err := uuid.Parse(inspection)
	if err != nil {
		return err
	}
	e, err := c.o.Queue.Find(ctx, queue.ID(opened))
	if err != nil {
		return err
	}
	note, err := json.Marshal(Note{Type: crossing.SecondaryOutcome, Inspection: inspection, Reasons: line.Reasons, Shadow: line.Shadow, Outcome: outcome})
	if err != nil {
		return err
	}
	rec := &crossing.Outcome{Place: c.o.Place, InspectionID: inspection, InspectionHash: e.Hash.String(), Outcome: outcome, Reasons: line.Reasons, RulesShadow: line.Shadow}
	attempt = outcomeAttempt{crossing.NewID(), outcome}
	c.show(func() { c.outcomes[inspection] = attempt })
	if _, err := c.o.Recorder.Record(ctx, attempt.id, crossing.SecondaryOutcome, rec, note); err != nil {
		c.Fail(err)
		return err
	}
	c.recovered()
	c.settle(line, outcome)
	return nil
}

// outcomeAttempt is an outcome that may have been stored although its writing
// failed.
type outcomeAttempt struct {
	id      uuid.UUID
	outcome string
}

// settle takes a traveller off the list of those who wait for an outcome and
// counts it for the rules.
func (c *Counter) settle(line Line, outcome string) {
	c.show(func() {
		c.referred = slices.DeleteFunc(c.referred, func(l Line) bool { return l.ID == line.ID })
		delete(c.outcomes, line.ID)
		c.count(line.Reasons, line.Shadow, outcome)
		c.rules()
	})
}

// count adds an outcome to the rules that held. c.mu is held.
func (c *Counter) count(reasons, shadow []string, outcome string) {
	ids := append([]string(nil), shadow...)
	for _, code := range reasons {
		if strings.HasPrefix(code, "R") {
			ids = append(ids, code)
		}
	}
	c.tally.Add(outcome == Positive, ids...)
}

// refer remembers somebody who was referred. c.mu is held.
func (c *Counter) refer(line Line) {
	if line.Decision != verdict.Refer {
		return
	}
	c.referred = append(c.referred, line)
	if extra := len(c.referred) - referredKept; extra > 0 {
		c.referred = slices.Delete(c.referred, 0, extra)
	}
}
