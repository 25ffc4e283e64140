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
	var (
		seed   = flag.Uint64("seed", 9303, "of all chance")
		strips = flag.Int("strips", 16000, "zones to print for training")
		epochs = flag.Int("epochs", 8, "times to go through all cells")
		hidden = flag.Int("hidden", 224, "units of the hidden layer, a multiple of 4")
		folder = flag.String("o", "mrz/ocr/glyph", "folder that gets weights.bin and weights.txt")
	)
	flag.Parse()
	if err := run(*seed, *strips, *epochs, *hidden, *folder); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(seed uint64, strips, epochs, hidden int, folder string) error {
	began := time.Now()
	press, err := newPress()
	if err != nil {
		return err
	}
	cells := press.cells(seed, strips)
	held := press.cells(seed+1, max(1, strips/20))
	fmt.Printf("%d cells to learn, %d held out, printed in %s\n", len(cells), len(held), time.Since(began).Round(time.Second))
	t := newTrainer(seed, hidden)
	for epoch := range epochs {
		loss := t.epoch(cells, epoch, epochs)
		fmt.Printf("epoch %2d: loss %.4f, held out: %s, %s\n", epoch+1, loss, measure(t.net, held), time.Since(began).Round(time.Second))
	}
	temperature := calibrate(t.net, press.cells(seed+2, max(1, strips/20)))
	packed := t.net.Pack()
	net, err := glyph.Unpack(packed)
	if err != nil {
		return err
	}
	report := fmt.Sprintf("Weights of package glyph, made by make train.\n\nseed %d, %d strips, %d cells, %d epochs, %d hidden units, %d bytes\ncalibrated by a temperature of %.3f (seed %d)\nheld out (seed %d), as packed: %s\n\n%s",
		seed, strips, len(cells), epochs, hidden, len(packed), temperature, seed+2, seed+1, measure(net, held), reliability(net, held))
	fmt.Print(report)
	if err := os.WriteFile(folder+"/weights.bin", packed, 0o644); err != nil {
		return err
	}
	return os.WriteFile(folder+"/weights.txt", []byte(report), 0o644)
}
