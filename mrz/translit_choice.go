package mrz

// A style settles what the standard leaves to the issuing State. The zero style
// takes the first of its recommendations for each letter, and for Cyrillic what
// holds in general.
type style struct {
	tongue tongue
	picks  [len(choices)]uint8 // which of a choice's transliterations
}

// choices are the letters for which Doc 9303-3 section 6 recommends more than
// one transliteration. A State is taken to write one letter in one way
// throughout a name.
//
// Ø is OE there and nothing else; O is what airlines and some States make of it.
// Of the three forms of farsi yeh the standard lists XYA and says of Y and XAY
// that they must be reckoned with (appendix B.5.6). Teh marbuta is XAH at the
// end of a part and XTA elsewhere, "" here, but is to be found either way
// (B.5.5.6); shadda doubles the letter before it or is left out (B.5.5.11).
var choices = [...]struct {
	letter rune
	to     []string
}{
	{'Ä', []string{"AE", "A"}},
	{'Å', []string{"AA", "A"}},
	{'Ñ', []string{"N", "NXX"}},
	{'Ö', []string{"OE", "O"}},
	{'Ø', []string{"OE", "O"}},
	{'Ü', []string{"UE", "U", "UXX"}},
	{farsiYeh, []string{"XYA", "Y", "XAY"}},
	{tehMarbuta, []string{"", "XTA", "XAH"}},
	{shadda, []string{"double", ""}},
}

// choiceOf returns the index in choices of a letter, -1 if it has one
// transliteration only.
func choiceOf(r rune) int {
	for i := range choices {
		if choices[i].letter == r {
			return i
		}
	}
	return -1
}

// chosen returns what the style makes of a letter with a choice.
func (st *style) chosen(r rune) (to string, ok bool) {
	i := choiceOf(r)
	if i < 0 {
		return "", false
	}
	return choices[i].to[st.picks[i]], true
}

// maxStyles bounds the work of a comparison. The whole table at once would make
// thousands; a name has one or two letters of it.
const maxStyles = 48

// stylesOf returns the ways to write a name, the zero style first.
func stylesOf(primary, secondary string) []style {
	styles := []style{{}}
	if isASCII(primary) && isASCII(secondary) {
		return styles
	}
	var open [len(choices)]bool
	slavic := false
	for _, s := range [...]string{primary, secondary} {
		for _, r := range capitals(s) {
			if i := choiceOf(r); i >= 0 {
				open[i] = true
			}
			_, ok := cyrillic[r]
			slavic = slavic || ok
		}
	}
	for i := range choices {
		if !open[i] {
			continue
		}
		for _, st := range styles { // those that there were before
			for pick := 1; pick < len(choices[i].to) && len(styles) < maxStyles; pick++ {
				st.picks[i] = uint8(pick)
				styles = append(styles, st)
			}
		}
	}
	if slavic {
		for _, st := range styles {
			for t := generally + 1; t <= lastTongue && len(styles) < maxStyles; t++ {
				st.tongue = t
				styles = append(styles, st)
			}
		}
	}
	return styles
}
