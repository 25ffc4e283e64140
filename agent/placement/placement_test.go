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
	"time"

	"lintas/agent/placement"
	"lintas/agent/placement/cache"
	"lintas/mrz"
)

func date(s string) mrz.Date {
	d, err := mrz.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

const (
	canaryName   = "KENARIKUNING"
	canaryNumber = "ZZ7654321"
)

func source(key placement.Key, version int64) placement.Source {
	return placement.Source{
		Version: version, Time: time.Now(), Key: key, Cost: placement.CheapCost,
		Entries: []placement.Entry{{
			Record: placement.Record{PlacementID: "P-1", Rev: 2, Status: placement.Ready, Destination: "HKG", AgencyID: "A-1",
				Primary: canaryName, Secondary: "AYU", DateOfBirth: date("1991-02-27")},
			Documents: []placement.DocumentRef{
				{IssuingState: "IDN", DocumentNumber: canaryNumber, DateOfExpiry: date("2033-10-19")},
				{IssuingState: "IDN", DocumentNumber: "ZZ7654322", DateOfExpiry: date("2030-01-01")},
			},
		}},
		Negatives: []placement.Negative{{
			DocumentRef: placement.DocumentRef{IssuingState: "IDN", DocumentNumber: "ZZ9999999"},
			Kind:        placement.Attention, Until: date("2030-01-01"), Contact: "ext. 7",
		}},
		Agencies: []placement.Agency{{ID: "A-1", Name: "PT Contoh", Licence: placement.LicenceActive}},
	}
}

func document(number, birth, expiry string) mrz.Document {
	return mrz.Document{Valid: true, IssuingState: "IDN", DocumentNumber: number, Name: mrz.NewName(canaryName, "AYU"),
		DateOfBirth: date(birth), DateOfExpiry: date(expiry)}
}

// installed builds a list and installs it.
func installed(t *testing.T, key placement.Key) (*cache.List, string, string) {
	t.Helper()
	dir := t.TempDir()
	list, db := filepath.Join(dir, "list"), filepath.Join(dir, "placements.db")
	if _, err := placement.Build(list, source(key, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := cache.Install(t.Context(), list, db); err != nil {
		t.Fatal(err)
	}
	l, err := cache.Open(t.Context(), db, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, list, db
}

func TestFind(t *testing.T) {
	l, _, _ := installed(t, placement.NewKey())
	for _, c := range []struct {
		name  string
		doc   mrz.Document
		check func(placement.Found) bool
	}{
		{"the document itself", document(canaryNumber, "1991-02-27", "2033-10-19"),
			func(f placement.Found) bool {
				return f.Listed && len(f.Records) == 1 && f.Records[0].PlacementID == "P-1" && f.Agencies["A-1"].Name == "PT Contoh" && !f.OtherPaper
			}},
		{"the older passport", document("ZZ7654322", "1991-02-27", "2030-01-01"),
			func(f placement.Found) bool { return len(f.Records) == 1 }},
		{"another birth date", document(canaryNumber, "1991-02-28", "2033-10-19"),
			func(f placement.Found) bool { return f.Listed && len(f.Records) == 0 }},
		{"another expiry", document(canaryNumber, "1991-02-27", "2033-10-20"),
			func(f placement.Found) bool { return f.Listed && len(f.Records) == 0 }},
		{"another passport of the same person", document("ZZ0000001", "1991-02-27", "2033-10-19"),
			func(f placement.Found) bool { return !f.Listed && f.OtherPaper }},
		{"negative, whatever the birth date", document("ZZ9999999", "2001-01-01", "2033-10-19"),
			func(f placement.Found) bool {
				return len(f.Negatives) == 1 && f.Negatives[0].Contact == "ext. 7" && !f.Listed
			}},
		{"somebody else", mrz.Document{IssuingState: "UTO", DocumentNumber: "L898902C3", Name: mrz.NewName("ERIKSSON", ""), DateOfBirth: date("1974-08-12")},
			func(f placement.Found) bool { return !f.Listed && !f.OtherPaper && len(f.Negatives) == 0 }},
		{"nothing was read", mrz.Document{}, func(f placement.Found) bool { return !f.Listed && !f.OtherPaper }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := l.Find(t.Context(), c.doc)
			if err != nil || !f.ListPresent || f.List.Version != 1 || !c.check(f) {
				t.Errorf("found listed=%v records=%d other=%v, %v", f.Listed, len(f.Records), f.OtherPaper, err)
			}
		})
	}
}

// A stolen disk, without or with the key: nothing that names anybody.
func TestFilesTellNothing(t *testing.T) {
	_, list, db := installed(t, placement.NewKey())
	files, err := filepath.Glob(filepath.Join(list, "placements", "*"))
	if err != nil || len(files) != 256 {
		t.Fatalf("%d shards, %v", len(files), err)
	}
	for _, path := range append(files, filepath.Join(list, "negatives"), db) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range []string{canaryName, canaryNumber, "ZZ7654322", "ZZ9999999", "1991-02-27", "P-1", "HKG"} {
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s holds %s", filepath.Base(path), canary)
			}
		}
	}
	s := source(placement.NewKey(), 1)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{s.Entries[0], s.Entries[0].Record, s.Entries[0].Documents[0], s.Negatives[0]} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, canaryName) || strings.Contains(text, "ZZ") {
				t.Errorf("%s of a %T shows it: %s", verb, v, text)
			}
		}
	}
}

func TestWrongKey(t *testing.T) {
	_, _, db := installed(t, placement.NewKey())
	if _, err := cache.Open(t.Context(), db, placement.NewKey()); err == nil {
		t.Error("a list was opened with another key")
	}
}

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

