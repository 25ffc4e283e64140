package specimen_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"lintas/mrz"
	"lintas/mrz/ocr/specimen"
)

func random(a, b uint64) *rand.Rand { return rand.New(rand.NewPCG(a, b)) }

func faces(t testing.TB) []*specimen.Typeface {
	t.Helper()
	list, err := specimen.Typefaces()
	if err != nil {
		t.Skip(err)
	}
	return list
}

func TestZonesAreValid(t *testing.T) {
	for _, format := range specimen.Formats {
		seen := map[string]bool{}
		for i := range 200 {
			lines := specimen.Zone(random(1, uint64(i)), format)
			if doc := mrz.Parse(lines, mrz.Date{}); doc.Format != format || !doc.Valid {
				t.Fatalf("%s: %q is a %s, valid %v", format, lines, doc.Format, doc.Valid)
			}
			seen[strings.Join(lines, "\n")] = true
		}
		if len(seen) < 190 {
			t.Errorf("%s: only %d of 200 are different", format, len(seen))
		}
	}
}

// darkest returns the darkest pixel of a rectangle.
func darkest(img image.Image, r image.Rectangle) uint8 {
	least := uint8(255)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			least = min(least, color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
		}
	}
	return least
}

func TestStripsShowWhatTheySay(t *testing.T) {
	f := faces(t)
	zone := []string{"IXBSZXX", "1828358"} // each has ink in the middle

	for _, w := range []specimen.Wear{{}, {Pitch: 12, Turn: 0.2}, {Pitch: 20, KeystoneX: 0.2, KeystoneY: 0.3, Bend: 0.4}} {
		w.Hand.Face = f[0]
		s := specimen.NewStrip(random(2, 0), zone, w)
		for i := range zone {
			for j := range zone[i] {
				x, y := s.Place(float64(j), float64(i)*s.Spacing)
				pitch := 8
				at := image.Rect(int(x)-pitch/2, int(y)-pitch/2, int(x)+pitch/2, int(y)+pitch/2)
				if !at.In(s.Bounds()) {
					t.Errorf("%+v: character %d of line %d is at %v, picture %v", w, j, i, at, s.Bounds())
				} else if darkest(s, at) > 150 {
					t.Errorf("%+v: character %d of line %d is not at %v", w, j, i, at)
				}
			}
		}
		if left := image.Rect(0, 0, 4, 4); darkest(s, left) < 200 {
			t.Errorf("%+v: ink in the corner", w)
		}
	}
}

func TestTheSameSeedPrintsTheSame(t *testing.T) {
	f := faces(t)
	for _, k := range specimen.Kinds {
		draw := func() []byte {
			r := random(3, 0)
			return specimen.NewStrip(r, specimen.Zone(r, mrz.TD1), k.Wear(r, f)).Pix
		}
		if !bytes.Equal(draw(), draw()) {
			t.Errorf("%s: two pictures from one seed", k.Name)
		}
	}
}

func TestPagesHaveTheirSize(t *testing.T) {
	f := faces(t)
	for turned := range 4 {
		page := specimen.Page{DPI: 100, Zones: [][]string{specimen.Zone(random(4, 0), mrz.TD3)}, Turned: turned}
		want := image.Pt(827, 1169)
		if turned%2 == 1 {
			want = image.Pt(1169, 827)
		}
		if got := page.Draw(random(4, 1), f).Bounds().Size(); got != want {
			t.Errorf("turned %d: %v, not %v", turned, got, want)
		}
	}
	page := specimen.Page{DPI: 60, Text: true, Grey: true, Noise: 3}
	if _, grey := page.Draw(random(4, 2), f).(*image.Gray); !grey {
		t.Error("a grey page has colours")
	}
	if got := (specimen.Photo{Zone: specimen.Zone(random(4, 3), mrz.TD1), Width: 640, Turned: 1, JPEG: 70}).Draw(random(4, 4), f).Bounds().Size(); got != image.Pt(480, 640) {
		t.Errorf("a photo of %v", got)
	}
}

func TestPDF(t *testing.T) {
	pages := []image.Image{image.NewGray(image.Rect(0, 0, 300, 600)), image.NewRGBA(image.Rect(0, 0, 150, 75))}
	var b bytes.Buffer
	if err := specimen.PDF(&b, 150, 90, pages...); err != nil {
		t.Fatal(err)
	}
	doc := b.String()
	// Every offset of the cross-reference table leads to its object.
	at := strings.LastIndex(doc, "startxref\n")
	start, err := strconv.Atoi(strings.Fields(doc[at:])[1])
	if err != nil || !strings.HasPrefix(doc[start:], "xref\n0 9\n") {
		t.Fatalf("the table is not at %d", start)
	}
	entries := doc[start+len("xref\n0 9\n"):]
	for i := 1; i < 9; i++ {
		offset, err := strconv.Atoi(entries[20*i : 20*i+10])
		if err != nil || !strings.HasPrefix(doc[offset:], fmt.Sprintf("%d 0 obj\n", i)) {
			t.Errorf("object %d is not at %d", i, offset)
		}
	}
	for _, want := range []string{"/Count 2", "/MediaBox [0 0 144.000 288.000]", "/MediaBox [0 0 72.000 36.000]", "/DeviceGray", "/DeviceRGB", "/Width 300 /Height 600"} {
		if !strings.Contains(doc, want) {
			t.Errorf("no %s", want)
		}
	}
	// The pictures are in it, as many bytes as it says.
	rest := doc
	for i, page := range pages {
		_, after, ok := strings.Cut(rest, "/DCTDecode /Length ")
		if !ok {
			t.Fatalf("no picture %d", i+1)
		}
		length, body, _ := strings.Cut(after, " >>\nstream\n")
		n, err := strconv.Atoi(length)
		if err != nil || !strings.HasPrefix(body[n:], "\nendstream") {
			t.Fatalf("picture %d does not end after %q bytes", i+1, length)
		}
		img, err := jpeg.Decode(strings.NewReader(body[:n]))
		if err != nil || img.Bounds().Size() != page.Bounds().Size() {
			t.Errorf("picture %d: %v", i+1, err)
		}
		rest = body[n:]
	}
	if err := specimen.PDF(&b, 150, 90); err == nil {
		t.Error("a document without pages")
	}
	if err := specimen.PDF(&b, 0, 90, pages...); err == nil {
		t.Error("a document without resolution")
	}
}
