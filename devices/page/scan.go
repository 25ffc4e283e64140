package page

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"slices"
	"time"

	"lintas/devices"
	"lintas/mrz"
)

// Bounds on the lines of a zone; see the formats of package mrz.
const (
	maxLines      = 3
	maxLineLength = 44
)

// page takes over what a child says of one page, after checking it: the child
// may have been taken over by the document.
func (c *collector) page(s sheet) error {
	if len(s.Zones) > maxZones || len(s.Codes) > len(catalogue) {
		return errLies
	}
	for _, code := range s.Codes {
		if !known(code) {
			return errLies
		}
	}
	scans := make([]devices.Scan, 0, len(s.Zones))
	for _, z := range s.Zones {
		scan, err := c.scanOf(z, s)
		if err != nil {
			return err
		}
		scans = append(scans, scan)
	}
	c.next++
	if len(scans) == 0 {
		codes := s.Codes
		if len(codes) == 0 {
			codes = []string{CodeNoZone}
		}
		c.unread(s.Number, codes...)
		return nil
	}
	c.found = true
	c.Scans = append(c.Scans, scans...)
	return nil
}

func (c *collector) scanOf(z zone, s sheet) (devices.Scan, error) {
	fault := len(z.Lines) == 0 || len(z.Lines) > maxLines || !(z.Confidence >= 0 && z.Confidence <= 1)
	inside := func(line, column int) bool {
		return line >= 1 && line <= len(z.Lines) && column >= 1 && column <= len(z.Lines[line-1])
	}
	for _, line := range z.Lines {
		fault = fault || len(line) == 0 || len(line) > maxLineLength || slices.ContainsFunc([]byte(line), func(b byte) bool { return !character(b) })
	}
	fault = fault || len(z.Doubtful) > maxLines*maxLineLength || len(z.Repairs) > maxLines*maxLineLength
	if fault {
		return devices.Scan{}, errLies
	}
	p := &devices.Page{Number: s.Number, Confidence: z.Confidence}
	for _, d := range z.Doubtful {
		if !inside(d.Line, d.Column) {
			return devices.Scan{}, errLies
		}
		p.Doubtful = append(p.Doubtful, devices.Doubt{Line: d.Line, Column: d.Column})
	}
	for _, r := range z.Repairs {
		if !inside(r.Line, r.Column) || len(r.From) != 1 || len(r.To) != 1 || !character(r.From[0]) || !character(r.To[0]) || !mrzField(r.Field) {
			return devices.Scan{}, errLies
		}
		p.Repairs = append(p.Repairs, r)
	}
	for _, code := range s.Codes {
		p.Findings = append(p.Findings, finding(code))
	}
	if z.Strip != nil {
		if z.Strip.Width <= 0 || z.Strip.Height <= 0 || z.Strip.Width > maxStrip/z.Strip.Height || len(z.Strip.Grey) != z.Strip.Width*z.Strip.Height {
			return devices.Scan{}, errLies
		}
		p.Strip = picture(*z.Strip, len(z.Lines), p.Doubtful)
	}
	status := devices.Complete
	if mrz.Parse(z.Lines, mrz.Date{}).Format == "" {
		status = devices.Partial
	}
	return devices.Scan{Status: status, Mode: devices.Picture, Lines: z.Lines, First: c.started, Last: time.Now(), Page: p}, nil
}

// character tells whether b can stand in a zone, or for a cell that was not read.
func character(b byte) bool {
	return b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '<' || b == '_'
}

// mrzField tells whether s can be the name of a field.
func mrzField(s string) bool {
	return len(s) <= 32 && !slices.ContainsFunc([]byte(s), func(b byte) bool { return !(b >= 'a' && b <= 'z' || b == '_' || b >= '0' && b <= '9') })
}

// Geometry of a strip: see ocr.Strip.
const (
	stripCell   = 24 // pixels of a cell
	stripMargin = 2  // cells of paper around
)

// picture makes a PNG of a strip, with a frame around each doubtful character.
// Of the paper above and below, one cell is enough.
func picture(s strip, lines int, doubtful []devices.Doubt) []byte {
	height := max(0, s.Height-2*stripMargin*stripCell) / max(lines, 1) // of a line
	if s.Height > 2*stripMargin*stripCell {
		s.Grey, s.Height = s.Grey[stripCell*s.Width:(s.Height-stripCell)*s.Width], s.Height-2*stripCell
	}
	grey := &image.Gray{Pix: s.Grey, Stride: s.Width, Rect: image.Rect(0, 0, s.Width, s.Height)}
	var img image.Image = grey
	if len(doubtful) > 0 {
		palette := make(color.Palette, 256)
		for i := range palette {
			palette[i] = color.Gray{uint8(i)}
		}
		const mark = 1 // nearly black gives its place to the mark
		palette[mark] = color.RGBA{R: 0xd0, B: 0x20, A: 0xff}
		marked := &image.Paletted{Pix: slices.Clone(s.Grey), Stride: s.Width, Rect: grey.Rect, Palette: palette}
		for i, p := range marked.Pix {
			if p == mark {
				marked.Pix[i] = 0
			}
		}
		for _, d := range doubtful {
			at := image.Pt((stripMargin+d.Column-1)*stripCell, (stripMargin-1)*stripCell+(d.Line-1)*height)
			frame(marked, image.Rectangle{at, at.Add(image.Pt(stripCell, height))}.Inset(-3), 3, mark)
		}
		img = marked
	}
	var b bytes.Buffer
	if png.Encode(&b, img) != nil {
		return nil // only a size of 0 is refused
	}
	return b.Bytes()
}

// frame draws the border of r, which may lie partly outside.
func frame(img *image.Paletted, r image.Rectangle, width int, ink uint8) {
	inner := r.Inset(width)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			if p := image.Pt(x, y); p.In(img.Rect) && !p.In(inner) {
				img.SetColorIndex(x, y, ink)
			}
		}
	}
}
