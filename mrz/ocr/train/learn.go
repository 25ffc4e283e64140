package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"lintas/mrz/ocr/glyph"
)

const (
	batch  = 256
	shards = 8 // parts of a batch, summed in order so that the result does not depend on the number of processors

	placeWeight = 4 // of an error of place against one of class

	rate, lastRate = 2e-3, 2e-5
	beta1, beta2   = 0.9, 0.999
	decay          = 1e-4
)

// params are the weights of a network, layer by layer, each followed by its
// biases; or numbers that belong to them.
type params [2 * glyph.Layers][]float32

// A trainer is a network with what is needed to improve it: the gradients of
// every shard, and the moments of Adam.
type trainer struct {
	net     *glyph.Net
	weights params
	grads   [shards]params
	m, v    params
	steps   int
	random  *rand.Rand
}

func newTrainer(seed uint64, hidden int) *trainer {
	r := rand.New(rand.NewPCG(seed, 1<<40))
	n := glyph.NewNet(hidden)
	t := &trainer{net: n, random: r}
	for i, l := range n.Layers {
		deviation := math.Sqrt(2 * float64(len(l.B)) / float64(len(l.W)))
		if i == glyph.Layers-1 {
			deviation *= math.Sqrt(0.5)
		}
		for k := range l.W {
			l.W[k] = float32(r.NormFloat64() * deviation)
		}
		t.weights[2*i], t.weights[2*i+1] = l.W, l.B
	}
	for i, w := range t.weights {
		t.m[i], t.v[i] = make([]float32, len(w)), make([]float32, len(w))
		for s := range t.grads {
			t.grads[s][i] = make([]float32, len(w))
		}
	}
	return t
}

// epoch goes through all cells once, in random order, and returns the mean
// loss.
func (t *trainer) epoch(cells []sample, epoch, epochs int) float64 {
	order := t.random.Perm(len(cells))
	total := 0.0
	batches := len(cells) / batch
	for b := range batches {
		part := order[b*batch:][:batch]
		var losses [shards]float64
		var workers sync.WaitGroup
		for s := range shards {
			workers.Go(func() {
				losses[s] = t.shard(cells, part[s*batch/shards:][:batch/shards], &t.grads[s])
			})
		}
		workers.Wait()
		for _, l := range losses {
			total += l
		}
		progress := (float64(epoch) + float64(b)/float64(batches)) / float64(epochs)
		t.step(lastRate + (rate-lastRate)*(1+math.Cos(math.Pi*progress))/2)
	}
	return total / float64(max(1, batches*batch))
}

// shard adds up the gradients of some cells.
func (t *trainer) shard(cells []sample, part []int, grads *params) (loss float64) {
	n := t.net
	var trace glyph.Trace
	var cell glyph.Cell
	var look glyph.Look
	var d [glyph.Outputs]float32
	var seen [glyph.Seen]float32
	var square [glyph.Square2]float32
	var said [glyph.Places1 * glyph.Maps1]float32
	hidden := make([]float32, n.Hidden)
	for _, k := range part {
		s := &cells[k]
		s.unpack(&cell)
		n.Look(&cell, &trace, &look)
		loss -= float64(look.P[s.class])
		for c := range glyph.Classes {
			d[c] = float32(math.Exp(float64(look.P[c])))
		}
		d[s.class]--
		d[glyph.Classes], d[glyph.Classes+1], d[glyph.Classes+2] = 0, 0, 0
		if s.placed {
			d[glyph.Classes] = placeWeight * (look.Dx - s.dx)
			d[glyph.Classes+1] = placeWeight * (look.Dy - s.dy)
			d[glyph.Classes+2] = placeWeight * (look.Dh - s.dh)
		}
		clear(hidden)
		t.back(3, grads, d[:], trace.Hidden, hidden)
		clear(seen[:])
		t.back(2, grads, hidden, trace.Seen[:], seen[:])
		clear(said[:])
		for k := range trace.Squares2 {
			clear(square[:])
			t.back(1, grads, seen[k*glyph.Maps2:][:glyph.Maps2], trace.Squares2[k][:], square[:])
			glyph.Scatter(k, &square, &said)
		}
		for k := range trace.Squares1 {
			t.back(0, grads, said[k*glyph.Maps1:][:glyph.Maps1], trace.Squares1[k][:], nil)
		}
	}
	return loss
}

// back goes back through a layer that saw x, and whose outputs have the gradients
// g. It adds to the gradients of the layer's weights, and to those of x in gx;
// not to those of units that said nothing. No gx is wanted of the cell itself.
func (t *trainer) back(layer int, grads *params, g, x, gx []float32) {
	weights, gw, gb := t.net.Layers[layer].W, grads[2*layer], grads[2*layer+1]
	var places glyph.Places
	var loud []uint16
	if gx != nil {
		loud = glyph.Loud(x, &places)
	}
	for j, g := range g {
		if g > -1e-6 && g < 1e-6 {
			continue
		}
		gb[j] += g
		w, gw := weights[j*len(x):][:len(x)], gw[j*len(x):][:len(x)]
		if gx == nil {
			for i, v := range x {
				gw[i] += g * v
			}
			continue
		}
		gx := gx[:len(x)]
		for _, i := range loud {
			if int(i) >= len(x) {
				break // never: the compiler sees that all are long enough
			}
			gw[i] += g * x[i]
			gx[i] += g * w[i]
		}
	}
}

