// Package replay keeps what a scanner sent, with its pace, in a file that people
// can read, and plays it back on a pseudo-terminal that a program can open like
// the scanner's port.
//
// A capture is text:
//
//	lintas capture 1
//	made by: lintas scanner record
//	reader: Elyctis ID BOX One
//	profile: elyctis
//	line: 9600 8N1
//	date: 2026-11-26
//	personal data: none
//
//	0.000000 < "I\x00ZP<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\r"
//	0.012000 < "L898902C36UTO7408122F1204159ZE184226B<<<<<10\r"
//	0.014500 > "C\x00\x01\x01"
//
// The first line names the format and its version. A head follows, of which
// "personal data" must be there and all else may be missing, and after an empty
// line the bytes: seconds since the beginning, whether they came from (<) or went
// to (>) the scanner, and the bytes in quotes, with \r, \n, \t, \", \\ and \xNN
// for what is not printable ASCII. A line that begins with # says something to
// people.
//
// A capture with real documents in it is personal data: its head says so. Mask
// makes one that shows the shape of what came and no document.
package replay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const (
	first = "lintas capture 1"

	// maxChunk is the most bytes of one line, more than a tty hands over at once.
	maxChunk = 1 << 16
	// maxText is the longest text of a field of the head.
	maxText = 200
	// maxAt bounds the time of a chunk, so that it can be told in nanoseconds.
	maxAt = 100 * 365 * 24 * time.Hour
	// maxLine is the longest line of a file: a chunk, each byte as \xNN.
	maxLine = 4*maxChunk + 64
)

// Personal says whether documents of real people are in a capture.
type Personal string

const (
	NoPerson Personal = "none"   // invented, or from a specimen
	Masked   Personal = "masked" // of real people, by Mask: shapes only
	RealData Personal = "yes"    // as it was sent
)

// A Header says where a capture comes from. Each text is one line.
type Header struct {
	MadeBy   string
	Reader   string // which device it was
	Profile  string // of package profile
	Line     string // "9600 8N1"
	Date     string // YYYY-MM-DD
	Personal Personal
}

// A Chunk is what came, or went, at once.
type Chunk struct {
	At        time.Duration // since the beginning; in whole microseconds, never less than that of the chunk before
	ToScanner bool
	Bytes     []byte
}

// A Capture is a file that was read.
type Capture struct {
	Header
	Chunks []Chunk
}

// Sent is all that came from the scanner.
func (c *Capture) Sent() (b []byte) {
	for _, k := range c.Chunks {
		if !k.ToScanner {
			b = append(b, k.Bytes...)
		}
	}
	return b
}

// A SyntaxError says what is wrong with a capture, without quoting it.
type SyntaxError struct {
	Line   int // from 1
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("cannot read capture: line %d: %s", e.Line, e.Reason)
}

// Read reads a capture. An error in it is a *SyntaxError.
func Read(r io.Reader) (*Capture, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	c := new(Capture)
	n, inHead := 0, true
	fail := func(format string, args ...any) (*Capture, error) {
		return nil, &SyntaxError{max(n, 1), fmt.Sprintf(format, args...)}
	}
	for lines.Scan() {
		n++
		line := lines.Text()
		switch {
		case n == 1:
			if line != first {
				return fail("it does not begin with %q: this is not a capture, or one of another version", first)
			}
		case strings.HasPrefix(line, "#"):
		case inHead && line == "":
			inHead = false
		case inHead:
			if reason := c.Header.read(line); reason != "" {
				return fail("%s", reason)
			}
		case line == "":
		default:
			k, reason := readChunk(line)
			if reason == "" && len(c.Chunks) > 0 && k.At < c.Chunks[len(c.Chunks)-1].At {
				reason = "its time is before that of the line above"
			}
			if reason != "" {
				return fail("%s", reason)
			}
			c.Chunks = append(c.Chunks, k)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		n++
		return fail("it is longer than %d characters", maxLine)
	case err != nil:
		return nil, fmt.Errorf("cannot read capture: %w", err)
	case n == 0:
		return fail("it is empty")
	case c.Personal == "":
		return fail(`the head does not say "personal data: none", "masked" or "yes"`)
	}
	return c, nil
}

// fields of a head in the order in which they are written.
func (h *Header) fields() []struct {
	key  string
	text *string
} {
	return []struct {
		key  string
		text *string
	}{
		{"made by", &h.MadeBy}, {"reader", &h.Reader}, {"profile", &h.Profile}, {"line", &h.Line}, {"date", &h.Date},
		{"personal data", (*string)(&h.Personal)},
	}
}

// read takes one line of the head and says what is wrong with it.
func (h *Header) read(line string) string {
	key, text, ok := strings.Cut(line, ": ")
	if !ok {
		return `it is not "key: text"; an empty line ends the head`
	}
	for _, f := range h.fields() {
		if f.key == key {
			if *f.text != "" {
				return fmt.Sprintf("%q is there twice", key)
			}
			*f.text = text
			return h.check(f.key, text)
		}
	}
	return "" // of a newer version
}

func (h *Header) check(key, text string) string {
	if text == "" || len(text) > maxText || strings.TrimSpace(text) != text || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Sprintf("%q must be 1 to %d printable ASCII characters without blanks around them", key, maxText)
	}
	switch h.Personal {
	case "", NoPerson, Masked, RealData:
		return ""
	}
	return `"personal data" must be none, masked or yes`
}

