package rule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lintas/mrz"
)

// Parse reads and checks a pack and makes it ready to be used. The error is
// Faults: every fault there is.
func Parse(b []byte) (*Set, error) {
	p := &reader{}
	p.pack(b)
	if len(p.faults) > 0 {
		return nil, p.faults
	}
	return &p.set, nil
}

// reader collects a pack and its faults.
type reader struct {
	set    Set
	faults Faults
	at     string // the rule or order being read
}

func (p *reader) fault(field, why string, args ...any) {
	p.faults = append(p.faults, Fault{p.at, field, fmt.Sprintf(why, args...)})
}

// field is how one field of an object is read, and whether it may be missing.
type field struct {
	name     string
	optional bool
	into     any
}

// object reads an object's fields. What is missing, written twice or not known
// is a fault: a part that this version cannot read could be the one that
// limits the rest.
func (p *reader) object(raw json.RawMessage, fields []field) bool {
	given, err := members(raw)
	if err != nil {
		p.fault("", "%v", err)
		return false
	}
	before := len(p.faults)
	for _, m := range given {
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == m.name })
		switch {
		case i < 0:
			p.fault(m.name, "is not a field of this form")
		case m.again:
			p.fault(m.name, "is given twice")
		case bytes.Equal(m.value, []byte("null")):
			p.fault(m.name, "is null")
		default:
			if err := json.Unmarshal(m.value, fields[i].into); err != nil {
				p.fault(m.name, "cannot be read: %v", plain(err))
			}
		}
	}
	for _, f := range fields {
		if !f.optional && !slices.ContainsFunc(given, func(m member) bool { return m.name == f.name }) {
			p.fault(f.name, "is missing")
		}
	}
	return len(p.faults) == before
}

// plain takes Go's names out of an error.
func plain(err error) string {
	if t, ok := err.(*json.UnmarshalTypeError); ok {
		kind := t.Type.String()
		for go_, word := range map[string]string{"float": "number", "int": "whole number", "bool": "true or false", "[]": "list", "string": "text"} {
			if strings.HasPrefix(kind, go_) {
				kind = word
				break
			}
		}
		return fmt.Sprintf("%s where a %s is wanted", t.Value, kind)
	}
	return err.Error()
}

type member struct {
	name  string
	value json.RawMessage
	again bool
}

// members reads an object one member after the other, which shows those that
// are given twice.
func members(raw json.RawMessage) (list []member, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("is not a JSON object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("is not JSON: %w", err)
		}
		m := member{name: name.(string)}
		if err := d.Decode(&m.value); err != nil {
			return nil, fmt.Errorf("is not JSON: %w", err)
		}
		m.again = slices.ContainsFunc(list, func(o member) bool { return o.name == m.name })
		list = append(list, m)
	}
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("is not JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("has something after its end")
	}
	return list, nil
}

func (p *reader) pack(b []byte) {
	if len(b) > MaxPack {
		p.fault("pack", "is larger than %d bytes", MaxPack)
		return
	}
	if !utf8.Valid(b) {
		p.fault("pack", "is not UTF-8")
		return
	}
	var rules, closed []json.RawMessage
	k := &p.set.pack
	var at string
	p.object(b, []field{{"format", false, &k.Format}, {"version", false, &k.Version}, {"time", false, &at},
		{"rules", false, &rules}, {"closed", true, &closed}})
	if k.Format != "" && k.Format != Format {
		p.fault("format", "is %q; this program reads %q: update it, or make the pack in that form", k.Format, Format)
		return
	}
	if k.Version < 1 {
		p.fault("version", "is not a positive number")
	}
	var err error
	if k.Time, err = time.Parse(time.RFC3339, at); err != nil {
		p.fault("time", "is not a time such as 2026-11-20T00:00:00Z")
	}
	if len(rules) > MaxRules {
		p.fault("rules", "are %d, more than %d", len(rules), MaxRules)
		rules = nil
	}
	if len(closed) > MaxClosed {
		p.fault("closed", "are %d, more than %d", len(closed), MaxClosed)
		closed = nil
	}
	seen := map[string]bool{}
	for i, raw := range rules {
		p.at = place("rules", i, raw)
		p.rule(raw, seen)
	}
	for i, raw := range closed {
		p.at = place("closed", i, raw)
		p.order(raw, seen)
	}
	p.at = ""
}

// place names a rule by its id, or by where it stands if it has none.
func place(list string, i int, raw json.RawMessage) string {
	var o struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &o) == nil && (ruleID.MatchString(o.ID) || orderID.MatchString(o.ID)) {
		return o.ID
	}
	return fmt.Sprintf("%s[%d]", list, i)
}

var (
	ruleID  = regexp.MustCompile(`^R[0-9]{2}$`)
	orderID = regexp.MustCompile(`^K[0-9]{2,3}$`)
)

