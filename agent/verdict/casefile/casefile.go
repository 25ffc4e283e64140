// Package casefile reads cases that people write down: who stands at the
// counter, with which document and journey, what the list says and how old it
// is, and what the verdict must be. Lawyers read them, tests hold the verdict
// against them, and `lintas list rules explain --case` explains them.
//
// A case is a TOML file; every table but [expect] may be left out, and then says
// what is usual: an Indonesian adult with a good passport, a fresh list without
// any record, a clock that is right.
//
//	title = "Contract over, going out"
//	law = "UU 18/2017 Art. 13"           # what the expectation rests on
//	direction = "departure"              # or "return"; left out: not chosen yet
//
//	[traveller]
//	primary = "LESTARI"                  # names as the passport prints them
//	secondary = "DEWI AYU"
//	born = "1994-03-07"
//	issuer = "IDN"
//	number = "X1234567"
//	expires = "2031-08-15"
//	sex = "F"
//	code = "P"                           # document code
//	readable = true                      # false: one character was misread
//	entry = "scan"                       # wedge, ocr, typed
//	doubtful = false                     # a picture, and not surely read
//	compared = false                     # the officer has compared it
//	guessed = ["document_number"]        # fields of which the list decided the reading
//	purpose = ""                         # what the officer was told: work, crew, study …
//	repeated = false                     # crossed here a moment ago
//	last = ""                            # seen here last leaving ("departure") or coming ("return")
//
//	[journey]
//	text = "GA834 CGK-HKG"
//
//	[clock]
//	today = "2026-11-23"
//	state = "ntp"                        # holdover, unknown
//
//	[list]
//	present = true
//	version = 7
//	age = "1h"
//	listed = true                        # the number is on it; true if there is a record
//	other_paper = false                  # the person is on it with another document
//
//	[[record]]                           # as in the list's source files
//	placement_id = "P-1"
//	status = "siap"
//	destination = "HKG"
//	agency_id = "A-1"
//	contract_until = "2028-01-01"
//
//	[[agency]]
//	agency_id = "A-1"
//	name = "PT Contoh"
//	licence = "active"
//
//	[[negative]]
//	kind = "attention"                   # or "lost"
//	until = "2027-05-01"
//	contact = "021-555-0107"
//
//	lot = 0.001                          # drawn for the traveller, before the tables
//
//	[rules]                              # a rule pack, with the fields of its JSON form
//	…
//
//	[counts]
//	same_flight_unlisted_20min = 6
//
//	[expect]
//	verdict = "ask"
//	reasons = ["A01"]
package casefile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pelletier/go-toml/v2"

	"lintas/agent/journey"
	"lintas/agent/placement"
	"lintas/agent/rule"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// Case is a case as it was written down.
type Case struct {
	Title, Law string
	verdict.Case
	Expect Expect
}

// Expect is what the verdict must be.
type Expect struct {
	Verdict   string   `toml:"verdict"`
	Reasons   []string `toml:"reasons"`
	Shadow    []string `toml:"shadow"`
	Checklist string   `toml:"checklist"`
}

// Judge gives the verdict and what differs from the expectation.
func (c Case) Judge() (verdict.Verdict, error) {
	v := verdict.Judge(c.Case)
	papers, _ := v.Checklist()
	var errs []error
	differ := func(what string, got, want any) {
		errs = append(errs, fmt.Errorf("%s is %v, expected %v", what, got, want))
	}
	if string(v.Code) != c.Expect.Verdict {
		differ("verdict", v.Code, c.Expect.Verdict)
	}
	if !slices.Equal(v.Codes(), c.Expect.Reasons) {
		differ("reasons", v.Codes(), c.Expect.Reasons)
	}
	if !slices.Equal(v.Shadow, c.Expect.Shadow) {
		differ("rules in the shadow", v.Shadow, c.Expect.Shadow)
	}
	if c.Expect.Checklist != "" && papers.ID != c.Expect.Checklist {
		differ("checklist", papers.ID, c.Expect.Checklist)
	}
	return v, errors.Join(errs...)
}

