package feed

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"

	"lintas/agent/crossing"
	"lintas/agent/hub"
)

// Recipient is a system that crossings are handed on to: a TOML file, which is
// called as the recipient.
type Recipient struct {
	Name string `toml:"-"`
	// TokenSHA256 is the SHA-256 of its bearer token, in hexadecimal digits.
	TokenSHA256 string `toml:"token_sha256"`
	// Certificate is the common name of its client certificate, or "sha256:"
	// and the fingerprint.
	Certificate string `toml:"certificate"`
	// Its share. What is empty does not restrict it. Destination, agency and
	// province are the placement's: a crossing of which no placement is known
	// is in no share that they restrict.
	Types        []string `toml:"types"`
	Destinations []string `toml:"destinations"`
	Agencies     []string `toml:"agencies"`
	Provinces    []string `toml:"provinces"`
	// Fields are those of the record and of the placement that it sees.
	Fields []string `toml:"fields"`
}

var (
	types = []string{string(crossing.Departure), string(crossing.Return), string(crossing.Voided), string(crossing.Amended)}
	// always are those of a correction that every recipient sees: without them
	// it could not tell what is corrected.
	always = []string{"crossing_id", "crossing_hash", "reason"}
)

// ParseRecipient reads a recipient's file.
func ParseRecipient(name string, text []byte) (r Recipient, err error) {
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("cannot read recipient %s: %w", name, err)
	}
	r.Name = name
	if r.TokenSHA256 == "" && r.Certificate == "" {
		return r, fmt.Errorf("recipient %s has neither token_sha256 nor certificate, and could not be told from anybody", name)
	}
	if sum, err := hex.DecodeString(r.TokenSHA256); err != nil || r.TokenSHA256 != "" && len(sum) != sha256.Size {
		return r, fmt.Errorf("recipient %s: token_sha256 is not 64 hexadecimal digits", name)
	}
	for _, t := range r.Types {
		if !slices.Contains(types, t) {
			return r, fmt.Errorf("recipient %s: types holds something else than %s", name, strings.Join(types, ", "))
		}
	}
	return r, nil
}

// Recipients reads the recipients of a folder, anew when a file changes.
type Recipients struct {
	Dir string

	mu    sync.Mutex
	state string // of the folder, when list was read
	list  []Recipient
}

// All gives the recipients. One file that is wrong is an error, and nobody is
// answered: nobody must get a share that was not meant.
func (r *Recipients) All() ([]Recipient, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	files, err := os.ReadDir(r.Dir)
	if err != nil {
		return nil, err
	}
	var state strings.Builder
	var names []string
	for _, f := range files {
		if filepath.Ext(f.Name()) != ".toml" {
			continue
		}
		info, err := f.Info()
		if err != nil {
			return nil, err
		}
		names = append(names, f.Name())
		fmt.Fprintln(&state, f.Name(), info.Size(), info.ModTime().UnixNano())
	}
	if r.state != "" && r.state == state.String() {
		return r.list, nil
	}
	var list []Recipient
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(r.Dir, name))
		if err != nil {
			return nil, err
		}
		one, err := ParseRecipient(strings.TrimSuffix(name, ".toml"), text)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	r.list, r.state = list, state.String()
	return list, nil
}

// Of tells which recipient a request is from; nil: none.
func (r *Recipients) Of(req *http.Request) (*Recipient, error) {
	list, err := r.All()
	if err != nil {
		return nil, err
	}
	var found *Recipient
	if token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer "); ok {
		sum := sha256.Sum256([]byte(token))
		digits := []byte(hex.EncodeToString(sum[:]))
		for i := range list {
			// All of them, so that the time tells nothing.
			if subtle.ConstantTimeCompare(digits, []byte(strings.ToLower(list[i].TokenSHA256))) == 1 {
				found = &list[i]
			}
		}
		return found, nil
	}
	if req.TLS == nil || len(req.TLS.VerifiedChains) == 0 {
		return nil, nil
	}
	leaf := req.TLS.PeerCertificates[0]
	for i := range list {
		if list[i].certificate(leaf) {
			found = &list[i]
		}
	}
	return found, nil
}

func (r *Recipient) certificate(leaf *x509.Certificate) bool {
	if digits, ok := strings.CutPrefix(r.Certificate, "sha256:"); ok {
		sum := sha256.Sum256(leaf.Raw)
		return strings.EqualFold(digits, hex.EncodeToString(sum[:]))
	}
	return r.Certificate != "" && r.Certificate == leaf.Subject.CommonName
}

// share gives an event as the recipient may see it, if it is in its share.
func (r *Recipient) share(e hub.FeedEvent) (c Crossing, ok bool) {
	p := e.Placement
	if p == nil {
		p = &hub.Placed{}
	}
	for _, by := range []struct {
		only  []string
		value string
	}{{r.Types, string(e.Type)}, {r.Destinations, p.Destination}, {r.Agencies, p.Agency}, {r.Provinces, p.Province}} {
		if len(by.only) > 0 && !slices.Contains(by.only, by.value) {
			return c, false
		}
	}
	c = Crossing{Cursor: e.Cursor, ID: e.ID.String(), Type: string(e.Type), Counter: e.Counter, OccurredAt: e.Occurred, ReceivedAt: e.Received,
		Forgotten: e.Record == nil, Record: map[string]any{}}
	var record map[string]json.RawMessage // numbers stay as they are written
	if e.Record != nil && json.Unmarshal(e.Record, &record) != nil {
		return c, false // the ledger takes in nothing else
	}
	for name, value := range record {
		var changes map[string]any
		if name == "changes" && json.Unmarshal(value, &changes) == nil {
			c.Record[name] = r.seen(changes)
		} else if slices.Contains(r.Fields, name) || slices.Contains(always, name) && e.Type != crossing.Departure && e.Type != crossing.Return {
			c.Record[name] = value
		}
	}
	if e.Placement != nil {
		c.Placement = r.seen(map[string]any{"placement_id": p.ID, "status": p.Status, "agency_id": p.Agency, "destination": p.Destination,
			"province": p.Province, "regency": p.Regency})
	}
	return c, true
}

// seen keeps the fields that the recipient sees. Those of the journey are seen
// with the whole of it.
func (r *Recipient) seen(all map[string]any) map[string]any {
	some := map[string]any{}
	for name, value := range all {
		whole := name
		if slices.Contains([]string{"flight", "from", "to", "vessel"}, name) || strings.HasPrefix(name, "journey.") {
			whole = "journey"
		}
		if slices.Contains(r.Fields, whole) {
			some[name] = value
		}
	}
	return some
}
