package verdict

import (
	"slices"
	"strings"
	"time"

	"lintas/agent/rule"
	"lintas/mrz"
)

// rules asks the rules of the list. They can make an officer ask and nothing
// else. Where nobody could be looked up, there is nothing that they could go by.
func rules(c *Case) (all []finding) {
	if !c.Found.ListPresent {
		return nil
	}
	c.hits = c.Rules.Evaluate(c.Facts(), c.Today, string(c.Direction), c.RulesOff)
	return fired(c.hits)
}

func fired(h rule.Hits) (all []finding) {
	for _, r := range h.Fired {
		all = append(all, finding{Reason{Code: ReasonCode(r.ID), Rule: &r}, Ask})
	}
	return all
}

// drawn asks the lot, where nothing else speaks for or against the traveller.
func drawn(c *Case) []finding {
	h := c.Rules.Draw(c.Lot, c.Today, string(c.Direction))
	c.hits.Shadow = append(c.hits.Shadow, h.Shadow...)
	return fired(h)
}

// Facts is what the rules can tell of a case. Everything else of it they cannot
// tell.
func (c Case) Facts() rule.Facts {
	d := c.Document
	f := rule.Facts{
		Document: rule.Document{Kind: kind(d), IssuingState: "", EntryMode: c.EntryMode, Valid: d.Valid, ExpiresInDays: days(c.Today, d.DateOfExpiry)},
		Record:   rule.Record{ContractDaysLeft: rule.Unknown, VisaDaysLeft: rule.Unknown, InsuredDaysLeft: rule.Unknown},
		Journey: rule.Journey{Known: !c.Journey.IsZero(), Carrier: c.Journey.Carrier, Flight: c.Journey.Flight, From: c.Journey.From, To: c.Journey.To,
			Via: c.Journey.Via, Destination: c.Journey.Destination()},
		Counts: c.Counts, Purpose: string(c.Purpose), Minor: minor(d.DateOfBirth, c.Today),
	}
	if d.IssuingState == "IDN" { // of all others a rule knows only that they are others
		f.Document.IssuingState = d.IssuingState
	}
	if f.Document.EntryMode == "" {
		f.Document.EntryMode = "scan"
	}
	f.Record.Present = c.Found.Listed || c.Found.OtherPaper
	if r := c.judged; r != nil {
		f.Record = rule.Record{
			Present: true, Status: string(r.Status), Scheme: r.Scheme, Destination: r.Destination, EmployerKind: r.EmployerKind,
			ContractDaysLeft: days(c.Today, r.ContractUntil), VisaDaysLeft: days(c.Today, r.VisaUntil), InsuredDaysLeft: days(c.Today, r.InsuredUntil),
		}
	}
	return f
}

// Explain tells of every rule whether it holds for a case, and why.
func (c Case) Explain() []rule.Explanation {
	record(&c)
	return c.Rules.Explain(c.Facts(), c.Today, string(c.Direction), c.RulesOff)
}

// kind is what sort of document it is, from its code (Doc 9303-4 and -5): PD,
// PO, PS and PE are not for private travel.
func kind(d mrz.Document) string {
	switch {
	case d.DocumentCode == "" || d.Format == "":
		return "other"
	case d.DocumentCode[0] == 'V':
		return "visa"
	case d.Format != mrz.TD3 && strings.ContainsRune("AIC", rune(d.DocumentCode[0])):
		return "identity-card"
	case d.DocumentCode[0] != 'P':
		return "other"
	case slices.Contains([]string{"PD", "PO", "PS"}, d.DocumentCode):
		return "official-passport"
	}
	return "passport"
}

// days counts from today to a day; rule.Unknown if either is not known.
func days(today, until mrz.Date) int {
	from, ok := today.Time()
	to, known := until.Time()
	if !ok || !known {
		return rule.Unknown
	}
	return int(to.Sub(from) / (24 * time.Hour))
}
