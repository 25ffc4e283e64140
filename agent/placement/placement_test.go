package placement_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lintas/agent/placement"
)

const (
	canaryName   = "KENARIKUNING"
	canaryNumber = "ZZ7654321"
)

func TestKeyFile(t *testing.T) {
	k := placement.NewKey()
	b, err := k.MarshalJWK()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "list.key")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := placement.LoadKey(path); err != nil || got != k {
		t.Errorf("%v, %v", got, err)
	}
	var jwk struct{ K string }
	if err := json.Unmarshal(b, &jwk); err != nil || jwk.K == "" {
		t.Fatal(err)
	}
	if strings.Contains(fmt.Sprintf("%v %+v %#v %s", k, k, k, k), jwk.K) {
		t.Error("a key prints itself")
	}
	for name, text := range map[string]string{"blank": "\n", "short": `{"kty":"oct","k":"AAAA"}`, "public": `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := placement.LoadKey(path); err == nil {
			t.Errorf("%s was taken for a list key", name)
		}
	}
}

// What holds a person prints nothing of him.
func TestPrintsNobody(t *testing.T) {
	ref := placement.DocumentRef{IssuingState: "IDN", DocumentNumber: canaryNumber}
	record := placement.Record{PlacementID: "P-1", Primary: canaryName}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{
			record, ref, placement.Entry{Record: record, Documents: []placement.DocumentRef{ref}}, placement.Negative{DocumentRef: ref},
			placement.NegativeEntry{DocumentRef: ref}, placement.Cleared{PlacementID: "P-1", DocumentRef: ref}, placement.Officer{ID: "7", Name: canaryName},
		} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, canaryName) || strings.Contains(text, "ZZ") {
				t.Errorf("%s of a %T shows it: %s", verb, v, text)
			}
		}
	}
}

const good = `{"placement_id":"P","rev":1,"status":"siap","destination":"HKG","primary":"X","date_of_birth":"1990-01-01","documents":[{"issuing_state":"IDN","document_number":"ZZ1","date_of_expiry":"2030-01-01"}]}`

func TestJSONLines(t *testing.T) {
	if e, err := placement.ReadAll("p.jsonl", strings.NewReader(good+"\n\n"+good), placement.Entries); err != nil || len(e) != 2 {
		t.Fatalf("%d entries, %v", len(e), err)
	}
	for _, c := range []struct{ name, line, want string }{
		{"a word that is none", strings.Replace(good, "siap", "ready", 1), "p.jsonl:2:38: status is not one"},
		{"an unknown field", strings.Replace(good, `"rev"`, `"revision"`, 1), `p.jsonl:2:32: unknown field "revision"`},
		{"no JSON", `{"placement_id":"P",,}`, "p.jsonl:2:21: not a JSON object"},
		{"a wrong date", strings.Replace(good, "1990-01-01", "soon", 1), "p.jsonl:2:95: date_of_birth does not have the form"},
		{"a text for a number", strings.Replace(good, `"rev":1`, `"rev":"1"`, 1), "p.jsonl:2:27: rev is a JSON string"},
		{"a document without number", strings.Replace(good, "ZZ1", "", 1), "documents needs a document_number"},
		{"something behind", good + " {}", "p.jsonl:2:201: not a JSON object"},
		{"a list", "[]", "p.jsonl:2:1: not a JSON object"},
		{"too long", `{"primary":"` + strings.Repeat("X", 70_000) + `"}`, "p.jsonl:2: the line is longer"},
		{"no status, no destination", `{"placement_id":"P","rev":1,"primary":"X","date_of_birth":"1990-01-01","documents":[]}`, "p.jsonl:2: destination is not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := placement.ReadAll("/somewhere/p.jsonl", strings.NewReader(good+"\n"+c.line+"\n"+good), placement.Entries)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("does not say %q: %v", c.want, err)
			}
			if strings.Contains(fmt.Sprint(err), "soon") {
				t.Errorf("a fault repeats the value: %v", err)
			}
			if len(got) != 1 {
				t.Errorf("%d entries handed on, after a fault none is", len(got))
			}
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	bad := strings.Repeat(strings.Replace(good, "siap", "ready", 1)+"\n", 150)
	_, err := placement.ReadAll("p.jsonl", strings.NewReader(bad), placement.Entries)
	if n := strings.Count(fmt.Sprint(err), "status is not"); n != 100 || !strings.Contains(err.Error(), "more than 100 faults") {
		t.Errorf("%d faults", n)
	}
	if line, ok := errors.AsType[*placement.LineError](err); !ok || line.Line != 1 || line.Column == 0 {
		t.Errorf("first fault: %v", line)
	}
}

func TestCSV(t *testing.T) {
	const head = "placement_id,rev,status,destination,via,primary,date_of_birth,documents,flags\n"
	got, err := placement.ReadAll("p.csv", strings.NewReader("\ufeff"+head+
		"EX-1,2,siap,HKG,SGP MYS,\"CONTOH, SITI\",1994-03-07,IDN ZZ0000101 2031-11-23; IDN ZZ0000102 2030-01-01,document-reported-lost\n"), placement.Entries)
	if err != nil || len(got) != 1 || len(got[0].Documents) != 2 || got[0].Rev != 2 || len(got[0].Via) != 2 || got[0].Primary != "CONTOH, SITI" || got[0].Flags[0] != placement.FlagLost {
		t.Fatalf("%d entries, %v", len(got), err)
	}
	for _, c := range []struct{ name, text, want string }{
		{"a word that is none", head + "EX-1,2,ready,HKG,,X,1994-03-07,IDN ZZ1 2030-01-01,\n", "p.csv:2:8: status is not"},
		{"no number", head + "EX-1,two,siap,HKG,,X,1994-03-07,IDN ZZ1 2030-01-01,\n", "p.csv:2:6: rev is not a whole number"},
		{"a wrong date", head + "EX-1,2,siap,HKG,,X,7.3.1994,IDN ZZ1 2030-01-01,\n", "p.csv:2:20: date_of_birth does not have"},
		{"half a document", head + "EX-1,2,siap,HKG,,X,1994-03-07,IDN ZZ1,\n", "p.csv:2:31: documents are written"},
		{"a column too few", head + "EX-1,2\n", "p.csv:2:1: wrong number of fields"},
		{"an unknown column", "placement_id,weight\nP,1\n", `p.csv:2:3: unknown field "weight"`},
		{"a missing column", "placement_id\nP\n", "p.csv:2: status is not"},
		{"a line later, behind a line break in a cell", head + "\"EX\n1\",2,siap,HKG,,X,1994-03-07,IDN ZZ1 2030-01-01,\nEX-2,2,ready,HKG,,X,1994-03-07,IDN ZZ1 2030-01-01,\n", "p.csv:4:8: status"},
		{"nothing", "", "p.csv:1: the first line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := placement.ReadAll("p.csv", strings.NewReader(c.text), placement.Entries)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("does not say %q: %v", c.want, err)
			}
		})
	}
}

func TestOtherSources(t *testing.T) {
	for _, c := range []struct {
		name, text string
		read       func(string) error
	}{
		{"negative without end", `{"issuing_state":"IDN","document_number":"ZZ1","kind":"attention","contact":"x"}`, read(placement.Negatives)},
		{"negative without contact", `{"issuing_state":"IDN","document_number":"ZZ1","kind":"attention","until":"2030-01-01"}`, read(placement.Negatives)},
		{"negative of no kind", `{"issuing_state":"IDN","document_number":"ZZ1","kind":"bad","until":"2030-01-01","contact":"x"}`, read(placement.Negatives)},
		{"negative without state", `{"document_number":"ZZ1","kind":"lost","until":"2030-01-01","contact":"x"}`, read(placement.Negatives)},
		{"agency with no licence", `{"agency_id":"A"}`, read(placement.Agencies)},
		{"officer with a PIN in the clear", `{"site":"IDCGK","officer_id":"7","pin_hash":"1234"}`, read(placement.Officers)},
		{"site that would leave the folder", `{"counter":"CGK-1","site":"../x"}`, read(placement.Counters)},
		{"cleared for nobody", `{"issuing_state":"IDN","document_number":"ZZ1","date_of_expiry":"2030-01-01"}`, read(placement.Clearings)},
	} {
		if c.read(c.text) == nil {
			t.Errorf("%s was accepted", c.name)
		}
	}
	if err := read(placement.Negatives)(`{"issuing_state":"IDN","document_number":"ZZ1","kind":"lost","until":"2030-01-01","contact":"x"}`); err != nil {
		t.Error(err)
	}
}

func read[T any](table placement.Table[T]) func(string) error {
	return func(text string) error {
		_, err := placement.ReadAll("x.jsonl", strings.NewReader(text), table)
		return err
	}
}

func TestNames(t *testing.T) {
	if shard, v, ok := placement.ParseFullName("placements/0f.12.full"); !ok || shard != 15 || v != 12 {
		t.Error(shard, v, ok)
	}
	if from, to, ok := placement.ParseDeltaName("placements/12-13.delta"); !ok || from != 12 || to != 13 {
		t.Error(from, to, ok)
	}
	for _, name := range []string{"placements/f.1.full", "placements/0F.1.full", "placements/00.01.full", "placements/00.1.full/x", "x/00.1.full", "placements/13-12.delta", "placements/1-2-3.delta", "negatives"} {
		_, _, full := placement.ParseFullName(name)
		_, _, delta := placement.ParseDeltaName(name)
		if full || delta {
			t.Errorf("%s was understood", name)
		}
	}
}

func TestRowsAreWhatWasWritten(t *testing.T) {
	h := placement.Header{Version: 3, KeyID: "k", Salt: placement.NewSalt(), Cost: placement.CheapCost, Cheap: true}
	rows := []placement.Row{{Tag: placement.Tag{1}, Kind: placement.KindStub, Body: []byte{}}, {Tag: placement.Tag{1, 2}, Kind: placement.KindRecord, Body: []byte("body")}}
	var b bytes.Buffer
	if err := placement.WriteRows(&b, h, rows); err != nil {
		t.Fatal(err)
	}
	r, err := placement.NewRowReader(bytes.NewReader(b.Bytes()))
	if err != nil || r.Header().Rows != 2 || !r.Header().SameLock(h) {
		t.Fatal(err)
	}
	for _, want := range rows {
		if got, err := r.Next(); err != nil || got.Tag != want.Tag || got.Kind != want.Kind || !bytes.Equal(got.Body, want.Body) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
	for n := range b.Len() { // cut off anywhere, it is not whole
		r, err := placement.NewRowReader(bytes.NewReader(b.Bytes()[:n]))
		for err == nil {
			_, err = r.Next()
		}
		if err == io.EOF {
			t.Errorf("cut at %d it is taken for whole", n)
		}
	}
	for name, change := range map[string]func(*placement.Header){
		"cost":    func(h *placement.Header) { h.Cost.MemoryKiB = 1 << 30 },
		"cheap":   func(h *placement.Header) { h.Cheap = false },
		"salt":    func(h *placement.Header) { h.Salt = nil },
		"version": func(h *placement.Header) { h.Version = 0 },
		"from":    func(h *placement.Header) { h.From = 3 },
	} {
		bad := h
		change(&bad)
		if bad.Check() == nil {
			t.Errorf("a header with a wrong %s was accepted", name)
		}
	}
}

func FuzzRows(f *testing.F) {
	var b bytes.Buffer
	h := placement.Header{Version: 3, KeyID: "k", Salt: placement.NewSalt(), Cost: placement.CheapCost, Cheap: true}
	if err := placement.WriteRows(&b, h, []placement.Row{{Tag: placement.Tag{1}, Kind: placement.KindRecord, Body: []byte("xy")}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := placement.NewRowReader(bytes.NewReader(b))
		for err == nil {
			_, err = r.Next()
		}
		if rows, err := placement.ParseRows(b); err == nil {
			var again []byte
			for _, r := range rows {
				if again, err = r.Append(again); err != nil {
					return
				}
			}
			if !bytes.Equal(again, b) {
				t.Error("rows are written differently from how they were read")
			}
		}
	})
}

func FuzzSources(f *testing.F) {
	f.Add(good, true)
	f.Add("placement_id,rev\nP,1\n", false)
	f.Fuzz(func(t *testing.T, text string, lines bool) {
		name := map[bool]string{true: "x.jsonl", false: "x.csv"}[lines]
		placement.ReadAll(name, strings.NewReader(text), placement.Entries)
		placement.ReadAll(name, strings.NewReader(text), placement.Negatives)
	})
}
