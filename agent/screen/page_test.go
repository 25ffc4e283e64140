package screen_test

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"lintas/agent/counter"
	"lintas/agent/health"
	"lintas/agent/journey"
	"lintas/agent/screen"
	"lintas/agent/verdict"
	"lintas/mrz"
)

var update = flag.Bool("update", false, "write the golden files anew")

// render gives the parts of a page that shows v.
func render(t *testing.T, language string, board *health.Board, change func(*counter.View)) map[string]string {
	t.Helper()
	d := newDesk()
	d.change(change)
	parts, err := screen.New(screen.Options{Desk: d, Language: language, Health: board}).Parts()
	if err != nil {
		t.Fatal(err)
	}
	return parts
}

// has fails for what a text lacks. Markup is compared as it was meant.
func has(t *testing.T, text string, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(html.UnescapeString(text), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, language := range []string{"id", "en", ""} {
		for code, in := range inspections() {
			t.Run(language+string(code), func(t *testing.T) {
				p := render(t, language, nil, func(v *counter.View) { v.Current = &in })
				word := code.Word()
				has(t, p["banner"], word.ID, `data-verdict="`+string(code)+`"`, "#glyph-"+string(code))
				has(t, strings.ToLower(p["banner"]), strings.ToLower(word.EN))
				indonesian := strings.Index(p["banner"], `lang="id"`) < strings.Index(p["banner"], `lang="en"`)
				if indonesian != (language != "en") {
					t.Error("the wrong language stands first")
				}
				doc := in.Document
				has(t, p["detail"], doc.Name.Primary()+", "+doc.Name.Secondary(), doc.DocumentNumber, doc.Nationality, " 1992", "F · ")
				for i, r := range in.Verdict.Reasons {
					e := r.Explain()
					has(t, p["detail"], string(r.Code), r.Detail, e.Text.ID, e.Text.EN)
					if i == 0 || !r.Code.Remark() {
						has(t, p["detail"], e.Next.ID, e.Next.EN)
					}
				}
				has(t, p["keys"], `data-inspection="`+in.ID+`"`)
				for _, decision := range verdict.Decisions() {
					has(t, p["keys"], `data-decision="`+string(decision)+`"`, decision.Word().ID)
				}
				if in.Record != nil {
					has(t, p["detail"], in.Record.Destination, in.Record.Agency, " 2027")
				}
				has(t, p["detail"], in.Contact)
			})
		}
	}
}

// TestUnread: what cannot be relied on is marked, with line and column.
func TestUnread(t *testing.T) {
	in := inspections()[verdict.Unsure]
	p := render(t, "id", nil, func(v *counter.View) { v.Current = &in })
	has(t, p["detail"], "Baris 2 kolom 10", "line 2 column 24", "<mark>4</mark>", "<mark>_</mark>", "X1234S67<", "#level-warning")
	if strings.Contains(p["detail"], "catatan") || strings.Count(p["detail"], "<mark>") != 2 {
		t.Errorf("more is marked than what is wrong: %s", p["detail"])
	}
	in.Document = mrz.Document{Lines: []string{strings.Repeat("Z", 500), "", "x", "y"}} // of no known format
	p = render(t, "id", nil, func(v *counter.View) { v.Current = &in })
	has(t, p["detail"], "Nama tidak terbaca", strings.Repeat("Z", 44)+"<")
}

var quoted = regexp.MustCompile(`"[^"]*"`)

// TestHostileText: a document, a list or a scanner can hold anything.
func TestHostileText(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>'`
	in := inspections()[verdict.Stop]
	in.ID, in.Contact = evil, evil
	in.Verdict.Reasons = []verdict.Reason{{Code: verdict.ReasonCode(evil), Detail: evil}}
	in.Verdict.Code = verdict.Code(evil)
	in.Document = mrz.Document{Name: mrz.NewName(evil, evil), DocumentNumber: evil, Nationality: evil, IssuingState: evil, Sex: evil,
		DocumentCode: evil, Lines: []string{evil}, Findings: []mrz.Finding{{Severity: mrz.Error, ID: evil, EN: evil}}}
	in.Record = &counter.Placement{Destination: evil, Agency: evil, Status: evil, Until: evil}
	board := health.NewBoard()
	board.Set(health.ScannerMissing, evil, true, evil)
	for _, fault := range []string{"", evil} {
		p := render(t, "en", board, func(v *counter.View) {
			*v = counter.View{Counter: evil, Site: evil, Terminal: evil, Lane: evil, Direction: evil, Current: &in, Fault: fault,
				Waiting: []counter.Line{{Document: evil, Verdict: evil, Direction: evil, Crossing: true}}, Notice: &counter.Notice{ID: evil, EN: evil},
				History: []counter.Line{{Document: evil, Verdict: evil, Decision: evil, Direction: evil, Crossing: true, DecidedBy: evil}}}
		})
		for name, text := range p {
			text = quoted.ReplaceAllString(text, `""`)
			if strings.Contains(text, "<script") || strings.Contains(text, "<img") || regexp.MustCompile(`(?i)<[^>]*\sonerror=`).MatchString(text) {
				t.Errorf("%s lets markup through: %s", name, text)
			}
		}
	}
}

func TestGolden(t *testing.T) {
	in := inspections()[verdict.Ask]
	p := render(t, "id", nil, func(v *counter.View) { v.Current = &in })
	got := p["banner"] + p["detail"] + p["keys"]
	const file = "testdata/ask.golden.html"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page differs from %s; look at it and write it anew with -update:\n%s", file, got)
	}
}

