package mrz

import (
	"strings"
	"unicode"
)

// maxText bounds how much text is looked at, in bytes: hundreds of pages.
const maxText = 1 << 20

// Lines splits text that was pasted, typed or sent by a scanner into lines that
// may belong to a zone. Lines end with CR, LF, CR LF or another line break;
// blanks, control and invisible characters are dropped wherever they stand,
// small letters become capitals, and the signs that stand for fillers in other
// alphabets and in HTML become '<'. A line that is a whole zone, or two lines
// of one, is cut up. Empty lines are left out; lines that belong to no zone are
// not: see Zones.
func Lines(text string) []string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	var lines []string
	for raw := range strings.FieldsFuncSeq(text, isLineBreak) {
		if line := clean(raw); line != "" {
			lines = append(lines, cut(line)...)
		}
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

// doubleFiller is a sign that pictures of two fillers are read as, and now and
// then those of one.
const doubleFiller = '«'

var fillersInHTML = strings.NewReplacer("&AMP;", "&", "&LT;", "<", "&#60;", "<", "&#X3C;", "<", "&LAQUO;", "«")

// clean drops what carries nothing and upper-cases the rest.
func clean(line string) string {
	doubles := false
	line = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case r < 0x80 && r > ' ' && r != 0x7f:
			return r
		case unicode.IsSpace(r), unicode.IsControl(r), unicode.Is(unicode.Cf, r):
			return -1
		case '０' <= r && r <= '９':
			return r - '０' + '0'
		case 'Ａ' <= r && r <= 'Ｚ':
			return r - 'Ａ' + 'A'
		case 'ａ' <= r && r <= 'ｚ':
			return r - 'ａ' + 'A'
		}
		switch r {
		case '‹', '＜', '〈', '⟨', '˂', '❮':
			return filler
		case doubleFiller, '≪', '《', '⟪':
			doubles = true
			return doubleFiller
		}
		return r
	}, line)
	if strings.IndexByte(line, '&') >= 0 {
		// Twice, for text that was escaped twice.
		line = fillersInHTML.Replace(fillersInHTML.Replace(line))
		doubles = true
	}
	if doubles {
		line = spread(line)
	}
	return line
}

// spread turns double fillers into two each, or into one each if the line then
// has a zone's width and otherwise has not.
func spread(line string) string {
	two := strings.ReplaceAll(line, string(doubleFiller), "<<")
	one := strings.ReplaceAll(line, string(doubleFiller), "<")
	if !isWidth(len(two)) && isWidth(len(one)) {
		return one
	}
	return two
}

func isWidth(n int) bool {
	for i := range layouts {
		if n == layouts[i].width {
			return true
		}
	}
	return false
}

// cut divides a line that is several lines of a zone.
func cut(line string) []string {
	if !allIn(line, letters|digits|fillers|unreads) || strings.IndexByte(line, filler) < 0 {
		return []string{line}
	}
	first, width := 0, 0
	switch len(line) {
	case 60, 90:
		width = of(TD1).width
	case 72:
		width = of(TD2).width
	case 88:
		width = of(TD3).width
	case 69:
		first, width = of(CHDL).first, of(CHDL).width
	default:
		return []string{line}
	}
	var lines []string
	if first > 0 {
		lines, line = append(lines, line[:first]), line[first:]
	}
	for ; line != ""; line = line[width:] {
		lines = append(lines, line[:width])
	}
	return lines
}
