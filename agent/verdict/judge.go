package verdict

import (
	"cmp"
	"slices"
	"time"

	"lintas/agent/placement"
	"lintas/mrz"
)

// Ages of the list, counted from its signed time, at which its word counts for
// less.
const (
	ListAgeing  = 24 * time.Hour
	ListStale   = 72 * time.Hour
	ListExpired = 7 * 24 * time.Hour
)

const adult = 18 // years

// Case is everything a verdict is made from.
type Case struct {
	Document    mrz.Document
	Today       mrz.Date // on the counter's calendar
	Direction   Direction
	Destination string // final destination, ISO 3166-1 alpha-3; empty if not known
	Found       placement.Found
	ListAge     time.Duration
	Repeated    bool // the same document crossed here within the repeat window
	Doubtful    bool // only that characters of a picture were not read with certainty keeps the document from being valid

	judged *placement.Record
}

// finding is a reason with the verdict it asks for.
type finding struct {
	Reason
	verdict Code
}

// checks, in the order in which officers should read their reasons when
// several are equally strong. A new check is one function and one entry.
var checks = []func(*Case) []finding{
	negatives, record, readable, list, otherPaper, repeated,
}

// Judge gives the verdict. The strongest reason decides:
// stop > unsure > ask > clear > none.
func Judge(c Case) Verdict {
	var all []finding
	for _, check := range checks {
		all = append(all, check(&c)...)
	}
	strongest := strength(all)
	// An expired list cannot vouch for anybody.
	if strongest == Clear && c.expired() {
		strongest = Ask
		for i := range all {
			if all[i].Code == S03 {
				all[i].verdict = Ask
			}
		}
	}
	aboutTraveller := func(f finding) bool { return f.Code[0] != 'S' }
	if c.Found.ListPresent && !slices.ContainsFunc(all, aboutTraveller) {
		all = append(all, finding{Reason{Code: N01}, None})
	}
	slices.SortStableFunc(all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(precedence[b.verdict], precedence[a.verdict]), banner(a)-banner(b))
	})
	v := Verdict{Code: strongest, Record: c.judged}
	for _, f := range all {
		v.Reasons = append(v.Reasons, f.Reason)
	}
	return v
}

// banner puts remarks about the list behind remarks about the traveller.
func banner(f finding) int {
	if f.Code[0] == 'S' {
		return 1
	}
	return 0
}

// expired tells that the list cannot vouch for anybody: it is too old, or so far
// in the future that this machine's clock cannot be right.
func (c *Case) expired() bool {
	return c.Found.ListPresent && (c.ListAge > ListExpired || c.ListAge < -ListAgeing)
}

func one(v Code, code ReasonCode, detail string) []finding {
	return []finding{{Reason{code, detail}, v}}
}

// negatives never end early: an old list's entries count until their own end.
func negatives(c *Case) (all []finding) {
	for _, n := range c.Found.Negatives {
		if n.Until.Before(c.Today) {
			continue
		}
		code := X03
		if n.Kind == placement.Lost {
			code = X02
		}
		all = append(all, one(Stop, code, n.Until.String())...)
	}
	return all
}

func record(c *Case) []finding {
	switch {
	case !c.Found.Listed:
		return nil
	case len(c.Found.Records) == 0:
		return one(Ask, A03, "") // the number is listed, birth date or expiry differ
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
	if strength(best) == Clear && elsewhere != "" && c.Direction != Return {
		return one(Ask, A02, c.judged.Destination+", "+elsewhere)
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

// strength is the verdict that findings ask for together.
func strength(all []finding) Code {
	strongest := None
	for _, f := range all {
		if precedence[f.verdict] > precedence[strongest] {
			strongest = f.verdict
		}
	}
	return strongest
}

// judge holds one placement against the document and the journey.
func (c *Case) judge(r placement.Record) (all []finding) {
	add := func(bad bool, v Code, code ReasonCode, detail string) {
		if bad {
			all = append(all, finding{Reason{code, detail}, v})
		}
	}
	add(r.Status == placement.Suspended || r.Status == placement.Revoked, Stop, X01, string(r.Status))
	add(slices.Contains(r.Flags, placement.FlagLost), Stop, X02, "")
	name := c.Document.Name.Compare(mrz.NewName(r.Primary, r.Secondary))
	add(name.Likeness == mrz.Different, Ask, A03, "")
	add(r.Status == placement.Deceased, Ask, A03, string(r.Status)) // whose document is it then?
	if c.Direction != Return {
		// Somebody coming home is never faulted for contract, agency,
		// destination or dates.
		until, over := expired(r, c.Today)
		add(over, Ask, A01, until)
		add(c.Destination != "" && c.Destination != r.Destination && !slices.Contains(r.Via, c.Destination), Ask, A02, r.Destination)
		a, known := c.Found.Agencies[r.AgencyID]
		add(known && a.Licence != placement.LicenceActive, Ask, A06, a.ID)
		add(minor(c.Document.DateOfBirth, c.Today), Stop, A07, "")
		when, outside := window(r, c.Today)
		add(outside, Ask, A08, when)
	}
	if len(all) > 0 {
		return all
	}
	if r.Status == placement.OnLeave && c.Direction != Return {
		return one(Clear, P02, r.Destination)
	}
	return one(Clear, P01, r.Destination)
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

func minor(birth, today mrz.Date) bool {
	if birth.Year == 0 {
		return false
	}
	return today.Before(mrz.Date{Year: birth.Year + adult, Month: birth.Month, Day: birth.Day})
}

func readable(c *Case) []finding {
	switch {
	case c.Doubtful:
		return one(Unsure, M03, "")
	case c.Document.Valid:
		return nil
	}
	return one(Unsure, M01, "")
}

func list(c *Case) []finding {
	switch {
	case !c.Found.ListPresent:
		return one(Unsure, S03, "")
	case c.expired():
		return one(None, S03, c.Found.List.Time.Format(time.DateOnly))
	case c.ListAge > ListStale:
		return one(None, S02, c.Found.List.Time.Format(time.DateOnly))
	case c.ListAge > ListAgeing:
		return one(None, S01, c.Found.List.Time.Format(time.DateOnly))
	}
	return nil
}

func otherPaper(c *Case) []finding {
	if !c.Found.OtherPaper {
		return nil
	}
	return one(Ask, A04, "")
}

func repeated(c *Case) []finding {
	if !c.Repeated {
		return nil
	}
	return one(Ask, Q02, "")
}
