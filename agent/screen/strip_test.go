package screen_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lintas/agent/counter"
	"lintas/agent/screen"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// doubtful is a traveller whose passport was read from a picture, two
// characters of it not with certainty.
func doubtful(t testing.TB) counter.Inspection {
	t.Helper()
	strip := image.NewGray(image.Rect(0, 0, 1152, 132))
	for i := range strip.Pix {
		strip.Pix[i] = 240
	}
	for line := range 2 {
		for cell := range 44 {
			strip.SetGray(24*(2+cell)+12, 24+42*line+21, color.Gray{20})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, strip); err != nil {
		t.Fatal(err)
	}
	in := inspections()[verdict.Clear]
	in.ID = "0190b5a2-7c00-7000-8000-0000000000d0"
	in.Verdict = verdict.Verdict{Code: verdict.Unsure, Reasons: []verdict.Reason{{Code: verdict.M03}, {Code: verdict.P01, Detail: "MYS"}}}
	in.Document.Valid = false
	for _, column := range []int{5, 20} {
		in.Document.Findings = append(in.Document.Findings, mrz.Finding{Code: "low_confidence", Severity: mrz.Error, Line: 2, Column: column,
			ID: "Satu karakter tidak terbaca dengan pasti.", EN: "A character was not read with certainty."})
	}
	in.Reading = &counter.Reading{Confidence: 0.7, Doubtful: true, Strip: b.Bytes()}
	return in
}

// The strip is served to this page only, and only while the inspection is open.
func TestStrip(t *testing.T) {
	d := newDesk()
	s := serve(t, screen.Options{Desk: d})
	in := doubtful(t)
	get := func(id string, header ...string) (int, string) {
		r := request(t, "GET", "http://"+s.Addr()+"/strip/"+id, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		answer, body := ask(t, r)
		if answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("it may be kept: %v", answer.Header)
		}
		return answer.StatusCode, body
	}
	if status, _ := get(in.ID); status != http.StatusNotFound {
		t.Errorf("before it is there: %d", status)
	}
	d.show(in)
	if status, body := get(in.ID); status != http.StatusOK || body != string(in.Reading.Strip) {
		t.Errorf("while it is open: %d, %d bytes", status, len(body))
	}
	if status, _ := get("0190b5a2-7c00-7000-8000-0000000000d1"); status != http.StatusNotFound {
		t.Errorf("of another inspection: %d", status)
	}
	for _, site := range []string{"cross-site", "same-site"} {
		if status, _ := get(in.ID, "Sec-Fetch-Site", site); status != http.StatusForbidden {
			t.Errorf("to a %s page: %d", site, status)
		}
	}
	d.change(func(v *counter.View) { v.Fault = "disk" })
	if status, _ := get(in.ID); status != http.StatusNotFound {
		t.Errorf("with a fault, when nobody's data is on the page: %d", status)
	}
	d.change(func(v *counter.View) { v.Fault, v.Current = "", nil })
	if status, _ := get(in.ID); status != http.StatusNotFound {
		t.Errorf("afterwards: %d", status)
	}
}

func TestConfirm(t *testing.T) {
	d := newDesk()
	s := serve(t, screen.Options{Desk: d})
	for _, c := range []struct {
		name   string
		form   url.Values
		err    error
		status int
		code   string
	}{
		{"fine", url.Values{"inspection": {"id-1"}}, nil, http.StatusNoContent, ""},
		{"without an inspection", url.Values{}, nil, http.StatusBadRequest, "bad-request"},
		{"decided", url.Values{"inspection": {"id-1"}}, counter.ErrDecided, http.StatusConflict, "decided"},
		{"nothing to confirm", url.Values{"inspection": {"id-1"}}, counter.ErrReading, http.StatusBadRequest, "bad-request"},
		{"another fault", url.Values{"inspection": {"id-1"}}, errors.New("x"), http.StatusServiceUnavailable, "not-recorded"},
	} {
		d.mu.Lock()
		d.err = c.err
		d.mu.Unlock()
		if status, problem := code(t, request(t, "POST", "http://"+s.Addr()+"/confirm", c.form)); status != c.status || problem != c.code {
			t.Errorf("%s: %d %s", c.name, status, problem)
		}
	}
	r := request(t, "POST", "http://"+s.Addr()+"/confirm", url.Values{"inspection": {"id-2"}})
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if answer, _ := ask(t, r); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page could confirm: %d", answer.StatusCode)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.confirmed, "id-2") {
		t.Error("a refused request reached the desk")
	}
}

// The officer sees picture and text cell below cell, on any screen, and the key
// that confirms; pressing it takes the doubt away and decides nothing.
func TestDoubtfulReadingOnThePage(t *testing.T) {
	ctx := browser(t)
	for _, c := range []struct {
		language, scheme string
		width, height    int64
	}{{"id", "dark", 1920, 1080}, {"en", "light", 1024, 768}} {
		d := newDesk()
		s := serve(t, screen.Options{Theme: "auto", Desk: d, Language: c.language})
		do(t, ctx, scheme(c.scheme), chromedp.EmulateViewport(c.width, c.height), chromedp.Navigate("http://"+s.Addr()))
		d.show(doubtful(t))
		until(t, ctx, shown(`#detail img.strip`)+` && document.querySelector('#detail img.strip').naturalWidth === 1152 && `+unguarded)
		if dir := os.Getenv("LINTAS_SCREENSHOTS"); dir != "" {
			picture(t, ctx, dir, fmt.Sprintf("doubtful-%s-%d", c.language, c.width))
		}
		for _, fault := range eval[[]string](t, ctx, `(`+audit+`)()`) {
			t.Errorf("%v: %s", c, fault)
		}
		// The mark in the text stands below the same cell of the picture.
		off := eval[float64](t, ctx, `(() => {
			const strip = document.querySelector('img.strip').getBoundingClientRect(), mark = document.querySelectorAll('.zone mark')[1].getBoundingClientRect();
			const cell = strip.width / 48;
			return Math.abs((mark.left + mark.right) / 2 - (strip.left + cell * (2 + 19.5))) / cell;
		})()`)
		if off > 0.5 {
			t.Errorf("%v: a character stands %.2f cells from its picture", c, off)
		}
		if visible := eval[bool](t, ctx, `(() => {
			const key = document.querySelector('[data-confirm]').getBoundingClientRect(), detail = document.querySelector('#detail').getBoundingClientRect();
			return key.height > 0 && key.bottom <= detail.bottom + 1;
		})()`); !visible {
			t.Errorf("%v: the key is out of sight", c)
		}
		key(t, ctx, kb.F8)
		until(t, ctx, shown(`#banner[data-verdict=none]`))
		if eval[bool](t, ctx, `!!document.querySelector('[data-confirm], img.strip')`) {
			t.Errorf("%v: the doubt is still on the page", c)
		}
		in := inspections()[verdict.Clear]
		in.Reading = &counter.Reading{Confidence: 0.99, Findings: []mrz.Finding{{Code: "text_layer_differs", Severity: mrz.Warning, ID: "lapisan teks lain", EN: "another text layer"}}}
		d.show(in)
		until(t, ctx, shown(`#detail .doubt`))
		if text := eval[string](t, ctx, `document.querySelector('#detail .doubt').innerText`); !strings.Contains(strings.ToLower(text), "another text layer") {
			t.Errorf("%v: what was found about the page is not shown: %q", c, text)
		}
		if n := len(d.chosen()); n != 0 {
			t.Errorf("%v: %d decisions", c, n)
		}
	}
}
