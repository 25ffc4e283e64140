package frame_test

import (
	"bytes"
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
