package ocr_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"lintas/mrz"
	"lintas/mrz/ocr"
	"lintas/mrz/ocr/specimen"
)

// faces loads the typeface that specimens are printed in.
func faces(t testing.TB) []*specimen.Typeface {
	t.Helper()
	list, err := specimen.Typefaces()
	if err != nil {
		t.Skip(err)
	}
	return list
}

func random(a, b uint64) *rand.Rand { return rand.New(rand.NewPCG(a, b)) }

func read(t testing.TB, img image.Image) []ocr.Zone {
	t.Helper()
	zones, err := ocr.Read(t.Context(), img)
	if err != nil {
		t.Fatal(err)
	}
	for _, z := range zones {
		check(t, img, z)
	}
	return zones
}

// check is what holds of every zone, right or wrong.
func check(t testing.TB, img image.Image, z ocr.Zone) {
	t.Helper()
	doc := mrz.Parse(z.Lines, mrz.Date{})
	if doc.Format != z.Format || doc.Valid != z.Valid {
		t.Errorf("mrz says %s, %v; the zone %s, %v", doc.Format, doc.Valid, z.Format, z.Valid)
	}
	least := 1.0
	for i, line := range z.Lines {
		if len(line) != z.Format.Widths()[i] || len(z.Chars[i]) != len(line) {
			t.Fatalf("line %d of a %s has %d characters, %d of which are described", i+1, z.Format, len(line), len(z.Chars[i]))
		}
		for j, c := range z.Chars[i] {
			if c.Byte != line[j] || c.Second == c.Byte || !(c.Confidence >= 0 && c.Confidence <= 1) {
				t.Errorf("character %d of line %d is described as %+v", j+1, i+1, c)
			}
			least = min(least, c.Confidence)
		}
	}
	if z.Confidence != least {
		t.Errorf("confidence %v is not the least, %v", z.Confidence, least)
	}
	for _, r := range z.Repairs {
		if c := z.Chars[r.Line-1][r.Column-1]; r.To != string(rune(c.Byte)) || r.From == r.To || c.Confidence > 0.5 {
			t.Errorf("repair %+v of %+v", r, c)
		}
	}
	for _, p := range z.Corners {
		if !p.In(z.Bounds) {
			t.Errorf("corner %v is not in %v", p, z.Bounds)
		}
	}
	if near := img.Bounds().Inset(-200); !z.Bounds.In(near) {
		t.Errorf("zone at %v in a picture of %v", z.Bounds, img.Bounds())
	}
	if z.Turned < 0 || z.Turned > 3 {
		t.Errorf("turned %d", z.Turned)
	}
}

func linesOf(zones []ocr.Zone) (list [][]string) {
	for _, z := range zones {
		list = append(list, z.Lines)
	}
	return list
}

func TestEveryKindOfWear(t *testing.T) {
	f := faces(t)
	for k, kind := range specimen.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			const n = 2
			right := 0
			for i := range n {
				r := random(7, uint64(10*k+i))
				want := specimen.Zone(r, []mrz.Format{mrz.TD3, mrz.TD1, mrz.TD2}[(i+k)%3])
				zones := read(t, specimen.NewStrip(r, want, kind.Wear(r, f)).Gray)
				if len(zones) == 1 && slices.Equal(zones[0].Lines, want) {
					right++
				}
			}
			if right < n {
				t.Errorf("%d of %d are right", right, n)
			}
		})
	}
}

func TestEveryFormat(t *testing.T) {
	f := faces(t)
	for i, format := range specimen.Formats {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			r := random(8, uint64(i))
			want := specimen.Zone(r, format)
			zones := read(t, specimen.NewStrip(r, want, specimen.Wear{Pitch: 18, JPEG: 80, Hand: specimen.Hand{Face: f[0]}}).Gray)
			if len(zones) != 1 || zones[0].Format != format || !slices.Equal(zones[0].Lines, want) || !zones[0].Valid {
				t.Errorf("%q was read as %v %q", want, zones, linesOf(zones))
			}
		})
	}
}

