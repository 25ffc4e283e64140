package cli

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"lintas/mrz"
)

// printDocument writes a document for people: what was read, what the check
// digits say of it, and every finding with its place, which is marked below the
// lines. doubtful: it would be valid if it had been read with certainty. Whether
// it could be written is told by out.Flush.
func printDocument(out *bufio.Writer, name string, d mrz.Document, doubtful bool) {
	verdict := "not valid"
	switch {
	case doubtful:
		verdict = "check digits right, but not read with certainty"
	case d.Valid && len(d.Repairs) > 0:
		verdict = "valid after repair"
	case d.Valid:
		verdict = "valid"
	}
	fmt.Fprintf(out, "%s: %s, %s\n\n", name, d.Format, verdict)
	for i, line := range d.Lines {
		fmt.Fprintf(out, "  %s\n", printable(line))
		if marks := marksBelow(d, i+1); marks != "" {
			fmt.Fprintf(out, "  %s\n", marks)
		}
	}
	fmt.Fprintln(out)
	var table rows
	for _, f := range fieldsOf(d) {
		table.add(label(f.Field), f.value, f.Status.String())
	}
	table.print(out, "")
	table = nil
	for _, f := range d.Findings {
		table.add(string(f.Severity), place(f.Line, f.Column), f.EN)
	}
	table.print(out, "findings")
	table = nil
	for _, r := range d.Repairs {
		table.add(label(r.Field), place(r.Line, r.Column), change(r))
	}
	table.print(out, "repairs")
	table = nil
	for _, c := range d.Candidates {
		var with []string
		for _, r := range c.Repairs {
			with = append(with, place(r.Line, r.Column)+": "+change(r))
		}
		table.add(label(c.Field), c.Value, cmp.Or(strings.Join(with, "; "), "as it stands"))
	}
	table.print(out, "other possible readings: compare with the document")
}

// A printedField is a field as it is shown: with its value, and its status, if
// the format can have a check digit for it.
type printedField struct {
	mrz.Check
	value string
}

// fieldsOf lists the fields that have something to show, in the order of a
// passport's page.
func fieldsOf(d mrz.Document) []printedField {
	all := []printedField{
		{value: d.DocumentCode, Check: mrz.Check{Field: mrz.FieldDocumentCode}},
		{value: d.IssuingState, Check: mrz.Check{Field: mrz.FieldIssuingState}},
		{value: d.Name.Primary(), Check: mrz.Check{Field: mrz.FieldPrimary}},
		{value: d.Name.Secondary(), Check: mrz.Check{Field: mrz.FieldSecondary}},
		{value: d.DocumentNumber, Check: mrz.Check{Field: mrz.FieldDocumentNumber}},
		{value: d.Nationality, Check: mrz.Check{Field: mrz.FieldNationality}},
		{value: d.DateOfBirth.String(), Check: mrz.Check{Field: mrz.FieldDateOfBirth}},
		{value: d.Sex, Check: mrz.Check{Field: mrz.FieldSex}},
		{value: d.DateOfExpiry.String(), Check: mrz.Check{Field: mrz.FieldDateOfExpiry}},
		{value: d.OptionalData[0], Check: mrz.Check{Field: mrz.FieldOptionalData}},
		{value: d.OptionalData[1], Check: mrz.Check{Field: mrz.FieldOptionalData2}},
		{Check: mrz.Check{Field: mrz.FieldComposite}},
	}
	for i := range all {
		all[i].Status = d.Check(all[i].Field)
	}
	return slices.DeleteFunc(all, func(f printedField) bool {
		digitOnly := f.Field == mrz.FieldComposite && f.Status != 0 && f.Status != mrz.Absent
		return f.value == "" && !digitOnly && f.Status != mrz.Refuted
	})
}

// label is a field's name in text for people.
func label(field string) string { return strings.ReplaceAll(field, "_", " ") }

func place(line, column int) string {
	switch {
	case line == 0:
		return ""
	case column == 0:
		return fmt.Sprintf("line %d", line)
	}
	return fmt.Sprintf("line %d, column %d", line, column)
}

// change tells what is taken for what was read, escaped: a terminal obeys what
// stands in it.
func change(r mrz.Repair) string {
	switch {
	case r.From == "":
		return fmt.Sprintf("%+q put in", r.To)
	case r.To == "":
		return fmt.Sprintf("%+q taken out", r.From)
	}
	return fmt.Sprintf("%+q instead of %+q", r.To, r.From)
}

// printable returns a line with one character for each byte: columns count
// bytes, and a terminal obeys control characters.
func printable(line string) string {
	b := []byte(line)
	for i, c := range b {
		if c <= ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// marksBelow returns carets for the columns of a line that findings are about,
// "" if there are none. Notes, such as a name that may be cut, are not marked
// unless something was changed there.
func marksBelow(d mrz.Document, line int) string {
	var columns []int
	for _, f := range d.Findings {
		if f.Line == line && f.Severity != mrz.Info {
			columns = append(columns, f.Column)
		}
	}
	for _, r := range d.Repairs {
		if r.Line == line {
			columns = append(columns, r.Column)
		}
	}
	if len(columns) == 0 {
		return ""
	}
	marks := []byte(strings.Repeat(" ", max(0, slices.Max(columns))))
	for _, c := range columns {
		if c > 0 {
			marks[c-1] = '^'
		}
	}
	return string(marks)
}

// rows are a table of three columns, of which the last is not aligned.
type rows [][3]string

func (t *rows) add(a, b, c string) { *t = append(*t, [3]string{a, b, c}) }

// print writes a heading, unless it is empty, and the table; nothing if that is
// empty.
func (t rows) print(w io.Writer, heading string) {
	if len(t) == 0 {
		return
	}
	if heading != "" {
		fmt.Fprintf(w, "  %s\n", heading)
		heading = "  "
	}
	var widths [2]int
	for _, row := range t {
		for i := range widths {
			widths[i] = max(widths[i], len(row[i]))
		}
	}
	for _, row := range t {
		line := fmt.Sprintf("  %s%-*s  %-*s  %s", heading, widths[0], row[0], widths[1], row[1], row[2])
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	fmt.Fprintln(w)
}
