package crossing

import (
	"encoding/json"
	"errors"

	"filippo.io/age"
	"github.com/go-jose/go-jose/v4"
)

// Rotated says that the counter signs with another key from the next event on.
// The old key signs this event if it is still there: then the hub trusts the
// new one without anybody's help. Otherwise the new key signs it, and
// headquarters decides.
type Rotated struct {
	Stamp
	Place
	PreviousKeyID string          `json:"previous_key_id"` // or "unknown"
	KeyID         string          `json:"key_id"`
	Key           json.RawMessage `json:"key"` // the public half, a JWK (RFC 8037)
}

// RotatedTo makes the record of a change from the key with the id previous, ""
// if that is not known, to next.
func RotatedTo(place Place, previous string, next PrivateKey) (*Rotated, error) {
	if previous == "" {
		previous = unknown
	}
	jwk, err := json.Marshal(jose.JSONWebKey{Key: next.Public()[next.ID], KeyID: next.ID, Algorithm: string(jose.EdDSA), Use: "sig"})
	return &Rotated{Place: place, PreviousKeyID: previous, KeyID: next.ID, Key: jwk}, err
}

// OwnKey gives the key of an event that says which key it is signed with: a
// counter's provisional key introduces itself so. That the signature fits says
// that it has the key, and not who it is.
func OwnKey(sealed []byte, identities ...age.Identity) (id string, keys Keys, err error) {
	s, err := readUnverified(sealed)
	if err != nil {
		return "", nil, err
	}
	if s.Type != KeyRotated.Wire() {
		return "", nil, errors.New("it names no key")
	}
	plain, err := s.Decrypt(identities...)
	if err != nil {
		return "", nil, err
	}
	var r Rotated
	if err := json.Unmarshal(plain, &r); err != nil {
		return "", nil, errors.New("it is not the record expected") // the parser's own error could quote it
	}
	if keys, err = r.NewKey(); err != nil {
		return "", nil, err
	}
	s, err = Open(sealed, keys)
	return s.KeyID, keys, err
}

// NewKey gives the key that the record names. Its id must be its thumbprint.
func (r *Rotated) NewKey() (Keys, error) {
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(r.Key); err != nil || !jwk.IsPublic() {
		return nil, errors.New("the record holds no public key")
	}
	keys, err := ParseKeys(r.Key)
	if err != nil {
		return nil, err
	}
	if keys[r.KeyID] == nil {
		return nil, errors.New("the record's key_id is not the key's thumbprint")
	}
	return keys, nil
}
