package placement

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"lintas/mrz"
)

const (
	maxLine   = 64 << 10
	maxFaults = 100 // so many are reported, then reading ends
)

// LineError says where a source is wrong, line and column counted from 1
// (columns in bytes). Column is 0 where the whole line is meant.
type LineError struct {
	File         string
	Line, Column int
	Err          error
}

func (e *LineError) Error() string {
	if e.Column == 0 {
		return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
	}
	return fmt.Sprintf("%s:%d:%d: %v", e.File, e.Line, e.Column, e.Err)
}

func (e *LineError) Unwrap() error { return e.Err }

// fault is something wrong with one field of an object.
type fault struct{ field, what string }

// Read reads a source and hands each object on. Its name ends in .csv, or it is
// JSON Lines: one object a line, empty lines between them. A CSV file has the
// fields' names in its first line; a list's elements are separated by blanks,
// and a document is written as issuing state, number and expiry:
//
//	placement_id,rev,status,destination,primary,date_of_birth,documents
//	EX-1,1,siap,HKG,CONTOH,1994-03-07,IDN ZZ0000101 2031-11-23; IDN ZZ0000102 2030-01-01
//
// All that is wrong is reported, as an error that joins a [LineError] for each
// fault. What each gets is good, but nothing must be made of it if Read fails.
func Read[T any](name string, r io.Reader, table Table[T], each func(T) error) error {
	f := &faults{file: filepath.Base(name)}
	var err error
	if strings.EqualFold(filepath.Ext(name), ".csv") {
		err = readCSV(r, table, f, each)
	} else {
		err = readLines(r, table, f, each)
	}
	if err != nil && !errors.Is(err, errTooMany) {
		f.list = append(f.list, err)
	}
	return errors.Join(f.list...)
}

// Table says how the objects of a source look.
type Table[T any] struct {
	check   func(T) []fault
	numbers []string // CSV columns that hold numbers, truth values, lists, documents
	truths  []string
	lists   []string
	refs    []string
}

// The sources of a list.
var (
	Entries = Table[Entry]{check: Entry.check, numbers: []string{"rev"}, lists: []string{"via", "flags"}, refs: []string{"documents"},
		truths: []string{"removed"}}
	Negatives = Table[NegativeEntry]{check: NegativeEntry.check}
	Agencies  = Table[Agency]{check: Agency.check}
	Officers  = Table[Officer]{check: Officer.check, truths: []string{"supervisor"}}
	Counters  = Table[CounterSite]{check: CounterSite.check}
	Clearings = Table[Cleared]{check: Cleared.check}
)

// ReadAll reads a source that is small into memory.
func ReadAll[T any](name string, r io.Reader, table Table[T]) (list []T, err error) {
	err = Read(name, r, table, func(v T) error {
		list = append(list, v)
		return nil
	})
	return list, err
}

// errTooMany ends reading; the faults so far say enough.
var errTooMany = errors.New("too many faults")

type faults struct {
	file string
	list []error
}

func (f *faults) add(line, column int, err error) error {
	f.list = append(f.list, &LineError{f.file, line, column, err})
	if len(f.list) >= maxFaults {
		f.list = append(f.list, fmt.Errorf("%s: more than %d faults, the rest was not read", f.file, maxFaults))
		return errTooMany
	}
	return nil
}

func readLines[T any](r io.Reader, table Table[T], f *faults, each func(T) error) error {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 4<<10), maxLine)
	n := 0
	for in.Scan() {
		n++
		line := in.Bytes()
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		v, bad := decode(line, table)
		for _, b := range bad {
			if err := f.add(n, b.column, b.err); err != nil {
				return err
			}
		}
		if len(bad) > 0 || len(f.list) > 0 {
			continue
		}
		if err := each(v); err != nil {
			if err := f.add(n, 0, err); err != nil {
				return err
			}
		}
	}
	if err := in.Err(); errors.Is(err, bufio.ErrTooLong) {
		return f.add(n+1, 0, fmt.Errorf("the line is longer than %d bytes", maxLine))
	} else if err != nil {
		return fmt.Errorf("cannot read %s: %w", f.file, err)
	}
	return nil
}

// flaw is a fault and the column where it stands.
type flaw struct {
	column int
	err    error
}

