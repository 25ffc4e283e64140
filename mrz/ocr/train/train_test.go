package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"lintas/mrz/ocr/glyph"
	"lintas/mrz/ocr/specimen"
)

// The same seed gives the same weights, whatever the number of processors, and
// another seed gives others.
func TestSameSeedSameWeights(t *testing.T) {
	if _, err := specimen.Typefaces(); err != nil {
		t.Skip(err)
	}
	train := func(seed uint64, processors int) []byte {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		p := plan{seed: seed, strips: 20, epochs: 2, hidden: 4, folder: t.TempDir()}
		if err := p.run(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(p.folder, "weights.bin"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := train(1, 1)
	if !bytes.Equal(first, train(1, 3)) {
		t.Error("the same seed gave other weights")
	}
	if bytes.Equal(first, train(2, 3)) {
		t.Error("another seed gave the same weights")
	}
}

// A gradient is by how much the loss grows when a weight does.
func TestGradients(t *testing.T) {
	tr := newTrainer(1, 8)
	r := rand.New(rand.NewPCG(3, 4))
	cells := make([]sample, 2)
	for i := range cells {
		for k := range cells[i].pix {
			cells[i].pix[k] = int8(r.IntN(100) - 10)
		}
		cells[i].class, cells[i].placed = uint8(20*i), i == 0
		cells[i].dx, cells[i].dy, cells[i].dh = 0.1, -0.2, 0.05
	}
	for i := range tr.net.Layers[0].B { // so that few units stand on the edge between silent and not
		tr.net.Layers[0].B[i] = 0.5
	}
	for i := range tr.net.Layers[1].B {
		tr.net.Layers[1].B[i] = 0.5
	}
	for i := range tr.net.Layers[2].B {
		tr.net.Layers[2].B[i] = 0.5
	}
	loss := func() (total float64) {
		var trace glyph.Trace
		var cell glyph.Cell
		var look glyph.Look
		for i := range cells {
			s := &cells[i]
			s.unpack(&cell)
			tr.net.Look(&cell, &trace, &look)
			total -= float64(look.P[s.class])
			if s.placed {
				for _, e := range []float32{look.Dx - s.dx, look.Dy - s.dy, look.Dh - s.dh} {
					total += placeWeight / 2 * float64(e*e)
				}
			}
		}
		return total
	}
	tr.shard(cells, []int{0, 1}, &tr.grads[0])
	for layer, weights := range tr.weights {
		const tries, step = 40, 2e-3
		off := 0
		for range tries {
			k := r.IntN(len(weights))
			old := weights[k]
			weights[k] = old + step
			above := loss()
			weights[k] = old - step
			slope := (above - loss()) / (2 * step)
			weights[k] = old
			if g := float64(tr.grads[0][layer][k]); math.Abs(slope-g) > 0.02+0.05*math.Abs(g) {
				off++
				t.Logf("layer %d, weight %d: the loss grows by %.4f, the gradient is %.4f", layer, k, slope, g)
			}
		}
		if off > tries/10 { // a step may cross an edge
			t.Errorf("layer %d: %d of %d gradients are wrong", layer, off, tries)
		}
	}
}
