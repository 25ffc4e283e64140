package mrz

// A tongue is a language for which the standard transliterates some Cyrillic
// letters in another way than generally.
type tongue uint8

const (
	generally tongue = iota
	belarusian
	bulgarian
	macedonian
	serbian
	ukrainian

	lastTongue = ukrainian
)

// tongueOf returns the language in which a State writes its citizens' names, as
// far as it matters here.
func tongueOf(state string) tongue {
	switch state {
	case "BLR":
		return belarusian
	case "BGR":
		return bulgarian
	case "MKD":
		return macedonian
	case "SRB":
		return serbian
	case "UKR":
		return ukrainian
	}
	return generally
}

// cyrillic is what Doc 9303-3 (eighth edition, 2021) section 6 B recommends in
// general, capitals only.
//
// Three letters are not taken from its rows as they stand. Ѓ (0403), which
// Macedonian uses, has no row, while Ғ (0492), which it does not, carries the
// exception for Macedonian: both have it here. Row 0402 is Ђ by its number and
// shows Ћ; D is right for the former, and Ћ has the C that Serbian's Latin
// letter Ć has in section 6 A. The soft sign has no row and is left out, which
// is what States do.
var cyrillic = letterTable(map[string]string{
	"A": "А", "B": "Б", "C": "ҺЋ", "CH": "Ч", "D": "ДЂ", "DZ": "ЅЏ",
	"E": "ЕЁЭ", "F": "Ф", "G": "ГҐҒЃ", "I": "ИІЇЙ", "IA": "Я", "IE": "ЄЪ",
	"IU": "Ю", "J": "Ј", "K": "КЌ", "KH": "Х", "L": "Л", "LJ": "Љ",
	"M": "М", "N": "Н", "NJ": "Њ", "O": "О", "P": "П", "R": "Р",
	"S": "С", "SH": "Ш", "SHCH": "Щ", "T": "Т", "TS": "Ц", "U": "УЎѪ",
	"V": "В", "Y": "ЫѴ", "Z": "З", "ZH": "Ж",
})

// softSign is the one Cyrillic letter that leaves no trace.
const softSign = 'Ь'

// cyrillicExceptions are section 6 B's exceptions by language. That Serbian Г
// is H is the standard's word; Serbian documents are seen with G.
var cyrillicExceptions = [lastTongue + 1]map[rune]string{
	belarusian: {'Ё': "IO", 'Г': "H"},
	bulgarian:  {'Щ': "SHT"},
	macedonian: {'Ќ': "KJ", 'Џ': "DJ", 'Х': "H", 'Ц': "C", 'Ѓ': "GJ", 'Ғ': "GJ"},
	serbian:    {'Г': "H", 'Ж': "Z", 'Х': "H", 'Ц': "C", 'Ч': "C", 'Ш': "S"},
	ukrainian:  {'Г': "H", 'И': "Y"},
}

// ukrainianInitials are those that hold for the first letter of a part only.
var ukrainianInitials = map[rune]string{
	'Є': "YE", 'Ї': "YI", 'Й': "Y", 'Ю': "YU", 'Я': "YA",
}

// exception returns what a letter is in this language alone.
func (t tongue) exception(r rune, first bool) (to string, ok bool) {
	if t == ukrainian && first {
		if to, ok = ukrainianInitials[r]; ok {
			return to, ok
		}
	}
	to, ok = cyrillicExceptions[t][r]
	return to, ok
}
