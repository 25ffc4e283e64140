package ocr

import (
	"math"

	"lintas/mrz/ocr/glyph"
)

// An inking says what is taken for ink: what is darker than the mean of its
// surroundings by a share of their standard deviation.
type inking struct {
	radius int // of the square of surroundings, in pixels
	share  float64
}

// inkings are tried one after the other.
var inkings = []inking{{24, 0.9}, {16, 0.4}, {10, 0.7}, {30, 1.4}}

// leastSpread is the standard deviation below which a place is blank.
const leastSpread = 4

// leastBelow is by how much ink is darker than its surroundings at least.
const leastBelow = 1

// ink returns a picture in which ink is 1 and paper 0.
//
//go:norace
func (k inking) ink(p glyph.Plane) []uint8 {
	w, h, r := p.W, p.H, k.radius
	out := make([]uint8, w*h)
	// Sums over the columns of the surroundings, moved down row by row; r+1
	// columns of nothing stand before the first, r after the last.
	padded, paddedSquares := make([]int32, w+2*r+1), make([]int32, w+2*r+1)
	sums, squares := padded[r+1:][:w], paddedSquares[r+1:][:w]
	none := make([]uint8, w)
	row := func(y int) []uint8 {
		if y < 0 || y >= h {
			return none
		}
		return p.Pix[y*w:][:w]
	}
	for y := -r; y < h; y++ {
		enter, leave := row(y+r), row(y-r-1)
		for x, v := range enter {
			in, out := int32(v), int32(leave[x])
			sums[x] += in - out
			squares[x] += in*in - out*out
		}
		if y < 0 {
			continue
		}
		rows := min(h-1, y+r) - max(0, y-r) + 1
		var sum, square int
		for x := range 2*r + 1 {
			sum += int(padded[x])
			square += int(paddedSquares[x])
		}
		// From here on the window ends r columns after pixel x.
		last, lastSquares := padded[2*r+1:][:w], paddedSquares[2*r+1:][:w]
		first, firstSquares := padded[:w], paddedSquares[:w]
		ink := out[y*w:][:w]
		inner := 1 / float64(rows*(2*r+1))
		for x, v := range row(y) {
			sum += int(last[x]) - int(first[x])
			square += int(lastSquares[x]) - int(firstSquares[x])
			f := inner
			if x < r || x+r >= w {
				f = 1 / float64(rows*(min(w-1, x+r)-max(0, x-r)+1))
			}
			mean := float64(sum) * f
			below := mean - float64(v)
			if below <= leastBelow {
				continue
			}
			variance := float64(square)*f - mean*mean
			if variance > leastSpread*leastSpread && below*below > k.share*k.share*variance {
				ink[x] = 1
			}
		}
	}
	return out
}

// A blob is connected ink: the middle of its box and its size, in pixels of
// the picture itself.
type blob struct {
	x, y, w, h float64
}

// What has more blobs, or so many specks, is no page.
const (
	maxBlobs  = 60000
	maxSpecks = 2 << 20
)

// blobs returns the connected parts of a view's ink that can be characters: 4 to
// 90 pixels long and 2 to 90 across.
func (v *view) blobs(ink []uint8) []blob {
	w, h := v.plane.W, v.plane.H
	x0, y0 := float64(2*v.from.X), float64(2*v.from.Y)
	type box struct{ x0, y0, x1, y1 int32 }
	var parent []int32
	var boxes []box
	find := func(i int32) int32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	type run struct{ from, to, label int32 }
	var above, here []run
	for y := range h {
		if len(parent) > maxSpecks {
			return nil
		}
		row := ink[y*w:][:w]
		here = here[:0]
		a := 0
		for x := 0; x < w; x++ {
			if row[x] == 0 {
				continue
			}
			from := x
			for x < w && row[x] != 0 {
				x++
			}
			label := int32(-1)
			for a < len(above) && int(above[a].to) < from {
				a++
			}
			for i := a; i < len(above) && int(above[i].from) <= x; i++ {
				root := find(above[i].label)
				if label < 0 {
					label = root
				} else if root != label {
					b, c := &boxes[label], boxes[root]
					b.x0, b.y0, b.x1, b.y1 = min(b.x0, c.x0), min(b.y0, c.y0), max(b.x1, c.x1), max(b.y1, c.y1)
					parent[root] = label
				}
			}
			if label < 0 {
				label = int32(len(parent))
				parent = append(parent, label)
				boxes = append(boxes, box{int32(from), int32(y), int32(x), int32(y + 1)})
			} else {
				b := &boxes[label]
				b.x0, b.x1, b.y1 = min(b.x0, int32(from)), max(b.x1, int32(x)), int32(y+1)
			}
			here = append(here, run{int32(from), int32(x), label})
		}
		above, here = here, above
	}
	var list []blob
	for i, b := range boxes {
		bw, bh := b.x1-b.x0, b.y1-b.y0
		if parent[i] != int32(i) || max(bw, bh) < 4 || min(bw, bh) < 2 || max(bw, bh) > 90 {
			continue
		}
		list = append(list, blob{
			x: (x0 + float64(b.x0+b.x1)) / 2 * v.scale, y: (y0 + float64(b.y0+b.y1)) / 2 * v.scale,
			w: float64(bw) * v.scale, h: float64(bh) * v.scale,
		})
		if len(list) >= maxBlobs {
			break
		}
	}
	return list
}

func round(v float64) int { return int(math.Round(v)) }
