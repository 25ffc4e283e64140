package ocr_test

import (
	"bufio"
	"flag"
	"image"
	"image/jpeg"
	"os"
	"slices"
	"strings"
	"testing"

	"lintas/mrz"
	"lintas/mrz/ocr/specimen"
)

var update = flag.Bool("update", false, "print the pictures of testdata again; needs the typeface")

// fixtures are pictures that can be read without the typeface: name, and how it
// is printed.
var fixtures = []struct {
	name string
	draw func(f []*specimen.Typeface) (image.Image, []string)
}{
	{"passport", func(f []*specimen.Typeface) (image.Image, []string) {
		r := random(20, 0)
		zone := specimen.Zone(r, mrz.TD3)
		return specimen.NewStrip(r, zone, specimen.Wear{Pitch: 14, Turn: 0.06, Noise: 4, Hand: specimen.Hand{Face: f[0]}}).Gray, zone
	}},
	{"card", func(f []*specimen.Typeface) (image.Image, []string) {
		r := random(20, 1)
		zone := specimen.Zone(r, mrz.TD1)
		return specimen.NewStrip(r, zone, specimen.Wear{Pitch: 12, Pattern: 35, Blur: 0.04, Hand: specimen.Hand{Face: f[1]}}).Gray, zone
	}},
	{"tiny", func(f []*specimen.Typeface) (image.Image, []string) {
		r := random(20, 2)
		zone := specimen.Zone(r, mrz.TD2)
		return specimen.NewStrip(r, zone, specimen.Wear{Pitch: 7, Hand: specimen.Hand{Face: f[0]}}).Gray, zone
	}},
	{"page", func(f []*specimen.Typeface) (image.Image, []string) {
		r := random(20, 3)
		zone := specimen.Zone(r, mrz.TD3)
		return specimen.Page{DPI: 90, Zones: [][]string{zone}, Tilt: 0.05, Turned: 3}.Draw(r, f), zone
	}},
}

// The pictures of testdata are read wherever the tests run.
func TestFixtures(t *testing.T) {
	if *update {
		f := faces(t)
		for _, fixture := range fixtures {
			img, zone := fixture.draw(f)
			out, err := os.Create("testdata/" + fixture.name + ".jpg")
			if err != nil {
				t.Fatal(err)
			}
			if err := jpeg.Encode(out, img, &jpeg.Options{Quality: 60}); err != nil {
				t.Fatal(err)
			}
			if err := out.Close(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile("testdata/"+fixture.name+".txt", []byte(strings.Join(zone, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, fixture := range fixtures {
		t.Run(fixture.name, func(t *testing.T) {
			t.Parallel()
			img := load(t, "testdata/"+fixture.name+".jpg")
			text, err := os.ReadFile("testdata/" + fixture.name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			zones := read(t, img)
			if len(zones) != 1 || !slices.Equal(zones[0].Lines, strings.Fields(string(text))) || !zones[0].Valid {
				t.Errorf("%s was read as %q", text, linesOf(zones))
			}
		})
	}
}

func load(t testing.TB, name string) image.Image {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(bufio.NewReader(f))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return img
}
