package health

import "time"

// The conditions of this version. A new one is one constant and one entry.
const (
	CannotRecord   Code = "cannot-record"
	DiskFull       Code = "disk-full"
	QueueRecovered Code = "queue-recovered"
	AnchorFailed   Code = "anchor-failed"
	StateVolatile  Code = "state-volatile"
	ScannerMissing Code = "scanner-missing"
	ScannerDenied  Code = "scanner-denied"
	ScannerBusy    Code = "scanner-busy"
	ScannerFailed  Code = "scanner-failed"
	ScannerStalled Code = "scanner-stalled"
	ScannerLine    Code = "scanner-line"
	ScannerDirty   Code = "scanner-dirty"
	ScannerCards   Code = "scanner-cards-only"
	ScannerText    Code = "scanner-other-text"
	ScannerSilent  Code = "scanner-silent"
	ScannerLayout  Code = "scanner-layout"
	ScannerTyped   Code = "scanner-typed"
	TeeFailed      Code = "tee-failed"
	TeeStuck       Code = "tee-stuck"
	TeeUnused      Code = "tee-unused"
	ScannerNone    Code = "scanner-none"
	BrokerNone     Code = "broker-none"
	BrokerDown     Code = "broker-down"
	HubUnconfirmed Code = "hub-unconfirmed"
	HubLacksPruned Code = "hub-lacks-pruned"
	AckNotBelieved Code = "ack-not-believed"
	EventParked    Code = "event-parked"
	ListAbsent     Code = "list-absent"
	ListUnreadable Code = "list-unreadable"
	ListAgeing     Code = "list-ageing"
	ListStale      Code = "list-stale"
	ListExpired    Code = "list-expired"
	ListCheap      Code = "list-cheap"
	RulesRefused   Code = "rules-refused"
	RuleOff        Code = "rule-off"
	ListRefused    Code = "list-refused"
	ListRoot       Code = "list-root-missing"
	ClockUnsynced  Code = "clock-not-synchronised"
	KeyCreated     Code = "key-new"
	KeyProvisional Code = "key-provisional"
	AckKeysMissing Code = "ack-keys-missing"
	ControlDown    Code = "control-down"
	ScreenDown     Code = "screen-down"
	Drill          Code = "drill"
)

// ScannerConditions are those of which a scanner is the subject.
var ScannerConditions = []Code{
	ScannerMissing, ScannerDenied, ScannerBusy, ScannerFailed, ScannerStalled, ScannerLine, ScannerDirty, ScannerCards,
	ScannerText, ScannerSilent, ScannerLayout, ScannerTyped, TeeFailed, TeeStuck, TeeUnused,
}

