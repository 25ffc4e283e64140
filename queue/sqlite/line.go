package sqlite

import (
	"context"
	"runtime"
	"sync"

	"lintas/queue"
)

// A line is where those who call Put stand. Whoever finds nobody writing writes
// for all that wait, himself among them; when that is done the first of those
// who came meanwhile goes on. There is never more than one who writes, nobody
// waits for a timer, and a single caller waits for nothing but the disk.
type line struct {
	mu      sync.Mutex // guards what follows
	waiting []*put
	writing bool
	closed  bool
	crowded bool          // the last batch held more than one
	done    chan struct{} // closed when it is closed and nobody writes
}

type put struct {
	message queue.Message
	note    []byte
	receipt queue.Receipt
	err     error
	done    chan bool // gets true when it is answered, false when its caller is to write
}

// batchLimit bounds how many messages share one transaction.
const batchLimit = 128

// join puts p at the end. It tells whether p's caller is to write.
func (l *line) join(p *put) (write bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false, queue.ErrClosed
	}
	l.waiting = append(l.waiting, p)
	write = !l.writing
	l.writing = true
	return write, nil
}

// wait returns when p is answered or its caller is to write. It ends with the
// context if p has not been taken yet: then it never will be.
func (l *line) wait(ctx context.Context, p *put) (write bool, err error) {
	select {
	case answered := <-p.done:
		return !answered, nil
	case <-ctx.Done():
	}
	if l.leave(p) {
		return false, ctx.Err()
	}
	return !<-p.done, nil
}

// leave takes p out, unless it has been taken or its caller is to write.
func (l *line) leave(p *put) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, w := range l.waiting {
		if w == p && len(p.done) == 0 {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// take returns those who wait, the one who writes first.
func (l *line) take() []*put {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.crowded {
		// Those who have just been answered and have more to put can run now. A
		// single caller would only lose his processor.
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
	}
	n := min(len(l.waiting), batchLimit)
	l.crowded = n > 1
	batch := l.waiting[:n:n]
	l.waiting = l.waiting[n:]
	return batch
}

// pass lets the next one write, if there is one.
func (l *line) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > 0 {
		l.waiting[0].done <- false
		return
	}
	l.waiting, l.writing = nil, false
	if l.closed {
		close(l.done)
	}
}

// close lets nobody join any more and waits until all who have are answered. It
// tells whether it was open.
func (l *line) close() bool {
	l.mu.Lock()
	was := l.closed
	l.closed = true
	if !was && !l.writing {
		close(l.done)
	}
	l.mu.Unlock()
	<-l.done
	return !was
}
