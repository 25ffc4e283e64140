package counter

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/journey"
	"lintas/devices"
	"lintas/mrz"
)

// journeyFor is how long a journey that was chosen for the shift holds: the
// flight of the hour is boarded by then, and the next one goes elsewhere.
const journeyFor = 4 * time.Hour

// SetJourney chooses the journey of the travellers to come, in the words that
// journey.Parse reads; an empty text takes it away. When it returns nil, the
// choice is durable.
func (c *Counter) SetJourney(ctx context.Context, text string) error {
	j, err := journey.Parse(text)
	if err != nil {
		return err
	}
	c.work.Lock()
	defer c.work.Unlock()
	note, err := json.Marshal(Note{Type: crossing.ConfigChanged, Journey: j.String()})
	if err != nil {
		return err
	}
	rec := &crossing.Changed{Place: c.o.Place, Setting: "journey", Value: j.String()}
	receipt, err := c.o.Recorder.Record(context.WithoutCancel(ctx), crossing.NewID(), crossing.ConfigChanged, rec, note)
	if err != nil {
		c.Fail(err)
		return err
	}
	c.recovered()
	c.show(func() { c.journey, c.journeySince = j, receipt.At })
	return nil
}

// journeyNow is the shift's journey, if it still holds. c.mu is held.
func (c *Counter) journeyNow() journey.Journey {
	if age := time.Since(c.journeySince); age > journeyFor || age < -journeyFor {
		return journey.Journey{}
	}
	return c.journey
}

// passWithin is how long a boarding pass and a document belong to the same
// traveller, whichever was read first.
const passWithin = 3 * time.Minute

// waitingPass is a boarding pass whose traveller's document has not been read.
type waitingPass struct {
	journey journey.Journey
	at      time.Time
}

// setAside takes a boarding pass: of the traveller at the counter, if that one
// has none yet, or else of the next one. The traveller at the counter is judged
// anew with it. c.work is held.
func (c *Counter) setAside(p *devices.BoardingPass) {
	j := JourneyOf(p, time.Now())
	if j.IsZero() {
		return
	}
	var failed []string
	c.show(func() {
		if len(c.open) == 0 || c.open[0].fromPass || time.Since(c.open[0].At) >= passWithin {
			c.pass = &waitingPass{j, time.Now()}
			return
		}
		in := c.open[0]
		in.judged.Journey, in.fromPass, in.said = j, true, true
		in.company = c.facts(&in.judged, in.tag)
		c.join(in.company)
		in.judge()
		failed = in.Verdict.Failed
	})
	c.broke(failed)
}

// takeJourney gives the journey of the traveller whose document has just come:
// that of the pass that was read before it, once, else the shift's. c.mu is
// held.
func (c *Counter) takeJourney() (j journey.Journey, fromPass bool) {
	p := c.pass
	c.pass = nil
	if p != nil && time.Since(p.at) < passWithin {
		return p.journey, true
	}
	return c.journeyNow(), false
}

// journeyOf is the record's form; nil if nothing is known.
func (in *inspection) journeyOf() *crossing.Journey {
	j := in.judged.Journey
	if j.IsZero() {
		return nil
	}
	r := &crossing.Journey{Flight: j.Carrier + j.Flight, From: j.From, To: j.To, Via: j.Via, Vessel: j.Vessel}
	if !in.fromPass {
		r.Source = "setting"
	}
	return r
}

// JourneyOf is where a boarding pass leads: by the flight of today, or the first
// if none is, to the end of the last.
func JourneyOf(p *devices.BoardingPass, now time.Time) (j journey.Journey) {
	if p == nil || len(p.Legs) == 0 {
		return j
	}
	i := max(0, slices.IndexFunc(p.Legs, func(l devices.Leg) bool { return l.Day == now.YearDay() }))
	next, last := p.Legs[i], p.Legs[len(p.Legs)-1]
	j = journey.Journey{Carrier: next.Carrier, Flight: next.Flight, From: next.From, To: last.To}
	for _, l := range p.Legs[i : len(p.Legs)-1] {
		j.Via = append(j.Via, l.To)
	}
	return j
}

// answer lets the scanner say how the reading went. It does not say what the
// verdict is: others stand near.
func (c *Counter) answer(s devices.Scan) {
	if c.o.Signal == nil {
		return
	}
	signal := devices.Bad
	switch {
	case s.Status == devices.Barcode:
		signal = devices.Ignore
	case s.Status == devices.Pass, s.Status == devices.Complete && mrz.Read(s.Lines, mrz.DateOf(time.Now())).Valid:
		signal = devices.Good
	}
	c.o.Signal(s.Scanner, signal)
}
