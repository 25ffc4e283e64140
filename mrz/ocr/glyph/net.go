package glyph

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"math"
	"sync"
)

// Outputs are the classes and three numbers about the cell's place.
const Outputs = Classes + 3

// The first two layers look at overlapping squares of what is below them, at
// every other place, each by the same weights: whether a pixel is a stroke or a
// pattern is seen from its neighbours. The third looks at all that they say.
const (
	channels = 2 // numbers that are known of each pixel

	Side1   = 5 // of a square of the cell, in pixels
	Maps1   = 8 // numbers that are said of it
	Square1 = Side1 * Side1 * channels
	across1 = Width / 2
	Places1 = across1 * Height / 2
	border1 = (Side1 - 1) / 2 // of nothing around the cell
	room1   = (Width + 2*border1) * (Height + 2*border1) * channels

	Side2   = 4 // the same for squares of those numbers
	Maps2   = 32
	Square2 = Side2 * Side2 * Maps1
	across2 = across1 / 2
	Places2 = across2 * Height / 4
	border2 = (Side2 - 1) / 2
	padded2 = across1 + 2*border2
	room2   = padded2 * (Height/2 + 2*border2) * Maps1

	Seen = Places2 * Maps2
)

// Layers is how many layers a network has.
const Layers = 4

// A Layer is the weights of a layer, one row for each of its outputs, and their
// biases.
type Layer struct{ W, B []float32 }

// A Net is a network's weights. The last but one of its layers has so many
// Hidden units.
type Net struct {
	Hidden int
	Layers [Layers]Layer
}

// NewNet returns a network of so many hidden units, a multiple of 4, whose
// weights are 0.
func NewNet(hidden int) *Net {
	n := &Net{Hidden: hidden}
	for i, size := range n.sizes() {
		n.Layers[i] = Layer{make([]float32, size[0]*size[1]), make([]float32, size[0])}
	}
	return n
}

// sizes returns how many rows each layer has, and how long they are.
func (n *Net) sizes() [Layers][2]int {
	return [Layers][2]int{{Maps1, Square1}, {Maps2, Square2}, {n.Hidden, Seen}, {Outputs, n.Hidden}}
}

// A Trace is what every layer sees and says of one cell: room for Look, and what
// a trainer goes back along. A zero Trace is ready for any network.
type Trace struct {
	pixels   [room1]float32
	Squares1 [Places1][Square1]float32
	said     [room2]float32
	Squares2 [Places2][Square2]float32
	Seen     [Seen]float32
	Hidden   []float32
}

// A Look is what the network says of one cell.
type Look struct {
	// P holds the natural logarithms of the probabilities.
	P [Classes]float32
	// The glyph stands Dx pitches to the right of where the cell was cut, Dy
	// glyph heights below, and is taller by the factor exp(Dh).
	Dx, Dy, Dh float32
}

// Best returns the most probable class.
func (l *Look) Best() int {
	best := 0
	for i := range l.P {
		if l.P[i] > l.P[best] {
			best = i
		}
	}
	return best
}

// Look judges a cell.
//
//go:norace
func (n *Net) Look(cell *Cell, t *Trace, look *Look) {
	cell.spread(&t.pixels)
	var places Places
	for k := range t.Squares1 {
		square := t.Squares1[k][:]
		for y := range Side1 {
			from := ((k/across1*2+y)*(Width+2*border1) + k%across1*2) * channels
			copy(square[y*Side1*channels:], t.pixels[from:][:Side1*channels])
		}
		said := t.said[((k/across1+border2)*padded2+k%across1+border2)*Maps1:][:Maps1]
		n.Layers[0].say(square, nil, said)
		rectify(said)
	}
	for k := range t.Squares2 {
		square := t.Squares2[k][:]
		for y := range Side2 {
			from := ((k/across2*2+y)*padded2 + k%across2*2) * Maps1
			copy(square[y*Side2*Maps1:], t.said[from:][:Side2*Maps1])
		}
		n.Layers[1].say(square, Loud(square, &places), t.Seen[k*Maps2:][:Maps2])
	}
	rectify(t.Seen[:])
	if len(t.Hidden) != n.Hidden {
		t.Hidden = make([]float32, n.Hidden)
	}
	n.Layers[2].say(t.Seen[:], Loud(t.Seen[:], &places), t.Hidden)
	rectify(t.Hidden)
	var out [Outputs]float32
	n.Layers[3].say(t.Hidden, Loud(t.Hidden, &places), out[:])
	copy(look.P[:], out[:Classes])
	look.Dx, look.Dy, look.Dh = out[Classes], out[Classes+1], out[Classes+2]
	look.Normalise()
}

