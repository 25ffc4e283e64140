// Package rule is what headquarters may add to the checks that are built in:
// rules, and which destinations and kinds of work are closed. Both are data, a
// pack in the signed list; a counter cannot change them.
//
// A rule is a condition over a fixed vocabulary (see Facts) with an owner, a
// legal basis, an end at most 90 days after its start and words in both
// languages:
//
//	{"format": "lintas-rules/1", "version": 12, "time": "2026-11-20T00:00:00Z",
//	 "rules": [{"id": "R01", "owner": "…", "legal_basis": "…", "start": "2026-11-01", "end": "2027-01-15",
//	   "directions": ["departure"], "mode": "active", "precision_floor": 0.1, "minimum_outcomes": 30,
//	   "when": "counts.same_flight_unlisted_20min >= 5 && counts.consecutive_numbers >= 3",
//	   "text": {"id": "…", "en": "…"}, "next": {"id": "…", "en": "…"}}],
//	 "closed": [{"id": "K01", "order": "Kepmenaker 260/2015", "destinations": ["SAU"], "employer_kinds": ["household"],
//	   "start": "2015-05-26", "verdict": "ask"}]}
//
// configs/schema/rules.json is its JSON Schema.
//
// Rules miss people, and what they miss nobody sees. So a pack may have one rule
// that asks, in place of a condition, one in so many of those whom nothing speaks
// against ("one_in": 500): what their closer look finds estimates how many are
// missed. Its words must fit everybody; nobody is told that it was the lot.
//
// It promises: a rule can only make an officer ask, never stop or clear
// anybody. No rule can tell by sex, name, birth, religion or origin: there are
// no words for them; of the issuing state it can only tell whether it is
// Indonesia. For somebody coming home it can tell nothing of record, journey or
// purpose, so that nobody is faulted for them then. A pack with any fault is
// refused whole, and every fault is named. A condition has no loops and calls
// nothing: what it costs is known before it is used, and bounded.
//
// Conditions are read by github.com/expr-lang/expr, of whose language only
// comparisons and and, or, not are let through.
package rule

import (
	"slices"
	"time"

	"lintas/mrz"
)

// Format is the version of the pack's form that this program reads.
const Format = "lintas-rules/1"

// Limits on a pack.
const (
	MaxPack      = 1 << 20 // bytes
	MaxRules     = 99
	MaxClosed    = 500
	MaxCondition = 500 // characters
	MaxCost      = 64  // parts of one condition
	MaxText      = 200 // characters: what has room on the page
	MaxDays      = 90  // from a rule's start to its end

	MinOneIn = 20 // nobody may be asked by lot oftener
	MaxOneIn = 1_000_000
)

// Mode says whether anybody sees that a rule holds.
type Mode string

// Every rule begins in the shadow.
const (
	Shadow Mode = "shadow" // only counted, in the record of the inspection
	Active Mode = "active" // the officer is told to ask
)

// The directions, in the words of package verdict.
const (
	Departure = "departure"
	Return    = "return"
)

// Text is a sentence in Indonesian and in English.
type Text struct {
	ID string `json:"id"`
	EN string `json:"en"`
}

// Rule is one rule as headquarters wrote it.
type Rule struct {
	ID              string   `json:"id"`          // R01 to R99
	Owner           string   `json:"owner"`       // who answers for it
	LegalBasis      string   `json:"legal_basis"` // what allows the question
	Start           mrz.Date `json:"start"`       // first day
	End             mrz.Date `json:"end"`         // last day, at most MaxDays after Start
	Directions      []string `json:"directions"`
	Mode            Mode     `json:"mode"`
	PrecisionFloor  float64  `json:"precision_floor,omitempty"`  // below this share of findings the rule turns itself off
	MinimumOutcomes int      `json:"minimum_outcomes,omitempty"` // but not before so many outcomes are known
	Outcomes        Outcomes `json:"outcomes,omitzero"`          // known at headquarters when the pack was made
	When            string   `json:"when,omitempty"`
	OneIn           int      `json:"one_in,omitempty"` // in place of When: one in so many, by lot
	Text            Text     `json:"text"`             // the condition in plain words
	Next            Text     `json:"next"`             // what to ask
}

// In reports whether the rule holds on a day and in a direction; a direction
// that is not known yet is taken for a departure.
func (r Rule) In(day mrz.Date, direction string) bool {
	if direction == "" {
		direction = Departure
	}
	return !day.Before(r.Start) && !r.End.Before(day) && slices.Contains(r.Directions, direction)
}

// Closed is an order that closes destinations or kinds of work. It speaks of a
// placement that fits every list that is not empty.
type Closed struct {
	ID            string   `json:"id"`    // K01 …
	Order         string   `json:"order"` // its number, shown to the officer
	Destinations  []string `json:"destinations,omitempty"`
	JobClasses    []string `json:"job_classes,omitempty"`
	EmployerKinds []string `json:"employer_kinds,omitempty"`
	Start         mrz.Date `json:"start"`
	End           mrz.Date `json:"end,omitzero"`
	// SparesBefore: contracts that began before this day go on.
	SparesBefore mrz.Date `json:"spares_contracts_before,omitzero"`
	Verdict      string   `json:"verdict"` // ask or stop, as policy says
}

// Speaks reports whether the order is about a placement on a day. What is not
// known of the placement does not fit a list that asks for it.
func (c Closed) Speaks(day mrz.Date, destination, jobClass, employerKind string, contractFrom mrz.Date) bool {
	in := func(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }
	switch {
	case day.Before(c.Start), !c.End.IsZero() && c.End.Before(day):
		return false
	case !c.SparesBefore.IsZero() && contractFrom.Before(c.SparesBefore):
		return false
	}
	return in(c.Destinations, destination) && in(c.JobClasses, jobClass) && in(c.EmployerKinds, employerKind)
}

// Pack is a whole pack.
type Pack struct {
	Format  string    `json:"format"`
	Version int64     `json:"version"`
	Time    time.Time `json:"time"`
	Rules   []Rule    `json:"rules"`
	Closed  []Closed  `json:"closed,omitempty"`
}
