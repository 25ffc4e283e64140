package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"

	"lintas/mrz/ocr/specimen"
)

// dropPage does what a page scanner does: it scans a passport somewhere on a
// sheet of A4, not quite straight, and drops the PDF in the folder that the
// agent watches, under its name only when it is whole.
func (s *system) dropPage(n int, t traveller, lines []string) error {
	r := rand.New(rand.NewPCG(uint64(n), 9303))
	sheet := specimen.Page{Zones: [][]string{lines}, Tilt: 0.08 * (r.Float64() - 0.5)}
	if t.faint {
		sheet.Noise = 170
	}
	hidden := s.path("pages/.scan.pdf")
	f, err := os.OpenFile(hidden, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot scan a page: %w", err)
	}
	err = errors.Join(specimen.PDF(f, 300, 85, sheet.Draw(r, s.faces)), f.Close())
	return errors.Join(err, os.Rename(hidden, s.path(fmt.Sprintf("pages/scan-%04d.pdf", n))))
}
