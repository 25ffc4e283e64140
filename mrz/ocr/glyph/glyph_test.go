package glyph_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"lintas/mrz/ocr/glyph"
)

func TestIndex(t *testing.T) {
	for i := range len(glyph.Alphabet) {
		if glyph.Index(glyph.Alphabet[i]) != i {
			t.Errorf("%c has index %d, not %d", glyph.Alphabet[i], glyph.Index(glyph.Alphabet[i]), i)
		}
	}
	for _, c := range []byte{' ', 'a', '_', '>', 0, 255} {
		if glyph.Index(c) != glyph.None {
			t.Errorf("%q has index %d", c, glyph.Index(c))
		}
	}
}

// ramp is brighter to the right by 2 a pixel and below by 3.
func ramp(w, h int) glyph.Plane {
	p := glyph.Plane{W: w, H: h, Pix: make([]uint8, w*h)}
	for i := range p.Pix {
		p.Pix[i] = uint8(2*(i%w) + 3*(i/w))
	}
	return p
}

func TestCut(t *testing.T) {
	p := ramp(50, 40)
	var a, b, turned, far glyph.Cell
	p.Cut(glyph.Frame{X: 25, Y: 20, Ux: 16, Vy: 16}, &a)
	p.Cut(glyph.Frame{X: 23, Y: 19, Ux: 16, Vy: 16}, &b)
	p.Cut(glyph.Frame{X: 25, Y: 20, Ux: -16, Vy: -16}, &turned)
	p.Cut(glyph.Frame{X: -1e6, Y: 1e6, Ux: 16, Vy: 16}, &far)
	least, most := float32(1), float32(0)
	for i := range a {
		least, most = min(least, a[i]), max(most, a[i])
		if math.Abs(float64(a[i]-b[i])) > 1e-3 {
			t.Fatalf("pixel %d: a ramp looks %v in one place and %v in another", i, a[i], b[i])
		}
		if math.Abs(float64(a[i]-turned[glyph.Size-1-i])) > 0.02 {
			t.Fatalf("pixel %d: %v, and %v upside down", i, a[i], turned[glyph.Size-1-i])
		}
		if far[i] != 0 {
			t.Fatalf("pixel %d far beyond the edge is %v", i, far[i])
		}
	}
	if least > 0 || least < -0.2 || most < 1 || most > 1.3 {
		t.Errorf("paper is %v, ink %v", least, most)
	}
	if a[0] <= a[1] || a[0] <= a[glyph.Width] {
		t.Error("a cell's first pixels are not those above to the left")
	}
}

func TestHalve(t *testing.T) {
	h := glyph.Plane{W: 5, H: 3, Pix: []uint8{1, 3, 10, 10, 99, 5, 7, 10, 11, 99, 99, 99, 99, 99, 99}}.Halve()
	if h.W != 2 || h.H != 1 || !bytes.Equal(h.Pix, []uint8{4, 10}) {
		t.Errorf("%+v", h)
	}
	if e := (glyph.Plane{W: 1, H: 1, Pix: []uint8{7}}).Halve(); e.W != 0 || e.H != 0 {
		t.Errorf("%+v", e)
	}
}

func TestAt(t *testing.T) {
	p := glyph.Plane{W: 2, H: 2, Pix: []uint8{0, 100, 50, 150}}
	for _, tt := range []struct {
		x, y float64
		want uint8
	}{{0.5, 0.5, 0}, {1.5, 0.5, 100}, {1, 0.5, 50}, {1, 1, 75}, {-1e9, -1e9, 0}, {1e9, 1e9, 150}, {math.Inf(1), 0, 100}} {
		if got := p.At(tt.x, tt.y); got != tt.want {
			t.Errorf("at %v, %v: %d, not %d", tt.x, tt.y, got, tt.want)
		}
	}
}

func TestTrainedNetwork(t *testing.T) {
	n := glyph.Trained()
	packed := n.Pack()
	if len(packed) > 250<<10 {
		t.Errorf("the weights take %d bytes", len(packed))
	}
	r := rand.New(rand.NewPCG(1, 2))
	var cell glyph.Cell
	for i := range cell {
		cell[i] = float32(r.NormFloat64())
	}
	again, err := glyph.Unpack(packed)
	if err != nil {
		t.Fatal(err)
	}
	var a, b glyph.Look
	n.Look(&cell, new(glyph.Trace), &a)
	again.Look(&cell, new(glyph.Trace), &b)
	sum := 0.0
	for i := range a.P {
		sum += math.Exp(float64(a.P[i]))
		if math.Abs(float64(a.P[i]-b.P[i])) > 1e-3 {
			t.Errorf("class %d: %v, and %v after packing", i, a.P[i], b.P[i])
		}
	}
	if math.Abs(sum-1) > 1e-4 {
		t.Errorf("probabilities add up to %v", sum)
	}
	if a.Best() != glyph.None {
		t.Errorf("noise is taken for %c", glyph.Alphabet[a.Best()])
	}
}

func TestLoud(t *testing.T) {
	var p glyph.Places
	if got := glyph.Loud([]float32{0, 1, 0, 0, 1e-40, 3, 0}, &p); !slices.Equal(got, []uint16{1, 4, 5}) {
		t.Errorf("%v", got)
	}
}

func FuzzUnpack(f *testing.F) {
	small := glyph.NewNet(4)
	small.Layers[1].W[3], small.Layers[3].B[1] = 1, -2
	f.Add(small.Pack())
	f.Add([]byte("MRZ3\x04\x00"))
	f.Add([]byte("MRZ3\xff\xff"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		n, err := glyph.Unpack(data)
		if err != nil {
			return
		}
		if in, out := n.Layers[2].W, n.Layers[3].W; n.Hidden%4 != 0 || len(in) != n.Hidden*glyph.Seen || len(out) != glyph.Outputs*n.Hidden {
			t.Fatalf("%d hidden units, %d and %d weights", n.Hidden, len(in), len(out))
		}
		var look glyph.Look
		n.Look(new(glyph.Cell), new(glyph.Trace), &look)
	})
}

func BenchmarkLook(b *testing.B) {
	n := glyph.Trained()
	cell, trace := new(glyph.Cell), new(glyph.Trace)
	ramp(50, 40).Cut(glyph.Frame{X: 25, Y: 20, Ux: 16, Vy: 16}, cell)
	var look glyph.Look
	for b.Loop() {
		n.Look(cell, trace, &look)
	}
}

func BenchmarkCut(b *testing.B) {
	p := ramp(100, 80)
	var cell glyph.Cell
	for b.Loop() {
		p.Cut(glyph.Frame{X: 50, Y: 40, Ux: 16, Uy: 1, Vx: -1, Vy: 16}, &cell)
	}
}