// A document that says one digit too many is not vouched for, and what is
// printed is not put right.
func TestTamperedZonesAreNotMended(t *testing.T) {
	f := faces(t)
	for k, kind := range specimen.Kinds {
		t.Run(kind.Name, func(t *testing.T) {
			t.Parallel()
			for i := range 1 {
				r := random(9, uint64(10*k+i))
				format := []mrz.Format{mrz.TD3, mrz.TD1, mrz.TD2}[(k+i)%3]
				lines := specimen.Zone(r, format)
				sums := format.Sums()
				birth := slices.IndexFunc(sums, func(s mrz.Sum) bool { return s.Field == mrz.FieldDateOfBirth })
				c := sums[birth].Over[r.IntN(6)]
				b := []byte(lines[c.Line])
				b[c.Column] = '0' + (b[c.Column]-'0'+byte(1+r.IntN(9)))%10
				lines[c.Line] = string(b)
				for _, z := range read(t, specimen.NewStrip(r, lines, kind.Wear(r, f)).Gray) {
					if z.Valid && z.Confidence >= ocr.Floor {
						t.Errorf("a wrong digit was read as a valid zone, confidence %.3f", z.Confidence)
					}
				}
			}
		})
	}
}

func TestPages(t *testing.T) {
	f := faces(t)
	for turned := range 4 {
		t.Run(fmt.Sprintf("turned %d", turned), func(t *testing.T) {
			t.Parallel()
			r := random(10, uint64(turned))
			want := specimen.Zone(r, []mrz.Format{mrz.TD3, mrz.TD1, mrz.TD2, mrz.MRVA}[turned])
			page := specimen.Page{DPI: 150, Zones: [][]string{want}, Tilt: 0.2 * (r.Float64() - 0.5), Turned: turned, Noise: 5}
			img := page.Draw(r, f)
			zones := read(t, img)
			if len(zones) != 1 || !slices.Equal(zones[0].Lines, want) {
				t.Fatalf("%q was read as %q", want, linesOf(zones))
			}
			z := zones[0]
			if z.Turned != turned {
				t.Errorf("turned %d", z.Turned)
			}
			if !z.Bounds.In(img.Bounds()) {
				t.Errorf("bounds %v", z.Bounds)
			}
			// What is shown to the officer stands upright and can be read too.
			strip := ocr.Strip(img, z)
			again := read(t, strip)
			if len(again) != 1 || !slices.Equal(again[0].Lines, want) || again[0].Turned != 0 {
				t.Errorf("the strip was read as %q", linesOf(again))
			}
			if width := 24 * (len(want[0]) + 4); strip.Rect.Dx() != width {
				t.Errorf("the strip is %d pixels wide, not %d", strip.Rect.Dx(), width)
			}
		})
	}
}

func TestTwoZonesOnAPage(t *testing.T) {
	f := faces(t)
	r := random(11, 0)
	want := [][]string{specimen.Zone(r, mrz.TD3), specimen.Zone(r, mrz.TD1)}
	got := linesOf(read(t, specimen.Page{DPI: 150, Zones: want}.Draw(r, f)))
	if len(got) != 2 || !slices.Equal(got[0], want[0]) || !slices.Equal(got[1], want[1]) {
		t.Errorf("%q was read as %q", want, got)
	}
}

func TestPhoto(t *testing.T) {
	f := faces(t)
	r := random(12, 1)
	want := specimen.Zone(r, mrz.TD3)
	got := linesOf(read(t, specimen.Photo{Zone: want, Width: 1400, Turned: 1, JPEG: 80}.Draw(r, f)))
	if len(got) != 1 || !slices.Equal(got[0], want) {
		t.Errorf("%q was read as %q", want, got)
	}
}

func TestTextHasNoZone(t *testing.T) {
	f := faces(t)
	if got := read(t, specimen.Page{DPI: 150, Text: true}.Draw(random(13, 0), f)); len(got) > 0 {
		t.Errorf("read %q", linesOf(got))
	}
}

