package placement

import "lintas/mrz"

// Shares of births by which a stub is judged. The working ages span about forty
// years; of those who do not know their birthday, many are said to be born on
// 1 January.
const (
	birthsOnADay   = 1.0 / 15_000
	birthsOnAVague = 1.0 / 800

	// ambiguousFrom is how many others with the same name and birth date may be
	// expected. It is set so that, at the frequencies of Indonesian names, at
	// most one unlisted traveller in a thousand is taken for somebody on the list.
	ambiguousFrom = 1.0 / 73
)

// VagueBirth tells that a birth date tells little: parts of it are unknown, or
// it is 1 January.
func VagueBirth(birth mrz.Date) bool {
	return !birth.Known() || birth.Month == 1 && birth.Day == 1
}

// SeldomEnough is how many placements of one name there may be without any of
// its stubs being ambiguous.
const SeldomEnough = 10

// Ambiguous tells whether the stub of somebody may be left out of the list: so
// many placements are of this name that somebody else of that name and birth
// date is to be expected.
func Ambiguous(sameName int64, vague bool) bool {
	share := birthsOnADay
	if vague {
		share = birthsOnAVague
	}
	return float64(sameName)*share > ambiguousFrom
}
