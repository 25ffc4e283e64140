package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"lintas/mrz"
	"lintas/mrz/ocr"
	"lintas/mrz/ocr/specimen"
)

type bench struct {
	seed                    uint64
	strips, tampered, pages int
	folder, failed          string
	tesseract               bool
	workers                 int
	faces                   []*specimen.Typeface
}

// floors are those at which it is told what would be vouched for.
var floors = [...]float64{0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995}

// A picture is one thing to read, and what it says: no zone, or some.
type picture struct {
	name  string
	image func() image.Image
	zones [][]string
}

// A tally counts how pictures were read.
type tally struct {
	pictures, exact         int
	vouched, wronglyVouched int
	peerExact               int
	took, longest, peerTook time.Duration
	misread                 []string
	byFloor                 [len(floors)][2]int // vouched for, wrongly, at each of floors
}

func (b *bench) run() (err error) {
	if b.faces, err = specimen.Typefaces(); err != nil {
		return err
	}
	if b.tesseract {
		if _, err := exec.LookPath("tesseract"); err != nil {
			fmt.Print("Tesseract is not installed, so it does not read along: apt-get install tesseract-ocr\n\n")
			b.tesseract = false
		}
	}
	fmt.Printf("seed %d\n\n%-14s %8s %8s %8s %8s %9s %9s", b.seed, "", "pictures", "exact", "vouched", "wrongly", "cpu ms", "worst")
	if b.tesseract {
		fmt.Printf(" %12s %9s", "tesseract", "cpu ms")
	}
	fmt.Println()
	var all tally
	for i, k := range specimen.Kinds {
		t := b.read(k.Name, b.strips, func(n int) picture { return b.strip(k, i, n) })
		all.add(t)
	}
	b.print("all strips", all)
	tampered := b.read("tampered", b.tampered, b.tamperedStrip)
	defer func() {
		fmt.Printf("tampered strips that were read as valid, officer asked or not: %d of %d\n", tampered.byFloor[0][0], tampered.pictures)
	}()
	all.add(tampered)
	b.read("wild", b.strips*4, func(n int) picture {
		return b.strip(specimen.Kind{Name: "wild", Wear: specimen.Wild}, 99, n)
	})
	b.read("A4 300 dpi", b.pages, func(n int) picture { return b.page(n, 300, false) })
	b.read("A4 600 dpi", b.pages/4, func(n int) picture { return b.page(n, 600, false) })
	b.read("A4 text", b.pages/2, func(n int) picture { return b.page(n, 300, true) })
	for i, k := range photos {
		b.read(k.name, b.pages, func(n int) picture { return b.photo(i, n) })
	}
	list, err := b.specimens()
	if err != nil {
		fmt.Println(err)
	} else {
		b.read("specimens", len(list), func(n int) picture { return list[n] })
	}
	fmt.Println("\nstrips vouched for (valid, and every character at least so certain), and wrongly so:")
	for f, floor := range floors {
		fmt.Printf("%8.3f %8d %8d\n", floor, all.byFloor[f][0], all.byFloor[f][1])
	}
	fmt.Printf("\n%s\n", memory())
	return nil
}

// cpuTime is what this process has used of all processors: on a busy machine
// the clock says more about others.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// memory tells how much the process used at most, by the kernel's account.
func memory() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "the kernel does not say how much memory was used"
	}
	for line := range strings.Lines(string(status)) {
		if peak, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return "most memory of this process, pictures and their making included: " + strings.TrimSpace(peak)
		}
	}
	return ""
}

func (t *tally) add(o tally) {
	t.pictures += o.pictures
	t.exact += o.exact
	t.vouched += o.vouched
	t.wronglyVouched += o.wronglyVouched
	t.peerExact += o.peerExact
	t.took += o.took
	t.peerTook += o.peerTook
	t.longest = max(t.longest, o.longest)
	for f := range floors {
		t.byFloor[f][0] += o.byFloor[f][0]
		t.byFloor[f][1] += o.byFloor[f][1]
	}
}

