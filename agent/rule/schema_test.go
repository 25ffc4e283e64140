package rule_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"lintas/agent/rule"
	"lintas/configs"
)

// The shipped schema takes what Parse takes, and refuses the same slips.
func TestSchema(t *testing.T) {
	b, err := configs.Schemas.ReadFile("schema/rules.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("rules.json", doc); err != nil {
		t.Fatal(err)
	}
	schema := c.MustCompile("rules.json")
	valid := func(b []byte) bool {
		t.Helper()
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(v) == nil
	}
	full := order().with("end", "2027-01-01").with("spares_contracts_before", "2025-03-18").with("job_classes", []any{"9111"})
	for name, rules := range map[string][]object{"one": {groupRule().with("outcomes", object{"positive": 1, "negative": 2})}, "none": {}, "shadow": {groupRule().with("mode", "shadow").with("directions", []any{"departure", "return"}).with("when", "minor")}} {
		b := pack(t, rules, full)
		if _, err := rule.Parse(b); err != nil || !valid(b) {
			t.Errorf("%s: schema %v, %v", name, valid(b), err)
		}
	}
	for name, lot := range map[string]object{"good": lotRule(), "too often": lotRule().with("one_in", 19), "with a floor": lotRule().with("precision_floor", 0.1), "those who come home": lotRule().with("directions", []any{"return"})} {
		b := pack(t, []object{lot})
		if _, err := rule.Parse(b); err == nil != (name == "good") || valid(b) != (name == "good") {
			t.Errorf("a lot, %s: schema %v, %v", name, valid(b), err)
		}
	}
	var fields []string
	for f := range groupRule() {
		fields = append(fields, f)
	}
	for _, f := range fields {
		for what, value := range map[string]any{"missing": nil, "another kind": []any{1.5}, "empty": ""} {
			b := pack(t, []object{groupRule().with(f, value)})
			if _, err := rule.Parse(b); err == nil {
				t.Errorf("%s %s was taken", f, what)
			}
			if (f == "start" || f == "end" || f == "when") && what == "empty" {
				continue // what a schema says less well
			}
			if valid(b) {
				t.Errorf("the schema takes %s %s", f, what)
			}
		}
	}
	for f := range order() {
		b := pack(t, nil, order().with(f, []any{1.5}))
		if _, err := rule.Parse(b); err == nil || valid(b) {
			t.Errorf("%s: %v", f, err)
		}
	}
	for _, b := range []string{`{"format":"lintas-rules/1","version":1,"time":"2026-11-20T00:00:00Z","rules":[],"more":1}`, `{"format":"lintas-rules/2","version":1,"time":"2026-11-20T00:00:00Z","rules":[]}`} {
		if !json.Valid([]byte(b)) || valid([]byte(b)) {
			t.Errorf("the schema takes %s", b)
		}
	}
}
