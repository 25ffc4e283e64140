// Command train makes the weights of package glyph: it prints specimens of
// invented holders in OCR-B with every kind of wear, cuts them into cells and
// trains the network on these. The same seed gives the same weights on the same
// kind of processor.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"lintas/mrz/ocr/glyph"
)

func main() {
	var p plan
	flag.Uint64Var(&p.seed, "seed", 9303, "of all chance")
	flag.IntVar(&p.strips, "strips", 16000, "zones to print for training")
	flag.IntVar(&p.epochs, "epochs", 6, "times to go through all cells")
	flag.IntVar(&p.hidden, "hidden", 128, "units of the hidden layer, a multiple of 4")
	flag.StringVar(&p.folder, "o", "mrz/ocr/glyph", "folder that gets weights.bin and weights.txt")
	flag.BoolVar(&p.calibrate, "calibrate", false, "train nothing, calibrate the weights that are there")
	flag.Parse()
	if err := p.run(); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// A plan says what to train.
type plan struct {
	seed                   uint64
	strips, epochs, hidden int
	folder                 string
	calibrate              bool
}

// Seeds of cells that are not learnt from follow the plan's own.
const (
	heldOut = 1 + iota
	calibrating
)

func (p *plan) run() error {
	began := time.Now()
	press, err := newPress()
	if err != nil {
		return err
	}
	few := max(1, p.strips/20)
	held := press.cells(p.seed+heldOut, few)
	var net *glyph.Net
	var story string
	if p.calibrate {
		net = glyph.Trained()
		story = fmt.Sprintf("calibrated once more, seed %d, %d hidden units", p.seed, net.Hidden)
	} else {
		cells := press.cells(p.seed, p.strips)
		fmt.Printf("%d cells to learn, %d held out, printed in %s\n", len(cells), len(held), time.Since(began).Round(time.Second))
		t := newTrainer(p.seed, p.hidden)
		for epoch := range p.epochs {
			loss := t.epoch(cells, epoch, p.epochs)
			fmt.Printf("epoch %2d: loss %.4f, held out: %s, %s\n", epoch+1, loss, measure(t.net, held), time.Since(began).Round(time.Second))
		}
		net = t.net
		story = fmt.Sprintf("seed %d, %d strips, %d cells, %d epochs, %d hidden units", p.seed, p.strips, len(cells), p.epochs, p.hidden)
	}
	temperature := calibrate(net, press.cells(p.seed+calibrating, few))
	packed := net.Pack()
	if net, err = glyph.Unpack(packed); err != nil {
		return err
	}
	report := fmt.Sprintf("Weights of package glyph, made by make train.\n\n%s, %d bytes\ncalibrated by a temperature of %.3f (seed %d)\nheld out (seed %d), as packed: %s\n\n%s",
		story, len(packed), temperature, p.seed+calibrating, p.seed+heldOut, measure(net, held), reliability(net, held))
	fmt.Print(report)
	if err := os.WriteFile(p.folder+"/weights.bin", packed, 0o644); err != nil {
		return err
	}
	return os.WriteFile(p.folder+"/weights.txt", []byte(report), 0o644)
}
