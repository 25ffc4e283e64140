package main

import (
	"bytes"
	"image"
	"image/png"
	"os/exec"
	"strings"
	"time"
)

// tesseract asks Debian's Tesseract with the model for English and a list of
// the characters of a zone, and returns the lines that it reads, blanks taken
// out, and the processor time that it took.
func tesseract(img image.Image) (lines []string, took time.Duration) {
	var in bytes.Buffer
	if err := png.Encode(&in, img); err != nil {
		return nil, 0
	}
	cmd := exec.Command("tesseract", "-", "-", "-l", "eng", "--psm", "6", "-c", "tessedit_char_whitelist=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<")
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		return nil, 0
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.ReplaceAll(strings.TrimSpace(line), " ", ""); line != "" {
			lines = append(lines, line)
		}
	}
	return lines, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}
