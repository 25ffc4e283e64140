package page

import "lintas/mrz"

// Codes of what can be said of a document or a page, apart from what its zones
// say. They are also the reasons why a document is kept aside.
const (
	CodeNotPage      = "page_not_page"  // none of the kinds that are read
	CodeEmpty        = "page_empty"     // no bytes
	CodeTooLarge     = "page_too_large" // more than MaxBytes
	CodeTooManyPixel = "page_too_many_pixels"
	CodeEncrypted    = "page_encrypted"
	CodeBroken       = "page_broken"   // it, or the page, cannot be rendered
	CodeKilled       = "page_killed"   // the child died of it
	CodeTimeout      = "page_timeout"  // it took too long
	CodeSkipped      = "page_skipped"  // not looked at because of what another page did
	CodeLeftOut      = "page_left_out" // pages beyond MaxPages
	CodeNoZone       = "page_no_zone"
	CodeZonesLeft    = "page_zones_left_out" // zones beyond maxZones
	CodeTextDiffers  = "text_layer_differs"
	CodeTextOnly     = "text_layer_only"
	CodeUnconfined   = "page_unconfined" // the child could not be confined, so nothing was read
)

// catalogue holds the sentences of every code. None of them has a gap to fill
// with what stands in a document.
var catalogue = map[string]mrz.Finding{
	CodeNotPage: {Severity: mrz.Error,
		ID: "Berkas ini bukan halaman pindaian; hanya PDF, TIFF, JPEG, dan PNG yang dibaca.",
		EN: "This file is not a scanned page; only PDF, TIFF, JPEG and PNG are read."},
	CodeEmpty: {Severity: mrz.Error,
		ID: "Berkas ini kosong; pindai ulang.",
		EN: "This file is empty; scan again."},
	CodeTooLarge: {Severity: mrz.Error,
		ID: "Berkas ini lebih besar dari 64 MiB; pindai satu halaman pada 300 dpi.",
		EN: "This file is larger than 64 MiB; scan one page at 300 dots per inch."},
	CodeTooManyPixel: {Severity: mrz.Error,
		ID: "Halaman ini terlalu besar untuk dibaca; pindai pada 300 dpi.",
		EN: "This page is too large to be read; scan at 300 dots per inch."},
	CodeEncrypted: {Severity: mrz.Error,
		ID: "PDF ini dikunci dengan kata sandi; pindai tanpa kata sandi.",
		EN: "This PDF is locked with a password; scan without one."},
	CodeBroken: {Severity: mrz.Error,
		ID: "Halaman ini rusak dan tidak dapat dibuka; pindai ulang.",
		EN: "This page is broken and cannot be opened; scan again."},
	CodeKilled: {Severity: mrz.Error,
		ID: "Halaman ini menghentikan pembacanya dan disisihkan; pindai ulang, dan beri tahu teknisi bila terulang.",
		EN: "This page ended its reader and was put aside; scan again, and tell the technician if it happens again."},
	CodeTimeout: {Severity: mrz.Error,
		ID: "Membaca halaman ini terlalu lama dan dihentikan; pindai ulang pada 300 dpi.",
		EN: "Reading this page took too long and was stopped; scan again at 300 dots per inch."},
	CodeSkipped: {Severity: mrz.Error,
		ID: "Halaman ini tidak dibaca karena halaman lain menghentikan pembacanya; pindai sendiri-sendiri.",
		EN: "This page was not read because another one ended the reader; scan it by itself."},
	CodeLeftOut: {Severity: mrz.Warning,
		ID: "Hanya 20 halaman pertama yang dibaca; bagi berkasnya bila ada yang lain.",
		EN: "Only the first 20 pages were read; divide the file if there are others."},
	CodeNoZone: {Severity: mrz.Error,
		ID: "Tidak ada zona baca mesin pada halaman ini; pindai ulang dengan dokumen terbuka dan rata.",
		EN: "There is no machine-readable zone on this page; scan again with the document open and flat."},
	CodeZonesLeft: {Severity: mrz.Warning,
		ID: "Lebih dari delapan zona pada halaman ini; hanya delapan yang dibaca.",
		EN: "There are more than eight zones on this page; only eight were read."},
	CodeTextDiffers: {Severity: mrz.Warning,
		ID: "Lapisan teks berkas ini memuat zona lain dari yang terlihat pada gambarnya; gambarnya yang dipakai, bandingkan dengan dokumen.",
		EN: "The text layer of this file holds another zone than its picture shows; the picture counts, compare with the document."},
	CodeTextOnly: {Severity: mrz.Warning,
		ID: "Lapisan teks berkas ini memuat zona yang tidak terlihat pada gambarnya; zona itu tidak dipakai, lihat dokumennya.",
		EN: "The text layer of this file holds a zone that its picture does not show; it is not used, look at the document."},
	CodeUnconfined: {Severity: mrz.Error,
		ID: "Pembaca halaman tidak dapat diamankan di mesin ini, jadi tidak ada yang dibaca; beri tahu teknisi.",
		EN: "The reader of pages cannot be confined on this machine, so nothing was read; tell the technician."},
}

// finding gives the finding of a code.
func finding(code string) mrz.Finding {
	f := catalogue[code]
	f.Code = code
	return f
}

// known tells whether a child may say this of a page.
func known(code string) bool {
	_, ok := catalogue[code]
	return ok
}
