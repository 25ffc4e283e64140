package specimen

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
)

// A Photo is a document that lies on a table, taken with a telephone.
type Photo struct {
	Zone   []string
	Width  int // pixels; the height is three quarters of it. 0 means 2000
	Turned int // quarter turns clockwise
	JPEG   int // quality; 0 means none

	Shadow float64 // how much darker it is where a hand keeps the light off, 0 to 1
	Blur   float64 // out of focus: standard deviation, in pixels
}

// Draw prints the document and takes the photo, from a little aside, in the
// light of a lamp.
func (p Photo) Draw(r *rand.Rand, faces []*Typeface) image.Image {
	width := p.Width
	if width == 0 {
		width = 2000
	}
	w, h := documentSize(p.Zone)
	const table = 25.0 // millimetres around the document
	wide := max(w+2*table, (h+2*table)*4/3)
	high := wide * 3 / 4
	// Printed a little finer than it is seen.
	s := &sheet{r: r, px: 1.3 * float64(width) / wide, faces: faces, text: Others()[1]}
	s.img = image.NewRGBA(image.Rect(0, 0, round(wide*s.px), round(high*s.px)))
	wood := color.RGBA{uint8(40 + r.IntN(120)), uint8(30 + r.IntN(90)), uint8(20 + r.IntN(80)), 255}
	draw.Draw(s.img, s.img.Rect, image.NewUniform(wood), image.Point{}, draw.Src)
	s.document(p.Zone, wide/2+between(r, -5, 5), high/2+between(r, -5, 5), w, h, either(r, 0, 0.2))

	height := width * 3 / 4
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	kx, ky := either(r, 0, 0.15), either(r, 0, 0.2)
	sin, cos := math.Sincos(2 * math.Pi * r.Float64())
	dark := between(r, 0.1, 0.5)
	noise := between(r, 1, 7)
	shadow := p.shadow(r)
	sw, sh := float64(s.img.Rect.Dx()), float64(s.img.Rect.Dy())
	for y := range height {
		for x := range width {
			u, v := float64(x)/float64(width)-0.5, float64(y)/float64(height)-0.5
			scale := 1 / (1 + kx*u + ky*v)
			i := s.img.PixOffset(max(0, min(int(sw)-2, int((0.5+u*scale)*sw))), max(0, min(int(sh)-2, int((0.5+v*scale)*sh))))
			light := (1 - dark*(0.5+u*cos+v*sin)) * shadow(u, v)
			o := out.PixOffset(x, y)
			for c := range 3 {
				// The mean of four: the picture is finer than the photo.
				at := i + c
				mean := int(s.img.Pix[at]) + int(s.img.Pix[at+4]) + int(s.img.Pix[at+s.img.Stride]) + int(s.img.Pix[at+s.img.Stride+4])
				out.Pix[o+c] = uint8(max(0, min(255, float64(mean)/4*light+noise*float64(normal(r)))))
			}
			out.Pix[o+3] = 255
		}
	}
	if p.Blur > 0 {
		defocus(out, p.Blur)
	}
	for range (p.Turned%4 + 4) % 4 {
		out = quarterTurn(out)
	}
	if p.JPEG == 0 {
		return out
	}
	return throughJPEG(out, p.JPEG)
}

// shadow returns how much of the light reaches a place, counted from the middle
// of the photo: less beyond the soft edge of a shadow that crosses the document.
func (p Photo) shadow(r *rand.Rand) func(u, v float64) float64 {
	if p.Shadow == 0 {
		return func(u, v float64) float64 { return 1 }
	}
	sin, cos := math.Sincos(2 * math.Pi * r.Float64())
	at, soft := between(r, -0.1, 0.1), between(r, 0.005, 0.06)
	return func(u, v float64) float64 {
		return 1 - p.Shadow/(1+math.Exp(-(u*cos+v*sin-at)/soft))
	}
}

// defocus blurs all channels of a picture.
func defocus(img *image.RGBA, sigma float64) {
	p := newPlane(img.Rect.Dx(), img.Rect.Dy())
	for c := range 3 {
		for i := range p.pix {
			p.pix[i] = float32(img.Pix[4*i+c])
		}
		p.blur(sigma)
		for i, v := range p.pix {
			img.Pix[4*i+c] = uint8(v + 0.5)
		}
	}
}