func (p *reader) rule(raw json.RawMessage, seen map[string]bool) {
	var r Rule
	p.object(raw, []field{
		{"id", false, &r.ID}, {"owner", false, &r.Owner}, {"legal_basis", false, &r.LegalBasis}, {"start", false, &r.Start}, {"end", false, &r.End},
		{"directions", false, &r.Directions}, {"mode", false, &r.Mode}, {"precision_floor", true, &r.PrecisionFloor},
		{"minimum_outcomes", true, &r.MinimumOutcomes}, {"outcomes", true, &r.Outcomes}, {"when", true, &r.When}, {"one_in", true, &r.OneIn},
		{"text", false, &r.Text}, {"next", false, &r.Next},
	})
	p.id(r.ID, ruleID, "R01 to R99", seen)
	p.words("owner", r.Owner)
	p.words("legal_basis", r.LegalBasis)
	start, startOK := p.day("start", r.Start, false)
	end, endOK := p.day("end", r.End, false)
	if startOK && endOK {
		switch days := int(end.Sub(start) / (24 * time.Hour)); {
		case days < 0:
			p.fault("end", "is before the start")
		case days > MaxDays:
			p.fault("end", "is %d days after the start; a rule lives at most %d days", days, MaxDays)
		}
	}
	if len(r.Directions) == 0 {
		p.fault("directions", "name none; want departure, return or both")
	}
	for i, d := range r.Directions {
		if d != Departure && d != Return || slices.Contains(r.Directions[:i], d) {
			p.fault("directions", "%q is neither departure nor return, or stands twice", d)
		}
	}
	if r.Mode != Shadow && r.Mode != Active {
		p.fault("mode", "is neither shadow nor active")
	}
	p.words("text.id", r.Text.ID)
	p.words("text.en", r.Text.EN)
	p.words("next.id", r.Next.ID)
	p.words("next.en", r.Next.EN)
	var c compiled
	if r.OneIn != 0 {
		p.lot(r)
	} else {
		c = p.condition(r)
	}
	c.Rule = r
	p.set.rules = append(p.set.rules, c)
	p.set.pack.Rules = append(p.set.pack.Rules, r)
}

// condition checks what only a rule with a condition has.
func (p *reader) condition(r Rule) compiled {
	if r.PrecisionFloor < 0.01 || r.PrecisionFloor > 1 {
		p.fault("precision_floor", "is not between 0.01 and 1")
	}
	if r.MinimumOutcomes < 10 || r.MinimumOutcomes > 1000 {
		p.fault("minimum_outcomes", "is not between 10 and 1000")
	}
	if r.Outcomes.Positive < 0 || r.Outcomes.Negative < 0 {
		p.fault("outcomes", "are negative numbers")
	}
	c, faults := compile(r.When, slices.Contains(r.Directions, Return))
	for _, why := range faults {
		p.fault("when", "%s", why)
	}
	return c
}

// lot checks what only a rule that goes by lot has. It is expected to find
// little, so it has no floor.
func (p *reader) lot(r Rule) {
	if r.OneIn < MinOneIn || r.OneIn > MaxOneIn {
		p.fault("one_in", "is not between %d and %d", MinOneIn, MaxOneIn)
	}
	if r.When != "" || r.PrecisionFloor != 0 || r.MinimumOutcomes != 0 || r.Outcomes != (Outcomes{}) {
		p.fault("one_in", "stands in place of when, precision_floor, minimum_outcomes and outcomes")
	}
	if slices.Contains(r.Directions, Return) {
		p.fault("directions", "nobody who comes home is asked by lot")
	}
	if slices.ContainsFunc(p.set.rules, func(o compiled) bool { return o.OneIn > 0 }) {
		p.fault("one_in", "stands in two rules")
	}
}

func (p *reader) order(raw json.RawMessage, seen map[string]bool) {
	var c Closed
	p.object(raw, []field{
		{"id", false, &c.ID}, {"order", false, &c.Order}, {"destinations", true, &c.Destinations}, {"job_classes", true, &c.JobClasses},
		{"employer_kinds", true, &c.EmployerKinds}, {"start", false, &c.Start}, {"end", true, &c.End},
		{"spares_contracts_before", true, &c.SparesBefore}, {"verdict", false, &c.Verdict},
	})
	p.id(c.ID, orderID, "K01 to K999", seen)
	p.words("order", c.Order)
	if len(c.Destinations)+len(c.JobClasses)+len(c.EmployerKinds) == 0 {
		p.fault("destinations", "are empty, and so are job_classes and employer_kinds: that would close everything")
	}
	for _, d := range c.Destinations {
		if d == "" || !country(d) {
			p.fault("destinations", "%q is not a country's three letters", d)
		}
	}
	for _, k := range c.EmployerKinds {
		if k == "" || !values["record.employer_kind"](k) {
			p.fault("employer_kinds", "%q is none", k)
		}
	}
	for _, j := range c.JobClasses {
		p.words("job_classes", j)
	}
	start, startOK := p.day("start", c.Start, false)
	end, endOK := p.day("end", c.End, true)
	if startOK && endOK && !c.End.IsZero() && end.Before(start) {
		p.fault("end", "is before the start")
	}
	p.day("spares_contracts_before", c.SparesBefore, true)
	if c.Verdict != "ask" && c.Verdict != "stop" {
		p.fault("verdict", "is neither ask nor stop")
	}
	p.set.pack.Closed = append(p.set.pack.Closed, c)
}

func (p *reader) id(id string, form *regexp.Regexp, want string, seen map[string]bool) {
	switch {
	case !form.MatchString(id) || id == "R00" || id == "K00" || id == "K000":
		p.fault("id", "is not %s", want)
	case seen[id]:
		p.fault("id", "stands twice")
	}
	seen[id] = true
}

// words checks a text that people read.
func (p *reader) words(name, s string) {
	switch n := utf8.RuneCountInString(s); {
	case strings.TrimSpace(s) == "":
		p.fault(name, "is empty")
	case n > MaxText:
		p.fault(name, "has %d characters, more than %d", n, MaxText)
	case strings.ContainsFunc(s, func(c rune) bool { return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == utf8.RuneError }):
		p.fault(name, "has characters that cannot be seen")
	}
}

// day checks a date that the calendar must have.
func (p *reader) day(name string, d mrz.Date, optional bool) (time.Time, bool) {
	if d.IsZero() && optional {
		return time.Time{}, true
	}
	t, ok := d.Time()
	if !ok {
		p.fault(name, "is not a day such as 2026-11-20")
	}
	return t, ok
}