// readChunk reads `0.012000 < "…"` and says what is wrong with it.
func readChunk(line string) (k Chunk, wrong string) {
	at, rest, ok := strings.Cut(line, " ")
	direction, quoted, also := strings.Cut(rest, " ")
	if !ok || !also || direction != "<" && direction != ">" {
		return k, `it is not a time, "<" or ">", and bytes in quotes`
	}
	if k.At, ok = readTime(at); !ok {
		return k, `its time is not in seconds and six decimals, like 0.012000`
	}
	k.ToScanner = direction == ">"
	if k.Bytes, ok = unquote(quoted); !ok {
		return k, `its bytes are not in quotes, with \r, \n, \t, \", \\ or \xNN for what is not printable`
	}
	if len(k.Bytes) == 0 || len(k.Bytes) > maxChunk {
		return k, fmt.Sprintf("it has not 1 to %d bytes", maxChunk)
	}
	return k, ""
}

func readTime(s string) (time.Duration, bool) {
	seconds, micro, ok := strings.Cut(s, ".")
	if !ok || len(micro) != 6 || len(seconds) == 0 || len(seconds) > 1 && seconds[0] == '0' {
		return 0, false
	}
	n, err := strconv.ParseUint(seconds+micro, 10, 63)
	if err != nil || n > uint64(maxAt/time.Microsecond) {
		return 0, false
	}
	return time.Duration(n) * time.Microsecond, true
}

// escapes are the bytes with a short name.
const (
	escaped = "rnt\"\\"
	escapes = "\r\n\t\"\\"
)

const hexDigits = "0123456789abcdef"

func quote(b []byte) string {
	var s strings.Builder
	s.WriteByte('"')
	for _, c := range b {
		switch i := strings.IndexByte(escapes, c); {
		case i >= 0:
			s.Write([]byte{'\\', escaped[i]})
		case c < ' ' || c > '~':
			s.Write([]byte{'\\', 'x', hexDigits[c>>4], hexDigits[c&15]})
		default:
			s.WriteByte(c)
		}
	}
	s.WriteByte('"')
	return s.String()
}

// unquote reads what quote writes, and nothing else.
func unquote(s string) (b []byte, ok bool) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return nil, false
	}
	for s = s[1 : len(s)-1]; s != ""; {
		c := s[0]
		s = s[1:]
		switch {
		case c == '"' || c < ' ' || c > '~':
			return nil, false
		case c != '\\':
		case len(s) >= 3 && s[0] == 'x':
			high, low := strings.IndexByte(hexDigits, s[1]), strings.IndexByte(hexDigits, s[2])
			if high < 0 || low < 0 {
				return nil, false
			}
			c = byte(high<<4 | low)
			if c >= ' ' && c <= '~' || strings.IndexByte(escapes, c) >= 0 {
				return nil, false // it has a shorter form
			}
			s = s[3:]
		default:
			i := -1
			if s != "" {
				i = strings.IndexByte(escaped, s[0])
			}
			if i < 0 {
				return nil, false
			}
			c, s = escapes[i], s[1:]
		}
		b = append(b, c)
	}
	return b, true
}