// decode reads one object. Only when something is wrong does it look where.
func decode[T any](line []byte, table Table[T]) (v T, flaws []flaw) {
	err := strict(line, &v)
	if err == nil {
		bad := table.check(v)
		if bad == nil {
			return v, nil
		}
		at := positions(line)
		for _, b := range bad {
			flaws = append(flaws, flaw{at[b.field].column, errors.New(strings.TrimSpace(b.field + " " + b.what))})
		}
		return v, flaws
	}
	if !json.Valid(line) {
		column := 1
		if syntax, ok := errors.AsType[*json.SyntaxError](json.Unmarshal(line, new(any))); ok {
			column = int(syntax.Offset)
		}
		return v, []flaw{{column, errors.New("not a JSON object on a line of its own")}}
	}
	if bytes.TrimSpace(line)[0] != '{' {
		return v, []flaw{{1, errors.New("not a JSON object")}}
	}
	for name, p := range positions(line) {
		alone := fmt.Appendf(nil, "{%q:%s}", name, p.value)
		if err := strict(alone, new(T)); err != nil {
			flaws = append(flaws, flaw{p.column, errors.New(explain(name, err))})
		}
	}
	slices.SortFunc(flaws, func(a, b flaw) int { return a.column - b.column })
	if flaws == nil {
		flaws = []flaw{{0, err}}
	}
	return v, flaws
}

// explain never repeats the value: it may be somebody's.
func explain(name string, err error) string {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := name
		if i := strings.Index(wrong.Field, name); i >= 0 {
			field = wrong.Field[i:] // without the names of Go's structs
		}
		return fmt.Sprintf("%s is a JSON %s, which does not belong there", field, wrong.Value)
	}
	if strings.Contains(err.Error(), "unknown field") {
		unknown := strings.TrimPrefix(err.Error(), "json: ")
		if strings.Contains(unknown, strconv.Quote(name)) {
			return unknown
		}
		return unknown + " in " + name
	}
	return name + " does not have the form it should have, like 2031-12-31 for a date"
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	return nil
}

type position struct {
	column int
	value  json.RawMessage
}

// positions finds the fields of an object that is valid JSON.
func positions(line []byte) map[string]position {
	at := map[string]position{}
	d := json.NewDecoder(bytes.NewReader(line))
	d.Token()
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			break
		}
		at[fmt.Sprint(name)] = position{int(d.InputOffset()) - len(value) + 1, value}
	}
	return at
}

func readCSV[T any](r io.Reader, table Table[T], f *faults, each func(T) error) error {
	in := csv.NewReader(r)
	in.ReuseRecord = true
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err == io.EOF {
		return f.add(1, 0, errors.New("the first line with the fields' names is missing"))
	} else if err != nil {
		return csvFault(f, err)
	}
	head = slices.Clone(head)
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	for {
		record, err := in.Read()
		if err == io.EOF {
			return nil
		} else if err != nil {
			return csvFault(f, err)
		}
		at := func(field string) (line, column int) {
			if i := slices.Index(head, field); i >= 0 {
				return in.FieldPos(i)
			}
			line, _ = in.FieldPos(0)
			return line, 0
		}
		object := map[string]any{}
		for i, text := range record {
			if text == "" {
				continue
			}
			value, err := table.cell(head[i], text)
			if err != nil {
				line, column := in.FieldPos(i)
				if err := f.add(line, column, err); err != nil {
					return err
				}
				continue
			}
			object[head[i]] = value
		}
		line, err := json.Marshal(object)
		if err != nil {
			return err
		}
		var v T
		if strict(line, &v) != nil {
			for name := range object {
				one, err := json.Marshal(map[string]any{name: object[name]})
				if err != nil {
					return err
				}
				if err := strict(one, new(T)); err != nil {
					row, column := at(name)
					if err := f.add(row, column, errors.New(explain(name, err))); err != nil {
						return err
					}
				}
			}
			continue
		}
		bad := table.check(v)
		for _, b := range bad {
			row, column := at(b.field)
			if err := f.add(row, column, errors.New(strings.TrimSpace(b.field+" "+b.what))); err != nil {
				return err
			}
		}
		if len(bad) > 0 || len(f.list) > 0 {
			continue
		}
		if err := each(v); err != nil {
			row, _ := at("")
			if err := f.add(row, 0, err); err != nil {
				return err
			}
		}
	}
}

func csvFault(f *faults, err error) error {
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return f.add(bad.Line, bad.Column, bad.Err)
	}
	return fmt.Errorf("cannot read %s: %w", f.file, err)
}

