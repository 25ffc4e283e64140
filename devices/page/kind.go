package page

import "bytes"

// Kind is what a document is, by its content.
type Kind string

// The kinds that are read.
const (
	PDF  Kind = "PDF"
	TIFF Kind = "TIFF"
	JPEG Kind = "JPEG"
	PNG  Kind = "PNG"
)

// SniffLength is how many bytes of a document Sniff looks at.
const SniffLength = 1024

// Sniff tells what a document is by its first bytes. If it is none of the kinds
// that are read, other says in English what it looks like; both are empty for
// text and for what nobody knows.
func Sniff(b []byte) (kind Kind, other string) {
	b = b[:min(len(b), SniffLength)]
	switch {
	case pdfStart(b) >= 0:
		return PDF, ""
	case bytes.HasPrefix(b, []byte("II*\x00")), bytes.HasPrefix(b, []byte("MM\x00*")):
		return TIFF, ""
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return JPEG, ""
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return PNG, ""
	}
	for _, o := range others {
		if len(b) > o.at && bytes.HasPrefix(b[o.at:], []byte(o.magic)) {
			return "", o.name
		}
	}
	return "", ""
}

// pdfStart is where a PDF begins. Some programs write a mark or blanks before
// it, which every reader forgives.
func pdfStart(b []byte) int {
	blank := len(b) - len(bytes.TrimLeft(b, "\ufeff \t\r\n\x00"))
	if bytes.HasPrefix(b[blank:], []byte("%PDF-")) {
		return blank
	}
	return -1
}

// others are files that people take for scanned pages, and files that they drop
// by mistake.
var others = []struct {
	at    int
	magic string
	name  string
}{
	{0, "GIF8", "a GIF picture"},
	{0, "BM", "a BMP picture"},
	{0, "\x00\x00\x00\x0cjP  ", "a JPEG 2000 picture"},
	{0, "\xff\x4f\xff\x51", "a JPEG 2000 picture"},
	{0, "\xff\x0a", "a JPEG XL picture"},
	{0, "\x00\x00\x00\x0cJXL ", "a JPEG XL picture"},
	{0, "II+\x00", "a BigTIFF picture"},
	{0, "MM\x00+", "a BigTIFF picture"},
	{0, "II\xbc\x01", "a JPEG XR picture"},
	{0, "8BPS", "a Photoshop picture"},
	{4, "ftypheic", "a HEIC photograph"},
	{4, "ftypheix", "a HEIC photograph"},
	{4, "ftypmif1", "a HEIF photograph"},
	{4, "ftypmsf1", "a HEIF photograph"},
	{4, "ftypavif", "an AVIF picture"},
	{4, "ftyp", "a film"},
	{8, "WEBP", "a WebP picture"},
	{128, "DICM", "a DICOM picture"},
	{0, "PK\x03\x04", "a ZIP archive or an office document"},
	{0, "\xd0\xcf\x11\xe0", "an old office document"},
	{0, "{\\rtf", "an RTF document"},
	{0, "%!PS", "a PostScript document"},
	{0, "AT&TFORM", "a DjVu document"},
	{0, "Rar!", "a RAR archive"},
	{0, "7z\xbc\xaf", "a 7-Zip archive"},
	{0, "\x1f\x8b", "a gzip archive"},
	{0, "\x7fELF", "a program"},
	{0, "MZ", "a program"},
	{0, "SQLite format 3", "a database"},
}
