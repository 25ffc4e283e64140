package profile

import "strings"

// encodeText is what most readers send.
func encodeText(lines []string) []byte { return []byte(strings.Join(lines, "\r") + "\r") }

// encodeOpen has no end.
func encodeOpen(lines []string) []byte { return []byte(strings.Join(lines, "\r")) }

// encodeNative: three lines, of which the upper ones are missing; a length of 14
// bits, the low ones first.
func encodeNative(lines []string) []byte {
	text := "0" + strings.Repeat("\r", 3-min(3, len(lines))) + strings.Join(lines, "\r") + "\r"
	n := len(text)
	b := []byte{soh, byte(n & 0x7f), byte(n >> 7), 'O', 'U', stx}
	b = append(append(b, text...), etx)
	sum := byte(0)
	for _, c := range b[1:] {
		sum ^= c
	}
	return append(b, sum)
}

func encodeCute(lines []string) []byte {
	return []byte("\x81\x02" + strings.Join(lines, "\r") + "\r\x03\x8f")
}

func encodeWords(lines []string) []byte {
	var third string
	if len(lines) > 2 {
		third = lines[2]
	}
	return []byte("START\rOCR LINE 1: " + lines[0] + "\rOCR LINE 2: " + lines[1] + "\rOCR LINE 3:" + third + "\rMSR LINE 1:\rMSR LINE 2:\rEND\r")
}

func encodeTLV(lines []string) []byte {
	text := encodeText(lines)
	return append([]byte{tag, byte(len(text) >> 8), byte(len(text))}, text...)
}
