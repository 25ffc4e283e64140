package crossing

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"filippo.io/age"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"lintas/queue"
)

// Limits in bytes.
const (
	// MaxSealed is the largest sealed event that a hub accepts.
	MaxSealed = 64 << 10
	// maxBody is the largest event as JSON, not sealed yet: a JWS adds a third,
	// a header, a signature and the position.
	maxBody = 47 << 10
	// maxRecord is the largest record that is opened.
	maxRecord = 48 << 10
)

// Event is the CloudEvents object inside a sealed event.
type Event struct {
	SpecVersion     string `json:"specversion"`
	ID              string `json:"id"`
	Source          string `json:"source"`
	Type            string `json:"type"`
	Time            Time   `json:"time"`
	Epoch           string `json:"epoch"`
	Sequence        string `json:"sequence"`
	PrevHash        string `json:"prevhash"`
	DataContentType string `json:"datacontenttype"`
	Data            string `json:"data_base64"`
}

const sourcePrefix = "/counters/"

// NewEvent encrypts a record. The event has no position yet; a Sealer gives it
// one.
func NewEvent(counter string, id uuid.UUID, t Type, at Time, r Record, to *Encrypter) (Event, error) {
	r.stamp().Schema = "urn:lintas:record:" + string(t) + ":1"
	plain, err := json.Marshal(r)
	if err != nil {
		return Event{}, err
	}
	sealed, err := to.encrypt(plain)
	if err != nil {
		return Event{}, err
	}
	return Event{
		SpecVersion: "1.0", ID: id.String(), Source: sourcePrefix + counter, Type: t.Wire(), Time: at,
		DataContentType: "application/age", Data: base64.StdEncoding.EncodeToString(sealed),
	}, nil
}

// Sealed is an event whose signature has been checked.
type Sealed struct {
	Event
	Counter  string
	UUID     uuid.UUID
	Position queue.Position
	Hash     queue.Hash // of the sealed bytes
	KeyID    string
}

// Open checks a sealed event's signature against keys and reads it; the record
// stays encrypted.
func Open(sealed []byte, keys Keys) (Sealed, error) {
	s := Sealed{Hash: sha256.Sum256(sealed)}
	var err error
	if s.KeyID, err = open(sealed, typEvent, keys, &s.Event); err != nil {
		return s, fmt.Errorf("cannot accept event: %w", err)
	}
	if err := s.read(); err != nil {
		return s, fmt.Errorf("cannot accept event: %w", err)
	}
	return s, nil
}

func (s *Sealed) read() (err error) {
	if s.SpecVersion != "1.0" {
		return errors.New("not a CloudEvents 1.0 object")
	}
	// uuid.Parse takes several spellings of one id; ours is the only one.
	if s.UUID, err = uuid.Parse(s.ID); err != nil || s.UUID.String() != s.ID {
		return errors.New("id is not a UUID")
	}
	s.Counter, s.Position, err = readPlace(s.Source, s.Epoch, s.Sequence, s.PrevHash)
	return err
}

// readPlace reads whose an event is and where it stands.
func readPlace(source, epoch, sequence, prev string) (counter string, at queue.Position, err error) {
	counter, ok := strings.CutPrefix(source, sourcePrefix)
	if !ok || !ValidCounter(counter) {
		return "", at, errors.New("source names no valid counter")
	}
	if at.Epoch, err = queue.ParseEpoch(epoch); err != nil {
		return "", at, err
	}
	if at.Prev, err = queue.ParseHash(prev); err != nil {
		return "", at, err
	}
	at.Sequence, err = strconv.ParseUint(sequence, 10, 63)
	if err != nil || at.Sequence == 0 || strconv.FormatUint(at.Sequence, 10) != sequence {
		return "", at, errors.New("sequence is not a positive number")
	}
	return counter, at, nil
}

// readUnverified reads a sealed event strictly, but for its signature: for our
// own, when the key that signed them may be gone, and for those that have been
// verified before.
func readUnverified(sealed []byte) (Sealed, error) {
	s := Sealed{Hash: sha256.Sum256(sealed)}
	jws, err := parse(sealed, typEvent)
	if err != nil {
		return s, err
	}
	s.KeyID = jws.Signatures[0].Protected.KeyID
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &s.Event); err != nil {
		return s, fmt.Errorf("payload is not the JSON expected: %w", err)
	}
	return s, s.read()
}

// SameMessage tells whether two sealed events carry one and the same message,
// at whatever positions: same id, type, time and ciphertext. Neither is
// verified.
func SameMessage(a, b []byte) bool {
	x, errX := readUnverified(a)
	y, errY := readUnverified(b)
	return errX == nil && errY == nil && x.Source == y.Source && x.ID == y.ID && x.Type == y.Type && x.Time.Equal(y.Time.Time) && x.Data == y.Data
}

// Signer gives the id of the key that a sealed event says it is signed with. It
// is not verified.
func Signer(sealed []byte) (id string, err error) {
	s, err := readUnverified(sealed)
	return s.KeyID, err
}

// Before gives the hash that a sealed event or a tombstone names as that of
// the event before it. It is not verified.
func Before(sealed []byte) (queue.Hash, error) {
	at, err := ClaimedPosition(sealed)
	return at.Prev, err
}

// ClaimedPosition gives the position that a sealed event or a tombstone says it
// has, before anything is checked.
func ClaimedPosition(sealed []byte) (queue.Position, error) {
	if IsTombstone(sealed) {
		t, err := readTombstone(sealed)
		return t.Position, err
	}
	s, err := readUnverified(sealed)
	return s.Position, err
}

// Decrypt gives the record's JSON. Only the hub holds the identities.
func (e Event) Decrypt(identities ...age.Identity) ([]byte, error) {
	if e.DataContentType != "application/age" {
		return nil, fmt.Errorf("cannot open record: content type %q", e.DataContentType)
	}
	sealed, err := base64.StdEncoding.Strict().DecodeString(e.Data)
	if err != nil {
		return nil, errors.New("cannot open record: not base64")
	}
	r, err := age.Decrypt(bytes.NewReader(sealed), identities...)
	if err != nil {
		return nil, fmt.Errorf("cannot open record: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("cannot open record: %w", err)
	}
	if len(plain) > maxRecord {
		return nil, fmt.Errorf("cannot open record: larger than %d bytes", maxRecord)
	}
	return plain, nil
}

// ClaimedCounter gives the counter that an event or a tombstone says it is
// from, before anything is checked; "" if it says nothing that could be one.
func ClaimedCounter(sealed []byte) string {
	if len(sealed) > MaxSealed {
		return ""
	}
	jws, err := jose.ParseSignedCompact(string(sealed), []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return ""
	}
	var e Event
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &e); err != nil {
		return ""
	}
	counter, ok := strings.CutPrefix(e.Source, sourcePrefix)
	if !ok || !ValidCounter(counter) {
		return ""
	}
	return counter
}

// Reread reads a sealed event whose signature was checked when it was accepted;
// the key that signed it may have been withdrawn since.
func Reread(sealed []byte) (Sealed, error) { return readUnverified(sealed) }