// say sets out to what the layer says of x, of which only the places in loud are
// not 0; nil means that all may be anything, and then out is a multiple of 4 long.
//
//go:norace
func (l *Layer) say(x []float32, loud []uint16, out []float32) {
	n := len(x)
	j := 0
	for ; j+4 <= len(out); j += 4 {
		r0, r1 := l.W[j*n:][:n], l.W[(j+1)*n:][:n]
		r2, r3 := l.W[(j+2)*n:][:n], l.W[(j+3)*n:][:n]
		s0, s1, s2, s3 := l.B[j], l.B[j+1], l.B[j+2], l.B[j+3]
		if loud == nil {
			for i, v := range x {
				s0 += r0[i] * v
				s1 += r1[i] * v
				s2 += r2[i] * v
				s3 += r3[i] * v
			}
		}
		for _, i := range loud {
			if int(i) >= n {
				break // never, but so the compiler need not check each row
			}
			v := x[i]
			s0 += r0[i] * v
			s1 += r1[i] * v
			s2 += r2[i] * v
			s3 += r3[i] * v
		}
		out[j], out[j+1], out[j+2], out[j+3] = s0, s1, s2, s3
	}
	for ; j < len(out); j++ {
		row, sum := l.W[j*n:][:n], l.B[j]
		for _, i := range loud {
			sum += row[i] * x[i]
		}
		out[j] = sum
	}
}

// Places is room for the places of all numbers that a layer sees.
type Places [1 << 10]uint16

// Loud returns the places of what is not 0 in x, in p.
//
//go:norace
func Loud(x []float32, p *Places) []uint16 {
	n := 0
	for i, v := range x {
		p[n%len(p)] = uint16(i)
		b := math.Float32bits(v)
		n += int((b | -b) >> 31) // 1 unless it is 0, without a branch
	}
	return p[:n]
}

//
//go:norace
func rectify(x []float32) {
	for i, v := range x {
		x[i] = max(0, v)
	}
}

// Normalise turns scores into logarithms of probabilities: what they stand for
// adds up to 1.
func (l *Look) Normalise() {
	p := &l.P
	most := p[0]
	for _, v := range p {
		most = max(most, v)
	}
	sum := 0.0
	for _, v := range p {
		sum += math.Exp(float64(v - most))
	}
	shift := most + float32(math.Log(sum))
	for i := range p {
		p[i] -= shift
	}
}

//go:embed weights.bin
var weights []byte

// Trained returns the network that is part of this package.
var Trained = sync.OnceValue(func() *Net {
	n, err := Unpack(weights)
	if err != nil {
		panic(err) // the program was built from a broken file
	}
	return n
})

const magic = "MRZ3"

// Pack writes weights as bytes: magic, hidden units (16 bits), and for all
// layers each row as a scale (float32), a bias (float32) and one signed byte a
// weight.
func (n *Net) Pack() []byte {
	b := binary.LittleEndian.AppendUint16([]byte(magic), uint16(n.Hidden))
	for i := range n.Layers {
		b = packRows(b, n.Layers[i].W, n.Layers[i].B)
	}
	return b
}

func packRows(b []byte, w, bias []float32) []byte {
	width := len(w) / len(bias)
	for j := range bias {
		row := w[j*width:][:width]
		most := float32(0)
		for _, v := range row {
			most = max(most, v, -v)
		}
		scale := max(most, 1e-9) / 127
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(scale))
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(bias[j]))
		for _, v := range row {
			b = append(b, byte(int8(math.Round(float64(v/scale)))))
		}
	}
	return b
}

// Unpack reads what Pack wrote.
func Unpack(b []byte) (*Net, error) {
	err := errors.New("cannot read weights: not what the trainer writes; run make train")
	if len(b) < len(magic)+2 || string(b[:len(magic)]) != magic {
		return nil, err
	}
	hidden := int(binary.LittleEndian.Uint16(b[len(magic):]))
	b = b[len(magic)+2:]
	n := &Net{Hidden: hidden}
	size := 0
	for _, s := range n.sizes() {
		size += s[0] * (8 + s[1])
	}
	if hidden == 0 || hidden%4 != 0 || hidden > len(Places{}) || len(b) != size {
		return nil, err
	}
	for i, s := range n.sizes() {
		l := &n.Layers[i]
		l.W, l.B, b = unpackRows(b, s[0], s[1])
	}
	return n, nil
}

func unpackRows(b []byte, rows, width int) (w, bias []float32, rest []byte) {
	w, bias = make([]float32, 0, rows*width), make([]float32, rows)
	for j := range rows {
		scale := math.Float32frombits(binary.LittleEndian.Uint32(b))
		bias[j] = math.Float32frombits(binary.LittleEndian.Uint32(b[4:]))
		for _, v := range b[8:][:width] {
			w = append(w, float32(int8(v))*scale)
		}
		b = b[8+width:]
	}
	return w, bias, b
}

// Scatter adds what belongs to square k of the second layer to what belongs to
// the places of the first.
func Scatter(k int, square *[Square2]float32, to *[Places1 * Maps1]float32) {
	for y := range Side2 {
		for x := range Side2 {
			v, u := k/across2*2+y-border2, k%across2*2+x-border2
			if v < 0 || v >= Height/2 || u < 0 || u >= across1 {
				continue
			}
			out := to[(v*across1+u)*Maps1:][:Maps1]
			for m, g := range square[(y*Side2+x)*Maps1:][:Maps1] {
				out[m] += g
			}
		}
	}
}
