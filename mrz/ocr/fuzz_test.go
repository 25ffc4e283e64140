package ocr_test

import (
	"image"
	"os"
	"testing"

	"lintas/mrz/ocr"
)

// FuzzRead reads pictures made of any bytes: 12 by 8 to 1,032 by 776 pixels, the
// bytes repeated as often as it takes. Whatever comes out must hold together.
func FuzzRead(f *testing.F) {
	strip, err := os.ReadFile("testdata/tiny.jpg")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(10), uint8(10), []byte("\x00\xff"))
	f.Add(uint8(255), uint8(255), []byte("\xff\xff\xff\x00\x00\xff\xff\x10"))
	f.Add(uint8(3), uint8(200), []byte{200})
	f.Add(uint8(60), uint8(90), strip)
	// Bars at fixed pitch are what rows of characters look like.
	bars := make([]byte, 12*40)
	for i := range bars {
		bars[i] = 250
		if i/12%20 < 12 && i%12 < 5 {
			bars[i] = 10
		}
	}
	f.Add(uint8(0), uint8(40), bars)
	f.Fuzz(func(t *testing.T, w, h uint8, data []byte) {
		if len(data) == 0 {
			return
		}
		img := image.NewGray(image.Rect(-3, 5, 9+4*int(w), 13+3*int(h)))
		for i := range img.Pix {
			img.Pix[i] = data[i%len(data)]
		}
		for _, z := range read(t, img) {
			ocr.Strip(img, z)
		}
	})
}