// file is the form of a case.
type file struct {
	Title     string            `toml:"title"`
	Law       string            `toml:"law"`
	Direction verdict.Direction `toml:"direction"`
	Lot       float64           `toml:"lot"`
	Traveller traveller         `toml:"traveller"`
	Journey   struct {
		Text string `toml:"text"`
	} `toml:"journey"`
	Clock struct {
		Today mrz.Date `toml:"today"`
		State string   `toml:"state"`
	} `toml:"clock"`
	List struct {
		Present    bool   `toml:"present"`
		Version    int64  `toml:"version"`
		Age        string `toml:"age"`
		Listed     bool   `toml:"listed"`
		OtherPaper bool   `toml:"other_paper"`
	} `toml:"list"`
	Record   []map[string]any `toml:"record"`
	Agency   []map[string]any `toml:"agency"`
	Negative []map[string]any `toml:"negative"`
	Rules    map[string]any   `toml:"rules"`
	Counts   struct {
		SameFlightUnlisted int `toml:"same_flight_unlisted_20min"`
		ConsecutiveNumbers int `toml:"consecutive_numbers"`
		SameFlight         int `toml:"same_flight_20min"`
	} `toml:"counts"`
	Expect Expect `toml:"expect"`
}

type traveller struct {
	Primary   string            `toml:"primary"`
	Secondary string            `toml:"secondary"`
	Born      mrz.Date          `toml:"born"`
	Issuer    string            `toml:"issuer"`
	Number    string            `toml:"number"`
	Expires   mrz.Date          `toml:"expires"`
	Sex       string            `toml:"sex"`
	Code      string            `toml:"code"`
	Readable  bool              `toml:"readable"`
	Entry     string            `toml:"entry"`
	Doubtful  bool              `toml:"doubtful"`
	Compared  bool              `toml:"compared"`
	Guessed   []string          `toml:"guessed"`
	Purpose   verdict.Purpose   `toml:"purpose"`
	Repeated  bool              `toml:"repeated"`
	Last      verdict.Direction `toml:"last"`
}

// usual is what a case says that says nothing.
func usual() (f file) {
	f.Traveller = traveller{Primary: "LESTARI", Secondary: "DEWI AYU", Born: mrz.Date{Year: 1994, Month: 3, Day: 7}, Issuer: "IDN", Number: "X1234567",
		Expires: mrz.Date{Year: 2031, Month: 8, Day: 15}, Sex: "F", Code: "P", Readable: true, Entry: "scan"}
	f.Clock.Today, f.Clock.State = mrz.Date{Year: 2026, Month: 11, Day: 23}, "ntp"
	f.List.Present, f.List.Version, f.List.Age = true, 7, "1h"
	return f
}

// Parse reads a case. An error says what is wrong and where.
func Parse(b []byte) (Case, error) {
	f := usual()
	d := toml.NewDecoder(bytes.NewReader(b)).DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		if strict := (*toml.StrictMissingError)(nil); errors.As(err, &strict) {
			return Case{}, fmt.Errorf("cannot read case: unknown fields\n%s", strict.String())
		}
		if at := (*toml.DecodeError)(nil); errors.As(err, &at) {
			line, column := at.Position()
			return Case{}, fmt.Errorf("cannot read case: line %d column %d: %w", line, column, err)
		}
		return Case{}, fmt.Errorf("cannot read case: %w", err)
	}
	c, err := f.read()
	if err != nil {
		return Case{}, fmt.Errorf("cannot read case: %w", err)
	}
	return c, nil
}