func TestFault(t *testing.T) {
	in := inspections()[verdict.None]
	p := render(t, "id", nil, func(v *counter.View) { v.Current, v.Fault = &in, "no space left on device" })
	has(t, p["fault"], "TIDAK DAPAT MENCATAT", "annot record", "formulir kertas", "no space left on device", "CGK-T3-D07")
	if all := fmt.Sprint(p); strings.Contains(all, "data-decision") || strings.Contains(all, in.Document.DocumentNumber) {
		t.Error("with a fault there are still keys or a traveller's data")
	}
	if p := render(t, "id", nil, func(v *counter.View) {}); !strings.Contains(p["fault"], `role="alert"></div>`) {
		t.Errorf("without a fault: %s", p["fault"])
	}
}

func TestDirectionIsAsked(t *testing.T) {
	in := inspections()[verdict.None]
	in.Direction = ""
	p := render(t, "id", nil, func(v *counter.View) { v.Current, v.Direction = &in, "" })
	has(t, p["keys"], "pilih arah", `data-key="ArrowUp"`, `data-direction="departure"`, `data-key="ArrowDown"`, `data-direction="return"`)
	has(t, p["strip"], "DIPILIH TIAP ORANG", `data-open="directions"`)
	in.Direction = verdict.Return
	p = render(t, "id", nil, func(v *counter.View) { v.Current, v.Direction, v.DirectionFixed = &in, verdict.Return, true })
	has(t, p["strip"], "KEPULANGAN", "#arrow-return")
	if strings.Contains(p["keys"], "ArrowUp") || strings.Contains(p["strip"], `data-open="directions"`) {
		t.Error("a direction that is fixed is asked for")
	}
}

// TestJourneyAndOutcomes: the journey of the hour, and who waits for an outcome.
func TestJourneyAndOutcomes(t *testing.T) {
	j, err := journey.Parse("QR955 CGK-DOH-WAW")
	if err != nil {
		t.Fatal(err)
	}
	p := render(t, "id", nil, func(v *counter.View) {
		v.Journey, v.JourneySince = j, time.Date(2026, 11, 23, 9, 30, 0, 0, time.Local)
		v.Referred = []counter.Line{{ID: "one", Document: "A•••001", Verdict: verdict.Ask, Reasons: []string{"R01", "N01"}}}
	})
	has(t, p["strip"], "QR955 WAW", "sejak 09:30", `data-open="journeys"`)
	has(t, p["referred"], "A•••001", "R01", `data-of="one"`, "Ada temuan", "nothing found")
	has(t, p["aside"], `data-open="outcomes"`, "Hasil rujukan")
	p = render(t, "id", nil, func(v *counter.View) {})
	has(t, p["strip"], "Perjalanan")
	has(t, p["referred"], "Tidak ada yang menunggu hasil.")
	if strings.Contains(p["aside"], "outcomes") {
		t.Error("outcomes are asked for, and nobody waits for one")
	}
}

func TestLines(t *testing.T) {
	history := []counter.Line{
		{Document: "A•••001", Verdict: verdict.None, Decision: verdict.Proceed, DecidedBy: "officer", Direction: verdict.Departure, Crossing: true, Confirmed: true},
		{Document: "A•••002", Verdict: verdict.Ask, Decision: verdict.Refer, DecidedBy: "officer"},
		{Document: "A•••003", Verdict: verdict.Stop, DecidedBy: "agent"},
		{Document: "A•••004", Verdict: verdict.Clear, Decision: verdict.Proceed, DecidedBy: "auto", Direction: verdict.Return, Crossing: true},
	}
	p := render(t, "id", nil, func(v *counter.View) {
		v.History = history
		v.Waiting = append(append([]counter.Line(nil), history...), history...)
	})
	has(t, p["aside"], "A•••001", "✓✓", "terkonfirmasi", "confirmed", "keberangkatan", "Rujuk", "refer", "Tanpa keputusan",
		"ditutup otomatis", "kepulangan", "otomatis", "tersimpan", "saved", "Menunggu", ">8<", "dan 5 lagi")
	has(t, p["detail"], "Terakhir", "A•••001") // nobody is there: what was recorded last
}

