package screen_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"lintas/agent/counter"
	"lintas/agent/screen"
	"lintas/agent/verdict"
	"lintas/mrz"
)

var _ screen.Desk = (*counter.Counter)(nil)

// desk is a counter that the test controls.
type desk struct {
	mu         sync.Mutex
	view       counter.View
	changed    chan struct{}
	choices    []counter.Choice
	directions []verdict.Direction
	confirmed  []string // inspections
	dismissed  int
	err        error           // what Decide and SetDirection answer
	hold       chan struct{}   // set: Decide waits for it
	slow       bool            // the view shows a decision only with the next change
	context    context.Context // of the last Decide

	statements []counter.Statement
	outcomes   []string // inspection and outcome
}

func newDesk() *desk {
	return &desk{changed: make(chan struct{}), view: counter.View{
		Counter: "CGK-T3-D07", Site: "CGK", Terminal: "T3", Lane: "D07",
		Direction: verdict.Departure, Confirm: "officer",
	}}
}

func (d *desk) View() counter.View {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.view
}

func (d *desk) Changed() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changed
}

// change alters the view and tells the page.
func (d *desk) change(f func(*counter.View)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f(&d.view)
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *desk) Decide(ctx context.Context, c counter.Choice) error {
	d.mu.Lock()
	d.choices = append(d.choices, c)
	d.context = ctx
	err, hold, slow := d.err, d.hold, d.slow
	d.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err == nil && !slow {
		d.change(func(v *counter.View) {
			if v.Current != nil && v.Current.ID == c.Inspection {
				v.Current = nil
			}
		})
	}
	return err
}

func (d *desk) SetDirection(_ context.Context, way verdict.Direction) error {
	d.mu.Lock()
	d.directions = append(d.directions, way)
	err := d.err
	d.mu.Unlock()
	if err == nil {
		d.change(func(v *counter.View) { v.Direction = way })
	}
	return err
}

func (d *desk) ConfirmReading(_ context.Context, id string) error {
	d.mu.Lock()
	d.confirmed = append(d.confirmed, id)
	err := d.err
	d.mu.Unlock()
	if err == nil {
		d.change(func(v *counter.View) {
			if v.Current == nil || v.Current.ID != id {
				return
			}
			in := *v.Current
			in.Document.Valid, in.Reading = true, &counter.Reading{Confidence: in.Reading.Confidence, Strip: in.Reading.Strip}
			in.Verdict = verdict.Verdict{Code: verdict.None, Reasons: []verdict.Reason{{Code: verdict.N01}}}
			v.Current = &in
		})
	}
	return err
}

func (d *desk) Dismiss() {
	d.change(func(v *counter.View) { d.dismissed++; v.Notice = nil })
}

func (d *desk) chosen() []counter.Choice {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]counter.Choice(nil), d.choices...)
}

// serve runs a screen until the test ends.
func serve(t testing.TB, o screen.Options, tune ...func(*screen.Screen)) *screen.Screen {
	t.Helper()
	s := screen.New(o)
	for _, f := range tune {
		f(s)
	}
	t.Cleanup(start(t, s))
	return s
}

// start runs a screen and gives what ends it.
func start(t testing.TB, s *screen.Screen) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-done:
		t.Fatalf("Run ended at once: %v", err)
	}
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// onlyByChange keeps the loop from looking by itself.
func onlyByChange(s *screen.Screen) { s.Slow(time.Hour) }

// The fictitious travellers: an Indonesian passport that reads well, and one
// whose zone does not.
func document() mrz.Document {
	return mrz.Document{
		Format: mrz.TD3, Valid: true,
		Lines: []string{
			"P<IDNLESTARI<<DEWI<AYU<<<<<<<<<<<<<<<<<<<<<<",
			"X1234567<4IDN9203047F3108155<<<<<<<<<<<<<<02",
		},
		DocumentCode: "P", IssuingState: "IDN", Name: mrz.NewName("LESTARI", "DEWI AYU"),
		DocumentNumber: "X1234567", Nationality: "IDN", DateOfBirth: mrz.Date{Year: 1992, Month: 3, Day: 4},
		Sex: "F", DateOfExpiry: mrz.Date{Year: 2031, Month: 8, Day: 15},
	}
}

func unreadable() mrz.Document {
	d := document()
	d.Valid = false
	d.Lines[1] = "X1234S67<4IDN9203047F31_8155<<<<<<<<<<<<<<02"
	d.DocumentNumber, d.DateOfExpiry = "X1234S67", mrz.Date{}
	d.Findings = []mrz.Finding{
		{Code: mrz.CodeCheckDigitWrong, Severity: mrz.Error, Field: mrz.FieldDocumentNumber, Line: 2, Column: 10,
			ID: "Angka pemeriksa untuk nomor dokumen tidak cocok; bandingkan dengan dokumen dan pindai ulang.",
			EN: "The check digit of the document number does not match; compare with the document and scan again."},
		{Code: mrz.CodeCharacterUnread, Severity: mrz.Error, Field: mrz.FieldDateOfExpiry, Line: 2, Column: 24,
			ID: "Satu karakter pada tanggal habis berlaku tidak terbaca; pindai ulang atau lihat dokumennya.",
			EN: "A character of the date of expiry could not be read; scan again or look at the document."},
		{Code: mrz.CodeDateUnknown, Severity: mrz.Info, Field: mrz.FieldDateOfExpiry, ID: "catatan", EN: "remark"},
	}
	return d
}

// inspections is one traveller for each verdict.
func inspections() map[verdict.Code]counter.Inspection {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	reasons := map[verdict.Code][]verdict.Reason{
		verdict.Clear:  {{Code: verdict.P01}},
		verdict.None:   {{Code: verdict.N01}},
		verdict.Ask:    {{Code: verdict.A01, Detail: "2026-10-31", Checklist: "renewal"}, {Code: verdict.A02, Detail: "SAU"}, {Code: verdict.S02}},
		verdict.Stop:   {{Code: verdict.X03, Detail: "2027-05-01"}, {Code: verdict.A06}},
		verdict.Unsure: {{Code: verdict.M01}},
	}
	all := map[verdict.Code]counter.Inspection{}
	for i, code := range codes {
		in := counter.Inspection{
			ID: fmt.Sprintf("0190b5a2-7c00-7000-8000-00000000000%d", i), At: at,
			Verdict: verdict.Verdict{Code: code, Reasons: reasons[code]}, Document: document(), Direction: verdict.Departure,
		}
		switch code {
		case verdict.Clear, verdict.Ask:
			in.Record = &counter.Placement{ID: "PL-1", Destination: "MYS", Agency: "PT Contoh Karya Nusantara", Until: "2027-12-31", Status: "siap"}
		case verdict.Stop:
			in.Contact = "Subdit Cegah Tangkal, 021-555-0107"
		case verdict.Unsure:
			in.Document = unreadable()
		}
		all[code] = in
	}
	return all
}

var codes = []verdict.Code{verdict.Clear, verdict.None, verdict.Ask, verdict.Stop, verdict.Unsure}

// show puts a traveller before the officer.
func (d *desk) show(in counter.Inspection) {
	d.change(func(v *counter.View) { v.Current = &in })
}
