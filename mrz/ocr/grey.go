package ocr

import (
	"image"
	"image/color"

	"lintas/mrz/ocr/glyph"
)

// grey returns a picture as the brightest of red, green and blue: black ink is
// dark in all three, coloured patterns are not. What is transparent is white.
func grey(img image.Image) glyph.Plane {
	b := img.Bounds()
	p := glyph.Plane{W: b.Dx(), H: b.Dy()}
	p.Pix = make([]uint8, p.W*p.H)
	switch img := img.(type) {
	case *image.Gray:
		for y := range p.H {
			copy(p.Pix[y*p.W:][:p.W], img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.RGBA: // colours are multiplied by alpha, what is missing is white
		for y := range p.H {
			brightestOf(p.Pix[y*p.W:][:p.W], img.Pix[img.PixOffset(b.Min.X, b.Min.Y+y):][:4*p.W])
		}
	case *image.YCbCr:
		for y := range p.H {
			out := p.Pix[y*p.W:][:p.W]
			luma := img.Y[img.YOffset(b.Min.X, b.Min.Y+y):][:p.W]
			// Neighbours mostly share their colour.
			for x, last, colour := 0, -1, int32(0); x < len(out); x++ {
				if k := img.COffset(b.Min.X+x, b.Min.Y+y); k != last {
					last, colour = k, brighter(int32(img.Cb[k])-128, int32(img.Cr[k])-128)
				}
				out[x] = uint8(max(0, min(255, int32(luma[x])+colour)))
			}
		}
	default:
		for y := range p.H {
			for x := range p.W {
				c := color.NRGBAModel.Convert(img.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
				v := uint32(max(c.R, c.G, c.B))
				p.Pix[y*p.W+x] = uint8((v*uint32(c.A) + 255*(255-uint32(c.A))) / 255)
			}
		}
	}
	return p
}

// brightestOf writes the brightest of red, green and blue of each pixel.
//
//go:norace
func brightestOf(out, rgba []uint8) {
	for x := range out {
		c := rgba[:4:4]
		rgba = rgba[4:]
		out[x] = uint8(max(uint(c[0]), uint(c[1]), uint(c[2])) + 255 - uint(c[3]))
	}
}

// brighter is by how much the largest of red, green and blue is above the
// brightness of a JPEG's colour.
func brighter(cb, cr int32) int32 {
	red, green, blue := 91881*cr, -22554*cb-46802*cr, 116130*cb
	return (max(red, green, blue) + 1<<15) >> 16
}

// A pyramid is one picture at falling sizes, each half of the one before. Level
// 0 is the picture itself.
type pyramid []glyph.Plane

// smallest is the length of the long side below which nothing is halved.
const smallest = 64

func newPyramid(p glyph.Plane) pyramid {
	levels := pyramid{p}
	for max(p.W, p.H) > 2*smallest && min(p.W, p.H) > 8 {
		p = p.Halve()
		levels = append(levels, p)
	}
	return levels
}

// forPitch returns the level at which a pitch, given in pixels of the picture
// itself, is handy for cutting cells, and its scale.
func (p pyramid) forPitch(pitch float64) (plane glyph.Plane, scale float64) {
	level := 0
	scale = 1
	for pitch >= 24 && level < len(p)-1 {
		pitch /= 2
		scale /= 2
		level++
	}
	return p[level], scale
}

// enlarge doubles a picture by interpolation.
func enlarge(p glyph.Plane) glyph.Plane {
	out := glyph.Plane{W: 2 * p.W, H: 2 * p.H, Pix: make([]uint8, 4*p.W*p.H)}
	for y := range out.H {
		// Pixel y lies at y/2 - 1/4 of the smaller picture.
		near, far := y/2, y/2-1+2*(y&1)
		a, b := p.Pix[near*p.W:][:p.W], p.Pix[max(0, min(p.H-1, far))*p.W:][:p.W]
		for x := range out.W {
			i, j := x/2, max(0, min(p.W-1, x/2-1+2*(x&1)))
			out.Pix[y*out.W+x] = uint8((9*int(a[i]) + 3*int(a[j]) + 3*int(b[i]) + int(b[j]) + 8) / 16)
		}
	}
	return out
}
