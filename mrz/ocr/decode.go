package ocr

import (
	"math"
	"slices"
	"strings"
	"sync"

	"lintas/mrz"
	"lintas/mrz/ocr/glyph"
)

// How far check digits may go against the glyphs. A study of tampered zones
// found 2 and 4 nats to be nearly safe, and 7 and 9 to mend every other forgery.
const (
	mostDoubt    = 1.5  // nats by which one character may be less probable than the best
	mostDoubts   = 2.5  // all together
	leastChance  = 0.04 // probability that a character must have at least
	mostRepairs  = 3
	leastCertain = 0.8  // probability of a character below which its cell is doubtful
	mostDoubtful = 4    // cells that digits depend on; if there are more, digits decide nothing
	leastClear   = -0.3 // mean logarithm of probability of the best characters below which digits decide nothing
	illegal      = -6.0 // prior of a character that its field must not hold, in nats
	letterO      = -2.5 // of O where there may be a 0
	fillerDigit  = -3.0 // of '<' in place of a check digit or in a date
	digitInCode  = -2.5 // of a digit as second letter of the document code
	legalButRare = -3.0 // of X as sex
	otherKind    = -3.0 // of a first letter that no kind of document begins with
	stateDoubts  = 3.5  // nats by which the code of a state may be less probable than one that no state has
)

// A grid is what a format says of its cells, as the decoder needs it.
type grid struct {
	format mrz.Format
	widths []int
	cells  []gridCell // line by line
	states [][]int    // the cells of each code of a state
}

type gridCell struct {
	line, column     int
	prior            [glyph.None]float32 // what each character is less probable than others
	own, composite   int                 // weight in the field's sum and in the composite; 0: not in it
	digit, composing bool                // is the digit of the field, of the composite
}

// summed reports whether some check digit depends on the cell.
func (c *gridCell) summed() bool { return c.own != 0 || c.composite != 0 || c.digit || c.composing }

var grids = sync.OnceValue(func() (list []*grid) {
	for _, f := range mrz.Formats() {
		list = append(list, newGrid(f))
	}
	return list
})

func newGrid(f mrz.Format) *grid {
	g := &grid{format: f, widths: f.Widths()}
	index := map[mrz.Cell]int{}
	for line, width := range g.widths {
		for column := range width {
			at := mrz.Cell{Line: line, Column: column}
			index[at] = len(g.cells)
			c := gridCell{line: line, column: column}
			legal, field := f.Legal(at), f.FieldAt(at)
			for i := range c.prior {
				if strings.IndexByte(legal, glyph.Alphabet[i]) < 0 {
					c.prior[i] = illegal
				}
			}
			if strings.ContainsAny(legal, "0") && strings.ContainsAny(legal, "O") {
				c.prior[glyph.Index('O')] = letterO
			}
			switch field {
			case mrz.FieldDocumentCode:
				if column > 0 {
					for i := range 10 {
						c.prior[i] = digitInCode
					}
					break
				}
				for i := range c.prior {
					if f != mrz.CHDL && c.prior[i] == 0 && !strings.ContainsRune("ACIPV", rune(glyph.Alphabet[i])) {
						c.prior[i] = otherKind
					}
				}
			case mrz.FieldIssuingState, mrz.FieldNationality:
				if column == 0 || f.FieldAt(mrz.Cell{Line: line, Column: column - 1}) != field {
					g.states = append(g.states, nil)
				}
				last := &g.states[len(g.states)-1]
				*last = append(*last, len(g.cells))
			case mrz.FieldDateOfBirth, mrz.FieldDateOfExpiry:
				c.prior[glyph.Index('<')] = fillerDigit
			case mrz.FieldSex:
				c.prior[glyph.Index('X')] = legalButRare
			}
			g.cells = append(g.cells, c)
		}
	}
	for _, s := range f.Sums() {
		weights := [...]int{7, 3, 1}
		for i, at := range s.Over {
			if s.Field == mrz.FieldComposite {
				g.cells[index[at]].composite = weights[i%3]
			} else {
				g.cells[index[at]].own = weights[i%3]
			}
		}
		if s.Field == mrz.FieldComposite {
			g.cells[index[s.Digit]].composing = true
		} else {
			g.cells[index[s.Digit]].digit = true
		}
	}
	return g
}

// value is a character's value in check digits, by class.
func value(class int) int {
	if class == glyph.Index('<') {
		return 0
	}
	return class
}

// A reading is the text that a grid makes of the looks at its cells.
type reading struct {
	grid    *grid
	classes []int
	repairs []int // cells whose class is not the best
	proven  bool  // all check digits agree
	vague   bool  // so many glyphs are doubtful that digits prove nothing
	score   float64
	sure    []float64 // probability of each class
	second  []int
	best    []int
}

