package crossing

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/ssh"
)

func recipient(key ed25519.PublicKey) (age.Recipient, error) {
	pub, err := ssh.NewPublicKey(key)
	if err != nil {
		return nil, err
	}
	return agessh.NewEd25519Recipient(pub)
}

// Signer gives the key for signatures that are made elsewhere.
func (k PrivateKey) Signer() ed25519.PrivateKey { return k.key }

// Identity opens what was sealed to the key.
func (k PrivateKey) Identity() (age.Identity, error) { return agessh.NewEd25519Identity(k.key) }

// SealTo encrypts a text with age to the holders of these keys. age takes
// Ed25519 keys as SSH uses them, so headquarters can send a counter secrets by
// the key that it trusts already.
func SealTo(text []byte, to Keys) ([]byte, error) {
	var list []age.Recipient
	for _, key := range to {
		r, err := recipient(key)
		if err != nil {
			return nil, fmt.Errorf("cannot encrypt: %w", err)
		}
		list = append(list, r)
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, list...)
	if err != nil {
		return nil, fmt.Errorf("cannot encrypt: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return nil, fmt.Errorf("cannot encrypt: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("cannot encrypt: %w", err)
	}
	return b.Bytes(), nil
}

// HandOver seals private keys to the one that comes after them: what was sealed
// to them can then still be opened.
func HandOver(to PrivateKey, keys ...PrivateKey) ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.key, KeyID: k.ID})
	}
	text, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	return SealTo(text, to.Public())
}

// TakeOver opens what HandOver has sealed to a key.
func TakeOver(key PrivateKey, sealed []byte) (list []PrivateKey, err error) {
	id, err := key.Identity()
	if err != nil {
		return nil, err
	}
	text, err := OpenWith([]age.Identity{id}, sealed)
	if err != nil {
		return nil, err
	}
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, errors.New("not private keys") // the parser's own error could quote them
	}
	for _, jwk := range set.Keys {
		former, ok := jwk.Key.(ed25519.PrivateKey)
		if !ok {
			return nil, errors.New("not private Ed25519 keys")
		}
		k, err := privateKey(former)
		if err != nil {
			return nil, err
		}
		list = append(list, k)
	}
	return list, nil
}

// maxSealedText bounds what OpenWith takes into memory.
const maxSealedText = 16 << 20

// OpenWith decrypts what SealTo made, with any of the identities.
func OpenWith(ids []age.Identity, sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), ids...)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, maxSealedText+1))
	if err == nil && len(b) > maxSealedText {
		err = fmt.Errorf("more than %d bytes", maxSealedText)
	}
	return b, err
}
