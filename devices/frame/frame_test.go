package frame_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/frame"
)

var start = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func unread(line string, at ...int) string {
	b := []byte(line)
	for _, i := range at {
		b[i] = '_'
	}
	return string(b)
}

// run frames pieces that all come at once, and then silence.
func run(f devices.Framer, pieces ...string) []devices.Scan { return runAt(start, f, pieces...) }

func runAt(now time.Time, f devices.Framer, pieces ...string) []devices.Scan {
	var got []devices.Scan
	emit := func(s devices.Scan) { got = append(got, s) }
	for _, p := range pieces {
		f.Push(now, []byte(p), emit)
	}
	if due, held := f.Deadline(); held {
		f.Idle(due, emit)
	}
	return got
}

// same compares what a document holds.
func same(a, b []devices.Scan) bool {
	return slices.EqualFunc(a, b, func(a, b devices.Scan) bool {
		return a.Status == b.Status && slices.Equal(a.Lines, b.Lines) && a.Kind == b.Kind && reflect.DeepEqual(a.Pass, b.Pass)
	})
}

// show prints specimens, which a Scan itself does not.
func show(s []devices.Scan) string {
	var b strings.Builder
	for _, s := range s {
		b.WriteString("\n\t" + string(s.Status))
		for _, l := range s.Lines {
			b.WriteString("\n\t\t" + l)
		}
	}
	return b.String()
}

func TestFramer(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := frame.New(frame.Options{})
			if got := run(f, c.in); !same(got, c.want) {
				t.Errorf("got%s\nwant%s", show(got), show(c.want))
			}
			if due, held := f.Deadline(); held {
				t.Errorf("still holds something until %v after Idle", due)
			}
		})
	}
}

func TestEmittedAtOnce(t *testing.T) {
	// The byte after the last line is enough; silence is only needed without it.
	f := frame.New(frame.Options{})
	n := 0
	emit := func(devices.Scan) { n++ }
	f.Push(start, []byte(td3a+"\r"+td3b), emit)
	if n != 0 {
		t.Error("emitted before the end of the line: a longer line would be taken for this one")
	}
	f.Push(start, []byte("\r"), emit)
	if n != 1 {
		t.Errorf("%d scans at the end of the line, want 1", n)
	}
	if _, held := f.Deadline(); held {
		t.Error("something is held after a whole document")
	}
}

func TestSilence(t *testing.T) {
	const gap = frame.DefaultGap
	type step struct {
		after time.Duration
		bytes string
	}
	for _, c := range []struct {
		name  string
		steps []step
		want  []devices.Scan
	}{
		{"shorter than the gap", []step{{0, td3a + "\r"}, {gap - 1, td3b + "\r"}}, scans(td3)},
		{"as long as the gap", []step{{0, td3a + "\r"}, {gap, td3b + "\r"}}, scans(part(td3a), part(td3b))},
		{"inside a line", []step{{0, td3a[:20]}, {gap, td3a[20:] + "\r" + td3b + "\r"}}, scans(part(td3a[:20]), part(td3a[20:], td3b))},
		{"inside a line, short", []step{{0, td3a[:20]}, {gap - 1, td3a[20:] + "\r"}, {gap - 1, td3b + "\r"}}, scans(td3)},
		{"noise does not bridge it", []step{{0, td3a + "\r"}, {gap / 2, "\x00\x00"}, {gap / 2, "\x00" + td3b + "\r"}}, scans(part(td3a), part(td3b))},
		{"letters do not bridge it", []step{{0, td3a + "\r"}, {gap / 2, "OK"}, {gap / 2, " " + td3b + "\r"}}, scans(part(td3a), part(td3b))},
		{"a track does not bridge it", []step{{0, td3a + "\r"}, {gap / 2, "%AB"}, {gap / 2, "?" + td3b + "\r"}}, scans(part(td3a), part(td3b))},
		{"a track without an end", []step{{0, "%B41"}, {gap, td3a + "\r" + td3b + "\r"}}, scans(td3)},
		{"an endless line", []step{{0, strings.Repeat("A", 500)}, {gap, td3a + "\r" + td3b + "\r"}}, scans(td3)},
		{"two travellers, one line each", []step{{0, td3a + "\r"}, {2 * time.Second, td3d + "\r"}}, scans(part(td3a), part(td3d))},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, called := range []bool{true, false} { // Idle called in time, or too late
				f := frame.New(frame.Options{})
				var got []devices.Scan
				emit := func(s devices.Scan) { got = append(got, s) }
				now := start
				for _, s := range c.steps {
					now = now.Add(s.after)
					if due, held := f.Deadline(); called && held && !now.Before(due) {
						f.Idle(due, emit)
					}
					f.Push(now, []byte(s.bytes), emit)
				}
				f.Idle(now.Add(gap), emit)
				if !same(got, c.want) {
					t.Errorf("Idle called %v: got%s\nwant%s", called, show(got), show(c.want))
				}
			}
		})
	}
}

func TestTimes(t *testing.T) {
	f := frame.New(frame.Options{Gap: time.Second})
	var got []devices.Scan
	emit := func(s devices.Scan) { got = append(got, s) }
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	f.Push(at(0), []byte("\x02"), emit)
	f.Push(at(10), []byte(td3a[:3]), emit)
	f.Push(at(20), []byte(td3a[3:]+"\r"), emit)
	f.Push(at(30), []byte(td3b[:9]), emit)
	f.Push(at(40), []byte(td3b[9:]), emit)
	if due, held := f.Deadline(); !held || !due.Equal(at(1040)) {
		t.Errorf("Deadline is %v, %v; want a second after the last character", due, held)
	}
	f.Push(at(50), []byte("\r"), emit)
	if len(got) != 1 || !got[0].First.Equal(at(10)) || !got[0].Last.Equal(at(40)) {
		t.Errorf("got %v; want one scan from 10 to 40 ms", got)
	}
}

func TestStats(t *testing.T) {
	f := frame.New(frame.Options{})
	run(f, "\xff\x80junk"+td3a+"\r"+td3b+"\r;4111=25?"+td3a+"\r")
	want := devices.Stats{
		Bytes: 2 + 4 + 45 + 45 + 9 + 45,
		// two bytes above 0x7F, four letters in lower case, the track
		Noise: 2 + 4 + 9, HighBit: 2, Complete: 1, Partial: 1, Tracks: 1,
	}
	if got := f.Stats(); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
