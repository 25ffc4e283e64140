package devices

import (
	"cmp"
	"context"
	"sync"
)

// lineLength is how many scans wait for their receiver before new ones are
// dropped: an hour's work of a counter whose receiver stands still.
const lineLength = 64

// line is where scans wait for their receiver. Putting never waits. When it is
// full the oldest are kept: they are the travellers who have been waiting.
type line struct {
	added chan struct{} // holds one token while there is something new to look at

	mu     sync.Mutex // guards the rest
	scans  [lineLength]Scan
	head   int  // the oldest
	length int  // how many wait
	full   bool // one was refused since the line was last empty
}

func newLine() *line { return &line{added: make(chan struct{}, 1)} }

// put adds a scan, or refuses it.
func (l *line) put(s Scan) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.length == lineLength {
		l.full = true
		return false
	}
	l.scans[(l.head+l.length)%lineLength] = s
	l.length++
	select {
	case l.added <- struct{}{}:
	default:
	}
	return true
}

// first is the oldest scan. It stays in the line until drop is called, so that
// the one being handed over counts as waiting.
func (l *line) first() (Scan, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.scans[l.head], l.length > 0
}

// drop removes the oldest scan. It returns true if that ends a time in which
// scans were refused.
func (l *line) drop() (recovered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.scans[l.head] = Scan{}
	l.head = (l.head + 1) % lineLength
	l.length--
	if l.length > 0 || !l.full {
		return false
	}
	l.full = false
	return true
}

func (l *line) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.length
}

func (l *line) stalled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.full
}

// deliver hands the scans in the line to out, in order, until ctx ends. A scan
// gets its number when it is handed over, so that the receiver sees no gap.
func (r *Reader) deliver(ctx context.Context, l *line, out chan<- Scan) {
	for ctx.Err() == nil {
		scan, ok := l.first()
		if !ok {
			select {
			case <-l.added:
			case <-ctx.Done():
			}
			continue
		}
		scan.Seq = r.seq + 1
		select {
		case out <- scan:
			r.seq++
			if l.drop() {
				r.change(func() { r.stalled = l.stalled() })
			}
		case <-ctx.Done():
		}
	}
}

// take puts a scan that was just framed into the line.
func (r *Reader) take(l *line, scan Scan) {
	scan.Scanner = r.Name
	if scan.Mode == "" {
		scan.Mode = cmp.Or(r.Mode, Swipe)
	}
	r.logScan(scan)
	lost := !l.put(scan)
	r.change(func() {
		r.state.LastScan = scan.Last
		r.history.remember(scan)
		if lost {
			r.state.Dropped++
		}
		r.stalled = l.stalled()
	})
}
