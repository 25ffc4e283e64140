package screen

import (
	"context"
	"html/template"
	"reflect"
	"time"

	"lintas/agent/health"
)

// parts are the pieces of the page that change. Each is one element with this
// id, rendered by the template of the same name.
var parts = [...]string{"strip", "clock", "chips", "conditions", "referred", "notice", "banner", "detail", "documents", "keys", "aside", "fault"}

// missed is how many ticks the loop may miss before nothing is believed.
const missed = 5

// frame is the page at one moment. A part's revision grows when it changes, so
// that a listener knows what it has not sent yet.
type frame struct {
	html     [len(parts)]template.HTML
	revision [len(parts)]uint64
	at       time.Time
	fault    bool
	active   []health.Active
	broken   bool // could not be rendered: listeners must not believe html
}

// loop keeps the frame up to date until ctx ends: at once when the desk or the
// health board changes, and every second for what tells nobody.
// first is closed when there is a frame.
func (s *Screen) loop(ctx context.Context, first chan<- struct{}) {
	t := time.NewTicker(s.tick)
	defer t.Stop()
	var shown model
	for {
		desk, board := s.o.Desk.Changed(), s.o.Health.Changed()
		shown = s.pass(shown)
		if first != nil {
			close(first)
			first = nil
		}
		s.o.OnLoop()
		select {
		case <-ctx.Done():
			return
		case <-desk:
		case <-board:
		case <-t.C:
		}
	}
}

// pass brings the frame up to date and gives what it shows now. It rouses the
// listeners also when nothing changed: their beat tells the browser that this
// loop is alive. Rendering costs a hundred times what looking does, so a page
// that would come out the same is not rendered again.
func (s *Screen) pass(shown model) model {
	m := s.model()
	same := reflect.DeepEqual(m, shown)
	var html [len(parts)]template.HTML
	var err error
	if !same {
		html, err = s.look.render(m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer func() {
		close(s.next)
		s.next = make(chan struct{})
	}()
	s.frame.at = time.Now()
	if same {
		return m
	}
	if s.frame.broken = err != nil; err != nil {
		// Neither the error nor the model is logged: they may quote a document.
		s.o.Logger.Error("cannot render the page; it is covered until this ends")
	}
	s.frame.fault, s.frame.active = m.Fault != "", m.Conditions
	for i := range parts {
		if s.frame.html[i] != html[i] {
			s.frame.html[i] = html[i]
			s.frame.revision[i]++
		}
	}
	return m
}

// current gives the frame, and a channel that is closed when it is replaced.
func (s *Screen) current() (frame, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.frame, s.next
}

// believable tells whether a frame shows how things are: it could be rendered,
// and the loop has gone round since. If the desk hangs, the page must not come
// back with what was true before.
func (s *Screen) believable(f frame) bool {
	return !f.broken && time.Since(f.at) < missed*s.tick
}
