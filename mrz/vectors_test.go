package mrz_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"

	"lintas/mrz"
)

// A vector is one zone from the test suites of other readers and from
// Doc 9303's worked examples.
type vector struct {
	Source, Kind, Format, Note string
	Lines                      []string
	Corrected                  []string `json:"corrected_lines"`
	Raw                        string
	Valid, Disputed            bool
	Expect                     map[string]any
}

const vectorFile = "../../shared/data/mrz-vectors.jsonl"

func readVectors(t *testing.T) []vector {
	t.Helper()
	file, err := os.Open(vectorFile)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the collected test vectors are not present (%s)", vectorFile)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []vector
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var v vector
		if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
			t.Fatalf("line %d: %v", len(all)+1, err)
		}
		all = append(all, v)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// otherConvention lists the expectations that another source contradicts: this
// one drops fillers at the start of optional data, JMRTD's IPUSA specimen keeps
// them. They are part of what the issuer wrote, so they are kept.
var otherConvention = map[string]bool{
	"foxanna/mrz_parser:test/mrz_parser_test.dart:308 optional_data": true,
}

// The verdicts and fields that other readers and the standard state must be
// ours: all of them.
func TestVectors(t *testing.T) {
	ours := map[string]bool{"TD1": true, "TD2": true, "TD3": true, "MRV-A": true, "MRV-B": true, "FR-ID": true, "CH-DL": true, "unknown": true}
	kinds := map[string]bool{"text": true, "name-example": true, "checkdigit-only": true}
	verdicts, agree, fields := 0, 0, 0
	for _, v := range readVectors(t) {
		if v.Disputed || !kinds[v.Kind] || !ours[v.Format] {
			continue
		}
		verdicts++
		doc := mrz.Parse(v.Lines, today)
		if doc.Valid == v.Valid {
			agree++
		} else {
			t.Errorf("%s: valid is %t, want %t: %q %s; findings %v", v.Source, doc.Valid, v.Valid, v.Lines, v.Note, codes(doc))
		}
		if want := mrz.Format(v.Format); v.Format != "unknown" && doc.Format != want {
			t.Errorf("%s: format is %q, want %q: %q", v.Source, doc.Format, want, v.Lines)
		}
		if !v.Valid {
			continue
		}
		for field, want := range v.Expect {
			if field == "viz" {
				continue
			}
			if otherConvention[v.Source+" "+field] {
				continue
			}
			fields++
			if got := stated(doc, field, want); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s is %v, want %v: %q", v.Source, field, got, want, v.Lines)
			}
		}
		if viz, ok := v.Expect["viz"].(string); ok {
			primary, secondary, _ := strings.Cut(viz, ", ")
			want := mrz.Same
			if v.Expect["truncated"] == true {
				want = mrz.Compatible
			}
			if got := mrz.SameName(doc.Name.Primary(), doc.Name.Secondary(), primary, secondary); got != want {
				t.Errorf("%s: name is %s as printed, want %s: %q", v.Source, got, want, v.Lines)
			}
		}
	}
	t.Logf("%d of %d verdicts agree; %d fields compared", agree, verdicts, fields)
	if verdicts < 272 || fields < 339 {
		t.Error("the collection has shrunk")
	}
}

// stated returns a field of doc in the form in which the source states it.
func stated(doc mrz.Document, field string, want any) any {
	date := func(d mrz.Date) any {
		text := d.String()
		if want, ok := want.(string); ok && len(want) == 6 && d.Known() { // YYMMDD
			return strings.ReplaceAll(text, "-", "")[2:]
		}
		if text == "" && want == nil {
			return nil
		}
		return text
	}
	switch field {
	case "document_code":
		return doc.DocumentCode
	case "issuing_state":
		return doc.IssuingState
	case "surname":
		return doc.Name.Primary()
	case "given_names":
		return doc.Name.Secondary()
	case "truncated":
		return doc.Name.Truncated
	case "document_number":
		return doc.DocumentNumber
	case "nationality":
		return doc.Nationality
	case "birth_date":
		return date(doc.DateOfBirth)
	case "sex":
		return doc.Sex
	case "expiry_date":
		return date(doc.DateOfExpiry)
	case "optional_data":
		return doc.OptionalData[0]
	case "optional_data_2":
		return doc.OptionalData[1]
	}
	return "no such field"
}

// Repairs must not make valid what is not: Mend says the same of every zone as
// its source, unless it lists what it mended, and that is what the source makes
// of it too.
func TestVectorsMend(t *testing.T) {
	corrected := map[string][]string{}
	all := readVectors(t)
	for _, v := range all {
		if v.Kind == "ocr-repair" {
			corrected[strings.Join(v.Lines, "\n")] = v.Corrected
		}
	}
	type count struct{ n, accepted, rejected int }
	kinds := map[string]*count{}
	for _, v := range all {
		if v.Disputed {
			continue
		}
		c := kinds[v.Kind]
		if c == nil {
			c = &count{}
			kinds[v.Kind] = c
		}
		c.n++
		switch v.Kind {
		case "text", "name-example", "checkdigit-only":
			doc := mrz.Mend(v.Lines, today)
			switch want := corrected[strings.Join(v.Lines, "\n")]; {
			case v.Valid && !doc.Valid:
				c.rejected++
				t.Errorf("%s: not valid: %q, %v", v.Source, v.Lines, codes(doc))
			case !v.Valid && doc.Valid && (len(doc.Repairs) == 0 || !reflect.DeepEqual(doc.Lines, want)):
				c.accepted++
				t.Errorf("%s: valid: %q by %v", v.Source, v.Lines, doc.Repairs)
			case !v.Valid && !doc.Valid:
				if p := mrz.Parse(v.Lines, today); p.Format != "" && doc.Format != p.Format {
					t.Errorf("%s: format is %q, Parse says %q", v.Source, doc.Format, p.Format)
				}
			}
		case "ocr-repair":
			doc := mrz.Mend(v.Lines, today)
			if !doc.Valid || !reflect.DeepEqual(doc.Lines, v.Corrected) || !reflect.DeepEqual(undo(doc), v.Lines) {
				c.rejected++
				t.Errorf("%s: %q became %q, want %q; %v", v.Source, v.Lines, doc.Lines, v.Corrected, doc.Candidates)
			}
		case "lenient-input":
			docs := mrz.ReadText(v.Raw, today)
			if len(docs) != 1 || docs[0].Valid != v.Valid || !reflect.DeepEqual(docs[0].Lines, v.Lines) {
				c.rejected++
				t.Errorf("%s: got %v, want %q", v.Source, docs, v.Lines)
			}
		}
	}
	for kind, c := range kinds {
		t.Logf("%-16s %3d of %3d agree, %d accepted and %d rejected wrongly", kind, c.n-c.accepted-c.rejected, c.n, c.accepted, c.rejected)
	}
}

// The public specimen zones that arrive in a mess: the zone must be found and
// read as far as modest leniency goes.
func TestVectorsSeparators(t *testing.T) {
	n := 0
	for _, v := range readVectors(t) {
		if v.Kind != "separator" {
			continue
		}
		n++
		for _, doc := range mrz.ReadText(strings.Join(v.Lines, "\n"), today) {
			if doc.Valid && doc.Name.Primary() != "ERIKSSON" {
				t.Errorf("%s: valid, but not what stands there: %q", v.Source, v.Lines)
			}
		}
		if doc := mrz.Parse(v.Lines, today); doc.Valid {
			t.Errorf("%s: Parse is not strict: %q", v.Source, v.Lines)
		}
	}
	t.Logf("%d messy inputs", n)
}
