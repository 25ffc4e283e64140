package verdict

import (
	"cmp"
	"slices"
	"time"

	"lintas/agent/journey"
	"lintas/agent/placement"
	"lintas/agent/rule"
	"lintas/mrz"
)

// Ages of the list, counted from its signed time, at which its word counts for
// less.
const (
	ListAgeing  = 24 * time.Hour
	ListStale   = 72 * time.Hour
	ListExpired = 7 * 24 * time.Hour
)

// Case is everything a verdict is made from.
type Case struct {
	Document   mrz.Document
	EntryMode  string   // scan, wedge, ocr, typed; empty is scan
	Doubtful   bool     // read from a picture, and not surely
	Compared   bool     // the officer has compared what was typed or read from a picture with the document
	Guessed    []string // fields of Document that are one of several readings: see Guess
	Today      mrz.Date // on the counter's calendar
	ClockState string   // ntp, holdover, unknown; empty is ntp
	Direction  Direction
	Journey    journey.Journey
	Purpose    Purpose // what the officer was told
	Found      placement.Found
	ListAge    time.Duration
	Rules      *rule.Set // nil: none
	RulesAge   time.Duration
	RulesOff   []string // ids of rules that have turned themselves off
	Repeated   bool     // the same document crossed here within the repeat window
	LastWay    Direction
	Counts     rule.Counts
	Lot        float64 // drawn for this traveller, see rule.Set.Draw; 0: none

	judged *placement.Record
	hits   rule.Hits
}

// finding is a reason with the verdict it asks for.
type finding struct {
	Reason
	verdict Code
}

// checks, in the order in which officers should read their reasons when
// several are equally strong. A new check is one function and one entry.
var checks = []func(*Case) []finding{
	negatives, record, readable, list, otherPaper, purpose, rules, repeated, sequence, clock,
}

// Judge gives the verdict. The strongest reason decides:
// stop > unsure > ask > clear > none.
func Judge(c Case) Verdict {
	var all []finding
	for _, check := range checks {
		all = append(all, check(&c)...)
	}
	all = slices.DeleteFunc(all, func(f finding) bool { return f.Rule == nil && !f.Code.Applies(c.Direction) })
	strongest := strength(all)
	if strongest == None {
		all = append(all, drawn(&c)...)
		strongest = strength(all)
	}
	// An expired list cannot vouch for anybody.
	if strongest == Clear && c.expired() {
		strongest = Ask
		for i := range all {
			if all[i].Code == S03 {
				all[i].verdict = Ask
			}
		}
	}
	if c.Found.ListPresent && !slices.ContainsFunc(all, answers) {
		all = append(all, finding{Reason{Code: N01}, None})
	}
	slices.SortStableFunc(all, func(a, b finding) int {
		return cmp.Or(cmp.Compare(precedence[b.verdict], precedence[a.verdict]), a.rank()-b.rank())
	})
	v := Verdict{Code: strongest, Record: c.judged, Shadow: c.hits.Shadow, Failed: c.hits.Failed, Guessed: c.Guessed}
	if c.Found.ListPresent {
		v.ListVersion, v.ListAge = c.Found.List.Version, max(0, c.ListAge)
	}
	if c.Rules != nil {
		v.RulesVersion, v.RulesAge = c.Rules.Pack().Version, max(0, c.RulesAge)
	}
	for _, f := range all {
		v.Reasons = append(v.Reasons, f.Reason)
	}
	return v
}

// answers tells that a finding says by itself how things stand: without one,
// what there is to say is that there is no record.
func answers(f finding) bool {
	return f.verdict != None || f.Code == P03
}

