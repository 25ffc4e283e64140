package specimen

import (
	"image"
	"math"
	"math/rand/v2"
)

// A Strip is a picture of a zone and little else.
type Strip struct {
	*image.Gray
	// Place is where the printer's places ended up.
	Place Place
	// Hand and Spacing are those that the zone was printed with.
	Hand    Hand
	Spacing float64
}

// NewStrip prints lines and wears them.
func NewStrip(r *rand.Rand, lines []string, w Wear) Strip {
	margin := 1.2 + 1.5*r.Float64()
	return newStrip(r, lines, w, margin)
}

func newStrip(r *rand.Rand, lines []string, w Wear, margin float64) Strip {
	w.Hand = w.Hand.nominal()
	longest := 0
	for _, l := range lines {
		longest = max(longest, len(l))
	}
	wide, high := float64(longest-1), float64(len(lines)-1)*w.spacing()
	place := w.place(wide, high)
	// The corners say how large the picture must be.
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, x := range []float64{-0.5 - margin, wide / 2, wide + 0.5 + margin} {
		for _, y := range []float64{-0.5 - margin, high + 0.5 + margin} {
			px, py := place(x, y)
			x0, y0, x1, y1 = min(x0, px), min(y0, py), max(x1, px), max(y1, py)
		}
	}
	width, height := int(math.Ceil(x1-x0)), int(math.Ceil(y1-y0))
	moved := func(x, y float64) (float64, float64) {
		px, py := place(x, y)
		return px - x0, py - y0
	}
	p := w.paper(r, width, height)
	alpha := image.NewAlpha(image.Rect(0, 0, width, height))
	w.Hand.print(r, alpha, lines, w.spacing(), moved)
	w.ink(r, p, alpha)
	p = w.light(r, p)
	return Strip{w.finish(p), moved, w.Hand, w.spacing()}
}

// place returns the way from paper to picture, around the middle of a zone
// that is so wide and high.
func (w *Wear) place(wide, high float64) Place {
	sin, cos := math.Sincos(w.Turn)
	pitch := w.pitch()
	cx, cy := wide/2, high/2
	return func(x, y float64) (float64, float64) {
		u, v := x-cx, y-cy
		if w.Bend != 0 {
			t := u / (wide/2 + 1)
			v += w.Bend * (1 - t*t)
		}
		scale := 1 / (1 + w.KeystoneX*u/(wide+1) + w.KeystoneY*v/(wide+1))
		u, v = u*scale, v*scale
		return pitch * (u*cos - v*sin), pitch * (u*sin + v*cos)
	}
}

func (h Hand) nominal() Hand {
	if h.Width == 0 {
		h.Width = 1
	}
	if h.Height == 0 {
		h.Height = 1
	}
	return h
}

// Height is that of the hand's capitals, in pitches.
func (h Hand) GlyphHeight() float64 { return h.Face.height() * h.Height }
