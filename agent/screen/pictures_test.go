package screen_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lintas/agent/counter"
	"lintas/agent/health"
	"lintas/agent/screen"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// TestPictures takes pictures of every state of the page for a person to look
// at, into the directory that LINTAS_SCREENSHOTS names.
func TestPictures(t *testing.T) {
	dir := os.Getenv("LINTAS_SCREENSHOTS")
	if dir == "" {
		t.Skip("LINTAS_SCREENSHOTS names no directory")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx := browser(t)
	for _, look := range []struct {
		language, scheme string
		width, height    int64
	}{{"id", "dark", 1920, 1080}, {"id", "dark", 1024, 768}, {"id", "light", 1920, 1080}, {"en", "dark", 1280, 1024}} {
		d, board := newDesk(), health.NewBoard()
		s := serve(t, screen.Options{Theme: "auto", Desk: d, Health: board, Language: look.language, Version: "0.1.0",
			Link: func() screen.Link {
				return screen.Link{Connected: true, Depth: 12, Oldest: time.Now().Add(-7 * time.Minute)}
			},
			List: func() screen.ListInfo { return screen.ListInfo{Version: 412, Age: 5 * time.Hour, Present: true} }})
		history(d, 20)
		save := func(name string, visible string) {
			t.Helper()
			until(t, ctx, shown(visible))
			do(t, ctx, chromedp.Sleep(700*time.Millisecond)) // the guard, fading
			picture(t, ctx, dir, fmt.Sprintf("%s-%s-%d-%s", look.language, look.scheme, look.width, name))
		}
		do(t, ctx, scheme(look.scheme), chromedp.EmulateViewport(look.width, look.height), chromedp.Navigate("http://"+s.Addr()))
		save("idle", `[data-link=live] #banner[data-verdict=idle]`)
		for _, code := range codes {
			d.show(inspections()[code])
			save(string(code), fmt.Sprintf(`#banner[data-verdict=%s]`, code))
		}
		// The fullest page there is.
		board.Set(health.ScannerMissing, "desk", true, "open /dev/ttyUSB0: no such file or directory")
		board.Set(health.HubUnconfirmed, "", true, "")
		board.Set(health.ListExpired, "", true, "")
		board.Set(health.ClockUnsynced, "", true, "")
		in := inspections()[verdict.Stop]
		in.ID = "0190b5a2-7c00-7000-8000-0000000000ff"
		in.Document.Name = mrz.NewName("WIRYOKUSUMONINGRAT", "SRI WAHYUNINGSIH KARTIKA")
		in.Document.Name.Truncated = true
		in.Document.DateOfExpiry.Year = 2025
		in.Verdict.Reasons = append(in.Verdict.Reasons, verdict.Reason{Code: verdict.A03}, verdict.Reason{Code: verdict.S03})
		in.Record = &counter.Placement{Destination: "HKG", Agency: "PT Bintang Samudra Cahaya Persada Internasional", Until: "2026-01-31", Status: "ditunda"}
		in.Direction = ""
		d.change(func(v *counter.View) {
			v.Current, v.Drill, v.Direction = &in, true, ""
			v.Waiting = v.History[:2]
			v.Notice = &counter.Notice{ID: "Gesek sekali lagi.", EN: "Swipe again."}
		})
		save("full", `#banner[data-verdict=stop]`)
		key(t, ctx, kb.F1)
		save("direction", `#keys .choices`)
		d.change(func(v *counter.View) { v.Current, v.Waiting = nil, nil })
		save("idle-conditions", `#banner[data-verdict=idle]`)
		key(t, ctx, kb.F12)
		save("details", `#details[open]`)
		key(t, ctx, kb.Escape)
		click(t, ctx, `[data-open=directions]`)
		save("directions", `#directions[open]`)
		d.change(func(v *counter.View) { v.Fault = "cannot write queue.db: no space left on device" })
		save("fault", `#fault h2`)
		d.change(func(v *counter.View) { v.Fault, v.Direction, v.Drill, v.Notice = "", verdict.Return, false, nil })
		d.mu.Lock()
		d.err = counter.ErrDecided
		d.mu.Unlock()
		in = inspections()[verdict.None]
		in.Direction = verdict.Return
		d.show(in)
		save("return", `#banner[data-verdict=none]`)
		key(t, ctx, kb.F1)
		save("message", `#message p`)
		eval[string](t, ctx, `document.body.dataset.link = 'lost'`)
		save("lost", `#lost h2`)
	}
}

// history fills the list of ended inspections.
func history(d *desk, n int) {
	d.change(func(v *counter.View) {
		v.History = nil
		decisions := verdict.Decisions()
		for i := range n {
			l := counter.Line{
				ID: fmt.Sprint(i), At: time.Date(2026, 11, 23, 9, 59-i, 0, 0, time.Local), Document: fmt.Sprintf("X•••%03d", 100+i*37),
				Verdict: verdict.None, Decision: verdict.Proceed, DecidedBy: "officer", Direction: verdict.Departure, Crossing: true,
				Sequence: uint64(100 - i), Confirmed: i > 3,
			}
			if i%4 == 1 {
				l.Verdict, l.Decision, l.Crossing = codes[i%5], decisions[1+i%4], false
			}
			if i == 6 {
				l.Decision, l.DecidedBy, l.Crossing = "", "agent", false
			}
			v.History = append(v.History, l)
		}
	})
}
