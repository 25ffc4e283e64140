package mrz

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// transliteration is the table for Latin letters of Doc 9303-3 section 6 A,
// capitals only. Where the standard leaves a choice (AE or A for Ä) the first
// of its recommendations stands here and the other in plainLetters. A letter
// that is not listed loses its marks (Ơ becomes O).
var transliteration = letterTable(map[string]string{
	"A": "ÀÁÂÃĀĂĄ", "AA": "Å", "AE": "ÄÆ",
	"C": "ÇĆĈĊČ", "D": "ÐĎĐ", "E": "ÈÉÊËĒĔĖĘĚ",
	"G": "ĜĞĠĢ", "H": "ĤĦ", "I": "ÌÍÎÏĨĪĬĮİ", "IJ": "Ĳ",
	"J": "Ĵ", "K": "Ķĸ", "L": "ĹĻĽĿŁ", "N": "ÑŃŅŇŉŊ",
	"O": "ÒÓÔÕŌŎŐ", "OE": "ÖØŒ", "R": "ŔŖŘ", "S": "ŚŜŞŠȘ", "SS": "ßẞ",
	"T": "ŢŤŦȚ", "TH": "Þ", "U": "ÙÚÛŨŪŬŮŰŲ", "UE": "Ü",
	"W": "Ŵ", "Y": "ÝŶŸ", "Z": "ŹŻŽ",
})

// plainLetters are the other choices, which some states make.
var plainLetters = letterTable(map[string]string{
	"A": "ÄÅ", "O": "ÖØ", "U": "Ü",
})

func letterTable(groups map[string]string) map[rune]string {
	table := make(map[rune]string)
	for to, from := range groups {
		for _, r := range from {
			table[r] = to
		}
	}
	return table
}

// fold writes a name in the letters of a zone: capitals A to Z, single blanks
// between the parts, everything else by the table. Apostrophes and all other
// punctuation vanish; hyphens, commas, fillers and white space separate parts
// (Doc 9303-3 §4.6). With plain, letters that have a second transliteration
// get that one.
//
// Characters that the table does not reach (digits, other scripts) are kept,
// so that names which differ only in them stay different; foreign is the first
// of them, 0 if there is none.
func fold(s string, plain bool) (folded string, foreign rune) {
	if !isASCII(s) {
		s = norm.NFC.String(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	put := func(s string) {
		if gap && b.Len() > 0 {
			b.WriteByte(' ')
		}
		gap = false
		b.WriteString(s)
	}
	for _, r := range s {
		r = unicode.ToUpper(r)
		if 'A' <= r && r <= 'Z' {
			put(string(r))
			continue
		}
		if separates(r) {
			gap = true
			continue
		}
		if to := foldLetter(r, plain); to != "" {
			put(to)
			continue
		}
		if vanishes(r) {
			continue
		}
		if foreign == 0 {
			foreign = r
		}
		put(string(r))
	}
	return b.String(), foreign
}

// separates reports whether r stands between two parts of a name.
func separates(r rune) bool {
	return r == ',' || r == filler || r == '-' || unicode.IsSpace(r) || unicode.Is(unicode.Pd, r)
}

// vanishes reports whether r leaves no trace in a zone: apostrophes (also those
// that Unicode counts as letters, as in OʻAHU), full stops, loose marks.
func vanishes(r rune) bool {
	if 0x02b0 <= r && r <= 0x02ff {
		return true
	}
	return !unicode.IsLetter(r) && !unicode.IsNumber(r) && r != unread
}

// foldLetter transliterates one capital outside A to Z, "" if it cannot.
func foldLetter(r rune, plain bool) string {
	if plain {
		if to, ok := plainLetters[r]; ok {
			return to
		}
	}
	if to, ok := transliteration[r]; ok {
		return to
	}
	if r < 0x80 {
		return ""
	}
	// The first letter of the decomposition; what follows must be marks.
	parts := []rune(norm.NFD.String(string(r)))
	for _, mark := range parts[1:] {
		if !unicode.Is(unicode.Mn, mark) {
			return ""
		}
	}
	switch base := unicode.ToUpper(parts[0]); {
	case 'A' <= base && base <= 'Z':
		return string(base)
	case base != r && len(parts) > 1: // a listed letter with further marks, such as Ǿ
		return foldLetter(base, plain)
	}
	return ""
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
