package ocr

import (
	"math"
	"slices"
)

// A line is a row of cells of fixed pitch in a picture. The middle of cell t is
// at x(t), y(t), polynomials of t; ratio is the height of a glyph in pitches,
// slant how far the way down leans along the line, in pitches.
type line struct {
	x, y         poly
	ratio, slant float64
	from, to     int // the first and the last cell that are known to be there
	members      int // of the cells between, how many are
}

// A poly is a + bt + ct².
type poly [3]float64

func (p poly) at(t float64) float64    { return p[0] + t*(p[1]+t*p[2]) }
func (p poly) slope(t float64) float64 { return p[1] + 2*t*p[2] }

// shifted returns q with q(t) = p(t+by).
func (p poly) shifted(by float64) poly {
	return poly{p.at(by), p.slope(by), p[2]}
}

// flipped returns the line read from its other end, upside down.
func (l line) flipped() line {
	l.x, l.y = poly{l.x[0], -l.x[1], l.x[2]}, poly{l.y[0], -l.y[1], l.y[2]}
	l.from, l.to = -l.to, -l.from
	return l
}

// shifted returns the line counted from another cell.
func (l line) shifted(by int) line {
	l.x, l.y = l.x.shifted(float64(by)), l.y.shifted(float64(by))
	l.from, l.to = l.from-by, l.to-by
	return l
}

// along is the way from cell t to the next.
func (l *line) along(t float64) (ux, uy float64) { return l.x.slope(t), l.y.slope(t) }

func (l *line) pitch(t float64) float64 { return math.Hypot(l.along(t)) }

// down is the way from the top of a glyph in cell t to its foot.
func (l *line) down(t float64) (vx, vy float64) {
	ux, uy := l.along(t)
	return l.ratio*-uy + l.slant*ux, l.ratio*ux + l.slant*uy
}

// A point is where a cell was seen.
type point struct{ t, x, y float64 }

// fit returns the best polynomials of a degree (1 or 2) through points.
func fit(points []point, degree int) (x, y poly, ok bool) {
	if len(points) <= degree {
		return x, y, false
	}
	// Count from the middle, for the sake of precision.
	mid := 0.0
	for _, p := range points {
		mid += p.t
	}
	mid /= float64(len(points))
	var s [5]float64
	var bx, by [3]float64
	for _, p := range points {
		t, pow := p.t-mid, 1.0
		for i := range s {
			s[i] += pow
			if i < 3 {
				bx[i] += pow * p.x
				by[i] += pow * p.y
			}
			pow *= t
		}
	}
	if degree == 1 {
		s[2+1], s[2+2] = 0, 1
		m := [3][3]float64{{s[0], s[1], 0}, {s[1], s[2], 0}, {0, 0, 1}}
		bx[2], by[2] = 0, 0
		x, ok = solve(m, bx)
		if ok {
			y, ok = solve(m, by)
		}
	} else {
		m := [3][3]float64{{s[0], s[1], s[2]}, {s[1], s[2], s[3]}, {s[2], s[3], s[4]}}
		x, ok = solve(m, bx)
		if ok {
			y, ok = solve(m, by)
		}
	}
	return x.shifted(-mid), y.shifted(-mid), ok
}

// solve solves three linear equations by Cramer's rule.
func solve(m [3][3]float64, b [3]float64) (p poly, ok bool) {
	det := func(m [3][3]float64) float64 {
		return m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1]) -
			m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0]) +
			m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])
	}
	d := det(m)
	if math.Abs(d) < 1e-9 {
		return p, false
	}
	for i := range p {
		c := m
		for j := range c {
			c[j][i] = b[j]
		}
		p[i] = det(c) / d
	}
	return p, true
}

// A field of blobs finds those near a place.
type field struct {
	blobs   []blob
	size    float64 // of a square
	columns int
	rows    int
	first   []int32 // in squares, row by row: where its blobs begin in order
	order   []int32
}