// step sums the shards' gradients and moves the weights by Adam.
func (t *trainer) step(rate float64) {
	t.steps++
	correct1 := 1 - math.Pow(beta1, float64(t.steps))
	correct2 := 1 - math.Pow(beta2, float64(t.steps))
	speed := float32(rate * math.Sqrt(correct2) / correct1)
	for i, w := range t.weights {
		m, v := t.m[i], t.v[i]
		for k := range w {
			g := float32(0)
			for s := range t.grads {
				g += t.grads[s][i][k]
				t.grads[s][i][k] = 0
			}
			g = g/batch + decay*w[k]*float32(1-i%2)
			m[k] += (1 - beta1) * (g - m[k])
			v[k] += (1 - beta2) * (g*g - v[k])
			w[k] -= speed * m[k] / (float32(math.Sqrt(float64(v[k]))) + 1e-7)
		}
	}
}

// A result is how well a network does on cells it has not seen.
type result struct {
	cells, right   int // that are not None
	none, seenNone int
	dx, dy, dh     float64 // root of the mean square
}

func (r result) String() string {
	return fmt.Sprintf("%.2f %% of %d characters, %.1f %% of %d that are none; place to %.3f pitch, %.3f and %.3f height",
		100*float64(r.right)/float64(max(1, r.cells)), r.cells, 100*float64(r.seenNone)/float64(max(1, r.none)), r.none, r.dx, r.dy, r.dh)
}

func measure(n *glyph.Net, cells []sample) (r result) {
	var trace glyph.Trace
	var cell glyph.Cell
	var look glyph.Look
	for k := range cells {
		s := &cells[k]
		s.unpack(&cell)
		n.Look(&cell, &trace, &look)
		best := look.Best()
		if int(s.class) == glyph.None {
			r.none++
			if best == glyph.None {
				r.seenNone++
			}
			continue
		}
		r.cells++
		if best == int(s.class) {
			r.right++
		}
		r.dx += float64((look.Dx - s.dx) * (look.Dx - s.dx))
		r.dy += float64((look.Dy - s.dy) * (look.Dy - s.dy))
		r.dh += float64((look.Dh - s.dh) * (look.Dh - s.dh))
	}
	f := 1 / float64(max(1, r.cells))
	r.dx, r.dy, r.dh = math.Sqrt(r.dx*f), math.Sqrt(r.dy*f), math.Sqrt(r.dh*f)
	return r
}

// calibrate makes the network as sure as it is right about cells that it has
// not seen, cut as the reader cuts them: it divides the scores of all classes by
// the temperature that makes those cells most probable.
func calibrate(n *glyph.Net, cells []sample) (temperature float64) {
	var looks []glyph.Look
	var classes []uint8
	var trace glyph.Trace
	var cell glyph.Cell
	for k := range cells {
		if s := &cells[k]; s.aligned {
			var look glyph.Look
			s.unpack(&cell)
			n.Look(&cell, &trace, &look)
			looks, classes = append(looks, look), append(classes, s.class)
		}
	}
	loss := func(temperature float64) (total float64) {
		for i := range looks {
			sum := 0.0
			for _, p := range looks[i].P {
				sum += math.Exp(float64(p) / temperature)
			}
			total += math.Log(sum) - float64(looks[i].P[classes[i]])/temperature
		}
		return total
	}
	low, high := 0.3, 2.0
	for range 30 {
		a, b := low+(high-low)*0.382, low+(high-low)*0.618
		if loss(a) < loss(b) {
			high = b
		} else {
			low = a
		}
	}
	temperature = (low + high) / 2
	last := &n.Layers[glyph.Layers-1]
	for o := range glyph.Classes {
		last.B[o] /= float32(temperature)
		for j := range n.Hidden {
			last.W[o*n.Hidden+j] /= float32(temperature)
		}
	}
	return temperature
}

// reliability tells how often the network is right when it says how sure it
// is, about cells that are cut as the reader cuts them.
func reliability(n *glyph.Net, cells []sample) string {
	edges := []float64{0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1.01}
	count, right, said := make([]int, len(edges)), make([]int, len(edges)), make([]float64, len(edges))
	var trace glyph.Trace
	var cell glyph.Cell
	var look glyph.Look
	for k := range cells {
		s := &cells[k]
		if !s.aligned {
			continue
		}
		s.unpack(&cell)
		n.Look(&cell, &trace, &look)
		best := look.Best()
		if best == glyph.None {
			continue
		}
		p := math.Exp(float64(look.P[best]))
		b := 0
		for p >= edges[b+1] {
			b++
		}
		count[b]++
		said[b] += p
		if best == int(s.class) {
			right[b]++
		}
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%-16s %8s %8s %8s\n", "confidence", "cells", "said", "right")
	for b := range len(edges) - 1 {
		if count[b] > 0 {
			fmt.Fprintf(&out, "%.3f to %.3f   %8d %8.4f %8.4f\n", edges[b], min(1, edges[b+1]), count[b], said[b]/float64(count[b]), float64(right[b])/float64(count[b]))
		}
	}
	return out.String()
}
