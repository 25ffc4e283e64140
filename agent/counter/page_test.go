package counter_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/agent/verdict"
	"lintas/devices"
	"lintas/mrz"
)

// strip stands for the picture of a zone.
var strip = []byte("\x89PNG STRIP OF KENARI")

// page is a scan of a picture; edit may make it worse.
func (d *desk) page(number string, edit ...func(*devices.Scan)) (settled *[]bool) {
	settled = new([]bool)
	s := devices.Scan{Scanner: "pages", Status: devices.Complete, Mode: devices.Picture, Lines: lines(d.t, number), First: time.Now(), Last: time.Now(),
		Page: &devices.Page{Number: 1, Confidence: 0.99, Strip: strip, Settle: func(kept bool) { *settled = append(*settled, kept) }}}
	for _, e := range edit {
		e(&s)
	}
	d.Scan(s)
	return settled
}

func doubt(s *devices.Scan) {
	s.Page.Confidence = 0.6
	s.Page.Doubtful = []devices.Doubt{{Line: 2, Column: 3}}
}

// wrong makes a check digit wrong.
func wrong(s *devices.Scan) {
	s.Lines[1] = strings.Replace(s.Lines[1], "ZZ1234567", "ZZ1234568", 1)
}

func unreadPage(code string) func(*devices.Scan) {
	return func(s *devices.Scan) {
		s.Status, s.Lines = devices.Unread, []string{}
		s.Page = &devices.Page{Number: 1, Settle: s.Page.Settle, Findings: []mrz.Finding{
			{Code: "text", Severity: mrz.Warning, ID: "abaikan", EN: "never mind"},
			{Code: code, Severity: mrz.Error, ID: "sebab", EN: "the reason"},
		}}
	}
}

func (d *desk) record() map[string]any {
	d.t.Helper()
	b, err := json.Marshal(d.mem.recs[len(d.mem.recs)-1])
	var m map[string]any
	if err := errors.Join(err, json.Unmarshal(b, &m)); err != nil {
		d.t.Fatal(err)
	}
	return m
}

func TestPageIsAScanLikeAnyOther(t *testing.T) {
	d := newDesk(t)
	settled := d.page("ZZ1234567")
	in := d.View().Current
	if in == nil || in.Verdict.Code != verdict.None || in.Reading == nil || in.Reading.Doubtful || !bytes.Equal(in.Reading.Strip, strip) {
		t.Fatalf("shown: %+v", in)
	}
	if r := d.record(); r["entry_mode"] != "ocr" || r["confidence"] != 0.99 || r["valid"] != true {
		t.Errorf("recorded: %v", r)
	}
	if !slices.Equal(*settled, []bool{true}) {
		t.Errorf("settled: %v", *settled)
	}
	if err := d.ConfirmReading(t.Context(), in.ID); !errors.Is(err, counter.ErrReading) {
		t.Errorf("a reading without doubt is confirmed: %v", err)
	}
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	if r := d.record(); r["entry_mode"] != "ocr" || r["confidence"] != 0.99 || r["reading_confirmed"] != nil {
		t.Errorf("recorded: %v", r)
	}
}

// A doubtful reading is unsure until the officer has compared it; what the list
// says is then what decides.
func TestDoubtfulReading(t *testing.T) {
	d := newDesk(t)
	d.list.found.Listed = true
	d.list.found.Records = []placement.Record{{PlacementID: "P", Status: placement.Ready, Destination: "HKG", AgencyID: "A",
		Primary: canary, Secondary: "AYU", ContractUntil: mrz.Date{Year: 2033, Month: 1, Day: 1}}}
	d.page("ZZ1234567", doubt)
	in := d.View().Current
	if in.Verdict.Code != verdict.Unsure || in.Verdict.Reasons[0].Code != verdict.M03 || in.Document.Valid || !in.Reading.Doubtful {
		t.Fatalf("shown: %+v", in)
	}
	if f := in.Document.Findings; len(f) != 1 || f[0].Code != devices.CodeLowConfidence || f[0].Line != 2 || f[0].Column != 3 {
		t.Errorf("findings: %+v", f)
	}
	if r := d.record(); r["valid"] != false || r["confidence"] != 0.6 || r["verdict"] != "unsure" {
		t.Errorf("recorded: %v", r)
	}
	recorded := len(d.mem.events)
	for range 2 { // a key that bounces
		if err := d.ConfirmReading(t.Context(), in.ID); err != nil {
			t.Fatal(err)
		}
	}
	after := d.View().Current
	if after.Verdict.Code != verdict.Clear || !after.Document.Valid || after.Reading.Doubtful || len(after.Document.Findings) != 0 || after.Record == nil {
		t.Fatalf("shown after: %+v", after)
	}
	if in.Verdict.Code != verdict.Unsure || in.Document.Valid {
		t.Error("what was shown before has changed under the page's hands")
	}
	if len(d.mem.events) != recorded {
		t.Error("something was recorded")
	}
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	if r := d.record(); r["valid"] != true || r["reading_confirmed"] != true || r["verdict"] != "clear" || r["confidence"] != 0.6 {
		t.Errorf("recorded: %v", r)
	}
	if err := d.ConfirmReading(t.Context(), in.ID); !errors.Is(err, counter.ErrDecided) {
		t.Errorf("confirmed after the decision: %v", err)
	}
}

