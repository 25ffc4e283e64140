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

// The first layer looks at overlapping squares of the cell, each by the same
// weights: whether a pixel is a stroke or a pattern is seen from its neighbours.
const (
	Maps   = 8                   // numbers that it says of each square
	Side   = 5                   // of a square, in pixels
	Square = Side * Side         // its pixels
	across = Width / 2           // squares stand at every other pixel
	Places = across * Height / 2 // squares of a cell
	Seen   = Places * Maps       // numbers that it says of a cell
	border = Side / 2            // of nothing around the cell
	padded = Width + 2*border    // pixels of a row, with its border
	room   = padded * (Height + 2*border)
)

// A Net is the network's weights, one row after the other.
type Net struct {
	Hidden int
	W0     []float32 // Maps × Square
	B0     []float32
	W1     []float32 // Hidden × Seen
	B1     []float32
	W2     []float32 // Outputs × Hidden
	B2     []float32
}

// NewNet returns a network of so many hidden units, a multiple of 4, whose
// weights are 0.
func NewNet(hidden int) *Net {
	return &Net{
		Hidden: hidden,
		W0:     make([]float32, Maps*Square), B0: make([]float32, Maps),
		W1: make([]float32, hidden*Seen), B1: make([]float32, hidden),
		W2: make([]float32, Outputs*hidden), B2: make([]float32, Outputs),
	}
}

// A Trace is what every layer says of one cell: room for Look, and what a
// trainer goes back along. A zero Trace is ready for any network.
type Trace struct {
	pixels  [room]float32
	Squares [Places][Square]float32
	Seen    [Seen]float32
	Hidden  []float32
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
	for y := range Height {
		copy(t.pixels[(y+border)*padded+border:][:Width], cell[y*Width:][:Width])
	}
	for k := range t.Squares {
		square := &t.Squares[k]
		at := k/across*2*padded + k%across*2
		for y := range Side {
			copy(square[y*Side:][:Side], t.pixels[at+y*padded:][:Side])
		}
		seen := (*[Maps]float32)(t.Seen[k*Maps:])
		for m := 0; m < Maps; m += 4 {
			r0, r1 := (*[Square]float32)(n.W0[m*Square:]), (*[Square]float32)(n.W0[(m+1)*Square:])
			r2, r3 := (*[Square]float32)(n.W0[(m+2)*Square:]), (*[Square]float32)(n.W0[(m+3)*Square:])
			s0, s1, s2, s3 := n.B0[m], n.B0[m+1], n.B0[m+2], n.B0[m+3]
			for i, x := range square {
				s0 += r0[i] * x
				s1 += r1[i] * x
				s2 += r2[i] * x
				s3 += r3[i] * x
			}
			seen[m], seen[m+1], seen[m+2], seen[m+3] = max(0, s0), max(0, s1), max(0, s2), max(0, s3)
		}
	}
	if len(t.Hidden) != n.Hidden {
		t.Hidden = make([]float32, n.Hidden)
	}
	hidden := t.Hidden
	for j := 0; j < len(hidden); j += 4 {
		r0, r1 := (*[Seen]float32)(n.W1[j*Seen:]), (*[Seen]float32)(n.W1[(j+1)*Seen:])
		r2, r3 := (*[Seen]float32)(n.W1[(j+2)*Seen:]), (*[Seen]float32)(n.W1[(j+3)*Seen:])
		s0, s1, s2, s3 := n.B1[j], n.B1[j+1], n.B1[j+2], n.B1[j+3]
		for i, x := range &t.Seen {
			s0 += r0[i] * x
			s1 += r1[i] * x
			s2 += r2[i] * x
			s3 += r3[i] * x
		}
		hidden[j], hidden[j+1], hidden[j+2], hidden[j+3] = max(0, s0), max(0, s1), max(0, s2), max(0, s3)
	}
	var out [Outputs]float32
	for o := range out {
		sum := n.B2[o]
		row := n.W2[o*n.Hidden:][:len(hidden)]
		for j, h := range hidden {
			sum += row[j] * h
		}
		out[o] = sum
	}
	copy(look.P[:], out[:Classes])
	look.Dx, look.Dy, look.Dh = out[Classes], out[Classes+1], out[Classes+2]
	look.Normalise()
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

const magic = "MRZ2"

// Pack writes weights as bytes: magic, hidden units (16 bits), and for all
// layers each row as a scale (float32), a bias (float32) and one signed byte a
// weight.
func (n *Net) Pack() []byte {
	b := binary.LittleEndian.AppendUint16([]byte(magic), uint16(n.Hidden))
	b = packRows(b, n.W0, n.B0)
	b = packRows(b, n.W1, n.B1)
	return packRows(b, n.W2, n.B2)
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
	if hidden == 0 || hidden%4 != 0 || len(b) != Maps*(8+Square)+hidden*(8+Seen)+Outputs*(8+hidden) {
		return nil, err
	}
	n := &Net{Hidden: hidden}
	n.W0, n.B0, b = unpackRows(b, Maps, Square)
	n.W1, n.B1, b = unpackRows(b, hidden, Seen)
	n.W2, n.B2, _ = unpackRows(b, Outputs, hidden)
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
