package mrz

import "strings"

// A Finding is something about a zone that a person should know. Line and
// Column count from 1 and are 0 where it is about no single place. ID and EN
// say it in one sentence for the officer, in Indonesian and English; neither
// ever contains the traveller's data.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Field    string   `json:"field"`
	Line     int      `json:"line"`
	Column   int      `json:"column"`
	ID       string   `json:"id"`
	EN       string   `json:"en"`
}

// Severity grades a Finding.
type Severity string

// The severities. All faults that make a document not valid are errors; the
// one error that does not is CodeDateImpossible.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Codes of findings.
const (
	CodeFormatUnknown         = "format_unknown"
	CodeLineLength            = "line_length"
	CodeCharacterUnread       = "character_unread"
	CodeCharacterIllegal      = "character_illegal"
	CodeCheckDigitWrong       = "check_digit_wrong"
	CodeCheckDigitMissing     = "check_digit_missing"
	CodeNumberUnfinished      = "number_unfinished"
	CodeDateImpossible        = "date_impossible"
	CodeNumberMissing         = "number_missing"
	CodeStateUnknown          = "state_unknown"
	CodeDocumentCodeUnknown   = "document_code_unknown"
	CodeNameMissing           = "name_missing"
	CodeNameNoPrimary         = "name_no_primary"
	CodeNameFillers           = "name_fillers"
	CodeNameDigit             = "name_digit"
	CodeCenturyUncertain      = "century_uncertain"
	CodeCenturyOpen           = "century_open"
	CodeExpiryComputed        = "expiry_computed"
	CodeNameFillerNoise       = "name_filler_noise"
	CodeNumberLookalike       = "number_lookalike"
	CodeRepaired              = "repaired"
	CodeRepairedUnproven      = "repaired_unproven"
	CodeFillersMended         = "fillers_mended"
	CodeNameTruncated         = "name_truncated"
	CodeDatePartial           = "date_partial"
	CodeDateUnknown           = "date_unknown"
	CodeSexX                  = "sex_x"
	CodeNumberContinuedICAO   = "number_continued_icao"
	CodeNumberContinuedFiller = "number_continued_filler"
)

// A phrase is a finding's severity and its sentences; "{field}" in them is
// replaced by the field's name in the same language.
type phrase struct {
	severity Severity
	id, en   string
}

