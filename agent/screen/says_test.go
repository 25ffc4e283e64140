package screen_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lintas/agent/counter"
	"lintas/agent/journey"
	"lintas/agent/rule"
	"lintas/agent/screen"
	"lintas/agent/verdict"
	"lintas/mrz"
)

func (d *desk) State(_ context.Context, s counter.Statement) error {
	d.mu.Lock()
	d.statements = append(d.statements, s)
	err := d.err
	d.mu.Unlock()
	if err == nil {
		d.change(func(v *counter.View) {
			if v.Current != nil && v.Current.ID == s.Inspection {
				in := *v.Current
				in.Purpose, in.ReturnReason = s.Purpose, s.ReturnReason
				v.Current = &in
			}
		})
	}
	return err
}

func (d *desk) SetJourney(_ context.Context, text string) error {
	d.mu.Lock()
	err := d.err
	d.mu.Unlock()
	j, wrong := journey.Parse(text)
	if err == nil {
		err = wrong
	}
	if err == nil {
		d.change(func(v *counter.View) { v.Journey, v.JourneySince = j, time.Date(2026, 11, 23, 9, 30, 0, 0, time.Local) })
	}
	return err
}

func (d *desk) Outcome(_ context.Context, inspection, outcome string) error {
	d.mu.Lock()
	d.outcomes = append(d.outcomes, inspection+" "+outcome)
	err := d.err
	d.mu.Unlock()
	if err == nil {
		d.change(func(v *counter.View) {
			v.Referred = slices.DeleteFunc(slices.Clone(v.Referred), func(l counter.Line) bool { return l.ID == inspection })
		})
	}
	return err
}

// told is the page's travellers about whom something was said, by name.
func told() map[string]counter.Inspection {
	group := rule.Rule{ID: "R01", LegalBasis: "UU 21/2007", Text: rule.Text{ID: "Rombongan tanpa catatan dengan nomor paspor berurutan.", EN: "A group without records whose passport numbers follow each other."},
		Next: rule.Text{ID: "Tanyakan siapa yang mengatur perjalanan.", EN: "Ask who arranged the journey."}}
	all := map[string]counter.Inspection{}
	add := func(name string, code verdict.Code, direction verdict.Direction, change func(*counter.Inspection), reasons ...verdict.Reason) {
		in := inspections()[verdict.None]
		in.ID, in.Direction, in.Verdict = "told-"+name, direction, verdict.Verdict{Code: code, Reasons: reasons}
		if change != nil {
			change(&in)
		}
		all[name] = in
	}
	record := func(in *counter.Inspection) {
		in.Record = &counter.Placement{ID: "PL-1", Destination: "SAU", Agency: "PT Contoh Karya Nusantara", Until: "2027-12-31", Status: "aktif"}
	}
	add("work", verdict.Ask, verdict.Departure, func(in *counter.Inspection) { in.Purpose = verdict.ToWork }, verdict.Reason{Code: verdict.N02, Checklist: "placement"})
	add("closed", verdict.Stop, verdict.Departure, record, verdict.Reason{Code: verdict.A05, Detail: "Kepmenaker 260/2015", Checklist: "order"}, verdict.Reason{Code: verdict.Q01}, verdict.Reason{Code: verdict.T01, Detail: "holdover"})
	add("rule", verdict.Ask, verdict.Departure, nil, verdict.Reason{Code: "R01", Rule: &group}, verdict.Reason{Code: verdict.S01, Detail: "2026-11-22"})
	add("leave", verdict.Clear, verdict.Departure, record, verdict.Reason{Code: verdict.P02, Detail: "HKG", Checklist: "re-entry"})
	add("home", verdict.Clear, verdict.Return, record, verdict.Reason{Code: verdict.P01, Detail: "SAU"}, verdict.Reason{Code: verdict.Q01})
	add("trafficked", verdict.None, verdict.Return, func(in *counter.Inspection) { in.ReturnReason = verdict.Trafficked }, verdict.Reason{Code: verdict.N01})
	add("either", verdict.Ask, "", record, verdict.Reason{Code: verdict.A01, Detail: "2026-10-31", Checklist: "renewal"}, verdict.Reason{Code: verdict.A06, Detail: "A-1", Checklist: "placement"})
	add("guess", verdict.Ask, verdict.Departure, func(in *counter.Inspection) {
		record(in)
		in.Guesses = []counter.Guess{{Field: mrz.FieldDocumentNumber, Value: "X1234567"}}
	}, verdict.Reason{Code: verdict.M01}, verdict.Reason{Code: verdict.P01})
	return all
}

