package mrz

import "math/bits"

// A NameReason says in a word why two names were graded as they were.
type NameReason string

// The reasons of a Match. NameExact and NameSpelling are those of Same,
// NameEmpty and NameDifferent those of Different, all others of Compatible,
// where NameSpelling may stand among them.
const (
	NameExact       NameReason = "exact"        // letter for letter, as a zone writes them
	NameSpelling    NameReason = "spelling"     // transliterated by another recommendation
	NameBorder      NameReason = "border"       // primary ends elsewhere, or is missing
	NameSwapped     NameReason = "swapped"      // primary stands for secondary
	NameOrder       NameReason = "order"        // the parts stand in another order
	NameRepeated    NameReason = "repeated"     // a single name in both places
	NameJoined      NameReason = "joined"       // NUR AISYAH, NURAISYAH
	NameParticle    NameReason = "particle"     // BIN, BINTI, A/L and the like
	NameShortForm   NameReason = "short_form"   // MOH for MUHAMMAD
	NameInitial     NameReason = "initial"      // A for AHMAD
	NameMissingPart NameReason = "missing_part" // one name has parts that the other lacks
	NameTruncated   NameReason = "truncated"    // cut to fit a field of a zone
	NameMisread     NameReason = "misread"      // one cell was read as its twin, or not at all
	NameEmpty       NameReason = "empty"        // nothing to compare
	NameDifferent   NameReason = "different"    // nothing explains the difference
)

// nameReasons are the reasons' sentences, in the order in which a Match lists
// them.
var nameReasons = [...]struct {
	reason NameReason
	id, en string
}{
	{NameExact,
		"Kedua nama sama.",
		"The names are the same."},
	{NameSpelling,
		"Huruf khusus ditulis dengan cara lain yang juga lazim.",
		"Special letters are written in another way that is also usual."},
	{NameBorder,
		"Batas antara nama utama dan nama depan berbeda.",
		"The border between primary and given names is elsewhere."},
	{NameSwapped,
		"Nama utama dan nama depan bertukar tempat.",
		"Primary and given names have changed places."},
	{NameOrder,
		"Urutan bagian-bagian nama berbeda.",
		"The parts of the name stand in another order."},
	{NameRepeated,
		"Nama tunggal ditulis dua kali, sebagai nama utama dan nama depan.",
		"A single name is written twice, as primary and as given name."},
	{NameJoined,
		"Bagian nama ditulis bersambung pada satu nama dan terpisah pada nama lainnya.",
		"Parts are written together in one name and apart in the other."},
	{NameParticle,
		"Kata sambung nama seperti bin, binti, atau A/L ditulis lain atau tidak ada.",
		"A word such as bin, binti or A/L is written in another way or left out."},
	{NameShortForm,
		"Satu bagian nama memakai singkatan atau ejaan lain yang lazim, seperti Moh. untuk Muhammad.",
		"A part is a usual short form or spelling of the other, such as Moh. for Muhammad."},
	{NameInitial,
		"Satu bagian nama hanya ditulis huruf awalnya.",
		"A part of the name is given as an initial only."},
	{NameMissingPart,
		"Satu nama memuat bagian yang tidak ada pada nama lainnya.",
		"One name has a part that the other lacks."},
	{NameTruncated,
		"Satu nama terpotong karena tempatnya tidak cukup.",
		"One name was cut because its field is too short."},
	{NameMisread,
		"Satu karakter kemungkinan salah baca atau tidak terbaca, seperti 0 untuk O.",
		"One character was probably misread or not read, such as 0 for O."},
	{NameEmpty,
		"Satu nama kosong, sehingga tidak ada yang dapat dibandingkan.",
		"One name is empty, so that there is nothing to compare."},
	{NameDifferent,
		"Kedua nama berbeda.",
		"The names are different."},
}

// ID says the reason in one sentence for the officer, in Indonesian. It never
// contains the traveller's data.
func (r NameReason) ID() string {
	if i := r.index(); i >= 0 {
		return nameReasons[i].id
	}
	return ""
}

// EN says the same in English.
func (r NameReason) EN() string {
	if i := r.index(); i >= 0 {
		return nameReasons[i].en
	}
	return ""
}

func (r NameReason) index() int {
	for i := range nameReasons {
		if nameReasons[i].reason == r {
			return i
		}
	}
	return -1
}

// reasons is a set of reasons.
type reasons uint32

func because(r NameReason) reasons { return 1 << r.index() }

func (s reasons) len() int { return bits.OnesCount32(uint32(s)) }

func (s reasons) list() []NameReason {
	list := make([]NameReason, 0, s.len())
	for i := range nameReasons {
		if s&(1<<i) != 0 {
			list = append(list, nameReasons[i].reason)
		}
	}
	return list
}
