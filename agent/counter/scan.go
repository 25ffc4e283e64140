package counter

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/agent/verdict"
	"lintas/devices"
	"lintas/mrz"
)

var noticeUnread = Notice{ID: "Dokumen tidak terbaca. Gesek sekali lagi.", EN: "The document was not read. Swipe again."}

// Scan takes one scan: parses, looks up, judges, records, shows.
func (c *Counter) Scan(s devices.Scan) {
	c.work.Lock()
	defer c.work.Unlock()
	defer c.answer(s)
	c.mu.Lock()
	closing, broken := c.closing, c.fault != ""
	c.mu.Unlock()
	if closing || broken && s.Page != nil { // a page comes again, when it can be recorded
		s.Settle(false)
		return
	}
	switch s.Status {
	case devices.Pass:
		c.setAside(s.Pass)
		return
	case devices.Barcode:
		return // says nothing about a traveller
	}
	doc, doubtful := s.Document(mrz.DateOf(time.Now()))
	if s.Status != devices.Complete || doc.Format == "" {
		c.show(func() { n := noticeOf(s); n.At = time.Now(); c.notice = &n })
		s.Settle(true)
		return
	}
	tag := c.tag(doc)
	if c.again(s.Lines) {
		s.Settle(true)
		return
	}
	in, err := c.openInspection(s, doc, doubtful, tag)
	s.Settle(err == nil)
	if err != nil {
		// It may have been stored all the same; then it must be ended.
		doubtful := &inspection{tag: in.tag, direction: in.direction, note: noteOf(crossing.InspectionOpened, c.line(in), in.tag, in.company), leftBy: "fault", doubtful: true}
		doubtful.ID, doubtful.At = in.ID, in.At
		c.show(func() { c.left = append(c.left, doubtful) })
		c.Fail(err)
		return
	}
	c.recovered()
	for _, old := range c.openNow() {
		// The same document, misread before: the officer swiped again.
		if old.unread() && alike(old.lines, s.Lines) {
			c.abandon(old, "superseded")
		}
	}
	in.auto = c.o.Confirm == Auto && in.direction != "" && (in.Verdict.Code == verdict.Clear || in.Verdict.Code == verdict.None)
	if in.auto && c.endAuto(in) {
		return
	}
	c.show(func() { c.notice, c.open = nil, append(c.open, in) })
}

// endAuto records the crossing of somebody whom no officer has to see.
func (c *Counter) endAuto(in *inspection) bool {
	c.show(func() { c.notice = nil })
	err := c.end(in, verdict.Proceed, in.direction, "auto", nil)
	if err != nil && !errors.Is(err, ErrDecided) {
		c.Fail(err)
		return false
	}
	return true
}

// openInspection judges the document and records the inspection. The verdict
// is shown to nobody before that.
func (c *Counter) openInspection(s devices.Scan, doc mrz.Document, doubtful bool, tag string) (*inspection, error) {
	ctx := context.Background() // what was begun is finished
	found, err := c.o.List.Find(ctx, doc)
	if err != nil && !errors.Is(err, placement.ErrNoList) {
		c.o.Logger.Warn("cannot look up", "error", err)
		found = placement.Found{Negatives: found.Negatives} // the rest is not to be trusted
	}
	asRead := doc
	doc, found, guesses := c.guess(ctx, doc, found)
	in := &inspection{
		Inspection: Inspection{ID: crossing.NewID().String(), At: time.Now(), Document: asRead, Guesses: guesses},
		tag:        tag, lines: s.Lines,
	}
	in.judged = verdict.Case{
		Document: doc, Doubtful: doubtful, EntryMode: string(s.Mode), Today: mrz.DateOf(time.Now()), Found: found, ListAge: time.Since(found.List.Time),
		Lot: 1 - rand.Float64(),
	}
	for _, g := range guesses {
		in.judged.Guessed = append(in.judged.Guessed, g.Field)
	}
	if c.o.Clock != nil {
		in.judged.ClockState = c.o.Clock()
	}
	c.mu.Lock()
	in.direction, in.Direction, in.judged.Direction = c.direction, c.direction, c.direction
	in.judged.Journey, in.fromPass = c.takeJourney()
	in.judged.Rules, in.judged.RulesOff = c.rules()
	in.judged.RulesAge = time.Since(in.judged.Rules.Pack().Time)
	in.company = c.facts(&in.judged, tag)
	c.mu.Unlock()
	in.record = crossing.Opened{
		Place: c.o.Place, Direction: string(in.direction), EntryMode: string(s.Mode), Scanner: s.Scanner,
		Document: crossing.DocumentOf(asRead), Lines: append([]string{}, s.Lines...), Journey: in.journeyOf(),
	}
	if s.Page != nil {
		in.Reading = &Reading{Confidence: s.Page.Confidence, Doubtful: doubtful, Strip: s.Page.Strip, Findings: s.Page.Findings}
		in.record.Confidence = &s.Page.Confidence
	}
	in.judge()
	c.broke(in.Verdict.Failed)
	in.record.LatencyMS = time.Since(s.Last).Milliseconds()
	in.opened, err = c.write(ctx, uuid.MustParse(in.ID), in, crossing.InspectionOpened, &in.record, c.line(in))
	if err == nil {
		c.show(func() { c.join(in.company) })
	}
	return in, err
}

// noticeOf says why a scan gave no inspection.
func noticeOf(s devices.Scan) Notice {
	if s.Page != nil {
		for _, f := range s.Page.Findings {
			if f.Severity == mrz.Error {
				return Notice{ID: f.ID, EN: f.EN}
			}
		}
	}
	return noticeUnread
}

// again shows an inspection that is open already when the very same lines are
// swiped a second time.
func (c *Counter) again(lines []string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.open, func(in *inspection) bool {
		return slices.Equal(in.lines, lines) && time.Since(in.At) < reopenWithin
	})
	if i < 0 {
		return false
	}
	in := c.open[i]
	c.open = slices.Insert(slices.Delete(c.open, i, i+1), 0, in)
	c.notice = nil
	c.rouse()
	return true
}

// tag recognises a document without naming it; "" for one without a number.
func (c *Counter) tag(doc mrz.Document) string {
	if doc.DocumentNumber == "" {
		return ""
	}
	c.mu.Lock()
	mac := hmac.New(sha256.New, c.shiftKey)
	c.mu.Unlock()
	mac.Write([]byte(doc.IssuingState + "\x1f" + doc.DocumentNumber))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

// unread tells that an inspection only says that the document was misread, or
// perhaps was.
func (in *inspection) unread() bool {
	first := in.Verdict.Reasons[0].Code
	return in.Verdict.Code == verdict.Unsure && (first == verdict.M01 || first == verdict.M03)
}

// alike tells whether two readings are of the same document: of the cells that
// say something, nine in ten agree. Those of two travellers do not.
func alike(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	same, all := 0, 0
	for i := range a {
		if len(a[i]) != len(b[i]) {
			return false
		}
		for j := range len(a[i]) {
			if a[i][j] == '<' && b[i][j] == '<' {
				continue
			}
			all++
			if a[i][j] == b[i][j] {
				same++
			}
		}
	}
	return all > 0 && 10*same >= 9*all
}

func (c *Counter) show(edit func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	edit()
	c.rouse()
}
