package serial_test

import (
	"testing"

	"lintas/devices"
	"lintas/devices/frame"
)

func TestSwipe(t *testing.T) {
	for _, c := range []struct{ name, in string }{
		{"CR", swipe},
		{"LF", td3a + "\n" + td3b + "\n"},
		{"CRLF", td3a + "\r\n" + td3b + "\r\n"},
		{"STX ETX", "\x02" + td3a + "\r" + td3b + "\r\x03"},
		{"flow control bytes are bytes", "\x13\x11" + swipe + "\x03\x1a\x04"},
		{"garbage", "\x00\xff~\x7f" + td3a + "\r\xfe\x00" + td3b + "\r\xff\xff"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSocket(t)
			s.plugIn()
			k := start(t, s.port, long, make(chan devices.Scan, 10))
			k.await(devices.Ready)
			s.send(c.in)
			if scan := k.scan(devices.Complete, td3a, td3b); scan.Seq != 1 || scan.Scanner != "counter-3" || scan.Last.Before(scan.First) {
				t.Errorf("scan is %v, from %v to %v", scan, scan.First, scan.Last)
			}
			k.read(len(c.in)) // all of it: a tty that was not raw would change or keep some
		})
	}
}

func TestSwipeWithoutAnEnd(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	k := start(t, s.port, frame.DefaultGap, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	s.send(td3a + td3b)
	k.scan(devices.Complete, td3a, td3b)
}

func TestByteByByte(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	k := start(t, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	for i := range len(swipe) {
		s.send(swipe[i : i+1])
		k.read(1)
	}
	k.scan(devices.Complete, td3a, td3b)
}

func TestEverySplit(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	k := start(t, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	for i := 1; i < len(swipe); i++ {
		s.send(swipe[:i])
		k.read(i)
		s.send(swipe[i:])
		if scan := k.scan(devices.Complete, td3a, td3b); scan.Seq != uint64(i) {
			t.Fatalf("Seq is %d, want %d", scan.Seq, i)
		}
		k.read(len(swipe) - i)
	}
}

func TestTwoSwipesInOneRead(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	k := start(t, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	s.send(td3a + "\r" + td3b + td3c + "\r" + td3d + "\r")
	k.scan(devices.Complete, td3a, td3b)
	k.scan(devices.Complete, td3c, td3d)
}

func TestStaleBytesAreDiscarded(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	s.send(td3a + "\r" + td3b[:20]) // before anybody listens
	k := start(t, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	s.send(swipe)
	k.scan(devices.Complete, td3a, td3b)
	k.stop()
	if n := k.r.Stats().Bytes; n != uint64(len(swipe)) {
		t.Errorf("%d bytes were read, want only the %d of the swipe", n, len(swipe))
	}
}

func TestStalledReceiver(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	k := start(t, s.port, long, make(chan devices.Scan))
	k.await(devices.Ready)
	for i := range 100 {
		s.send(numbered(i))
		k.read(len(numbered(i)))
	}
	if st := k.await(devices.Degraded); st.Dropped == 0 {
		t.Errorf("state is %+v", st)
	}
	if st := k.r.State(); st.Dropped != 36 {
		t.Errorf("%d dropped, want 36", st.Dropped)
	}
	for i := range 64 {
		want := numbered(i)
		if scan := k.scan(devices.Complete, want[:44], want[45:89]); scan.Seq != uint64(i+1) {
			t.Fatalf("Seq is %d, want %d", scan.Seq, i+1)
		}
	}
	k.await(devices.Ready)
}

// A flood is read as fast as it comes, and a swipe after it is found.
func TestFlood(t *testing.T) {
	s := newSocket(t)
	s.plugIn()
	k := start(t, s.port, long, make(chan devices.Scan, 10))
	k.await(devices.Ready)
	const size = 1 << 20
	flood := make([]byte, 1<<12)
	for i := range flood {
		flood[i] = 'A'
	}
	for range size / len(flood) {
		s.send(string(flood))
	}
	s.send("\r" + swipe)
	k.scan(devices.Complete, td3a, td3b)
	if reads := k.readCount(); reads > size/16 {
		t.Errorf("%d reads for %d bytes", reads, size)
	}
}
