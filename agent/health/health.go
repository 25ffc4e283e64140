// Package health is the one catalogue of what can be wrong with a counter, and
// the board on which the parts of a running agent put up and take down what is
// wrong now. The officer's page, `lintas status`, the log and the hub all read
// the same board, so that they say the same thing.
//
// A condition is never personal: neither its detail nor its subject holds
// anything about a traveller.
package health

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Severity says how much a condition matters.
type Severity string

// From "good to know" to "nothing can be recorded".
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Error   Severity = "error"
)

// Code names a condition.
type Code string

// Condition is an entry of the catalogue: what is wrong and what to do, in
// Indonesian and English.
type Condition struct {
	Code     Code
	Severity Severity
	After    time.Duration // how long it must last before it is shown
	ID, EN   string
	NextID   string
	NextEN   string
}

// Active is a condition that holds now.
type Active struct {
	Condition
	Subject string    // which one, e.g. a scanner's name; may be empty
	Detail  string    // for the technician
	Since   time.Time // of Code and Subject
}

// Board holds the conditions of one agent. The zero value is not usable; use
// NewBoard.
type Board struct {
	mu      sync.Mutex // guards what follows
	active  map[key]Active
	changed chan struct{}
}

type key struct {
	code    Code
	subject string
}

// NewBoard gives an empty board.
func NewBoard() *Board {
	return &Board{active: map[key]Active{}, changed: make(chan struct{})}
}

// Set puts up a condition, or takes it down when bad is false. A code that is
// not in the catalogue is a mistake of the program and panics.
func (b *Board) Set(code Code, subject string, bad bool, detail string) {
	c, ok := catalogue[code]
	if !ok {
		panic("health: no such condition: " + string(code))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	k := key{code, subject}
	old, was := b.active[k]
	switch {
	case !bad && !was, bad && was && old.Detail == detail:
		return
	case !bad:
		delete(b.active, k)
	case was:
		old.Detail = detail
		b.active[k] = old
	default:
		b.active[k] = Active{Condition: c, Subject: subject, Detail: detail, Since: time.Now()}
	}
	close(b.changed)
	b.changed = make(chan struct{})
}

// Changed is closed at the next change. Take it before looking.
func (b *Board) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changed
}

// Active lists what has lasted long enough to be shown, the worst first.
func (b *Board) Active() []Active {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	list := []Active{}
	for _, a := range b.active {
		if now.Sub(a.Since) >= a.After {
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(x, y Active) int {
		return cmp.Or(cmp.Compare(y.Severity.rank(), x.Severity.rank()), cmp.Compare(x.Code, y.Code), cmp.Compare(x.Subject, y.Subject))
	})
	return list
}

func (s Severity) rank() int { return slices.Index([]Severity{Info, Warning, Error}, s) }
