// Package page reads scanned pages: PDF, TIFF, JPEG and PNG, told apart by
// content. It turns a document into scans, one for each machine-readable zone
// that package mrz/ocr finds on its pages.
//
// A document comes from outside and may be made to break whatever opens it. So
// the process that wants to know never opens it. It starts a child of its own
// binary, which lives for this one document:
//
//	Read ── the open file, as descriptor 0 ──► Child ── walls ── MuPDF ── ocr
//	  ▲                                           │
//	  └───── one line of JSON for each page ──────┘
//
// Before the child looks at the first byte it takes from itself what it does
// not need: memory, processor time, file sizes and descriptors (rlimits), new
// privileges, core dumps, writable code, every file and network address
// (Landlock), every system call that a renderer has no use for (seccomp). The
// last two where the kernel has them; Result.Walls says which hold.
//
// The package promises:
//
//   - Nothing is rendered before its size is known and fits. A document has at
//     most MaxBytes, of which the first MaxPages pages are read.
//   - There is always an answer within a bounded time. A page that kills the
//     child, or keeps it busy for longer than PageTime, costs that page; the
//     others are still read where the document can be read twice.
//   - The caller's memory never holds the document, and what it takes from the
//     child is bounded and checked: lines are [A-Z0-9<], pictures are bare
//     grey pixels, findings are codes whose words stand here.
//   - The child ends with its parent, also if that is killed.
//   - Neither a document's content nor its name is in an error or a log, and
//     what the child writes to stderr is thrown away.
//
// PDF and TIFF are rendered by MuPDF (go-fitz, which nothing else imports) at
// the pixels that are there; JPEG and PNG are decoded by Go's own packages.
package page

import "time"

// Bounds on a document. What is beyond them is refused or left out, and a
// finding says so.
const (
	MaxBytes = 64 << 20 // of a document
	MaxPages = 20       // that are read

	// maxPicture is the most pixels of a TIFF's picture, 600 dots per inch of A3,
	// and maxPhoto that of a JPEG or PNG, a telephone's photograph. maxDecoded is
	// the most bytes that one takes when it is decoded.
	maxPicture = 72 << 20
	maxPhoto   = 50 << 20
	maxDecoded = 256 << 20
	// maxRender is the most pixels that MuPDF renders: it takes 12 bytes for
	// each. Above it a page is rendered at a half, a third … of its pixels.
	maxRender = 25 << 20
	// maxZones is the most zones of one page.
	maxZones = 8
)

// Bounds on the child.
const (
	// PageTime is how long a page may take, and DocumentTime all of a document.
	PageTime     = 15 * time.Second
	DocumentTime = 60 * time.Second

	maxChildren = 2 // at once, of this process
	maxDeaths   = 3 // of children that one document costs
)
