// Package glyph looks at one cell of a machine-readable zone: it cuts the cell
// out of a grey picture and says how probable each character of OCR-B is, and
// how far beside the glyph's true place the cell was cut.
//
// The judge is a small neural network of four layers. Its weights, weights.bin,
// are made by the program in ../train from printed specimens of invented
// holders; weights.txt says from which seed, and how good they are.
//
// Loops over pixels that share nothing are marked go:norace: the race detector
// would make them twenty times slower and could find nothing.
package glyph

import "math"

// A cell is Width × Height pixels: a pitch and a quarter wide, so that its
// neighbours' edges are seen, and one and a half glyphs high.
const (
	Width  = 20
	Height = 24
	Size   = Width * Height

	pitchPixels = 16.0 // of a cell's width is one pitch
	glyphPixels = 16.0 // of a cell's height is one glyph
)

// Alphabet lists the characters of a zone in the order of Look's result.
const Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"

// None is the class of what is none of them: paper, half a glyph, other text.
const None = len(Alphabet)

// Classes counts the alphabet and None.
const Classes = None + 1

// Index returns the class of a character, None if it is none of the alphabet.
func Index(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'A' <= c && c <= 'Z':
		return int(c-'A') + 10
	case c == '<':
		return 36
	}
	return None
}

// A Plane is a grey picture, row by row.
type Plane struct {
	W, H int
	Pix  []uint8
}

// A Frame is where one cell lies in a Plane: its middle, the way to the next
// cell and the way down the height of a capital.
type Frame struct {
	X, Y   float64
	Ux, Uy float64
	Vx, Vy float64
}

// A Cell is a cell's pixels: about 0 is its paper, about 1 its ink.
type Cell [Size]float32

const (
	// leastContrast is by how much, of brightness 0 to 255, ink is darker than
	// paper at least: what differs less is not brought to full contrast.
	leastContrast = 6
	// leastDeviation is the standard deviation of blank paper at that contrast.
	leastDeviation = 0.05
	// Of a cell's pixels so many are taken to be ink, and so many paper, at
	// least: '<' covers a tenth of its cell, and of a fine pattern a fifth is
	// paper that is not printed on.
	surelyInk, surelyPaper = Size * 4 / 100, Size * 20 / 100
)

// Cut cuts a cell out of p. What lies beyond the picture's edge looks like the
// edge. A pitch of about 12 to 24 pixels is best.
//
//go:norace
func (p Plane) Cut(f Frame, cell *Cell) {
	ux, uy := f.Ux/pitchPixels, f.Uy/pitchPixels
	vx, vy := f.Vx/glyphPixels, f.Vy/glyphPixels
	// Fixed point, 16 bits behind the point, to the middle of pixel 0, 0.
	const one = 1 << 16
	x0 := f.X - 0.5 + ux*(0.5-Width/2) + vx*(0.5-Height/2)
	y0 := f.Y - 0.5 + uy*(0.5-Width/2) + vy*(0.5-Height/2)
	i := 0
	for v := range Height {
		fx, fy := x0+vx*float64(v), y0+vy*float64(v)
		x, y := int(fx*one), int(fy*one)
		dx, dy := int(ux*one), int(uy*one)
		for range Width {
			cell[i] = p.at(x, y)
			i++
			x += dx
			y += dy
		}
	}
	cell.level()
}

// level brings brightness between that of the cell's own ink, 1, and that of its
// paper, 0.
//
//go:norace
func (c *Cell) level() {
	var count [256]uint16
	for _, v := range c {
		count[uint8(v)]++
	}
	ink, paper := 0, 255
	for n := int(count[ink]); n <= surelyInk; n += int(count[ink]) {
		ink++
	}
	for n := int(count[paper]); n <= surelyPaper; n += int(count[paper]) {
		paper--
	}
	contrast := 1 / float32(max(leastContrast, paper-ink))
	for i, v := range c {
		c[i] = max(-0.2, min(1.3, (float32(paper)-v)*contrast))
	}
}

// spread says of every pixel two numbers: how dark it is, and how dark if what
// lies between is brought nearer to paper, since it is more often a printed
// pattern or a shadow than half a stroke. Both are brought to the same mean and
// contrast. Around the cell is nothing.
//
//go:norace
func (c *Cell) spread(to *[room1]float32) {
	var sum, squares [channels]float32
	for _, y := range c {
		z := y * (0.3 + 0.7*y)
		sum[0] += y
		sum[1] += z
		squares[0] += y * y
		squares[1] += z * z
	}
	var mean, scale [channels]float32
	for i := range mean {
		mean[i] = sum[i] / Size
		scale[i] = 1 / max(leastDeviation, float32(math.Sqrt(float64(max(0, squares[i]/Size-mean[i]*mean[i])))))
	}
	for v := range Height {
		row := to[((v+border1)*(Width+2*border1)+border1)*channels:]
		for u, y := range c[v*Width:][:Width] {
			row[channels*u] = (y - mean[0]) * scale[0]
			row[channels*u+1] = (y*(0.3+0.7*y) - mean[1]) * scale[1]
		}
	}
}

// at interpolates between four pixels; x and y have 16 bits behind the point.
//
//go:norace
func (p Plane) at(x, y int) float32 {
	ix, iy := x>>16, y>>16
	fx, fy := float32(x&0xffff)/65536, float32(y&0xffff)/65536
	if uint(ix) < uint(p.W-1) && uint(iy) < uint(p.H-1) {
		k := iy*p.W + ix
		a, b := p.Pix[k:k+2:k+2], p.Pix[k+p.W:k+p.W+2:k+p.W+2]
		top := float32(a[0]) + (float32(a[1])-float32(a[0]))*fx
		low := float32(b[0]) + (float32(b[1])-float32(b[0]))*fx
		return top + (low-top)*fy
	}
	x1, y1 := max(0, min(p.W-1, ix+1)), max(0, min(p.H-1, iy+1))
	ix, iy = max(0, min(p.W-1, ix)), max(0, min(p.H-1, iy))
	top := float32(p.Pix[iy*p.W+ix])*(1-fx) + float32(p.Pix[iy*p.W+x1])*fx
	low := float32(p.Pix[y1*p.W+ix])*(1-fx) + float32(p.Pix[y1*p.W+x1])*fx
	return top*(1-fy) + low*fy
}

// Halve returns the picture at half its size, each pixel the mean of four.
//
//go:norace
func (p Plane) Halve() Plane {
	h := Plane{W: p.W / 2, H: p.H / 2}
	h.Pix = make([]uint8, h.W*h.H)
	for y := range h.H {
		a, b := p.Pix[2*y*p.W:][:2*h.W], p.Pix[(2*y+1)*p.W:][:2*h.W]
		out := h.Pix[y*h.W:][:h.W]
		for x := range out {
			out[x] = uint8((int(a[2*x]) + int(a[2*x+1]) + int(b[2*x]) + int(b[2*x+1]) + 2) / 4)
		}
	}
	return h
}

// At returns the brightness at a place, interpolated.
func (p Plane) At(x, y float64) uint8 {
	const one = 1 << 16
	limit := func(v float64, n int) int { return int(max(-1, min(float64(n), v-0.5)) * one) }
	return uint8(p.at(limit(x, p.W), limit(y, p.H)) + 0.5)
}