func TestKindsOfPictures(t *testing.T) {
	f := faces(t)
	r := random(14, 0)
	want := specimen.Zone(r, mrz.TD2)
	strip := specimen.NewStrip(r, want, specimen.Wear{Pitch: 18, Hand: specimen.Hand{Face: f[0]}}).Gray
	b := strip.Bounds()
	away := image.Rect(0, 0, b.Dx()+100, b.Dy()+70)
	part := func(img draw.Image) image.Image {
		draw.Draw(img, away, image.White, image.Point{}, draw.Src)
		draw.Draw(img, b.Add(image.Pt(100, 70)), strip, b.Min, draw.Src)
		return img.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(b.Add(image.Pt(100, 70)))
	}
	// Blue guilloche on a picture in colour: darker than ink as grey.
	coloured := image.NewRGBA(b)
	draw.Draw(coloured, b, strip, b.Min, draw.Src)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if (x+y)%12 < 4 && strip.GrayAt(x, y).Y > 200 {
				coloured.SetRGBA(x, y, color.RGBA{20, 20, 235, 255})
			}
		}
	}
	ycc := image.NewYCbCr(away, image.YCbCrSubsampleRatio420)
	for i := range ycc.Cb {
		ycc.Cb[i], ycc.Cr[i] = 128, 128
	}
	for y := range b.Dy() {
		for x := range b.Dx() {
			ycc.Y[ycc.YOffset(x+100, y+70)] = strip.GrayAt(x, y).Y
		}
	}
	grey := make(color.Palette, 256)
	for i := range grey {
		grey[i] = color.Gray{uint8(i)}
	}
	for name, img := range map[string]image.Image{
		"grey": strip, "part of grey": part(image.NewGray(away)), "part of RGBA": part(image.NewRGBA(away)), "part of NRGBA": part(image.NewNRGBA(away)),
		"part of 16 bits": part(image.NewGray16(away)), "part of a palette": part(image.NewPaletted(away, grey)), "coloured pattern": coloured,
		"JPEG's own": ycc.SubImage(b.Add(image.Pt(100, 70))),
	} {
		zones := read(t, img)
		if len(zones) != 1 || !slices.Equal(zones[0].Lines, want) {
			t.Errorf("%s: %q was read as %q", name, want, linesOf(zones))
			continue
		}
		if !zones[0].Bounds.In(img.Bounds()) {
			t.Errorf("%s: zone at %v, picture %v", name, zones[0].Bounds, img.Bounds())
		}
	}
}

func TestTheSameAgain(t *testing.T) {
	f := faces(t)
	r := random(15, 0)
	img := specimen.NewStrip(r, specimen.Zone(r, mrz.TD1), specimen.Kinds[11].Wear(r, f)).Gray
	a, err := json.Marshal(read(t, img))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := json.Marshal(read(t, img))
	if string(a) != string(b) {
		t.Error("the same picture was read in two ways")
	}
}

// plain is a picture of one colour and any size.
type plain struct{ image.Rectangle }

func (plain) ColorModel() color.Model   { return color.GrayModel }
func (p plain) Bounds() image.Rectangle { return p.Rectangle }
func (plain) At(x, y int) color.Color   { return color.Gray{200} }

