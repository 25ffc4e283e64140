package hidpos_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/hidpos"
)

func TestMakers(t *testing.T) {
	for _, m := range makers {
		t.Run(m.name, func(t *testing.T) {
			for _, c := range []struct {
				name   string
				stream []byte
				want   []string
			}{
				{"one message", m.message("]o1", swipe(td3a, td3b)), []string{td3a, td3b}},
				{"with a last end", m.message("]o1", swipe(td3a, td3b)+"\r"), []string{td3a, td3b}},
				{"a message a line", append(m.message("]o1", td3a), m.message("]o1", td3b)...), []string{td3a, td3b}},
				{"three lines", m.message("", swipe(td1a, td1b, td1c)), []string{td1a, td1b, td1c}},
			} {
				t.Run(c.name, func(t *testing.T) {
					scans := read(newFramer(), append(m.begin(), c.stream...))
					if len(scans) != 1 {
						t.Fatalf("%d scans", len(scans))
					}
					wantLines(t, scans[0], devices.Complete, c.want...)
				})
			}
		})
	}
}

func TestTrouble(t *testing.T) {
	m := makers[0]
	whole := m.message("]o1", swipe(td3a, td3b))
	first := len(record('R', make([]byte, 64)))
	for _, c := range []struct {
		name   string
		stream []byte
		want   string
	}{
		{"a report of another number", append(record('R', append([]byte{9}, make([]byte, 63)...)), whole...), "complete"},
		{"an empty report", append(record('R', []byte{2}), whole...), "complete"},
		{"a length that lies", record('R', m.report("]o1", td3a[:40], false)), "partial"},
		{"a message without an end", whole[:first], "partial"},
		{"another descriptor in between", append(append(record('D', makers[1].descriptor), makers[1].message("]o1", swipe(td3a, td3b))...), append(m.begin(), whole...)...), "complete complete"},
		{"a broken descriptor changes nothing", append(record('D', []byte{0xc0}), whole...), "complete"},
		{"noise between records", append([]byte("\x00\xff?"), whole...), "complete"},
		{"a record of no length", append([]byte{'R', 0, 0}, whole...), "complete"},
		{"a barcode", m.message("]E0", "4006381333931"), "barcode EAN"},
		{"a barcode of two reports", m.message("]Q1", strings.Repeat("https://example.com/", 5)), "barcode QR code"},
		{"a zone in a barcode", m.message("]Q1", swipe(td3a, td3b)), "complete"},
		{"no document and no barcode", m.message("]o1", "HELLO"), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			stream := append(m.begin(), c.stream...)
			if c.name == "a length that lies" {
				stream[len(stream)-64+1] = 255
			}
			var got []string
			for _, s := range read(newFramer(), stream) {
				got = append(got, strings.TrimSpace(string(s.Status)+" "+s.Kind))
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	t.Run("reports before any descriptor", func(t *testing.T) {
		f := newFramer()
		if scans := read(f, whole); len(scans) != 0 || f.Stats().Noise == 0 {
			t.Errorf("%d scans, %+v", len(scans), f.Stats())
		}
	})
}

// A message that has not ended is over after the gap, and does not become part of
// the next one.
func TestMessageTimesOut(t *testing.T) {
	for _, m := range makers {
		f := newFramer()
		var got []devices.Scan
		emit := func(s devices.Scan) { got = append(got, s) }
		f.Push(start, m.begin(), emit)
		f.Push(start, record('R', m.reports("]o1", swipe(td3a, td3b))[0]), emit)
		due, held := f.Deadline()
		if !held || due != start.Add(hidpos.DefaultGap) {
			t.Fatalf("%s: due %v, %t", m.name, due, held)
		}
		f.Push(due.Add(time.Second), m.message("]o1", swipe(td3a, td3b)), emit)
		wantLines(t, got[len(got)-1], devices.Complete, td3a, td3b)
	}
}

func TestAnyChunking(t *testing.T) {
	var all []byte
	for _, m := range makers {
		all = append(all, m.begin()...)
		all = append(all, m.message("]o1", swipe(td3a, td3b))...)
		all = append(all, m.message("]E0", "4006381333931")...)
		all = append(all, m.message("]o1", swipe(td1a, td1b, td1c))...)
		all = append(all, "xx"...)
	}
	shape := func(scans []devices.Scan) (s string) {
		for _, scan := range scans {
			s += fmt.Sprintln(scan.Status, scan.Kind, scan.Lines)
		}
		return s
	}
	want := shape(read(newFramer(), all))
	if strings.Count(want, "complete") != 6 {
		t.Fatalf("got %s", want)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 60 {
		pieces := []int{n + 1}
		for range n {
			pieces = append(pieces, 1+random.IntN(200))
		}
		if got := shape(read(newFramer(), all, pieces...)); got != want {
			t.Fatalf("in pieces of %v:\n%s\nwhole:\n%s", pieces, got, want)
		}
	}
}

// line is a scanner to which something can be said.
type line struct {
	bytes.Buffer
	descriptor []byte
	err        error
}

func (l *line) Descriptor() []byte { return l.descriptor }
func (l *line) Write(b []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	return l.Buffer.Write(b)
}

// wrapped is a source in front of another one.
type wrapped struct{ devices.Source }

func (w wrapped) Unwrap() devices.Source { return w.Source }

func TestTrigger(t *testing.T) {
	for _, m := range makers {
		f := newFramer()
		l := &line{descriptor: m.descriptor}
		if err := f.Arm(l); err != nil || l.String() != m.trigger {
			t.Errorf("%s: armed by %q, want %q (%v)", m.name, l.String(), m.trigger, err)
		}
		scanner, src := plug(t, m)
		if err := newFramer().Arm(wrapped{src}); err != nil {
			t.Fatal(err)
		}
		if m.trigger != "" {
			scanner.SetReadDeadline(time.Now().Add(patience))
			b := make([]byte, 64)
			if n, err := scanner.Read(b); err != nil || string(b[:n]) != m.trigger {
				t.Errorf("%s: through another source it is told %q, %v", m.name, b[:n], err)
			}
		}
		// The descriptor in the stream does as well.
		var plain bytes.Buffer
		read(f, m.begin())
		if err := f.Arm(&plain); err != nil || plain.String() != m.trigger {
			t.Errorf("%s: armed by %q, want %q (%v)", m.name, plain.String(), m.trigger, err)
		}
		if err := f.Arm(&line{descriptor: m.descriptor, err: errors.New("stalled")}); err != nil {
			t.Errorf("a scanner that takes no reports: %v", err)
		}
	}
	gone := &line{descriptor: makers[0].descriptor, err: devices.ErrUnplugged}
	if err := newFramer().Arm(gone); !errors.Is(err, devices.ErrUnplugged) {
		t.Errorf("a scanner that is gone: %v", err)
	}
}
