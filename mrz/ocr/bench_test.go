package ocr_test

import (
	"image"
	"testing"

	"lintas/mrz"
	"lintas/mrz/ocr"
	"lintas/mrz/ocr/specimen"
)

// BenchmarkRead reads what a counter's scanner sees: a strip, a page of A4 at
// 300 dots per inch with a passport on it, and one that has no zone.
func BenchmarkRead(b *testing.B) {
	f := faces(b)
	zone := specimen.Zone(random(30, 0), mrz.TD3)
	for _, p := range []struct {
		name string
		draw func() image.Image
	}{
		{"strip", func() image.Image {
			return specimen.NewStrip(random(30, 1), zone, specimen.Wear{Hand: specimen.Hand{Face: f[0]}}).Gray
		}},
		{"page", func() image.Image {
			return specimen.Page{Zones: [][]string{zone}, Tilt: 0.1, Noise: 6}.Draw(random(30, 2), f)
		}},
		{"text", func() image.Image { return specimen.Page{Text: true, Noise: 6}.Draw(random(30, 3), f) }},
		{"blank", func() image.Image { return specimen.Page{Noise: 6}.Draw(random(30, 4), f) }},
	} {
		b.Run(p.name, func(b *testing.B) {
			img := p.draw()
			for b.Loop() {
				if _, err := ocr.Read(b.Context(), img); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
