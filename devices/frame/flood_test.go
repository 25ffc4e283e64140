package frame_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/frame"
)

// floods are what a broken scanner or a wrong speed sends.
var floods = []struct {
	name string
	make func() []byte
}{
	{"random", func() []byte {
		r := rand.NewChaCha8([32]byte{1})
		b := make([]byte, 10<<20)
		r.Read(b)
		return b
	}},
	{"letters", func() []byte { return bytes.Repeat([]byte("A"), 10<<20) }},
	{"tracks", func() []byte { return bytes.Repeat([]byte(";1234"), 1<<20/5) }},
	{"runs to be split", func() []byte {
		return bytes.Repeat([]byte("I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKS "), 1<<20/67)
	}},
	{"pieces of lines", func() []byte { return bytes.Repeat([]byte("L898902C36UTO74081 "), 1<<20/19) }},
}

// fills are what runs in a flood are made of: nothing like a document, what could be
// one at every place, and documents that have come apart.
var fills = []struct {
	name, unit string
	asked      bool // its check digits are, which takes memory
}{
	{"letters", "A", false},
	{"letters that begin nothing", "B", false},
	{"digits", "7", false},
	{"letter and digit", "A7", false},
	{"few digits", "AAAAAAAAA1", false},
	{"fillers", "<", false},
	{"letter and filler", "P<", false},
	{"unread", "_", false},
	{"unread openings", "__IDFRA__", false},
	{"openings", "P<UTO", false},
	{"openings and numbers", "I<UTOL898902C3", false},
	{"heads of licences", "AAA001D<<", false},
	{"dates", "A<7408122<<<<<<<7408122<IDFRAAAA001D<<<<<<<<<I<D<<<", true},
	{"wrong documents", td3a + td3b[:43] + "1", true},
}

// runs is a flood of runs of the same length, cut by everything that cuts a line.
func runs(unit string, length, size int) []byte {
	run := bytes.Repeat([]byte(unit), length/len(unit)+1)[:length]
	var b []byte
	for i := 0; len(b) < size; i++ {
		b = append(append(b, run...), []string{"\r", "\n", "\r\n", " ", "\x00", "\xff~"}[i%6]...)
	}
	return b
}

// runLengths are shorter than a line, between one and three, and longer than any run
// that is kept.
var runLengths = []int{1, 10, 31, 45, 89, 100, 300, 1000}

func TestFloodOfRuns(t *testing.T) {
	for _, fill := range fills {
		t.Run(fill.name, func(t *testing.T) {
			for _, length := range runLengths {
				flood := runs(fill.unit, length, 1<<16)
				f := frame.New(frame.Options{})
				n := 0
				emit := func(s devices.Scan) {
					if n++; s.Status == devices.Complete && !fill.asked {
						t.Errorf("runs of %d: a document %q", length, s.Lines)
					}
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				f.Push(start, flood, emit)
				runtime.ReadMemStats(&after)
				// Nothing takes memory but scans.
				if got, most := after.Mallocs-before.Mallocs, uint64(100+20*n); got > most && !fill.asked {
					t.Errorf("runs of %d: %d allocations for %d scans", length, got, n)
				}
				f.Idle(start, emit)
				if got := run(f, td3a+"\r"+td3b+"\r"); !same(got, scans(td3)) {
					t.Errorf("runs of %d: the swipe after the flood: got%s", length, show(got))
				}
			}
		})
	}
}

func TestFlood(t *testing.T) {
	for _, c := range floods {
		t.Run(c.name, func(t *testing.T) {
			flood := c.make()
			f := frame.New(frame.Options{})
			partial := 0
			emit := func(s devices.Scan) {
				if partial++; s.Status != devices.Partial {
					t.Errorf("%d lines of %d found in noise", len(s.Lines), len(s.Lines[0]))
				}
			}
			f.Push(start, flood[:1<<16], emit)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for p := flood; len(p) > 0; p = p[min(len(p), 4096):] {
				f.Push(start, p[:min(len(p), 4096)], emit)
			}
			runtime.ReadMemStats(&after)
			// A random flood holds a scan or two by chance. Else nothing is
			// allocated; the few are the test's own and the runtime's.
			if n := after.Mallocs - before.Mallocs; n > 100 {
				t.Errorf("%d allocations for %d bytes", n, len(flood))
			}
			if partial > 5 {
				t.Errorf("%d partial scans out of noise", partial)
			}
			f.Idle(start, emit)
			if got := run(f, td3a+"\r"+td3b+"\r"); !same(got, scans(td3)) {
				t.Errorf("the swipe after the flood: got%s", show(got))
			}
		})
	}
}

func BenchmarkSwipe(b *testing.B) {
	in := []byte("\x02" + td3a + "\r" + td3b + "\r\x03")
	f := frame.New(frame.Options{})
	n := 0
	emit := func(devices.Scan) { n++ }
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		f.Push(start, in, emit)
	}
	if n == 0 {
		b.Error("no scans")
	}
}

func BenchmarkFlood(b *testing.B) {
	for _, c := range floods {
		b.Run(c.name, func(b *testing.B) {
			flood := c.make()
			f := frame.New(frame.Options{})
			emit := func(devices.Scan) {}
			b.SetBytes(int64(len(flood)))
			b.ReportAllocs()
			now := time.Now()
			for b.Loop() {
				f.Push(now, flood, emit)
			}
		})
	}
}

// BenchmarkRuns is what ten megabytes of runs cost, in seconds. To reach: 0.3 s.
func BenchmarkRuns(b *testing.B) {
	for _, fill := range fills {
		for _, length := range runLengths {
			b.Run(fmt.Sprintf("%s/%d", fill.name, length), func(b *testing.B) {
				flood := runs(fill.unit, length, 1<<18)
				f := frame.New(frame.Options{})
				emit := func(devices.Scan) {}
				best := time.Hour // others use the machine too
				for b.Loop() {
					began := time.Now()
					f.Push(start, flood, emit)
					best = min(best, time.Since(began))
				}
				b.ReportMetric(best.Seconds()*(10<<20)/float64(len(flood)), "s/10MB")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
