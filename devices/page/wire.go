package page

import "lintas/mrz"

// answer is one line of what the child says: first one with Begun, then one for
// each page in order, at last one with Ended. What it says is believed only as
// far as the parent has checked it.
type answer struct {
	Begun *begun `json:"begun,omitempty"`
	Page  *sheet `json:"page,omitempty"`
	Ended bool   `json:"ended,omitempty"`
}

// begun is said when the document is open.
type begun struct {
	Kind  Kind     `json:"kind"`
	Pages int      `json:"pages"` // in the document
	Walls []string `json:"walls"`
	Fault string   `json:"fault,omitempty"` // a code: nothing can be read of it
}

// sheet is what is on a page.
type sheet struct {
	Number int      `json:"number"` // from 1
	Zones  []zone   `json:"zones,omitempty"`
	Codes  []string `json:"codes,omitempty"` // of findings
}

// zone is one zone of a page.
type zone struct {
	Lines      []string     `json:"lines"`
	Confidence float64      `json:"confidence"`
	Doubtful   []cell       `json:"doubtful,omitempty"`
	Repairs    []mrz.Repair `json:"repairs,omitempty"`
	Strip      *strip       `json:"strip,omitempty"`
}

// cell is a place in a zone, counted from 1.
type cell struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// strip is the picture of a zone: bare grey pixels, so that whoever shows it
// decodes nothing that came out of the document.
type strip struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Grey   []byte `json:"grey"`
}

// Bounds on what a child may say.
const (
	maxAnswer = 8 << 20 // bytes of one line
	maxStrip  = 1 << 20 // pixels
)
