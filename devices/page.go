package devices

import "lintas/mrz"

// A Page is what reading a picture adds to a scan.
type Page struct {
	File       string        `json:"-"`                  // the file's name, for the technician; it may name a traveller and is never logged
	Number     int           `json:"number,omitempty"`   // of the page in its file, from 1
	Confidence float64       `json:"confidence"`         // 0 to 1: of the least certain character
	Doubtful   []Doubt       `json:"doubtful,omitempty"` // characters below the reader's floor
	Repairs    []mrz.Repair  `json:"repairs,omitempty"`  // characters that the check digits decided
	Strip      []byte        `json:"-"`                  // the zone upright, as PNG; nil if there is none
	Findings   []mrz.Finding `json:"findings,omitempty"` // about the page, not about what the zone says

	// Settle is called once by whoever takes the scan, when it no longer depends
	// on its source: kept tells whether what became of it is durable. A folder
	// keeps the file until then. Nil: nobody waits for it. See Scan.Settle.
	Settle func(kept bool) `json:"-"`
}

// A Doubt is a character that the officer should compare with the document.
type Doubt struct {
	Line   int `json:"line"`   // from 1
	Column int `json:"column"` // from 1
}
