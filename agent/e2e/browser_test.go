package e2e_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lintas/agent/crossing"
	"lintas/agent/verdict"
)

// From the scanner's bytes to the officer's key, with a real browser between.
func TestOfficerAtThePage(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium found: make setup installs it")
	}
	s := newSite(t, `direction = "departure"`)
	s.installList(traveller(1))
	s.agent()
	st := s.ready()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium),
		chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	page := func() string {
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.body.innerText"))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	do := func(a ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, a...); err != nil {
			t.Fatal(err)
		}
	}
	do(chromedp.EmulateViewport(1920, 1080), chromedp.Navigate("http://"+st.Page+"/"))
	after := s.last()
	s.send("\x02" + strings.Join(zone(t, traveller(1)), "\r") + "\r\x03")
	until(t, "the verdict is shown", func() bool { return strings.Contains(page(), "TERDAFTAR") })
	if text := page(); !strings.Contains(text, canaryPrimary) || !strings.Contains(text, "P01") || !strings.Contains(text, "HKG") {
		t.Errorf("the page lacks the name, the reason or the destination:\n%s", text)
	}
	// The guard against keys that bounce holds for half a second; the officer
	// presses until it counts.
	until(t, "the crossing is recorded", func() bool {
		do(chromedp.KeyEvent(kb.F1))
		for _, e := range s.queued() {
			if e.Sequence > after && e.note.Type == crossing.Departure {
				return e.note.Decision == verdict.Proceed && e.note.DecidedBy == "officer"
			}
		}
		return false
	})
	until(t, "the traveller is gone from the page", func() bool { return !strings.Contains(page(), canaryPrimary) })
}
