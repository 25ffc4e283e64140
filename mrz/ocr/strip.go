package ocr

import (
	"image"
)

const (
	stripPitch  = 24 // pixels to a cell
	stripMargin = 2  // cells of paper around the zone
)

// Strip returns the zone upright and straightened, to be shown to an officer,
// 24 pixels to a cell and two cells of paper around it: the character at line l
// and column c, both counted from 0, begins 24 × (2 + c) pixels from the left.
func Strip(img image.Image, z Zone) *image.Gray {
	cells := 0
	for _, l := range z.Lines {
		cells = max(cells, len(l))
	}
	if cells == 0 {
		return image.NewGray(image.Rect(0, 0, 1, 1))
	}
	p := grey(img)
	corner := func(i int) (x, y float64) {
		d := z.Corners[i].Sub(img.Bounds().Min)
		return float64(d.X), float64(d.Y)
	}
	ax, ay := corner(0)
	bx, by := corner(1)
	cx, cy := corner(2)
	dx, dy := corner(3)
	// As high as the zone is, compared to its width.
	high := float64(cells) * length(cx-ax+dx-bx, cy-ay+dy-by) / max(1, length(bx-ax+dx-cx, by-ay+dy-cy))
	high = min(high, float64(cells))
	w, h := stripPitch*(cells+2*stripMargin), round(stripPitch*(high+2*stripMargin))
	out := image.NewGray(image.Rect(0, 0, w, h))
	plane, scale := newPyramid(p).forPitch(length(bx-ax, by-ay) / float64(cells) * glyphRoom)
	for y := range h {
		v := ((float64(y)+0.5)/stripPitch - stripMargin) / high
		for x := range w {
			u := ((float64(x)+0.5)/stripPitch - stripMargin) / float64(cells)
			px := (ax*(1-u)+bx*u)*(1-v) + (cx*(1-u)+dx*u)*v
			py := (ay*(1-u)+by*u)*(1-v) + (cy*(1-u)+dy*u)*v
			out.Pix[y*out.Stride+x] = plane.At(px*scale, py*scale)
		}
	}
	return out
}

// glyphRoom makes forPitch choose a level that is not coarser than the strip.
const glyphRoom = 24.0 / 48
