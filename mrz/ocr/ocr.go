// Package ocr reads machine-readable zones from a picture: a scanned page, a
// photograph of a passport, a strip cut out of one. It is pure Go and needs
// nothing at run time but the weights of its classifier, which are part of it.
//
// The way from the picture to the lines:
//
//	picture   grey = max(R, G, B): black ink is dark in every channel,
//	          coloured patterns are not; halved until it is of handy size
//	ink       darker than its surroundings, by two settings
//	rows      blobs of ink, chained to neighbours, on a line of fixed pitch
//	          that may be tilted and bent: four orientations, 44, 36, 30 cells
//	cells     a small neural network says how probable each character is
//	zones     rows of equal pitch, laid against the formats of package mrz;
//	          the most probable text that agrees with all check digits
//
// The package promises:
//
//   - It returns every zone that it finds and never chooses between them.
//   - Check digits decide only where the glyphs leave it open. A character that
//     is clearly printed is never exchanged for one that would make a digit
//     right: what a forger changed stays changed, and the zone not valid.
//   - Confidence is what the glyphs alone say. Check digits do not raise it, so
//     that it also guards what they cannot see: S and 8, G and 6, names.
//   - The same picture gives the same zones. Work and memory are bounded by the
//     size of the picture, and that by MaxPixels and MaxSide.
//   - A Zone shows no personal data when printed or logged by mistake.
//
// It does not say whether a document is genuine.
package ocr

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"

	"lintas/mrz"
)

// MaxPixels and MaxSide are the size of the largest picture that is looked at:
// an A4 page at 1,000 dots per inch has 97 million pixels and is 11,693 long.
const (
	MaxPixels = 100 << 20
	MaxSide   = 1 << 15
)

// Floor is the confidence below which a zone must be shown to the officer
// before it is believed, also if its check digits are right.
const Floor = 0.9

// ErrTooLarge is returned for a picture of more than MaxPixels, or longer than
// MaxSide.
var ErrTooLarge = errors.New("the picture is too large; scan it at 300 dots per inch")

// A Zone is one machine-readable zone found in a picture.
//
// It is personal data. Printing it or logging it with slog shows format and
// validity only.
type Zone struct {
	Format mrz.Format

	// Lines is the most probable reading that the glyphs' own evidence allows.
	Lines []string

	// Valid is what mrz.Parse says of Lines.
	Valid bool

	// Confidence is that of the least certain character, 0 to 1.
	Confidence float64

	// Chars says of each character of Lines how certain it is.
	Chars [][]Char

	// Repairs are the characters that the check digits decided against what
	// looked a little more probable.
	Repairs []Repair

	// Bounds is the upright rectangle around the zone in the picture. Corners
	// are the zone's own: before its first character above, after its last one
	// above, and the same below in that order.
	Bounds  image.Rectangle
	Corners [4]image.Point

	// Turned is by how many quarter turns clockwise the zone stands in the
	// picture: 0 is upright, 2 upside down.
	Turned int
}

// A Char is one character of a zone. Confidence is the probability, 0 to 1,
// that Byte is what is printed, as far as the glyph shows; Second is what else
// it is most likely to be.
type Char struct {
	Byte       byte
	Confidence float64
	Second     byte
}

// A Repair says that the glyph at Line and Column, counted from 1, looked
// like From, and that To is taken for it.
type Repair = mrz.Repair

// Read returns every zone in a picture, from top to bottom; none is no error.
// An error is ErrTooLarge or, if ctx ends first, its cause.
func Read(ctx context.Context, img image.Image) ([]Zone, error) {
	b := img.Bounds()
	if b.Empty() {
		return nil, context.Cause(ctx)
	}
	if max(b.Dx(), b.Dy()) > MaxSide || b.Dx()*b.Dy() > MaxPixels {
		return nil, ErrTooLarge
	}
	r := newReader(grey(img))
	found, err := r.search(ctx)
	if err != nil {
		return nil, err
	}
	zones := make([]Zone, len(found))
	for i := range found {
		zones[i] = found[i].zone(b.Min)
	}
	return zones, nil
}

// String returns format and validity, never the traveller's data.
func (z Zone) String() string {
	valid := "not valid"
	if z.Valid {
		valid = "valid"
	}
	return fmt.Sprintf("zone in a picture (%s, %s)", z.Format, valid)
}

// GoString keeps %#v from showing the traveller's data.
func (z Zone) GoString() string {
	return fmt.Sprintf("ocr.Zone{Format:%q, Valid:%t, ...}", string(z.Format), z.Valid)
}

// LogValue keeps slog from showing the traveller's data.
func (z Zone) LogValue() slog.Value {
	return slog.GroupValue(slog.String("format", string(z.Format)), slog.Bool("valid", z.Valid))
}
