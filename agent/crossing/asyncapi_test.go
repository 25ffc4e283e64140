package crossing_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"lintas/agent/crossing"
	"lintas/configs"
)

// rfc8037 is the public key of RFC 8037, appendix A.2, with whose other half
// the examples are signed.
const rfc8037 = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`

// asyncAPI is the shipped document.
type asyncAPI struct {
	t    *testing.T
	root map[string]any
}

func newAsyncAPI(t *testing.T) asyncAPI {
	t.Helper()
	d := asyncAPI{t: t}
	if err := yaml.Unmarshal(configs.AsyncAPI, &d.root); err != nil {
		t.Fatal(err)
	}
	return d
}

// at follows a JSON pointer (RFC 6901) without its leading slash.
func (d asyncAPI) at(pointer string) (any, bool) {
	var v any = d.root
	for key := range strings.SplitSeq(pointer, "/") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]; !ok {
			return nil, false
		}
	}
	return v, true
}

func (d asyncAPI) object(pointer string) map[string]any {
	d.t.Helper()
	v, _ := d.at(pointer)
	m, ok := v.(map[string]any)
	if !ok {
		d.t.Fatalf("there is no object %s", pointer)
	}
	return m
}

// references collects every $ref below a value.
func references(v any, take func(string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, below := range v {
			if s, ok := below.(string); ok && key == "$ref" {
				take(s)
			}
			references(below, take)
		}
	case []any:
		for _, below := range v {
			references(below, take)
		}
	}
}

// schemaName gives which of the shipped schemas a reference means.
func schemaName(ref string) (string, bool) {
	name, ok := strings.CutPrefix(ref, "./schema/")
	name, isJSON := strings.CutSuffix(name, ".json")
	return name, ok && isJSON
}

func TestAsyncAPIReferencesResolve(t *testing.T) {
	d := newAsyncAPI(t)
	if d.root["asyncapi"] != "3.0.0" {
		t.Errorf("asyncapi is %v", d.root["asyncapi"])
	}
	used := map[string]bool{}
	references(d.root, func(ref string) {
		if pointer, local := strings.CutPrefix(ref, "#/"); local {
			if _, ok := d.at(pointer); !ok {
				t.Errorf("%s leads nowhere", ref)
			}
			return
		}
		name, ok := schemaName(ref)
		if !ok {
			t.Errorf("%s is neither of this document nor a schema", ref)
			return
		}
		schema(t, name)
		used[name] = true
	})
	files, err := configs.Schemas.ReadDir("schema")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(f.Name(), ".json"); !used[name] {
			t.Errorf("schema %s does not stand in it", name)
		}
	}
}

func TestAsyncAPIHasTheTopics(t *testing.T) {
	d := newAsyncAPI(t)
	for channel, want := range map[string]string{
		"event": crossing.EventTopic("{counter}"), "ack": crossing.AckTopic("{counter}"), "state": crossing.StateTopic("{counter}"),
		"listIndex": "lintas/v1/list/index", "listMeta": "lintas/v1/list/meta/{file}", "listPart": "lintas/v1/list/part/{sha256}/{n}",
	} {
		c := d.object("channels/" + channel)
		if c["address"] != want {
			t.Errorf("%s is at %v, want %s", channel, c["address"], want)
		}
		// Every variable part is explained.
		parameters, _ := c["parameters"].(map[string]any)
		if n := strings.Count(want, "{"); len(parameters) != n {
			t.Errorf("%s has %d parameters, want %d", channel, len(parameters), n)
		}
	}
	// Who does what, and whether the broker keeps it.
	for name, want := range map[string]string{
		"counterSendsEvent": "send event false", "counterReceivesAck": "receive ack true", "counterSendsState": "send state true",
		"hubReceivesEvent": "receive event false", "hubSendsAck": "send ack true",
	} {
		o := d.object("operations/" + name)
		b := d.object("operations/" + name + "/bindings/mqtt")
		ref := d.object("operations/" + name + "/channel")["$ref"].(string)
		if got := fmt.Sprintf("%v %s %v", o["action"], strings.TrimPrefix(ref, "#/channels/"), b["retain"]); got != want || b["qos"] != 1 {
			t.Errorf("%s is %q with QoS %v, want %q", name, got, b["qos"], want)
		}
	}
}

func TestAsyncAPIHasEveryEventType(t *testing.T) {
	d := newAsyncAPI(t)
	list := d.object("components/messages/event/x-records")
	if len(list) != len(crossing.Types()) {
		t.Errorf("%d types stand in it, there are %d", len(list), len(crossing.Types()))
	}
	for _, typ := range crossing.Types() {
		r, ok := list[string(typ)].(map[string]any)
		if !ok {
			t.Errorf("%s does not stand in it", typ)
			continue
		}
		var refs []string
		references(r["schema"], func(ref string) { refs = append(refs, ref) })
		if len(refs) != 1 || refs[0] != "./schema/record."+string(typ)+".json" {
			t.Errorf("%s: its schema is %v", typ, refs)
		}
		b, err := json.Marshal(r["example"])
		if err != nil {
			t.Fatal(err)
		}
		conforms(t, "record."+string(typ), b)
	}
}

func TestAsyncAPIExamplesAreWhatTheySay(t *testing.T) {
	d := newAsyncAPI(t)
	keys, err := crossing.ParseKeys([]byte(rfc8037))
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range d.object("components/messages") {
		message := m.(map[string]any)
		var refs []string
		references(d.object("components/messages/"+name+"/payload"), func(ref string) {
			if s, ok := schemaName(ref); ok {
				refs = append(refs, s)
			}
		})
		examples, _ := message["examples"].([]any)
		if len(refs) != 1 || len(examples) == 0 {
			t.Errorf("%s has schemas %v and %d examples", name, refs, len(examples))
			continue
		}
		for _, e := range examples {
			value := e.(map[string]any)["payload"]
			jws, signed := value.(string)
			if !signed {
				b, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				conforms(t, refs[0], b)
				continue
			}
			conforms(t, refs[0], payload(t, []byte(jws)))
			header, err := base64.RawURLEncoding.DecodeString(strings.Split(jws, ".")[0])
			if err != nil {
				t.Fatal(err)
			}
			if typ := fields(t, header)["typ"]; typ != message["x-jws-typ"] {
				t.Errorf("%s: typ %v, want %v", name, typ, message["x-jws-typ"])
			}
			switch refs[0] {
			case "event":
				_, err = crossing.Open([]byte(jws), keys)
			case "tombstone":
				_, err = crossing.OpenTombstone([]byte(jws), keys)
			case "ack":
				_, _, err = crossing.OpenAck([]byte(jws), counterID, keys)
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	// They tell one story: the tombstone is the event's, the ack reaches it.
	example := func(name string) []byte {
		return []byte(d.object("components/messages/" + name)["examples"].([]any)[0].(map[string]any)["payload"].(string))
	}
	event, err := crossing.Open(example("event"), keys)
	if err != nil {
		t.Fatal(err)
	}
	stone, err := crossing.OpenTombstone(example("tombstone"), keys)
	if err != nil || stone.Hash != event.Hash || stone.Position != event.Position {
		t.Errorf("%+v, %v", stone, err)
	}
	_, ack, err := crossing.OpenAck(example("ack"), counterID, keys)
	if err != nil || ack.Epochs[0].Head != event.Hash || ack.Epochs[0].Through != event.Position.Sequence || ack.Epochs[0].Hold != 2 {
		t.Errorf("%+v, %v", ack, err)
	}
}
