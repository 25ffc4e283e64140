// Package stay answers who left and has not come back: it pairs the departures
// and returns of one traveller into stays abroad. It is pure.
//
// It promises not to hide anybody who is missing. A return ends a stay only if
// it is the same document's, or a document's that the placement names as the
// same person's, or, where neither is known, a later document's of somebody of
// the same name, birth date and nationality, and then only if no other open stay
// could be meant. Whatever does not pair is shown: as an open stay, as a stay of
// which the return is missing because the traveller left again, or as a return
// without a departure.
package stay

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"lintas/mrz"
)

// Directions of a crossing.
const (
	Departure = "departure"
	Return    = "return"
)

// Document names a travel document and what tells persons apart.
type Document struct {
	IssuingState string
	Number       string
	Nationality  string
	Person       string   // as Person gives it; "": not known well enough
	Expiry       mrz.Date // zero or in part zero: not known
}

// Key is what a document is found by; "" if it has no number.
func (d Document) Key() string {
	number := strings.Trim(d.Number, "<")
	if number == "" {
		return ""
	}
	return strings.Trim(d.IssuingState, "<") + " " + number
}

// Person is what the same person's documents share: the name as the
// machine-readable zone normalises it, and the birth date (YYYY-MM-DD). It is ""
// if either is not known whole.
func Person(primary, secondary, birth string) string {
	date, err := mrz.ParseDate(birth)
	name := mrz.NameKey(primary, secondary)
	if err != nil || !date.Known() || name == "" {
		return ""
	}
	return name + " " + date.String()
}

// Crossing is a departure or a return that stands: not voided, with its
// amendments applied.
type Crossing struct {
	N         int64 // what the ledger knows it by; orders crossings of one moment
	Direction string
	At        time.Time
	Document
	// Holders are the placements that name the document as their
	// person's.
	Holders []string
	// Doubtful: the document was typed or read from a picture, not scanned.
	Doubtful bool
}

// Outcome says what became of a stay.
type Outcome string

// The outcomes.
const (
	Open             Outcome = "open"              // left, and has not returned
	Returned         Outcome = "returned"          // left and returned
	ReturnMissing    Outcome = "return-missing"    // left twice, with no return recorded in between
	DepartureMissing Outcome = "departure-missing" // returned, with no departure recorded
)

// By says what a departure and a return have in common.
type By string

// What pairs a stay, the surest first.
const (
	ByDocument  By = "document"  // the same document
	ByPlacement By = "placement" // two documents that the placement names
	ByPerson    By = "person"    // name, birth date and nationality; a later document
)

// Stay is one time abroad.
type Stay struct {
	Departure *Crossing // nil: DepartureMissing
	Return    *Crossing // nil: Open, ReturnMissing
	Outcome   Outcome
	By        By // "": nothing was paired
	// Ambiguous: a return that could end several open stays ends none of them.
	Ambiguous bool
}

// Doubtful tells whether either end was typed or read from a picture.
func (s Stay) Doubtful() bool {
	return s.Departure != nil && s.Departure.Doubtful || s.Return != nil && s.Return.Doubtful
}

// Pair pairs the crossings of one traveller: of all documents that could be one
// person's. Stays come in the order in which they began.
func Pair(crossings []Crossing) []Stay {
	list := slices.Clone(crossings)
	slices.SortStableFunc(list, func(a, b Crossing) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.N, b.N))
	})
	var stays []Stay
	for i := range list {
		c := &list[i]
		if c.Direction == Departure {
			for j := range stays {
				if by := same(stays[j], c); by == ByDocument || by == ByPlacement {
					stays[j].Outcome, stays[j].By = ReturnMissing, ""
				}
			}
			stays = append(stays, Stay{Departure: c, Outcome: Open})
			continue
		}
		j, by, ambiguous := ended(stays, c)
		if by == "" {
			stays = append(stays, Stay{Return: c, Outcome: DepartureMissing, Ambiguous: ambiguous})
			continue
		}
		stays[j].Return, stays[j].Outcome, stays[j].By = c, Returned, by
	}
	return stays
}

// ended finds the open stay that a return ends. The surest likeness decides; if
// several stays have it, none is ended.
func ended(stays []Stay, c *Crossing) (at int, by By, ambiguous bool) {
	found := map[By][]int{}
	for i, s := range stays {
		if by := same(s, c); by != "" {
			found[by] = append(found[by], i)
		}
	}
	for _, by := range []By{ByDocument, ByPlacement, ByPerson} {
		switch len(found[by]) {
		case 0:
		case 1:
			return found[by][0], by, false
		default:
			return 0, "", true
		}
	}
	return 0, "", false
}

// same tells what an open stay and a crossing have in common.
func same(s Stay, c *Crossing) By {
	if s.Outcome != Open {
		return ""
	}
	d := s.Departure
	switch {
	case d.Key() != "" && d.Key() == c.Key():
		return ByDocument
	case slices.ContainsFunc(d.Holders, func(h string) bool { return slices.Contains(c.Holders, h) }):
		return ByPlacement
	case d.Person != "" && d.Person == c.Person && d.Nationality == c.Nationality && d.renewed(c.Document):
		return ByPerson
	}
	return ""
}

// renewed tells whether another document can have been issued after this one:
// it ends later.
func (d Document) renewed(later Document) bool {
	return d.Expiry.Known() && later.Expiry.Known() && d.Expiry.Before(later.Expiry)
}
