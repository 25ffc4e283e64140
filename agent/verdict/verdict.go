// Package verdict decides what the machine says about a traveller, from what
// the document, the placement list and this counter's own memory show. It is
// pure: no I/O, no clock, no network.
//
// The verdict advises; the officer decides. That there is no record is normal
// and never a ground to refuse. Neither sex, name, religion nor origin enters
// a rule; a name is only compared with the name in the traveller's own record.
// Somebody who comes home is never faulted for contract, agency, destination or
// dates, and never postponed.
//
// Every reason stands in one table, Catalogue: the verdict it asks for, the
// directions in which it is given, what it is found from, its words, and the
// documents to see with their legal basis.
package verdict

import (
	"slices"
	"time"

	"lintas/agent/placement"
	"lintas/agent/rule"
)

// Code is what the officer sees first. Codes are part of the wire contract.
type Code string

// The five verdicts, from the mildest precedence to the strongest.
const (
	None   Code = "none"   // no record and no rule hit: nearly everybody
	Clear  Code = "clear"  // one valid record fits
	Ask    Code = "ask"    // a record exists and something does not fit, or a rule hit
	Unsure Code = "unsure" // unreadable document, no list
	Stop   Code = "stop"   // call the supervisor; never "refuse"
)

// precedence: stop > unsure > ask > clear > none.
var precedence = map[Code]int{None: 0, Clear: 1, Ask: 2, Unsure: 3, Stop: 4}

// ReasonCode says why. Reason codes are part of the wire contract; Catalogue
// has the table of them. The codes of rules, R01 to R99, come with the rules.
type ReasonCode string

// The reasons that are built in.
const (
	P01 ReasonCode = "P01" // placement on record, all fits
	P02 ReasonCode = "P02" // on leave, going back to work
	P03 ReasonCode = "P03" // outside the law on migrant workers, or crew: as the officer was told
	N01 ReasonCode = "N01" // no record
	N02 ReasonCode = "N02" // no record, and the officer was told: to work
	A01 ReasonCode = "A01" // record expired
	A02 ReasonCode = "A02" // destination differs
	A03 ReasonCode = "A03" // name, birth date or expiry differ from the record
	A04 ReasonCode = "A04" // same person, other document
	A05 ReasonCode = "A05" // destination or kind of work closed
	A06 ReasonCode = "A06" // agency licence or placement permit suspended or revoked
	A07 ReasonCode = "A07" // under 18 and the record says work
	A08 ReasonCode = "A08" // outside the departure window
	Q01 ReasonCode = "Q01" // sequence: left and never returned, or the reverse
	Q02 ReasonCode = "Q02" // same document a moment ago
	X01 ReasonCode = "X01" // record revoked or suspended
	X02 ReasonCode = "X02" // document reported lost
	X03 ReasonCode = "X03" // negative list
	S01 ReasonCode = "S01" // list ageing
	S02 ReasonCode = "S02" // list stale
	S03 ReasonCode = "S03" // list expired or absent
	M01 ReasonCode = "M01" // check digit failed or zone unreadable
	M02 ReasonCode = "M02" // typed by hand
	M03 ReasonCode = "M03" // read from a picture, and not surely
	T01 ReasonCode = "T01" // clock not synchronised
)

// Reason is one ground of a verdict. Detail is a bare value such as a date or
// a country code, the same in every language. Rule is set for the codes of
// rules: their words come with them.
type Reason struct {
	Code      ReasonCode
	Detail    string
	Checklist string // id of the documents to see; empty: none
	Rule      *rule.Rule
}

// Verdict is the machine's answer: the strongest of its reasons decides, and
// stands first. Record is the placement that was judged, nil if there is none.
type Verdict struct {
	Code    Code
	Reasons []Reason
	Record  *placement.Record

	// What it was decided from. A version of 0 says that there was none.
	ListVersion  int64
	ListAge      time.Duration
	RulesVersion int64
	RulesAge     time.Duration

	Shadow []string // rules that held in the shadow: recorded, not shown
	Failed []string // rules that could not be evaluated
	// Guessed names the fields of which a reading was taken that the document
	// itself leaves open.
	Guessed []string
}

// Codes lists the reasons' codes in order.
func (v Verdict) Codes() []string {
	codes := make([]string, len(v.Reasons))
	for i, r := range v.Reasons {
		codes[i] = string(r.Code)
	}
	return codes
}

// Fired lists the rules among the reasons.
func (v Verdict) Fired() (ids []string) {
	for _, r := range v.Reasons {
		if r.Rule != nil {
			ids = append(ids, r.Rule.ID)
		}
	}
	return ids
}

// Decision is the officer's act.
type Decision string

// The decisions an officer can take.
const (
	Proceed       Decision = "proceed"
	Refer         Decision = "refer"
	Postpone      Decision = "postpone"
	NotTravelling Decision = "not-travelling"
	HandedOver    Decision = "handed-over"
)

// Decisions lists them in the order of the keys on the page.
func Decisions() []Decision { return []Decision{Proceed, Refer, Postpone, NotTravelling, HandedOver} }

// DecisionsFor lists those that can be taken in a direction: nobody who comes
// home is postponed.
func DecisionsFor(d Direction) []Decision {
	return slices.DeleteFunc(Decisions(), func(one Decision) bool { return d == Return && one == Postpone })
}

// Direction of a crossing.
type Direction string

// The two directions; empty where it is not known yet.
const (
	Departure Direction = "departure"
	Return    Direction = "return"
)
