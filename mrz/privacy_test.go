package mrz_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"lintas/mrz"
)

// No way of printing that a programmer uses without thinking may show what
// the document says.
func TestPrintingShowsNoTraveller(t *testing.T) {
	f := mrz.Fields{
		DocumentCode: "P", IssuingState: "UTO", Nationality: "UTO", Sex: "F",
		Primary: "CANARYPRIMARY", Secondary: "CANARYSECONDARY", DocumentNumber: "CANARY789",
		DateOfBirth: mrz.Date{1974, 8, 12}, DateOfExpiry: mrz.Date{2031, 4, 15}, OptionalData: []string{"CANARYOPTION"},
	}
	lines, err := f.Lines(mrz.TD3)
	if err != nil {
		t.Fatal(err)
	}
	doc := mrz.Parse(lines, today)
	if doc.Name.Primary() != "CANARYPRIMARY" {
		t.Fatal("the canary is not in the cage")
	}
	type embedded struct {
		ID any
		mrz.Document
	}
	type field struct{ Doc mrz.Document }
	values := []any{doc, &doc, []mrz.Document{doc}, map[string]mrz.Document{"a": doc}, field{doc}, &field{doc},
		embedded{1, doc}, f, &f, []mrz.Fields{f}, struct{ F mrz.Fields }{f}}

	var out bytes.Buffer
	for _, v := range values {
		fmt.Fprintf(&out, "%v %+v %#v %s %q %x\n", v, v, v, v, v, v)
		fmt.Fprintln(&out, v)
	}
	text := slog.New(slog.NewTextHandler(&out, nil))
	for _, v := range values {
		text.Info("read", "document", v)
		text.Info("read", slog.Group("scan", "document", v))
	}
	js := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{doc, &doc, embedded{1, doc}, f, &f} {
		js.Info("read", "document", v)
	}
	fmt.Fprintf(&out, "%d %t", f, f)
	for _, canary := range []string{"CANARY", fmt.Sprintf("%x", "CANARY"), "740812", "1974", "310415"} {
		if strings.Contains(out.String(), canary) {
			t.Errorf("%s escaped: %s", canary, out.String())
		}
	}
	if !strings.Contains(out.String(), "TD3") || !strings.Contains(out.String(), "valid") {
		t.Error("format and validity are not shown")
	}
}

// What was mended, or could be, shows no more than the rest.
func TestCandidatesShowNoTraveller(t *testing.T) {
	f := demo()
	f.Primary, f.DocumentNumber = "CANARY", "CANARY789"
	lines, err := f.Lines(mrz.TD3)
	if err != nil {
		t.Fatal(err)
	}
	doc := mrz.Mend(edit(edit(lines, 2, 8, "_"), 2, 15, "O_"), today)
	if len(doc.Candidates) == 0 {
		t.Fatal("there are no candidates")
	}
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, nil))
	for _, v := range []any{doc, &doc, doc.Candidates, doc.Candidates[0], &doc.Candidates[0], doc.Findings, doc.Checks} {
		fmt.Fprintf(&out, "%v %+v %#v %s %q %x\n", v, v, v, v, v, v)
		log.Info("read", "what", v)
	}
	for _, canary := range []string{"CANARY", fmt.Sprintf("%x", "CANARY"), "940228", "1994-02"} {
		if strings.Contains(out.String(), canary) {
			t.Errorf("%s escaped: %s", canary, out.String())
		}
	}
}

// Findings go to the screen, errors to logs.
func TestFindingsAndErrorsShowNoTraveller(t *testing.T) {
	lines := []string{"Q9CAN<<CANARY7<<CANARY<<CANARYCANARYCANARYCA", "CANARY_8990000CANARYX99999999CANARYCANARY999"}
	for _, lines := range [][]string{lines, {lines[0] + "CANARY", lines[1]}, {"CANARY"}} {
		doc := mrz.Parse(lines, today)
		if len(doc.Findings) == 0 {
			t.Fatal("no findings")
		}
		if s := fmt.Sprint(doc.Findings, doc.Checks); strings.Contains(s, "CANARY") {
			t.Errorf("escaped: %s", s)
		}
	}
	var errs []error
	for _, change := range []func(*mrz.Fields){
		func(f *mrz.Fields) { f.DocumentCode = "CANARY" },
		func(f *mrz.Fields) { f.IssuingState = "CANARY" },
		func(f *mrz.Fields) { f.Primary = "CANARY1" },
		func(f *mrz.Fields) { f.DocumentNumber = "CANARYCANARY" },
		func(f *mrz.Fields) { f.Sex = "CANARY" },
		func(f *mrz.Fields) { f.OptionalData = []string{"CANARYCANARYCANARY"} },
	} {
		f := demo()
		change(&f)
		_, err := f.Lines(mrz.TD3)
		errs = append(errs, err)
	}
	_, err := mrz.ParseDate("CANARY")
	errs = append(errs, err)
	for _, err := range errs {
		if err == nil || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("got %v", errors.Join(errs...))
		}
	}
}
