package specimen

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
)

// A Wear is what paper, printer and scanner do to a zone. The zero value does
// nothing. Brightness is 0 to 255, lengths are in pitches where not said
// otherwise.
type Wear struct {
	Pitch   float64 // pixels to a cell; 0 means 30, which is 300 dots per inch
	Spacing float64 // from line to line; 0 means the standard's 2.5

	Turn                 float64 // radians, clockwise
	KeystoneX, KeystoneY float64 // perspective: how much smaller the far side is
	Bend                 float64 // how far the middle of the lines sags
	Ink, Paper           float64 // brightness; both 0 means 20 on 245
	Uneven               float64 // how much less ink some places have, 0 to 1
	Pattern              float64 // darkness of printed background lines
	Gradient             float64 // how much darker one side is
	Glare                float64 // brightness of a spot that washes out
	Blur, Motion         float64 // in pitches: standard deviation, length
	Noise                float64 // standard deviation
	Speckle              float64 // share of pixels that are black or white
	Resample             float64 // scanned coarser by this factor and enlarged
	Bilevel              bool    // black and white only
	JPEG                 int     // quality; 0 means none

	Hand Hand
}

// plane is a picture under work.
type plane struct {
	w, h int
	pix  []float32
}

func newPlane(w, h int) plane { return plane{w, h, make([]float32, w*h)} }

// paper returns the blank paper of a picture: its brightness, pattern and
// shadows.
func (w *Wear) paper(r *rand.Rand, width, height int) plane {
	p := newPlane(width, height)
	paper := w.Paper
	if w.Ink == 0 && paper == 0 {
		paper = 245
	}
	for i := range p.pix {
		p.pix[i] = float32(paper)
	}
	if w.Pattern > 0 {
		for range 1 + r.IntN(3) {
			p.guilloche(r, float32(paper), w.Pattern, w.pitch())
		}
	}
	return p
}

// guilloche draws one family of fine waving lines.
//
//go:norace
func (p plane) guilloche(r *rand.Rand, paper float32, dark, pitch float64) {
	turn := r.Float64() * math.Pi
	sin, cos := math.Sincos(turn)
	period := pitch * (0.15 + 0.9*r.Float64())
	share := 0.15 + 0.35*r.Float64()
	long, amplitude := pitch*(1+8*r.Float64()), period*3*r.Float64()
	phase := r.Float64()
	soft := 0.08 + 0.2*r.Float64()
	for y := range p.h {
		for x := range p.w {
			along, across := float64(x)*cos+float64(y)*sin, float64(y)*cos-float64(x)*sin
			f := (across+amplitude*math.Sin(along/long))/period + phase
			f -= math.Floor(f)
			d := math.Abs(f-0.5)*2 - share    // below 0: in the line
			if v := 0.5 - d/(2*soft); v > 0 { // where lines cross they are not darker
				i := y*p.w + x
				p.pix[i] = min(p.pix[i], paper-float32(dark*min(1, v)))
			}
		}
	}
}

func (w *Wear) pitch() float64 {
	if w.Pitch == 0 {
		return 30
	}
	return w.Pitch
}

func (w *Wear) spacing() float64 {
	if w.Spacing == 0 {
		return spacing
	}
	return w.Spacing
}

// ink lays the printed text over the paper.
func (w *Wear) ink(r *rand.Rand, p plane, alpha *image.Alpha) {
	ink := float32(w.Ink)
	if w.Ink == 0 && w.Paper == 0 {
		ink = 20
	}
	b := alpha.Bounds()
	fx, fy := (0.3+r.Float64())/w.pitch(), (0.3+r.Float64())/w.pitch()
	px, py := 6*r.Float64(), 6*r.Float64()
	for y := range b.Dy() {
		row := alpha.Pix[y*alpha.Stride:][:b.Dx()]
		at := (y+b.Min.Y)*p.w + b.Min.X
		for x, a := range row {
			if a == 0 {
				continue
			}
			cover := float32(a) / 255
			if w.Uneven > 0 {
				v := math.Sin(float64(x)*fx+px) * math.Sin(float64(y)*fy+py)
				cover *= 1 - float32(w.Uneven*max(0, v))
			}
			p.pix[at+x] += (ink - p.pix[at+x]) * cover
		}
	}
}

// light does what light, lens and sensor do.
//
//go:norace
func (w *Wear) light(r *rand.Rand, p plane) plane {
	if w.Gradient > 0 {
		sin, cos := math.Sincos(2 * math.Pi * r.Float64())
		long := math.Abs(cos)*float64(p.w) + math.Abs(sin)*float64(p.h)
		for y := range p.h {
			for x := range p.w {
				t := ((float64(x)-float64(p.w)/2)*cos+(float64(y)-float64(p.h)/2)*sin)/long + 0.5
				p.pix[y*p.w+x] *= float32(1 - w.Gradient*t)
			}
		}
	}
	if w.Glare > 0 {
		cx, cy := r.Float64()*float64(p.w), r.Float64()*float64(p.h)
		size := w.pitch() * (2 + 6*r.Float64())
		for y := range p.h {
			for x := range p.w {
				d := math.Hypot(float64(x)-cx, float64(y)-cy) / size
				p.pix[y*p.w+x] += float32(w.Glare * math.Exp(-d*d))
			}
		}
	}
	if w.Resample > 1 {
		p = p.resize(max(1, int(float64(p.w)/w.Resample)), max(1, int(float64(p.h)/w.Resample))).resize(p.w, p.h)
	}
	if w.Blur > 0 {
		p.blur(w.Blur * w.pitch())
	}
	if w.Motion > 0 {
		p.smear(w.Motion*w.pitch(), r.IntN(2) == 0)
	}
	if w.Noise > 0 {
		for i := range p.pix {
			p.pix[i] += float32(w.Noise) * normal(r)
		}
	}
	if w.Speckle > 0 {
		for range int(w.Speckle * float64(len(p.pix))) {
			p.pix[r.IntN(len(p.pix))] = float32(255 * r.IntN(2))
		}
	}
	return p
}

