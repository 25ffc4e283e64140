package ocr

import (
	"cmp"
	"context"
	"math"
	"slices"

	"lintas/mrz/ocr/glyph"
)

// A shape is how many cells each row of a zone has.
type shape []int

var shapes = []shape{{44, 44}, {36, 36}, {30, 30, 30}, {9, 30, 30}}

// size is the number of all cells.
func (s shape) size() (n int) {
	for _, cells := range s {
		n += cells
	}
	return n
}

const (
	// A line is a line of a zone if the characters of some cells are so probable,
	// on the average, when it is first seen, and when it is aligned.
	leastAtFirst, leastQuality = 0.3, 0.5
	leastAtAGlance             = 0.2  // of a few cells, either way up: most text ends here
	mostOff                    = 0.05 // pitches by which its glyphs may be out of step
	mostUneven                 = 0.08 // and when it is first seen
	mostRows                   = 40   // of one picture and inking that are read
)

// rows reads those lines that look like text of a zone, the right way up.
func (r *reader) rows(ctx context.Context, lines []line) (list []row, err error) {
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(b.members, a.members) })
	for _, l := range lines {
		if r.refuses(&l) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if len(list) >= mostRows {
			break
		}
		const few, samples = 3, 8
		found := l
		turned := l.flipped()
		if r.quality(&l, few) < leastAtAGlance && r.quality(&turned, few) < leastAtAGlance {
			r.refused = append(r.refused, found)
			continue
		}
		q, uneven := r.sample(&l, samples)
		if other, u := r.sample(&turned, samples); other > q {
			l, q, uneven = turned, other, u
		}
		if q < leastAtFirst || uneven > mostUneven {
			r.refused = append(r.refused, found)
			continue
		}
		r.align(&l)
		if r.quality(&l, 2*samples) < leastQuality || r.align(&l) > mostOff {
			r.refused = append(r.refused, found)
			continue
		}
		list = append(list, r.extended(r.read(l, l.from-margin, l.to+margin)))
	}
	return list, nil
}

// refuses reports whether a line was found before and is none of a zone.
func (r *reader) refuses(l *line) bool {
	t := float64(l.from+l.to) / 2
	x, y, pitch := l.x.at(t), l.y.at(t), l.pitch(t)
	for i := range r.refused {
		o := &r.refused[i]
		s := float64(o.from+o.to) / 2
		if math.Abs(o.x.at(s)-x) < pitch && math.Abs(o.y.at(s)-y) < pitch/2 && math.Abs(o.pitch(s)-pitch) < 0.03*pitch && o.to-o.from+2 >= l.to-l.from {
			return true
		}
	}
	return false
}

// below says where row b lies as seen from row a, in a's cells: how far below,
// and by how many cells its own count is ahead. It reports false if the two are
// not parallel and of the same pitch.
func below(a, b *row) (down, ahead float64, ok bool) {
	t := float64(a.from+a.to) / 2
	ux, uy := a.along(t)
	pitch := math.Hypot(ux, uy)
	ux, uy = ux/pitch, uy/pitch
	// The cell of b that is nearest to a's middle cell.
	x, y := a.x.at(t), a.y.at(t)
	s := float64(b.from+b.to) / 2
	for range 3 {
		vx, vy := b.along(s)
		n := vx*vx + vy*vy
		if n == 0 {
			return 0, 0, false
		}
		s += ((x-b.x.at(s))*vx + (y-b.y.at(s))*vy) / n
		if math.Abs(s) > 1000 {
			return 0, 0, false
		}
	}
	vx, vy := b.along(s)
	other := math.Hypot(vx, vy)
	if other < 0.9*pitch || other > 1.1*pitch || (vx*ux+vy*uy)/other < 0.996 {
		return 0, 0, false
	}
	dx, dy := b.x.at(s)-x, b.y.at(s)-y
	return (dy*ux - dx*uy) / pitch, s - t, true
}

const (
	leastDown = 1.1 // from one line of a zone to the next, in pitches
	mostDown  = 3.8
)

// A candidate is rows that belong together, all counted from the same cell.
type candidate struct {
	rows []row
}