func TestOddPictures(t *testing.T) {
	for _, size := range []image.Point{{0, 0}, {0, 5}, {1, 1}, {1, 3000}, {3000, 1}, {7, 9}, {500, 400}} {
		if zones := read(t, plain{image.Rectangle{Max: size}}); len(zones) > 0 {
			t.Errorf("%v: %d zones", size, len(zones))
		}
	}
	if _, err := ocr.Read(t.Context(), plain{image.Rect(0, 0, 1<<15, 1<<15)}); !errors.Is(err, ocr.ErrTooLarge) {
		t.Errorf("a huge picture: %v", err)
	}
	if _, err := ocr.Read(t.Context(), plain{image.Rect(0, 0, 1<<16, 1)}); !errors.Is(err, ocr.ErrTooLarge) {
		t.Errorf("a long picture: %v", err)
	}
	why := errors.New("the counter closes")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	noise := image.NewGray(image.Rect(0, 0, 900, 600))
	r := random(16, 0)
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.Uint32())
	}
	if _, err := ocr.Read(ctx, noise); !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}
	if zones := read(t, noise); len(zones) > 0 {
		t.Errorf("noise was read as %q", linesOf(zones))
	}
	if s := ocr.Strip(noise, ocr.Zone{}); s == nil {
		t.Error("no strip of no zone")
	}
}

func TestZoneShowsNobody(t *testing.T) {
	z := ocr.Zone{Format: mrz.TD3, Lines: passport, Valid: true}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("read", "zone", z)
	for _, s := range []string{fmt.Sprint(z), fmt.Sprintf("%v %+v %s %#v", z, z, z, z), fmt.Sprint([]ocr.Zone{z}), log.String()} {
		if strings.Contains(s, "ERIKSSON") || strings.Contains(s, "L898902C") || !strings.Contains(s, "TD3") {
			t.Errorf("%q", s)
		}
	}
}

// A line across the last characters of a row hides their blobs, not what they
// are: a passport's zone is not read as that of a smaller document.
func TestHiddenBlobs(t *testing.T) {
	f := faces(t)
	want := []string{"P<VNMPAPADOPOULOS<<YUSUF<<<<<<<<<<<<<<<<<<<<", "YG188537<4BEL7702130F2508267<<<<<<<<<<<<<<<2"}
	strip := specimen.NewStrip(random(8, 0), want, specimen.Wear{Hand: specimen.Hand{Face: f[0]}})
	for row := range want {
		x, y := strip.Place(35.6, float64(row)*strip.Spacing)
		line := image.Rect(int(x), int(y)+10, strip.Rect.Max.X, int(y)+12)
		draw.Draw(strip.Gray, line, image.NewUniform(color.Gray{90}), image.Point{}, draw.Src)
	}
	if zones := read(t, strip); len(zones) != 1 || !slices.Equal(zones[0].Lines, want) {
		t.Errorf("%q was read as %q", want, linesOf(zones))
	}
}

// Perspective makes three lines of a card so unequal that each pair of them was
// taken for a zone of two.
func TestStrongPerspective(t *testing.T) {
	f := faces(t)
	want := []string{"ACNZL31102861<4<<<<<<<<<<<<<<<", "0803038M2904032NZL<<<<<<<<<<<4", "VAN<DER<BERG<<RIZKY<AGUS<<<<<<"}
	strip := specimen.NewStrip(random(8, 1), want, specimen.Wear{Turn: -0.003, KeystoneX: -0.1955, KeystoneY: 0.432, Bend: -0.288, Hand: specimen.Hand{Face: f[0]}})
	if zones := read(t, strip); len(zones) != 1 || !slices.Equal(zones[0].Lines, want) {
		t.Errorf("%q was read as %q", want, linesOf(zones))
	}
}

// A mesh of fine black lines connects all characters.
func TestMesh(t *testing.T) {
	f := faces(t)
	r := random(8, 2)
	want := specimen.Zone(r, mrz.TD2)
	strip := specimen.NewStrip(r, want, specimen.Wear{Hand: specimen.Hand{Face: f[0]}})
	for y := range strip.Rect.Dy() {
		for x := range strip.Rect.Dx() {
			if (x+y/3)%23 == 0 || (y+x/4)%29 == 0 {
				strip.SetGray(x, y, color.Gray{min(90, strip.GrayAt(x, y).Y)})
			}
		}
	}
	if zones := read(t, strip); len(zones) != 1 || !slices.Equal(zones[0].Lines, want) {
		t.Errorf("%q was read as %q", want, linesOf(zones))
	}
}
