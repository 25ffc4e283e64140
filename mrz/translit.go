package mrz

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// fold writes a name in the letters of a zone: capitals A to Z, single blanks
// between the parts. Letters are transliterated by the tables of Doc 9303-3
// section 6 (Latin, Cyrillic, Arabic) and, for Greek, of ELOT 743; style
// settles what those leave open. Hyphens, commas, fillers and white space
// separate parts; apostrophes and all other punctuation vanish (§4.6).
//
// Characters that no table reaches (digits, other scripts) are kept, so that
// names which differ only in them stay different; foreign is the first of them,
// 0 if there is none.
func fold(s string, st style) (folded string, foreign rune) {
	if !isASCII(s) {
		s = norm.NFC.String(s)
	}
	f := folder{style: st, out: make([]byte, 0, len(s)+8)}
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		i += size
		i += f.add(unicode.ToUpper(r), s[i:])
	}
	f.endPart()
	return string(f.out), f.foreign
}

// A folder is a name being folded.
type folder struct {
	style
	out     []byte
	gap     bool // a part has ended
	foreign rune
	last    string // what the letter before became, for Arabic
	teh     bool   // the letter before was teh marbuta
}

// add folds one capital. It returns how many bytes of rest, the text after it,
// belong to it.
func (f *folder) add(r rune, rest string) (taken int) {
	switch {
	case 'A' <= r && r <= 'Z':
		f.put("ABCDEFGHIJKLMNOPQRSTUVWXYZ"[r-'A':][:1])
	case separates(r):
		f.endPart()
	case isArabic(r):
		if !f.arabic(r) {
			f.keep(r)
		}
	default:
		to, taken := f.letter(r, rest)
		switch {
		case to != "":
			f.put(to)
			return taken
		case !vanishes(r):
			f.keep(r)
		}
	}
	return 0
}

// letter transliterates one capital of the alphabets whose letters do not
// change their neighbours', "" if it cannot.
func (f *folder) letter(r rune, rest string) (to string, taken int) {
	if r < utf8.RuneSelf {
		return "", 0
	}
	if to, ok := f.chosen(r); ok {
		return to, 0
	}
	if to, ok := latin[r]; ok {
		return to, 0
	}
	if to, ok := cyrillic[r]; ok {
		if other, ok := f.tongue.exception(r, f.begins()); ok {
			return other, 0
		}
		return to, 0
	}
	if to, taken := greek(r, rest, f.begins()); to != "" {
		return to, taken
	}
	// The first letter of the decomposition; what follows must be marks.
	base, marked := baseOf(r)
	switch {
	case !marked:
		return "", 0
	case 'A' <= base && base <= 'Z':
		return string(base), 0
	case base != r: // a listed letter with further marks, such as Ǿ
		return f.letter(base, rest)
	}
	return "", 0
}

// begins reports whether the next letter is the first of a part.
func (f *folder) begins() bool { return f.gap || len(f.out) == 0 }

func (f *folder) put(to string) {
	if f.gap && len(f.out) > 0 {
		f.out = append(f.out, ' ')
	}
	f.gap, f.teh, f.last = false, false, ""
	f.out = append(f.out, to...)
}

func (f *folder) endPart() {
	f.endArabic()
	f.gap, f.teh, f.last = true, false, ""
}

func (f *folder) keep(r rune) {
	if f.foreign == 0 {
		f.foreign = r
	}
	f.put(string(r))
}

// separates reports whether r stands between two parts of a name.
func separates(r rune) bool {
	switch r {
	case ',', filler, '-', '،': // the last is the Arabic comma
		return true
	}
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r)
}

// vanishes reports whether r leaves no trace in a zone: apostrophes (also those
// that Unicode counts as letters, as in OʻAHU), full stops, loose marks.
func vanishes(r rune) bool {
	if 0x02b0 <= r && r <= 0x02ff || r == softSign {
		return true
	}
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != unread
}

// baseOf returns the capital that remains of r without its marks. It reports
// false if r has none, or has more to it than marks.
func baseOf(r rune) (base rune, marked bool) {
	parts := norm.NFD.AppendString(nil, string(r))
	base, size := utf8.DecodeRune(parts)
	for parts = parts[size:]; len(parts) > 0; parts = parts[size:] {
		var mark rune
		mark, size = utf8.DecodeRune(parts)
		if !unicode.Is(unicode.Mn, mark) {
			return r, false
		}
		marked = true
	}
	return unicode.ToUpper(base), marked
}

// capitals returns the characters of s as fold looks at them.
func capitals(s string) string { return strings.Map(unicode.ToUpper, norm.NFC.String(s)) }

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// letterTable turns groups of letters into a table by letter.
func letterTable(groups map[string]string) map[rune]string {
	table := make(map[rune]string)
	for to, from := range groups {
		for _, r := range from {
			table[r] = to
		}
	}
	return table
}
