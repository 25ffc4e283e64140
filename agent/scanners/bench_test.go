package scanners_test

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lintas/devices"
)

// microseconds reports the median and the worst of some times.
func microseconds(b *testing.B, times []time.Duration) {
	b.Helper()
	if len(times) == 0 {
		return
	}
	slices.Sort(times)
	us := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
	b.ReportMetric(us(times[len(times)/2]), "µs-p50")
	b.ReportMetric(us(times[len(times)*99/100]), "µs-p99")
	b.ReportMetric(0, "ns/op")
}

// forget empties what a benchmark does not look at.
func (c *counter) forget() {
	for len(c.states) > 0 {
		<-c.states
	}
}

// BenchmarkScan is the time from the last byte of a framed document to its scan. To
// reach: 1 ms.
func BenchmarkScan(b *testing.B) {
	for _, c := range []struct{ name, head, last string }{
		{"CR", swipe[:len(swipe)-1], "\r"},
		{"ETX", "\x02" + swipe, "\x03"},
	} {
		b.Run(c.name, func(b *testing.B) {
			bench := newBench(b)
			s := bench.plugIn("Reader")
			k := start(b, settings(s.link), 10)
			k.await(devices.Ready)
			var times []time.Duration
			read := uint64(0)
			for b.Loop() {
				s.send(c.head)
				read += uint64(len(c.head))
				for k.r.Stats().Bytes < read {
					time.Sleep(50 * time.Microsecond)
				}
				early := len(k.scans) > 0 // the zone itself was enough
				began := time.Now()
				s.send(c.last)
				<-k.scans
				if !early {
					times = append(times, time.Since(began))
				} else {
					times = append(times, 0)
				}
				read += uint64(len(c.last))
				k.forget()
			}
			microseconds(b, times)
		})
	}
}

// BenchmarkUnplug is the time from the hang-up to the state absent. To reach: 50 ms.
func BenchmarkUnplug(b *testing.B) {
	bench := newBench(b)
	k := start(b, settings(bench.port("Reader")), 10)
	var times []time.Duration
	for b.Loop() {
		s := bench.plugIn("Reader")
		k.await(devices.Ready)
		began := time.Now()
		s.pull()
		k.await(devices.Absent)
		times = append(times, time.Since(began))
	}
	microseconds(b, times)
}

// BenchmarkPlugIn is the time from the name to the state ready, after an absence
// that would have made the next attempt seconds away. To reach: 100 ms.
func BenchmarkPlugIn(b *testing.B) {
	bench := newBench(b)
	k := start(b, settings(bench.port("Reader")), 10)
	k.await(devices.Absent)
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		s := bench.plugIn("Reader")
		k.await(devices.Ready)
		times = append(times, time.Since(began))
		s.pull()
		k.await(devices.Absent)
	}
	microseconds(b, times)
}

// BenchmarkCancel is the time from the end of the context to the end of Run. To
// reach: 50 ms.
func BenchmarkCancel(b *testing.B) {
	bench := newBench(b)
	s := bench.plugIn("Reader")
	var times []time.Duration
	for b.Loop() {
		k := start(b, settings(s.link), 10)
		k.await(devices.Ready)
		began := time.Now()
		k.stop()
		times = append(times, time.Since(began))
	}
	microseconds(b, times)
}

// BenchmarkIdle is what four silent scanners and one that is absent cost. To reach:
// 0.1 % of a processor.
func BenchmarkIdle(b *testing.B) {
	bench := newBench(b)
	for _, name := range []string{"A", "B", "C", "D"} {
		s := bench.plugIn(name)
		start(b, settings(s.link), 10).await(devices.Ready)
	}
	start(b, settings(bench.port("E")), 10).await(devices.Absent)
	before, began := cpu(b), time.Now()
	for b.Loop() {
		time.Sleep(10 * time.Second)
	}
	b.ReportMetric(100*float64(cpu(b)-before)/float64(time.Since(began)), "%cpu")
}

// BenchmarkFlood is what ten megabytes cost before a swipe is read, and how that
// compares with reading them from the same kind of line and doing nothing. To
// reach: 0.3 s.
func BenchmarkFlood(b *testing.B) {
	flood := strings.Repeat(strings.Repeat("A", 1000)+"\xff~\x00\r", 10<<20/1004)
	bench := newBench(b)
	s := bench.plugIn("Reader")
	k := start(b, settings(s.link), 1000)
	k.await(devices.Ready)
	var took time.Duration
	n := 0
	for b.Loop() {
		began := time.Now()
		s.send(flood)
		s.send("\r" + swipe)
		k.complete(td3a, td3b)
		took += time.Since(began)
		n++
		k.forget()
	}
	ours := took.Seconds() / float64(n)

	p := &plugged{t: b}
	tty, err := os.OpenFile(p.open(), os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer tty.Close()
	defer p.master.Close()
	conn, err := tty.SyscallConn()
	if err != nil {
		b.Fatal(err)
	}
	conn.Control(func(fd uintptr) {
		t, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		if err != nil {
			b.Fatal(err)
		}
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		if err := unix.IoctlSetTermios(int(fd), unix.TCSETS, t); err != nil {
			b.Fatal(err)
		}
	})
	began := time.Now()
	go p.send(flood)
	if _, err := io.CopyN(struct{ io.Writer }{io.Discard}, tty, int64(len(flood))); err != nil {
		b.Fatal(err)
	}
	raw := time.Since(began).Seconds()
	b.ReportMetric(ours, "s/flood")
	b.ReportMetric(ours/raw, "x-raw")
	b.ReportMetric(0, "ns/op")
}
