package specimen

import (
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// Others returns typefaces that are not OCR-B: what documents, letters and
// books are printed in, for text that is no zone.
func Others() []*Typeface {
	return []*Typeface{trueType(gomono.TTF), trueType(goregular.TTF)}
}

// trueType reads the characters from blank to z of a typeface that comes with
// golang.org/x/image.
func trueType(data []byte) *Typeface {
	f, err := sfnt.Parse(data)
	if err != nil {
		panic(err)
	}
	var b sfnt.Buffer
	const em = 1000
	face := &Typeface{glyphs: map[byte][][]point{}, advances: map[byte]float64{}}
	for ch := ' '; ch <= 'z'; ch++ {
		g, err := f.GlyphIndex(&b, ch)
		if err != nil || g == 0 {
			continue
		}
		segments, err := f.LoadGlyph(&b, g, fixed.I(em), nil)
		if err != nil {
			panic(err)
		}
		at := func(p fixed.Point26_6) point { return point{float64(p.X) / 64, -float64(p.Y) / 64} }
		s := charstring{}
		for _, seg := range segments {
			switch seg.Op {
			case sfnt.SegmentOpMoveTo:
				s.at = at(seg.Args[0])
				s.contours = append(s.contours, []point{s.at})
			case sfnt.SegmentOpLineTo:
				p := at(seg.Args[0])
				s.line(p.x-s.at.x, p.y-s.at.y)
			case sfnt.SegmentOpQuadTo:
				p, q, o := at(seg.Args[0]), at(seg.Args[1]), s.at
				s.curve((p.x-o.x)*2/3, (p.y-o.y)*2/3, (q.x-o.x)/3, (q.y-o.y)/3, (q.x-p.x)/3, (q.y-p.y)/3)
			}
		}
		face.glyphs[byte(ch)] = s.contours
		if advance, err := f.GlyphAdvance(&b, g, fixed.I(em), font.HintingNone); err == nil {
			face.advances[byte(ch)] = float64(advance) / 64
		}
	}
	g, err := f.GlyphIndex(&b, 'H')
	if err != nil {
		panic(err)
	}
	bounds, advance, err := f.GlyphBounds(&b, g, fixed.I(em), font.HintingNone)
	if err != nil {
		panic(err)
	}
	face.advance, face.cap = float64(advance)/64, -float64(bounds.Min.Y)/64
	return face
}