func newField(list []blob, size, w, h float64) *field {
	f := &field{blobs: list, size: size, columns: int(w/size) + 1, rows: int(h/size) + 1}
	f.first = make([]int32, f.columns*f.rows+1)
	f.order = make([]int32, len(list))
	for _, b := range list {
		f.first[f.square(b.x, b.y)+1]++
	}
	for i := 1; i < len(f.first); i++ {
		f.first[i] += f.first[i-1]
	}
	next := slices.Clone(f.first)
	for i, b := range list {
		s := f.square(b.x, b.y)
		f.order[next[s]] = int32(i)
		next[s]++
	}
	return f
}

func (f *field) square(x, y float64) int {
	return max(0, min(f.rows-1, int(y/f.size)))*f.columns + max(0, min(f.columns-1, int(x/f.size)))
}

// near calls visit for every blob in a square around a place, and some beyond.
func (f *field) near(x, y, reach float64, visit func(i int)) {
	c0, c1 := max(0, int((x-reach)/f.size)), min(f.columns-1, int((x+reach)/f.size))
	r0, r1 := max(0, int((y-reach)/f.size)), min(f.rows-1, int((y+reach)/f.size))
	for r := r0; r <= r1; r++ {
		if c0 > c1 {
			break
		}
		for _, i := range f.order[f.first[r*f.columns+c0]:f.first[r*f.columns+c1+1]] {
			visit(int(i))
		}
	}
}

const (
	leastSeed    = 5   // blobs in a row at equal distances begin a line
	leastMembers = 9   // and so many make it one
	maxGap       = 6   // cells in which nothing was seen
	maxCells     = 50  // of one line: more than any zone has, and some noise
	maxLines     = 400 // of one picture and inking
)

// lines finds rows of blobs at fixed pitch, along the picture's rows or, if
// upright is false, along its columns: a line may lean by a quarter of a right
// angle either way.
func (f *field) lines(upright bool) (list []line) {
	// In what follows u is along the line, v across.
	uv := func(b blob) (u, v, length, height float64) {
		if upright {
			return b.x, b.y, b.w, b.h
		}
		return b.y, b.x, b.h, b.w
	}
	n := len(f.blobs)
	right := make([]int32, n)
	left := make([]int32, n)
	for i := range left {
		left[i], right[i] = -1, -1
	}
	better := func(i, j int, u, v, h float64) (cost float64, ok bool) {
		bu, bv, bl, bh := uv(f.blobs[j])
		du, dv := bu-u, math.Abs(bv-v)
		if du < 0.3*h || du > 2.6*h || dv > 0.25*h+0.35*du || bh < 0.5*h || bh > 2*h || bl > 1.6*bh {
			return 0, false
		}
		return du + 2*dv, true
	}
	leftCost := make([]float64, n)
	for i, b := range f.blobs {
		u, v, length, h := uv(b)
		if length > 1.6*h {
			continue
		}
		least := math.Inf(1)
		x, y := b.x+1.4*h, b.y
		if !upright {
			x, y = b.x, b.y+1.4*h
		}
		f.near(x, y, 1.4*h, func(j int) {
			if cost, ok := better(i, j, u, v, h); ok && cost < least {
				least, right[i] = cost, int32(j)
			}
		})
		if j := right[i]; j >= 0 && (left[j] < 0 || least < leftCost[j]) {
			left[j], leftCost[j] = int32(i), least
		}
	}
	used := make([]bool, n)
	for i := range f.blobs {
		if used[i] || right[i] < 0 || len(list) >= maxLines {
			continue
		}
		seed := f.seed(i, right, left, uv)
		if seed == nil {
			continue
		}
		l, members, ok := f.grow(seed, upright)
		if !ok {
			used[i] = true
			continue
		}
		for _, m := range members {
			used[m] = true
		}
		list = append(list, l)
	}
	return list
}

