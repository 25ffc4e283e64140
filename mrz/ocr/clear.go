package ocr

import (
	"image"
	"math"
)

// A page of text costs as much as one with a zone that is hard to see, if it is
// looked at by every setting and at every scale. But where black ink stands on
// plain paper the first look has seen every character; another one is worth it
// only where paper is patterned or noisy, or ink is pale.

// clearFromSide is the length of the long side, in pixels, from which this is asked.
// What is smaller is a document at most, and worth every look: fine black lines
// may run through all of its characters.
const clearFromSide = 2000

const (
	tileSide     = 32 // pixels of the view, of the squares that are judged one by one
	plainPaper   = 6  // standard deviation of plain paper's brightness at most
	blackInk     = 50 // by how much ink is darker at least
	leastSamples = 16 // of a tile's paper, or it is not known
	leastInTile  = 4  // samples of ink: fewer are specks
	longest      = 4  // tiles: no zone that can be read is shorter
	tilesBetween = 2  // unclear ones that are so near belong together
	tilesAround  = 2  // are looked at with the unclear ones
)

// unclear returns the part of a picture, in pixels of the picture itself, that
// one look does not settle: where ink is not clearly ink, and zones that were
// read with doubt.
func (v *view) unclear(ink []uint8, found []find) (part image.Rectangle) {
	for _, f := range found {
		if !f.certain() {
			b := f.bounds()
			part = part.Union(b.Inset(-max(b.Dx(), b.Dy()) / 4))
		}
	}
	columns, rows := (v.plane.W+tileSide-1)/tileSide, (v.plane.H+tileSide-1)/tileSide
	tiles := make([]bool, columns*rows) // the unclear ones
	for i := range tiles {
		tiles[i] = !v.clear(ink, i%columns*tileSide, i/columns*tileSide)
	}
	var queue []int
	for i := range tiles {
		if !tiles[i] {
			continue
		}
		tiles[i] = false
		var group image.Rectangle
		for queue = append(queue, i); len(queue) > 0; {
			at := image.Pt(queue[0]%columns, queue[0]/columns)
			queue = queue[1:]
			group = group.Union(image.Rectangle{at, at.Add(image.Pt(1, 1))})
			for y := max(0, at.Y-tilesBetween); y <= min(rows-1, at.Y+tilesBetween); y++ {
				for x := max(0, at.X-tilesBetween); x <= min(columns-1, at.X+tilesBetween); x++ {
					if k := y*columns + x; tiles[k] {
						tiles[k] = false
						queue = append(queue, k)
					}
				}
			}
		}
		if max(group.Dx(), group.Dy()) >= longest {
			group = group.Inset(-tilesAround)
			side := float64(tileSide) * v.scale
			part = part.Union(image.Rect(int(float64(group.Min.X)*side), int(float64(group.Min.Y)*side), int(float64(group.Max.X)*side), int(float64(group.Max.Y)*side)))
		}
	}
	return part
}

// clear reports whether a tile is plain paper with nothing but black ink on it.
// Every other pixel of every other row tells enough, and those beside ink are
// its edge.
//
//go:norace
func (v *view) clear(ink []uint8, left, top int) bool {
	const edge = 2
	w, h := v.plane.W, v.plane.H
	var inks, inkSum, papers, paperSum, paperSquares int
	for y := max(edge, top); y < min(top+tileSide, h-edge); y += 2 {
		for x := max(edge, left); x < min(left+tileSide, w-edge); x += 2 {
			i := y*w + x
			b := int(v.plane.Pix[i])
			switch {
			case ink[i] != 0:
				inks++
				inkSum += b
			case ink[i-edge]|ink[i+edge]|ink[i-edge*w]|ink[i+edge*w]|ink[i-w-1]|ink[i-w+1]|ink[i+w-1]|ink[i+w+1] == 0:
				papers++
				paperSum += b
				paperSquares += b * b
			}
		}
	}
	if papers < leastSamples {
		return inks == 0 // the picture's very edge
	}
	mean := float64(paperSum) / float64(papers)
	if math.Sqrt(max(0, float64(paperSquares)/float64(papers)-mean*mean)) > plainPaper {
		return false
	}
	return inks < leastInTile || mean-float64(inkSum)/float64(inks) >= blackInk
}

// cut returns the part of a view that shows a part of the picture.
func (v view) cut(part image.Rectangle) view {
	at := func(p int) int { return int(float64(p) / v.scale) }
	r := image.Rect(at(part.Min.X), at(part.Min.Y), at(part.Max.X)+1, at(part.Max.Y)+1).Intersect(image.Rect(0, 0, v.plane.W, v.plane.H))
	if r.Dx() == v.plane.W && r.Dy() == v.plane.H {
		return v
	}
	whole := v.plane
	v.plane.W, v.plane.H = r.Dx(), r.Dy()
	v.plane.Pix = make([]uint8, r.Dx()*r.Dy())
	for y := range r.Dy() {
		copy(v.plane.Pix[y*r.Dx():][:r.Dx()], whole.Pix[(r.Min.Y+y)*whole.W+r.Min.X:])
	}
	v.from = r.Min
	return v
}
