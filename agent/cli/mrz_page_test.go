package cli_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	printer "lintas/mrz/ocr/specimen"
)

// strips is a PNG with zones one below the other.
func strips(t *testing.T, wear printer.Wear, zones ...string) []byte {
	t.Helper()
	faces, err := printer.Typefaces()
	if err != nil {
		t.Skip(err)
	}
	wear.Pitch, wear.Hand.Face = 30, faces[0]
	img := image.NewGray(image.Rect(0, 0, 1700, 100+500*len(zones)))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	for i, zone := range zones {
		s := printer.NewStrip(rand.New(rand.NewPCG(3, uint64(i))), strings.Fields(zone), wear)
		draw.Draw(img, s.Rect.Add(image.Pt(100, 100+500*i)), s.Gray, image.Point{}, draw.Src)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestMRZPage: the keys of a picture's result, told from text by content alone.
func TestMRZPage(t *testing.T) {
	type result struct {
		ID         string
		Format     string
		Valid      bool
		Lines      []string
		Confidence *float64
		Page       int
		Findings   []struct{ Code string }
		Repairs    []any
	}
	read := func(in []byte, args ...string) (list []result, out, errs string, code int) {
		t.Helper()
		out, errs, code = lintas(t, string(in), append([]string{"mrz", "--json"}, args...)...)
		for line := range strings.Lines(out) {
			var r result
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			list = append(list, r)
		}
		return list, out, errs, code
	}
	list, out, errs, code := read(strips(t, printer.Wear{}, specimen, visa))
	if code != 0 || errs != "" || len(list) != 2 {
		t.Fatalf("exit %d, %s%s", code, errs, out)
	}
	for i, zone := range []string{specimen, visa} {
		r := list[i]
		if !slices.Equal(r.Lines, strings.Fields(zone)) || !r.Valid || r.ID != "-" || r.Confidence == nil || *r.Confidence < 0.9 || r.Page != 1 {
			t.Errorf("zone %d: %+v", i, r)
		}
	}
	if !strings.Contains(out, `"findings":[],"repairs":[],"candidates":[],"page":1,"confidence":0.`) {
		t.Errorf("lists are null or keys are missing: %s", out)
	}
	// The same through a file whose name says something else.
	name := filepath.Join(t.TempDir(), "zone.txt")
	if err := os.WriteFile(name, strips(t, printer.Wear{}, specimen), 0o600); err != nil {
		t.Fatal(err)
	}
	if list, _, _, code := read(nil, name); code != 0 || len(list) != 1 || list[0].ID != name || !list[0].Valid {
		t.Errorf("from a file: exit %d, %+v", code, list)
	}
	// A wrong digit that is clearly printed stays wrong.
	if list, _, _, code := read(strips(t, printer.Wear{}, wrongDigit)); code != 1 || len(list) != 1 || list[0].Valid || !slices.Equal(list[0].Lines, strings.Fields(wrongDigit)) {
		t.Errorf("a tampered zone: exit %d, %+v", code, list)
	}
	// One valid and one not: 1.
	if list, _, _, code := read(strips(t, printer.Wear{}, specimen, wrongDigit)); code != 1 || len(list) != 2 || !list[0].Valid || list[1].Valid {
		t.Errorf("two zones: exit %d, %+v", code, list)
	}
	list, out, _, code = read(strips(t, printer.Wear{}))
	if code != 1 || len(list) != 1 || list[0].Findings[0].Code != "page_no_zone" || !strings.HasPrefix(out, `{"id":"-","format":"","valid":false,"findings":[{"code":"page_no_zone","severity":"error"`) {
		t.Errorf("no zone: exit %d, %s", code, out)
	}
}

// What was not read with certainty is not vouched for, even if every check
// digit is right.
func TestMRZDoubtfulPage(t *testing.T) {
	for noise := 60.0; noise < 400; noise += 10 {
		out, _, code := lintas(t, string(strips(t, printer.Wear{Noise: noise, Blur: 0.1}, specimen)), "mrz", "--json")
		var r struct {
			Valid      bool
			Lines      []string
			Confidence float64
			Doubtful   []struct{ Line, Column int }
			Checks     []struct{ Status string }
			Findings   []struct {
				Code, Severity string
				Line, Column   int
			}
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			t.Fatalf("noise %v: %v: %s", noise, err, out)
		}
		if r.Valid {
			if r.Confidence < 0.9 || code != 0 || len(r.Doubtful) > 0 {
				t.Fatalf("noise %v: vouched for with %v, exit %d", noise, r.Confidence, code)
			}
			continue
		}
		if len(r.Doubtful) == 0 || r.Confidence >= 0.9 || code != 1 {
			t.Fatalf("noise %v: %s", noise, out)
		}
		d := r.Doubtful[0]
		found := false
		for _, f := range r.Findings {
			found = found || f.Code == "low_confidence" && f.Severity == "error" && f.Line == d.Line && f.Column == d.Column
		}
		if !found {
			t.Errorf("no finding for the doubtful character: %s", out)
		}
		if people, _, _ := lintas(t, string(strips(t, printer.Wear{Noise: noise, Blur: 0.1}, specimen)), "mrz"); !strings.Contains(people, "not read with certainty") {
			t.Errorf("people are not told: %s", people)
		}
		return
	}
	t.Error("no noise made it doubtful")
}
