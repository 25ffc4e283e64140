package crossing

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// JWS types (RFC 7515 §4.1.9): what is signed as one thing is never taken for
// another.
const (
	typEvent     = "lintas-event+jws"
	typTombstone = "lintas-tombstone+jws"
	typAck       = "lintas-ack+jws"
)

// ErrUnknownKey: a signature was made with a key that is not trusted.
var ErrUnknownKey = errors.New("signed with a key that is not known here")

// A signer makes compact JWS of one type with one key.
type signer struct{ jose.Signer }

func newSigner(key PrivateKey, typ string) (signer, error) {
	s, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key.key, KeyID: key.ID}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	return signer{s}, err
}

// sign gives the compact JWS over v as JSON.
func (s signer) sign(v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.signBytes(payload)
}

func (s signer) signBytes(payload []byte) ([]byte, error) {
	jws, err := s.Sign(payload)
	if err != nil {
		return nil, err
	}
	compact, err := jws.CompactSerialize()
	return []byte(compact), err
}

// parse reads a compact JWS of the given type. The signature is not checked.
func parse(sealed []byte, typ string) (*jose.JSONWebSignature, error) {
	if len(sealed) > MaxSealed {
		return nil, fmt.Errorf("larger than %d bytes", MaxSealed)
	}
	jws, err := jose.ParseSignedCompact(string(sealed), []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil || len(jws.Signatures[0].Signature) != ed25519.SignatureSize {
		return nil, errors.New("not a compact JWS signed with EdDSA")
	}
	if got := typOf(jws); got != typ {
		return nil, fmt.Errorf("typ is %q and not %q", got, typ)
	}
	// The hash is over the bytes: only one spelling of a JWS is the event.
	if canonical, err := jws.CompactSerialize(); err != nil || canonical != string(sealed) {
		return nil, errors.New("not the canonical form of the JWS")
	}
	return jws, nil
}

func typOf(jws *jose.JSONWebSignature) string {
	typ, _ := jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string)
	return typ
}

// open checks the signature and the type of a compact JWS and reads its
// payload.
func open(sealed []byte, typ string, keys Keys, v any) (kid string, err error) {
	jws, err := parse(sealed, typ)
	if err != nil {
		return "", err
	}
	kid = jws.Signatures[0].Protected.KeyID
	key, ok := keys[kid]
	if !ok {
		return kid, ErrUnknownKey
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return kid, errors.New("signature does not fit")
	}
	if err := json.Unmarshal(payload, v); err != nil {
		return kid, fmt.Errorf("payload is not the JSON expected: %w", err)
	}
	return kid, nil
}
