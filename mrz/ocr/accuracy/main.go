// Command accuracy measures how well package ocr reads, by kind of wear, on
// specimens that it prints from a seed: strips, tampered strips, scanned pages
// and pages of text, and the pictures of a folder that says what they show.
// Tesseract, where it is installed, reads the same pictures.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	var b bench
	flag.Uint64Var(&b.seed, "seed", 1, "of all chance")
	flag.IntVar(&b.strips, "strips", 25, "strips of each kind of wear")
	flag.IntVar(&b.tampered, "tampered", 300, "strips with one wrong digit")
	flag.IntVar(&b.pages, "pages", 12, "scanned pages")
	flag.StringVar(&b.folder, "folder", "../shared/data/pages", "folder with pictures and truth.jsonl")
	flag.BoolVar(&b.tesseract, "tesseract", false, "also ask Tesseract")
	flag.StringVar(&b.failed, "failed", "", "folder that gets the pictures that were misread")
	flag.IntVar(&b.workers, "workers", 1, "pictures read at the same time; with more than 1, times are those of all")
	flag.Parse()
	if err := b.run(); err != nil {
		fmt.Fprintln(os.Stderr, "accuracy:", err)
		os.Exit(1)
	}
}
