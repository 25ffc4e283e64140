package specimen

import (
	"image"
	"image/draw"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"
)

// OCR-B of size I at 10 characters to the inch and 2.5 pitches from line to
// line (ISO 1073-2, Doc 9303-3 §4.3), in units of the pitch.
const (
	millimetre = 1 / 2.54
	spacing    = 2.5
)

// A Place maps a place on the paper, in pitches to the right and down from the
// middle of the zone's first cell, to pixels.
type Place func(x, y float64) (px, py float64)

// A Hand is how one printer prints: all lengths in pitches, angles in radians.
type Hand struct {
	Face          *Typeface
	Width, Height float64 // of the glyphs, 1 is nominal
	Bold          float64 // ink that spreads, or is missing, at each edge
	Slant         float64
	Wobble        float64 // how far outlines are bent out of shape
	Shake         float64 // how far glyphs stand from their places
}

// Glyph height of a hand that is nominal, in pitches.
func (f *Typeface) height() float64 { return f.cap / f.advance }

// print draws lines of text into alpha, which is cut out of the picture at its
// bounds.
func (h Hand) print(r *rand.Rand, alpha *image.Alpha, lines []string, pitchToLine float64, place Place) {
	b := alpha.Bounds()
	z := vector.NewRasterizer(b.Dx(), b.Dy())
	z.DrawOp = draw.Src
	for i, line := range lines {
		for j := range len(line) {
			x := float64(j) + h.Shake*r.NormFloat64()
			y := float64(i)*pitchToLine + h.Shake*r.NormFloat64()
			h.glyph(r, z, line[j], x, y, func(x, y float64) (float32, float32) {
				px, py := place(x, y)
				return float32(px - float64(b.Min.X)), float32(py - float64(b.Min.Y))
			})
		}
	}
	z.Draw(alpha, b, image.Opaque, image.Point{})
}

// glyph draws one character with its middle at x, y.
func (h Hand) glyph(r *rand.Rand, z *vector.Rasterizer, ch byte, x, y float64, place func(x, y float64) (float32, float32)) {
	scale := 1 / h.Face.advance
	var wave [6]float64
	if h.Wobble > 0 {
		for i := range wave {
			wave[i] = r.NormFloat64()
		}
	}
	for _, contour := range h.Face.glyphs[ch] {
		n := len(contour)
		for n > 1 && contour[n-1] == contour[0] {
			n--
		}
		for i, p := range contour[:n] {
			gx, gy := p.x*scale-0.5, (p.y-h.Face.cap/2)*scale
			if h.Bold != 0 {
				nx, ny := outward(contour[(i+n-1)%n], p, contour[(i+1)%n])
				gx += h.Bold * nx
				gy += h.Bold * ny
			}
			if h.Wobble > 0 {
				gx += h.Wobble * (wave[0]*math.Sin(5*gy+wave[1]) + wave[2]*gx)
				gy += h.Wobble * (wave[3]*math.Sin(5*gx+wave[4]) + wave[5]*gy)
			}
			gx, gy = gx*h.Width+h.Slant*gy, gy*h.Height
			px, py := place(x+gx, y-gy)
			if i == 0 {
				z.MoveTo(px, py)
			} else {
				z.LineTo(px, py)
			}
		}
		z.ClosePath()
	}
}

// outward is the unit vector that leads out of the ink at a corner of an
// outline. Ink lies to the left of PostScript's outlines.
func outward(before, at, after point) (x, y float64) {
	dx, dy := after.x-before.x, after.y-before.y
	n := math.Hypot(dx, dy)
	if n == 0 {
		return 0, 0
	}
	return dy / n, -dx / n
}
