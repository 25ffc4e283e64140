package serial_test

import (
	"testing"
	"time"

	"lintas/devices"
)

// BenchmarkSwipe is the time from the scanner's last byte to the scan.
func BenchmarkSwipe(b *testing.B) {
	s := newSocket(b)
	s.plugIn()
	k := start(b, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	b.SetBytes(int64(len(swipe)))
	for b.Loop() {
		s.send(swipe)
		<-k.scans
		for len(k.pushed) > 0 {
			<-k.pushed
		}
		for len(k.states) > 0 {
			<-k.states
		}
	}
}

// BenchmarkFlood is how fast bytes are read and framed.
func BenchmarkFlood(b *testing.B) {
	s := newSocket(b)
	s.plugIn()
	k := start(b, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	flood := string(make([]byte, 1<<12))
	b.SetBytes(int64(len(flood)))
	for b.Loop() {
		s.send(flood)
		k.read(len(flood))
	}
}

// BenchmarkCancel is the time from the end of the context to the end of Run,
// with a scanner that is silent.
func BenchmarkCancel(b *testing.B) {
	s := newSocket(b)
	s.plugIn()
	var took time.Duration
	n := 0
	for b.Loop() {
		k := start(b, s.port, long, make(chan devices.Scan, 10))
		k.await(devices.Ready)
		began := time.Now()
		k.stop()
		took += time.Since(began)
		n++
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(n), "ns/cancel")
}

// BenchmarkUnplug is the time from the hang-up to the error.
func BenchmarkUnplug(b *testing.B) {
	var took time.Duration
	n := 0
	for b.Loop() {
		s := newSocket(b)
		s.plugIn()
		src := open(b, s.port)
		done := make(chan time.Time)
		go func() {
			src.Read(make([]byte, 1))
			done <- time.Now()
		}()
		began := time.Now()
		s.pull()
		took += (<-done).Sub(began)
		src.Close()
		n++
	}
	b.ReportMetric(float64(took.Nanoseconds())/float64(n), "ns/unplug")
}
