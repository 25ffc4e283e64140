package screen

import (
	"fmt"

	"lintas/agent/verdict"
)

// lookUp gives a text of the page by its name.
func lookUp(name string) (verdict.Text, error) {
	t, ok := words[name]
	if !ok {
		return t, fmt.Errorf("no words for %q", name)
	}
	return t, nil
}

// fill puts values into a text's %s and %d.
func fill(name string, values ...any) verdict.Text {
	t := words[name]
	return verdict.Text{ID: fmt.Sprintf(t.ID, values...), EN: fmt.Sprintf(t.EN, values...)}
}

// words are all texts of the page itself. Verdicts, reasons, decisions and
// directions have theirs in package verdict, conditions in package health,
// findings in package mrz.
var words = map[string]verdict.Text{
	// Strip.
	"place":          {ID: "Tempat", EN: "place"},
	"counter":        {ID: "Konter", EN: "counter"},
	"direction":      {ID: "Arah", EN: "direction"},
	"direction-each": {ID: "DIPILIH TIAP ORANG", EN: "asked each time"},
	"change":         {ID: "Ubah", EN: "change"},
	"drill":          {ID: "LATIHAN", EN: "drill"},
	"auto":           {ID: "OTOMATIS", EN: "automatic"},
	"now":            {ID: "Waktu konter", EN: "counter time"},

	// Choosing the counter's direction.
	"direction-title": {ID: "Arah untuk pelintas berikutnya", EN: "Direction of the travellers to come"},
	"direction-note":  {ID: "Pelintas yang sedang diperiksa tidak berubah.", EN: "The traveller being inspected is not changed."},
	"close":           {ID: "Tutup", EN: "close"},
	"cancel":          {ID: "Batal", EN: "cancel"},

	// Health.
	"state":            {ID: "Keadaan mesin", EN: "state of the machine"},
	"scanner":          {ID: "Pemindai", EN: "scanner"},
	"hub":              {ID: "Pusat", EN: "hub"},
	"list":             {ID: "Daftar", EN: "list"},
	"clock":            {ID: "Jam", EN: "clock"},
	"details":          {ID: "Rincian", EN: "details"},
	"ready":            {ID: "siap", EN: "ready"},
	"not-connected":    {ID: "tidak tersambung", EN: "not connected"},
	"not-usable":       {ID: "tidak dapat dipakai", EN: "not usable"},
	"in-use":           {ID: "dipakai program lain", EN: "in use elsewhere"},
	"not-taken":        {ID: "bacaan hilang", EN: "scans are lost"},
	"misread":          {ID: "salah setelan", EN: "set wrongly"},
	"clean-glass":      {ID: "bersihkan kaca", EN: "clean the glass"},
	"not-configured":   {ID: "belum diatur", EN: "not set up"},
	"connected":        {ID: "terhubung", EN: "connected"},
	"offline":          {ID: "tidak terhubung", EN: "not reached"},
	"unconfirmed":      {ID: "belum mengonfirmasi", EN: "not confirming"},
	"not-believed":     {ID: "tidak dipercaya", EN: "not believed"},
	"queued":           {ID: "%d antre", EN: "%d queued"},
	"oldest":           {ID: "tertua %s", EN: "oldest %s"},
	"list-fresh":       {ID: "baru", EN: "fresh"},
	"list-ageing":      {ID: "mulai lama", EN: "ageing"},
	"list-old":         {ID: "lama", EN: "old"},
	"list-expired":     {ID: "kedaluwarsa", EN: "expired"},
	"list-absent":      {ID: "tidak ada", EN: "none"},
	"list-unreadable":  {ID: "tidak terbuka", EN: "cannot be opened"},
	"synchronised":     {ID: "tersinkron", EN: "synchronised"},
	"not-synchronised": {ID: "tidak tersinkron", EN: "not synchronised"},
	"severity-info":    {ID: "info", EN: "info"},
	"severity-warning": {ID: "peringatan", EN: "warning"},
	"severity-error":   {ID: "gangguan", EN: "fault"},
	"since":            {ID: "sejak", EN: "since"},
	"all-well":         {ID: "Semua berjalan baik.", EN: "All is well."},
	"version":          {ID: "Versi program", EN: "program version"},

	// Nobody at the counter.
	"idle":  {ID: "SIAP", EN: "ready"},
	"swipe": {ID: "Gesek dokumen berikutnya", EN: "Swipe the next document"},

	// The traveller.
	"traveller":          {ID: "Pelintas", EN: "traveller"},
	"document":           {ID: "Dokumen", EN: "document"},
	"name-unread":        {ID: "Nama tidak terbaca", EN: "name not read"},
	"name-cut":           {ID: "mungkin terpotong", EN: "may be cut"},
	"document-number":    {ID: "Nomor dokumen", EN: "document number"},
	"issuer":             {ID: "Penerbit", EN: "issuer"},
	"nationality":        {ID: "Kebangsaan", EN: "nationality"},
	"birth":              {ID: "Tanggal lahir", EN: "date of birth"},
	"sex":                {ID: "Jenis kelamin", EN: "sex"},
	"sex-M":              {ID: "Laki-laki", EN: "male"},
	"sex-F":              {ID: "Perempuan", EN: "female"},
	"sex-other":          {ID: "Tidak ditentukan", EN: "unspecified"},
	"expiry":             {ID: "Berlaku sampai", EN: "valid until"},
	"expired":            {ID: "habis berlaku", EN: "expired"},
	"not-verified":       {ID: "Data belum tentu benar: bandingkan dengan dokumen.", EN: "Data may be wrong: compare with the document."},
	"reasons":            {ID: "Alasan", EN: "reasons"},
	"more-reasons":       {ID: "dan %d alasan lain", EN: "and %d more reasons"},
	"reason-unexplained": {ID: "Alasan tanpa penjelasan di versi ini.", EN: "A reason that this version cannot explain."},
	"record":             {ID: "Catatan penempatan", EN: "placement record"},
	"destination":        {ID: "Tujuan", EN: "destination"},
	"agency":             {ID: "Perusahaan", EN: "agency"},
	"until":              {ID: "Sampai", EN: "until"},
	"status":             {ID: "Status", EN: "Status"},
	"contact":            {ID: "Hubungi", EN: "contact"},
	"zone":               {ID: "Zona baca mesin", EN: "machine-readable zone"},
	"line-column":        {ID: "Baris %d kolom %d", EN: "line %d column %d"},
	"zone-picture":       {ID: "Zona baca mesin seperti yang dipindai", EN: "machine-readable zone as it was scanned"},
	"confirm-reading":    {ID: "Bacaan cocok dengan dokumen", EN: "reading matches the document"},

	// Where a placement is in its life, as the list says it.
	"status-proses":    {ID: "proses", EN: "in process"},
	"status-siap":      {ID: "siap", EN: "ready"},
	"status-berangkat": {ID: "berangkat", EN: "departed"},
	"status-aktif":     {ID: "aktif", EN: "abroad"},
	"status-cuti":      {ID: "cuti", EN: "on leave"},
	"status-selesai":   {ID: "selesai", EN: "ended"},
	"status-pulang":    {ID: "pulang", EN: "returned"},
	"status-ditunda":   {ID: "ditunda", EN: "suspended"},
	"status-dicabut":   {ID: "dicabut", EN: "revoked"},
	"status-batal":     {ID: "batal", EN: "cancelled"},
	"status-meninggal": {ID: "meninggal", EN: "deceased"},

	// Decision.
	"decide":           {ID: "Keputusan", EN: "decision"},
	"direction-needed": {ID: "pilih arah", EN: "choose direction"},
	"which-direction":  {ID: "Ke arah mana orang ini melintas?", EN: "Which way does this traveller cross?"},

	// What the traveller says.
	"purpose":        {ID: "Keperluan", EN: "purpose"},
	"purpose-title":  {ID: "Untuk apa bepergian?", EN: "What is the journey for?"},
	"return":         {ID: "Alasan pulang", EN: "reason to come home"},
	"return-title":   {ID: "Mengapa pulang? Sukarela, untuk menawarkan bantuan.", EN: "Why coming home? Voluntary, in order to offer help."},
	"not-asked":      {ID: "tidak ditanyakan", EN: "not asked"},
	"help":           {ID: "Tawarkan bantuan", EN: "offer help"},
	"basis":          {ID: "Dasar", EN: "basis"},
	"documents":      {ID: "Dokumen", EN: "documents"},
	"departure-only": {ID: "hanya untuk keberangkatan", EN: "for a departure only"},
	"guessed":        {ID: "Bacaan menurut daftar: bandingkan", EN: "Reading by the list: compare"},

	// The journey of the hour.
	"journey":       {ID: "Perjalanan", EN: "journey"},
	"journey-title": {ID: "Perjalanan untuk pelintas berikutnya", EN: "Journey of the travellers to come"},
	"journey-note":  {ID: "Penerbangan dan tujuan, misalnya GA834 HKG; kapal: KM KELUD, MYPKG. Kosong: tidak diketahui.", EN: "Flight and destination, such as GA834 HKG; ship: KM KELUD, MYPKG. Empty: not known."},
	"save":          {ID: "Simpan", EN: "save"},

	// What came of those who were referred.
	"outcomes":      {ID: "Hasil rujukan", EN: "outcomes"},
	"outcomes-none": {ID: "Tidak ada yang menunggu hasil.", EN: "Nobody waits for an outcome."},
	"positive":      {ID: "Ada temuan", EN: "something found"},
	"negative":      {ID: "Tidak ada temuan", EN: "nothing found"},

	// Beside.
	"waiting":     {ID: "Menunggu", EN: "waiting"},
	"history":     {ID: "Riwayat", EN: "history"},
	"last":        {ID: "Terakhir", EN: "last"},
	"no-history":  {ID: "Belum ada pemeriksaan.", EN: "No inspection yet."},
	"undecided":   {ID: "Tanpa keputusan", EN: "no decision"},
	"by-agent":    {ID: "ditutup otomatis", EN: "closed automatically"},
	"by-auto":     {ID: "otomatis", EN: "automatic"},
	"saved":       {ID: "tersimpan", EN: "saved"},
	"confirmed":   {ID: "terkonfirmasi", EN: "confirmed"},
	"more-hidden": {ID: "dan %d lagi", EN: "and %d more"},

	// Cannot record.
	"fault":      {ID: "TIDAK DAPAT MENCATAT", EN: "cannot record"},
	"fault-next": {ID: "Hentikan pemeriksaan di konter ini. Catat di formulir kertas dan panggil teknisi.", EN: "Stop inspecting at this counter. Use the paper form and call the technician."},
	"fault-keys": {ID: "Tidak ada tombol keputusan yang bekerja sampai ini teratasi.", EN: "No decision key works until this is mended."},
	"technician": {ID: "Untuk teknisi", EN: "for the technician"},

	// The page has lost the agent.
	"lost":      {ID: "LAYAR TERPUTUS", EN: "screen disconnected"},
	"lost-next": {ID: "Jangan memutuskan apa pun. Layar menyambung kembali dengan sendirinya; bila tetap begini, panggil teknisi.", EN: "Decide nothing. The screen reconnects by itself; if it stays like this, call the technician."},
	"script":    {ID: "Layar ini memerlukan JavaScript.", EN: "This screen needs JavaScript."},

	// Messages after a key.
	"message-decided":      {ID: "Pemeriksaan ini sudah diputuskan atau ditutup. Lihat riwayat.", EN: "This inspection is already decided or closed. See the history."},
	"message-direction":    {ID: "Pilih dulu keberangkatan atau kepulangan.", EN: "Choose departure or return first."},
	"message-fixed":        {ID: "Arah konter ini tidak dapat diubah di layar.", EN: "The direction of this counter cannot be changed on the screen."},
	"message-not-recorded": {ID: "Keputusan BELUM tersimpan. Coba sekali lagi; bila gagal lagi, panggil teknisi.", EN: "The decision is NOT recorded. Try once more; if it fails again, call the technician."},
	"message-bad-request":  {ID: "Layar mengirim sesuatu yang tidak dimengerti. Muat ulang halaman.", EN: "The screen sent something that was not understood. Reload the page."},
	"message-journey":      {ID: "Perjalanan tidak dimengerti. Tulis seperti GA834 HKG atau KM KELUD, MYPKG.", EN: "The journey was not understood. Write it like GA834 HKG or KM KELUD, MYPKG."},
	"message-unanswered":   {ID: "Tidak ada jawaban. Belum pasti apakah tersimpan: lihat riwayat.", EN: "No answer. It is not certain whether it was recorded: see the history."},
}
