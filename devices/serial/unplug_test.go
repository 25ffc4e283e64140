package serial_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"lintas/devices"
)

func TestUnpluggedMidSwipe(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	k := start(t, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	s.send(td3a + "\r" + td3b[:20])
	k.read(44 + 1 + 20)
	k.await(devices.Reading)

	s.pull()
	if st := k.await(devices.Absent); st.Reason == "" {
		t.Error("no reason is given")
	}
	k.scan(devices.Partial, td3a, td3b[:20])

	s.plugIn()
	k.await(devices.Ready)
	// The rest of the old swipe must not become anything together with it.
	s.send(swipe)
	if scan := k.scan(devices.Complete, td3a, td3b); scan.Seq != 2 {
		t.Errorf("Seq is %d, want 2", scan.Seq)
	}
}

func TestMissingThenPluggedIn(t *testing.T) {
	s := newSocket(t)
	k := start(t, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Absent)
	s.plugIn()
	k.await(devices.Ready)
	s.send(swipe)
	k.scan(devices.Complete, td3a, td3b)
}

// tarm's Read answers (0, io.EOF) for ever after a hang-up. Here it ends the
// session with the first answer, and opening is tried with growing pauses.
func TestNoBusyLoopAfterHangUp(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	k := start(t, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	<-k.opened
	s.send("noise")
	k.read(5)
	before := k.readCount()
	pulled := time.Now()
	s.pull()
	for range 4 {
		<-k.opened
	}
	// At most one read was waiting, and one more found it gone.
	if n := k.readCount() - before; n > 2 {
		t.Errorf("%d reads after the hang-up", n)
	}
	// The first of four may come at once if the machine was slow enough for
	// the session to count as steady; 0.1, 0.2 and 0.4 s lie between them.
	if d := time.Since(pulled); d < 700*time.Millisecond {
		t.Errorf("opened four times within %v", d)
	}
}

func TestCancel(t *testing.T) {
	for _, c := range []struct {
		name    string
		prepare func(s *socket, k *counter)
	}{
		{"idle", func(s *socket, k *counter) {}},
		{"reading", func(s *socket, k *counter) { s.send(td3a); k.read(44); k.await(devices.Reading) }},
		{"absent", func(s *socket, k *counter) { s.pull(); k.await(devices.Absent) }},
		{"stalled receiver", func(s *socket, k *counter) { s.send(swipe + swipe); k.read(2 * len(swipe)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSocket(t)
			s.plugIn()
			k := start(t, s.port, long, make(chan devices.Scan))
			k.await(devices.Ready)
			c.prepare(s, k)
			began := time.Now()
			k.stop()
			if d := time.Since(began); d > 2*time.Second { // microseconds, if nothing else runs
				t.Errorf("Run returned after %v", d)
			}
		})
	}
	t.Run("flood", func(t *testing.T) {
		s := newSocket(t)
		s.plugIn()
		k := start(t, s.port, long, make(chan devices.Scan))
		k.await(devices.Ready)
		scanner, done := s.scanner, make(chan struct{})
		go func() {
			defer close(done)
			for {
				if _, err := scanner.WriteString(swipe + "noise noise noise"); err != nil {
					return
				}
			}
		}()
		k.read(100_000)
		k.stop()
		s.pull() // ends the flood
		<-done
	})
}

// 200 times plugged in and pulled out, 20 scanners at a time, leave no open
// file and no goroutine.
func TestNoLeaks(t *testing.T) {
	const scanners, cycles = 20, 10
	// The first use of ptys and the poller keeps files open for good.
	warm := newSocket(t)
	warm.plugIn()
	k := start(t, warm.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	k.stop()
	warm.pull()
	files, goroutines := descriptors(t), runtime.NumGoroutine()

	var all sync.WaitGroup
	for range scanners {
		s := newSocket(t)
		all.Go(func() {
			k := start(t, s.port, long, make(chan devices.Scan, 10))
			defer k.stop()
			for range cycles {
				s.plugIn()
				k.await(devices.Ready)
				s.send(swipe + td3a)
				k.read(len(swipe + td3a))
				s.pull()
				k.scan(devices.Complete, td3a, td3b)
				k.scan(devices.Partial, td3a)
				k.await(devices.Absent)
			}
		})
	}
	all.Wait()

	// Goroutines that have returned are still counted for a moment.
	for end := time.Now().Add(patience); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if n := descriptors(t); n > files {
		t.Errorf("%d open files, %d before", n, files)
	}
}