// catalogue holds every finding there is.
var catalogue = map[string]phrase{
	CodeFormatUnknown: {Error,
		"Baris-baris ini bukan zona baca mesin yang dikenal; pindai ulang atau ketik dari dokumen.",
		"These lines are not a machine-readable zone of a known format; scan again or type them from the document."},
	CodeLineLength: {Error,
		"Baris ini terlalu pendek atau terlalu panjang; sebagian data tidak terbaca, pindai ulang.",
		"This line is too short or too long; part of the data was not read, scan again."},
	CodeCharacterUnread: {Error,
		"Satu karakter pada {field} tidak terbaca; pindai ulang atau lihat dokumennya.",
		"A character of the {field} could not be read; scan again or look at the document."},
	CodeCharacterIllegal: {Error,
		"Satu karakter pada {field} tidak boleh ada di tempat itu; kemungkinan salah baca.",
		"A character of the {field} is not allowed in that place; it was probably misread."},
	CodeCheckDigitWrong: {Error,
		"Angka pemeriksa untuk {field} tidak cocok; bandingkan dengan dokumen dan pindai ulang.",
		"The check digit of the {field} does not match; compare with the document and scan again."},
	CodeCheckDigitMissing: {Error,
		"Angka pemeriksa untuk {field} tidak tercetak padahal wajib ada.",
		"The check digit of the {field} is not printed although it must be."},
	CodeNumberUnfinished: {Error,
		"Nomor dokumen seharusnya berlanjut di data opsional, tetapi lanjutannya tidak ada.",
		"The document number should continue in the optional data, but nothing follows there."},
	CodeDateImpossible: {Error,
		"Pada {field} tertulis tanggal yang tidak ada di kalender.",
		"The {field} is a date that the calendar does not have."},
	CodeNumberMissing: {Warning,
		"Nomor dokumen kosong.",
		"The document number is empty."},
	CodeStateUnknown: {Warning,
		"Kode negara pada {field} tidak dikenal; periksa dokumennya.",
		"The code of the {field} is not a known state or organisation; look at the document."},
	CodeDocumentCodeUnknown: {Warning,
		"Huruf pertama kode dokumen bukan huruf yang lazim untuk dokumen perjalanan.",
		"The first letter of the document code is not one that travel documents use."},
	CodeNameMissing: {Warning,
		"Nama kosong.",
		"The name is empty."},
	CodeNameNoPrimary: {Warning,
		"Nama utama kosong; seluruh nama tertulis di tempat nama depan.",
		"There is no primary name; the whole name stands in the place of given names."},
	CodeNameFillers: {Warning,
		"Pemisah nama muncul lebih dari sekali; batas antara nama utama dan nama depan mungkin keliru.",
		"Name separators appear more than once; the border between primary and given names may be wrong."},
	CodeNameDigit: {Error,
		"Ada angka di dalam nama; kemungkinan salah baca.",
		"There is a digit in the name; it was probably misread."},
	CodeCenturyUncertain: {Warning,
		"Abad tanggal lahir disimpulkan dari tanggal habis berlaku; periksa usia pemegang dokumen.",
		"The century of the date of birth was concluded from the date of expiry; check the holder's age."},
	CodeNumberLookalike: {Warning,
		"Satu karakter pada nomor dokumen mungkin salah baca, dan angka pemeriksa tidak dapat membedakannya; bandingkan dengan dokumennya.",
		"A character of the document number may have been misread in a way that no check digit shows; compare with the document."},
	CodeRepaired: {Info,
		"Satu karakter pada {field} salah baca dan dikoreksi; angka pemeriksa membuktikannya.",
		"A character of the {field} was misread and mended; the check digits prove it."},
	CodeRepairedUnproven: {Warning,
		"Satu karakter pada {field} salah baca dan dikoreksi tanpa bukti angka pemeriksa; bandingkan dengan dokumennya.",
		"A character of the {field} was misread and mended, which no check digit proves; compare with the document."},
	CodeFillersMended: {Info,
		"Jumlah tanda pengisi pada baris ini tidak sesuai dan dibetulkan.",
		"The number of fillers on this line was not right and has been mended."},
	CodeNameFillerNoise: {Warning,
		"Huruf tunggal di antara tanda pengisi setelah nama; kemungkinan tanda pengisi yang salah baca.",
		"There are single letters among the fillers after the name; they were probably fillers that were misread."},
	CodeCenturyOpen: {Info,
		"Tahun lahir hanya dua angka: pemegang dokumen masih anak-anak, atau berusia lebih dari seratus tahun.",
		"The year of birth has two digits only: the holder is a child, or more than a hundred years old."},
	CodeExpiryComputed: {Info,
		"Tanggal habis berlaku tidak tercetak di zona ini; dihitung dari bulan penerbitan.",
		"The date of expiry is not printed in this zone; it was computed from the month of issue."},
	CodeNameTruncated: {Info,
		"Nama memenuhi seluruh tempatnya dan mungkin terpotong.",
		"The name fills its whole field and may have been cut."},
	CodeDatePartial: {Info,
		"Sebagian dari {field} tidak diketahui menurut dokumen.",
		"Part of the {field} is unknown according to the document."},
	CodeDateUnknown: {Info,
		"Dokumen tidak menyebutkan {field}.",
		"The document does not state the {field}."},
	CodeSexX: {Info,
		"Jenis kelamin tertulis X; standar memakai tanda pengisi, artinya sama: tidak ditentukan.",
		"Sex is printed as X; the standard uses a filler, which means the same: unspecified."},
	CodeNumberContinuedICAO: {Info,
		"Nomor dokumen berlanjut di data opsional; angka pemeriksanya mengikuti aturan ICAO.",
		"The document number continues in the optional data; its check digit follows ICAO's rule."},
	CodeNumberContinuedFiller: {Info,
		"Nomor dokumen berlanjut di data opsional; angka pemeriksanya ikut menghitung tanda pengisi, seperti pada sebagian kartu Belgia dan Portugal.",
		"The document number continues in the optional data; its check digit counts the filler, as some Belgian and Portuguese cards do."},
}

// labels are the fields' names in sentences.
var labels = map[string]struct{ id, en string }{
	FieldDocumentCode:   {"kode dokumen", "document code"},
	FieldIssuingState:   {"negara penerbit", "issuing state"},
	FieldName:           {"nama", "name"},
	FieldDocumentNumber: {"nomor dokumen", "document number"},
	FieldNationality:    {"kewarganegaraan", "nationality"},
	FieldDateOfBirth:    {"tanggal lahir", "date of birth"},
	FieldSex:            {"jenis kelamin", "sex"},
	FieldDateOfExpiry:   {"tanggal habis berlaku", "date of expiry"},
	FieldOptionalData:   {"data opsional", "optional data"},
	FieldOptionalData2:  {"data opsional kedua", "second optional data"},
	FieldComposite:      {"seluruh data (gabungan)", "zone as a whole (composite)"},
}

// newFinding builds a finding from the catalogue. Line and column count from 1.
func newFinding(code, field string, line, column int) Finding {
	p := catalogue[code]
	f := Finding{Code: code, Severity: p.severity, Field: field, Line: line, Column: column, ID: p.id, EN: p.en}
	if label, ok := labels[field]; ok {
		f.ID = strings.ReplaceAll(f.ID, "{field}", label.id)
		f.EN = strings.ReplaceAll(f.EN, "{field}", label.en)
	}
	return f
}
