package ocr

import (
	"image"
	"math"

	"lintas/mrz"
	"lintas/mrz/ocr/glyph"
)

// Decode opens the decoder: cells are what is seen line by line, each a list
// of characters with their probabilities. It returns the text, the places
// (from 1) that are repaired, and whether all digits agree.
func Decode(format mrz.Format, cells [][]map[byte]float64) (lines []string, repairs []Repair, proven bool, sure []float64) {
	g := newGrid(format)
	var looks []*glyph.Look
	for _, line := range cells {
		for _, seen := range line {
			looks = append(looks, lookOf(seen))
		}
	}
	r := g.decode(looks)
	f := find{reading: r, format: format, lines: r.lines(), rows: make([]line, len(cells))}
	for i := range f.rows {
		f.rows[i].x[1] = 10
	}
	return r.lines(), f.zone(image.Point{}).Repairs, r.proven, r.sure
}

// lookOf makes a look of probabilities; what is missing to 1 is shared by the
// other characters.
func lookOf(seen map[byte]float64) *glyph.Look {
	rest := 1.0
	for _, p := range seen {
		rest -= p
	}
	look := &glyph.Look{}
	for i := range look.P {
		p := max(rest, 1e-6) / float64(glyph.Classes)
		if i < glyph.None {
			if q, ok := seen[glyph.Alphabet[i]]; ok {
				p = q
			}
		}
		look.P[i] = float32(math.Log(p))
	}
	return look
}
