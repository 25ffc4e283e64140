package counter

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"

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
	c.mu.Lock()
	closing := c.closing
	c.mu.Unlock()
	if closing {
		return
	}
	doc := mrz.Parse(s.Lines, mrz.DateOf(time.Now()))
	if s.Status != devices.Complete || doc.Format == "" {
		c.show(func() { n := noticeUnread; n.At = time.Now(); c.notice = &n })
		return
	}
	tag := c.tag(doc)
	if c.again(tag) {
		return
	}
	in, err := c.openInspection(s, doc, tag)
	if err != nil {
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
	if c.o.Confirm == Auto && in.direction != "" && (in.Verdict.Code == verdict.Clear || in.Verdict.Code == verdict.None) {
		if err := c.end(in, verdict.Proceed, in.direction, "auto"); err != nil {
			c.show(func() { c.open = append(c.open, in) })
			c.Fail(err)
		}
		return
	}
	c.show(func() { c.notice, c.open = nil, append(c.open, in) })
}

// openInspection judges the document and records the inspection. The verdict
// is shown to nobody before that.
func (c *Counter) openInspection(s devices.Scan, doc mrz.Document, tag string) (*inspection, error) {
	ctx := context.Background() // what was begun is finished
	found, err := c.o.List.Find(ctx, doc)
	if err != nil && !errors.Is(err, placement.ErrNoList) {
		c.o.Logger.Warn("cannot look up", "error", err)
		found = placement.Found{}
	}
	c.mu.Lock()
	direction := c.direction
	last, seen := c.crossed[tag]
	c.mu.Unlock()
	v := verdict.Judge(verdict.Case{
		Document: doc, Today: mrz.DateOf(time.Now()), Direction: direction, Found: found,
		ListAge: time.Since(found.List.Time), Repeated: seen && time.Since(last) < c.o.RepeatAfter,
	})
	in := &inspection{
		Inspection: Inspection{
			ID: crossing.NewID().String(), At: time.Now(), Verdict: v, Document: doc, Direction: direction,
			Record: placementOf(found), Contact: contactOf(found, v),
		},
		tag: tag, lines: s.Lines, direction: direction, decision: crossing.NewID(),
	}
	in.record = crossing.Opened{
		Place: c.o.Place, Direction: string(direction), EntryMode: "scan", Scanner: s.Scanner,
		Document: crossing.DocumentOf(doc), Lines: append([]string{}, s.Lines...),
		Finding: findingOf(v, found), LatencyMS: time.Since(s.Last).Milliseconds(),
	}
	in.opened, err = c.write(ctx, in, crossing.InspectionOpened, &in.record, c.line(in))
	return in, err
}

func findingOf(v verdict.Verdict, found placement.Found) crossing.Finding {
	f := crossing.Finding{Verdict: string(v.Code), Reasons: v.Codes()}
	if found.ListPresent {
		f.ListVersion, f.ListAge = found.List.Version, int64(time.Since(found.List.Time).Seconds())
	}
	if len(found.Records) > 0 {
		f.PlacementID, f.PlacementRev = found.Records[0].PlacementID, found.Records[0].Rev
	}
	return f
}

func placementOf(found placement.Found) *Placement {
	if len(found.Records) == 0 {
		return nil
	}
	r := found.Records[0]
	p := &Placement{ID: r.PlacementID, Destination: r.Destination, Agency: r.AgencyID, Status: string(r.Status)}
	if found.Agency != nil {
		p.Agency = found.Agency.Name
	}
	until := r.ContractUntil
	if !r.VisaUntil.IsZero() && (until.IsZero() || r.VisaUntil.Before(until)) {
		until = r.VisaUntil
	}
	p.Until = until.String()
	return p
}

func contactOf(found placement.Found, v verdict.Verdict) string {
	negative := func(r verdict.Reason) bool { return r.Code == verdict.X02 || r.Code == verdict.X03 }
	if len(found.Negatives) == 0 || !slices.ContainsFunc(v.Reasons, negative) {
		return ""
	}
	return found.Negatives[0].Contact
}

// again shows an inspection that is open already when its document is swiped
// a second time.
func (c *Counter) again(tag string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.open, func(in *inspection) bool {
		return in.tag == tag && !in.unread() && time.Since(in.At) < reopenWithin
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

// tag recognises a document without naming it.
func (c *Counter) tag(doc mrz.Document) string {
	mac := hmac.New(sha256.New, c.o.ShiftKey)
	mac.Write([]byte(doc.IssuingState + "\x1f" + doc.DocumentNumber))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

func (in *inspection) unread() bool {
	return slices.ContainsFunc(in.Verdict.Reasons, func(r verdict.Reason) bool { return r.Code == verdict.M01 })
}

// alike tells whether two readings are probably of the same document: three
// cells of four agree.
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
			all++
			if a[i][j] == b[i][j] {
				same++
			}
		}
	}
	return 4*same >= 3*all
}

func (c *Counter) show(edit func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	edit()
	c.rouse()
}
