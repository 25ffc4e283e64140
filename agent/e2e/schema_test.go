package e2e_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"lintas/agent/hub"
	"lintas/configs"
	"lintas/queue/sqlite"
)

// alike is how many events of one type of a site are held against the schemas:
// storms make thousands.
const alike = 100

// conformAll holds every event that has reached the hub, and its record, against
// the JSON Schemas. It is done at the end of every test with a site.
func (s *site) conformAll() {
	if _, err := os.Stat(s.path("ledger.db")); errors.Is(err, fs.ErrNotExist) {
		return
	}
	ctx := context.Background()
	db, err := sqlite.Open(ctx, s.path("ledger.db"), sqlite.ReadOnly, hub.Schema)
	if err != nil {
		s.t.Error(err)
		return
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT type, sealed FROM event")
	if err != nil {
		s.t.Error(err)
		return
	}
	defer rows.Close()
	count := map[string]int{}
	for rows.Next() {
		var typ string
		var sealed []byte
		if err := rows.Scan(&typ, &sealed); err != nil {
			s.t.Error(err)
			return
		}
		if count[typ]++; count[typ] > alike {
			continue
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(sealed), ".")[1])
		if err != nil {
			s.t.Error(err)
			continue
		}
		conforms(s.t, "event", payload)
		var e struct {
			Data string `json:"data_base64"`
		}
		if err := json.Unmarshal(payload, &e); err != nil {
			s.t.Error(err)
			continue
		}
		conforms(s.t, "record."+strings.TrimSuffix(strings.TrimPrefix(typ, "lintas."), ".v1"), decrypt(s.t, e.Data, s.path("keys/age.txt")))
	}
	if err := rows.Err(); err != nil {
		s.t.Error(err)
	}
}

var schemas sync.Map // compiled, by name

// conforms holds a JSON text against one of the shipped schemas.
func conforms(t *testing.T, name string, b []byte) {
	t.Helper()
	compiled, err := schema(name)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err == nil {
		err = compiled.Validate(instance)
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func schema(name string) (*jsonschema.Schema, error) {
	if s, ok := schemas.Load(name); ok {
		return s.(*jsonschema.Schema), nil
	}
	text, err := configs.Schemas.ReadFile("schema/" + name + ".json")
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("s.json", doc); err != nil {
		return nil, err
	}
	s, err := c.Compile("s.json")
	if err == nil {
		schemas.Store(name, s)
	}
	return s, err
}
