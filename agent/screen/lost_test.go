package screen_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lintas/agent/screen"
	"lintas/agent/verdict"
)

// TestLost: a page that no longer hears the agent is covered, says so, shows
// nothing old, decides nothing, and comes back by itself.
func TestLost(t *testing.T) {
	ctx := browser(t)
	d := newDesk()
	in := inspections()[verdict.Clear]
	d.show(in)
	s := screen.New(screen.Options{Desk: d})
	stop := start(t, s)
	do(t, ctx, chromedp.Navigate("http://"+s.Addr()))
	until(t, ctx, unguarded+` && `+shown(`#banner[data-verdict=clear]`))
	covered := func(t *testing.T) {
		t.Helper()
		until(t, ctx, shown(`#lost h2`))
		if page := eval[string](t, ctx, `document.documentElement.outerHTML`); strings.Contains(page, in.Document.DocumentNumber) {
			t.Error("the old traveller is still in the page")
		}
		if !eval[bool](t, ctx, `document.elementFromPoint(innerWidth / 2, innerHeight - 40).closest('#lost') !== null`) {
			t.Error("the page below can still be clicked")
		}
		key(t, ctx, kb.F1)
		if got := d.chosen(); len(got) != 0 {
			t.Errorf("the desk got %+v", got)
		}
	}
	hold := make(chan struct{})
	d.mu.Lock()
	d.hold = hold
	d.mu.Unlock()
	key(t, ctx, kb.F1) // it dies with a decision in its hands
	await(t, func() bool { return len(d.chosen()) == 1 })
	stop()
	d.mu.Lock()
	d.choices, d.hold = nil, nil
	d.mu.Unlock()
	until(t, ctx, `document.getElementById('message').textContent.includes('certain')`)
	covered(t)

	// The agent is back, but its loop hangs: the stream is open and silent.
	hang := make(chan struct{})
	stop = start(t, screen.New(screen.Options{Desk: d, Listen: s.Addr(), OnLoop: func() { <-hang }}))
	until(t, ctx, unguarded+` && !`+shown(`#lost`))
	covered(t)
	until(t, ctx, `fetch('/healthz').then((a) => a.status === 503)`)
	covered(t) // also after it has tried again
	close(hang)
	stop()

	// Another version of the page: it is loaded anew.
	stop = start(t, screen.New(screen.Options{Desk: d, Listen: s.Addr(), Version: "2"}))
	defer stop()
	until(t, ctx, unguarded+` && `+shown(`#banner[data-verdict=clear]`)+` && document.getElementById('conditions').innerText !== null`)
	until(t, ctx, `document.getElementById('conditions').textContent.includes(': 2')`)
	key(t, ctx, kb.F1)
	await(t, func() bool { return len(d.chosen()) == 1 })
}
