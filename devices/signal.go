package devices

import (
	"io"
	"log/slog"
	"sync"
	"time"
)

// A Signal tells the person at a scanner how the reading went, by a beep or a
// lamp. It speaks of the reading only: what the counter thinks of the traveller
// is nobody's business who stands near.
type Signal string

const (
	Good   Signal = "good"   // the document was read
	Bad    Signal = "bad"    // it was not: once more
	Ignore Signal = "ignore" // it was read and is of no interest
)

// A Signaller is a Framer for a scanner that can beep or light a lamp when it is
// told to.
type Signaller interface {
	Framer
	// Signal tells the scanner. A signal it does not have is nothing.
	Signal(w io.Writer, s Signal) error
}

// A Rearmer is a Driver for a scanner that falls asleep when no document comes.
type Rearmer interface {
	Driver
	// ArmAgain is how long the scanner stays ready; 0: for ever.
	ArmAgain() time.Duration
}

// Signal lets the scanner beep or light up, if it can and is there. It does not
// wait for it, and one that is slow gets the newest signal only.
func (r *Reader) Signal(s Signal) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.signals == nil {
		return
	}
	select {
	case <-r.signals:
	default:
	}
	r.signals <- s // only here, under the lock, and there is room
}

// speaker is what is said to the scanner during one session. Arming and signals
// do not get in between each other.
type speaker struct {
	r      *Reader
	framer Framer
	src    Source
	mu     sync.Mutex // held while something is said
}

// arm makes the scanner ready, if it must be made.
func (s *speaker) arm() error {
	driver, ok := s.framer.(Driver)
	if !ok {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return driver.Arm(s.src)
}

// start passes signals on and arms again what falls asleep, until the returned
// function is called. What fails here shows in the reading too, if it matters.
func (s *speaker) start() (stop func()) {
	signaller, signals := s.framer.(Signaller)
	rearmer, sleeps := s.framer.(Rearmer)
	var again <-chan time.Time
	var ticker *time.Ticker
	if sleeps && rearmer.ArmAgain() > 0 {
		ticker = time.NewTicker(rearmer.ArmAgain())
		again = ticker.C
	}
	if !signals && again == nil {
		return func() {}
	}
	said := make(chan Signal, 1)
	s.r.setSignals(said)
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var err error
			select {
			case <-end:
				return
			case <-again:
				err = s.arm()
			case signal := <-said:
				if signals {
					s.mu.Lock()
					err = signaller.Signal(s.src, signal)
					s.mu.Unlock()
				}
			}
			if err != nil {
				s.r.log(slog.LevelDebug, "cannot speak to the scanner", "error", err)
			}
		}
	}()
	return func() {
		s.r.setSignals(nil)
		if ticker != nil {
			ticker.Stop()
		}
		close(end)
		<-ended
	}
}

func (r *Reader) setSignals(c chan Signal) {
	r.mu.Lock()
	r.signals = c
	r.mu.Unlock()
}