func (f file) read() (c Case, err error) {
	t := f.Traveller
	c = Case{Title: f.Title, Law: f.Law, Expect: f.Expect}
	c.Case = verdict.Case{
		EntryMode: t.Entry, Doubtful: t.Doubtful, Compared: t.Compared, Guessed: t.Guessed, Today: f.Clock.Today, ClockState: f.Clock.State, Direction: f.Direction, Lot: f.Lot,
		Purpose: t.Purpose, Repeated: t.Repeated, LastWay: t.Last,
		Counts: rule.Counts{SameFlightUnlisted: f.Counts.SameFlightUnlisted, ConsecutiveNumbers: f.Counts.ConsecutiveNumbers, SameFlight: f.Counts.SameFlight},
	}
	for _, d := range []verdict.Direction{f.Direction, t.Last} {
		if d != "" && d != verdict.Departure && d != verdict.Return {
			return c, fmt.Errorf("%q is neither departure nor return", d)
		}
	}
	if !t.Purpose.Valid() {
		return c, fmt.Errorf("traveller.purpose %q is none", t.Purpose)
	}
	if c.Document, err = t.document(f.Clock.Today); err != nil {
		return c, err
	}
	if c.Journey, err = journey.Parse(f.Journey.Text); err != nil {
		return c, err
	}
	if c.ListAge, err = time.ParseDuration(f.List.Age); err != nil {
		return c, fmt.Errorf("list.age: %w", err)
	}
	if f.List.Present {
		if c.Found, err = f.found(); err != nil {
			return c, err
		}
	}
	if f.Rules != nil {
		pack, err := json.Marshal(f.Rules)
		if err == nil {
			c.Rules, err = rule.Parse(pack)
		}
		if err != nil {
			return c, err
		}
		c.RulesAge = c.ListAge
	}
	return c, nil
}

// document writes the traveller's zone and reads it, as a scanner would.
func (t traveller) document(today mrz.Date) (mrz.Document, error) {
	lines, err := mrz.Fields{DocumentCode: t.Code, IssuingState: t.Issuer, Nationality: t.Issuer, DocumentNumber: t.Number, Primary: t.Primary, Secondary: t.Secondary,
		Sex: t.Sex, DateOfBirth: t.Born, DateOfExpiry: t.Expires}.Lines(mrz.TD3)
	if err != nil {
		return mrz.Document{}, fmt.Errorf("traveller: %w", err)
	}
	if !t.Readable { // the document's own check digit, one off
		wrong := '0' + (lines[1][9]-'0'+1)%10
		lines[1] = lines[1][:9] + string(rune(wrong)) + lines[1][10:]
	}
	return mrz.Parse(lines, today), nil
}

func (f file) found() (placement.Found, error) {
	found := placement.Found{ListPresent: true, Listed: f.List.Listed || len(f.Record) > 0, OtherPaper: f.List.OtherPaper, Agencies: map[string]placement.Agency{}}
	found.List.Version = f.List.Version
	age, _ := time.ParseDuration(f.List.Age)
	if today, ok := f.Clock.Today.Time(); ok {
		found.List.Time = today.Add(-age)
	}
	for i, m := range f.Record {
		var r placement.Record
		if err := convert(m, &r); err != nil {
			return found, fmt.Errorf("record %d: %w", i+1, err)
		}
		if r.Primary == "" {
			r.Primary, r.Secondary, r.DateOfBirth = f.Traveller.Primary, f.Traveller.Secondary, f.Traveller.Born
		}
		found.Records = append(found.Records, r)
	}
	for i, m := range f.Agency {
		var a placement.Agency
		if err := convert(m, &a); err != nil {
			return found, fmt.Errorf("agency %d: %w", i+1, err)
		}
		found.Agencies[a.ID] = a
	}
	for i, m := range f.Negative {
		var n placement.Negative
		if err := convert(m, &n); err != nil {
			return found, fmt.Errorf("negative %d: %w", i+1, err)
		}
		found.Negatives = append(found.Negatives, n)
	}
	return found, nil
}

// convert reads a table by the names of the JSON form.
func convert(m map[string]any, into any) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
