package page_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"lintas/devices/page"
)

// compressed is a stream of what a small file can blow up to.
func compressed(dict string, size int) string {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	chunk := bytes.Repeat([]byte("0 0 m 1 1 l S\n"), 4096)
	for size > 0 {
		w.Write(chunk)
		size -= len(chunk)
	}
	w.Close()
	return stream(dict+"/Filter/FlateDecode", b.String())
}

// bomb is a PNG that claims a size and holds nothing but zeros.
func bomb(width, height uint32, depth, kind byte) []byte {
	var b bytes.Buffer
	b.WriteString("\x89PNG\r\n\x1a\n")
	chunk := func(name string, data []byte) {
		binary.Write(&b, binary.BigEndian, uint32(len(data)))
		body := append([]byte(name), data...)
		b.Write(body)
		binary.Write(&b, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)
	chunk("IHDR", append(head, depth, kind, 0, 0, 0))
	var z bytes.Buffer
	w := zlib.NewWriter(&z)
	zeros := make([]byte, 1<<20)
	for range 64 {
		w.Write(zeros)
	}
	w.Close()
	chunk("IDAT", z.Bytes())
	chunk("IEND", nil)
	return b.Bytes()
}

// lying is a TIFF whose directory claims another size than it has.
func lying(width, length uint32) []byte {
	b := tiff(300, image.NewGray(image.Rect(0, 0, 64, 64)))
	binary.LittleEndian.PutUint32(b[8+2+8:], width)
	binary.LittleEndian.PutUint32(b[8+2+12+8:], length)
	return b
}

// ring is a TIFF whose directories lead back to the first.
func ring() []byte {
	b := tiff(300, image.NewGray(image.Rect(0, 0, 64, 64)))
	n := int(binary.LittleEndian.Uint16(b[8:]))
	binary.LittleEndian.PutUint32(b[8+2+12*n:], 8)
	return b
}

func jpegOf(img image.Image) []byte {
	var b bytes.Buffer
	jpeg.Encode(&b, img, nil)
	return b.Bytes()
}

// hostile are documents made to break what opens them. Each has an answer of one
// of the codes named.
func hostile() map[string]struct {
	b    []byte
	want string
} {
	type doc = struct {
		b    []byte
		want string
	}
	catalogue, pages := "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>"
	largeJPEG := jpegOf(image.NewGray(image.Rect(0, 0, 64, 64)))
	if i := bytes.Index(largeJPEG, []byte{0xff, 0xc0}); i > 0 {
		binary.BigEndian.PutUint16(largeJPEG[i+5:], 65500)
		binary.BigEndian.PutUint16(largeJPEG[i+7:], 65500)
	}
	var moving bytes.Buffer
	gif.Encode(&moving, image.NewPaletted(image.Rect(0, 0, 9, 9), color.Palette{color.Black}), nil)
	return map[string]doc{
		"MediaBox of 14400 points":        {drawn(14400, 14400, ""), "too_many_pixels"},
		"MediaBox of 90000 points":        {drawn(90000, 90000, ""), "too_many_pixels"},
		"MediaBox beyond integers":        {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 1e30 1e30]>>"), "too_many_pixels broken no_zone"},
		"MediaBox upside down":            {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox[595 842 0 0]>>"), "no_zone"},
		"MediaBox elsewhere":              {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox[1000000 1000000 1000595 1000842]>>"), "no_zone"},
		"MediaBox of nothing":             {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 0 0]>>"), "no_zone broken too_many_pixels"},
		"MediaBox one point high":         {drawn(5000, 1, ""), "no_zone too_many_pixels"},
		"UserUnit 75000":                  {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/UserUnit 75000>>"), "too_many_pixels"},
		"23750 pixels square":             {drawn(5700, 5700, ""), "too_many_pixels"},
		"a path of 300000 points":         {endless(), "timeout"},
		"a content of 200 MB":             {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>", compressed("", 200<<20)), "timeout killed broken no_zone"},
		"a picture of 60000 x 60000":      {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</S 5 0 R>>>>>>", stream("", "595 0 0 842 0 0 cm /S Do"), compressed("/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB", 1<<20)), "timeout killed broken no_zone"},
		"a form that draws itself":        {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>", stream("", "/F Do"), stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</F 5 0 R>>>>", "/F Do /F Do")), "no_zone broken timeout"},
		"forms that multiply":             {multiplying(), "no_zone broken timeout killed"},
		"pages that are their own parent": {objects(catalogue, "<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>"), "broken killed no_zone timeout"},
		"two thousand million pages":      {objects(catalogue, "<</Type/Pages/Count 2000000000/Kids[3 0 R]>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>"), "no_zone broken killed skipped"},
		"less than no pages":              {objects(catalogue, "<</Type/Pages/Count -5/Kids[3 0 R]>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>"), "killed no_zone broken"},
		"arrays 20000 deep":               {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox "+strings.Repeat("[", 20000)+">>"), "broken killed no_zone too_many_pixels"},
		"a shading over everything":       {objects(catalogue, pages, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Shading<</S<</ShadingType 1/ColorSpace/DeviceRGB/Function<</FunctionType 4/Domain[0 1 0 1]/Range[0 1 0 1 0 1]/Length 0>>>>>>>>>>", stream("", "/S sh")), "no_zone broken timeout"},
		"needs a password":                {encrypted(), "encrypted"},
		"PNG of 60000 x 60000":            {bomb(60000, 60000, 1, 0), "too_many_pixels"},
		"PNG of 7000 x 7000 in 16 bit":    {bomb(7000, 7000, 16, 6), "too_many_pixels"},
		"PNG of 8000 x 6000":              {bomb(8000, 6000, 8, 0), "no_zone broken"},
		"JPEG of 65500 x 65500":           {largeJPEG, "too_many_pixels"},
		"TIFF of 4 thousand million":      {lying(4294967295, 4294967295), "too_many_pixels broken"},
		"TIFF that claims 8000 x 8000":    {lying(8000, 8000), "no_zone broken killed"},
		"TIFF of no width":                {lying(0, 64), "too_many_pixels broken"},
		"TIFF that leads back":            {ring(), "no_zone broken"},
		"GIF":                             {moving.Bytes(), "not_page"},
	}
}

// multiplying is ten forms, each of which draws the next ten times.
func multiplying() []byte {
	all := []string{"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</XObject<</F 5 0 R>>>>>>", stream("", "/F Do")}
	for i := range 10 {
		all = append(all, stream(fmt.Sprintf("/Type/XObject/Subtype/Form/BBox[0 0 900 900]/Resources<</XObject<</F %d 0 R>>>>", 6+i), strings.Repeat("/F Do ", 10)))
	}
	all = append(all, stream("/Type/XObject/Subtype/Form/BBox[0 0 900 900]", "0 0 500 500 re f"))
	return objects(all...)
}

// Every hostile document has an answer, within the time that a page may take,
// and costs nobody but itself.
func TestHostileDocuments(t *testing.T) {
	for name, d := range hostile() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pageTime := patience
			if strings.Contains(d.want, "timeout") {
				pageTime = 2 * time.Second
			}
			r, err := reader(pageTime, 5*pageTime).Read(t.Context(), file(t, d.b))
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Scans) == 0 || len(r.Scans) > page.MaxPages {
				t.Fatalf("%d scans", len(r.Scans))
			}
			for _, s := range r.Scans {
				for _, f := range s.Page.Findings {
					code := strings.TrimPrefix(f.Code, "page_")
					if code != "left_out" && !strings.Contains(" "+d.want+" ", " "+code+" ") {
						t.Errorf("%s, want one of %s", summary(r), d.want)
					}
				}
			}
		})
	}
}

// One page that never ends costs itself; those before and behind it are read.
func TestOnePageThatNeverEnds(t *testing.T) {
	zone, other := lines(t, "ZZ1234567"), lines(t, "ZZ7654321")
	size := image.Pt(2480, 3508)
	img := func(z []string) string {
		return stream(fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/DCTDecode", size.X, size.Y), string(jpegOf(sheet(t, z))))
	}
	p := "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.2 841.92]/Contents %d 0 R/Resources<</XObject<</S %d 0 R>>>>>>"
	b := objects("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 3/Kids[3 0 R 4 0 R 5 0 R]>>",
		fmt.Sprintf(p, 6, 8), fmt.Sprintf(p, 7, 8), fmt.Sprintf(p, 6, 9),
		stream("", "q 595.2 0 0 841.92 0 0 cm /S Do Q"), stream("", longPath()), img(zone), img(other))
	r, err := reader(8*time.Second, patience).Read(t.Context(), file(t, b))
	if err != nil {
		t.Fatal(err)
	}
	if got := summary(r); got != "1:TD3 2:page_timeout 3:TD3" || r.Failed != page.CodeTimeout {
		t.Errorf("%s, failed %q", got, r.Failed)
	}
	// Through a pipe it can be read only once.
	r, err = reader(8*time.Second, patience).Read(t.Context(), bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if got := summary(r); got != "1:TD3 2:page_timeout 3:page_skipped" {
		t.Errorf("through a pipe: %s", got)
	}
}

// Documents with a few bytes changed, of every kind: there is always an answer.
func TestBrokenDocuments(t *testing.T) {
	scan := sheet(t, lines(t, "ZZ1234567"))
	small := image.NewGray(image.Rect(0, 0, 620, 877))
	for y := range 877 {
		for x := range 620 {
			small.SetGray(x, y, scan.GrayAt(4*x, 4*y))
		}
	}
	var asPNG bytes.Buffer
	if err := png.Encode(&asPNG, small); err != nil {
		t.Fatal(err)
	}
	seeds := [][]byte{pdf(t, 75, small), withText(t, small, lines(t, "ZZ1234567")), tiff(75, small), jpegOf(small), asPNG.Bytes(), many(3)}
	rounds := 20
	if testing.Short() || raceEnabled {
		rounds = 2
	}
	r := rand.New(rand.NewPCG(136, 8))
	for i := range rounds * len(seeds) {
		b := bytes.Clone(seeds[i%len(seeds)])
		for range 1 + r.IntN(20) {
			at := r.IntN(len(b))
			if r.IntN(2) == 0 {
				at = r.IntN(min(len(b), 600)) // where the structure is
			}
			switch r.IntN(4) {
			case 0:
				b[at] ^= 1 << r.IntN(8)
			case 1:
				b[at] = byte(r.IntN(256))
			case 2:
				b = b[:max(min(64, len(b)), at)]
			case 3:
				b = append(b[:at:at], b[at+r.IntN(len(b)-at):]...)
			}
		}
		res, err := reader(4*time.Second, 10*time.Second).Read(t.Context(), file(t, b))
		if err != nil || len(res.Scans) == 0 {
			name := fmt.Sprintf("%s/broken-%d", os.TempDir(), i)
			os.WriteFile(name, b, 0o600)
			t.Errorf("%v %s: see %s", err, summary(res), name)
		}
	}
}

func FuzzTIFFPictures(f *testing.F) {
	f.Add(tiff(300, image.NewGray(image.Rect(0, 0, 3, 3)), image.NewGray(image.Rect(0, 0, 2, 2))))
	f.Add(ring())
	f.Add([]byte("MM\x00*\xff\xff\xff\xff"))
	f.Add([]byte("II*\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n := len(page.TIFFPictures(b)); n > page.MaxPages+1 {
			t.Errorf("%d pictures", n)
		}
	})
}

func FuzzPDFPictures(f *testing.F) {
	f.Add(withText(f, image.NewGray(image.Rect(0, 0, 3, 3)), nil))
	f.Add([]byte("1 0 obj<</Subtype/Image/Width 99999999999999999999/Height -3>>stream"))
	f.Add([]byte("/Image/Image/Image stream obj"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, p := range page.PDFPictures(b) {
			if p.X <= 0 || p.Y <= 0 || p.X > 9999999 || p.Y > 9999999 {
				t.Errorf("a picture of %v", p)
			}
			if dpi := page.Resolution(image.Pt(595, 841), p); dpi <= 0 || dpi*dpi*(595.0/72)*(841.0/72) > 26<<20 {
				t.Errorf("%v gives %v dots per inch", p, dpi)
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"begun":{"kind":"PDF","pages":1}}` + "\n" + `{"page":{"number":1,"zones":[{"lines":["A"],"confidence":1,"strip":{"width":1,"height":1,"grey":"AA=="}}]}}` + "\n" + `{"ended":true}`))
	f.Add([]byte(`{"begun":{"kind":"","fault":"page_broken"}}`))
	f.Add([]byte(`{"begun":{"kind":"TIFF","pages":25}}` + "\n" + `{"page":{"number":1,"codes":["page_no_zone"]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := page.Take(bytes.Split(b, []byte("\n"))...)
		if err != nil {
			return
		}
		for _, s := range r.Scans {
			for _, l := range s.Lines {
				if strings.ContainsFunc(l, func(c rune) bool { return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<_", c) }) {
					t.Errorf("a line of %q", l)
				}
			}
			for _, finding := range s.Page.Findings {
				if finding.EN == "" {
					t.Errorf("a finding without words: %+v", finding)
				}
			}
		}
	})
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("%PDF-1.4"))
	f.Add([]byte("\ufeff\x00\x00II*\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if kind, other := page.Sniff(b); kind != "" && other != "" {
			t.Errorf("both %s and %s", kind, other)
		}
	})
}
