package rule

import (
	"fmt"
	"slices"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"

	"lintas/mrz"
)

// Explanation is why one rule holds or does not.
type Explanation struct {
	Rule    Rule   `json:"rule"`
	Outcome string `json:"outcome"` // fires, fires-in-shadow, does-not-hold, not-in-force, other-direction, turned-off, by-lot, failed
	Cost    int    `json:"cost"`    // parts of the condition
	Steps   []Step `json:"steps"`   // parts and what they came to, the whole condition first
}

// Step is a part of a condition and its value.
type Step struct {
	Depth int    `json:"depth"`
	Part  string `json:"part"`
	Value any    `json:"value"`
}

// Explain tells of every rule whether it holds and why.
func (s *Set) Explain(f Facts, day mrz.Date, direction string, off []string) (list []Explanation) {
	if s == nil {
		return nil
	}
	for i := range s.rules {
		r := &s.rules[i]
		e := Explanation{Rule: r.Rule, Cost: r.cost}
		var holds bool
		var err error
		if r.OneIn == 0 {
			e.Steps = steps(r.tree, f, 0, nil)
			holds, err = r.holds(&vm.VM{}, f)
		}
		switch {
		case day.Before(r.Start) || r.End.Before(day):
			e.Outcome = "not-in-force"
		case !r.In(day, direction):
			e.Outcome = "other-direction"
		case slices.Contains(off, r.ID):
			e.Outcome = "turned-off"
		case r.OneIn > 0:
			e.Outcome = "by-lot"
		case err != nil:
			e.Outcome = "failed"
		case !holds:
			e.Outcome = "does-not-hold"
		case r.Mode == Shadow:
			e.Outcome = "fires-in-shadow"
		default:
			e.Outcome = "fires"
		}
		list = append(list, e)
	}
	return list
}

// steps gives a condition's parts, each evaluated by itself. What says its own
// value is left out.
func steps(n ast.Node, f Facts, depth int, list []Step) []Step {
	switch n.(type) {
	case *ast.BoolNode, *ast.IntegerNode, *ast.StringNode, *ast.ArrayNode:
		return list
	}
	list = append(list, Step{depth, n.String(), value(n, f)})
	switch n := n.(type) {
	case *ast.UnaryNode:
		list = steps(n.Node, f, depth+1, list)
	case *ast.BinaryNode:
		list = steps(n.Right, f, depth+1, steps(n.Left, f, depth+1, list))
	}
	return list
}

func value(n ast.Node, f Facts) any {
	program, err := expr.Compile(n.String(), expr.Env(Facts{}), expr.DisableAllBuiltins())
	if err == nil {
		var v any
		if v, err = expr.Run(program, f); err == nil {
			return v
		}
	}
	return fmt.Sprintf("cannot tell: %s", oneLine(err))
}
