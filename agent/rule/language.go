package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"
)

// homecoming are the words that a rule for people coming home cannot use.
var homecoming = []string{"record.", "journey.", "purpose"}

// condition checks that a condition keeps to the part of the language that is
// let through.
type condition struct {
	returns bool // the rule is for people coming home, too
	faults  []string
	cost    int // parts
}

func (c *condition) fault(why string, args ...any) {
	if s := fmt.Sprintf(why, args...); !slices.Contains(c.faults, s) {
		c.faults = append(c.faults, s)
	}
}

// compile makes a condition ready to be evaluated.
func compile(when string, returns bool) (compiled, []string) {
	switch {
	case strings.TrimSpace(when) == "":
		return compiled{}, []string{"is empty"}
	case len(when) > MaxCondition:
		return compiled{}, []string{fmt.Sprintf("has %d characters, more than %d", len(when), MaxCondition)}
	}
	tree, err := parse(when)
	if err != nil {
		return compiled{}, []string{"cannot be read: " + oneLine(err)}
	}
	c := condition{returns: returns}
	c.logic(tree)
	if c.cost > MaxCost {
		c.fault("has %d parts, more than %d", c.cost, MaxCost)
	}
	if len(c.faults) > 0 {
		return compiled{}, c.faults
	}
	program, err := expr.Compile(when, expr.Env(Facts{}), expr.AsBool(), expr.DisableAllBuiltins())
	if err != nil {
		return compiled{}, []string{"does not hold together: " + oneLine(err)}
	}
	return compiled{program: program, tree: tree, cost: c.cost}, nil
}

// parse reads a condition without types.
func parse(when string) (ast.Node, error) {
	config := conf.CreateNew()
	expr.DisableAllBuiltins()(config)
	tree, err := parser.ParseWithConfig(when, config)
	if err != nil {
		return nil, err
	}
	return tree.Node, nil
}

// oneLine cuts off the drawing with which the library points at the place.
func oneLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

// logic walks through what yields true, false or a number.
func (c *condition) logic(n ast.Node) {
	c.cost++
	switch n := n.(type) {
	case *ast.BoolNode, *ast.IntegerNode:
	case *ast.StringNode:
		c.fault("a text stands beside no word to compare it with: %s", n)
	case *ast.IdentifierNode, *ast.MemberNode:
		c.word(n, false)
	case *ast.UnaryNode:
		if !slices.Contains([]string{"!", "not", "-", "+"}, n.Operator) {
			c.fault("%s is not part of the language", n.Operator)
		}
		c.logic(n.Node)
	case *ast.BinaryNode:
		c.binary(n)
	case *ast.ArrayNode:
		c.fault("a list stands only behind in")
	default:
		c.fault("calls, loops, variables and choices are not part of the language: %s", n)
	}
}

func (c *condition) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "&&", "and", "||", "or", "<", "<=", ">", ">=", "+", "-":
		c.logic(n.Left)
		c.logic(n.Right)
	case "==", "!=", "in":
		if c.text(n.Left) || c.text(n.Right) {
			c.compare(n)
			return
		}
		c.logic(n.Left)
		list, ok := n.Right.(*ast.ArrayNode)
		if n.Operator != "in" || !ok {
			c.logic(n.Right)
			return
		}
		for _, e := range list.Nodes {
			c.cost++
			if _, ok := e.(*ast.IntegerNode); !ok {
				c.fault("a list holds only numbers or only texts: %s", list)
			}
		}
	default:
		c.fault("%s is not part of the language", n.Operator)
	}
}

// text reports whether a node is a word for a text or for texts.
func (c *condition) text(n ast.Node) bool {
	w, ok := vocabulary[pathOf(n)]
	return ok && (w.Type == typeText || w.Type == typeTexts)
}

// compare checks a comparison of texts: a word with one it can be, or with
// another word.
func (c *condition) compare(n *ast.BinaryNode) {
	word, other := n.Left, n.Right
	if !c.text(word) {
		word, other = other, word
	}
	c.word(word, true)
	path := pathOf(word)
	literals := []ast.Node{other}
	if list, ok := other.(*ast.ArrayNode); ok {
		literals = list.Nodes
	}
	for _, l := range literals {
		c.cost++
		switch l := l.(type) {
		case *ast.StringNode:
			if !values[path](l.Value) {
				c.fault("%s is never %q", path, l.Value)
			}
		case *ast.MemberNode, *ast.IdentifierNode:
			// Whose paper it is must not be found out by way of another word.
			if !c.text(l) || path == issuer || pathOf(l) == issuer {
				c.fault("%s cannot be compared with %s", path, l)
			}
			c.word(l, true)
		default:
			c.fault("%s cannot be compared with %s", path, l)
		}
	}
}

const issuer = "document.issuing_state"

// word checks a word of the vocabulary.
func (c *condition) word(n ast.Node, compared bool) {
	path := pathOf(n)
	w, ok := vocabulary[path]
	switch {
	case !ok:
		c.fault("%s is not in the vocabulary", n)
	case !compared && (w.Type == typeText || w.Type == typeTexts):
		c.fault("%s can only be compared, with ==, != or in", path)
	}
	if c.returns && slices.ContainsFunc(homecoming, func(p string) bool { return strings.HasPrefix(path, p) }) {
		c.fault("%s cannot be held against somebody who comes home", path)
	}
}

// pathOf writes a word as the vocabulary has it; "" for what is none.
func pathOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		property, ok := n.Property.(*ast.StringNode)
		if before := pathOf(n.Node); ok && before != "" && !n.Optional && !n.Method {
			return before + "." + property.Value
		}
	}
	return ""
}