// groups puts rows together, and looks above and below those that are left
// alone.
func (r *reader) groups(rows []row) (list []candidate) {
	slices.SortStableFunc(rows, func(a, b row) int { return cmp.Compare(b.members, a.members) })
	next := make([]int, len(rows)) // the row below each
	for i := range rows {
		next[i] = -1
		least := math.Inf(1)
		for j := range rows {
			if i == j {
				continue
			}
			down, ahead, ok := below(&rows[i], &rows[j])
			if !ok || down < leastDown || down > mostDown || down >= least || overlap(&rows[i], &rows[j], ahead) < 6 {
				continue
			}
			least, next[i] = down, j
		}
	}
	previous := make([]int, len(rows))
	for i := range previous {
		previous[i] = -1
	}
	for i, j := range next {
		if j >= 0 && previous[j] < 0 {
			previous[j] = i
		}
	}
	for i := range rows {
		if previous[i] >= 0 && next[previous[i]] == i {
			continue
		}
		stack := []row{rows[i]}
		seen := map[int]bool{i: true}
		for j := next[i]; j >= 0 && !seen[j] && len(stack) < 8; j = next[j] {
			seen[j] = true
			_, ahead, _ := below(&stack[len(stack)-1], &rows[j])
			stack = append(stack, r.recount(rows[j], round(ahead)))
		}
		list = append(list, candidate{stack})
	}
	return list
}

// overlap counts the cells that two rows have side by side.
func overlap(a, b *row, ahead float64) int {
	shift := round(ahead)
	return min(a.to, b.to-shift) - max(a.from, b.from-shift) + 1
}

// recount counts a row's cells from another one.
func (r *reader) recount(w row, by int) row {
	w.line = w.line.shifted(by)
	w.first -= by
	return w
}

// evidence is by how much it is more probable, as a logarithm, that a cell
// holds a character than that it does not. It is bounded, so that one cell does
// not decide alone.
func evidence(l *glyph.Look) float64 {
	if l == nil {
		return 0
	}
	return max(-5, min(5, float64(sureness(l)-l.P[glyph.None])))
}

// A window is a zone's place in rows: its shape, its first row and cell.
type window struct {
	shape
	row, cell int
	score     float64
}

// windows returns where in a candidate a zone may be, the best first.
func (c *candidate) windows() (list []window) {
	from, to := math.MaxInt, math.MinInt
	for i := range c.rows {
		from, to = min(from, c.rows[i].from), max(to, c.rows[i].to)
	}
	for _, s := range shapes {
		longest := slices.Max(s)
		for first := 0; first+len(s) <= len(c.rows); first++ {
			for cell := from - margin; cell+longest <= to+margin+1; cell++ {
				score := 0.0
				for i, cells := range s {
					w := &c.rows[first+i]
					for t := cell - beyond; t < cell+cells+beyond; t++ {
						if cell <= t && t < cell+cells {
							score += evidence(w.at(t))
						} else {
							score -= evidence(w.at(t))
						}
					}
				}
				list = append(list, window{s, first, cell, score / float64(s.size())})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b window) int { return cmp.Compare(b.score, a.score) })
	return list
}

// beyond is in how many cells before and after a line of a zone no character
// may stand: by so much the two widest differ.
const beyond = 8

// complete adds rows above and below a candidate that has fewer than a zone
// needs, where the network sees some.
func (r *reader) complete(c *candidate) {
	const good = 4.2 // mean evidence of a window that needs no further row
	for len(c.rows) < 3 {
		if len(c.rows) == 2 {
			if list := c.windows(); len(list) > 0 && list[0].score > good {
				return
			}
		}
		steps := []float64{1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25}
		if len(c.rows) == 2 {
			if down, _, ok := below(&c.rows[0], &c.rows[1]); ok {
				steps = []float64{down}
			}
		}
		if w, ok := r.beside(&c.rows[len(c.rows)-1], steps, false); ok {
			c.rows = append(c.rows, w)
		} else if w, ok := r.beside(&c.rows[0], steps, true); ok {
			c.rows = slices.Insert(c.rows, 0, w)
		} else {
			return
		}
	}
}

// beside looks for a row at some distances below another, or above.
func (r *reader) beside(w *row, steps []float64, above bool) (found row, ok bool) {
	best, bestQuality := line{}, 0.45
	if r.quality(&w.line, 16) < 0.7 {
		return row{}, false
	}
	for _, step := range steps {
		l := w.line
		if above {
			step = -step
		}
		t := float64(l.from+l.to) / 2
		ux, uy := l.along(t)
		l.x[0] -= step * uy
		l.y[0] += step * ux
		if q := r.quality(&l, 8); q > bestQuality {
			best, bestQuality = l, q
		}
	}
	if best.ratio == 0 {
		return row{}, false
	}
	r.align(&best)
	r.align(&best)
	down, ahead, ok := below(w, &row{line: best})
	if down = math.Abs(down); !ok || down < leastDown || down > mostDown || math.Abs(ahead) > 0.6 {
		return row{}, false
	}
	return r.read(best, best.from-margin, best.to+margin), true
}
