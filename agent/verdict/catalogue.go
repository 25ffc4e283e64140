package verdict

import "slices"

// Text is a sentence in Indonesian and in English.
type Text struct{ ID, EN string }

// Explanation says what a reason means and what to do next.
type Explanation struct {
	Text, Next Text
	Basis      Text // what the question or the call rests on; empty for what only informs
}

// Entry is one row of the table of reasons.
type Entry struct {
	Code       ReasonCode
	Verdict    Code        // what it asks for; the checks say where it is less or, by policy, more
	Directions []Direction // in which it is given
	Source     string      // what it is found from: list, document, officer, counter, clock, policy
	Explanation
	Checklist string // id of the documents to see; empty: none
}

// The directions in which a reason is given.
var (
	both    = []Direction{Departure, Return}
	leaving = []Direction{Departure}
)

// Catalogue is the table of reasons, in the order of the codes.
func Catalogue() []Entry { return slices.Clone(catalogue) }

// Entry is the code's row. Codes of rules have a row without words: those come
// with the rule.
func (c ReasonCode) Entry() Entry {
	if i := slices.IndexFunc(catalogue, func(e Entry) bool { return e.Code == c }); i >= 0 {
		return catalogue[i]
	}
	return Entry{Code: c, Verdict: Ask, Directions: both, Source: "policy"}
}

// Applies reports whether a reason is given in a direction. One that is not
// known yet is taken for a departure; when the officer then chooses the return,
// the case is judged again.
func (c ReasonCode) Applies(d Direction) bool {
	if d == "" {
		d = Departure
	}
	return slices.Contains(c.Entry().Directions, d)
}

// Remark reports whether a code, where it does not decide, is only worth a line:
// it is about the list, the clock or an earlier crossing.
func (c ReasonCode) Remark() bool { return c == Q01 || c[0] == 'S' || c[0] == 'T' }

// Explain gives the words for a reason code.
func (c ReasonCode) Explain() Explanation { return c.Entry().Explanation }

// Explain gives the words for a reason; those of a rule come with it.
func (r Reason) Explain() Explanation {
	if r.Rule == nil {
		return r.Code.Explain()
	}
	return Explanation{Text(r.Rule.Text), Text(r.Rule.Next), Text{r.Rule.LegalBasis, r.Rule.LegalBasis}}
}

var (
	supervisor = Text{"Panggil supervisor.", "Call the supervisor."}
	goOn       = Text{"Catat dan lanjutkan.", "Record and go on."}
)

