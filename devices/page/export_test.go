package page

import "image"

// Confine is for tests of the walls.
var Confine = confine

// MaxChildren is how many children may be alive at once.
const MaxChildren = maxChildren

// Resolution, PDFPictures and TIFFPictures are for tests of sizes.
func Resolution(points image.Point, pictures ...image.Point) float64 {
	return resolution(points, pictures)
}
func PDFPictures(b []byte) []image.Point  { return pdfPictures(b) }
func TIFFPictures(b []byte) []image.Point { return tiffPictures(b) }

// Take feeds lines to what makes a Result of them.
func Take(lines ...[]byte) (Result, error) {
	c := collector{next: 1}
	for _, line := range lines {
		if err := c.take(line); err != nil {
			return Result{}, err
		}
		if c.ended {
			break
		}
	}
	if len(c.Scans) == 0 {
		return c.Result, nil
	}
	return c.result(), nil
}

// Finding gives the words of a code.
var Finding = finding
