package page

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"

	"lintas/mrz"
	"lintas/mrz/ocr"
)

// heapLimit is where the collector begins to work: a page of A4 at 300 dots per
// inch stays below it until it is read, and is then collected once.
const heapLimit = 84 << 20

const maxProcessors = 4

// Child is the whole life of the process that opens a document: it confines
// itself, reads a document from in, which must be descriptor 0, and writes what
// is on its pages to out. args says from which page on, counted from 1. It is
// for the command that Reader starts, and for nobody else: a process that has
// called it can open nothing any more.
//
// An error means that the answer is not whole.
func Child(in *os.File, out io.Writer, args []string) error {
	from := 1
	if len(args) > 0 {
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 1 || len(args) > 1 {
			return errors.New("cannot read page: want the number of the first page")
		}
		from = n
	}
	runtime.GOMAXPROCS(min(runtime.NumCPU(), maxProcessors)) // each takes addresses of its own
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapLimit)
	w := bufio.NewWriterSize(out, 64<<10)
	say := func(a answer) error {
		if err := json.NewEncoder(w).Encode(a); err != nil {
			return err
		}
		return w.Flush()
	}
	walls, err := confine()
	if err != nil {
		return errors.Join(err, say(answer{Begun: &begun{Fault: CodeUnconfined, Walls: walls}}))
	}
	b, err := readAll(in)
	if err != nil {
		return fmt.Errorf("cannot read the document: %w", err)
	}
	kind, doc, err := open(b)
	if err != nil {
		return say(answer{Begun: &begun{Kind: kind, Walls: walls, Fault: codeOf(err)}})
	}
	pages := doc.pages()
	if pages < 1 {
		return say(answer{Begun: &begun{Kind: kind, Walls: walls, Fault: CodeBroken}})
	}
	if err := say(answer{Begun: &begun{Kind: kind, Pages: pages, Walls: walls}}); err != nil {
		return err
	}
	for n := from; n <= min(pages, MaxPages); n++ {
		if err := say(answer{Page: look(doc, n)}); err != nil {
			return err
		}
	}
	return say(answer{Ended: true})
}

// readAll reads a document to its end, or a little more than may be.
func readAll(in *os.File) ([]byte, error) {
	size := 512 << 10
	if st, err := in.Stat(); err == nil && st.Mode().IsRegular() {
		size = int(min(st.Size(), MaxBytes)) + 1
	}
	b := make([]byte, 0, size)
	for len(b) <= MaxBytes {
		if len(b) == cap(b) {
			b = slices.Grow(b, min(len(b), MaxBytes+1-len(b)))
		}
		n, err := in.Read(b[len(b):min(cap(b), MaxBytes+1)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		} else if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// look reads one page.
func look(doc document, number int) *sheet {
	s := &sheet{Number: number}
	img, err := doc.picture(number - 1)
	if err != nil {
		s.Codes = []string{codeOf(err)}
		return s
	}
	zones, err := ocr.Read(context.Background(), img)
	if err != nil {
		s.Codes = []string{CodeTooManyPixel} // ocr.ErrTooLarge
		return s
	}
	if len(zones) > maxZones {
		s.Codes, zones = append(s.Codes, CodeZonesLeft), zones[:maxZones]
	}
	for _, z := range zones {
		s.Zones = append(s.Zones, zoneOf(img, z))
	}
	switch text := hidden(doc.text(number - 1)); {
	case len(text) > 0 && len(zones) == 0:
		s.Codes = append(s.Codes, CodeTextOnly)
	case slices.ContainsFunc(text, func(lines []string) bool { return !shown(lines, zones) }):
		s.Codes = append(s.Codes, CodeTextDiffers)
	}
	if len(zones) == 0 {
		s.Codes = append(s.Codes, CodeNoZone)
	}
	return s
}

func zoneOf(img image.Image, z ocr.Zone) zone {
	out := zone{Lines: z.Lines, Confidence: z.Confidence, Repairs: z.Repairs}
	for i, line := range z.Chars {
		for j, c := range line {
			if c.Confidence < ocr.Floor {
				out.Doubtful = append(out.Doubtful, cell{i + 1, j + 1})
			}
		}
	}
	if p := ocr.Strip(img, z); p != nil {
		size := p.Rect.Size()
		if size.X > 0 && size.Y > 0 && size.X <= maxStrip/size.Y && p.Stride == size.X {
			out.Strip = &strip{Width: size.X, Height: size.Y, Grey: p.Pix[:size.X*size.Y]}
		}
	}
	return out
}

// hidden lists the zones of a text layer.
func hidden(text string) (zones [][]string) {
	for _, lines := range mrz.Zones(mrz.Lines(text)) {
		if mrz.Parse(lines, mrz.Date{}).Format != "" {
			zones = append(zones, lines)
		}
	}
	return zones
}

// shown tells whether lines are those of a zone in the picture.
func shown(lines []string, zones []ocr.Zone) bool {
	return slices.ContainsFunc(zones, func(z ocr.Zone) bool { return slices.Equal(z.Lines, lines) })
}
