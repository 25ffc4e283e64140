package verdict

import (
	"slices"

	"lintas/agent/placement"
	"lintas/mrz"
)

const adult = 18 // years

// Flags of a record that count as the state of agency and document.
const (
	flagPermit    = "sip2mi-revoked"
	flagDuplicate = "duplicate-passport"
)

func record(c *Case) []finding {
	switch {
	case !c.Found.Listed:
		return nil
	case len(c.Found.Records) == 0:
		if c.guessed() {
			return nil // a guess that opens nothing says nothing
		}
		return give(A03, "") // the number is listed, birth date or expiry differ
	}
	// A document may belong to several placements, an old one and a new one.
	// Any of them that calls for the supervisor does; otherwise one that fits
	// is enough, unless two that fit lead to different countries.
	var best []finding
	var elsewhere string // where another placement that fits leads
	for _, r := range latest(c.Found.Records) {
		found := c.judge(r)
		switch {
		case best == nil, strength(found) == Stop && strength(best) != Stop,
			strength(best) != Stop && precedence[strength(found)] < precedence[strength(best)]:
			best, c.judged = found, &r
		case strength(best) == Clear && strength(found) == Clear && c.judged.Destination != r.Destination:
			elsewhere = r.Destination
		}
	}
	if strength(best) == Clear && elsewhere != "" && c.Direction != Return && !abroad(c.Journey.Destination()) {
		return give(A02, c.judged.Destination+", "+elsewhere)
	}
	return best
}

// latest keeps the highest revision of each placement.
func latest(records []placement.Record) (list []placement.Record) {
	for _, r := range records {
		i := slices.IndexFunc(list, func(l placement.Record) bool { return l.PlacementID == r.PlacementID })
		switch {
		case i < 0:
			list = append(list, r)
		case r.Rev > list[i].Rev:
			list[i] = r
		}
	}
	return list
}

// judge holds one placement against the document and the journey. What a code
// does not apply to in this direction is dropped here already: another
// placement must not be passed over for it.
func (c *Case) judge(r placement.Record) (all []finding) {
	add := func(bad bool, code ReasonCode, detail string) {
		if bad && code.Applies(c.Direction) {
			all = append(all, give(code, detail)...)
		}
	}
	add(r.Status == placement.Suspended || r.Status == placement.Revoked, X01, string(r.Status))
	add(slices.Contains(r.Flags, placement.FlagLost), X02, "")
	add(minor(c.Document.DateOfBirth, c.Today), A07, "")
	all = append(all, c.closed(r)...)
	name := c.Document.Name.Compare(mrz.NewName(r.Primary, r.Secondary))
	add(name.Likeness == mrz.Different, A03, "")
	add(r.Status == placement.Deceased, A03, string(r.Status)) // whose document is it then?
	add(slices.Contains(r.Flags, flagDuplicate), A04, "")
	until, over := expired(r, c.Today)
	add(over, A01, until)
	to := c.Journey.Destination()
	add(abroad(to) && to != r.Destination && !slices.Contains(r.Via, to), A02, r.Destination)
	a, known := c.Found.Agencies[r.AgencyID]
	add(known && a.Licence != placement.LicenceActive, A06, a.ID)
	add(slices.Contains(r.Flags, flagPermit), A06, r.AgencyID)
	when, outside := window(r, c.Today)
	add(outside, A08, when)
	if len(all) > 0 {
		return all
	}
	if r.Status == placement.OnLeave && c.Direction != Return {
		return give(P02, r.Destination)
	}
	return give(P01, r.Destination)
}

// abroad reports whether a destination is known to be in another country. A
// journey whose last known place is at home says nothing of where it leads.
func abroad(country string) bool { return country != "" && country != "IDN" }

// closed gives the orders that close where somebody goes or what he will do. It
// asks, or calls the supervisor where the order says so.
func (c *Case) closed(r placement.Record) (all []finding) {
	if !A05.Applies(c.Direction) {
		return nil
	}
	for _, o := range c.Rules.Orders(c.Today, r.Destination, r.JobClass, r.EmployerKind, r.ContractFrom) {
		v := Ask
		if o.Verdict == string(Stop) {
			v = Stop
		}
		all = append(all, giveAs(v, A05, o.Order)...)
	}
	return all
}

// expired tells whether the placement is over, and since when.
func expired(r placement.Record, today mrz.Date) (since string, over bool) {
	switch r.Status {
	case placement.Ended, placement.Returned, placement.Cancelled:
		return string(r.Status), true
	}
	for _, until := range []mrz.Date{r.ContractUntil, r.VisaUntil, r.InsuredUntil} {
		if !until.IsZero() && until.Before(today) {
			return until.String(), true
		}
	}
	return "", false
}

// window tells whether today is outside the days on which the departure is
// planned, and which day bounds it.
func window(r placement.Record, today mrz.Date) (bound string, outside bool) {
	switch {
	case r.Status == placement.InProcess:
		return string(r.Status), true
	case r.Status == placement.OnLeave || r.Status == placement.Abroad:
		return "", false // the first departure is long past
	case !r.DepartAfter.IsZero() && today.Before(r.DepartAfter):
		return r.DepartAfter.String(), true
	case !r.DepartBefore.IsZero() && r.DepartBefore.Before(today):
		return r.DepartBefore.String(), true
	}
	return "", false
}

// minor reports whether somebody is certainly under 18.
func minor(birth, today mrz.Date) bool {
	if birth.Year == 0 {
		return false
	}
	return today.Before(mrz.Date{Year: birth.Year + adult, Month: birth.Month, Day: birth.Day})
}
