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
	ClockUnsynced  Code = "clock-not-synchronised"
	KeyCreated     Code = "key-new"
	KeyProvisional Code = "key-provisional"
	AckKeysMissing Code = "ack-keys-missing"
	ControlDown    Code = "control-down"
	ScreenDown     Code = "screen-down"
	Drill          Code = "drill"
)

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
