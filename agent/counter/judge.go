package counter

import (
	"context"
	"slices"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/placement"
	"lintas/agent/rule"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// judge fills an inspection with its verdict and what belongs to it. c.mu is
// held if anybody can see the inspection.
func (in *inspection) judge() {
	v := verdict.Judge(in.judged)
	in.Verdict, in.Record, in.Contact = v, placementOf(in.judged.Found, v), contactOf(in.judged.Found, v)
	in.record.Finding = findingOf(v)
	in.Journey = in.journeyOf()
}

// facts adds to a case what this counter knows by itself. c.mu is held.
func (c *Counter) facts(k *verdict.Case, tag string) (self seen) {
	last, before := c.crossed[tag]
	k.Repeated = before && tag != "" && time.Since(last) < c.o.RepeatAfter
	if !k.Repeated && tag != "" {
		k.LastWay = c.ways[tag]
	}
	self = seen{at: time.Now(), tag: tag, flight: k.Journey.Name()}
	if !k.Document.Valid || !leaving(k.Direction) {
		self.flight = "" // is no part of a group that leaves
	}
	f := k.Found
	self.unlisted = f.ListPresent && !f.Listed && !f.OtherPaper && len(f.Negatives) == 0
	self.near, _, _ = c.neighbourhood(k.Document)
	k.Counts = c.counts(k.Document, self)
	return self
}

// rules gives the rules of the list and those that are off: they have been
// wrong too often, or could not be evaluated. The board says which. c.mu is
// held.
func (c *Counter) rules() (set *rule.Set, off []string) {
	if c.o.Rules == nil {
		return nil, nil
	}
	set = c.o.Rules()
	if version := set.Pack().Version; version != c.rulesVersion {
		c.rulesVersion, c.failed = version, nil // another pack, another chance
	}
	imprecise := set.Imprecise(c.tally)
	off = append(append(off, imprecise...), c.failed...)
	for _, id := range c.off {
		if !slices.Contains(off, id) {
			c.o.Health.Set(health.RuleOff, id, false, "")
		}
	}
	for _, id := range off {
		why := "could not be evaluated"
		if slices.Contains(imprecise, id) {
			why = "found too little in secondary inspection"
		}
		c.o.Health.Set(health.RuleOff, id, true, why)
	}
	c.off = off
	return set, off
}

// broke turns rules off that could not be evaluated.
func (c *Counter) broke(ids []string) {
	if len(ids) == 0 {
		return
	}
	c.o.Logger.Error("rules could not be evaluated and are off", "rules", ids)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if !slices.Contains(c.failed, id) {
			c.failed = append(c.failed, id)
		}
	}
	c.rules() // says so on the board
}

// Statement is what the officer was told about the traveller in front of him;
// it takes the place of what was said before.
type Statement struct {
	Inspection   string
	Purpose      verdict.Purpose
	ReturnReason verdict.ReturnReason
}

// State takes what the officer was told and judges anew. Nothing is looked up
// again; it is recorded with the decision.
func (c *Counter) State(_ context.Context, s Statement) error {
	if !s.Purpose.Valid() || !s.ReturnReason.Valid() {
		return ErrDecision
	}
	c.work.Lock()
	defer c.work.Unlock()
	var in *inspection
	c.show(func() {
		i := slices.IndexFunc(c.open, func(in *inspection) bool { return in.ID == s.Inspection })
		if i < 0 {
			return
		}
		in = c.open[i]
		in.Purpose, in.ReturnReason = s.Purpose, s.ReturnReason
		in.judged.Purpose = s.Purpose
		in.said = true
		in.judge()
	})
	if in == nil {
		return ErrDecided
	}
	c.broke(in.Verdict.Failed)
	return nil
}

// toward judges an inspection anew whose direction was chosen with the
// decision: nobody is faulted for what matters in the other one.
// c.mu is held.
func (in *inspection) toward(d verdict.Direction) {
	if in.direction == "" && d != "" && in.judged.Direction != d {
		in.judged.Direction, in.said = d, true
		in.judge()
	}
}

// final is the finding to record where the officer's word changed it, else nil:
// then the one that the inspection was opened with stands.
func (in *inspection) final() *crossing.Finding {
	if !in.said {
		return nil
	}
	return &in.record.Finding
}

// saidFor is what to record of what the officer was told, in a direction.
func (in *inspection) saidFor(d verdict.Direction, seen []string) crossing.Said {
	s := crossing.Said{DocsSeen: seen}
	if d != verdict.Return {
		s.Purpose = string(in.Purpose)
	}
	if d != verdict.Departure {
		s.ReturnReason = string(in.ReturnReason)
	}
	return s
}

func findingOf(v verdict.Verdict) crossing.Finding {
	seconds := func(d time.Duration) int64 { return max(0, int64(d.Seconds())) }
	f := crossing.Finding{
		Verdict: string(v.Code), Reasons: v.Codes(), ListVersion: v.ListVersion, ListAge: seconds(v.ListAge),
		RulesVersion: v.RulesVersion, RulesAge: seconds(v.RulesAge), RulesFired: v.Fired(), RulesShadow: v.Shadow, Guessed: v.Guessed,
	}
	if v.Record != nil {
		f.PlacementID, f.PlacementRev = v.Record.PlacementID, v.Record.Rev
	}
	return f
}

func placementOf(found placement.Found, v verdict.Verdict) *Placement {
	r := v.Record
	if r == nil {
		return nil
	}
	p := &Placement{ID: r.PlacementID, Destination: r.Destination, Agency: r.AgencyID, Status: string(r.Status)}
	if a, ok := found.Agencies[r.AgencyID]; ok {
		p.Agency = a.Name
	}
	until := r.ContractUntil
	if !r.VisaUntil.IsZero() && (until.IsZero() || r.VisaUntil.Before(until)) {
		until = r.VisaUntil
	}
	p.Until = until.String()
	return p
}

// contactOf gives whom to call about a negative entry that still holds.
func contactOf(found placement.Found, v verdict.Verdict) string {
	if v.Code != verdict.Stop {
		return ""
	}
	today := mrz.DateOf(time.Now())
	for _, n := range found.Negatives {
		if !n.Until.Before(today) {
			return n.Contact
		}
	}
	return ""
}
