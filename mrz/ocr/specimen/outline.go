package specimen

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// Directory is where Debian's package fonts-ocr-b puts the typeface: Matthew
// Skala's, from Norbert Schwarz's sources, free to use for any purpose.
const Directory = "/usr/share/fonts/opentype/ocr-b"

// A Typeface is the outlines of one font, in units of 1/1000 em, y upwards.
type Typeface struct {
	glyphs   map[byte][][]point
	advance  float64          // of H
	cap      float64          // height of capitals
	advances map[byte]float64 // of each character, where they differ
}

type point struct{ x, y float64 }

// Typefaces loads OCR-B: the plain one first, then lighter and sharper cuts
// that stand for other printers. An error says that the package is missing.
func Typefaces() ([]*Typeface, error) {
	var list []*Typeface
	for _, name := range []string{"OCRB.otf", "OCRBL.otf", "OCRBS.otf"} {
		data, err := os.ReadFile(Directory + "/" + name)
		if err != nil {
			return nil, fmt.Errorf("cannot print specimens: %w; install Debian's package fonts-ocr-b", err)
		}
		face, err := parseTypeface(data)
		if err != nil {
			return nil, fmt.Errorf("cannot read typeface %s: %w", name, err)
		}
		list = append(list, face)
	}
	return list, nil
}

var errFont = errors.New("not an OpenType font with CFF outlines of the kind that this package reads")

// parseTypeface reads the characters from blank to z of an OpenType font
// (tables cmap, format 4, and CFF).
func parseTypeface(data []byte) (face *Typeface, err error) {
	defer func() {
		if recover() != nil { // an offset beyond the file's end
			face, err = nil, errFont
		}
	}()
	tables := map[string][]byte{}
	for i := range int(binary.BigEndian.Uint16(data[4:])) {
		r := data[12+16*i:]
		offset, length := binary.BigEndian.Uint32(r[8:]), binary.BigEndian.Uint32(r[12:])
		tables[string(r[:4])] = data[offset:][:length]
	}
	c, err := parseCFF(tables["CFF "])
	if err != nil {
		return nil, err
	}
	face = &Typeface{glyphs: map[byte][][]point{}}
	for ch := byte(' '); ch <= 'z'; ch++ {
		glyph := glyphIndex(tables["cmap"], uint16(ch))
		if glyph == 0 {
			continue
		}
		s := charstring{font: c}
		if err := s.run(c.charstrings[glyph], 0); err != nil {
			return nil, fmt.Errorf("glyph %q: %w", ch, err)
		}
		face.glyphs[ch] = s.contours
	}
	// Of a font of one width the table may have one entry only.
	last := int(binary.BigEndian.Uint16(tables["hhea"][34:])) - 1
	entry := min(int(glyphIndex(tables["cmap"], 'H')), last)
	face.advance = float64(binary.BigEndian.Uint16(tables["hmtx"][4*entry:]))
	for _, contour := range face.glyphs['H'] {
		for _, p := range contour {
			face.cap = max(face.cap, p.y)
		}
	}
	return face, nil
}

// glyphIndex looks a character up in a cmap table's first subtable of format 4.
func glyphIndex(cmap []byte, ch uint16) uint16 {
	u16 := func(at int) uint16 { return binary.BigEndian.Uint16(cmap[at:]) }
	for i := range int(u16(2)) {
		t := int(binary.BigEndian.Uint32(cmap[4+8*i+4:]))
		if u16(t) != 4 {
			continue
		}
		n := int(u16(t+6)) / 2
		for s := range n {
			end, start := u16(t+14+2*s), u16(t+16+2*n+2*s)
			if ch < start || ch > end {
				continue
			}
			delta, rangeAt := u16(t+16+4*n+2*s), t+16+6*n+2*s
			if offset := int(u16(rangeAt)); offset != 0 {
				if g := u16(rangeAt + offset + 2*int(ch-start)); g != 0 {
					return g + delta
				}
				return 0
			}
			return ch + delta
		}
	}
	return 0
}

// cff is what is needed of a Compact Font Format table (Adobe note 5176).
type cff struct {
	charstrings, global, local [][]byte
}

func parseCFF(data []byte) (*cff, error) {
	if len(data) < 4 {
		return nil, errFont
	}
	at := int(data[2])
	_, at = index(data, at) // names
	tops, at := index(data, at)
	_, at = index(data, at) // strings
	c := &cff{}
	c.global, _ = index(data, at)
	top := dict(tops[0])
	c.charstrings, _ = index(data, int(top[17][0]))
	if private := top[18]; len(private) == 2 {
		size, offset := int(private[0]), int(private[1])
		if subrs := dict(data[offset:][:size])[19]; len(subrs) == 1 {
			c.local, _ = index(data, offset+int(subrs[0]))
		}
	}
	return c, nil
}

// index reads an INDEX and returns where it ends.
func index(data []byte, at int) (items [][]byte, end int) {
	n := int(binary.BigEndian.Uint16(data[at:]))
	if n == 0 {
		return nil, at + 2
	}
	size := int(data[at+2])
	offset := func(i int) (v int) {
		for _, b := range data[at+3+i*size:][:size] {
			v = v<<8 | int(b)
		}
		return v
	}
	base := at + 2 + (n+1)*size
	for i := range n {
		items = append(items, data[base+offset(i):base+offset(i+1)])
	}
	return items, base + offset(n)
}

// dict reads the numbers of a DICT by operator; two-byte operators are
// 1200 and more.
func dict(data []byte) map[int][]float64 {
	entries, operands := map[int][]float64{}, []float64(nil)
	for len(data) > 0 {
		b := int(data[0])
		switch {
		case b == 12:
			entries[1200+int(data[1])], operands = operands, nil
			data = data[2:]
		case b <= 21:
			entries[b], operands = operands, nil
			data = data[1:]
		case b == 30: // a real number: none that matters here
			for data = data[1:]; data[0]&15 != 15; data = data[1:] {
			}
			data = data[1:]
			operands = append(operands, 0)
		case b == 29:
			operands = append(operands, float64(int32(binary.BigEndian.Uint32(data[1:]))))
			data = data[5:]
		default:
			v, n := number(data)
			operands = append(operands, v)
			data = data[n:]
		}
	}
	return entries
}

// number reads a number of one to three bytes, the forms that DICTs and
// charstrings share.
func number(data []byte) (v float64, n int) {
	switch b := int(data[0]); {
	case b == 28:
		return float64(int16(binary.BigEndian.Uint16(data[1:]))), 3
	case b <= 246:
		return float64(b - 139), 1
	case b <= 250:
		return float64((b-247)*256 + int(data[1]) + 108), 2
	default:
		return float64(-(b-251)*256 - int(data[1]) - 108), 2
	}
}
