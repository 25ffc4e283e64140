package main

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"lintas/mrz/ocr/glyph"
	"lintas/mrz/ocr/specimen"
)

// A sample is one cell with what is printed in it and where.
type sample struct {
	pix        [glyph.Size]int8 // in 1/80
	class      uint8
	dx, dy, dh float32
	placed     bool // dx, dy, dh are known
	aligned    bool // cut as the reader cuts what it has aligned
}

const pixScale = 80

func pack(cell *glyph.Cell, s *sample) {
	for i, v := range cell {
		s.pix[i] = int8(max(-127, min(127, math.Round(float64(v*pixScale)))))
	}
}

func (s *sample) unpack(cell *glyph.Cell) {
	for i, v := range s.pix {
		cell[i] = float32(v) * (1.0 / pixScale)
	}
}

// A press prints what is to be learnt.
type press struct {
	faces, others []*specimen.Typeface
}

func newPress() (*press, error) {
	faces, err := specimen.Typefaces()
	return &press{faces, specimen.Others()}, err
}

// cells prints n strips, each from a seed of its own, and cuts them.
func (p *press) cells(seed uint64, n int) []sample {
	per := make([][]sample, n)
	var next sync.Mutex
	i := -1
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for {
				next.Lock()
				i++
				k := i
				next.Unlock()
				if k >= n {
					return
				}
				per[k] = p.strip(rand.New(rand.NewPCG(seed, uint64(k))))
			}
		})
	}
	workers.Wait()
	total := 0
	for _, s := range per {
		total += len(s)
	}
	all := make([]sample, 0, total)
	for k, s := range per {
		all = append(all, s...)
		per[k] = nil
	}
	return all
}

// strip prints one strip and returns its cells.
func (p *press) strip(r *rand.Rand) (list []sample) {
	lines, known := p.text(r)
	var w specimen.Wear
	if r.IntN(3) == 0 {
		w = specimen.Kinds[r.IntN(len(specimen.Kinds))].Wear(r, p.faces)
	} else {
		w = specimen.Wild(r, p.faces)
	}
	if known && r.IntN(20) == 0 {
		w.Hand.Face = p.others[0] // of one width too
	}
	if !known && r.IntN(2) == 0 {
		w.Hand.Face = p.others[r.IntN(len(p.others))]
	}
	s := specimen.NewStrip(r, lines, w)
	levels := []glyph.Plane{{W: s.Rect.Dx(), H: s.Rect.Dy(), Pix: s.Pix}}
	for range 3 {
		levels = append(levels, levels[len(levels)-1].Halve())
	}
	for i, line := range lines {
		for j := -2; j < len(line)+2; j++ {
			c := byte(' ')
			if 0 <= j && j < len(line) {
				c = line[j]
			} else if r.IntN(3) > 0 {
				continue
			}
			if !known && r.IntN(2) == 0 {
				continue
			}
			list = append(list, p.sample(r, &s, levels, c, known, float64(j), float64(i)*s.Spacing))
		}
	}
	return list
}

// text returns what a strip says: zones, or letters and digits in any order,
// or, now and then, what is no text of zones at all.
func (p *press) text(r *rand.Rand) (lines []string, known bool) {
	random := func(alphabet string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	switch k := r.IntN(20); {
	case k < 7:
		return specimen.Zone(r, specimen.Formats[r.IntN(len(specimen.Formats))]), true
	case k < 18:
		const alphabet = glyph.Alphabet + "<<<00112OOISB8" // what is often taken for another comes more often
		return []string{random(alphabet, 30), random(alphabet, 30)}, true
	default:
		const other = "abcdefghijklmnopqrstuvwxyz,.;:-+/()!?'    abdefghijkmnopqrstuvwxyz"
		return []string{random(other, 30), random(other, 30)}, false
	}
}

// unlike are the characters that are none of the alphabet upside down.
const unlike = "<ACEFGJKLPRTUVY2347"

func (p *press) sample(r *rand.Rand, s *specimen.Strip, levels []glyph.Plane, c byte, known bool, x, y float64) (out sample) {
	ax, ay := s.Place(x-0.5, y)
	bx, by := s.Place(x+0.5, y)
	half := s.Hand.GlyphHeight() / 2
	tx, ty := s.Place(x, y-half)
	lx, ly := s.Place(x, y+half)
	mx, my := s.Place(x, y)
	ux, uy := bx-ax, by-ay
	pitch, height := math.Hypot(ux, uy), math.Hypot(lx-tx, ly-ty)

	class := glyph.None
	if known {
		class = glyph.Index(c)
	}
	var dx, dy, dh float64
	placed := class != glyph.None
	turned := false
	switch k := r.IntN(40); {
	case k < 22: // about right
		dx, dy, dh = 0.05*r.NormFloat64(), 0.05*r.NormFloat64(), 0.05*r.NormFloat64()
	case k < 36: // found by its blobs
		dx, dy, dh = 0.3*(2*r.Float64()-1), 0.3*(2*r.Float64()-1), 0.3*(2*r.Float64()-1)
	case k < 37: // between two glyphs
		dx = 0.5 + 0.06*r.NormFloat64()
		class, placed = glyph.None, false
	case k < 38: // between two lines
		dy = 0.75 + 0.3*r.Float64()
		if r.IntN(2) == 0 {
			dy = -dy
		}
		class, placed = glyph.None, false
	default: // upside down
		for i := range unlike {
			if unlike[i] == c {
				turned, placed = true, false
				class = glyph.None
			}
		}
		dx, dy, dh = 0.06*r.NormFloat64(), 0.06*r.NormFloat64(), 0.06*r.NormFloat64()
	}
	dx, dy, dh = max(-0.6, min(0.6, dx)), max(-1.1, min(1.1, dy)), max(-0.35, min(0.35, dh))
	if math.Abs(dx) > 0.4 {
		class, placed = glyph.None, false
	}
	tilt := 0.03 * r.NormFloat64()
	stretch := 1 + 0.03*r.NormFloat64()
	sin, cos := math.Sincos(tilt)
	ux, uy = (ux*cos-uy*sin)*stretch, (ux*sin+uy*cos)*stretch
	vx, vy := -uy/pitch*height, ux/pitch*height
	if r.IntN(4) == 0 { // the reader may know the slant of what it cuts
		vx, vy = lx-tx, ly-ty
	}
	f := glyph.Frame{X: mx - dx*ux - dy*vx, Y: my - dx*uy - dy*vy, Ux: ux, Uy: uy, Vx: vx * math.Exp(-dh), Vy: vy * math.Exp(-dh)}
	if turned {
		f.Ux, f.Uy, f.Vx, f.Vy = -f.Ux, -f.Uy, -f.Vx, -f.Vy
	}
	level := 0
	for pitch >= 24 && level < len(levels)-1 {
		pitch /= 2
		level++
	}
	scale := math.Pow(0.5, float64(level))
	f.X, f.Y, f.Ux, f.Uy, f.Vx, f.Vy = f.X*scale, f.Y*scale, f.Ux*scale, f.Uy*scale, f.Vx*scale, f.Vy*scale
	var cell glyph.Cell
	levels[level].Cut(f, &cell)
	pack(&cell, &out)
	out.aligned = !turned && math.Abs(dx) < 0.12 && math.Abs(dy) < 0.12 && math.Abs(dh) < 0.15
	out.class, out.dx, out.dy, out.dh, out.placed = uint8(class), float32(dx), float32(dy), float32(dh), placed
	return out
}