var catalogue = []Entry{
	{P01, Clear, both, "list", Explanation{
		Text{"Penempatan tercatat; dokumen dan orangnya cocok.", "Placement on record; document and person fit."}, goOn, Text{}}, ""},
	{P02, Clear, leaving, "list", Explanation{
		Text{"Pekerja cuti yang kembali bekerja.", "Worker on leave, going back to work."},
		Text{"Lihat visa masuk kembali dan perjanjian kerja.", "See the re-entry visa and the work agreement."},
		Text{"UU 18/2017 Pasal 13", "Law 18/2017, Article 13"}}, "re-entry"},
	{P03, Ask, leaving, "officer", Explanation{
		Text{"Di luar UU 18/2017 menurut pelintas, atau awak kapal.", "Outside Law 18/2017 by the traveller's word, or crew."},
		Text{"Lihat surat yang mendukung, lalu catat dan lanjutkan.", "See the papers that support it, then record and go on."},
		Text{"UU 18/2017 Pasal 4", "Law 18/2017, Article 4"}}, "crew"},
	{N01, None, both, "list", Explanation{
		Text{"Tidak ada catatan penempatan.", "No placement record."},
		Text{"Hal biasa, bukan alasan menolak. Catat dan lanjutkan.", "Usual, and no ground to refuse. Record and go on."}, Text{}}, ""},
	{N02, Ask, leaving, "officer", Explanation{
		Text{"Tujuannya bekerja, dan tidak ada catatan penempatan.", "They go to work, and there is no placement record."},
		Text{"Lihat dokumen di bawah. Bukan alasan menolak dengan sendirinya.", "See the documents below. Not a ground to refuse by itself."},
		Text{"UU 18/2017 Pasal 13", "Law 18/2017, Article 13"}}, "placement"},
	{A01, Ask, leaving, "list", Explanation{
		Text{"Catatan penempatan sudah berakhir.", "The placement record has expired."},
		Text{"Tanyakan perpanjangan kontrak atau visa.", "Ask for a renewed contract or visa."},
		Text{"UU 18/2017 Pasal 13 dan 15", "Law 18/2017, Articles 13 and 15"}}, "renewal"},
	{A02, Ask, leaving, "list", Explanation{
		Text{"Tujuan berbeda dari catatan.", "The destination differs from the record."},
		Text{"Tanyakan tujuan akhir dan lihat tiket.", "Ask for the final destination and see the ticket."},
		Text{"PP 59/2021 Pasal 35", "Government Regulation 59/2021, Article 35"}}, "destination"},
	{A03, Ask, both, "list", Explanation{
		Text{"Nama, tanggal lahir, atau masa berlaku berbeda dari catatan.", "Name, birth date or expiry differ from the record."},
		Text{"Bandingkan dokumen dengan orangnya.", "Compare the document with the person."}, Text{}}, ""},
	{A04, Ask, both, "list", Explanation{
		Text{"Orang yang sama tercatat dengan dokumen lain.", "The same person is on record with another document."},
		Text{"Tanyakan apakah paspor diganti; hal itu sering terjadi.", "Ask whether the passport was renewed; that is common."}, Text{}}, ""},
	{A05, Ask, leaving, "policy", Explanation{
		Text{"Negara tujuan atau jenis pekerjaan ditutup.", "The destination or the kind of work is closed."},
		Text{"Tanyakan perjanjian kerja dan hubungi BP3MI.", "Ask for the work agreement and contact BP3MI."},
		Text{"PP 59/2021 Pasal 35", "Government Regulation 59/2021, Article 35"}}, "order"},
	{A06, Ask, leaving, "list", Explanation{
		Text{"Izin perusahaan penempatan dibekukan atau dicabut.", "The agency's licence is suspended or revoked."},
		Text{"Tanyakan perjanjian kerja dan hubungi BP3MI.", "Ask for the work agreement and contact BP3MI."},
		Text{"PP 59/2021 Pasal 35", "Government Regulation 59/2021, Article 35"}}, "placement"},
	{A07, Stop, leaving, "list", Explanation{
		Text{"Di bawah 18 tahun dengan catatan kerja.", "Under 18 with a record of work."}, supervisor,
		Text{"UU 18/2017 Pasal 5", "Law 18/2017, Article 5"}}, ""},
	{A08, Ask, leaving, "list", Explanation{
		Text{"Di luar jangka waktu keberangkatan.", "Outside the departure window."},
		Text{"Tanyakan perubahan jadwal.", "Ask about the change of dates."}, Text{}}, "destination"},
	{Q01, None, both, "counter", Explanation{
		Text{"Perlintasan sebelumnya tidak tercatat.", "The crossing before this one is not on record."},
		Text{"Bukan kesalahan pelintas; cukup dicatat.", "Not the traveller's fault; it is only noted."}, Text{}}, ""},
	{Q02, Ask, both, "counter", Explanation{
		Text{"Dokumen yang sama baru saja melintas di konter ini.", "The same document crossed here a moment ago."},
		Text{"Periksa apakah terpindai dua kali.", "Check whether it was scanned twice."}, Text{}}, ""},
	{X01, Stop, both, "list", Explanation{
		Text{"Penempatan ditunda atau dicabut oleh pihak berwenang.", "The placement is suspended or revoked by the authority."}, supervisor,
		Text{"PP 59/2021 Pasal 35", "Government Regulation 59/2021, Article 35"}}, ""},
	{X02, Stop, both, "list", Explanation{
		Text{"Dokumen dilaporkan hilang atau dicuri.", "The document is reported lost or stolen."}, supervisor,
		Text{"UU 6/2011 tentang Keimigrasian", "Law 6/2011 on immigration"}}, ""},
	{X03, Stop, both, "list", Explanation{
		Text{"Dokumen ada dalam daftar perhatian.", "The document is on the attention list."},
		Text{"Panggil supervisor dan hubungi kontak yang tercantum.", "Call the supervisor and use the contact given."},
		Text{"UU 6/2011 tentang Keimigrasian", "Law 6/2011 on immigration"}}, ""},
	{S01, None, both, "list", Explanation{
		Text{"Daftar penempatan lebih dari 24 jam.", "The placement list is older than 24 hours."},
		Text{"Tidak perlu tindakan.", "Nothing to do."}, Text{}}, ""},
	{S02, None, both, "list", Explanation{
		Text{"Daftar penempatan lebih dari 72 jam.", "The placement list is older than 72 hours."},
		Text{"Beri tahu teknisi.", "Tell the technician."}, Text{}}, ""},
	{S03, None, both, "list", Explanation{
		Text{"Daftar penempatan tidak ada atau terlalu lama.", "The placement list is absent or too old."},
		Text{"Periksa dokumen seperti tanpa daftar; beri tahu teknisi.", "Check the documents as without a list; tell the technician."}, Text{}}, ""},
	{M01, Unsure, both, "document", Explanation{
		Text{"Dokumen tidak terbaca dengan benar.", "The document was not read correctly."},
		Text{"Gesek sekali lagi, atau bandingkan dengan dokumen.", "Swipe again, or compare with the document."}, Text{}}, ""},
	{M02, Unsure, both, "document", Explanation{
		Text{"Data diketik dengan tangan.", "The data was typed by hand."},
		Text{"Bandingkan dengan dokumen sebelum memutuskan.", "Compare with the document before deciding."}, Text{}}, ""},
	{M03, Unsure, both, "document", Explanation{
		Text{"Dibaca dari gambar, dan tidak semua karakter pasti.", "Read from a picture, and not every character is certain."},
		Text{"Bandingkan karakter yang ditandai dengan dokumennya.", "Compare the marked characters with the document."}, Text{}}, ""},
	{T01, None, both, "clock", Explanation{
		Text{"Jam mesin tidak tersinkron.", "The clock is not synchronised."},
		Text{"Periksa tanggal di layar; catatan ditandai.", "Check the date on the screen; the record is marked."}, Text{}}, ""},
}

// Word is the verdict in the words on the page.
func (c Code) Word() Text { return words[c] }

var words = map[Code]Text{
	Clear:  {"TERDAFTAR", "on record"},
	None:   {"TANPA CATATAN", "no record"},
	Ask:    {"PERIKSA", "ask"},
	Stop:   {"PANGGIL SUPERVISOR", "call supervisor"},
	Unsure: {"TIDAK PASTI", "cannot tell"},
}

// Word is the decision in the words on its key.
func (d Decision) Word() Text { return decisionWords[d] }

var decisionWords = map[Decision]Text{
	Proceed:       {"Catat & lanjut", "record & go on"},
	Refer:         {"Rujuk", "refer"},
	Postpone:      {"Tunda", "postpone"},
	NotTravelling: {"Tidak jadi berangkat", "not travelling"},
	HandedOver:    {"Serahkan ke BP3MI", "handed over to BP3MI"},
}

// Word is the direction in the words on the page.
func (d Direction) Word() Text { return directionWords[d] }

var directionWords = map[Direction]Text{
	Departure: {"KEBERANGKATAN", "departure"},
	Return:    {"KEPULANGAN", "return"},
}
