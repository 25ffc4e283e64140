package scanners_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/draw"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lintas/agent/config"
	"lintas/agent/scanners"
	"lintas/devices"
	"lintas/devices/page"
	"lintas/mrz"
	"lintas/mrz/ocr/specimen"
)

// TestMain lets this test binary be the child that reads pages.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "read-page" {
		if page.Child(os.Stdin, os.Stdout, os.Args[2:]) != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const canary = "KENARIKUNING"

// pageLog collects what a scanner logs.
type pageLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *pageLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *pageLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// From a file in the folder to its scans, by way of a real child, and what
// becomes of the file.
func TestFolderOfPages(t *testing.T) {
	faces, err := specimen.Typefaces()
	if err != nil {
		t.Skip(err)
	}
	zone := func(number string) []string {
		l, err := mrz.Fields{DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN", DocumentNumber: number, Primary: canary, Secondary: "AYU", Sex: "F",
			DateOfBirth: mrz.Date{Year: 1991, Month: 2, Day: 27}, DateOfExpiry: mrz.Date{Year: 2033, Month: 10, Day: 19}}.Lines(mrz.TD3)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	sheet := func(zones ...[]string) image.Image {
		img := image.NewGray(image.Rect(0, 0, 1654, 2339))
		draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
		r := rand.New(rand.NewPCG(4, 8))
		for i, z := range zones {
			strip := specimen.NewStrip(r, z, specimen.Wear{Pitch: 24, Hand: specimen.Hand{Face: faces[0]}})
			draw.Draw(img, strip.Rect.Add(image.Pt(150, 700+600*i)), strip.Gray, image.Point{}, draw.Src)
		}
		return img
	}
	pdf := func(pages ...image.Image) []byte {
		var b bytes.Buffer
		if err := specimen.PDF(&b, 200, 90, pages...); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	dir, log := t.TempDir(), &pageLog{}
	r := scanners.New(config.Scanner{Name: "pages", Profile: "folder", Port: dir, After: "keep"},
		slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	ctx, cancel := context.WithCancel(t.Context())
	scans, ended := make(chan devices.Scan), make(chan error, 1)
	go func() { ended <- r.Run(ctx, scans) }()
	for _, c := range []struct {
		name    string
		content []byte
		want    []string // number of the page and its first line, or the code of its finding
		becomes string
	}{
		{canary + ".pdf", pdf(sheet(zone("ZZ1234567")), sheet()), []string{"1 ZZ1234567"}, "done/" + canary + ".pdf"},
		{"two.pdf", pdf(sheet(), sheet(zone("ZZ1234567"), zone("ZZ7654321"))), []string{"2 ZZ1234567", "2 ZZ7654321"}, "done/two.pdf"},
		{"blank.pdf", pdf(sheet(), sheet()), []string{"1 page_no_zone", "2 page_no_zone"}, "failed/blank.no-zone.pdf"},
		{"letter.pdf", []byte("Dear " + canary), []string{"0 page_not_page"}, "failed/letter.not-page.pdf"},
	} {
		hidden := filepath.Join(dir, "."+c.name)
		if err := errors.Join(os.WriteFile(hidden, c.content, 0o600), os.Rename(hidden, filepath.Join(dir, c.name))); err != nil {
			t.Fatal(err)
		}
		var got []string
		for range c.want {
			select {
			case s := <-scans:
				what := "?"
				if s.Status == devices.Complete {
					d, _ := s.Document(mrz.Date{Year: 2026, Month: 11, Day: 23})
					what = d.DocumentNumber
				} else if len(s.Page.Findings) > 0 {
					what = s.Page.Findings[0].Code
				}
				got = append(got, string(rune('0'+s.Page.Number))+" "+what)
				if s.Mode != devices.Picture || s.Scanner != "pages" || s.Page.File != c.name {
					t.Errorf("%s: %+v %+v", c.name, s, s.Page)
				}
				s.Settle(true)
			case <-time.After(time.Minute):
				t.Fatalf("%s: no more scans after %q", c.name, got)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(filepath.Join(dir, c.becomes)); err == nil {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s did not become %s", c.name, c.becomes)
			}
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if strings.Contains(log.String(), canary) {
		t.Error("the log names a traveller")
	}
}
