package specimen

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
)

// PDF writes a document of one page for each picture: a JPEG of the given
// quality (1 to 100) that fills its page, as scanners make them. At 300 dots
// per inch a picture of 2480 × 3508 pixels is a page of A4.
func PDF(w io.Writer, dpi float64, quality int, pages ...image.Image) error {
	if len(pages) == 0 || dpi <= 0 {
		return errors.New("cannot write PDF: want a page and its resolution")
	}
	var b bytes.Buffer
	var at []int // where each object begins
	object := func(format string, args ...any) {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n", len(at))
		fmt.Fprintf(&b, format, args...)
		b.WriteString("\nendobj\n")
	}
	b.WriteString("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
	object("<< /Type /Catalog /Pages 2 0 R >>")
	kids := ""
	for i := range pages {
		kids += fmt.Sprintf(" %d 0 R", 3+3*i)
	}
	object("<< /Type /Pages /Count %d /Kids [%s ] >>", len(pages), kids)
	for i, page := range pages {
		var picture bytes.Buffer
		if err := jpeg.Encode(&picture, page, &jpeg.Options{Quality: quality}); err != nil {
			return fmt.Errorf("cannot write page %d: %w", i+1, err)
		}
		size, space := page.Bounds().Size(), "/DeviceRGB"
		if _, grey := page.(*image.Gray); grey {
			space = "/DeviceGray"
		}
		width, height := float64(size.X)*72/dpi, float64(size.Y)*72/dpi
		draw := fmt.Sprintf("q %.3f 0 0 %.3f 0 0 cm /Scan Do Q", width, height)
		n := 3 + 3*i
		object("<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %.3f %.3f] /Contents %d 0 R /Resources << /XObject << /Scan %d 0 R >> >> >>",
			width, height, n+1, n+2)
		object("<< /Length %d >>\nstream\n%s\nendstream", len(draw), draw)
		object("<< /Type /XObject /Subtype /Image /Width %d /Height %d /BitsPerComponent 8 /ColorSpace %s /Filter /DCTDecode /Length %d >>\nstream\n%s\nendstream",
			size.X, size.Y, space, picture.Len(), picture.Bytes())
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	_, err := w.Write(b.Bytes())
	return err
}
