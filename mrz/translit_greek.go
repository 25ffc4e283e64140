package mrz

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Doc 9303 has no table for Greek. Passports of Greece and Cyprus follow ELOT
// 743 in its transcribing form (as annexed to resolution V/19 of the United
// Nations conferences on geographical names), which is what stands here, in
// capitals. ISO 843 differs in marks that a zone cannot show.
var greekLetters = letterTable(map[string]string{
	"A": "Α", "V": "Β", "G": "Γ", "D": "Δ", "E": "Ε", "Z": "Ζ", "I": "ΗΙ",
	"TH": "Θ", "K": "Κ", "L": "Λ", "M": "Μ", "N": "Ν", "X": "Ξ", "O": "ΟΩ",
	"P": "Π", "R": "Ρ", "S": "Σ", "T": "Τ", "Y": "Υ", "F": "Φ", "CH": "Χ",
	"PS": "Ψ",
})

// greekPairs are the pairs of letters that are not simply one after the other.
// ΓΚ, ΝΤ and the other diphthongs are.
var greekPairs = map[[2]rune]string{
	{'Γ', 'Γ'}: "NG", {'Γ', 'Ξ'}: "NX", {'Γ', 'Χ'}: "NCH", {'Ο', 'Υ'}: "OU",
}

const (
	greekVoiceless = "ΘΚΞΠΣΤΦΧΨ"
	diaeresis      = "ΪΫ\u0390\u03b0" // the last two have no capital
	accented       = "ΆΈΉΊΌΎΏ"
)

// greek transliterates a Greek capital, perhaps together with the letter after
// it, of which it returns the length in bytes.
//
// ΑΥ, ΕΥ and ΗΥ end in V before vowels and voiced consonants and in F before
// the others and at the end; an accent on the first or a diaeresis on the
// second letter keeps the two apart. ΜΠ is B at either end of a part and MP
// inside.
func greek(r rune, rest string, first bool) (to string, taken int) {
	base := greekBase(r)
	to, ok := greekLetters[base]
	if !ok {
		return "", 0
	}
	next, size := utf8.DecodeRuneInString(rest)
	next = unicode.ToUpper(next)
	second := greekBase(next)
	apart := strings.ContainsRune(accented, r) || strings.ContainsRune(diaeresis, next)
	switch {
	case second == 'Υ' && apart:
	case second == 'Υ' && (base == 'Α' || base == 'Ε' || base == 'Η'):
		third, _ := utf8.DecodeRuneInString(rest[size:])
		third = greekBase(unicode.ToUpper(third))
		if _, letter := greekLetters[third]; !letter || strings.ContainsRune(greekVoiceless, third) {
			return to + "F", size
		}
		return to + "V", size
	case base == 'Μ' && second == 'Π':
		third, _ := utf8.DecodeRuneInString(rest[size:])
		if _, inside := greekLetters[greekBase(unicode.ToUpper(third))]; first || !inside {
			return "B", size
		}
		return "MP", size
	default:
		if pair, ok := greekPairs[[2]rune{base, second}]; ok {
			return pair, size
		}
	}
	return to, 0
}

// greekBase returns a Greek capital without its accents and breathings.
func greekBase(r rune) rune {
	switch {
	case 0x0391 <= r && r <= 0x03a9:
		return r
	case 0x0370 <= r && r <= 0x03ff, 0x1f00 <= r && r <= 0x1fff:
		if base, marked := baseOf(r); marked {
			return base
		}
	}
	return r
}