func (b *bench) print(name string, t tally) {
	n := max(1, t.pictures)
	fmt.Printf("%-14s %8d %7.2f%% %8d %8d %9.1f %9.1f", name, t.pictures, 100*float64(t.exact)/float64(n), t.vouched, t.wronglyVouched,
		t.took.Seconds()*1000/float64(n), t.longest.Seconds()*1000)
	if b.tesseract {
		fmt.Printf(" %11.1f%% %9.1f", 100*float64(t.peerExact)/float64(n), t.peerTook.Seconds()*1000/float64(n))
	}
	fmt.Println()
}

// read reads n pictures and prints how it went.
func (b *bench) read(name string, n int, make func(int) picture) (t tally) {
	var lock sync.Mutex
	var workers sync.WaitGroup
	next := 0
	for range max(1, b.workers) {
		workers.Go(func() {
			for {
				lock.Lock()
				k := next
				next++
				lock.Unlock()
				if k >= n {
					return
				}
				one := b.one(make(k))
				lock.Lock()
				t.add(one)
				t.misread = append(t.misread, one.misread...)
				lock.Unlock()
			}
		})
	}
	workers.Wait()
	b.print(name, t)
	slices.Sort(t.misread)
	if b.failed != "" {
		for _, m := range t.misread {
			fmt.Println("   ", m)
		}
	}
	return t
}

// one reads one picture.
func (b *bench) one(p picture) (t tally) {
	img := p.image()
	began := cpuTime()
	zones, err := ocr.Read(context.Background(), img)
	t.took = cpuTime() - began
	t.longest, t.pictures = t.took, 1
	if err != nil {
		t.misread = append(t.misread, fmt.Sprintf("%s: %v", p.name, err))
		return t
	}
	// On a sheet that lies on its side, which zone comes first is a matter of
	// millimetres.
	if len(zones) == 2 && len(p.zones) == 2 && slices.Equal(zones[0].Lines, p.zones[1]) {
		zones[0], zones[1] = zones[1], zones[0]
	}
	right := len(zones) == len(p.zones)
	for i, z := range zones {
		same := i < len(p.zones) && slices.Equal(z.Lines, p.zones[i])
		right = right && same
		for f, floor := range floors {
			if z.Valid && z.Confidence >= floor {
				t.byFloor[f][0]++
				if !same {
					t.byFloor[f][1]++
				}
			}
		}
		if z.Valid && z.Confidence >= ocr.Floor {
			t.vouched++
			if !same {
				t.wronglyVouched++
			}
		}
	}
	if right {
		t.exact = 1
	} else {
		text := p.name
		for i := range max(len(zones), len(p.zones)) {
			if i < len(p.zones) {
				text += "\n        " + strings.Join(p.zones[i], "\n        ")
			}
			if i < len(zones) {
				z := zones[i]
				text += fmt.Sprintf("\n      > %s valid %v, confidence %.3f, repairs %v", z.Format, z.Valid, z.Confidence, z.Repairs)
				for l, line := range z.Lines {
					text += "\n        " + line
					if i < len(p.zones) && l < len(p.zones[i]) && len(line) == len(p.zones[i][l]) {
						for j := range line {
							if line[j] != p.zones[i][l][j] {
								text += fmt.Sprintf(" %d:%.3f", j+1, z.Chars[l][j].Confidence)
							}
						}
					}
				}
			} else {
				text += "\n      > nothing"
			}
		}
		t.misread = append(t.misread, text)
		if b.failed != "" {
			b.keep(p.name, img)
		}
	}
	if b.tesseract {
		lines, took := tesseract(img)
		if slices.Equal(lines, slices.Concat(p.zones...)) {
			t.peerExact = 1
		}
		t.peerTook = took
	}
	return t
}

func (b *bench) keep(name string, img image.Image) {
	f, err := os.Create(filepath.Join(b.failed, strings.ReplaceAll(name, " ", "_")+".png"))
	if err != nil {
		return
	}
	defer f.Close()
	png.Encode(f, img)
}

var formats = []mrz.Format{mrz.TD3, mrz.TD1, mrz.TD2}

