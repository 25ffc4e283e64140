package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"lintas/agent/crossing"
	"lintas/agent/verdict"
	"lintas/mrz"
	"lintas/mrz/ocr"
	"lintas/mrz/ocr/specimen"
)

// watched adds a folder of pages to a site's scanners.
func (s *site) watched(after string) {
	s.t.Helper()
	f, err := os.OpenFile(s.config(), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "[[scanner]]\nname = \"pages\"\nprofile = \"folder\"\nport = %q\nafter = %q\n", s.path("pages"), after)
	if err := os.Mkdir(s.path("pages"), 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// bothReady waits until the agent has both of its scanners.
func (s *site) bothReady() (page string) {
	s.t.Helper()
	until(s.t, "the agent is ready", func() bool {
		st, err := s.status()
		page = st.Page
		return err == nil && page != "" && len(st.Scanners) == 2 && st.Scanners[0].Status == "ready" && st.Scanners[1].Status == "ready"
	})
	return page
}

func (s *site) drop(name string, content []byte) {
	s.t.Helper()
	if err := os.WriteFile(s.path("pages/"+name), content, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// gone waits until a dropped file is where it belongs.
func (s *site) gone(to string) {
	s.t.Helper()
	until(s.t, "the file is "+to, func() bool {
		_, err := os.Stat(s.path("pages/" + to))
		return err == nil
	})
}

// a4 is a scan of a page of A4 at 300 dots per inch with zones on it.
func a4(t testing.TB, r *rand.Rand, wear specimen.Wear, zones ...[]string) image.Image {
	t.Helper()
	sheet := image.NewGray(image.Rect(0, 0, 2480, 3508))
	for i := range sheet.Pix {
		sheet.Pix[i] = 247
	}
	for i, z := range zones {
		strip := specimen.NewStrip(r, z, wear)
		draw.Draw(sheet, strip.Rect.Add(image.Pt(300, 1400+700*i)), strip.Gray, image.Point{}, draw.Src)
	}
	return sheet
}

// plain is a good scan of a zone.
func plain(t testing.TB, zones ...[]string) image.Image {
	t.Helper()
	wear := specimen.Wear{Pitch: 30, Hand: specimen.Hand{Face: typefaces(t)[0]}}
	return a4(t, rand.New(rand.NewPCG(1, 1)), wear, zones...)
}

func typefaces(t testing.TB) []*specimen.Typeface {
	t.Helper()
	faces, err := specimen.Typefaces()
	if err != nil {
		t.Skip(err)
	}
	return faces
}

func pdf(t testing.TB, pages ...image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := specimen.PDF(&b, 300, 90, pages...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// doubtful makes a page on which every check digit is right and some character
// is not certain.
func doubtful(t testing.TB, lines []string) image.Image {
	t.Helper()
	faces := typefaces(t)
	for step := range uint64(200) { // worse and worse
		r := rand.New(rand.NewPCG(step, 8))
		wear := specimen.Wear{Pitch: 24, Hand: specimen.Hand{Face: faces[0]}, Noise: 40 + 2*float64(step), Blur: 0.12, Speckle: 0.02}
		page := a4(t, r, wear, lines)
		zones, err := ocr.Read(t.Context(), page)
		if err != nil {
			t.Fatal(err)
		}
		if len(zones) == 1 && zones[0].Valid && zones[0].Confidence < ocr.Floor && strings.Join(zones[0].Lines, "") == strings.Join(lines, "") {
			return page
		}
	}
	t.Fatal("no page is doubtful")
	return nil
}

// A scanned page is a scan like any other, all the way to the hub.
func TestScannedPage(t *testing.T) {
	sheet := plain(t, zone(t, traveller(1)))
	s := newSite(t, `direction = "departure"`)
	s.watched("keep")
	s.broker()
	s.installList(traveller(1))
	s.agent()
	page := s.bothReady()
	s.trust()
	s.hub()
	after := s.last()
	s.drop(canaryPrimary+".pdf", pdf(t, sheet))
	o := s.opened(after)
	if o.note.Verdict != verdict.Clear || o.note.Reasons[0] != "P01" {
		t.Fatalf("verdict %s %v", o.note.Verdict, o.note.Reasons)
	}
	s.gone("done/" + canaryPrimary + ".pdf")
	if code := post(t, page, "/decide", url.Values{"inspection": {o.note.Inspection}, "decision": {"proceed"}}); code >= 400 {
		t.Fatalf("the page answered %d", code)
	}
	end := s.next(o.Sequence, crossing.Departure)
	s.confirmed()
	_, rec := s.record(idOf(end))
	if rec["entry_mode"] != "ocr" || rec["document_number"] != traveller(1).DocumentNumber || rec["confidence"].(float64) < ocr.Floor {
		t.Errorf("the hub holds %v", rec)
	}
	// A page that cannot be read costs itself, whatever it is.
	for name, content := range map[string]string{
		"huge.pdf":   "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 90000 90000]>>endobj\ntrailer<</Root 1 0 R>>",
		"letter.pdf": "Dear " + canaryPrimary,
	} {
		s.drop(name, []byte(content))
	}
	s.gone("failed/huge.too-many-pixels.pdf")
	s.gone("failed/letter.not-page.pdf")
	if st, err := s.status(); err != nil || st.Scanners[1].Status != "ready" {
		t.Errorf("the folder is %+v %v", st.Scanners, err)
	}
	os.RemoveAll(s.path("pages")) // they are what they are
	s.noCanary()
}

// pageChildren lists the processes that read pages for a process.
func pageChildren(parent int) (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		if ppid, _ := strconv.Atoi(f[1]); ppid == parent {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// endless is a PDF whose page takes minutes to render.
func endless() []byte {
	var path bytes.Buffer
	path.WriteString("0 0 m\n")
	for i := range 300000 {
		fmt.Fprintf(&path, "%d %d l\n", i*7919%595, i*104729%842)
	}
	path.WriteString("S\n")
	return []byte(fmt.Sprintf("%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj "+
		"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>endobj\n4 0 obj<</Length %d>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>", path.Len(), path.Bytes()))
}

// An agent that is killed leaves no child behind, and reads the file again
// when it is back.
func TestAgentKilledWhileReadingAPage(t *testing.T) {
	s := newSite(t, `direction = "departure"`)
	s.watched("keep")
	agent := s.agent()
	s.bothReady()
	s.drop("endless.pdf", endless())
	var children []int
	until(t, "the child works", func() bool {
		children = pageChildren(agent.cmd.Process.Pid)
		return len(children) > 0
	})
	agent.kill()
	until(t, "the child has ended", func() bool {
		for _, pid := range children {
			if b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil && !bytes.Contains(b, []byte(") Z ")) {
				return false
			}
		}
		return true
	})
	if _, err := os.Stat(s.path("pages/endless.pdf")); err != nil {
		t.Error("the file is gone although it was not read:", err)
	}
	s.agent()
	s.gone("failed/endless.timeout.pdf")
}

// The officer is asked to compare what was not read with certainty.
func TestOfficerComparesADoubtfulReading(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium found: make setup installs it")
	}
	lines := zone(t, traveller(1))
	sheet := doubtful(t, lines)
	s := newSite(t, `direction = "departure"`)
	s.watched("remove")
	s.installList(traveller(1))
	s.agent()
	address := s.bothReady()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	ctx, cancel = chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium),
		chromedp.UserDataDir(t.TempDir()), chromedp.NoSandbox, chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true))...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	do := func(a ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, a...); err != nil {
			t.Fatal(err)
		}
	}
	eval := func(js string) string {
		t.Helper()
		v, err := chromedp.Run(ctx, chromedp.Evaluate[string](js))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	do(chromedp.EmulateViewport(1920, 1080), chromedp.Navigate("http://"+address+"/"))
	after := s.last()
	s.drop("scan.pdf", pdf(t, sheet))
	o := s.opened(after)
	if o.note.Verdict != verdict.Unsure || o.note.Reasons[0] != "M03" {
		t.Fatalf("verdict %s %v", o.note.Verdict, o.note.Reasons)
	}
	until(t, "the strip is shown", func() bool {
		return eval(`(() => { const i = document.querySelector('#detail img.strip'); return String(!!i && i.complete && i.naturalWidth > 1000); })()`) == "true"
	})
	if dir := os.Getenv("LINTAS_SCREENSHOTS"); dir != "" {
		time.Sleep(time.Second) // the guard, fading
		b, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "doubtful.png"), b, 0o600)
		}
		if err != nil {
			t.Error(err)
		}
	}
	strip := "http://" + address + "/strip/" + o.note.Inspection
	res, err := http.Get(strip)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("Content-Type") != "image/png" {
		t.Errorf("the strip is answered with %s %v", res.Status, res.Header)
	}
	if text := eval("document.body.innerText"); !strings.Contains(text, "M03") || !strings.Contains(text, "F8") {
		t.Errorf("the page lacks the reason or the key:\n%s", text)
	}
	until(t, "the reading is confirmed", func() bool {
		do(chromedp.KeyEvent(kb.F8))
		return strings.Contains(eval("document.body.innerText"), "TERDAFTAR")
	})
	until(t, "the crossing is recorded", func() bool {
		do(chromedp.KeyEvent(kb.F1))
		events := s.queued()
		return events[len(events)-1].note.Type == crossing.Departure && events[len(events)-1].note.Verdict == verdict.Clear
	})
	res, err = http.Get(strip)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("the strip of a decided inspection is answered with %s", res.Status)
	}
	if left, _ := filepath.Glob(s.path("pages/*.pdf")); len(left) != 0 {
		t.Errorf("still there: %v", left)
	}
	s.noCanary()
}

