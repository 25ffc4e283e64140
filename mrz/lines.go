package mrz

import (
	"slices"
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
	for raw := range strings.FieldsFuncSeq(breaksInMarkup.Replace(text), isLineBreak) {
		for _, line := range columns(clean(raw)) {
			if line = bare(line); line != "" {
				lines = append(lines, cut(line)...)
			}
		}
	}
	return lines
}

// breaksInMarkup are the ways in which line breaks are written where there
// cannot be any.
var breaksInMarkup = strings.NewReplacer(`\r`, "\n", `\n`, "\n", "<br>", "\n", "<br/>", "\n", "<br />", "\n", "<BR>", "\n",
	"<pre>", "\n", "</pre>", "\n")

// columns divides a line whose parts, between bars, have a zone's width. A bar
// elsewhere is a misread character.
func columns(line string) []string {
	parts := strings.Split(line, "|")
	for _, part := range parts {
		if len(parts) > maxLines || !isWidth(len(part)) {
			return []string{line}
		}
	}
	return parts
}

// bare takes off what people and programs put around a line: quotes and other
// signs that are in no zone, and a label such as "1:" or "MRZ>" before what then
// has a zone's width.
func bare(line string) string {
	const longestLabel = 8
	line = strings.TrimFunc(line, func(r rune) bool {
		return r >= 0x80 || is(byte(r), illegal) && !strings.ContainsRune("|!$", r)
	})
	if i := strings.IndexAny(line, ":>)"); 0 < i && i <= longestLabel && isWidth(len(line)-i-1) {
		return line[i+1:]
	}
	return line
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

var fillersInHTML = strings.NewReplacer("&AMP;", "&", "&LT;", "<", "&LT", "<", "%3C", "<", "&#60;", "<", "&#X3C;", "<", "&LAQUO;", "«")

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
	if strings.ContainsAny(line, "&%") {
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
	switch len(line) {
	case 60, 90:
		return pieces(line, of(TD1).width, of(TD1).width)
	case 72:
		return pieces(line, of(TD2).width)
	case 88:
		return pieces(line, of(TD3).width)
	case 69:
		return pieces(line, of(CHDL).first, of(CHDL).width)
	}
	return cutByDates(line)
}

// pieces cuts a line after widths, as far as it reaches; the last piece is what
// is left.
func pieces(line string, widths ...int) (lines []string) {
	for _, width := range widths {
		if width >= len(line) {
			break
		}
		lines, line = append(lines, line[:width]), line[width:]
	}
	return append(lines, line)
}

// cutByDates divides a line that is a whole zone but for some fillers. Where the
// lines met is seen by the dates: all lines but the last are whole, or the last
// of two is.
func cutByDates(line string) []string {
	best, most := []string{line}, 0
	if widest := of(TD3).width + slack; len(line) <= widest || len(line) > 2*widest {
		return best
	}
	for i := range layouts {
		l := &layouts[i]
		if l.first > 0 {
			continue
		}
		ways := [][]string{pieces(line, slices.Repeat([]int{l.width}, l.lines-1)...)}
		if l.lines == 2 {
			ways = append(ways, pieces(line, len(line)-l.width))
		}
		for _, way := range ways {
			if !l.resembles(way) || !l.plausible(way) {
				continue
			}
			if n := l.digitsIn(way); n > most && n >= l.datesWidth() {
				best, most = way, n
			}
		}
	}
	return best
}

// datesWidth is how many digits dates have, with one to spare for a misreading:
// digitsIn counts one more.
func (l *layout) datesWidth() int {
	return l.birth.width() + l.birthDigit.width() + l.expiry.width() + l.expiryDigit.width()
}
