package mrz

import "strings"

// Letters of the Arabic script that have rules of their own.
const (
	tehMarbuta = '\u0629'
	tatweel    = '\u0640' // lengthens the line, says nothing
	shadda     = '\u0651' // doubles the letter that it stands on
	farsiYeh   = '\u06cc'
)

// arabic is the table of Doc 9303-3 (eighth edition, 2021) section 6 C, which
// serves Arabic, Persian, Urdu and Pashto. X marks a letter of which there is a
// simpler one, so that the name can be written back in its own script; vowels
// that are not written are not invented. The two letters veh and feh with three
// dots below are in appendix B.5.4 only.
//
// Standard examples in appendix B.5.9 write ALLXH for الله, with an older
// letter for heh; by the table it is ALLH, and so it is here.
var arabic = map[rune]string{
	'\u0621': "XE", '\u0622': "XAA", '\u0623': "XAE", '\u0624': "U",
	'\u0625': "I", '\u0626': "XI", '\u0627': "A", '\u0628': "B",
	'\u062a': "T", '\u062b': "XTH", '\u062c': "J", '\u062d': "XH",
	'\u062e': "XKH", '\u062f': "D", '\u0630': "XDH", '\u0631': "R",
	'\u0632': "Z", '\u0633': "S", '\u0634': "XSH", '\u0635': "XSS",
	'\u0636': "XDZ", '\u0637': "XTT", '\u0638': "XZZ", '\u0639': "E",
	'\u063a': "G", '\u0641': "F", '\u0642': "Q", '\u0643': "K",
	'\u0644': "L", '\u0645': "M", '\u0646': "N", '\u0647': "H",
	'\u0648': "W", '\u0649': "XAY", '\u064a': "Y", '\u0671': "XXA",

	'\u0679': "XXT", '\u067c': "XRT", '\u067e': "P", '\u0681': "XKE",
	'\u0685': "XXH", '\u0686': "XC", '\u0688': "XXD", '\u0689': "XDR",
	'\u0691': "XXR", '\u0693': "XRR", '\u0696': "XRX", '\u0698': "XJ",
	'\u069a': "XXS", '\u06a4': "V", '\u06a5': "XF", '\u06a9': "XKK",
	'\u06ab': "XXK", '\u06ad': "XNG", '\u06af': "XGG", '\u06ba': "XNN",
	'\u06bc': "XXN", '\u06be': "XDO", '\u06c0': "XYH", '\u06c1': "XXG",
	'\u06c2': "XGE", '\u06c3': "XTG", '\u06cd': "XXY", '\u06d0': "Y",
	'\u06d2': "XYB", '\u06d3': "XBE",
}

// notEncoded are letters that section 6 C leaves out of a zone: tatweel and
// four that are obsolete. Its vowel signs vanish with all other marks.
const notEncoded = "\u0640\u069c\u06a2\u06a7\u06a8"

func isArabic(r rune) bool { return 0x0620 <= r && r <= 0x06d5 }

// arabic folds one character of the Arabic script. It reports false if the
// table does not have it.
func (f *folder) arabic(r rune) bool {
	if strings.ContainsRune(notEncoded, r) {
		return true
	}
	to, ok := f.chosen(r)
	switch {
	case r == shadda:
		if to != "" && f.last != "" {
			f.double()
		}
	case r == tehMarbuta:
		if to == "" {
			f.put("XTA")
			f.teh = true
		} else {
			f.put(to)
		}
	case ok:
		f.putArabic(to)
	default:
		if to, ok = arabic[r]; !ok {
			return vanishes(r)
		}
		f.putArabic(to)
	}
	return true
}

func (f *folder) putArabic(to string) {
	f.put(to)
	f.last = to
}

// double repeats the letter before a shadda, without the X that marks it: XDZ
// becomes XDZDZ (footnote to section 6 C).
func (f *folder) double() { f.put(strings.TrimLeft(f.last, "X")) }

// endArabic gives teh marbuta the form that it has at the end of a part.
func (f *folder) endArabic() {
	if f.teh {
		f.out = append(f.out[:len(f.out)-len("XTA")], "XAH"...)
	}
}
