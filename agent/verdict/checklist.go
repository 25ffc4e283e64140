package verdict

import "slices"

// Checklist is the documents that an officer asks to see, and what allows the
// question.
type Checklist struct {
	ID    string
	Title Text
	Items []Item
	Basis Text
	Note  Text // what the list does not mean
}

// Item is one document of a checklist. Its key is what the crossing records
// among docs_seen.
type Item struct {
	Key  string
	Name Text
}

// The documents.
var (
	passport           = Item{"passport", Text{"Paspor", "passport"}}
	workVisa           = Item{"work-visa", Text{"Visa kerja", "work visa"}}
	reentryVisa        = Item{"re-entry-visa", Text{"Visa kerja atau visa masuk kembali", "work visa or re-entry visa"}}
	workAgreement      = Item{"work-agreement", Text{"Perjanjian kerja", "work agreement"}}
	placementAgreement = Item{"placement-agreement", Text{"Perjanjian penempatan", "placement agreement"}}
	maritalStatus      = Item{"marital-status", Text{"Surat keterangan status perkawinan", "letter on marital status"}}
	permission         = Item{"permission", Text{"Izin suami, istri, orang tua, atau wali", "permission of spouse, parent or guardian"}}
	competence         = Item{"competence", Text{"Sertifikat kompetensi kerja", "certificate of competence"}}
	health             = Item{"health", Text{"Surat keterangan sehat", "health certificate"}}
	seamansBook        = Item{"seamans-book", Text{"Buku pelaut", "seaman's book"}}
	seaAgreement       = Item{"sea-employment-agreement", Text{"Perjanjian kerja laut", "sea employment agreement"}}
	renewal            = Item{"renewal", Text{"Perpanjangan kontrak, visa, atau asuransi", "renewed contract, visa or insurance"}}
	ticket             = Item{"ticket", Text{"Tiket sampai tujuan akhir", "ticket to the final destination"}}
)

var checklists = []Checklist{
	{"placement", Text{"Dokumen penempatan", "documents for a placement"},
		[]Item{passport, workVisa, workAgreement, placementAgreement, maritalStatus, permission, competence, health},
		Text{"UU 18/2017 Pasal 13", "Law 18/2017, Article 13"},
		Text{"Dokumen yang tidak ada bukan alasan menolak dengan sendirinya.", "A missing document is not a ground to refuse by itself."}},
	{"re-entry", Text{"Dokumen untuk kembali bekerja", "documents to go back to work"},
		[]Item{passport, reentryVisa, workAgreement},
		Text{"UU 18/2017 Pasal 13; surat BP2MI 16 Agustus 2023", "Law 18/2017, Article 13; letter of BP2MI, 16 August 2023"},
		Text{"E-PMI adalah sistem pencatatan, bukan dokumen wajib.", "E-PMI is a recording system, not a mandatory document."}},
	{"crew", Text{"Dokumen awak kapal", "documents of crew"},
		[]Item{passport, seamansBook, seaAgreement},
		Text{"UU 18/2017 Pasal 4", "Law 18/2017, Article 4"},
		Text{"Pengakuan pelintas; dokumen yang tidak ada bukan alasan menolak dengan sendirinya.", "The traveller's word; a missing document is not a ground to refuse by itself."}},
	{"renewal", Text{"Dokumen yang diperpanjang", "what was renewed"},
		[]Item{passport, renewal, workAgreement},
		Text{"UU 18/2017 Pasal 13 dan 15", "Law 18/2017, Articles 13 and 15"},
		Text{"Catatan bisa terlambat: perpanjangan di luar negeri sering belum tercatat.", "The record may be late: renewals abroad are often not on it yet."}},
	{"order", Text{"Kontrak yang sudah berjalan", "a contract that was running"},
		[]Item{workAgreement, workVisa, placementAgreement},
		Text{"PP 59/2021 Pasal 35", "Government Regulation 59/2021, Article 35"},
		Text{"Kontrak yang sudah berjalan sebelum larangan dapat tetap berlaku.", "A contract that was running before the order may go on."}},
	{"destination", Text{"Tujuan akhir", "final destination"},
		[]Item{ticket, workVisa, workAgreement},
		Text{"PP 59/2021 Pasal 35; UU 18/2017 Pasal 15", "Government Regulation 59/2021, Article 35; Law 18/2017, Article 15"},
		Text{"Transit melalui negara lain adalah hal biasa.", "To change planes in another country is usual."}},
}

// Checklists lists them all.
func Checklists() []Checklist { return slices.Clone(checklists) }

// Checklist is the documents to see for a verdict: those of its first reason
// that names some. It reports false if none does.
func (v Verdict) Checklist() (Checklist, bool) {
	for _, r := range v.Reasons {
		if i := slices.IndexFunc(checklists, func(c Checklist) bool { return c.ID == r.Checklist }); i >= 0 {
			return checklists[i], true
		}
	}
	return Checklist{}, false
}

// ValidDocuments reports whether each key is that of a document on some
// checklist, and none stands twice.
func ValidDocuments(keys []string) bool {
	for i, key := range keys {
		known := slices.ContainsFunc(checklists, func(c Checklist) bool {
			return slices.ContainsFunc(c.Items, func(it Item) bool { return it.Key == key })
		})
		if !known || slices.Contains(keys[:i], key) {
			return false
		}
	}
	return true
}