// `lintas mrz` reads what a scanner makes, and says every zone on it.
func TestReadPagesOnTheCommandLine(t *testing.T) {
	s := newSite(t, "")
	card, err := mrz.Fields{DocumentCode: "I", IssuingState: "IDN", Nationality: "IDN", DocumentNumber: "ZZ7654321", Primary: "CONTOH", Secondary: "MELATI", Sex: "F",
		DateOfBirth: mrz.Date{Year: 1994, Month: 3, Day: 7}, DateOfExpiry: mrz.Date{Year: 2031, Month: 11, Day: 23}}.Lines(mrz.TD1)
	if err != nil {
		t.Fatal(err)
	}
	two := s.path("two.pdf")
	if err := os.WriteFile(two, pdf(t, plain(t, zone(t, traveller(1)), card), plain(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := s.try("lintas", "mrz", "--json", two)
	got := strings.Split(strings.TrimSpace(out), "\n")
	if err != nil || len(got) != 3 {
		t.Fatalf("%v, %d objects:\n%s", err, len(got), out)
	}
	for i, want := range []string{`"format":"TD3","valid":true`, `"format":"TD1","valid":true`, `"format":"","valid":false,"findings":[{"code":"page_no_zone"`} {
		if !strings.Contains(got[i], want) || !strings.Contains(got[i], `"id":"`+two+`"`) {
			t.Errorf("object %d: %s", i, got[i])
		}
	}
}