var catalogue = index([]Condition{
	{CannotRecord, Error, 0,
		"Tidak dapat mencatat", "Cannot record",
		"Hentikan pemeriksaan di konter ini; catat di formulir kertas dan panggil teknisi.", "Stop inspecting at this counter; use the paper form and call the technician."},
	{DiskFull, Error, 0,
		"Penyimpanan mesin ini penuh", "This machine's disk is full",
		"Panggil teknisi: kosongkan ruang; catatan yang ada tetap aman dan tetap dikirim.", "Call the technician to make room; what is recorded is safe and is still sent."},
	{QueueRecovered, Error, 0,
		"Antrean catatan rusak, hilang atau salinan lama; sudah dipulihkan", "The record queue was damaged, deleted or an old copy; it was recovered",
		"Tetap bekerja. Teknisi: jangan hapus berkas yang disisihkan; laporkan ke pusat.", "Go on. Technician: do not delete the files that were put aside; tell headquarters."},
	{AnchorFailed, Warning, 0,
		"Penanda akhir antrean tidak dapat ditulis", "The mark of the queue's end cannot be written",
		"Tetap bekerja. Teknisi: periksa folder status dan ruang penyimpanan.", "Go on. Technician: check the state folder and the room on the disk."},
	{StateVolatile, Warning, 0,
		"Folder status tidak tahan listrik padam", "The state folder may not survive a power cut",
		"Tetap bekerja. Teknisi: letakkan [state] dir di disk lokal mesin ini.", "Go on. Technician: put [state] dir on a local disk of this machine."},
	{ScannerMissing, Warning, 0,
		"Pemindai tidak tersambung", "Scanner not connected",
		"Periksa kabel pemindai; sambungan dicoba lagi terus-menerus.", "Check the scanner's cable; the agent keeps trying."},
	{ScannerDenied, Warning, 0,
		"Pemindai tersambung tetapi tidak boleh dipakai", "Scanner connected but not allowed",
		"Teknisi: pasang aturan udev perangkat lunak ini untuk pemindai ini.", "Technician: install this software's udev rule for the scanner."},
	{ScannerBusy, Warning, 0,
		"Pemindai sedang dipakai program lain", "Scanner in use by another program",
		"Teknisi: tutup program itu; jika program itu juga perlu membaca, atur tee.", "Technician: end that program; if it needs the same swipes, set tee."},
	{ScannerFailed, Warning, 0,
		"Pemindai tidak dapat dipakai", "Scanner cannot be used",
		"Cabut dan pasang lagi pemindai. Teknisi: periksa port dan setelan pemindai.", "Unplug the scanner and plug it in again. Technician: check its port and settings."},
	{ScannerStalled, Error, 0,
		"Bacaan pemindai hilang karena tidak diambil", "Scans are lost because nothing takes them",
		"Berhenti menggesek sampai layar bereaksi; panggil teknisi.", "Stop swiping until the screen reacts; call the technician."},
	{ScannerLine, Warning, 0,
		"Setelan jalur pemindai salah", "The scanner's line is set wrongly",
		"Teknisi: samakan line dalam konfigurasi dengan setelan pemindai.", "Technician: set line in the configuration to what the scanner is set to."},
	{ScannerDirty, Warning, 0,
		"Pemindai berulang kali membaca sebagian saja", "The scanner keeps reading documents in part",
		"Bersihkan kaca pemindai dan gesek perlahan; bila tetap, ketik dokumennya.", "Clean the scanner's glass and swipe slowly; if it goes on, type the document."},
	{ScannerCards, Warning, 0,
		"Pemindai hanya membaca kartu magnetik", "The scanner reads magnetic cards only",
		"Teknisi: nyalakan pembacaan OCR di pemindai.", "Technician: switch on the scanner's OCR."},
	{ScannerText, Info, 0,
		"Pemindai mengirim teks tanpa zona baca mesin", "The scanner sends text without a machine-readable zone",
		"Gesek halaman data paspor. Teknisi: periksa apa yang dikirim pemindai.", "Swipe the passport's data page. Technician: check what the scanner sends."},
	{ScannerSilent, Info, 0,
		"Tidak ada data dari pemindai selama berhari-hari", "Nothing has come from the scanner for days",
		"Gesek satu dokumen untuk mencoba pemindai.", "Swipe a document to try the scanner."},
	{ScannerLayout, Warning, 0,
		"Tata letak papan ketik pemindai tidak cocok", "The scanner types in another keyboard layout",
		"Gesekan ditolak agar nama tidak salah; ketik dokumennya. Teknisi: atur layout sesuai pemindai.", "Swipes are refused lest a name be wrong; type the document. Technician: set layout to what the scanner is set to."},
	{ScannerTyped, Warning, 0,
		"Ada yang mengetik di papan ketik pemindai", "Somebody types on the scanner's keyboard",
		"Ketikan di papan ketik itu dibuang; pakai yang lain. Teknisi: periksa port pemindai.", "What is typed there is given up; use the other keyboard. Technician: check the scanner's port."},
	{TeeFailed, Warning, 0,
		"Data pemindai tidak dapat diteruskan ke program kedua", "The scanner's data cannot be handed on to the second program",
		"Konter ini tetap bekerja. Teknisi: periksa tee dalam konfigurasi.", "This counter goes on. Technician: check tee in the configuration."},
	{TeeStuck, Warning, 0,
		"Program kedua tidak mengambil data pemindai", "The second program does not take the scanner's data",
		"Konter ini tetap bekerja. Mulai ulang program kedua.", "This counter goes on. Restart the second program."},
	{TeeUnused, Info, time.Minute,
		"Program kedua tidak membuka pemindai", "The second program has not opened the scanner",
		"Konter ini tetap bekerja. Mulai program kedua bila diperlukan.", "This counter goes on. Start the second program if it is needed."},
	{ScannerNone, Warning, 0,
		"Tidak ada pemindai dalam konfigurasi", "No scanner is configured",
		"Teknisi: tambahkan bagian [[scanner]].", "Technician: add a [[scanner]] section."},
	{BrokerNone, Warning, 0,
		"Alamat broker belum diatur", "No broker is configured",
		"Catatan tersimpan di mesin ini. Teknisi: atur [broker] url.", "Records are kept on this machine. Technician: set [broker] url."},
	{BrokerDown, Warning, 10 * time.Second,
		"Pusat tidak terhubung", "Headquarters not reached",
		"Tetap bekerja seperti biasa; catatan dikirim begitu ada sambungan.", "Go on as usual; records are sent as soon as there is a link."},
	{HubUnconfirmed, Warning, 0,
		"Pusat belum mengonfirmasi", "Accepted by the broker, not confirmed by the hub",
		"Tetap bekerja; catatan dikirim ulang. Teknisi: periksa hub dan izin topik broker.", "Go on; records are sent again. Technician: check the hub and the broker's topic permissions."},
	{HubLacksPruned, Error, 0,
		"Pusat meminta catatan yang sudah tidak ada di sini", "The hub lacks events that are not here any more",
		"Tetap bekerja. Teknisi: laporkan ke pusat; cadangan hub terlalu lama.", "Go on. Technician: tell headquarters; the hub's backup is too old."},
	{AckNotBelieved, Error, 0,
		"Konfirmasi pusat tidak dapat dipercaya", "The hub's acknowledgement is not believed",
		"Catatan tetap disimpan. Teknisi: bandingkan kunci hub dan riwayat antrean.", "Records are kept. Technician: compare the hub's keys and the queue's history."},
	{EventParked, Error, 0,
		"Ada catatan yang tidak dapat dibawa broker", "The broker does not carry some of the records",
		"Tetap bekerja; catatan tersimpan di sini. Teknisi: perbaiki broker, lalu lintas queue retry; atau bawa ke pusat dengan lintas queue export.", "Go on; the records are kept here. Technician: mend the broker, then lintas queue retry; or take them to headquarters with lintas queue export."},
	{ListAbsent, Warning, 0,
		"Tidak ada daftar penempatan", "No placement list",
		"Putusan menjadi TIDAK PASTI. Teknisi: lintas list import.", "Verdicts are CANNOT TELL. Technician: lintas list import."},
	{ListUnreadable, Warning, 0,
		"Daftar penempatan tidak dapat dibuka", "The placement list cannot be opened",
		"Putusan menjadi TIDAK PASTI. Teknisi: periksa kunci daftar atau impor ulang.", "Verdicts are CANNOT TELL. Technician: check the list key or import the list again."},
	{ListAgeing, Info, 0,
		"Daftar penempatan mulai lama", "The placement list is ageing",
		"Tidak perlu tindakan di konter.", "Nothing to do at the counter."},
	{ListStale, Warning, 0,
		"Daftar penempatan lama", "The placement list is old",
		"Teknisi: periksa sambungan ke pusat atau impor dari USB.", "Technician: check the link to headquarters or import from USB."},
	{ListExpired, Error, 0,
		"Daftar penempatan kedaluwarsa", "The placement list has expired",
		"TERDAFTAR menjadi PERIKSA. Teknisi: impor daftar baru.", "ON RECORD becomes ASK. Technician: import a new list."},
	{ListCheap, Warning, 0,
		"Daftar penempatan hanya untuk peragaan", "The placement list is for demonstrations only",
		"Kuncinya lemah. Teknisi: impor daftar yang sebenarnya.", "Its lock is weak. Technician: import a real list."},
	{RulesRefused, Warning, 0,
		"Aturan dalam daftar ditolak", "The list's rules are refused",
		"Tetap bekerja; hanya pemeriksaan bawaan yang berlaku. Teknisi: lintas list rules show, dan laporkan ke pusat.", "Go on; only the built-in checks hold. Technician: lintas list rules show, and tell headquarters."},
	{RuleOff, Info, 0,
		"Satu aturan dinonaktifkan", "A rule has been turned off",
		"Tidak perlu tindakan di konter; pusat diberi tahu.", "Nothing to do at the counter; headquarters is told."},
	{ListRefused, Error, 0,
		"Daftar penempatan yang baru ditolak", "A new placement list was not believed",
		"Tetap bekerja dengan daftar yang ada. Teknisi: laporkan ke pusat.", "Go on with the list that is there. Technician: tell headquarters."},
	{ListRoot, Warning, 0,
		"Akar kepercayaan daftar tidak ada", "The root that lists are trusted from is missing",
		"Daftar baru tidak dapat dipasang. Teknisi: atur [list] root_file.", "No new list can be installed. Technician: set [list] root_file."},
	{ClockUnsynced, Warning, 0,
		"Jam mesin tidak tersinkron", "The clock is not synchronised",
		"Periksa tanggal dan jam di layar; catatan ditandai.", "Check the date and time on the screen; records are marked."},
	{KeyCreated, Info, 0,
		"Kunci konter baru dibuat", "A new counter key was made",
		"Teknisi: daftarkan kunci ini di pusat (lintas-hub keys trust).", "Technician: have headquarters accept it (lintas-hub keys trust)."},
	{KeyProvisional, Error, 0,
		"Kunci konter tidak dapat dipakai; kunci sementara dipakai", "The counter's key cannot be used; a provisional one is",
		"Tetap bekerja. Teknisi: periksa kunci dan laporkan ke pusat.", "Go on. Technician: check the key and tell headquarters."},
	{AckKeysMissing, Warning, 0,
		"Kunci konfirmasi pusat tidak ada", "The hub's acknowledgement keys are missing",
		"Catatan disimpan dan dikirim, tetapi tidak dapat dipastikan diterima. Teknisi: atur [hub] ack_keys_file.", "Records are kept and sent, but cannot be confirmed. Technician: set [hub] ack_keys_file."},
	{ControlDown, Warning, 0,
		"Perintah lintas status tidak dapat dilayani", "lintas status cannot be answered",
		"Tidak perlu tindakan di konter. Teknisi: periksa [state] run.", "Nothing to do at the counter. Technician: check [state] run."},
	{ScreenDown, Error, 0,
		"Halaman petugas tidak dapat dibuka", "The officer's page cannot be served",
		"Teknisi: periksa [screen] listen dan program lain di port itu.", "Technician: check [screen] listen and what else uses that port."},
	{Drill, Info, 0,
		"Mode latihan", "Drill",
		"Semua catatan ditandai latihan.", "Every record is marked as a drill."},
})

func index(list []Condition) map[Code]Condition {
	m := make(map[Code]Condition, len(list))
	for _, c := range list {
		m[c.Code] = c
	}
	return m
}

// Catalogue lists every condition.
func Catalogue() []Condition {
	list := make([]Condition, 0, len(catalogue))
	for _, c := range catalogue {
		list = append(list, c)
	}
	return list
}
