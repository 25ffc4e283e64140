package crossing

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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

// A signer makes compact JWS of one type with one key. All of them have the
// same protected header, which the library writes once; what is left for each
// is RFC 7515 §5.1 with RFC 8037 §3.1. The queue's writer signs one event after
// the other, and all callers wait for it.
type signer struct {
	header []byte // base64url, with the dot behind it
	key    ed25519.PrivateKey
}

func newSigner(key PrivateKey, typ string) (s signer, err error) {
	lib, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: key.key, KeyID: key.ID}},
		(&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return s, err
	}
	jws, err := lib.Sign([]byte("{}"))
	if err != nil {
		return s, err
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		return s, err
	}
	return signer{[]byte(compact[:strings.IndexByte(compact, '.')+1]), key.key}, nil
}

// sign gives the compact JWS over v as JSON.
func (s signer) sign(v any) ([]byte, error) {
	payload, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.signBytes(payload), nil
}

func (s signer) signBytes(payload []byte) []byte {
	base64url := base64.RawURLEncoding
	jws := make([]byte, 0, len(s.header)+base64url.EncodedLen(len(payload))+1+base64url.EncodedLen(ed25519.SignatureSize))
	jws = append(jws, s.header...)
	jws = base64url.AppendEncode(jws, payload)
	signature := ed25519.Sign(s.key, jws)
	return base64url.AppendEncode(append(jws, '.'), signature)
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
