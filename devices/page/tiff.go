package page

import (
	"encoding/binary"
	"image"
)

// Tags of a TIFF directory (TIFF 6.0, section 8).
const (
	tagWidth  = 256
	tagLength = 257
)

// tiffPictures gives the size in pixels of each picture in a TIFF, as its
// directories claim it. A directory that cannot be read ends the list: it is for
// MuPDF to say what is wrong with the file.
func tiffPictures(b []byte) (sizes []image.Point) {
	if len(b) < 8 {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 'M' {
		order = binary.BigEndian
	}
	seen := map[uint32]bool{}
	for at := order.Uint32(b[4:]); at != 0 && !seen[at] && len(sizes) <= MaxPages; {
		seen[at] = true
		if int64(at)+2 > int64(len(b)) {
			return sizes
		}
		n := int64(order.Uint16(b[at:]))
		end := int64(at) + 2 + 12*n
		if end+4 > int64(len(b)) {
			return sizes
		}
		var size image.Point
		for entry := int64(at) + 2; entry < end; entry += 12 {
			value := int(order.Uint32(b[entry+8:]))
			if order.Uint16(b[entry+2:]) == 3 { // a short stands in the first two bytes
				value = int(order.Uint16(b[entry+8:]))
			}
			switch order.Uint16(b[entry:]) {
			case tagWidth:
				size.X = value
			case tagLength:
				size.Y = value
			}
		}
		sizes = append(sizes, size)
		at = order.Uint32(b[end:])
	}
	return sizes
}
