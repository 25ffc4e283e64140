package mrz

import "strings"

// mendLetters returns the zone with digits replaced by their twins where only
// letters may stand, and what was replaced. No check digit covers these fields:
// codes are mended only to ones that are known, names only where a digit stands
// among letters, and the officer is told of each.
//
// Names in Russian passports hold digits on purpose: they stand for letters of
// the Cyrillic alphabet.
func (z *zone) mendLetters() (mended zone, all []reading) {
	mended = *z
	mend := func(field string, s span, good func(string) bool) {
		cells := z.read(s)
		var patches []patch
		for i := 0; i < len(cells); i++ {
			if twin := letterTwin(cells[i]); twin != 0 && (field != FieldName || amongLetters(cells, i)) {
				patches = append(patches, patch{int(s.line), int(s.from) + i, string(rune(twin))})
			}
		}
		if len(patches) == 0 || field == FieldName && len(patches) > maxNameDigits {
			return
		}
		if other := mended.with(patches...); good(other.read(s)) {
			mended = other
			all = append(all, reading{field, patches, true})
		}
	}
	known := func(code string) bool { return KnownState(trim(code)) }
	mend(FieldDocumentCode, z.documentCode, func(code string) bool {
		return strings.IndexByte("PIACV", code[0]) >= 0 && is(code[1], letters|fillers)
	})
	mend(FieldIssuingState, z.issuingState, known)
	mend(FieldNationality, z.nationality, known)
	if mended.read(z.issuingState) != "RUS" {
		legal := func(name string) bool { return allIn(name, letters|fillers) }
		mend(FieldName, z.name, legal)
		mend(FieldName, z.secondary, legal)
	}
	return mended, all
}

// maxNameDigits is how many digits of a name are taken to be misread. Where there
// are more, it is another line that stands there.
const maxNameDigits = 6

// amongLetters reports whether a cell stands in a part of a name that has
// letters. A digit among fillers was a filler, if anything.
func amongLetters(cells string, i int) bool {
	return i > 0 && is(cells[i-1], letters) || i+1 < len(cells) && is(cells[i+1], letters) ||
		i > 1 && is(cells[i-2], letters) && cells[i-1] != filler ||
		i+2 < len(cells) && is(cells[i+2], letters) && cells[i+1] != filler
}