// Each of them can be read whole, on the smallest and on a usual screen, in
// both languages; with LINTAS_SCREENSHOTS pictures are taken for a person to
// look at.
func TestToldIsReadable(t *testing.T) {
	ctx := browser(t)
	dir := os.Getenv("LINTAS_SCREENSHOTS")
	for _, c := range []struct {
		language, scheme string
		width, height    int64
	}{{"id", "dark", 1920, 1080}, {"en", "light", 1024, 768}, {"id", "dark", 1024, 768}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			d := newDesk()
			history(d, 20)
			j, err := journey.Parse("QR955 CGK-DOH-WAW")
			if err != nil {
				t.Fatal(err)
			}
			d.change(func(v *counter.View) { v.Journey, v.Referred = j, v.History[:2] })
			s := serve(t, screen.Options{Theme: "auto", Desk: d, Language: c.language})
			do(t, ctx, scheme(c.scheme), chromedp.EmulateViewport(c.width, c.height), chromedp.Navigate("http://"+s.Addr()))
			until(t, ctx, unguarded)
			look := func(name string) {
				t.Helper()
				until(t, ctx, unguarded+` && document.getAnimations().length === 0`)
				for _, fault := range eval[[]string](t, ctx, `(`+audit+`)()`) {
					t.Errorf("%s: %s", name, fault)
				}
				if dir != "" {
					picture(t, ctx, dir, fmt.Sprintf("told-%s-%s-%d-%s", c.language, c.scheme, c.width, name))
				}
			}
			for name, in := range told() {
				d.show(in)
				until(t, ctx, `document.getElementById('keys').dataset.inspection === '`+in.ID+`'`)
				look(name)
				for dialog, key := range map[string]string{"papers": "F5", "purposes": "F4", "returns": "F5"} {
					if name == "either" || !eval[bool](t, ctx, shown(`[data-key=`+key+`][data-open=`+dialog+`]`)) {
						continue
					}
					do(t, ctx, chromedp.KeyEvent(map[string]string{"F4": kb.F4, "F5": kb.F5}[key]))
					until(t, ctx, shown(`#`+dialog+`[open]`))
					look(name + "-" + dialog)
					do(t, ctx, chromedp.KeyEvent(kb.Escape))
					until(t, ctx, `!document.querySelector('dialog[open]')`)
				}
			}
			key(t, ctx, kb.F10)
			until(t, ctx, shown(`#journeys[open]`))
			look("journeys")
			key(t, ctx, kb.Escape)
			click(t, ctx, `[data-open=outcomes]`)
			until(t, ctx, shown(`#outcomes[open]`))
			look("outcomes")
		})
	}
}

