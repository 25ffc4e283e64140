package mrz

import (
	"strings"
	"unicode"
)

// maxText bounds how much text Lines looks at, in bytes: hundreds of pages.
const maxText = 1 << 20

// Lines splits text that was pasted, typed or sent by a scanner into lines that
// may belong to a zone. Lines end with CR, LF, CR LF or another line break;
// blanks, control and invisible characters are dropped wherever they stand,
// small letters become capitals, "&lt;" becomes '<'. A single line of 88, 90 or
// 72 characters is cut into the zone's lines. Empty lines are left out; lines
// that belong to no zone are not: see Zones.
func Lines(text string) []string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	var lines []string
	for raw := range strings.FieldsFuncSeq(text, isLineBreak) {
		if line := clean(raw); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 1 && allIn(markedAsRead(lines[0]), letters|digits|fillers) {
		return cut(lines[0])
	}
	return lines
}

func isLineBreak(r rune) bool {
	switch r {
	case '\n', '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// clean drops what carries nothing and upper-cases the rest.
func clean(line string) string {
	line = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case r < 0x80 && r > ' ' && r != 0x7f:
			return r
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		}
		return r
	}, line)
	return strings.ReplaceAll(line, "&LT;", "<")
}

// markedAsRead hides the marks of unread cells from a check of characters.
func markedAsRead(line string) string { return strings.ReplaceAll(line, string(unread), "<") }

// cut divides a zone that arrived as one string.
func cut(line string) []string {
	for i := range layouts {
		l := &layouts[i]
		if len(line) != l.lines*l.width {
			continue
		}
		var lines []string
		for ; line != ""; line = line[l.width:] {
			lines = append(lines, line[:l.width])
		}
		return lines
	}
	return []string{line}
}

// Zones picks out of lines the groups that look like a zone: the right number
// of neighbours of the right length, made of a zone's characters, with dates
// where dates belong. Text with several zones gives several groups, in order.
// If there is none and the lines are so few that they can only be meant as
// one zone, they are returned as that, for Parse to say what is wrong.
func Zones(lines []string) [][]string {
	var zones [][]string
	for i := 0; i < len(lines); {
		if l := zoneAt(lines[i:]); l != nil {
			zones = append(zones, lines[i:i+l.lines:i+l.lines])
			i += l.lines
		} else {
			i++
		}
	}
	if zones == nil && 0 < len(lines) && len(lines) <= maxLines {
		zones = append(zones, lines)
	}
	return zones
}

// zoneAt returns the layout of the zone that lines begin with, if any.
func zoneAt(lines []string) *layout {
	for i := range layouts {
		l := &layouts[i]
		if len(lines) >= l.lines && l.plausible(lines[:l.lines]) {
			return l
		}
	}
	return nil
}

// plausible reports whether lines look like a zone of this layout. It must
// tolerate misread cells, and reject headings of the right length.
func (l *layout) plausible(lines []string) bool {
	seen := false
	for _, line := range lines {
		if len(line) != l.width || !allIn(markedAsRead(line), letters|digits|fillers) {
			return false
		}
		seen = seen || strings.IndexByte(line, filler) >= 0
	}
	if !seen || is(lines[0][0], digits|fillers) {
		return false
	}
	z := l.lay(lines)
	cells := markedAsRead(z.cells(l.birth) + z.cells(l.expiry))
	good := 0
	for i := 0; i < len(cells); i++ {
		if is(cells[i], digits|fillers) {
			good++
		}
	}
	return good*3 >= len(cells)*2
}

// ParseText reads every zone in a text: Lines, Zones and Parse in one. Text
// without any gives no document.
func ParseText(text string, today Date) []Document {
	var docs []Document
	for _, lines := range Zones(Lines(text)) {
		docs = append(docs, Parse(lines, today))
	}
	return docs
}