// rank puts remarks behind what is about the traveller, and those about the
// machine last.
func (f finding) rank() int {
	switch {
	case f.Code[0] == 'S' || f.Code[0] == 'T':
		return 2
	case f.verdict == None && f.Code != N01 && f.Code != P03:
		return 1
	}
	return 0
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

// give makes a finding with the verdict that the table names for its code.
func give(code ReasonCode, detail string) []finding {
	return giveAs(code.Entry().Verdict, code, detail)
}

// giveAs makes one with another verdict, where the check says why.
func giveAs(v Code, code ReasonCode, detail string) []finding {
	return []finding{{Reason{Code: code, Detail: detail, Checklist: code.Entry().Checklist}, v}}
}

// expired tells that the list cannot vouch for anybody: it is too old, or so far
// in the future that this machine's clock cannot be right.
func (c *Case) expired() bool {
	return c.Found.ListPresent && (c.ListAge > ListExpired || c.ListAge < -ListAgeing)
}

// negatives never end early: an old list's entries count until their own end.
// One that was found under a guessed number may be somebody else's: then nobody
// can tell, and the document is read again.
func negatives(c *Case) (all []finding) {
	for _, n := range c.Found.Negatives {
		if n.Until.Before(c.Today) {
			continue
		}
		code := X03
		if n.Kind == placement.Lost {
			code = X02
		}
		v := Stop
		if c.guessed() && len(c.Found.Records) == 0 {
			v = Unsure
		}
		all = append(all, giveAs(v, code, n.Until.String())...)
	}
	return all
}

func (c *Case) guessed() bool { return len(c.Guessed) > 0 }

// readable: a record that opens under a guess proves it, because nothing opens
// without number, birth date and expiry; the officer compares all the same.
func readable(c *Case) []finding {
	switch {
	case c.guessed() && len(c.Found.Records) > 0:
		return giveAs(Ask, M01, "")
	case c.guessed(), !c.Document.Valid && !c.Doubtful:
		return give(M01, "")
	case c.Doubtful:
		return c.unlessCompared(M03)
	case c.EntryMode == "typed":
		return c.unlessCompared(M02)
	}
	return nil
}

// unlessCompared: what was typed or not surely read counts once the officer has
// compared it; the reason stays as a remark.
func (c *Case) unlessCompared(code ReasonCode) []finding {
	if c.Compared {
		return giveAs(None, code, "")
	}
	return give(code, "")
}

func list(c *Case) []finding {
	made := c.Found.List.Time.Format(time.DateOnly)
	switch {
	case !c.Found.ListPresent:
		return giveAs(Unsure, S03, "")
	case c.expired():
		return give(S03, made)
	case c.ListAge > ListStale:
		return give(S02, made)
	case c.ListAge > ListAgeing:
		return give(S01, made)
	}
	return nil
}

func otherPaper(c *Case) []finding {
	if !c.Found.OtherPaper {
		return nil
	}
	return give(A04, "")
}

func repeated(c *Case) []finding {
	if !c.Repeated {
		return nil
	}
	return give(Q02, "")
}

// sequence notes that a crossing between this one and the last was not
// recorded. It is the gap that the Ombudsman found, not the traveller's fault.
func sequence(c *Case) []finding {
	left, back := c.LastWay == Departure, c.LastWay == Return
	if r := c.judged; r != nil && c.LastWay == "" {
		left = r.Status == placement.Departed || r.Status == placement.Abroad
		back = r.Status == placement.InProcess || r.Status == placement.Ready || r.Status == placement.Returned
	}
	if c.Direction == Departure && left || c.Direction == Return && back {
		return give(Q01, "")
	}
	return nil
}

func clock(c *Case) []finding {
	if c.ClockState == "" || c.ClockState == "ntp" {
		return nil
	}
	return give(T01, c.ClockState)
}

// purpose is what the officer was told, where there is no record to go by.
func purpose(c *Case) (all []finding) {
	switch {
	case !c.Found.ListPresent, c.Found.Listed, c.Found.OtherPaper:
		return nil
	case c.Purpose == ToWork:
		all = give(N02, "")
		if c.Direction == Return {
			break
		}
		// What is not known of the employer closes nothing. Never more than a
		// question: there is only the traveller's word.
		if to := c.Journey.Destination(); to != "" {
			for _, o := range c.Rules.Orders(c.Today, to, "", "", mrz.Date{}) {
				return append(all, giveAs(Ask, A05, o.Order)...)
			}
		}
	case c.Purpose == AsCrew:
		all = give(P03, "")
	case c.Purpose == ToStudy, c.Purpose == ToTrain, c.Purpose == OnDuty:
		all = []finding{{Reason{Code: P03}, None}} // crew's papers are not theirs
	}
	return all
}
