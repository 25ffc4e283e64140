package screen

import (
	"slices"
	"strings"
	"time"

	"lintas/agent/counter"
	"lintas/agent/health"
	"lintas/agent/verdict"
)

// model is what the templates see: the desk's view made ready to be printed,
// without a language. It is the same as long as the page is.
type model struct {
	counter.View
	Now        time.Time // to the minute
	Chips      []chip
	Conditions []health.Active
	Worst      health.Severity // of Conditions; empty if all is well
	Traveller  *traveller      // nil when nobody is there
	Waiting    lines
	History    lines
	Referred   lines // wait for an outcome
	List       ListInfo
	Version    string
}

// model looks at everything the page shows.
func (s *Screen) model() model {
	v, now := s.o.Desk.View(), time.Now()
	m := model{View: v, Now: now.Truncate(time.Minute), Conditions: s.o.Health.Active(), List: s.o.List(), Version: s.o.Version}
	if len(m.Conditions) > 0 {
		m.Worst = m.Conditions[0].Severity
	}
	m.Chips = chips(m.Conditions, s.o.Link(), m.List, now)
	m.List.Age = 0 // it is on the chip, in words
	m.Waiting, m.History = linesOf(v.Waiting, waitingShown), linesOf(v.History, historyShown)
	if v.Current != nil && v.Fault == "" { // with a fault nobody's data stays on the page
		m.Traveller = travellerOf(v.Current, now)
	}
	m.Referred = linesOf(v.Referred, referredShown)
	m.View.Current, m.View.Waiting, m.View.History, m.View.Referred = nil, nil, nil, nil // taken over
	return m
}

// Place is where the counter stands.
func (m model) Place() string {
	place := slices.DeleteFunc([]string{m.Site, m.Terminal, m.Lane}, func(s string) bool { return s == "" })
	return strings.Join(place, " · ")
}

// Auto tells whether some inspections are ended without an officer.
func (m model) Auto() bool { return m.Confirm == "auto" }

// Directions are the two ways to cross, in the order of their keys.
func (m model) Directions() []verdict.Direction {
	return []verdict.Direction{verdict.Departure, verdict.Return}
}

// Keys are the decisions with their function keys. F4 and F5, for what the
// traveller says, stand between those that end an inspection and those that
// seldom do. What cannot be decided in a direction has no key.
func (m model) Keys() []decisionKey {
	if m.Traveller == nil {
		return nil
	}
	allowed := verdict.DecisionsFor(m.Traveller.Direction)
	return slices.DeleteFunc(slices.Clone(decisionKeys), func(k decisionKey) bool { return !slices.Contains(allowed, k.Decision) })
}

type decisionKey struct {
	Key      string
	Decision verdict.Decision
}

var decisionKeys = []decisionKey{
	{"F1", verdict.Proceed},
	{"F2", verdict.Refer},
	{"F3", verdict.Postpone},
	{"F6", verdict.NotTravelling},
	{"F7", verdict.HandedOver},
}
