package folder

import "lintas/mrz"

// CodeNotOpened is the finding about a file that was not opened.
const CodeNotOpened = "page_not_opened"

var notOpened = []mrz.Finding{{
	Code: CodeNotOpened, Severity: mrz.Error,
	ID: "Berkas di folder halaman tidak dapat dibuka; berkas itu disisihkan. Pindai ulang, dan beri tahu teknisi bila terulang.",
	EN: "A file in the folder of pages cannot be opened and was put aside; scan again, and tell the technician if it happens again.",
}}
