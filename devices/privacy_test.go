package devices_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lintas/devices"
)

// leaks looks for what a log must not hold: any five characters of a document.
func leaks(text string) string {
	for _, line := range []string{line1, line2} {
		for i := range len(line) - 4 {
			if w := line[i : i+5]; w != "<<<<<" && strings.Contains(text, w) {
				return w
			}
		}
	}
	return ""
}

// untimed leaves the time out of a log: its digits can look like a document's.
func untimed(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func TestNothingReadIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var told []string
		src, second := newFake(), newFake()
		r := &devices.Reader{
			Name:     "counter-3",
			Open:     opens(errAbsent, src, second),
			Framer:   newFramer,
			Logger:   slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: untimed})),
			OnChange: func(s devices.State) { told = append(told, fmt.Sprint(s.Status, s.Reason)) },
		}
		out := make(chan devices.Scan)
		stop := start(t, r, out)
		synctest.Wait()
		src.send(swipe)
		src.send(line1[:20] + "\xff" + line1[20:] + "\r" + line2) // torn
		time.Sleep(time.Second)
		for range 70 { // more than the line holds
			src.send(swipe)
		}
		synctest.Wait()
		src.send(line1)
		src.fail(devices.ErrUnplugged)
		time.Sleep(time.Second)
		second.send(swipe)
		synctest.Wait()
		<-out
		stop()

		if w := leaks(log.String()); w != "" {
			t.Errorf("the log holds %q:\n%s", w, log.String())
		}
		if w := leaks(strings.Join(told, "\n")); w != "" {
			t.Errorf("OnChange was told %q", w)
		}
		for _, want := range []string{`"shape":"44+44"`, "scanner ready", "scanner degraded", "scanner not usable", "scans lost at the end"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("the log does not hold %q:\n%s", want, log.String())
			}
		}
	})
}

func TestScanShowsItsShapeOnly(t *testing.T) {
	s := devices.Scan{Scanner: "counter-3", Seq: 7, Status: devices.Complete, Lines: []string{line1, line2}}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).LogAttrs(context.Background(), slog.LevelInfo, "x", slog.Any("scan", s))
	for _, text := range []string{
		fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s", s, s, s, s), fmt.Sprint([]devices.Scan{s}), fmt.Sprint(&s), log.String(),
	} {
		if w := leaks(text); w != "" || !strings.Contains(text, "44+44") {
			t.Errorf("shown as %q", text)
		}
	}
}

func TestScanJSON(t *testing.T) {
	s := devices.Scan{
		Scanner: "counter-3", Seq: 7, Status: devices.Partial, Lines: []string{line1},
		First: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), Last: time.Date(2026, 11, 23, 10, 0, 1, 0, time.UTC),
	}
	got, err := json.Marshal(s)
	want := `{"scanner":"counter-3","seq":7,"status":"partial","lines":["P\u003cUTOERIKSSON\u003c\u003cANNA`
	if err != nil || !strings.HasPrefix(string(got), want) || !strings.HasSuffix(string(got), `"at":"2026-11-23T10:00:01Z"}`) {
		t.Errorf("got %s, %v", got, err)
	}
}
