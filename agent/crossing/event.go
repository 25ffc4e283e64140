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

// JWS types (RFC 7515 §4.1.9).
const (
	typEvent = "lintas-event+jws"
	typAck   = "lintas-ack+jws"
)

// Limits of what is accepted from outside, in bytes.
const (
	MaxSealed = 64 << 10
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
func NewEvent(counter string, id uuid.UUID, t Type, at Time, r Record, to []age.Recipient) (Event, error) {
	r.stamp().Schema = "urn:lintas:record:" + string(t) + ":1"
	plain, err := json.Marshal(r)
	if err != nil {
		return Event{}, err
	}
	var sealed bytes.Buffer
	w, err := age.Encrypt(&sealed, to...)
	if err != nil {
		return Event{}, fmt.Errorf("cannot encrypt to the hub: %w", err)
	}
	if _, err := w.Write(plain); err != nil {
		return Event{}, err
	}
	if err := w.Close(); err != nil {
		return Event{}, err
	}
	return Event{
		SpecVersion: "1.0", ID: id.String(), Source: sourcePrefix + counter, Type: t.Wire(), Time: at,
		DataContentType: "application/age", Data: base64.StdEncoding.EncodeToString(sealed.Bytes()),
	}, nil
}

// Sealer signs events at their position. It may be used from many goroutines.
type Sealer struct{ signer jose.Signer }

// NewSealer signs with the counter's key.
func NewSealer(key PrivateKey) (*Sealer, error) {
	signer, err := key.signer(typEvent)
	return &Sealer{signer: signer}, err
}

// Seal is the queue's Seal: the message's body is an Event as JSON.
func (s *Sealer) Seal(at queue.Position, m queue.Message) ([]byte, error) {
	var e Event
	if err := json.Unmarshal(m.Body, &e); err != nil {
		return nil, err
	}
	e.Epoch, e.Sequence, e.PrevHash = at.Epoch.String(), strconv.FormatUint(at.Sequence, 10), at.Prev.String()
	return sign(s.signer, e)
}

// sign gives the compact JWS over v as JSON.
func sign(signer jose.Signer, v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	jws, err := signer.Sign(payload)
	if err != nil {
		return nil, err
	}
	compact, err := jws.CompactSerialize()
	return []byte(compact), err
}

// ErrUnknownKey: a signature was made with a key that is not trusted.
var ErrUnknownKey = errors.New("signed with a key that is not known here")

// open checks the signature and the type of a compact JWS and reads its
// payload.
func open(sealed []byte, typ string, keys Keys, v any) (kid string, err error) {
	if len(sealed) > MaxSealed {
		return "", fmt.Errorf("larger than %d bytes", MaxSealed)
	}
	jws, err := jose.ParseSignedCompact(string(sealed), []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return "", errors.New("not a compact JWS signed with EdDSA")
	}
	h := jws.Signatures[0].Protected
	if got, _ := h.ExtraHeaders[jose.HeaderType].(string); got != typ {
		return h.KeyID, fmt.Errorf("typ is %q and not %q", got, typ)
	}
	key, ok := keys[h.KeyID]
	if !ok {
		return h.KeyID, ErrUnknownKey
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return h.KeyID, errors.New("signature does not fit")
	}
	// The hash is over the bytes: only one spelling of a JWS is the event.
	if canonical, err := jws.CompactSerialize(); err != nil || canonical != string(sealed) {
		return h.KeyID, errors.New("not the canonical form of the JWS")
	}
	if err := json.Unmarshal(payload, v); err != nil {
		return h.KeyID, fmt.Errorf("payload is not the JSON expected: %w", err)
	}
	return h.KeyID, nil
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
	counter, ok := strings.CutPrefix(s.Source, sourcePrefix)
	if s.SpecVersion != "1.0" || !ok {
		return errors.New("not a CloudEvents 1.0 object from a counter")
	}
	if s.Counter = counter; !ValidCounter(counter) {
		return errors.New("source names no valid counter")
	}
	if s.UUID, err = uuid.Parse(s.ID); err != nil {
		return errors.New("id is not a UUID")
	}
	if s.Position.Epoch, err = queue.ParseEpoch(s.Epoch); err != nil {
		return err
	}
	if s.Position.Prev, err = queue.ParseHash(s.PrevHash); err != nil {
		return err
	}
	s.Position.Sequence, err = strconv.ParseUint(s.Sequence, 10, 63)
	if err != nil || s.Position.Sequence == 0 || strconv.FormatUint(s.Position.Sequence, 10) != s.Sequence {
		return errors.New("sequence is not a positive number")
	}
	return nil
}

// Decrypt gives the record's JSON. Only the hub holds the identities.
func (e Event) Decrypt(identities ...age.Identity) ([]byte, error) {
	if e.DataContentType != "application/age" {
		return nil, fmt.Errorf("cannot open record: content type %q", e.DataContentType)
	}
	sealed, err := base64.StdEncoding.DecodeString(e.Data)
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

// ClaimedCounter gives the counter that an event says it is from, before
// anything is checked; "" if it says nothing that could be one.
func ClaimedCounter(sealed []byte) string {
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