// An import that goes wrong leaves the old list whole and in use.
func TestInstallRefuses(t *testing.T) {
	key := placement.NewKey()
	for _, c := range []struct {
		name string
		harm func(t *testing.T, dir string)
		want string
	}{
		{"not newer", func(*testing.T, string) {}, "version 1 is installed"},
		{"a file is missing", func(t *testing.T, dir string) {
			edit(t, dir, func(m *placement.Manifest) { m.Version = 2 })
			os.Remove(filepath.Join(dir, "negatives"))
		}, "negatives"},
		{"a byte is changed", func(t *testing.T, dir string) {
			edit(t, dir, func(m *placement.Manifest) { m.Version = 2 })
			flip(t, filepath.Join(dir, "negatives"))
		}, "SHA-256 differs"},
		{"a file is longer than said", func(t *testing.T, dir string) {
			edit(t, dir, func(m *placement.Manifest) { m.Version = 2 })
			f, err := os.OpenFile(filepath.Join(dir, "negatives"), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			f.Write(make([]byte, 1000))
			f.Close()
		}, "longer"},
		{"rows are missing", func(t *testing.T, dir string) {
			edit(t, dir, func(m *placement.Manifest) { m.Version, m.Rows = 2, m.Rows+1 })
		}, "rows"},
		{"a target outside", func(t *testing.T, dir string) {
			edit(t, dir, func(m *placement.Manifest) {
				m.Version = 2
				m.Targets["../x"] = m.Targets["negatives"]
			})
		}, "outside"},
		{"a cost that would stop the counter", func(t *testing.T, dir string) {
			edit(t, dir, func(m *placement.Manifest) { m.Version, m.Cost.MemoryKiB = 2, 1<<30 })
		}, "out of bounds"},
		{"more than the disk holds", func(t *testing.T, dir string) {
			edit(t, dir, func(m *placement.Manifest) {
				m.Version = 2
				m.Targets["agencies"] = placement.Target{Length: 1 << 39}
			})
		}, "MiB of disk"},
		{"no manifest", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, placement.ManifestName)) }, "no such file"},
		{"a manifest that is something else", func(t *testing.T, dir string) {
			os.WriteFile(filepath.Join(dir, placement.ManifestName), []byte("[]"), 0o644)
		}, "cannot read list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, dir, db := installed(t, key)
			c.harm(t, dir)
			if _, err := cache.Install(t.Context(), dir, db); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something with %q", err, c.want)
			}
			l, err := cache.Open(t.Context(), db, key)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			if f, err := l.Find(t.Context(), document(canaryNumber, "1991-02-27", "2033-10-19")); err != nil || len(f.Records) != 1 {
				t.Errorf("the old list does not answer: %v", err)
			}
			if left, _ := filepath.Glob(db + ".new*"); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func edit(t *testing.T, dir string, f func(*placement.Manifest)) {
	t.Helper()
	m, err := placement.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	f(&m)
	b, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, placement.ManifestName), b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func flip(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestSources(t *testing.T) {
	good := `{"placement_id":"P","rev":1,"status":"siap","destination":"HKG","primary":"X","date_of_birth":"1990-01-01","documents":[{"issuing_state":"IDN","document_number":"ZZ1","date_of_expiry":"2030-01-01"}]}`
	if e, err := placement.ReadEntries("p", strings.NewReader(good+"\n\n"+good)); err != nil || len(e) != 2 {
		t.Fatalf("%d entries, %v", len(e), err)
	}
	bad := strings.Join([]string{good, strings.Replace(good, "siap", "ready", 1), strings.Replace(good, `"rev"`, `"revision"`, 1), "{", strings.Replace(good, "1990-01-01", "soon", 1)}, "\n")
	_, err := placement.ReadEntries("p.jsonl", strings.NewReader(bad))
	for _, want := range []string{"p.jsonl:2: status", "p.jsonl:3:", "p.jsonl:4:", "p.jsonl:5:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the faults do not say %q:\n%v", want, err)
		}
	}
	if line, ok := errors.AsType[*placement.LineError](err); !ok || line.Line != 2 {
		t.Errorf("first fault: %v", line)
	}
	for _, text := range []string{
		`{"issuing_state":"IDN","document_number":"ZZ1","kind":"attention","contact":"x"}`,
		`{"issuing_state":"IDN","document_number":"ZZ1","kind":"attention","until":"2030-01-01"}`,
		`{"issuing_state":"IDN","document_number":"ZZ1","kind":"bad","until":"2030-01-01","contact":"x"}`,
		`{"document_number":"ZZ1","kind":"lost","until":"2030-01-01","contact":"x"}`,
	} {
		if _, err := placement.ReadNegatives("n", strings.NewReader(text)); err == nil {
			t.Errorf("accepted %s", text)
		}
	}
}

func FuzzRows(f *testing.F) {
	f.Add([]byte("lintas rows 1\n0123456789abcdef\x01\x00\x02xy"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := placement.NewRowReader(bytes.NewReader(b))
		for err == nil {
			_, err = r.Next()
		}
		if err == io.EOF {
			return
		}
	})
}

func BenchmarkFind(b *testing.B) {
	dir := b.TempDir()
	key := placement.NewKey()
	s := source(key, 1)
	s.Cost = placement.DefaultCost
	if _, err := placement.Build(filepath.Join(dir, "list"), s); err != nil {
		b.Fatal(err)
	}
	db := filepath.Join(dir, "placements.db")
	if _, err := cache.Install(b.Context(), filepath.Join(dir, "list"), db); err != nil {
		b.Fatal(err)
	}
	l, err := cache.Open(b.Context(), db, key)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	doc := document(canaryNumber, "1991-02-27", "2033-10-19")
	for b.Loop() {
		if _, err := l.Find(b.Context(), doc); err != nil {
			b.Fatal(err)
		}
	}
}
