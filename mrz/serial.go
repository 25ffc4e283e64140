package mrz

import (
	"slices"
	"strings"
)

// The weights 7, 3 and 1 do not see everything: L and 1, G and 6, K and the
// filler have values that differ by 10 or 20, so that a number in which one was
// read for the other agrees with its digit all the same. And where a number does
// not agree, one change in ten makes it agree, be it the right one or not. That
// is no proof for a number of any shape: a character that a forger changed would
// be covered up by changing another one. So the digits decide only where the
// shape of the number says already that a character was misread.

// serial reports whether a number has the shape of most States' numbers: up to
// three letters, and then digits.
func serial(number string) bool {
	const mostLetters, leastDigits = 3, 4
	i := 0
	for i < len(number) && i < mostLetters && is(number[i], letters) {
		i++
	}
	return len(number)-i >= leastDigits && allIn(number[i:], digits)
}

// mixers are States that number passports or cards with letters between or
// behind digits: 12AB34567 in France, A12B34567 in Turkey, E1234567A in
// Singapore. What looks like a misread digit may well belong there.
var mixers = [...]string{"CAN", "CHE", "D", "FRA", "HUN", "ITA", "KOR", "LUX", "NLD", "PHL", "PRT", "SGP", "TUR"}

// misshapen reports whether a number has letters where those of its issuer have
// digits.
func misshapen(number, issuer string) bool {
	return !serial(number) && !slices.Contains(mixers[:], issuer)
}

// better reports whether the shape of a number speaks for another reading.
func (r *repairer) better(asRead, other string) bool {
	return misshapen(asRead, r.issuer()) && serial(other)
}

// issuer returns who numbers such documents.
func (r *repairer) issuer() string {
	if r.format == FRID { // unlike France's passports
		return ""
	}
	return trim(r.read(r.issuingState))
}

// maxTwists is how many characters of one number are taken to be misread.
const maxTwists = 2

// readNumbers returns what a document number can be. A letter and a digit that
// look alike may have been taken for one another: once, or twice if once is not
// enough.
func (r *repairer) readNumbers(j *judgement) (options []reading) {
	places := r.numberPlaces(j)
	for twisted := 0; twisted <= maxTwists; twisted++ {
		if len(options) == 1 && options[0].likely || twisted > 0 && r.unproven(j.number.digit) {
			return options
		}
		// Nothing says that as few characters were misread as can be, but
		// without the right shape there are too many readings.
		options = append(options, r.numbersWith(places, twisted, j.number.value, len(options) > 0)...)
	}
	if len(options) > maxReadings {
		return nil
	}
	return options
}

// lookalikes returns what a number can be that agrees with its digit and yet
// has letters where digits belong.
func (r *repairer) lookalikes(j *judgement) (options []reading) {
	if j.DocumentNumber != Verified || !misshapen(j.number.value, r.issuer()) {
		return nil
	}
	for twisted := 1; twisted <= maxTwists && len(options) == 0; twisted++ {
		options = r.numbersWith(r.numberPlaces(j), twisted, j.number.value, true)
	}
	return options
}

// numberPlaces lists the cells of the document number and its digit.
func (r *repairer) numberPlaces(j *judgement) []place {
	places := r.characters(r.number)
	for i := range places {
		places[i].numeric = r.numbered(places[i].at)
	}
	if digit := j.number.digit; digit != r.numberDigit { // a long number
		rest := r.optional[0]
		rest.to = digit.from
		places = append(places, r.characters(rest)...)
	}
	return append(places, r.numerals(j.number.digit)...)
}

// numbered reports whether a cell of the document number holds digits only: of
// the French card all but the department, which is the second optional data.
func (r *repairer) numbered(at int) bool {
	department := r.optional[1]
	return r.issued.exists() && (at < int(department.from) || at >= int(department.to))
}

// numbersWith returns the numbers that need exactly so many characters to be
// exchanged for their twins, beside those that cannot stand as they are.
func (r *repairer) numbersWith(places []place, twisted int, asRead string, serialOnly bool) (options []reading) {
	for _, needed := range r.variants(places, anyCharacter) {
		for _, twins := range r.twists(places, needed, twisted) {
			patches := append(twins, needed...)
			if len(patches) == 0 || r.tired() {
				continue
			}
			_, j := r.try(patches)
			if j.DocumentNumber != Verified || serialOnly && !serial(j.number.value) {
				continue
			}
			// Many issuers begin all their numbers with the same letter, so that
			// a change there proves nothing.
			likely := twisted == 0 || r.better(asRead, j.number.value) && !touches(twins, places[0]) && !fills(twins)
			if r.unproven(j.number.digit) || !r.lettersOnly(twins) || r.extends(patches, &j) {
				likely = false
			}
			if options = append(options, reading{FieldDocumentNumber, patches, likely}); len(options) > maxReadings {
				return options
			}
		}
	}
	return options
}

// lettersOnly reports whether patches put digits in the place of letters and
// change nothing else: what looks like a letter that ought to be there may have
// been one.
func (r *repairer) lettersOnly(patches []patch) bool {
	return !slices.ContainsFunc(patches, func(p patch) bool {
		return is(r.lines[p.line][p.at], digits) || p.cells[0] != filler && !is(p.cells[0], digits)
	})
}

// extends reports whether patches decide how long the number is. In place of
// its check digit a card has '<' if the number goes on in the optional data, and
// 0, which readers also see there, has the same value; and the digit at the end
// of a number that goes on ends it.
func (r *repairer) extends(patches []patch, j *judgement) bool {
	place := func(s span) place { return place{int(s.line), int(s.from), true} }
	if j.number.digit != r.numberDigit {
		return slices.ContainsFunc(patches, func(p patch) bool {
			return p.line == int(j.number.digit.line) && p.at == int(j.number.digit.from) && p.cells == "0"
		})
	}
	return r.longNumber && touches(patches, place(r.numberDigit)) && !blank(r.read(r.optional[0])) &&
		j.number.status == Verified && r.with(patches...).digitIsZero()
}

// digitIsZero reports whether the number's check digit is 0.
func (z zone) digitIsZero() bool { return z.at(z.numberDigit) == '0' }

// touches reports whether one of patches is for a place.
func touches(patches []patch, p place) bool {
	return slices.ContainsFunc(patches, func(q patch) bool { return q.line == p.line && q.at == p.at })
}

// fills reports whether one of patches is a filler.
func fills(patches []patch) bool {
	return slices.ContainsFunc(patches, func(q patch) bool { return strings.IndexByte(q.cells, filler) >= 0 })
}
