package specimen

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"strings"

	"golang.org/x/image/vector"
)

// A Page is a sheet of A4 as it comes off a flat-bed scanner: data pages of
// documents on it, or nothing but text.
type Page struct {
	DPI    float64    // 0 means 300
	Zones  [][]string // of each document, at most two
	Tilt   float64    // of the documents, radians, clockwise
	Turned int        // quarter turns clockwise of the whole sheet
	Noise  float64    // standard deviation
	Text   bool       // the sheet is full of printed text
	Grey   bool       // an *image.Gray and not an *image.RGBA
}

const (
	sheetWidth, sheetHeight = 210.0, 297.0 // millimetres
	zonePitch               = 2.54
)

// Draw prints the page and scans it.
func (p Page) Draw(r *rand.Rand, faces []*Typeface) image.Image {
	dpi := p.DPI
	if dpi == 0 {
		dpi = 300
	}
	s := &sheet{r: r, px: dpi / 25.4, faces: faces, text: Others()[1]}
	s.img = image.NewRGBA(image.Rect(0, 0, round(sheetWidth*s.px), round(sheetHeight*s.px)))
	draw.Draw(s.img, s.img.Rect, image.NewUniform(color.RGBA{250, 250, 248, 255}), image.Point{}, draw.Src)
	if p.Text {
		s.prose(20, 25, sheetWidth-20, sheetHeight-25)
	}
	for i, zone := range p.Zones {
		w, h := documentSize(zone)
		room := sheetHeight / float64(len(p.Zones))
		reach := math.Hypot(w, h) / 2 // whatever the tilt
		cx := between(r, min(reach, sheetWidth/2), max(sheetWidth-reach, sheetWidth/2))
		cy := room*float64(i) + between(r, min(reach, room/2), max(room-reach, room/2))
		s.document(zone, cx, cy, w, h, p.Tilt)
	}
	img := s.img
	if p.Noise > 0 {
		for i := range img.Pix {
			if i%4 != 3 {
				img.Pix[i] = uint8(max(0, min(255, float32(img.Pix[i])+float32(p.Noise)*normal(r))))
			}
		}
	}
	for range (p.Turned%4 + 4) % 4 {
		img = quarterTurn(img)
	}
	if !p.Grey {
		return img
	}
	grey := image.NewGray(img.Rect)
	draw.Draw(grey, grey.Rect, img, image.Point{}, draw.Src)
	return grey
}

func round(v float64) int { return int(math.Round(v)) }

// documentSize is the size of the document that has such a zone, in
// millimetres (Doc 9303 parts 4 to 6).
func documentSize(zone []string) (w, h float64) {
	switch len(zone[len(zone)-1]) {
	case 30:
		return 85.6, 54
	case 36:
		return 105, 74
	}
	return 125, 88
}

// A sheet is a page being printed; px are pixels to a millimetre.
type sheet struct {
	r     *rand.Rand
	img   *image.RGBA
	px    float64
	faces []*Typeface
	text  *Typeface
}

// document prints a data page with its middle at cx, cy.
func (s *sheet) document(zone []string, cx, cy, w, h, tilt float64) {
	sin, cos := math.Sincos(tilt)
	place := func(x, y float64) (float64, float64) { // millimetres from the document's upper left corner
		x, y = x-w/2, y-h/2
		return (cx + x*cos - y*sin) * s.px, (cy + x*sin + y*cos) * s.px
	}
	tint := color.RGBA{uint8(205 + s.r.IntN(50)), uint8(205 + s.r.IntN(50)), uint8(205 + s.r.IntN(50)), 255}
	s.fill(place, 0, 0, w, h, tint)
	line := color.RGBA{uint8(90 + s.r.IntN(150)), uint8(90 + s.r.IntN(150)), uint8(170 + s.r.IntN(70)), 255}
	s.waves(place, w, h, line)
	s.fill(place, 5, 18, 0.3*w, h-30, color.RGBA{120, 110, 105, 255}) // the portrait
	black := color.RGBA{25, 25, 30, 255}
	s.write(place, s.text, "REPUBLIC OF UTOPIA   SPECIMEN", 6, 6, 3, black)
	for i, y := 0, 18.0; y < h-22; i, y = i+1, y+7 {
		s.write(place, s.text, "Name / Nom / Nama", 0.3*w+8, y, 1.2, color.RGBA{90, 90, 140, 255})
		s.write(place, s.text, words(s.r, 2), 0.3*w+8, y+3.5, 2, black)
	}
	// The zone stands at the foot, its left edge 6 millimetres from the document's
	// (Doc 9303-3 §4.3 and the layouts of parts 4 to 6).
	hand := Hand{Face: s.faces[0]}.nominal()
	widest := 0
	for _, l := range zone {
		widest = max(widest, len(l))
	}
	left := (w - float64(widest)*zonePitch) / 2
	top := h - 6.5 - float64(len(zone)-1)*spacing*zonePitch
	at := func(x, y float64) (float64, float64) {
		return place(left+(x+0.5)*zonePitch, top+y*zonePitch)
	}
	alpha := image.NewAlpha(s.around(place, 0, top-5, w, h))
	hand.print(s.r, alpha, zone, spacing, at)
	draw.DrawMask(s.img, alpha.Rect, image.NewUniform(black), image.Point{}, alpha, alpha.Rect.Min, draw.Over)
}