// TestSays: what the traveller says, the documents that were seen, the journey
// and the outcomes, by keyboard alone.
func TestSays(t *testing.T) {
	ctx := browser(t)
	complaints := console(t, ctx)
	d := newDesk()
	s := serve(t, screen.Options{Desk: d})
	do(t, ctx, chromedp.EmulateViewport(1920, 1080), chromedp.Navigate("http://"+s.Addr()))
	until(t, ctx, unguarded)
	bring := func(t *testing.T, name string) counter.Inspection {
		t.Helper()
		in := told()[name]
		d.mu.Lock()
		d.choices, d.statements = nil, nil
		d.mu.Unlock()
		d.show(in)
		until(t, ctx, `document.getElementById('keys').dataset.inspection === '`+in.ID+`' && `+unguarded)
		return in
	}
	said := func() []counter.Statement {
		d.mu.Lock()
		defer d.mu.Unlock()
		return slices.Clone(d.statements)
	}
	t.Run("purpose", func(t *testing.T) {
		in := bring(t, "rule")
		key(t, ctx, kb.F4)
		until(t, ctx, shown(`#purposes[open]`)+` && `+unguarded)
		key(t, ctx, kb.F2)
		await(t, func() bool { return len(said()) > 0 })
		if got := said(); got[0] != (counter.Statement{Inspection: in.ID, Purpose: verdict.AsCrew}) {
			t.Fatalf("%+v", got)
		}
		until(t, ctx, `document.querySelector('[data-key=F4]').innerText.includes('Awak') && !document.querySelector('dialog[open]') && `+unguarded)
		if len(d.chosen()) != 0 {
			t.Fatalf("decided: %+v", d.chosen())
		}
	})
	t.Run("documents seen", func(t *testing.T) {
		in := bring(t, "work")
		key(t, ctx, kb.F5)
		until(t, ctx, shown(`#papers[open]`)+` && `+unguarded)
		for _, k := range []string{kb.F1, kb.F2, kb.F3, kb.F3} { // the third is taken back
			key(t, ctx, k)
		}
		do(t, ctx, chromedp.Focus(chromedp.CSS(`[data-seen=health]`)), chromedp.KeyEvent(" "))
		if n := eval[float64](t, ctx, `document.querySelectorAll('[data-seen][aria-checked=true]').length`); n != 3 {
			t.Fatalf("%v documents are ticked", n)
		}
		// News about the machine takes no tick away.
		d.change(func(v *counter.View) { v.Notice = &counter.Notice{ID: "Gesek sekali lagi.", EN: "Swipe again."} })
		until(t, ctx, `document.getElementById('notice').hasChildNodes()`)
		key(t, ctx, kb.Escape)
		until(t, ctx, `!document.querySelector('dialog[open]')`)
		if len(d.chosen()) != 0 {
			t.Fatalf("decided behind the dialog: %+v", d.chosen())
		}
		key(t, ctx, kb.F1)
		await(t, func() bool { return len(d.chosen()) > 0 })
		if got := d.chosen()[0]; got.Inspection != in.ID || fmt.Sprint(got.Seen) != "[passport work-visa health]" {
			t.Errorf("%+v", got)
		}
		bring(t, "closed")
		if eval[bool](t, ctx, `!!document.querySelector('[data-seen][aria-checked=true]')`) {
			t.Error("the next traveller's documents are ticked")
		}
	})
	t.Run("coming home", func(t *testing.T) {
		in := bring(t, "home")
		if eval[bool](t, ctx, `!!document.querySelector('[data-decision=postpone]')`) {
			t.Error("postpone is offered")
		}
		key(t, ctx, kb.F3)
		key(t, ctx, kb.F5)
		until(t, ctx, shown(`#returns[open]`)+` && `+unguarded)
		key(t, ctx, kb.F3)
		await(t, func() bool { return len(said()) > 0 })
		if got := said(); got[0] != (counter.Statement{Inspection: in.ID, ReturnReason: verdict.Problem}) || len(d.chosen()) != 0 {
			t.Fatalf("%+v %+v", got, d.chosen())
		}
		until(t, ctx, `document.getElementById('detail').innerText.includes('Antar ke Help Desk BP3MI') && `+unguarded)
		key(t, ctx, kb.F1)
		await(t, func() bool { return len(d.chosen()) > 0 })
	})
	t.Run("a new verdict closes what was begun", func(t *testing.T) {
		bring(t, "work")
		key(t, ctx, kb.F4)
		until(t, ctx, shown(`#purposes[open]`))
		bring(t, "closed")
		if eval[bool](t, ctx, `!!document.querySelector('dialog[open]')`) {
			t.Error("a dialog hides the new verdict")
		}
	})
	t.Run("the journey", func(t *testing.T) {
		d.change(func(v *counter.View) { v.Current = nil })
		until(t, ctx, shown(`#banner[data-verdict=idle]`))
		key(t, ctx, kb.F10)
		until(t, ctx, shown(`#journeys[open]`)+` && `+unguarded)
		do(t, ctx, chromedp.KeyEvent("somewhere"))
		key(t, ctx, kb.Enter) // saves nothing
		key(t, ctx, kb.F1)
		until(t, ctx, `document.querySelector('#journeys .problem').innerText.includes('tidak dimengerti')`)
		eval[string](t, ctx, `document.getElementById('journey-text').value = ''`)
		do(t, ctx, chromedp.KeyEvent("ga 834 hkg"))
		until(t, ctx, unguarded)
		key(t, ctx, kb.F1)
		until(t, ctx, `document.querySelector('#strip .flight').innerText.includes('GA834 HKG') && !document.querySelector('dialog[open]')`)
	})
	t.Run("outcomes", func(t *testing.T) {
		d.change(func(v *counter.View) {
			v.Referred = []counter.Line{{ID: "one", Document: "A•••001", Verdict: verdict.Ask, Reasons: []string{"R01"}}, {ID: "two", Document: "A•••002", Verdict: verdict.Ask}}
		})
		until(t, ctx, shown(`[data-open=outcomes]`))
		click(t, ctx, `[data-open=outcomes]`)
		until(t, ctx, shown(`#outcomes[open]`)+` && `+unguarded)
		do(t, ctx, chromedp.Focus(chromedp.CSS(`[data-of=one][data-outcome=negative]`)), chromedp.KeyEvent(" "))
		until(t, ctx, `!document.querySelector('[data-of=one]') && !!document.querySelector('[data-of=two]')`)
		d.mu.Lock()
		got := slices.Clone(d.outcomes)
		d.mu.Unlock()
		if !slices.Equal(got, []string{"one negative"}) {
			t.Errorf("%v", got)
		}
		key(t, ctx, kb.Escape)
	})
	if all := complaints(); len(all) != 0 {
		t.Errorf("the browser complains: %s", strings.Join(all, "\n"))
	}
}
