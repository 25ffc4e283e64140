package page_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/jpeg"
	"strings"
	"testing"
)

// tiff writes grey pictures without compression; dpi 0: without a resolution.
func tiff(dpi uint32, pages ...*image.Gray) []byte {
	var b bytes.Buffer
	le := binary.LittleEndian
	b.WriteString("II*\x00\x08\x00\x00\x00")
	for i, p := range pages {
		at := uint32(b.Len())
		entries := 9
		if dpi > 0 {
			entries += 3
		}
		end := at + 2 + uint32(12*entries) + 4
		data := end + 16
		entry := func(tag, kind uint16, value uint32) {
			b.Write(le.AppendUint16(nil, tag))
			b.Write(le.AppendUint16(nil, kind))
			b.Write(le.AppendUint32(nil, 1))
			b.Write(le.AppendUint32(nil, value))
		}
		b.Write(le.AppendUint16(nil, uint16(entries)))
		size := p.Rect.Size()
		entry(256, 4, uint32(size.X))
		entry(257, 4, uint32(size.Y))
		entry(258, 3, 8)
		entry(259, 3, 1)
		entry(262, 3, 1)
		entry(273, 4, data)
		entry(277, 3, 1)
		entry(278, 4, uint32(size.Y))
		entry(279, 4, uint32(size.X*size.Y))
		if dpi > 0 {
			entry(282, 5, end)
			entry(283, 5, end+8)
			entry(296, 3, 2)
		}
		next := data + uint32(len(p.Pix))
		if i == len(pages)-1 {
			next = 0
		}
		b.Write(le.AppendUint32(nil, next))
		for range 2 {
			b.Write(le.AppendUint32(nil, dpi))
			b.Write(le.AppendUint32(nil, 1))
		}
		b.Write(p.Pix)
	}
	return b.Bytes()
}

// objects writes a PDF of numbered objects, the first its catalogue. MuPDF
// mends the missing table.
func objects(all ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	for i, o := range all {
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	b.WriteString("trailer\n<</Root 1 0 R>>\n%%EOF\n")
	return b.Bytes()
}

func stream(dict, content string) string {
	return fmt.Sprintf("<<%s/Length %d>>\nstream\n%s\nendstream", dict, len(content), content)
}

// drawn is a PDF of one page with a content.
func drawn(width, height int, content string) []byte {
	return objects("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
		fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 4 0 R>>", width, height), stream("", content))
}

// many is a PDF of n pages without anything on them.
func many(n int) []byte {
	kids := strings.Repeat(" 3 0 R", n)
	return objects("<</Type/Catalog/Pages 2 0 R>>", fmt.Sprintf("<</Type/Pages/Count %d/Kids[%s]>>", n, kids),
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>")
}

// encrypted needs a password: its hash fits none.
func encrypted() []byte {
	b := objects("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
		"<</Filter/Standard/V 1/R 2/Length 40/P -4/O<"+strings.Repeat("41", 32)+">/U<"+strings.Repeat("42", 32)+">>>")
	return bytes.Replace(b, []byte("<</Root 1 0 R>>"), []byte("<</Root 1 0 R/Encrypt 4 0 R/ID[<01><01>]>>"), 1)
}

// withText is a scanned page with an invisible text layer, as programs write it
// that make scans searchable.
func withText(t testing.TB, scan image.Image, lines []string) []byte {
	t.Helper()
	var picture bytes.Buffer
	if err := jpeg.Encode(&picture, scan, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	size := scan.Bounds().Size()
	text := "q 595.2 0 0 841.92 0 0 cm /S Do Q BT 3 Tr /F 10 Tf 12 TL 60 120 Td"
	for _, line := range lines {
		text += " (" + line + ") Tj T*"
	}
	return objects("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Count 1/Kids[3 0 R]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595.2 841.92]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>/XObject<</S 6 0 R>>>>>>",
		stream("", text+" ET"), "<</Type/Font/Subtype/Type1/BaseFont/Courier>>",
		stream(fmt.Sprintf("/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray/Filter/DCTDecode", size.X, size.Y), picture.String()))
}

// endless is a PDF whose page takes minutes to render.
func endless() []byte { return drawn(595, 842, longPath()) }

func longPath() string {
	var b strings.Builder
	b.WriteString("0 0 m\n")
	for i := range 300000 {
		fmt.Fprintf(&b, "%d %d l\n", i*7919%595, i*104729%842)
	}
	b.WriteString("S\n")
	return b.String()
}
