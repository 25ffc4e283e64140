// Package screen is the officer's page: it shows the traveller at the counter,
// the verdict with its reasons and how the machine is, and takes the officer's
// decision. It listens on this machine only.
//
//	GET  /          the whole page
//	GET  /events    server-sent events: hello (which build), frame (the parts
//	                that changed, as HTML), beat (nothing changed, still here)
//	GET  /strip/ID  the zone of the inspection before the officer, as it was
//	                scanned (PNG); gone with the inspection
//	POST /decide    inspection, decision, direction, seen (documents, by comma)
//	POST /confirm   inspection: its doubtful characters were compared
//	POST /direction of the travellers to come
//	POST /dismiss   takes the notice away
//	POST /state     what the officer was told: inspection, purpose, return_reason
//	POST /journey   of the travellers to come
//	POST /outcome   of somebody who was referred: inspection, outcome
//	GET  /healthz   codes for a monitor, no personal data
//
// The server renders everything; the script in the browser swaps parts, turns
// keys into posts and covers the page when the stream falls silent.
//
// It promises: the page never shows a verdict that no longer holds without
// covering it; a decision carries the id of the inspection it was made for, so
// that a late key never meets another traveller; Enter, which scanners that
// pose as keyboards send, never decides; what has been decided is gone from the
// page with the next frame; no browser, however slow, holds up the agent; no
// traveller's data gets into the log, an address or the page's title.
//
// It does not decide anything, and it does not know who sits before it: sign-in,
// shifts, entry by hand, sound and printing are still to come.
package screen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"lintas/agent/counter"
	"lintas/agent/health"
	"lintas/agent/verdict"
)

const (
	tick  = time.Second            // how often ages and the link are looked at
	grace = 700 * time.Millisecond // for requests at work when Run ends
)

// Desk is the counter as the page uses it. Its methods are called from many
// goroutines.
type Desk interface {
	View() counter.View
	// Changed is closed at the next change of View.
	Changed() <-chan struct{}
	// Decide returns nil when the decision is durable, counter.ErrDecided when
	// there was one already, counter.ErrDirection when the direction must be
	// chosen first; any other error means that nothing was recorded.
	Decide(context.Context, counter.Choice) error
	// ConfirmReading answers like Decide, and with counter.ErrReading when there
	// is nothing to confirm.
	ConfirmReading(ctx context.Context, inspection string) error
	SetDirection(context.Context, verdict.Direction) error
	Dismiss()
	// State takes what the officer was told; counter.ErrDecided when the
	// inspection is over.
	State(context.Context, counter.Statement) error
	// SetJourney returns nil when the choice is durable, journey.ErrForm or
	// ErrPlace when the text is no journey.
	SetJourney(context.Context, string) error
	// Outcome returns nil when the outcome is durable, counter.ErrDecided when
	// there was one already.
	Outcome(ctx context.Context, inspection, outcome string) error
}

// Link is how delivery to headquarters goes.
type Link struct {
	Connected   bool
	Depth       uint64    // events that the hub has not confirmed
	Oldest      time.Time // when the oldest of them was recorded; zero if there is none
	Unconfirmed bool      // the broker takes events, but no acknowledgement comes
}

// ListInfo is which placement list is installed.
type ListInfo struct {
	Version int64
	Age     time.Duration
	Present bool
}

// Options of a Screen. Desk is needed. What Desk.View, Link and List tell is
// asked for every second: they must know it without waiting for a disk or the
// network. While one of them waits, the page is covered.
type Options struct {
	Listen   string // a loopback address and a port; empty: 127.0.0.1:0
	Language string // "id" or "en": stands first and large; anything else: "id"
	Theme    string // "dark", "light", or "auto" as the browser wishes; anything else: "dark"
	Desk     Desk
	Health   *health.Board   // nil: an empty one
	Link     func() Link     // nil: never connected
	List     func() ListInfo // nil: no list
	Version  string          // of the program
	// OnLoop is called whenever the page's loop has gone round, which it does at
	// least every second while it is alive. It must not block.
	OnLoop func()
	Logger *slog.Logger // nil: nothing is logged
}

// Screen serves the page of one counter.
type Screen struct {
	o         Options
	look      *look
	tick      time.Duration
	writeWait time.Duration
	ready     chan struct{}

	// Set by Run before ready is closed.
	addr   string
	hosts  map[string]bool
	ending context.Context // ends when posts still at work must give up

	mu        sync.Mutex // guards what follows
	frame     frame
	next      chan struct{} // closed when frame is replaced
	listeners int
}

// New makes a screen; Run serves it. It panics without a desk.
func New(o Options) *Screen {
	if o.Desk == nil {
		panic("screen: Options.Desk is nil")
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.Health == nil {
		o.Health = health.NewBoard()
	}
	if o.Link == nil {
		o.Link = func() Link { return Link{} }
	}
	if o.List == nil {
		o.List = func() ListInfo { return ListInfo{} }
	}
	if o.OnLoop == nil {
		o.OnLoop = func() {}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Screen{
		o: o, look: newLook(tongue(o.Language), o.Theme, o.Version), tick: tick, writeWait: writeWait,
		ready: make(chan struct{}), next: make(chan struct{}),
	}
}

// Ready is closed once the page can be asked for.
func (s *Screen) Ready() <-chan struct{} { return s.ready }

// Addr is the host and port listened on. It waits until Run listens; if Run
// may fail, wait for Ready and for Run's error instead.
func (s *Screen) Addr() string {
	<-s.ready
	return s.addr
}

// Run serves until ctx ends and then returns nil within a second. It may be
// called once. An error means that the page could not be offered.
func (s *Screen) Run(ctx context.Context) error {
	l, err := listen(ctx, s.o.Listen)
	if err != nil {
		return err
	}
	var work sync.WaitGroup
	defer work.Wait()
	streams, stop := context.WithCancel(ctx)
	defer stop()
	posts, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	s.addr, s.hosts, s.ending = l.Addr().String(), allowedHosts(l.Addr()), posts

	server := s.server(streams)
	served := make(chan error, 1)
	first := make(chan struct{})
	work.Go(func() { s.loop(streams, first) })
	<-first
	work.Go(func() { served <- server.Serve(l) })
	s.o.Logger.Info("page is served", "address", s.addr)
	close(s.ready)

	select {
	case err := <-served:
		server.Close()
		return fmt.Errorf("cannot serve the page on %s any longer: %w", s.addr, err)
	case <-ctx.Done():
	}
	// A decision that has come in is taken to its end, if it ends soon.
	last, cancel := context.WithTimeout(posts, grace)
	defer cancel()
	if server.Shutdown(last) != nil {
		giveUp()
		server.Close()
	}
	return nil
}

// listen opens a listener that nobody outside this machine can reach.
func listen(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("cannot serve the page on %q: %w", address, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("cannot serve the page on %q: %w", address, errLoopback)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot serve the page on %q: %w", address, err)
	}
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() { // a strange hosts file
		l.Close()
		return nil, fmt.Errorf("cannot serve the page on %q: %w", address, errLoopback)
	}
	return l, nil
}

var errLoopback = errors.New("only an address of this machine itself is allowed, such as 127.0.0.1:8470")

// server gives the HTTP server. A stream's deadlines are its own; streams end
// with ctx.
func (s *Screen) server(ctx context.Context) *http.Server {
	return &http.Server{
		Handler:           s.handler(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      15 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.o.Logger.Handler(), slog.LevelWarn),
	}
}
