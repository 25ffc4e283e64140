package page

import (
	"bytes"
	"image"
	"math"
	"slices"
)

// A page that is drawn, not scanned, is rendered at vectorDPI. One so large
// that it would not fit is rendered coarser, but not below leastDPI, where no
// zone can be read.
const (
	vectorDPI = 300
	leastDPI  = 100
)

// resolution chooses at how many dots per inch a page of the given size in
// points is rendered, so that the pixels of a scan come out as they are: neither
// blown up, which costs memory and blurs, nor thinned out. pictures are the
// sizes of the pictures that may fill the page. It returns 0 if the page is too
// large for any.
func resolution(points image.Point, pictures []image.Point) float64 {
	if points.X <= 0 || points.Y <= 0 {
		return 0
	}
	dpi := 0.0
	for _, p := range pictures {
		for _, size := range []image.Point{p, {p.Y, p.X}} { // the page may be turned
			if d := filling(points, size); d > dpi {
				dpi = d
			}
		}
	}
	if dpi > 0 {
		// A whole part of the scan's pixels: each then is the mean of some.
		for n := 1.0; n <= 8; n++ {
			if pixels(points, dpi/n) <= maxRender {
				return dpi / n
			}
		}
	}
	dpi = vectorDPI
	if n := pixels(points, dpi); n > maxRender {
		dpi = math.Floor(dpi * math.Sqrt(maxRender/n))
	}
	if dpi < leastDPI {
		return 0
	}
	return dpi
}

// pixels is how many a page has at a resolution.
func pixels(points image.Point, dpi float64) float64 {
	return math.Ceil(float64(points.X+1)*dpi/72) * math.Ceil(float64(points.Y+1)*dpi/72)
}

// filling is the resolution at which a picture of size pixels fills the page,
// and 0 if it has another shape. The size in points is cut to whole points, so
// it could be any of a range; most scans have a whole number of dots per inch.
func filling(points, size image.Point) float64 {
	const (
		slack    = 0.01   // a margin of some scanners
		rounding = 0.0005 // of the paper's size to whole pixels
	)
	lowX, highX := 72*float64(size.X)/float64(points.X+1), 72*float64(size.X)/float64(points.X)
	lowY, highY := 72*float64(size.Y)/float64(points.Y+1), 72*float64(size.Y)/float64(points.Y)
	low, high := max(lowX, lowY), min(highX, highY)
	switch {
	case low > high*(1+slack):
		return 0
	case low > high:
		return low
	}
	if whole := math.Floor(high); whole >= low*(1-rounding) && whole > 0 {
		return whole
	}
	return (low + high) / 2
}

const (
	maxPDFPictures = 4096
	pictureWindow  = 1024 // bytes of a picture's dictionary
)

// pdfPictures lists the sizes of the pictures in a PDF. Their dictionaries stand
// in the file as plain text whatever else is compressed, since each belongs to a
// stream.
func pdfPictures(b []byte) (sizes []image.Point) {
	rest := b
	for len(sizes) < maxPDFPictures {
		i := bytes.Index(rest, []byte("/Image"))
		if i < 0 {
			return sizes
		}
		from, to := max(0, i-pictureWindow), min(len(rest), i+pictureWindow)
		before, after := rest[from:i], rest[i:to]
		if j := bytes.LastIndex(before, []byte("obj")); j >= 0 {
			before = before[j:]
		}
		if j := bytes.Index(after, []byte("stream")); j >= 0 {
			after = after[:j]
			dict := slices.Concat(before, after)
			if size := (image.Point{number(dict, "/Width"), number(dict, "/Height")}); size.X > 0 && size.Y > 0 && !slices.Contains(sizes, size) {
				sizes = append(sizes, size)
			}
		}
		rest = rest[i+len("/Image"):]
	}
	return sizes
}

// number is the value behind a key of a dictionary, 0 if there is none.
func number(dict []byte, key string) (n int) {
	i := bytes.Index(dict, []byte(key))
	if i < 0 {
		return 0
	}
	digits := bytes.TrimLeft(dict[i+len(key):], " \t\r\n")
	for _, c := range digits[:min(len(digits), 7)] {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}