// normal is near enough to a normal distribution for a sensor's noise, and
// quick.
//
//go:norace
func normal(r *rand.Rand) float32 {
	v := r.Uint64()
	s := float32(v&0xffff) + float32(v>>16&0xffff) + float32(v>>32&0xffff) + float32(v>>48)
	return (s - 131070) * (1.7320508 / 65535)
}

// finish rounds to whole brightness and packs as scanners do.
func (w *Wear) finish(p plane) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, p.w, p.h))
	threshold := float32(0)
	if w.Bilevel {
		dark, light := p.pix[0], p.pix[0]
		for _, v := range p.pix {
			dark, light = min(dark, v), max(light, v)
		}
		threshold = dark + (light-dark)*0.55
	}
	for i, v := range p.pix {
		switch {
		case !w.Bilevel:
			img.Pix[i] = uint8(max(0, min(255, v+0.5)))
		case v > threshold:
			img.Pix[i] = 255
		}
	}
	if w.JPEG > 0 {
		grey := throughJPEG(img, w.JPEG).(*image.Gray)
		for y := range img.Rect.Dy() { // the decoder's rows are longer
			copy(img.Pix[y*img.Stride:][:img.Stride], grey.Pix[y*grey.Stride:])
		}
	}
	return img
}

// throughJPEG packs a picture and unpacks it.
func throughJPEG(img image.Image, quality int) image.Image {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		panic(err) // a buffer takes everything
	}
	back, err := jpeg.Decode(&b)
	if err != nil {
		panic(err)
	}
	return back
}

// blur is a Gaussian, as three running means for each direction.
func (p plane) blur(sigma float64) {
	if sigma < 0.2 {
		return
	}
	radius := max(1, int(math.Ceil(3*sigma)))
	if sigma > 3 {
		p.smear(sigma*2, true)
		p.smear(sigma*2, false)
		p.smear(sigma*2, true)
		p.smear(sigma*2, false)
		return
	}
	kernel := make([]float32, 2*radius+1)
	total := float32(0)
	for i := range kernel {
		d := float64(i - radius)
		kernel[i] = float32(math.Exp(-d * d / (2 * sigma * sigma)))
		total += kernel[i]
	}
	for i := range kernel {
		kernel[i] /= total
	}
	p.convolve(kernel, true)
	p.convolve(kernel, false)
}

// smear is a mean over a line of pixels.
func (p plane) smear(length float64, horizontal bool) {
	radius := int(length/2 + 0.5)
	if radius < 1 {
		return
	}
	kernel := make([]float32, 2*radius+1)
	for i := range kernel {
		kernel[i] = 1 / float32(len(kernel))
	}
	p.convolve(kernel, horizontal)
}

//
//go:norace
func (p plane) convolve(kernel []float32, horizontal bool) {
	n, lines, step, next := p.w, p.h, 1, p.w
	if !horizontal {
		n, lines, step, next = p.h, p.w, p.w, 1
	}
	radius := len(kernel) / 2
	padded := make([]float32, n+2*radius)
	for l := range lines {
		at := l * next
		for i := range padded {
			padded[i] = p.pix[at+step*max(0, min(n-1, i-radius))]
		}
		for i := range n {
			sum := float32(0)
			window := padded[i : i+len(kernel)]
			for k, w := range kernel {
				sum += w * window[k]
			}
			p.pix[at+step*i] = sum
		}
	}
}

// resize averages or interpolates to another size.
func (p plane) resize(w, h int) plane {
	across := newPlane(w, p.h)
	for y := range p.h {
		line(p.pix[y*p.w:][:p.w], 1, p.w, across.pix[y*w:], 1, w)
	}
	out := newPlane(w, h)
	for x := range w {
		line(across.pix[x:], w, p.h, out.pix[x:], w, h)
	}
	return out
}

// line resizes a line of n pixels to m: by means if it gets shorter, else by
// interpolation.
//
//go:norace
func line(from []float32, fromStep, n int, to []float32, toStep, m int) {
	scale := float64(n) / float64(m)
	for i := range m {
		if scale <= 1 {
			x := max(0, min(float64(n-1), (float64(i)+0.5)*scale-0.5))
			k := min(int(x), max(0, n-2))
			f := float32(x - float64(k))
			to[i*toStep] = from[k*fromStep]*(1-f) + from[min(k+1, n-1)*fromStep]*f
			continue
		}
		a, b := float64(i)*scale, float64(i+1)*scale
		sum := float32(0)
		for k := int(a); k < n && float64(k) < b; k++ {
			sum += from[k*fromStep] * float32(min(b, float64(k+1))-max(a, float64(k)))
		}
		to[i*toStep] = sum / float32(scale)
	}
}
