package ocr

import (
	"math"

	"lintas/mrz/ocr/glyph"
)

// A reader is one reading of one picture.
type reader struct {
	net    *glyph.Net
	levels pyramid
	trace  *glyph.Trace
	// refused are lines that were looked at and are none of a zone.
	refused []line
}

// look judges cell t of a line.
func (r *reader) look(l *line, t float64, out *glyph.Look) {
	ux, uy := l.along(t)
	plane, s := r.levels.forPitch(math.Hypot(ux, uy))
	vx, vy := l.down(t)
	var cell glyph.Cell
	plane.Cut(glyph.Frame{X: l.x.at(t) * s, Y: l.y.at(t) * s, Ux: ux * s, Uy: uy * s, Vx: vx * s, Vy: vy * s}, &cell)
	r.net.Look(&cell, r.trace, out)
}

// Beside a doubtful cell the network looks from nearby too, so far away in
// pitches, in glyph heights, and so much nearer or farther.
const besides = 0.06

var nearby = [...]struct{ x, y, near float64 }{
	{besides, 0, 0}, {-besides, 0, 0}, {0, besides, 0}, {0, -besides, 0}, {0, 0, besides}, {0, 0, -besides},
	{besides, besides, 0}, {-besides, besides, 0}, {besides, -besides, 0}, {-besides, -besides, 0},
}

// sureAtOnce is the logarithm of probability from which on one look is enough.
const sureAtOnce = -0.02

// lookTwice judges cell t of a line, and if it is doubtful takes the mean of what is
// seen from all around it: a pattern misleads in some places only.
func (r *reader) lookTwice(l *line, t float64, out *glyph.Look) {
	r.look(l, t, out)
	if sureness(out) >= sureAtOnce {
		return
	}
	var look glyph.Look
	sum := out.P
	ux, uy := l.along(t)
	vx, vy := l.down(t)
	for _, b := range nearby {
		moved := *l
		moved.x[0] += b.x*ux + b.y*vx
		moved.y[0] += b.x*uy + b.y*vy
		moved.ratio *= 1 + b.near
		r.look(&moved, t, &look)
		for c, p := range look.P {
			sum[c] += p
		}
	}
	for c, p := range sum {
		out.P[c] = p / (1 + float32(len(nearby)))
	}
	out.Normalise()
}

// A row is a line with what the network says of its cells.
type row struct {
	line
	first int // the cell of looks[0]
	looks []glyph.Look
}

// sureness is how probable the most probable character of a cell is, as a
// logarithm.
func sureness(l *glyph.Look) float32 {
	best := l.P[0]
	for _, p := range l.P[1:glyph.None] {
		best = max(best, p)
	}
	return best
}

// quality looks at some cells of a line and returns how sure they are, as a mean
// of probabilities.
func (r *reader) quality(l *line, samples int) float64 {
	sure, _ := r.sample(l, samples)
	return sure
}

// sample looks at some cells of a line. It returns how sure they are, as a mean
// of probabilities, and how unevenly the clear ones stand, as the standard
// deviation of their places in pitches.
func (r *reader) sample(l *line, samples int) (sure, uneven float64) {
	n := l.to - l.from + 1
	samples = min(n, samples)
	var look glyph.Look
	var clear, sum, squares float64
	for i := range samples {
		t := l.from + (2*i+1)*n/(2*samples)
		r.look(l, float64(t), &look)
		s := sureness(&look)
		sure += math.Exp(float64(s)) / float64(samples)
		if s >= leastSure {
			dx := float64(look.Dx)
			clear++
			sum += dx
			squares += dx * dx
		}
	}
	if clear < 2 {
		return sure, 0
	}
	return sure, math.Sqrt(max(0, squares/clear-sum*sum/(clear*clear)))
}

// leastSure is the logarithm of probability below which nothing is made of where
// a glyph seems to stand.
const leastSure = -1.2

// align moves a line to where the network sees its glyphs. It reports how far
// they stood from their places, in pitches, as the root of the mean square:
// much if the text is not of fixed pitch.
func (r *reader) align(l *line) (off float64) {
	var points []point
	var look glyph.Look
	height := 0.0
	for t := l.from; t <= l.to; t++ {
		r.look(l, float64(t), &look)
		if sureness(&look) < leastSure {
			continue
		}
		ux, uy := l.along(float64(t))
		vx, vy := l.down(float64(t))
		dx, dy := float64(look.Dx), float64(look.Dy)
		points = append(points, point{float64(t), l.x.at(float64(t)) + dx*ux + dy*vx, l.y.at(float64(t)) + dx*uy + dy*vy})
		height += float64(look.Dh)
		off += dx * dx
	}
	if len(points) < 6 {
		return math.Inf(1)
	}
	off = math.Sqrt(off / float64(len(points)))
	degree := 1
	if len(points) >= 14 {
		degree = 2
	}
	if x, y, ok := fit(points, degree); ok {
		pitch := l.pitch(points[len(points)/2].t)
		l.x, l.y = x, y
		l.ratio *= math.Exp(height / float64(len(points)))
		// The ratio is in pitches, which may have changed.
		l.ratio *= pitch / l.pitch(points[len(points)/2].t)
		l.ratio = max(0.4, min(2, l.ratio))
	}
	return off
}

// margin is how many cells beyond the ends of a line are looked at.
const margin = 4

// read looks at all cells of a line from one to another.
func (r *reader) read(l line, from, to int) row {
	w := row{line: l, first: from, looks: make([]glyph.Look, to-from+1)}
	for i := range w.looks {
		r.look(&l, float64(from+i), &w.looks[i])
	}
	return w
}

// extended reads on where a row's last cells hold characters still: a pattern may
// have hidden some blobs of the line.
func (r *reader) extended(w row) row {
	for w.to-w.from < maxCells {
		l := w.line
		if w.continues(l.from-margin, l.from-1) {
			l.from -= margin
		}
		if w.continues(l.to+1, l.to+margin) {
			l.to += margin
		}
		if l.from == w.from && l.to == w.to {
			break
		}
		r.align(&l)
		w = r.read(l, l.from-margin, l.to+margin)
	}
	return w
}

// continues reports whether most cells from one to another hold a character
// clearly.
func (w *row) continues(from, to int) bool {
	clear := 0
	for t := from; t <= to; t++ {
		if evidence(w.at(t)) > 2 {
			clear++
		}
	}
	return clear > (to-from+1)/2
}

// clearness is how probable the most probable characters of the row's cells
// are, on the average.
func (w *row) clearness() float64 {
	total := 0.0
	for t := w.from; t <= w.to; t++ {
		if l := w.at(t); l != nil {
			total += math.Exp(float64(sureness(l)))
		}
	}
	return total / float64(w.to-w.from+1)
}

// at returns what was seen in cell t, nil if nobody looked there.
func (w *row) at(t int) *glyph.Look {
	if i := t - w.first; 0 <= i && i < len(w.looks) {
		return &w.looks[i]
	}
	return nil
}
