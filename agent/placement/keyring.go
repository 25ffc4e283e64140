package placement

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/go-jose/go-jose/v4"
)

// Keyring holds the list keys that a counter may use: those of the period that
// runs, of the one before and of the one to come. It does not print.
type Keyring []Key

// For finds a key by its id.
func (ks Keyring) For(id string) (Key, bool) {
	for _, k := range ks {
		if k.ID == id {
			return k, true
		}
	}
	return Key{}, false
}

// MarshalJWKS writes the keys as a JWK Set (RFC 7517 section 5).
func (ks Keyring) MarshalJWKS() ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range ks {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.secret[:], KeyID: k.ID})
	}
	return json.Marshal(set)
}

var errNotListKeys = errors.New("not 32-byte symmetric keys as JWK or JWK Set")

// ParseKeyring reads a JWK or a JWK Set. Ids are computed, never believed.
func ParseKeyring(b []byte) (ks Keyring, err error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(b, &set); err != nil || len(set.Keys) == 0 {
		var one jose.JSONWebKey
		if err := one.UnmarshalJSON(b); err != nil {
			return nil, errNotListKeys // the parser's own error could quote the key
		}
		set.Keys = []jose.JSONWebKey{one}
	}
	for _, jwk := range set.Keys {
		secret, ok := jwk.Key.([]byte)
		if !ok || len(secret) != keySize {
			return nil, errNotListKeys
		}
		var k Key
		copy(k.secret[:], secret)
		k.ID = k.id()
		ks = append(ks, k)
	}
	return ks, nil
}

// LoadKeyring reads the list keys in a file.
func LoadKeyring(path string) (Keyring, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read list key: %w", err)
	}
	ks, err := ParseKeyring(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read list key %s: %w", path, err)
	}
	return ks, nil
}

// LoadKey reads the list key in a file that holds one.
func LoadKey(path string) (Key, error) {
	ks, err := LoadKeyring(path)
	if err != nil {
		return Key{}, err
	}
	if len(ks) != 1 {
		return Key{}, fmt.Errorf("cannot read list key %s: it holds %d keys and not one", path, len(ks))
	}
	return ks[0], nil
}
