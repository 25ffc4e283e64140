package devices

import "lintas/mrz"

// A Page is what reading a picture adds to a scan.
type Page struct {
	File       string        `json:"-"`                  // the file's name, for the technician; it may name a traveller and is never logged
	Number     int           `json:"number,omitempty"`   // of the page in its file, from 1
	Confidence float64       `json:"confidence"`         // 0 to 1: of the least certain character
	Doubtful   []Doubt       `json:"doubtful,omitempty"` // characters below the reader's floor
	Strip      []byte        `json:"-"`                  // the zone upright, as PNG; nil if there is none
	Findings   []mrz.Finding `json:"findings,omitempty"` // about the page, not about what the zone says
}

// A Doubt is a character that the officer should compare with the document.
type Doubt struct {
	Line   int `json:"line"`   // from 1
	Column int `json:"column"` // from 1
}
