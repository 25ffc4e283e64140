package crossing

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// PrivateKey is an Ed25519 signing key with its id, the RFC 7638 thumbprint of
// the public half. It does not print.
type PrivateKey struct {
	ID  string
	key ed25519.PrivateKey
}

// String keeps the key out of logs.
func (k PrivateKey) String() string { return "private key " + k.ID }

// GoString keeps the key out of %#v.
func (k PrivateKey) GoString() string { return k.String() }

// Keys are public keys by id.
type Keys map[string]ed25519.PublicKey

// NewPrivateKey makes a key.
func NewPrivateKey() (PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return PrivateKey{}, err
	}
	return privateKey(key)
}

func privateKey(key ed25519.PrivateKey) (PrivateKey, error) {
	id, err := Thumbprint(key.Public().(ed25519.PublicKey))
	return PrivateKey{ID: id, key: key}, err
}

// Thumbprint is the RFC 7638 SHA-256 thumbprint of a public key, unpadded
// base64url.
func Thumbprint(key ed25519.PublicKey) (string, error) {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), err
}

// Public gives the public half as a key set of one.
func (k PrivateKey) Public() Keys { return Keys{k.ID: k.key.Public().(ed25519.PublicKey)} }

// LoadPrivateKey reads a JWK (RFC 8037) from a file.
func LoadPrivateKey(path string) (PrivateKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("cannot read signing key: %w", err)
	}
	var jwk jose.JSONWebKey
	key, ok := ed25519.PrivateKey(nil), false
	if err := jwk.UnmarshalJSON(b); err == nil {
		key, ok = jwk.Key.(ed25519.PrivateKey)
	}
	if !ok {
		// The parser's own error could quote the file.
		return PrivateKey{}, fmt.Errorf("cannot read signing key %s: not a private Ed25519 key as JWK (RFC 8037)", path)
	}
	return privateKey(key)
}

// LoadOrCreatePrivateKey reads the key at path, or makes one there that only
// the owner can read.
func LoadOrCreatePrivateKey(path string) (k PrivateKey, created bool, err error) {
	if k, err = LoadPrivateKey(path); !errors.Is(err, fs.ErrNotExist) {
		return k, false, err
	}
	if k, err = NewPrivateKey(); err != nil {
		return k, false, err
	}
	b, err := json.Marshal(jose.JSONWebKey{Key: k.key, KeyID: k.ID, Algorithm: string(jose.EdDSA), Use: "sig"})
	if err != nil {
		return k, false, err
	}
	return k, true, WriteFile(path, append(b, '\n'), 0o600)
}

// MarshalJWKS writes public keys as a JWK Set (RFC 7517 §5).
func (ks Keys) MarshalJWKS() ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, id := range slices.Sorted(maps.Keys(ks)) {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: ks[id], KeyID: id, Algorithm: string(jose.EdDSA), Use: "sig"})
	}
	b, err := json.MarshalIndent(set, "", "  ")
	return append(b, '\n'), err
}

// ParseKeys reads a JWK Set or a single JWK. The ids are computed, never
// believed.
func ParseKeys(b []byte) (Keys, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(b, &set); err != nil || len(set.Keys) == 0 {
		var one jose.JSONWebKey
		if err := one.UnmarshalJSON(b); err != nil {
			return nil, errors.New("neither a JWK Set nor a JWK")
		}
		set.Keys = []jose.JSONWebKey{one}
	}
	keys := Keys{}
	for _, jwk := range set.Keys {
		key, ok := jwk.Public().Key.(ed25519.PublicKey)
		if !ok {
			return nil, errors.New("holds a key that is not Ed25519")
		}
		id, err := Thumbprint(key)
		if err != nil {
			return nil, err
		}
		keys[id] = key
	}
	return keys, nil
}

// LoadKeys reads public keys from a file.
func LoadKeys(path string) (Keys, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read public keys: %w", err)
	}
	keys, err := ParseKeys(b)
	if err != nil {
		return nil, fmt.Errorf("cannot read public keys %s: %w", path, err)
	}
	return keys, nil
}

// WriteFile writes a file whole or not at all: beside it first, then renamed,
// both durable when it returns.
func WriteFile(path string, content []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // a no-op after the rename
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return Rename(f.Name(), path)
}

// Rename gives a file another name in the same folder, in the place of what had
// it; it is durable when it returns.
func Rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
