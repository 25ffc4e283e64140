package screen

import (
	"slices"
	"strings"
	"time"

	"lintas/agent/counter"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// traveller is the inspection that waits for a decision, made ready to be
// printed.
type traveller struct {
	counter.Inspection
	Reasons  []reason
	Brief    []reason     // about list, clock and sequence: nothing to ask
	More     verdict.Text // reasons that have no room; empty: none
	Record   *record
	Unread   bool      // the document's data cannot be relied on
	Expired  bool      // the document's own date has passed
	Zone     []zoneRow // only when Unread
	Findings []finding
	Papers   *verdict.Checklist // documents to see; nil: none
	Help     *help              // to offer somebody who comes home; nil: none
	Guesses  []guess
	Strip    bool // there is a picture of the zone, and a ground to look at it
	Doubtful bool // the officer is asked to compare it
	Cells    int  // of its lines
	// Remarks are about the page that was scanned; only when not Unread, else they
	// are among Findings.
	Remarks []verdict.Text
}

// help is what to offer, and what it rests on.
type help struct {
	Text  verdict.Text
	Basis string
}

// guess is a reading that the list decided.
type guess struct {
	Field verdict.Text
	Value string
}

const (
	reasonsShown  = 3
	findingsShown = 3
)

// reason is a ground of the verdict with what to do.
type reason struct {
	Code, Detail      string
	Text, Next, Basis verdict.Text
	Papers            bool // its documents are listed, with their basis
	Leaving           bool // given for a departure, while the direction is not chosen yet
}

// guessWords names the fields that can be guessed.
var guessWords = map[string]string{
	mrz.FieldDocumentNumber: "document-number", mrz.FieldDateOfBirth: "birth", mrz.FieldDateOfExpiry: "expiry",
}

// record is what the placement list says.
type record struct {
	Destination, Agency string
	Until               mrz.Date
	Status              verdict.Text
}

// finding is a fault of the machine-readable zone and where it stands.
type finding struct {
	Where, Text verdict.Text
}

// zoneRow is a line of the zone in runs that are at fault or not.
type zoneRow []zoneRun

type zoneRun struct {
	Text string
	Bad  bool
}

func travellerOf(in *counter.Inspection, now time.Time) *traveller {
	t := &traveller{Inspection: *in}
	t.Doubtful = in.Reading != nil && in.Reading.Doubtful
	if papers, ok := in.Verdict.Checklist(); ok && in.Direction != verdict.Return {
		t.Papers = &papers
	}
	room := reasonsShown
	if t.Papers != nil {
		room-- // the documents take the place of a reason
	}
	hidden := 0
	for i, r := range in.Verdict.Reasons {
		e := r.Explain()
		if e.Text == (verdict.Text{}) {
			e.Text = words["reason-unexplained"]
		}
		if t.Doubtful && i > 0 {
			e.Next = verdict.Text{} // first things first
		}
		line := reason{string(r.Code), r.Detail, e.Text, e.Next, e.Basis, t.Papers != nil && r.Checklist == t.Papers.ID, in.Direction == "" && r.Rule == nil && !r.Code.Applies(verdict.Return)}
		switch {
		case i > 0 && r.Code.Remark():
			t.Brief = append(t.Brief, line)
		case len(t.Reasons) < room:
			t.Reasons = append(t.Reasons, line)
		default:
			hidden++
		}
	}
	if hidden > 0 {
		t.More = fill("more-reasons", hidden)
	}
	t.Expired = in.Document.DateOfExpiry.Before(mrz.DateOf(now))
	if in.Record != nil {
		t.Record = recordOf(in.Record)
	}
	t.Unread = !in.Document.Valid
	for _, f := range in.Document.Findings {
		if f.Severity != mrz.Info && len(t.Findings) < findingsShown {
			t.Findings = append(t.Findings, findingOf(f))
		}
	}
	if in.Direction == verdict.Return && in.Record != nil || in.ReturnReason != "" {
		t.Help = &help{in.ReturnReason.Help(), verdict.HelpBasis}
	}
	for _, g := range in.Guesses {
		t.Guesses = append(t.Guesses, guess{words[guessWords[g.Field]], g.Value})
	}
	if t.Unread {
		t.Zone = zoneOf(in.Document)
		for _, line := range in.Document.Lines {
			t.Cells = max(t.Cells, len(line))
		}
	}
	if in.Reading != nil && !t.Unread {
		for _, f := range in.Reading.Findings {
			if f.Severity != mrz.Info {
				t.Remarks = append(t.Remarks, verdict.Text{ID: f.ID, EN: f.EN})
			}
		}
	}
	t.Strip = t.Unread && in.Reading != nil && in.Reading.Strip != nil
	return t
}

func recordOf(p *counter.Placement) *record {
	r := &record{Destination: p.Destination, Agency: p.Agency, Status: words["status-"+p.Status]}
	r.Until, _ = mrz.ParseDate(p.Until)
	if r.Status == (verdict.Text{}) {
		r.Status = verdict.Text{ID: p.Status, EN: p.Status}
	}
	return r
}

func findingOf(f mrz.Finding) finding {
	text := finding{Text: verdict.Text{ID: f.ID, EN: f.EN}}
	if f.Line > 0 {
		text.Where = fill("line-column", f.Line, max(f.Column, 1))
	}
	return text
}

// zoneOf marks the cells that findings point at. A zone of no known format is
// cut to what has room.
func zoneOf(d mrz.Document) []zoneRow {
	var rows []zoneRow
	for i, line := range d.Lines[:min(len(d.Lines), 3)] {
		cells := []rune(line)
		cells = cells[:min(len(cells), 44)]
		bad := func(column int) bool {
			return slices.ContainsFunc(d.Findings, func(f mrz.Finding) bool {
				return f.Severity == mrz.Error && f.Line == i+1 && f.Column == column
			})
		}
		var row zoneRow
		for j, cell := range cells {
			if b := bad(j + 1); len(row) == 0 || row[len(row)-1].Bad != b {
				row = append(row, zoneRun{Bad: b})
			}
			row[len(row)-1].Text += string(cell)
		}
		rows = append(rows, row)
	}
	return rows
}

// Name is the traveller's name as one string, the primary part first.
func (t *traveller) Name() string {
	return strings.Trim(t.Document.Name.Primary()+", "+t.Document.Name.Secondary(), ", ")
}

// Sex in words; the standard's letter stands beside it.
func (t *traveller) Sex() verdict.Text {
	switch t.Document.Sex {
	case "M", "F":
		return words["sex-"+t.Document.Sex]
	}
	return words["sex-other"]
}

// Mark names the inspection and what was said of it. It stands on the parts
// that belong to it: when it changes, the script renews them whole and is on
// its guard.
func (t *traveller) Mark() string {
	if t == nil {
		return ""
	}
	return strings.Join([]string{t.ID, string(t.Verdict.Code), string(t.Direction), string(t.Purpose), string(t.ReturnReason)}, " ")
}
