package feed_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"lintas/agent/crossing"
	"lintas/agent/e2e/servers"
	"lintas/agent/hub"
	"lintas/agent/hub/feed"
	"lintas/agent/placement"
	"lintas/configs"
	"lintas/queue"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

// world is a ledger with counters that write to it, and a server.
type world struct {
	t      *testing.T
	dir    string
	ledger *hub.Ledger
	keys   *hub.KeyRing
	url    string
	log    *bytes.Buffer
}

func eachStore(t *testing.T, test func(*testing.T, *world)) {
	t.Run("sqlite", func(t *testing.T) { test(t, newWorld(t, filepath.Join(t.TempDir(), "ledger.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, newWorld(t, servers.Schema(t))) })
}

func newWorld(t *testing.T, db string) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), log: &bytes.Buffer{}}
	if err := hub.InitKeys(w.dir); err != nil {
		t.Fatal(err)
	}
	w.keys = hub.NewKeyRing(w.dir)
	var err error
	if w.ledger, err = hub.OpenLedger(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.ledger.Close() })
	s := &feed.Server{Ledger: w.ledger, Recipients: &feed.Recipients{Dir: filepath.Join(w.dir, "recipients")}, Logger: slog.New(slog.NewTextHandler(&locked{w: w.log}, nil))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/crossings", s.Crossings)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	w.url = server.URL + "/v1/crossings"
	if err := os.Mkdir(filepath.Join(w.dir, "recipients"), 0o700); err != nil {
		t.Fatal(err)
	}
	return w
}

type locked struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// recipient writes a recipient's file; its token is its name in a long form.
func (w *world) recipient(name, text string) {
	w.t.Helper()
	sum := sha256.Sum256([]byte(token(name)))
	text = fmt.Sprintf("token_sha256 = %q\n%s\n", hex.EncodeToString(sum[:]), text)
	if err := os.WriteFile(filepath.Join(w.dir, "recipients", name+".toml"), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func token(name string) string { return name + "-0123456789abcdef0123456789abcdef" }

// counter is one that seals events.
type counter struct {
	w        *world
	id       string
	sealer   *crossing.Sealer
	recorder *crossing.Recorder
	head     queue.Head
	sealed   []byte
}

func (w *world) counter(id string) *counter {
	w.t.Helper()
	path := filepath.Join(w.t.TempDir(), "counter.jwk")
	key, _, err := crossing.LoadOrCreatePrivateKey(path)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.keys.Trust(id, path); err != nil {
		w.t.Fatal(err)
	}
	c := &counter{w: w, id: id}
	if c.sealer, err = crossing.NewSealer(key); err != nil {
		w.t.Fatal(err)
	}
	c.head.Epoch = queue.Epoch(uuid.New())
	text, err := os.ReadFile(filepath.Join(w.dir, hub.FileRecipients))
	if err != nil {
		w.t.Fatal(err)
	}
	to, err := crossing.ParseRecipients(string(text))
	if err != nil {
		w.t.Fatal(err)
	}
	c.recorder = &crossing.Recorder{Counter: id, Encrypter: crossing.NewEncrypter(to...), Queue: c, Stamp: func() crossing.Stamp {
		return crossing.Stamp{OccurredAt: crossing.TimeOf(time.Now()), BootID: "b", ClockState: "ntp"}
	}}
	return c
}

func (c *counter) Put(_ context.Context, m queue.Message, _ []byte) (queue.Receipt, error) {
	b, err := c.sealer.Seal(queue.Position{Epoch: c.head.Epoch, Sequence: c.head.Sequence + 1, Prev: c.head.Hash}, m)
	c.sealed, c.head.Sequence, c.head.Hash = b, c.head.Sequence+1, sha256.Sum256(b)
	return queue.Receipt{}, err
}

// put has one record taken in.
func (c *counter) put(t crossing.Type, rec crossing.Record) (id uuid.UUID, err error) {
	id = crossing.NewID()
	if _, err = c.recorder.Record(context.Background(), id, t, rec, nil); err == nil {
		_, err = c.w.ledger.Ingest(context.Background(), c.w.keys, []hub.Delivery{{Counter: c.id, Sealed: c.sealed}})
	}
	return id, err
}

func departure(number string) *crossing.Crossed {
	c := &crossing.Crossed{Direction: "departure", EntryMode: "scan", Document: crossing.Document{DocumentCode: "P", IssuingState: "IDN", Nationality: "IDN",
		Primary: "CANARYNAME", DocumentNumber: number, DateOfBirth: "1994-03-07", DateOfExpiry: "2031-11-23"}}
	c.Journey = &crossing.Journey{Flight: "CX798", To: "HKG"}
	return c
}

func (c *counter) depart(number string) uuid.UUID {
	c.w.t.Helper()
	id, err := c.put(crossing.Departure, departure(number))
	if err != nil {
		c.w.t.Fatal(err)
	}
	return id
}

func (w *world) open() {
	w.t.Helper()
	ids, err := w.keys.Identities()
	if err == nil {
		_, err = w.ledger.OpenAll(w.t.Context(), ids)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) request(name, query string, header ...string) *http.Request {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", w.url+query, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if name != "" {
		r.Header.Set("Authorization", "Bearer "+token(name))
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// get asks once, and holds the answer against the OpenAPI file.
func (w *world) get(name, query string, code int) (a feed.Answer) {
	w.t.Helper()
	resp, err := http.DefaultClient.Do(w.request(name, query))
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		w.t.Fatal(err)
	}
	if resp.StatusCode != code {
		w.t.Fatalf("GET %s: %s, want %d: %s", query, resp.Status, code, body.Bytes())
	}
	described(w.t, "/v1/crossings", code, "application/json", body.Bytes())
	if code == 200 {
		if err := json.Unmarshal(body.Bytes(), &a); err != nil {
			w.t.Fatal(err)
		}
	}
	return a
}

// described holds an answer against what configs/openapi.yaml says of it.
func described(t *testing.T, path string, code int, kind string, body []byte) {
	t.Helper()
	var doc any
	if err := yaml.Unmarshal([]byte(configs.OpenAPI), &doc); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(configs.OpenAPI, fmt.Sprintf("\"%d\":", code)) {
		t.Fatalf("openapi.yaml does not name status %d", code)
	}
	if doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("file:///openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	escape := strings.NewReplacer("~", "~0", "/", "~1").Replace
	at := fmt.Sprintf("#/paths/%s/get/responses/%d", escape(path), code)
	if code >= 400 {
		at = "#/components/responses/Error"
	}
	schema, err := compiler.Compile(fmt.Sprintf("file:///openapi.json%s/content/%s/schema", at, escape(kind)))
	if err != nil {
		t.Fatalf("openapi.yaml does not describe status %d as %s: %v", code, kind, err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("the answer is not as openapi.yaml describes it: %v\n%s", err, body)
	}
}

func TestShareAndFields(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		c := w.counter("CGK-T3-D07")
		entry := func(id, province, number string) placement.Entry {
			e := placement.Entry{Record: placement.Record{PlacementID: id, Rev: 1, Status: placement.Ready, Destination: "HKG", AgencyID: "P3MI-1", Primary: id}, Home: placement.Home{Province: province},
				Documents: []placement.DocumentRef{{IssuingState: "IDN", DocumentNumber: number}}}
			if err := e.DateOfBirth.UnmarshalText([]byte("1990-01-01")); err != nil {
				t.Fatal(err)
			}
			return e
		}
		_, err := w.ledger.LoadPlacements(t.Context(), func(each func(placement.Entry) error) error {
			if err := each(entry("P-1", "NTT", "ZZ0000101")); err != nil {
				return err
			}
			return each(entry("P-2", "JATIM", "ZZ0000102"))
		}, false)
		if err != nil {
			t.Fatal(err)
		}
		w.recipient("all", `fields = ["document_number", "journey", "province", "list_version"]`)
		w.recipient("ntt", "provinces = [\"NTT\"]\nfields = [\"primary\"]")
		w.recipient("voids", `types = ["crossing.voided"]`)
		first := c.depart("ZZ0000101")
		c.depart("ZZ0000102")
		c.depart("ZZ0000103")
		hash := c.head.Hash.String()
		if _, err := c.put(crossing.Amended, &crossing.Corrected{CrossingID: first.String(), CrossingHash: hash, Reason: "wrong-document",
			Changes: map[string]string{"primary": "SECRET", "flight": "GA1", "document_number": "ZZ0000109"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.put(crossing.Voided, &crossing.Corrected{CrossingID: first.String(), CrossingHash: hash, Reason: "test"}); err != nil {
			t.Fatal(err)
		}
		w.open()
		show := func(a feed.Answer) string {
			var list []string
			for _, x := range a.Crossings {
				text, err := json.Marshal([]any{x.Type, x.Record, x.Placement})
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, string(text))
			}
			return strings.Join(list, "\n")
		}
		journey := `"journey":{"flight":"CX798","from":"","to":"HKG"},"list_version":0`
		correction := fmt.Sprintf(`"crossing_hash":%q,"crossing_id":%q,"reason":`, hash, first)
		if got, want := show(w.get("all", "", 200)), strings.Join([]string{
			`["crossing.departure",{"document_number":"ZZ0000101",` + journey + `},{"province":"NTT"}]`,
			`["crossing.departure",{"document_number":"ZZ0000102",` + journey + `},{"province":"JATIM"}]`,
			`["crossing.departure",{"document_number":"ZZ0000103",` + journey + `},null]`,
			`["crossing.amended",{"changes":{"document_number":"ZZ0000109","flight":"GA1"},` + correction + `"wrong-document"},{"province":"NTT"}]`,
			`["crossing.voided",{` + correction + `"test"},{"province":"NTT"}]`}, "\n"); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if got := show(w.get("ntt", "", 200)); strings.Count(got, "\n") != 2 || strings.Contains(got, "JATIM") || strings.Contains(got, "ZZ0000101") || !strings.Contains(got, `"primary":"CANARYNAME"`) || !strings.Contains(got, "SECRET") {
			t.Error(got)
		}
		if got := show(w.get("voids", "", 200)); !strings.HasPrefix(got, `["crossing.voided"`) || strings.Contains(got, "\n") {
			t.Error(got)
		}
		// What was forgotten says so, and nothing else.
		if _, err := w.ledger.Forget(t.Context(), hub.Forget{Events: []uuid.UUID{first}}, hub.Access{Officer: "o", Purpose: "p"}); err != nil {
			t.Fatal(err)
		}
		if a := w.get("all", "", 200); !a.Crossings[0].Forgotten || len(a.Crossings[0].Record) != 0 || a.Crossings[1].Forgotten {
			t.Errorf("%+v", a.Crossings[0])
		}
	})
}

func TestRequests(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		c := w.counter("CGK-T3-D07")
		w.recipient("one", "")
		if a := w.get("one", "", 200); a.Next != "0" || a.More || len(a.Crossings) != 0 {
			t.Errorf("%+v", a)
		}
		for range 5 {
			c.depart("ZZ0000101")
		}
		w.open()
		w.get("", "", 401)
		w.get("other", "", 401)
		w.get("one", "?limit=0", 400)
		w.get("one", "?limit=1001", 400)
		w.get("one", "?wait=61", 400)
		w.get("one", "?wait=soon", 400)
		w.get("one", "?after=yesterday", 400)
		w.get("one", "?after=-1-x", 400)
		w.get("one", "?after=3-AAAAAAAA", 410)
		w.get("one", "?after=99-AAAAAAAA", 410)
		seen := map[string]bool{}
		after, pages := "0", 0
		for {
			a := w.get("one", "?limit=2&after="+after, 200)
			for _, x := range a.Crossings {
				seen[x.ID] = true
			}
			pages++
			if after = a.Next; !a.More {
				break
			}
		}
		if len(seen) != 5 || pages != 3 {
			t.Errorf("%d crossings on %d pages", len(seen), pages)
		}
		// A recipient's file that is wrong closes the door to all.
		w.recipient("two", `provinces = "NTT"`)
		w.get("one", "", 503)
		if err := os.Remove(filepath.Join(w.dir, "recipients", "two.toml")); err != nil {
			t.Fatal(err)
		}
		w.get("one", "", 200)
		if strings.Contains(w.log.String(), "CANARYNAME") || strings.Contains(w.log.String(), "ZZ0000101") {
			t.Error("the log names a traveller")
		}
	})
}

func TestLongPoll(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		c := w.counter("CGK-T3-D07")
		w.recipient("one", "")
		c.depart("ZZ0000101")
		w.open()
		first := w.get("one", "", 200)
		asked := make(chan struct{})
		got := make(chan feed.Answer)
		go func() {
			close(asked)
			got <- w.get("one", "?wait=30&after="+first.Next, 200)
		}()
		<-asked
		id := c.depart("ZZ0000102")
		w.open()
		if a := <-got; len(a.Crossings) != 1 || a.Crossings[0].ID != id.String() {
			t.Errorf("%+v", a)
		}
		last := w.get("one", "?wait=0.01&after="+w.get("one", "?limit=1000", 200).Next, 200)
		if len(last.Crossings) != 0 || !strings.HasPrefix(last.Next, "2-") {
			t.Errorf("%+v", last)
		}
	})
}

// events reads a stream until stop says so, and gives the last id.
func (w *world) events(name, last string, each func(feed.Crossing) bool) string {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	r := w.request(name, "", "Accept", "text/event-stream", "Last-Event-ID", last).WithContext(ctx)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Error(err)
		return last
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || kind != "text/event-stream" {
		w.t.Errorf("%s, %s", resp.Status, kind)
		return last
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
			last = id
		}
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var c feed.Crossing
			if err := json.Unmarshal([]byte(data), &c); err != nil {
				w.t.Error(err)
				return last
			}
			described(w.t, "/v1/crossings", 200, "text/event-stream", []byte(data))
			if !each(c) {
				return last
			}
		}
	}
	return last
}

// A consumer that is cut off again and again, while several counters write
// through several hubs, gets everything: in one order, whether it polls or
// listens.
func TestConsumerThatIsCutOff(t *testing.T) {
	eachStore(t, func(t *testing.T, w *world) {
		w.recipient("stream", "")
		w.recipient("poll", "")
		const counters, each = 4, 15
		var mu sync.Mutex
		sent := map[string]bool{}
		var writers sync.WaitGroup
		for n := range counters {
			c := w.counter(fmt.Sprintf("CGK-T3-D%02d", n))
			writers.Go(func() {
				for range each {
					id, err := c.put(crossing.Departure, departure(fmt.Sprintf("Z%02d", n)))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					sent[id.String()] = true
					mu.Unlock()
				}
			})
		}
		ctx, stop := context.WithCancel(t.Context())
		var openers sync.WaitGroup
		for range 3 { // hubs on one ledger
			o := &hub.Opener{Ledger: w.ledger, Keys: w.keys, Logger: slog.New(slog.DiscardHandler)}
			openers.Go(func() { o.Run(ctx) })
		}
		defer openers.Wait()
		defer stop()
		var polled, streamed []string
		var consumers sync.WaitGroup
		consumers.Go(func() {
			for after := "0"; len(polled) < counters*each && t.Context().Err() == nil; {
				a := w.get("poll", "?wait=5&limit=7&after="+after, 200)
				for _, c := range a.Crossings {
					polled = append(polled, c.ID)
				}
				after = a.Next
			}
		})
		consumers.Go(func() {
			for last := ""; len(streamed) < counters*each && t.Context().Err() == nil && !t.Failed(); {
				n := 0
				last = w.events("stream", last, func(c feed.Crossing) bool {
					streamed = append(streamed, c.ID)
					n++
					return n < 9 && len(streamed) < counters*each // and then it is killed
				})
			}
		})
		writers.Wait()
		consumers.Wait()
		if strings.Join(polled, " ") != strings.Join(streamed, " ") {
			t.Errorf("in another order:\n%v\n%v", polled, streamed)
		}
		for _, id := range polled {
			if !sent[id] {
				t.Errorf("%s came twice, or was not sent", id)
			}
			delete(sent, id)
		}
		if len(sent) > 0 {
			t.Errorf("%d never came", len(sent))
		}
	})
}

func TestRecipientFiles(t *testing.T) {
	for name, text := range map[string]string{
		"nobody":        `fields = ["primary"]`,
		"a short hash":  `token_sha256 = "abcd"`,
		"a bad type":    "certificate = \"bp2mi\"\ntypes = [\"crossing\"]",
		"unknown field": "certificate = \"bp2mi\"\nprovince = [\"NTT\"]",
		"not TOML":      `certificate`,
	} {
		if _, err := feed.ParseRecipient(name, []byte(text)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}