// seed follows the chain that begins with blob i while distances are equal.
func (f *field) seed(i int, right, left []int32, uv func(blob) (u, v, l, h float64)) []int {
	chain := []int{i}
	u, v, _, h := uv(f.blobs[i])
	first := 0.0
	var direction float64
	for j := right[i]; j >= 0 && left[j] == int32(chain[len(chain)-1]); j = right[j] {
		bu, bv, _, bh := uv(f.blobs[j])
		d := bu - u
		lean := (bv - v) / d
		if first == 0 {
			first, direction = d, lean
		}
		if math.Abs(d-first) > 0.22*first || math.Abs(lean-direction) > 0.22 || bh < 0.6*h || bh > 1.7*h {
			break
		}
		chain = append(chain, int(j))
		first += (d - first) / float64(len(chain))
		direction += (lean - direction) / float64(len(chain))
		u, v = bu, bv
		if len(chain) >= 8 {
			break
		}
	}
	if len(chain) < leastSeed {
		return nil
	}
	return chain
}

// grow extends a seed to both sides by what stands where a cell is expected.
func (f *field) grow(seed []int, upright bool) (l line, members []int, ok bool) {
	var heights []float64
	height := func(b blob) float64 {
		if upright {
			return b.h
		}
		return b.w
	}
	points := make([]point, 0, 48)
	for k, i := range seed {
		b := f.blobs[i]
		points = append(points, point{float64(k), b.x, b.y})
		heights = append(heights, height(b))
		members = append(members, i)
	}
	slices.Sort(heights)
	h := heights[len(heights)/2]
	x, y, ok := fit(points, 1)
	if !ok {
		return l, nil, false
	}
	from, to := 0, len(seed)-1
	extend := func(step int) {
		// Near the end, the last few cells know the way best.
		gap := 0
		for k := to + 1; gap < maxGap && to-from <= maxCells; k += step {
			if step < 0 && k > from-1 {
				k = from - 1
			}
			ux, uy := x.slope(float64(k)), y.slope(float64(k))
			pitch := math.Hypot(ux, uy)
			px, py := x.at(float64(k)), y.at(float64(k))
			best, least := -1, math.Inf(1)
			f.near(px, py, 0.6*pitch, func(i int) {
				b := f.blobs[i]
				bh := height(b)
				if bh < 0.55*h || bh > 1.6*h {
					return
				}
				dx, dy := b.x-px, b.y-py
				alongLine := math.Abs(dx*ux+dy*uy) / pitch
				across := math.Abs(dy*ux-dx*uy) / pitch
				if alongLine > 0.3*pitch || across > 0.35*h {
					return
				}
				if d := alongLine + across; d < least {
					best, least = i, d
				}
			})
			if best < 0 {
				gap++
				continue
			}
			gap = 0
			b := f.blobs[best]
			p := point{float64(k), b.x, b.y}
			if step > 0 {
				points = append(points, p)
				to = k
			} else {
				points = slices.Insert(points, 0, p)
				from = k
			}
			members = append(members, best)
			recent := points
			degree := 1
			if len(points) > 14 {
				degree = 2
			}
			if len(points) > 24 {
				if step > 0 {
					recent = points[len(points)-24:]
				} else {
					recent = points[:24]
				}
			}
			if nx, ny, ok := fit(recent, degree); ok {
				x, y = nx, ny
			}
		}
	}
	extend(1)
	if nx, ny, ok := fit(points[:min(len(points), 16)], 1); ok {
		x, y = nx, ny
	}
	extend(-1)
	if to-from >= maxCells || len(points) < leastMembers || float64(len(points)) < 0.4*float64(to-from+1) {
		return l, nil, false
	}
	degree := 1
	if len(points) >= 14 {
		degree = 2
	}
	if l.x, l.y, ok = fit(points, degree); !ok {
		return l, nil, false
	}
	// Blobs of text in other typefaces do not stand in the middle of cells.
	off := 0.0
	for _, p := range points {
		dx, dy := p.x-l.x.at(p.t), p.y-l.y.at(p.t)
		off += dx*dx + dy*dy
	}
	pitch := l.pitch(float64(from+to) / 2)
	if math.Sqrt(off/float64(len(points))) > 0.16*pitch {
		return l, nil, false
	}
	heights = heights[:0]
	for _, i := range members {
		heights = append(heights, height(f.blobs[i]))
	}
	slices.Sort(heights)
	l.ratio = heights[len(heights)*3/4] / pitch
	l.from, l.to, l.members = from, to, len(points)
	if l.ratio < 0.45 || l.ratio > 1.9 {
		return l, nil, false
	}
	return l, members, true
}
