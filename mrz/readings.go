package mrz

import "strings"

const anyDigit = "0123456789"

// readDates returns the days that a date with misread or unread cells can be: a
// letter stands for its twin, an unread cell for any digit.
func (r *repairer) readDates(f checkedField) (options []reading) {
	places := r.places(f.cells, f.digit)
	for _, patches := range r.variants(places, anyDigit) {
		if len(patches) == 0 || r.tired() {
			continue // a legal date that its digit refutes: nothing to go by
		}
		other, j := r.try(patches)
		day := readDate(other.read(f.cells))
		if status := *j.at(f.name); status != Verified || day.fault || !day.in(2000).possible() {
			continue
		}
		if options = append(options, reading{f.name, patches, true}); len(options) > maxReadings {
			return nil
		}
	}
	return options
}

// readNumbers returns what a document number can be. A letter and a digit that
// look alike may have been taken for one another: once, or twice if once is not
// enough.
func (r *repairer) readNumbers(j *judgement) []reading {
	digit := j.number.digit
	places := r.places(r.number, digit)
	if digit != r.numberDigit { // a long number
		rest := r.optional[0]
		rest.to = digit.from
		places = append(r.places(r.number, rest), place{int(digit.line), int(digit.from), true})
	}
	asRead := j.number.value
	for twisted := 0; twisted <= 2; twisted++ {
		options := r.numbersWith(places, twisted, asRead)
		if len(options) > 0 {
			return options
		}
	}
	return nil
}

// numbersWith returns the numbers that need exactly so many characters to be
// exchanged for their twins, beside those that cannot stand as they are.
func (r *repairer) numbersWith(places []place, twisted int, asRead string) (options []reading) {
	for _, needed := range r.variants(places, anyCharacter) {
		for _, twins := range r.twists(places, needed, twisted) {
			patches := append(twins, needed...)
			if len(patches) == 0 || r.tired() {
				continue
			}
			_, j := r.try(patches)
			if j.DocumentNumber != Verified {
				continue
			}
			likely := twisted == 0 || changes(j.number.value) < changes(asRead) && !first(twins, places[0])
			if options = append(options, reading{FieldDocumentNumber, patches, likely}); len(options) > maxReadings {
				return nil
			}
		}
	}
	return options
}

// first reports whether one of patches is for a place. Many states begin their
// numbers with one letter, so that a change there proves nothing.
func first(patches []patch, p place) bool {
	for _, q := range patches {
		if q.line == p.line && q.at == p.at {
			return true
		}
	}
	return false
}

// changes counts how often a number goes from letters to digits or back.
func changes(s string) (n int) {
	for i := 1; i < len(s); i++ {
		if is(s[i], letters) != is(s[i-1], letters) {
			n++
		}
	}
	return n
}

// readOptional returns how optional data can be read: with letters that were
// fillers, or one character that was its twin. Without a digit of its own the
// composite must speak for it, and that is enough for fillers only.
func (r *repairer) readOptional(f checkedField) (options []reading, broken bool) {
	noise := append(r.noise(r.optional[0]), r.noise(r.optional[1])...)
	if !f.digit.exists() {
		if len(noise) == 0 {
			return nil, false
		}
		return []reading{{f.name, nil, true}, {f.name, noise, true}}, true
	}
	consider := func(patches []patch, likely bool) {
		if _, j := r.try(patches); j.OptionalData[0] == Verified || j.OptionalData[0] == Absent {
			options = append(options, reading{f.name, patches, likely})
		}
	}
	places := r.places(f.cells, f.digit)
	for _, needed := range r.variants(places, "") {
		if len(needed) > 0 {
			consider(needed, true)
		}
		if len(noise) > 0 {
			consider(append(noise, needed...), true)
		}
		if len(options) > 0 {
			continue
		}
		asRead := r.read(f.cells)
		for _, twins := range r.twists(places, needed, 1) {
			patches := append(twins, needed...)
			other := r.with(patches...)
			consider(patches, changes(other.read(f.cells)) < changes(asRead))
		}
	}
	return options, true
}

// noise returns the patches that turn letters among fillers into fillers: one
// or two of the letters that readers see in a row of fillers.
func (r *repairer) noise(s span) (patches []patch) {
	cells := r.read(s)
	for i := 0; i < len(cells); {
		n := 0
		for i+n < len(cells) && strings.IndexByte("KLCSGXE", cells[i+n]) >= 0 {
			n++
		}
		before := i == 0 || cells[i-1] == filler
		after := i+n == len(cells) || cells[i+n] == filler
		if 0 < n && n <= 2 && before && after && n < len(cells) {
			patches = append(patches, patch{int(s.line), int(s.from) + i, strings.Repeat(string(filler), n)})
		}
		i += n + 1
	}
	return patches
}

// readComposite returns what the composite digit can be: as it stands, the twin
// of a letter, or anything if it was not read.
func (r *repairer) readComposite(f checkedField) (options []reading, broken bool) {
	c := r.at(f.digit)
	if is(c, digits|fillers) {
		return nil, false
	}
	for _, patches := range r.variants(r.places(f.digit), anyDigit) {
		options = append(options, reading{f.name, patches, true})
	}
	return options, true
}