// random returns chance for picture n of a table's line.
func (b *bench) random(line, n int) *rand.Rand {
	return rand.New(rand.NewPCG(b.seed, uint64(line)<<32|uint64(n)))
}

func (b *bench) strip(k specimen.Kind, line, n int) picture {
	r := b.random(line, n)
	lines := specimen.Zone(r, formats[n%len(formats)])
	return picture{fmt.Sprintf("%s %d", k.Name, n), func() image.Image {
		return specimen.NewStrip(r, lines, k.Wear(r, b.faces)).Gray
	}, [][]string{lines}}
}

// tamperedStrip prints one digit wrong among those that check digits cover.
func (b *bench) tamperedStrip(n int) picture {
	r := b.random(1000, n)
	format := formats[n%len(formats)]
	lines := specimen.Zone(r, format)
	for {
		l := r.IntN(len(lines))
		c := r.IntN(len(lines[l]))
		old := lines[l][c]
		if old < '0' || old > '9' {
			continue
		}
		lines[l] = lines[l][:c] + string('0'+(old-'0'+byte(1+r.IntN(9)))%10) + lines[l][c+1:]
		break
	}
	k := specimen.Kinds[n%len(specimen.Kinds)]
	return picture{fmt.Sprintf("tampered %s %d", k.Name, n), func() image.Image {
		return specimen.NewStrip(r, lines, k.Wear(r, b.faces)).Gray
	}, [][]string{lines}}
}

// page is a scanned sheet: tilted, noisy, turned, now and then with two
// documents, or with text only.
func (b *bench) page(n int, dpi float64, text bool) picture {
	r := b.random(2000+int(dpi), n)
	p := specimen.Page{DPI: dpi, Turned: n % 4, Text: text, Noise: float64(n%3) * 6, Tilt: (r.Float64() - 0.5) * 0.28}
	if !text {
		for range 1 + n%5/4 {
			p.Zones = append(p.Zones, specimen.Zone(r, formats[r.IntN(len(formats))]))
		}
	}
	name := fmt.Sprintf("page %g dpi %d", dpi, n)
	if text {
		name = fmt.Sprintf("text %d", n)
	}
	return picture{name, func() image.Image { return p.Draw(r, b.faces) }, p.Zones}
}

// photos are the kinds of photographs: a document on a table, by a telephone,
// from a little aside.
var photos = []struct {
	name string
	hold func(r *rand.Rand, p *specimen.Photo)
}{
	{"photos", func(*rand.Rand, *specimen.Photo) {}},
	{"photos, shadow", func(r *rand.Rand, p *specimen.Photo) { p.Shadow = 0.3 + 0.4*r.Float64() }},
	{"photos, blur", func(r *rand.Rand, p *specimen.Photo) { p.Blur = float64(p.Width) / 1000 * (0.5 + 0.8*r.Float64()) }},
}

func (b *bench) photo(kind, n int) picture {
	r := b.random(3000+kind, n)
	p := specimen.Photo{Zone: specimen.Zone(r, formats[n%len(formats)]), Width: 1000 + r.IntN(3000), Turned: n % 4, JPEG: 60 + r.IntN(35)}
	photos[kind].hold(r, &p)
	return picture{fmt.Sprintf("%s %d", photos[kind].name, n), func() image.Image { return p.Draw(r, b.faces) }, [][]string{p.Zone}}
}

// specimens lists the pictures of the folder.
func (b *bench) specimens() (list []picture, err error) {
	f, err := os.Open(filepath.Join(b.folder, "truth.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no specimens in %s", b.folder)
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var truth struct {
			File  string   `json:"file"`
			Lines []string `json:"lines"`
		}
		if err := json.Unmarshal(lines.Bytes(), &truth); err != nil {
			return nil, err
		}
		p := picture{name: truth.File, image: func() image.Image { return b.load(truth.File) }}
		if len(truth.Lines) > 0 {
			p.zones = [][]string{truth.Lines}
		}
		list = append(list, p)
	}
	return list, lines.Err()
}

func (b *bench) load(name string) image.Image {
	f, err := os.Open(filepath.Join(b.folder, name))
	if err != nil {
		panic(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		panic(err)
	}
	return img
}
