package verdict

import "slices"

// Purpose is why somebody travels, as he tells the officer. It is asked only
// where an officer has cause to.
type Purpose string

// The purposes; empty where nobody asked.
const (
	ToWork  Purpose = "work"
	AsCrew  Purpose = "crew"
	ToStudy Purpose = "study"
	ToTrain Purpose = "training"
	OnDuty  Purpose = "official"
	Other   Purpose = "other" // holiday, family, pilgrimage, business …
)

// Purposes lists them in the order of the keys on the page.
func Purposes() []Purpose { return []Purpose{ToWork, AsCrew, ToStudy, ToTrain, OnDuty, Other} }

// Valid reports whether p is a purpose or none.
func (p Purpose) Valid() bool { return p == "" || slices.Contains(Purposes(), p) }

// Word is the purpose in words.
func (p Purpose) Word() Text { return purposeWords[p] }

var purposeWords = map[Purpose]Text{
	ToWork:  {"Bekerja", "work"},
	AsCrew:  {"Awak kapal atau pesawat", "crew"},
	ToStudy: {"Belajar", "study"},
	ToTrain: {"Magang atau pelatihan", "training"},
	OnDuty:  {"Tugas resmi", "official duty"},
	Other:   {"Lainnya", "something else"},
}

// ReturnReason is why somebody comes home, where he wishes to say it.
type ReturnReason string

// The reasons to come home (after PerBPPMI 1/2024).
const (
	ContractEnded ReturnReason = "end-of-contract"
	HomeOnLeave   ReturnReason = "leave"
	Problem       ReturnReason = "problem"
	Deported      ReturnReason = "deported"
	Sick          ReturnReason = "sick"
	Died          ReturnReason = "deceased"
	Trafficked    ReturnReason = "trafficking-victim"
)

// ReturnReasons lists them in the order of the keys on the page.
func ReturnReasons() []ReturnReason {
	return []ReturnReason{ContractEnded, HomeOnLeave, Problem, Deported, Sick, Died, Trafficked}
}

// Valid reports whether r is a reason or none.
func (r ReturnReason) Valid() bool { return r == "" || slices.Contains(ReturnReasons(), r) }

// Word is the reason in words.
func (r ReturnReason) Word() Text { return returnWords[r].word }

// Help is what to offer somebody who comes home for this reason; without a
// reason, what to offer a worker whose record is there.
func (r ReturnReason) Help() Text { return returnWords[r].help }

// HelpBasis is the legal basis of the help.
const HelpBasis = "PerBPPMI 1/2024; Permen P2MI 32/2025"

var returnWords = map[ReturnReason]struct{ word, help Text }{
	"":            {Text{"Belum ditanyakan", "not asked"}, Text{"Tawarkan bantuan: Help Desk BP3MI mencatat keadaan dan pengaduan. Sukarela.", "Offer help: the BP3MI help desk records how things are, and complaints. It is voluntary."}},
	ContractEnded: {Text{"Kontrak selesai", "contract ended"}, Text{"Tunjukkan Help Desk BP3MI bila ada hak yang belum dibayar.", "Show the BP3MI help desk if wages or rights are still owed."}},
	HomeOnLeave:   {Text{"Cuti", "on leave"}, Text{"Ingatkan untuk menyimpan visa masuk kembali dan perjanjian kerja.", "Remind them to keep the re-entry visa and the work agreement."}},
	Problem:       {Text{"Masalah dengan pemberi kerja atau agen", "trouble with employer or agency"}, Text{"Antar ke Help Desk BP3MI untuk pengaduan.", "Take them to the BP3MI help desk for a complaint."}},
	Deported:      {Text{"Dideportasi", "deported"}, Text{"Antar ke Help Desk BP3MI untuk pendataan dan pemulangan ke daerah asal.", "Take them to the BP3MI help desk for the journey to their home region."}},
	Sick:          {Text{"Sakit atau cedera", "sick or injured"}, Text{"Panggil petugas kesehatan; beri tahu Help Desk BP3MI.", "Call the health officer; tell the BP3MI help desk."}},
	Died:          {Text{"Jenazah", "deceased"}, Text{"Beri tahu Help Desk BP3MI dan dampingi keluarga.", "Tell the BP3MI help desk and stay with the family."}},
	Trafficked:    {Text{"Korban perdagangan orang", "victim of trafficking"}, Text{"Antar ke ruang tenang; panggil BP3MI dan polisi. Korban tidak dihukum.", "Lead them to a quiet room; call BP3MI and the police. A victim is not punished."}},
}
