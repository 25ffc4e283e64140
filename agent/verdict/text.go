package verdict

// Text is a sentence in Indonesian and in English.
type Text struct{ ID, EN string }

// Word is the verdict in the words on the page.
func (c Code) Word() Text { return words[c] }

var words = map[Code]Text{
	Clear:  {"TERDAFTAR", "on record"},
	None:   {"TANPA CATATAN", "no record"},
	Ask:    {"PERIKSA", "ask"},
	Stop:   {"PANGGIL SUPERVISOR", "call supervisor"},
	Unsure: {"TIDAK PASTI", "cannot tell"},
}

// Explanation says what a reason means and what to do next.
type Explanation struct{ Text, Next Text }

// Explain gives the words for a reason code.
func (c ReasonCode) Explain() Explanation { return explanations[c] }

var explanations = map[ReasonCode]Explanation{
	P01: {Text{"Penempatan tercatat; dokumen dan orangnya cocok.", "Placement on record; document and person fit."},
		Text{"Catat dan lanjutkan.", "Record and go on."}},
	P02: {Text{"Pekerja cuti yang kembali bekerja.", "Worker on leave, going back to work."},
		Text{"Lihat visa masuk kembali dan perjanjian kerja.", "See the re-entry visa and the work agreement."}},
	N01: {Text{"Tidak ada catatan penempatan.", "No placement record."},
		Text{"Hal biasa, bukan alasan menolak. Catat dan lanjutkan.", "Usual, and no ground to refuse. Record and go on."}},
	A01: {Text{"Catatan penempatan sudah berakhir.", "The placement record has expired."},
		Text{"Tanyakan perpanjangan kontrak atau visa.", "Ask for a renewed contract or visa."}},
	A02: {Text{"Tujuan berbeda dari catatan.", "The destination differs from the record."},
		Text{"Tanyakan tujuan akhir dan lihat tiket.", "Ask for the final destination and see the ticket."}},
	A03: {Text{"Nama, tanggal lahir, atau masa berlaku berbeda dari catatan.", "Name, birth date or expiry differ from the record."},
		Text{"Bandingkan dokumen dengan orangnya.", "Compare the document with the person."}},
	A04: {Text{"Orang yang sama tercatat dengan dokumen lain.", "The same person is on record with another document."},
		Text{"Tanyakan apakah paspor diganti.", "Ask whether the passport was renewed."}},
	A06: {Text{"Izin perusahaan penempatan dibekukan atau dicabut.", "The agency's licence is suspended or revoked."},
		Text{"Tanyakan perjanjian kerja dan hubungi BP3MI.", "Ask for the work agreement and contact BP3MI."}},
	A07: {Text{"Di bawah 18 tahun dengan catatan kerja.", "Under 18 with a record of work."},
		Text{"Panggil supervisor.", "Call the supervisor."}},
	A08: {Text{"Di luar jangka waktu keberangkatan.", "Outside the departure window."},
		Text{"Tanyakan perubahan jadwal.", "Ask about the change of dates."}},
	Q02: {Text{"Dokumen yang sama baru saja melintas di konter ini.", "The same document crossed here a moment ago."},
		Text{"Periksa apakah terpindai dua kali.", "Check whether it was scanned twice."}},
	X01: {Text{"Penempatan ditunda atau dicabut oleh pihak berwenang.", "The placement is suspended or revoked by the authority."},
		Text{"Panggil supervisor.", "Call the supervisor."}},
	X02: {Text{"Dokumen dilaporkan hilang atau dicuri.", "The document is reported lost or stolen."},
		Text{"Panggil supervisor.", "Call the supervisor."}},
	X03: {Text{"Dokumen ada dalam daftar perhatian.", "The document is on the attention list."},
		Text{"Panggil supervisor dan hubungi kontak yang tercantum.", "Call the supervisor and use the contact given."}},
	S01: {Text{"Daftar penempatan lebih dari 24 jam.", "The placement list is older than 24 hours."},
		Text{"Tidak perlu tindakan.", "Nothing to do."}},
	S02: {Text{"Daftar penempatan lebih dari 72 jam.", "The placement list is older than 72 hours."},
		Text{"Beri tahu teknisi.", "Tell the technician."}},
	S03: {Text{"Daftar penempatan tidak ada atau terlalu lama.", "The placement list is absent or too old."},
		Text{"Periksa dokumen seperti tanpa daftar; beri tahu teknisi.", "Check the documents as without a list; tell the technician."}},
	M01: {Text{"Dokumen tidak terbaca dengan benar.", "The document was not read correctly."},
		Text{"Gesek sekali lagi.", "Swipe again."}},
	M03: {Text{"Dibaca dari gambar, dan tidak semua karakter pasti.", "Read from a picture, and not every character is certain."},
		Text{"Bandingkan karakter yang ditandai dengan dokumennya.", "Compare the marked characters with the document."}},
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
