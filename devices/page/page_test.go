package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lintas/devices"
	"lintas/devices/page"
	"lintas/mrz"
	"lintas/mrz/ocr"
	"lintas/mrz/ocr/specimen"
)

// TestMain lets this test binary be the child that reads pages, and children
// that behave worse.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch name, args := os.Args[1], os.Args[2:]; {
		case name == "read-page":
			if page.Child(os.Stdin, os.Stdout, args) != nil {
				os.Exit(1)
			}
			os.Exit(0)
		case misbehave[name] != nil:
			misbehave[name](args)
			os.Exit(0)
		}
	}
	os.Exit(run(m))
}

// child is the program that tests start to read pages.
var child = "/proc/self/exe"

// run runs the tests. With the race detector their child is built without it: it
// does one thing after the other, would be many times slower, and could not hold
// the limits of its memory.
func run(m *testing.M) int {
	if raceEnabled {
		dir, err := os.MkdirTemp("", "page")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		child = filepath.Join(dir, "child")
		if out, err := exec.Command("go", "test", "-race=false", "-c", "-o", child, ".").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "cannot build the child: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// reader is one whose pages may take so long.
func reader(pageTime, documentTime time.Duration) *page.Reader {
	return &page.Reader{Command: []string{child, "read-page"}, PageTime: pageTime, DocumentTime: documentTime}
}

// lines is the zone of an invented traveller.
func lines(t testing.TB, number string) []string {
	t.Helper()
	l, err := mrz.Fields{DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN", DocumentNumber: number, Primary: canary, Secondary: "AYU",
		Sex: "F", DateOfBirth: mrz.Date{Year: 1991, Month: 2, Day: 27}, DateOfExpiry: mrz.Date{Year: 2033, Month: 10, Day: 19}}.Lines(mrz.TD3)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

const canary = "KENARIKUNING"

// patience is how long a page may take that is to be read, however busy the
// machine is.
const patience = 4 * time.Minute

// sheet is a scan of A4 at 300 dots per inch with zones on it.
func sheet(t testing.TB, zones ...[]string) *image.Gray {
	t.Helper()
	faces, err := specimen.Typefaces()
	if err != nil {
		t.Skip(err)
	}
	img := image.NewGray(image.Rect(0, 0, 2480, 3508))
	for i := range img.Pix {
		img.Pix[i] = 247
	}
	r := rand.New(rand.NewPCG(8, 8))
	for i, z := range zones {
		strip := specimen.NewStrip(r, z, specimen.Wear{Pitch: 30, Hand: specimen.Hand{Face: faces[0]}})
		draw.Draw(img, strip.Rect.Add(image.Pt(300, 900+700*i)), strip.Gray, image.Point{}, draw.Src)
	}
	return img
}

func pdf(t testing.TB, dpi float64, pages ...image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := specimen.PDF(&b, dpi, 90, pages...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// file puts a document where it can be read again.
func file(t testing.TB, b []byte) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), canary)
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func read(t testing.TB, b []byte) page.Result {
	t.Helper()
	r, err := reader(patience, patience).Read(t.Context(), file(t, b))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// summary tells what a result holds: "1:TD3 2:page_no_zone".
func summary(r page.Result) string {
	var parts []string
	for _, s := range r.Scans {
		what := strings.Join(s.Lines, "/")
		if s.Status == devices.Complete {
			d, _ := s.Document(mrz.Date{Year: 2026, Month: 11, Day: 23})
			what = string(d.Format)
			if !d.Valid {
				what += "?"
			}
		}
		for _, f := range s.Page.Findings {
			what += f.Code
		}
		parts = append(parts, fmt.Sprintf("%d:%s", s.Page.Number, what))
	}
	return strings.Join(parts, " ")
}

func TestKinds(t *testing.T) {
	zone := lines(t, "ZZ1234567")
	scan := sheet(t, zone)
	encode := func(f func(*bytes.Buffer) error) []byte {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	asPDF := pdf(t, 300, scan)
	asJPEG := encode(func(b *bytes.Buffer) error { return jpeg.Encode(b, scan, &jpeg.Options{Quality: 85}) })
	rgba := image.NewRGBA(scan.Rect)
	draw.Draw(rgba, scan.Rect, scan, image.Point{}, draw.Src)
	for name, c := range map[string]struct {
		kind page.Kind
		b    []byte
		want string
	}{
		"PDF":                           {page.PDF, asPDF, "1:TD3"},
		"PDF after blanks":              {page.PDF, append([]byte("\ufeff \r\n"), asPDF...), "1:TD3"},
		"PDF in colour":                 {page.PDF, pdf(t, 300, rgba), "1:TD3"},
		"PDF of three pages":            {page.PDF, pdf(t, 300, scan, sheet(t), sheet(t, lines(t, "ZZ7654321"), zone)), "1:TD3 2:page_no_zone 3:TD3 3:TD3"},
		"PDF whose pixels are points":   {page.PDF, pdf(t, 72, scan), "1:TD3"},
		"PDF at 600 dots per inch":      {page.PDF, pdf(t, 600, scan), "1:TD3"},
		"TIFF":                          {page.TIFF, tiff(300, scan), "1:TD3"},
		"TIFF without a resolution":     {page.TIFF, tiff(0, scan), "1:TD3"},
		"TIFF of two pages":             {page.TIFF, tiff(300, sheet(t), scan), "1:page_no_zone 2:TD3"},
		"JPEG":                          {page.JPEG, asJPEG, "1:TD3"},
		"PNG":                           {page.PNG, encode(func(b *bytes.Buffer) error { return png.Encode(b, scan) }), "1:TD3"},
		"JPEG without an end":           {page.JPEG, asJPEG[:len(asJPEG)/3], "1:page_broken"},
		"nothing on it":                 {page.PDF, pdf(t, 300, sheet(t)), "1:page_no_zone"},
		"empty":                         {"", nil, "0:page_empty"},
		"a letter":                      {"", []byte("Dear Sir,"), "0:page_not_page"},
		"a picture of another kind":     {"", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "0:page_not_page"},
		"a book":                        {"", []byte("PK\x03\x04" + strings.Repeat("mimetypeapplication/epub+zip", 9)), "0:page_not_page"},
		"a drawing":                     {"", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>`), "0:page_not_page"},
		"PDF, begun only":               {page.PDF, []byte("%PDF-1.7\n"), "0:page_broken"},
		"PDF with a password":           {page.PDF, encrypted(), "0:page_encrypted"},
		"TIFF, begun only":              {page.TIFF, []byte("II*\x00\x08\x00\x00\x00"), "0:page_broken"},
		"PNG, begun only":               {page.PNG, []byte("\x89PNG\r\n\x1a\n"), "1:page_broken"},
		"PDF with nothing but a page":   {page.PDF, drawn(595, 842, ""), "1:page_no_zone"},
		"PDF of more pages than 20":     {page.PDF, many(23), strings.TrimSpace(strings.Repeat("n:page_no_zone ", 20)) + "page_left_out"},
		"PDF of a page that is missing": {page.PDF, []byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 1/Kids[9 0 R]>>endobj\ntrailer<</Root 1 0 R>>"), "1:page_no_zone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := read(t, c.b)
			got := summary(r)
			if strings.HasPrefix(c.want, "n:") {
				for n := range page.MaxPages {
					c.want = strings.Replace(c.want, "n:", fmt.Sprintf("%d:", n+1), 1)
				}
			}
			if r.Kind != c.kind || got != c.want {
				t.Errorf("%s %s, want %s %s", r.Kind, got, c.kind, c.want)
			}
			for _, s := range r.Scans {
				if s.Mode != devices.Picture || s.Page == nil || s.First.IsZero() || s.Last.IsZero() || s.Lines == nil {
					t.Errorf("a scan is not complete: %+v", s)
				}
				for _, f := range s.Page.Findings {
					if f.ID == "" || f.EN == "" || f.Severity == "" {
						t.Errorf("a finding has no words: %+v", f)
					}
				}
			}
			if read := strings.Contains(got, "TD3"); read != (r.Failed == "") {
				t.Errorf("failed: %q", r.Failed)
			}
			if !slices.Equal(r.Walls, walls()) {
				t.Errorf("walls %v, want %v", r.Walls, walls())
			}
		})
	}
}

// A zone comes with what the officer needs to believe it.
func TestZone(t *testing.T) {
	zone := lines(t, "ZZ1234567")
	for name, turned := range map[string]func(*image.Gray) *image.Gray{
		"upright":     func(i *image.Gray) *image.Gray { return i },
		"upside down": func(i *image.Gray) *image.Gray { return turn(turn(i)) },
		"sideways":    turn,
	} {
		r := read(t, pdf(t, 300, turned(sheet(t, zone))))
		if len(r.Scans) != 1 || !slices.Equal(r.Scans[0].Lines, zone) {
			t.Fatalf("%s: %s", name, summary(r))
		}
		p := r.Scans[0].Page
		if p.Confidence < ocr.Floor || p.Confidence > 1 || len(p.Doubtful) != 0 || r.Failed != "" || r.Pages != 1 {
			t.Errorf("%s: %+v, failed %q", name, p, r.Failed)
		}
		strip, err := png.Decode(bytes.NewReader(p.Strip))
		if err != nil {
			t.Fatal(err)
		}
		if size := strip.Bounds().Size(); size.X != 48*24 || size.Y < 90 || size.Y > 250 {
			t.Errorf("%s: a strip of %v", name, size)
		}
		// Printing a scan by mistake shows nobody.
		if text := fmt.Sprintf("%v %+v %#v", r.Scans[0], r.Scans[0], r.Scans[0]); strings.Contains(text, canary) {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// turn turns a picture by a quarter.
//
//go:norace
func turn(in *image.Gray) *image.Gray {
	w, h := in.Rect.Dx(), in.Rect.Dy()
	out := image.NewGray(image.Rect(0, 0, h, w))
	for y := range h {
		for x, v := range in.Pix[y*in.Stride:][:w] {
			out.Pix[x*out.Stride+h-1-y] = v
		}
	}
	return out
}

// Doubtful characters are marked in the strip and named.
func TestDoubtfulIsMarked(t *testing.T) {
	strip := make([]byte, 1152*140)
	for i := range strip {
		strip[i] = 250
	}
	zone := lines(t, "ZZ1234567")
	line := func(v any) []byte {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	r, err := page.Take(
		[]byte(`{"begun":{"kind":"PDF","pages":1}}`),
		line(map[string]any{"page": map[string]any{"number": 1, "zones": []any{map[string]any{"lines": zone, "confidence": 0.4,
			"doubtful": []any{map[string]int{"line": 2, "column": 3}}, "repairs": []any{map[string]any{"field": "document_number", "line": 2, "column": 3, "from": "I", "to": "1"}},
			"strip": map[string]any{"width": 1152, "height": 140, "grey": strip}}}}}),
		[]byte(`{"ended":true}`))
	if err != nil {
		t.Fatal(err)
	}
	s := r.Scans[0]
	d, doubtful := s.Document(mrz.Date{Year: 2026, Month: 11, Day: 23})
	if !doubtful || d.Valid || !d.Has(devices.CodeLowConfidence) || !d.Has(mrz.CodeRepaired) || len(d.Repairs) != 1 {
		t.Errorf("%v %+v %+v", doubtful, d.Findings, d.Repairs)
	}
	img, err := png.Decode(bytes.NewReader(s.Page.Strip))
	if err != nil {
		t.Fatal(err)
	}
	var marked image.Rectangle
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA); c.R > 100 && c.G == 0 {
				marked = marked.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	cell := image.Rect(24*4, 24+22, 24*5, 24+44) // line 2 column 3
	if marked.Empty() || !cell.In(marked) || !marked.In(cell.Inset(-6)) {
		t.Errorf("marked is %v, the cell is %v", marked, cell)
	}
}

// Where a text layer and the picture disagree, the picture counts.
func TestTextLayer(t *testing.T) {
	zone, other := lines(t, "ZZ1234567"), lines(t, "ZZ7654321")
	for name, c := range map[string]struct {
		text  []string
		empty bool
		want  string
	}{
		"the same":           {text: zone, want: "1:TD3"},
		"another":            {text: other, want: "1:TD3text_layer_differs"},
		"no zone":            {text: []string{"Dear Sir,"}, want: "1:TD3"},
		"nothing visible":    {text: other, empty: true, want: "1:text_layer_onlypage_no_zone"},
		"nothing to be seen": {text: []string{"Dear Sir,"}, empty: true, want: "1:page_no_zone"},
	} {
		scan := sheet(t, zone)
		if c.empty {
			scan = sheet(t)
		}
		r := read(t, withText(t, scan, c.text))
		if got := summary(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if !c.empty && !slices.Equal(r.Scans[0].Lines, zone) {
			t.Errorf("%s: the text counts", name)
		}
	}
}

// A document that comes through a pipe is read as well, and what is behind it
// is left alone.
func TestPipe(t *testing.T) {
	b := pdf(t, 300, sheet(t, lines(t, "ZZ1234567")))
	r, err := reader(patience, patience).Read(t.Context(), bytes.NewReader(b))
	if err != nil || summary(r) != "1:TD3" {
		t.Errorf("%v %s", err, summary(r))
	}
	r, err = reader(patience, patience).Read(t.Context(), &zeros{left: page.MaxBytes + 1<<20, start: []byte("%PDF-1.4\n")})
	if err != nil || summary(r) != "0:page_too_large" {
		t.Errorf("too large: %v %s", err, summary(r))
	}
}

// zeros is a large document that nobody holds in memory.
type zeros struct {
	start []byte
	left  int
}

func (z *zeros) Read(p []byte) (int, error) {
	n := copy(p, z.start)
	z.start = z.start[n:]
	clear(p[n:])
	n = min(len(p), z.left)
	if n == 0 {
		return 0, os.ErrClosed
	}
	z.left -= n
	return n, nil
}

func TestTooLargeAFile(t *testing.T) {
	f := file(t, []byte("%PDF-1.4\n"))
	if err := os.Truncate(f.Name(), page.MaxBytes+1); err != nil {
		t.Fatal(err)
	}
	r, err := reader(patience, patience).Read(t.Context(), f)
	if err != nil || summary(r) != "0:page_too_large" || r.Failed != page.CodeTooLarge {
		t.Errorf("%v %s", err, summary(r))
	}
}

// The end of the caller's context ends reading.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(300*time.Millisecond, cancel)
	if _, err := new(page.Reader).Read(ctx, file(t, endless())); err == nil {
		t.Error("no error")
	} else if strings.Contains(err.Error(), canary) {
		t.Error("the error names the file")
	}
}

func TestResolution(t *testing.T) {
	a4 := image.Pt(595, 841)
	for name, c := range map[string]struct {
		points   image.Point
		pictures []image.Point
		low, hi  float64
	}{
		"drawn":                            {a4, nil, 300, 300},
		"a scan at 300":                    {a4, []image.Point{{2480, 3508}}, 300, 300},
		"a scan at 200":                    {a4, []image.Point{{1654, 2339}}, 200, 200},
		"a scan at 400":                    {a4, []image.Point{{3307, 4677}}, 400, 400},
		"a scan at 600 is halved":          {a4, []image.Point{{4960, 7016}}, 300, 300},
		"a scan at 1200 is quartered":      {a4, []image.Point{{9921, 14031}}, 400, 400},
		"a turned scan":                    {a4, []image.Point{{3508, 2480}}, 300, 300},
		"a stamp on a drawn page":          {a4, []image.Point{{500, 200}}, 300, 300},
		"a scan and its thumbnail":         {a4, []image.Point{{248, 351}, {2480, 3508}}, 300, 300},
		"no resolution: 96":                {image.Pt(1620, 2880), []image.Point{{2160, 3840}}, 96, 96},
		"no resolution: 72":                {image.Pt(2480, 3508), []image.Point{{2480, 3508}}, 72, 72},
		"a fax, twice as fine one way":     {image.Pt(609, 842), []image.Point{{1728, 1143}}, 100, 300},
		"a drawn poster":                   {image.Pt(2384, 3370), nil, 100, 130},
		"a page of the largest size":       {image.Pt(14400, 14400), nil, 0, 0},
		"more than that":                   {image.Pt(90000, 90000), []image.Point{{100, 100}}, 0, 1},
		"nothing":                          {image.Point{}, nil, 0, 0},
		"a strip":                          {image.Pt(595, 3), nil, 300, 300},
		"a picture that claims everything": {image.Pt(595, 841), []image.Point{{9999999, 9999999}}, 300, 300},
	} {
		if got := page.Resolution(c.points, c.pictures...); got < c.low-0.01 || got > c.hi+0.01 {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSniff(t *testing.T) {
	for in, want := range map[string]string{
		"":                         " ",
		"P<UTOERIKSSON":            " ",
		"%PDF-1.4":                 "PDF ",
		" \r\n%PDF-1.4":            "PDF ",
		"see %PDF-1.4":             " ",
		"II*\x00":                  "TIFF ",
		"MM\x00*":                  "TIFF ",
		"II+\x00":                  " a BigTIFF picture",
		"\xff\xd8\xff\xe0":         "JPEG ",
		"\x89PNG\r\n\x1a\n":        "PNG ",
		"\x00\x00\x00\x18ftypheic": " a HEIC photograph",
		"RIFF\x00\x00\x00\x00WEBP": " a WebP picture",
		"PK\x03\x04":               " a ZIP archive or an office document",
	} {
		kind, other := page.Sniff([]byte(in))
		if got := string(kind) + " " + other; got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
