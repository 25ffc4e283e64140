package rule

import (
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"lintas/mrz"
)

// Set is a pack that has been checked and compiled. It does not change and may
// be used from many goroutines. A nil Set has no rules.
type Set struct {
	pack  Pack
	rules []compiled
}

type compiled struct {
	Rule
	program *vm.Program
	tree    ast.Node
	cost    int
}

// Pack is the pack that the set was made from.
func (s *Set) Pack() Pack {
	if s == nil {
		return Pack{}
	}
	return s.pack
}

// Rule gives a rule by its id.
func (s *Set) Rule(id string) (Rule, bool) {
	if s != nil {
		for _, r := range s.rules {
			if r.ID == id {
				return r.Rule, true
			}
		}
	}
	return Rule{}, false
}

// Hits is which rules hold.
type Hits struct {
	Fired  []Rule   // active ones: the officer is told
	Shadow []string // ids of those in the shadow
	Failed []string // ids of those that could not be evaluated
}

// Evaluate asks every rule that is in force on a day and in a direction and not
// among those that are off. It allocates little and waits for nothing.
func (s *Set) Evaluate(f Facts, day mrz.Date, direction string, off []string) (h Hits) {
	if s == nil {
		return h
	}
	var machine vm.VM
	var words any = f
	for i := range s.rules {
		r := &s.rules[i]
		if r.OneIn > 0 || !r.In(day, direction) || slices.Contains(off, r.ID) {
			continue
		}
		switch holds, err := r.holds(&machine, words); {
		case err != nil:
			h.Failed = append(h.Failed, r.ID)
		case !holds:
		case r.Mode == Shadow:
			h.Shadow = append(h.Shadow, r.ID)
		default:
			h.Fired = append(h.Fired, r.Rule)
		}
	}
	return h
}

// Draw gives the rule that asks by lot, if it is in force on a day and in a
// direction and the lot falls on the traveller: a number drawn evenly between 0
// (not included) and 1 for this one alone. 0 falls on nobody.
func (s *Set) Draw(lot float64, day mrz.Date, direction string) (h Hits) {
	if s == nil || lot <= 0 {
		return h
	}
	for _, r := range s.rules {
		switch {
		case r.OneIn == 0 || lot*float64(r.OneIn) > 1 || !r.In(day, direction):
		case r.Mode == Shadow:
			h.Shadow = append(h.Shadow, r.ID)
		default:
			h.Fired = append(h.Fired, r.Rule)
		}
	}
	return h
}

// holds evaluates a condition. What is let through cannot fail; if it does all
// the same, the rule does not hold.
func (c *compiled) holds(machine *vm.VM, words any) (bool, error) {
	out, err := machine.Run(c.program, words)
	if err != nil {
		return false, err
	}
	holds, _ := out.(bool)
	return holds, nil
}

// Orders gives the orders that speak of a placement on a day.
func (s *Set) Orders(day mrz.Date, destination, jobClass, employerKind string, contractFrom mrz.Date) (list []Closed) {
	if s == nil {
		return nil
	}
	for _, c := range s.pack.Closed {
		if c.Speaks(day, destination, jobClass, employerKind, contractFrom) {
			list = append(list, c)
		}
	}
	return list
}