// decode finds the most probable text that agrees with all check digits and
// that the glyphs allow; if there is none, the most probable text.
func (g *grid) decode(looks []*glyph.Look) reading {
	r := reading{grid: g, classes: make([]int, len(g.cells)), best: make([]int, len(g.cells)), second: make([]int, len(g.cells)), sure: make([]float64, len(g.cells))}
	posts := make([][glyph.None]float64, len(g.cells))
	clear, doubtful := 0.0, 0
	for i := range g.cells {
		g.cells[i].posterior(looks[i], &posts[i])
		for c, p := range posts[i] {
			if p > posts[i][r.best[i]] {
				r.best[i] = c
			}
		}
		clear += posts[i][r.best[i]] / float64(len(g.cells))
		if g.cells[i].summed() && posts[i][r.best[i]] < math.Log(leastCertain) {
			doubtful++
		}
	}
	for _, cells := range g.states {
		knownState(cells, posts, r.best)
	}
	// A long number of TD1 and TD2 has '<' for its digit and the digit elsewhere.
	long := g.format == mrz.TD1 || g.format == mrz.TD2
	classes, ok := g.search(looks, r.best, false)
	if !ok && long {
		classes, ok = g.search(looks, r.best, true)
	}
	changed := func() (list []int) {
		for i, c := range classes {
			if c != r.best[i] {
				list = append(list, i)
			}
		}
		return list
	}
	r.proven, r.repairs = ok, changed()
	// Among many doubtful glyphs some combination always agrees with the digits.
	r.vague = clear < leastClear || doubtful > mostDoubtful
	if !ok || len(r.repairs) > mostRepairs || r.vague {
		r.proven, r.repairs, classes = ok && len(r.repairs) == 0, nil, r.best
	}
	copy(r.classes, classes)
	for i, c := range r.classes {
		r.sure[i] = math.Exp(posts[i][c])
		r.second[i] = -1
		for o, p := range posts[i] {
			if o != c && (r.second[i] < 0 || p > posts[i][r.second[i]]) {
				r.second[i] = o
			}
		}
		r.score += float64(looks[i].P[c]) + max(illegal, float64(g.cells[i].prior[c]))
	}
	r.score /= float64(len(g.cells))
	return r
}

// knownState takes the code of a state for one that no state has, if its glyphs
// may be it. How certain they are does not change, so that it is never vouched
// for.
func knownState(cells []int, posts [][glyph.None]float64, best []int) {
	code := make([]byte, len(cells))
	least := stateDoubts
	var known []byte
	var try func(n int, doubts float64)
	try = func(n int, doubts float64) {
		if n == len(cells) {
			if mrz.KnownState(strings.TrimRight(string(code), "<")) && (known == nil || doubts < least) {
				known, least = slices.Clone(code), doubts
			}
			return
		}
		post := &posts[cells[n]]
		for class := range post {
			if sum := doubts + post[best[cells[n]]] - post[class]; sum <= least {
				code[n] = glyph.Alphabet[class]
				try(n+1, sum)
			}
		}
	}
	try(0, 0)
	for i, c := range known {
		best[cells[i]] = glyph.Index(c)
	}
}

// posterior weighs what a cell looks like by what its field may hold. What is
// none of the alphabet keeps its share of the probability.
func (c *gridCell) posterior(look *glyph.Look, post *[glyph.None]float64) {
	sum := math.Exp(float64(look.P[glyph.None]))
	for i := range post {
		post[i] = float64(look.P[i] + c.prior[i])
		sum += math.Exp(post[i])
	}
	shift := math.Log(sum)
	for i := range post {
		post[i] -= shift
	}
}

// search is a dynamic programme over the cells. Its state is the sum of the
// field's values so far and that of the composite, both modulo 10; its cost by
// how many nats the text is less probable than the best characters by what their
// glyphs look like alone: that a 0 is more usual than an O is no evidence against
// a digit.
func (g *grid) search(looks []*glyph.Look, best []int, long bool) (classes []int, ok bool) {
	const states = 100
	type step struct {
		from  int8
		class int8
	}
	steps := make([][states]step, len(g.cells))
	var cost [states]float64
	for s := range cost {
		cost[s] = math.Inf(1)
	}
	cost[0] = 0
	number := true // in the number's field still
	for i := range g.cells {
		c := &g.cells[i]
		var next [states]float64
		for s := range next {
			next[s] = math.Inf(1)
		}
		raw := &looks[i].P
		for class := range glyph.None {
			doubt := max(0, float64(raw[best[i]]-raw[class]))
			if class != best[i] && (!c.summed() || c.prior[class] <= illegal || doubt > mostDoubt || math.Exp(float64(raw[class])) < leastChance) {
				continue
			}
			v := value(class)
			for s, so := range cost {
				if so+doubt > mostDoubts {
					continue
				}
				field, composite := s/10, s%10
				field = (field + c.own*v) % 10
				if c.digit {
					if long && number {
						if class != glyph.Index('<') {
							continue
						}
					} else if v != field || v > 9 {
						continue
					}
					field = 0
				}
				if c.composing && v != composite {
					continue
				}
				composite = (composite + c.composite*v) % 10
				to := field*10 + composite
				if so+doubt < next[to] {
					next[to] = so + doubt
					steps[i][to] = step{int8(s), int8(class)}
				}
			}
		}
		if c.digit {
			number = false
		}
		cost = next
	}
	end := -1
	for s, c := range cost {
		if !math.IsInf(c, 1) && (end < 0 || c < cost[end]) {
			end = s
		}
	}
	if end < 0 {
		return nil, false
	}
	classes = make([]int, len(g.cells))
	for i := len(g.cells) - 1; i >= 0; i-- {
		classes[i] = int(steps[i][end].class)
		end = int(steps[i][end].from)
	}
	return classes, true
}

// lines returns the text.
func (r *reading) lines() []string {
	list := make([]string, len(r.grid.widths))
	i := 0
	for l, width := range r.grid.widths {
		b := make([]byte, width)
		for k := range b {
			b[k] = glyph.Alphabet[r.classes[i]]
			i++
		}
		list[l] = string(b)
	}
	return list
}
