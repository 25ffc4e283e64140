// Package verdict decides what the machine says about a traveller, from what
// the document, the placement list and this counter's own memory show. It is
// pure: no I/O, no clock, no network.
//
// The verdict advises; the officer decides. That there is no record is normal
// and never a ground to refuse. Neither sex, name, religion nor origin enters
// a rule; a name is only compared with the name in the traveller's own record.
package verdict

import "lintas/agent/placement"

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

// ReasonCode says why. Reason codes are part of the wire contract.
type ReasonCode string

// The reasons this version can give.
const (
	P01 ReasonCode = "P01" // placement on record, all fits
	P02 ReasonCode = "P02" // on leave, going back to work
	N01 ReasonCode = "N01" // no record
	A01 ReasonCode = "A01" // record expired
	A02 ReasonCode = "A02" // destination differs
	A03 ReasonCode = "A03" // name, birth date or expiry differ from the record
	A04 ReasonCode = "A04" // same person, other document
	A06 ReasonCode = "A06" // agency licence suspended or revoked
	A07 ReasonCode = "A07" // under 18 and the record says work
	A08 ReasonCode = "A08" // outside the departure window
	Q02 ReasonCode = "Q02" // same document a moment ago
	X01 ReasonCode = "X01" // record revoked or suspended
	X02 ReasonCode = "X02" // document reported lost
	X03 ReasonCode = "X03" // negative list
	S01 ReasonCode = "S01" // list ageing
	S02 ReasonCode = "S02" // list stale
	S03 ReasonCode = "S03" // list expired or absent
	M01 ReasonCode = "M01" // check digit failed or zone unreadable
	M03 ReasonCode = "M03" // read from a picture, not with certainty
)

// Reason is one ground of a verdict. Detail is a bare value such as a date or
// a country code, the same in every language.
type Reason struct {
	Code   ReasonCode
	Detail string
}

// Verdict is the machine's answer: the strongest of its reasons decides, and
// stands first. Record is the placement that was judged, nil if there is none.
type Verdict struct {
	Code    Code
	Reasons []Reason
	Record  *placement.Record
}

// Codes lists the reasons' codes in order.
func (v Verdict) Codes() []string {
	codes := make([]string, len(v.Reasons))
	for i, r := range v.Reasons {
		codes[i] = string(r.Code)
	}
	return codes
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

// Direction of a crossing.
type Direction string

// The two directions; empty where it is not known yet.
const (
	Departure Direction = "departure"
	Return    Direction = "return"
)
