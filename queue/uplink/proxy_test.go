package uplink_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between two ends of TCP on this machine. What goes through
// arrives after a delay; frozen, it reads and writes nothing and closes
// nothing, as a router does that has lost its other side.
type proxy struct {
	t       testing.TB
	l       net.Listener
	target  string
	delay   time.Duration // each way
	mu      sync.Mutex
	conns   []net.Conn
	melted  chan struct{} // closed unless frozen
	pumping sync.WaitGroup
}

func newProxy(t testing.TB, target string, roundTrip time.Duration) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{t: t, l: l, target: target, delay: roundTrip / 2, melted: make(chan struct{})}
	close(p.melted)
	p.pumping.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

func (p *proxy) url() string { return "tcp://" + p.l.Addr().String() }

func (p *proxy) accept() {
	for {
		here, err := p.l.Accept()
		if err != nil {
			return
		}
		p.pumping.Go(func() {
			// A frozen proxy's system takes connections all the same.
			<-p.thaw()
			there, err := net.Dial("tcp", p.target)
			if err != nil {
				here.Close()
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, here, there)
			p.mu.Unlock()
			p.pumping.Go(func() { p.pump(here, there) })
			p.pumping.Go(func() { p.pump(there, here) })
		})
	}
}

func (p *proxy) thaw() chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.melted
}

func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.melted = make(chan struct{})
}

func (p *proxy) melt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.melted:
	default:
		close(p.melted)
	}
}

func (p *proxy) close() {
	p.l.Close()
	p.melt()
	p.mu.Lock()
	for _, c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.pumping.Wait()
}

// pump moves what is read at once and writes it when it is due.
func (p *proxy) pump(from io.Reader, to net.Conn) {
	line := make(chan parcel, 1<<16)
	p.pumping.Go(func() {
		defer to.Close()
		for x := range line {
			time.Sleep(time.Until(x.due))
			<-p.thaw()
			if _, err := to.Write(x.bytes); err != nil {
				for range line { // until the reader has ended too
				}
				return
			}
		}
	})
	defer close(line)
	for {
		b := make([]byte, 32<<10)
		n, err := from.Read(b)
		<-p.thaw()
		if n > 0 {
			line <- parcel{b[:n], time.Now().Add(p.delay)}
		}
		if err != nil {
			return
		}
	}
}
