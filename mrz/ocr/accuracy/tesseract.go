package main

import (
	"bytes"
	"image"
	"image/png"
	"os/exec"
	"strings"
)

// tesseract asks Debian's Tesseract with the model for English and a list of
// the characters of a zone, and returns the lines that it reads, blanks taken
// out.
func tesseract(img image.Image) (lines []string) {
	var in bytes.Buffer
	if err := png.Encode(&in, img); err != nil {
		return nil
	}
	cmd := exec.Command("tesseract", "-", "-", "-l", "eng", "--psm", "6", "-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<")
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.ReplaceAll(strings.TrimSpace(line), " ", ""); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
