package page

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/gen2brain/go-fitz"
)

// fault is why a document or a page cannot be read: a code of the catalogue.
type fault string

func (f fault) Error() string { return string(f) }

// codeOf gives the code of an error of this package, and CodeBroken for others.
func codeOf(err error) string {
	if f, ok := errors.AsType[fault](err); ok {
		return string(f)
	}
	return CodeBroken
}

// document is an open document. Its pages count from 0.
type document interface {
	pages() int
	// picture renders a page, after it has looked at its size.
	picture(page int) (image.Image, error)
	// text is the page's text layer, "" if it has none.
	text(page int) string
}

// open opens a document of any kind that is read.
func open(b []byte) (Kind, document, error) {
	kind, _ := Sniff(b)
	switch {
	case len(b) == 0:
		return "", nil, fault(CodeEmpty)
	case len(b) > MaxBytes:
		return kind, nil, fault(CodeTooLarge)
	}
	switch kind {
	case JPEG:
		return kind, single{b, jpeg.DecodeConfig, jpeg.Decode}, nil
	case PNG:
		return kind, single{b, png.DecodeConfig, png.Decode}, nil
	case TIFF:
		d, err := openFitz(b)
		if err == nil {
			d.sizes = tiffPictures(b)
		}
		return kind, d, err
	case PDF:
		b = b[pdfStart(b):]
		d, err := openFitz(b)
		if err == nil {
			d.any = pdfPictures(b)
		}
		return kind, d, err
	}
	return "", nil, fault(CodeNotPage)
}

// single is a picture that is its own only page.
type single struct {
	b      []byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

func (s single) pages() int { return 1 }

func (s single) text(int) string { return "" }

func (s single) picture(int) (image.Image, error) {
	c, err := s.config(bytes.NewReader(s.b))
	switch {
	case err != nil, c.Width <= 0, c.Height <= 0:
		return nil, fault(CodeBroken)
	case c.Width > maxPhoto/c.Height, c.Width*c.Height > maxDecoded/bytesOf(c.ColorModel):
		return nil, fault(CodeTooManyPixel)
	}
	img, err := s.decode(bytes.NewReader(s.b))
	if err != nil {
		return nil, fault(CodeBroken)
	}
	return img, nil
}

// bytesOf is how many bytes a pixel of a decoded picture takes.
func bytesOf(m color.Model) int {
	switch m {
	case color.NRGBA64Model, color.RGBA64Model:
		return 8
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.YCbCrModel:
		return 3
	}
	return 4
}

// fitzDocument is what MuPDF opens.
type fitzDocument struct {
	doc   *fitz.Document
	sizes []image.Point // of the picture that each page is
	any   []image.Point // of pictures that are on some page
}

// store is how much MuPDF keeps of what it has decoded. No page is looked at
// twice.
const store = 8 << 20

func openFitz(b []byte) (*fitzDocument, error) {
	fitz.MaxStore = store
	doc, err := fitz.NewFromMemory(b)
	switch {
	case errors.Is(err, fitz.ErrNeedsPassword):
		return nil, fault(CodeEncrypted)
	case err != nil:
		return nil, fault(CodeBroken)
	}
	return &fitzDocument{doc: doc}, nil
}

func (d *fitzDocument) pages() int { return d.doc.NumPage() }

func (d *fitzDocument) picture(page int) (image.Image, error) {
	bound, err := d.doc.Bound(page)
	if err != nil {
		return nil, fault(CodeBroken)
	}
	pictures := d.any
	if page < len(d.sizes) {
		pictures = d.sizes[page : page+1]
		if s := pictures[0]; s.X <= 0 || s.Y <= 0 || s.X > maxPicture/s.Y {
			return nil, fault(CodeTooManyPixel)
		}
	}
	// A corner that is not the origin is not what MuPDF says of a page, and
	// go-fitz would read beyond its pixels.
	if bound.Min != (image.Point{}) || bound.Empty() {
		return nil, fault(CodeBroken)
	}
	dpi := resolution(bound.Max, pictures)
	if dpi == 0 {
		return nil, fault(CodeTooManyPixel)
	}
	img, err := d.doc.ImageDPI(page, dpi)
	if err != nil {
		return nil, fault(CodeBroken)
	}
	return grey(img), nil
}

func (d *fitzDocument) text(page int) string {
	s, err := d.doc.Text(page)
	if err != nil {
		return ""
	}
	return s
}

// grey keeps of each pixel its brightest channel, as package ocr does, so that
// the four times larger picture can be forgotten.
func grey(img *image.RGBA) *image.Gray {
	g := image.NewGray(img.Rect)
	for i := range g.Pix {
		p := img.Pix[4*i : 4*i+3 : 4*i+3]
		g.Pix[i] = max(p[0], p[1], p[2])
	}
	return g
}