// cell turns a CSV field into what JSON would hold in its place.
func (t Table[T]) cell(name, text string) (any, error) {
	switch {
	case slices.Contains(t.numbers, name):
		n := json.Number(text)
		if _, err := n.Int64(); err != nil {
			return nil, fmt.Errorf("%s is not a whole number", name)
		}
		return n, nil
	case slices.Contains(t.truths, name):
		if text != "true" && text != "false" {
			return nil, fmt.Errorf("%s is neither true nor false", name)
		}
		return text == "true", nil
	case slices.Contains(t.lists, name):
		return strings.Fields(text), nil
	case slices.Contains(t.refs, name):
		var list []map[string]string
		for part := range strings.SplitSeq(text, ";") {
			words := strings.Fields(part)
			if len(words) != 3 {
				return nil, fmt.Errorf("%s are written as issuing state, number and expiry, separated by ;", name)
			}
			list = append(list, map[string]string{"issuing_state": words[0], "document_number": words[1], "date_of_expiry": words[2]})
		}
		return list, nil
	}
	return text, nil
}

// problems collects what is wrong with an object.
type problems []fault

func (p *problems) need(field string, ok bool, what string) {
	if !ok {
		*p = append(*p, fault{field, what})
	}
}

func (e Entry) check() []fault {
	var p problems
	p.need("placement_id", e.PlacementID != "", "is missing")
	if e.Removed {
		return p
	}
	p.need("status", slices.Contains(statuses, e.Status), "is not one of the life cycle's words")
	p.need("destination", isCountry(e.Destination), "is not a three-letter code")
	p.need("scheme", e.Scheme == "" || slices.Contains(schemes, e.Scheme), "is not one of "+strings.Join(schemes, ", "))
	p.need("employer_kind", e.EmployerKind == "" || slices.Contains(employerKinds, e.EmployerKind), "is not one of "+strings.Join(employerKinds, ", "))
	for _, v := range e.Via {
		p.need("via", isCountry(v), "holds something else than three-letter codes")
	}
	for _, f := range e.Flags {
		p.need("flags", slices.Contains(flags, f), "holds something else than "+strings.Join(flags, ", "))
	}
	p.need("primary", e.Primary != "", "is missing")
	p.need("date_of_birth", !e.DateOfBirth.IsZero(), "is missing")
	p.need("documents", len(e.Documents) > 0, "is missing or empty")
	for _, d := range e.Documents {
		d.check("documents", &p)
	}
	before := func(field string, a, b mrz.Date) {
		p.need(field, a.IsZero() || b.IsZero() || !b.Before(a), "lies before its beginning")
	}
	before("contract_until", e.ContractFrom, e.ContractUntil)
	before("depart_before", e.DepartAfter, e.DepartBefore)
	return p
}

func (d DocumentRef) check(field string, p *problems) {
	name := func(s string) string {
		if field != "" {
			return field
		}
		return s
	}
	p.need(name("issuing_state"), isState(d.IssuingState), "needs an issuing_state as the machine-readable zone has it")
	p.need(name("document_number"), isNumber(d.DocumentNumber), "needs a document_number of letters and digits")
}

func isCountry(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func isState(s string) bool {
	return len(s) >= 1 && len(s) <= 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<") == ""
}

// NegativeEntry is a negative entry with the document it is found by.
type NegativeEntry struct {
	DocumentRef
	Negative
}

// Whole gives the entry as it is locked.
func (n NegativeEntry) Whole() Negative {
	n.Negative.DocumentRef = n.DocumentRef
	return n.Negative
}

func (n NegativeEntry) check() []fault {
	var p problems
	n.DocumentRef.check("", &p)
	p.need("kind", n.Kind == Attention || n.Kind == Lost, fmt.Sprintf("is neither %q nor %q", Attention, Lost))
	p.need("until", !n.Until.IsZero(), "is missing: every negative entry ends")
	p.need("contact", n.Contact != "", "is missing: the officer must know whom to call")
	return p
}

func (a Agency) check() []fault {
	var p problems
	p.need("agency_id", a.ID != "", "is missing")
	p.need("licence", a.Licence == LicenceActive || a.Licence == LicenceSuspended || a.Licence == LicenceRevoked, "is not active, suspended or revoked")
	return p
}

func (o Officer) check() []fault {
	var p problems
	p.need("site", isCode(o.Site), "is not a site's code")
	p.need("officer_id", o.ID != "" && len(o.ID) <= 64, "is missing or longer than 64 bytes")
	p.need("pin_hash", strings.HasPrefix(o.PINHash, "$argon2id$"), "is not an Argon2id hash in the PHC format")
	return p
}

func (c CounterSite) check() []fault {
	var p problems
	p.need("counter", isCode(c.Counter) && len(c.Counter) >= 3, "is not a counter's id")
	p.need("site", isCode(c.Site), "is not a site's code")
	return p
}

func (c Cleared) check() []fault {
	var p problems
	p.need("placement_id", c.PlacementID != "", "is missing")
	c.DocumentRef.check("", &p)
	return p
}

// isCode is what names a site or a counter: it stands in a target's name.
func isCode(s string) bool {
	return s != "" && len(s) <= 32 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}
