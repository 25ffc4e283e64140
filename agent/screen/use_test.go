package screen_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lintas/agent/counter"
	"lintas/agent/screen"
	"lintas/agent/verdict"
)

// unguarded is true when keys count and no post is under way.
const unguarded = `document.body.dataset.link === 'live' && !('guard' in document.body.dataset) && !('busy' in document.body.dataset)`

// TestUse is the page in a real browser, used as an officer uses it.
func TestUse(t *testing.T) {
	ctx := browser(t)
	complaints := console(t, ctx)
	d := newDesk()
	s := serve(t, screen.Options{Desk: d}, onlyByChange)
	do(t, ctx, chromedp.EmulateViewport(1920, 1080), chromedp.Navigate("http://"+s.Addr()))
	until(t, ctx, unguarded)

	serial := 0
	// bring puts a fresh traveller before the officer and waits for the guard.
	bring := func(t *testing.T, code verdict.Code, change ...func(*counter.Inspection)) counter.Inspection {
		t.Helper()
		serial++
		in := inspections()[code]
		in.ID = fmt.Sprintf("inspection-%d", serial)
		for _, f := range change {
			f(&in)
		}
		d.mu.Lock()
		d.choices, d.err, d.hold, d.slow = nil, nil, nil, false
		d.mu.Unlock()
		d.show(in)
		until(t, ctx, `document.getElementById('keys').dataset.inspection === '`+in.ID+`' && `+unguarded)
		return in
	}
	// decided waits for exactly this choice.
	decided := func(t *testing.T, want counter.Choice) {
		t.Helper()
		await(t, func() bool { return len(d.chosen()) > 0 })
		if got := d.chosen(); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("the desk got %+v, want %+v", got, want)
		}
	}
	// settle lets a post that should not be there arrive.
	settle := func(t *testing.T) {
		t.Helper()
		eval[bool](t, ctx, `fetch('/healthz').then(() => true)`)
	}

	t.Run("a change appears and F1 decides it", func(t *testing.T) {
		in := bring(t, verdict.Clear)
		if word := eval[string](t, ctx, `document.querySelector('#banner h1').innerText`); !strings.Contains(word, "TERDAFTAR") {
			t.Errorf("the banner says %q", word)
		}
		key(t, ctx, kb.F1)
		decided(t, counter.Choice{Inspection: in.ID, Decision: verdict.Proceed, Direction: verdict.Departure})
		until(t, ctx, shown(`#banner[data-verdict=idle]`))
		if page := eval[string](t, ctx, `document.documentElement.outerHTML`); strings.Contains(page, in.Document.DocumentNumber) {
			t.Error("the traveller is still in the page")
		}
	})
	t.Run("every key and every button", func(t *testing.T) {
		for decision, name := range map[verdict.Decision]string{verdict.Refer: kb.F2, verdict.Postpone: kb.F3, verdict.NotTravelling: kb.F6, verdict.HandedOver: kb.F7} {
			in := bring(t, verdict.Ask)
			want := counter.Choice{Inspection: in.ID, Decision: decision, Direction: verdict.Departure}
			key(t, ctx, name)
			decided(t, want)
			want.Inspection = bring(t, verdict.Ask).ID
			button := `[data-decision=` + string(decision) + `]`
			click(t, ctx, button)
			for end := time.Now().Add(5 * time.Second); len(d.chosen()) == 0 && time.Now().Before(end); {
				time.Sleep(5 * time.Millisecond)
			}
			if len(d.chosen()) == 0 { // a frame came between the button's press and its release
				click(t, ctx, button)
			}
			decided(t, want)
		}
	})
	t.Run("a key in the moment of a new verdict does not count", func(t *testing.T) {
		eval[bool](t, ctx, `!!new MutationObserver((_, o) => {
			if (!('guard' in document.body.dataset)) return;
			o.disconnect();
			for (const key of ['F1', 'F2']) dispatchEvent(new KeyboardEvent('keydown', { key }));
			document.querySelector('[data-key=F1]').click();
			window.bounced = true;
		}).observe(document.body, { attributes: true })
		|| true`)
		in := bring(t, verdict.None)
		until(t, ctx, `window.bounced === true`)
		settle(t)
		if got := d.chosen(); len(got) != 0 {
			t.Errorf("the desk got %+v", got)
		}
		key(t, ctx, kb.F1)
		decided(t, counter.Choice{Inspection: in.ID, Decision: verdict.Proceed, Direction: verdict.Departure})
	})
	t.Run("Enter decides nothing and Space does", func(t *testing.T) {
		in := bring(t, verdict.Stop)
		key(t, ctx, kb.Enter)
		do(t, ctx, chromedp.Focus(chromedp.CSS(`[data-key=F1]`)))
		key(t, ctx, kb.Enter)
		do(t, ctx, chromedp.KeyEvent("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\rL898902C36UTO7408122F1204159ZE184226B<<<<<10\r"))
		settle(t)
		if got := d.chosen(); len(got) != 0 {
			t.Fatalf("the desk got %+v", got)
		}
		do(t, ctx, chromedp.Focus(chromedp.CSS(`[data-key=F2]`)), chromedp.KeyEvent(" "))
		decided(t, counter.Choice{Inspection: in.ID, Decision: verdict.Refer, Direction: verdict.Departure})
	})
	t.Run("a key that is held or pressed twice decides once", func(t *testing.T) {
		in := bring(t, verdict.None)
		hold := make(chan struct{})
		d.mu.Lock()
		d.hold = hold
		d.mu.Unlock()
		for range 3 {
			key(t, ctx, kb.F1)
			eval[bool](t, ctx, `dispatchEvent(new KeyboardEvent('keydown', { key: 'F1', repeat: true }))`)
		}
		await(t, func() bool { return len(d.chosen()) > 0 })
		close(hold)
		until(t, ctx, shown(`#banner[data-verdict=idle]`))
		decided(t, counter.Choice{Inspection: in.ID, Decision: verdict.Proceed, Direction: verdict.Departure})
	})
	t.Run("a key between the answer and the next frame does not count", func(t *testing.T) {
		in := bring(t, verdict.None)
		d.mu.Lock()
		d.slow = true
		d.mu.Unlock()
		for range 3 {
			key(t, ctx, kb.F1)
			until(t, ctx, unguarded)
		}
		decided(t, counter.Choice{Inspection: in.ID, Decision: verdict.Proceed, Direction: verdict.Departure})
	})
	t.Run("the direction is asked for", func(t *testing.T) {
		in := bring(t, verdict.None, func(in *counter.Inspection) { in.Direction = "" })
		key(t, ctx, kb.ArrowUp) // nothing was asked yet
		key(t, ctx, kb.F1)
		until(t, ctx, shown(`#keys .choices`)+` && `+unguarded)
		key(t, ctx, kb.F2) // its button is gone
		key(t, ctx, kb.Escape)
		until(t, ctx, shown(`#keys .decisions`)+` && `+unguarded)
		settle(t)
		if got := d.chosen(); len(got) != 0 {
			t.Fatalf("the desk got %+v", got)
		}
		key(t, ctx, kb.F1)
		until(t, ctx, shown(`#keys .choices`)+` && `+unguarded)
		key(t, ctx, kb.ArrowDown)
		decided(t, counter.Choice{Inspection: in.ID, Decision: verdict.Proceed, Direction: verdict.Return})
		bring(t, verdict.None, func(in *counter.Inspection) { in.Direction = "" })
		if eval[bool](t, ctx, shown(`#keys .choices`)) {
			t.Error("the page remembers the question for the next traveller")
		}
	})
	t.Run("what went wrong is said", func(t *testing.T) {
		for code, err := range map[string]error{"sudah diputuskan": counter.ErrDecided, "BELUM tersimpan": fmt.Errorf("disk full")} {
			bring(t, verdict.None)
			d.mu.Lock()
			d.err = err
			d.mu.Unlock()
			key(t, ctx, kb.F1)
			until(t, ctx, `document.getElementById('message').innerText.includes('`+code+`')`)
		}
		bring(t, verdict.None) // and forgotten with the next traveller
		if eval[bool](t, ctx, `document.getElementById('message').hasChildNodes()`) {
			t.Error("the message stays for the next traveller")
		}
	})
	t.Run("the counter's direction", func(t *testing.T) {
		d.change(func(v *counter.View) { v.Current = nil })
		// A frame that shows another state closes dialogs: it must be there first.
		until(t, ctx, `document.querySelector('main').innerText.includes('SIAP')`)
		click(t, ctx, `[data-open=directions]`)
		until(t, ctx, shown(`#directions[open]`))
		click(t, ctx, `#directions [data-set=return]`)
		until(t, ctx, `document.querySelector('#strip .way').innerText.includes('KEPULANGAN') && !document.querySelector('dialog[open]')`)
		key(t, ctx, kb.F12)
		until(t, ctx, shown(`#details[open]`))
		bring(t, verdict.Stop) // a verdict is never behind a dialog
		if eval[bool](t, ctx, `!!document.querySelector('dialog[open]')`) {
			t.Error("a dialog hides the new verdict")
		}
	})
	t.Run("the notice is taken away", func(t *testing.T) {
		d.change(func(v *counter.View) {
			v.Notice = &counter.Notice{ID: "Gesek sekali lagi.", EN: "Swipe again."}
		})
		until(t, ctx, shown(`#notice p`))
		key(t, ctx, kb.Escape)
		until(t, ctx, `!document.getElementById('notice').hasChildNodes()`)
	})
	t.Run("a hostile number is only text", func(t *testing.T) {
		const evil = `<img src=x onerror="window.evil=1"><script>window.evil=1</script>`
		bring(t, verdict.None, func(in *counter.Inspection) { in.Document.DocumentNumber = evil })
		if got := eval[string](t, ctx, `document.querySelector('.number code').innerText`); !strings.HasPrefix(got, evil) {
			t.Errorf("the number became %q", got)
		}
		if eval[bool](t, ctx, `'evil' in window || !!document.querySelector('main img, main script')`) {
			t.Error("the number became markup")
		}
	})
	t.Run("nothing is decided while nothing can be recorded", func(t *testing.T) {
		bring(t, verdict.None)
		d.change(func(v *counter.View) { v.Fault = "no space left on device" })
		until(t, ctx, shown(`#fault h2`))
		for _, name := range []string{kb.F1, kb.F2, kb.F3, kb.F6, kb.F7, kb.Enter} {
			key(t, ctx, name)
		}
		settle(t)
		if got := d.chosen(); len(got) != 0 {
			t.Errorf("the desk got %+v", got)
		}
		if !eval[bool](t, ctx, `document.querySelector('main').inert && innerHeight === document.getElementById('fault').offsetHeight`) {
			t.Error("the page below can still be used")
		}
		d.change(func(v *counter.View) { v.Fault = "" })
		until(t, ctx, `!`+shown(`#fault`)+` && `+shown(`[data-key=F1]`))
	})
	for _, complaint := range complaints() {
		t.Errorf("the browser complains: %s", complaint)
	}
}

// console collects what the browser complains about: errors and warnings of
// the page, and what the policy had to stop.
func console(t *testing.T, ctx context.Context) (complaints func() []string) {
	t.Helper()
	messages := chromedp.Console(ctx)
	var mu sync.Mutex
	var all []string
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException() {
				mu.Lock()
				// The refusals that the tests themselves provoke.
				if !strings.Contains(m.Text, "status of 409") && !strings.Contains(m.Text, "status of 422") && !strings.Contains(m.Text, "status of 503") {
					all = append(all, m.String())
				}
				mu.Unlock()
			}
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}