// Whoever goes on without comparing has not confirmed.
func TestDoubtfulReadingNotConfirmed(t *testing.T) {
	d := newDesk(t)
	d.page("ZZ1234567", doubt)
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	if r := d.record(); r["valid"] != false || r["reading_confirmed"] != nil || r["verdict"] != "unsure" {
		t.Errorf("recorded: %v", r)
	}
	d.page("ZZ1234568", doubt)
	id := d.View().Current.ID
	if err := errors.Join(d.ConfirmReading(t.Context(), id), d.decide(verdict.Refer)); err != nil {
		t.Fatal(err)
	}
	if typ, _ := d.mem.last(); typ != crossing.InspectionAbandoned || d.record()["reading_confirmed"] != true {
		t.Errorf("recorded %s: %v", typ, d.record())
	}
}

// A picture is taken at its word: what a check digit contradicts is not mended,
// and no officer can confirm it away.
func TestWrongDigitInAPicture(t *testing.T) {
	d := newDesk(t)
	d.page("ZZ1234567", wrong, doubt)
	in := d.View().Current
	if in.Verdict.Reasons[0].Code != verdict.M01 || in.Document.Valid || in.Reading.Doubtful {
		t.Fatalf("shown: %+v", in)
	}
	if err := d.ConfirmReading(t.Context(), in.ID); !errors.Is(err, counter.ErrReading) {
		t.Errorf("confirmed: %v", err)
	}
	d.page("ZZ1234567") // scanned again, and better
	if v := d.View(); len(v.Waiting) != 0 || v.Current.Verdict.Code != verdict.None {
		t.Errorf("shown: %+v", v)
	}
}

// A stop stays a stop, before and after.
func TestDoubtfulReadingOfSomebodyOnTheList(t *testing.T) {
	d := newDesk(t)
	d.list.found.Negatives = []placement.Negative{{Kind: placement.Attention, Until: mrz.Date{Year: 2999, Month: 1, Day: 1}, Contact: "ext. 1"}}
	d.page("ZZ1234567", doubt)
	in := d.View().Current
	if in.Verdict.Code != verdict.Stop || in.Contact == "" {
		t.Fatalf("shown: %+v", in)
	}
	if err := d.ConfirmReading(t.Context(), in.ID); err != nil {
		t.Fatal(err)
	}
	if in := d.View().Current; in.Verdict.Code != verdict.Stop || slices.Contains(in.Verdict.Codes(), "M03") || in.Contact == "" {
		t.Errorf("shown after: %+v", in)
	}
}

func TestUnreadPage(t *testing.T) {
	d := newDesk(t)
	settled := d.page("ZZ1234567", unreadPage("page_killed"))
	if n := d.View().Notice; n == nil || n.ID != "sebab" || n.EN != "the reason" {
		t.Fatalf("notice: %+v", n)
	}
	if d.View().Current != nil || len(d.mem.events) != 0 || !slices.Equal(*settled, []bool{true}) {
		t.Errorf("%+v, %d events, settled %v", d.View(), len(d.mem.events), *settled)
	}
}

// What cannot be recorded stays with its source.
func TestPageThatCannotBeRecorded(t *testing.T) {
	d := newDesk(t)
	d.mem.broken.Store(true)
	if settled := d.page("ZZ1234567"); !slices.Equal(*settled, []bool{false}) {
		t.Errorf("settled: %v", *settled)
	}
	if settled := d.page("ZZ1234567"); !slices.Equal(*settled, []bool{false}) {
		t.Errorf("settled the second time: %v", *settled)
	}
	d.mem.broken.Store(false)
	d.Tick()
	if settled := d.page("ZZ1234567"); !slices.Equal(*settled, []bool{true}) || d.View().Current == nil {
		t.Errorf("settled after: %v", *settled)
	}
}
