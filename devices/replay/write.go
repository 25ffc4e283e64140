package replay

import (
	"fmt"
	"io"
	"time"
)

// A Writer writes a capture, each chunk when it comes.
type Writer struct {
	w    io.Writer
	last time.Duration
}

// NewWriter writes the head.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	if h.Personal == "" {
		return nil, fmt.Errorf(`cannot write capture: its head does not say whether there are personal data in it`)
	}
	text := first + "\n"
	for _, f := range h.fields() {
		if *f.text == "" {
			continue
		}
		if wrong := h.check(f.key, *f.text); wrong != "" {
			return nil, fmt.Errorf("cannot write capture: %s", wrong)
		}
		text += f.key + ": " + *f.text + "\n"
	}
	if _, err := io.WriteString(w, text+"\n"); err != nil {
		return nil, fmt.Errorf("cannot write capture: %w", err)
	}
	return &Writer{w: w}, nil
}

// Write adds a chunk. Its time is cut to microseconds, and one before that of the
// chunk before becomes the same.
func (w *Writer) Write(k Chunk) error {
	at := min(max(k.At.Truncate(time.Microsecond), w.last, 0), maxAt)
	w.last = at
	direction := '<'
	if k.ToScanner {
		direction = '>'
	}
	for b := k.Bytes; len(b) > 0; {
		n := min(len(b), maxChunk)
		_, err := fmt.Fprintf(w.w, "%d.%06d %c %s\n", at/time.Second, at%time.Second/time.Microsecond, direction, quote(b[:n]))
		if err != nil {
			return fmt.Errorf("cannot write capture: %w", err)
		}
		b = b[n:]
	}
	return nil
}

// Mask shows the shape of what came: letters become X or x, digits 0, and what
// else there is stays, fillers and control bytes above all. The length of a name
// can still be seen, a document no more.
func Mask(b []byte) []byte {
	masked := make([]byte, len(b))
	for i, c := range b {
		high := c & 0x80 // a parity bit says much about a line
		switch c &= 0x7f; {
		case 'A' <= c && c <= 'Z':
			c = 'X'
		case 'a' <= c && c <= 'z':
			c = 'x'
		case '0' <= c && c <= '9':
			c = '0'
		}
		masked[i] = c | high
	}
	return masked
}
