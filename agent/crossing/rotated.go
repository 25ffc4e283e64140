package crossing

import (
	"encoding/json"
	"errors"

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