// around returns the pixels that a rectangle of the document may touch.
func (s *sheet) around(place Place, x0, y0, x1, y1 float64) (b image.Rectangle) {
	for _, x := range []float64{x0, x1} {
		for _, y := range []float64{y0, y1} {
			px, py := place(x, y)
			b = b.Union(image.Rect(round(px)-2, round(py)-2, round(px)+2, round(py)+2))
		}
	}
	return b.Intersect(s.img.Rect)
}

func (s *sheet) fill(place Place, x0, y0, x1, y1 float64, c color.Color) {
	b := s.around(place, x0, y0, x1, y1)
	z := vector.NewRasterizer(b.Dx(), b.Dy())
	for i, p := range []point{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}} {
		px, py := place(p.x, p.y)
		x, y := float32(px-float64(b.Min.X)), float32(py-float64(b.Min.Y))
		if i == 0 {
			z.MoveTo(x, y)
		} else {
			z.LineTo(x, y)
		}
	}
	z.ClosePath()
	z.Draw(s.img, b, image.NewUniform(c), image.Point{})
}

// waves prints fine waving lines over a document.
func (s *sheet) waves(place Place, w, h float64, c color.RGBA) {
	b := s.around(place, 0, 0, w, h)
	ox, oy := place(0, 0)
	rx, ry := place(1, 0)
	rx, ry = rx-ox, ry-oy
	n := rx*rx + ry*ry
	period, long := between(s.r, 0.8, 2), between(s.r, 2, 9)
	for py := b.Min.Y; py < b.Max.Y; py++ {
		for px := b.Min.X; px < b.Max.X; px++ {
			dx, dy := float64(px)-ox, float64(py)-oy
			x, y := (dx*rx+dy*ry)/n, (dy*rx-dx*ry)/n
			if x < 0 || y < 0 || x > w || y > h {
				continue
			}
			f := (y + 1.5*math.Sin(x/long)) / period
			if f -= math.Floor(f); f > 0.22 {
				continue
			}
			i := s.img.PixOffset(px, py)
			s.img.Pix[i], s.img.Pix[i+1], s.img.Pix[i+2] = c.R, c.G, c.B
		}
	}
}

// write prints one line of text, its capitals so many millimetres high, the
// middle of their height at y.
func (s *sheet) write(place Place, face *Typeface, text string, x, y, height float64, c color.Color) {
	scale := height / face.cap
	wide := 0.0
	for i := range len(text) {
		wide += face.advances[text[i]] * scale
	}
	b := s.around(place, x-1, y-2*height, x+wide+1, y+2*height)
	z := vector.NewRasterizer(b.Dx(), b.Dy())
	for i := range len(text) {
		for _, contour := range face.glyphs[text[i]] {
			for k, p := range contour {
				px, py := place(x+p.x*scale, y-(p.y-face.cap/2)*scale)
				fx, fy := float32(px-float64(b.Min.X)), float32(py-float64(b.Min.Y))
				if k == 0 {
					z.MoveTo(fx, fy)
				} else {
					z.LineTo(fx, fy)
				}
			}
			z.ClosePath()
		}
		x += face.advances[text[i]] * scale
	}
	z.Draw(s.img, b, image.NewUniform(c), image.Point{})
}

// prose fills a rectangle of the sheet with text, some of it in a typeface of
// one width.
func (s *sheet) prose(x0, y0, x1, y1 float64) {
	place := func(x, y float64) (float64, float64) { return x * s.px, y * s.px }
	mono := Others()[0]
	for y := y0; y < y1; y += 4.6 {
		face, n := s.text, 14
		if s.r.IntN(4) == 0 {
			face, n = mono, 9
		}
		text := words(s.r, n)
		if s.r.IntN(6) == 0 {
			text = strings.ToUpper(text)
		}
		s.write(place, face, text, x0, y, 2, color.RGBA{20, 20, 20, 255})
	}
}

// words invents text.
func words(r *rand.Rand, n int) string {
	list := make([]string, n)
	for i := range list {
		w := surnames[r.IntN(len(surnames))]
		if r.IntN(3) > 0 {
			w = w[:1] + strings.ToLower(w[1:])
		}
		list[i] = w
	}
	return strings.Join(list, " ")
}

// quarterTurn turns a picture clockwise.
func quarterTurn(img *image.RGBA) *image.RGBA {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, h, w))
	for y := range h {
		for x := range w {
			copy(out.Pix[out.PixOffset(h-1-y, x):][:4], img.Pix[img.PixOffset(x, y):][:4])
		}
	}
	return out
}