func TestChips(t *testing.T) {
	d, board := newDesk(), health.NewBoard()
	link, list := screen.Link{Connected: true}, screen.ListInfo{Version: 7, Age: 3 * time.Hour, Present: true}
	s := screen.New(screen.Options{Desk: d, Health: board, Link: func() screen.Link { return link }, List: func() screen.ListInfo { return list }})
	chips := func() string {
		p, err := s.Parts()
		if err != nil {
			t.Fatal(err)
		}
		return p["chips"] + p["conditions"]
	}
	has(t, chips(), "Pemindai <b>siap", "Pusat <b>terhubung", "Daftar <b>baru", "3 jam", "Jam <b>tersinkron", "Semua berjalan baik")
	link = screen.Link{Depth: 12, Oldest: time.Now().Add(-125 * time.Minute)}
	has(t, chips(), "tidak terhubung", "12 antre", "tertua 2 jam", "oldest 2 h", `data-level="info"`)
	link.Connected, link.Unconfirmed = true, true
	has(t, chips(), "belum mengonfirmasi")
	list = screen.ListInfo{}
	has(t, chips(), "Daftar <b>tidak ada")
	for _, c := range health.Catalogue() {
		board.Set(c.Code, "thing", true, "detail")
		if c.After > 0 {
			continue // not shown yet
		}
		has(t, chips(), c.ID, c.EN, c.NextID, c.NextEN, `data-level="`+string(c.Severity)+`"`, "thing", "detail")
	}
	has(t, chips(), "tidak dipercaya", "tidak terbuka", "tidak tersinkron", "tidak tersambung")
}

// TestWords: every text of the page is there in both languages, and every text
// the page asks for exists.
func TestWords(t *testing.T) {
	words := screen.Words()
	for name, text := range words {
		if text.ID == "" || text.EN == "" {
			t.Errorf("%s lacks a language: %+v", name, text)
		}
		if strings.Count(text.ID, "%") != strings.Count(text.EN, "%") {
			t.Errorf("%s takes other values in the other language: %+v", name, text)
		}
	}
	for _, file := range []string{"page.html", "parts.html", "traveller.html"} {
		for _, m := range regexp.MustCompile(`\(w "([^"]*)"\)`).FindAllSubmatch(screen.Asset(file), -1) {
			if _, ok := words[string(m[1])]; !ok {
				t.Errorf("%s asks for %q", file, m[1])
			}
		}
	}
	for _, severity := range []health.Severity{health.Info, health.Warning, health.Error} {
		if _, ok := words["severity-"+string(severity)]; !ok {
			t.Errorf("no word for the severity %s", severity)
		}
	}
}

// TestWholePage: the page says in which language it is, loads only what this
// server serves, runs nothing inline and bears no traveller in its title.
func TestWholePage(t *testing.T) {
	d := newDesk()
	in := inspections()[verdict.Clear]
	d.show(in)
	for _, language := range []string{"id", "en"} {
		s := serve(t, screen.Options{Desk: d, Language: language})
		_, page := ask(t, request(t, "GET", "http://"+s.Addr()+"/", nil))
		has(t, page, `<html lang="`+language+`"`, "<title>Lintas · CGK-T3-D07</title>", `id="lost"`, in.Document.DocumentNumber)
		for _, never := range []string{"style=", "http://", "https://", "javascript:", " onclick", "<style", "<script>"} {
			if strings.Contains(page, never) {
				t.Errorf("the page contains %q", never)
			}
		}
		ids := map[string]bool{}
		for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if ids[m[1]] {
				t.Errorf("two elements have the id %q", m[1])
			}
			ids[m[1]] = true
		}
		for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(page, -1) {
			if !ids[m[1]] {
				t.Errorf("there is no shape %q", m[1])
			}
		}
		weight := len(gzipped(t, []byte(page)))
		for _, name := range []string{"screen.css", "light.css", "screen.js", "icon.svg"} {
			weight += len(gzipped(t, screen.Asset(name)))
		}
		t.Logf("%s: the page weighs %d bytes, gzipped", language, weight)
		if weight > 15_000 {
			t.Errorf("the page weighs %d bytes", weight)
		}
	}
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return out.Bytes()
}
