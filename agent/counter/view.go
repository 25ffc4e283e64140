package counter

import (
	"time"

	"lintas/agent/crossing"
	"lintas/agent/journey"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// View is what the page shows: a snapshot, owned by whoever asked for it.
type View struct {
	Counter, Site, Terminal, Lane string
	Direction                     verdict.Direction // of the travellers to come; empty: asked for each
	DirectionFixed                bool              // set by the configuration, not changeable on the page
	Confirm                       string            // "officer" or "auto"
	Journey                       journey.Journey   // of the travellers to come; zero: not chosen
	JourneySince                  time.Time
	Referred                      []Line // wait for an outcome, newest first
	Drill                         bool
	Current                       *Inspection // waits for a decision; nil when nobody is there
	Waiting                       []Line      // open inspections behind the current one
	History                       []Line      // ended ones, newest first
	Notice                        *Notice     // about a swipe that gave no inspection
	Fault                         string      // set: nothing can be recorded; for the technician
}

// Inspection is the traveller at the counter. It holds personal data and is
// gone from memory once decided.
type Inspection struct {
	ID       string
	At       time.Time
	Verdict  verdict.Verdict
	Document mrz.Document
	Record   *Placement        // what the list says; nil if nothing opened
	Contact  string            // of a negative entry
	Journey  *crossing.Journey // nil: not known
	Guesses  []Guess           // readings that the list decided
	// What the officer was told.
	Purpose      verdict.Purpose
	ReturnReason verdict.ReturnReason
	// Direction of the crossing to record; empty: the officer must choose.
	Direction verdict.Direction
	// Reading is how a picture was read; nil: it was no picture.
	Reading *Reading
}

// Reading is how a document was read from a picture.
type Reading struct {
	Confidence float64
	Doubtful   bool          // characters are not certain, and nobody has confirmed them
	Strip      []byte        // the zone as it was scanned, PNG; nil if there is none
	Findings   []mrz.Finding // about the page; they are among the document's as well
}

// Placement is the part of a placement record that the officer sees.
type Placement struct {
	ID          string
	Destination string
	Agency      string
	Until       string // the earliest of contract and visa end, YYYY-MM-DD
	Status      string
}

// Line is one row of the history or of the waiting line; the document is
// masked.
type Line struct {
	ID        string
	At        time.Time
	Document  string // C•••4567
	Verdict   verdict.Code
	Reasons   []string
	Shadow    []string         // rules that held in the shadow; not for the officer
	Decision  verdict.Decision // empty: open
	DecidedBy string           // officer, auto, agent
	Direction verdict.Direction
	Crossing  bool // a departure or return was recorded
	Sequence  uint64
	Confirmed bool // the hub holds it
}

// Notice is a short message to the officer about the last swipe.
type Notice struct {
	At     time.Time
	ID, EN string
}

// Choice is what the officer did.
type Choice struct {
	Inspection string // its id, so that a late key never meets another traveller
	Decision   verdict.Decision
	Direction  verdict.Direction // needed for proceed where the inspection has none
	Seen       []string          // keys of documents that the officer saw
}
