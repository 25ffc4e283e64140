package devices_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lintas/devices"
)

// lamp is a scanner that is armed with "arm;" and signals in words.
type lamp struct {
	devices.Framer
	again time.Duration
}

func (lamp) Arm(w io.Writer) error { return write(w, "arm;") }
func (lamp) Signal(w io.Writer, s devices.Signal) error {
	return write(w, string(s)+";")
}
func (l lamp) ArmAgain() time.Duration { return l.again }

func write(w io.Writer, s string) error {
	_, err := io.WriteString(w, s)
	return err
}

func (s *fakeSource) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written.String()
}

func TestSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		r := &devices.Reader{Name: "desk", Open: opens(errAbsent, src), Framer: func() devices.Framer { return lamp{newFramer(), 0} }}
		r.Signal(devices.Good) // nobody is there
		out := make(chan devices.Scan, 1)
		start(t, r, out)
		synctest.Wait()
		src.send(swipe)
		<-out
		synctest.Wait()
		r.Signal(devices.Good)
		synctest.Wait()
		r.Signal(devices.Bad)
		synctest.Wait()
		if got := src.said(); got != "arm;arm;good;bad;" {
			t.Errorf("said %q", got)
		}
		src.fail(devices.ErrUnplugged)
		synctest.Wait()
		r.Signal(devices.Good) // gone
		synctest.Wait()
		if got := src.said(); got != "arm;arm;good;bad;" {
			t.Errorf("said %q after it was pulled out", got)
		}
	})
}

// A scanner that falls asleep is armed again, and one that has no ears is left
// alone.
func TestArmAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		r := &devices.Reader{Name: "desk", Open: opens(errAbsent, src), Framer: func() devices.Framer { return lamp{newFramer(), 25 * time.Second} }}
		stop := start(t, r, make(chan devices.Scan, 1))
		time.Sleep(80 * time.Second)
		synctest.Wait()
		if got := src.said(); got != strings.Repeat("arm;", 4) {
			t.Errorf("said %q in 80 seconds", got)
		}
		stop()
		time.Sleep(80 * time.Second)
		if got := src.said(); got != strings.Repeat("arm;", 4) {
			t.Errorf("said %q after the end", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		r := &devices.Reader{Name: "desk", Open: opens(errAbsent, src), Framer: newFramer}
		start(t, r, make(chan devices.Scan, 1))
		synctest.Wait()
		r.Signal(devices.Bad)
		synctest.Wait()
		if got := src.said(); got != "" {
			t.Errorf("said %q to a scanner without ears", got)
		}
	})
}

// A scanner that does not take a signal goes on reading.
func TestSignalThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFake()
		r := &devices.Reader{Name: "desk", Open: opens(errAbsent, src), Framer: func() devices.Framer {
			return struct{ devices.Signaller }{onlyLamp{newFramer()}}
		}}
		src.writeErr = errors.New("it does not listen")
		out := make(chan devices.Scan, 1)
		start(t, r, out)
		synctest.Wait()
		for range 3 {
			r.Signal(devices.Good)
		}
		synctest.Wait()
		src.send(swipe)
		if s := <-out; s.Status != devices.Complete {
			t.Errorf("got %v", s)
		}
	})
}

// onlyLamp is not armed.
type onlyLamp struct{ devices.Framer }

func (onlyLamp) Signal(w io.Writer, s devices.Signal) error { return write(w, string(s)) }
