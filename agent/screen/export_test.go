package screen

import (
	"time"

	"lintas/agent/verdict"
)

// Doors for the tests.
const (
	MaxListeners = maxListeners
	Policy       = policy
)

// Words is the page's own catalogue.
func Words() map[string]verdict.Text { return words }

// Asset gives a file of the page.
func Asset(name string) []byte { return asset{name: name}.bytes() }

// Slow makes the loop look by itself every d only, so that a test sees what a
// change alone does.
func (s *Screen) Slow(d time.Duration) { s.tick = d }

// Impatient drops a listener that does not take a frame within d.
func (s *Screen) Impatient(d time.Duration) { s.writeWait = d }

// Listeners counts the open streams.
func (s *Screen) Listeners() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listeners
}

// Parts renders every part of the page, by name.
func (s *Screen) Parts() (map[string]string, error) {
	html, err := s.look.render(s.model())
	m := map[string]string{}
	for i, name := range parts {
		m[name] = string(html[i])
	}
	return m, err
}

// Look lets the loop's body run n times.
func (s *Screen) Look(n int) {
	var shown model
	for range n {
		shown = s.pass(shown)
	}
}
