package placement

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"lintas/mrz"
)

// Cost of the slow hash (RFC 9106).
type Cost struct {
	Time      uint32 `json:"time"`
	MemoryKiB uint32 `json:"memory_kib"`
}

// DefaultCost takes about 8 ms on a counter.
var DefaultCost = Cost{Time: 1, MemoryKiB: 8 << 10}

// CheapCost protects nothing. Lists made with it say so.
var CheapCost = Cost{Time: 1, MemoryKiB: 8}

// Bounds on what a list's header may ask of a counter.
const (
	maxCostTime      = 16
	maxCostMemoryKiB = 64 << 10
	saltSize         = 16
	keySize          = 32
)

// Cheap tells that the cost is below the one that protects.
func (c Cost) Cheap() bool { return c.Time*c.MemoryKiB < DefaultCost.Time*DefaultCost.MemoryKiB/4 }

func (c Cost) check() error {
	if c.Time < 1 || c.Time > maxCostTime || c.MemoryKiB < 8 || c.MemoryKiB > maxCostMemoryKiB {
		return fmt.Errorf("cost of the slow hash is out of bounds (time %d, memory %d KiB)", c.Time, c.MemoryKiB)
	}
	return nil
}

// Key is the list key of one period. It does not print.
type Key struct {
	ID     string
	secret [keySize]byte
}

// String keeps the key out of logs.
func (k Key) String() string { return "list key " + k.ID }

// GoString keeps the key out of %#v.
func (k Key) GoString() string { return k.String() }

// NewKey makes a list key.
func NewKey() Key {
	var k Key
	rand.Read(k.secret[:])
	k.ID = k.id()
	return k
}

// id names the key without telling anything of it.
func (k Key) id() string {
	sum := hmac.New(sha256.New, k.secret[:])
	sum.Write([]byte("lintas list key id"))
	return fmt.Sprintf("%x", sum.Sum(nil)[:8])
}

// MarshalJWK writes the key as a symmetric JWK (RFC 7518 §6.4).
func (k Key) MarshalJWK() ([]byte, error) {
	b, err := json.Marshal(jose.JSONWebKey{Key: k.secret[:], KeyID: k.ID})
	return append(b, '\n'), err
}

// Tag is what a row is found by.
type Tag [16]byte

// Lock computes tags and opens and seals bodies for one list.
type Lock struct {
	key  Key
	salt []byte
	cost Cost
}

// NewLock is for a list whose header names this salt and cost.
func NewLock(key Key, salt []byte, cost Cost) (*Lock, error) {
	if len(salt) != saltSize {
		return nil, fmt.Errorf("salt is %d bytes and not %d", len(salt), saltSize)
	}
	return &Lock{key, salt, cost}, cost.check()
}

// NewSalt makes the salt of a list key's period.
func NewSalt() []byte {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	return salt
}

// Digest names content without telling it to whoever lacks the list key: 16
// bytes of an HMAC-SHA-256. The build keeps digests to see what has changed.
func (k Key) Digest(domain string, content []byte) (sum [16]byte) {
	mac := hmac.New(sha256.New, k.secret[:])
	mac.Write([]byte(domain + separator))
	mac.Write(content)
	return [16]byte(mac.Sum(nil))
}

// Entry locks an entry: the stub of its person, and a row for each document.
func (l *Lock) Entry(e Entry) ([]Row, error) {
	rows := []Row{{Tag: l.person(e.Primary, e.Secondary, e.DateOfBirth), Kind: KindStub}}
	for _, d := range e.Documents {
		tag, _, err := l.document(d.IssuingState, d.DocumentNumber)
		if err != nil {
			return nil, err
		}
		body, err := seal(l.body(d.IssuingState, d.DocumentNumber, e.DateOfBirth, d.DateOfExpiry), KindRecord, tag, e.Record)
		if err != nil {
			return nil, err
		}
		rows = append(rows, Row{tag, KindRecord, body})
	}
	return rows, nil
}

// Negative locks a negative entry.
func (l *Lock) Negative(n Negative) (Row, error) {
	tag, key, err := l.document(n.IssuingState, n.DocumentNumber)
	if err != nil {
		return Row{}, err
	}
	body, err := seal(key, KindNegative, tag, n)
	return Row{tag, KindNegative, body}, err
}

const separator = "\x1f"

func (l *Lock) slow(fields ...string) []byte {
	mac := hmac.New(sha256.New, l.key.secret[:])
	mac.Write([]byte(strings.Join(fields, separator)))
	return argon2.IDKey(mac.Sum(nil), l.salt, l.cost.Time, l.cost.MemoryKiB, 1, 32)
}

// document gives the tag of a document and the key of its negative entries.
func (l *Lock) document(issuer, number string) (tag Tag, negative []byte, err error) {
	h := l.slow("doc", issuer, number)
	negative, err = hkdf.Key(sha256.New, h, nil, "lintas negative", chacha20poly1305.KeySize)
	return Tag(h[:16]), negative, err
}

func (l *Lock) body(issuer, number string, birth, expiry mrz.Date) []byte {
	return l.slow("body", issuer, number, birth.String(), expiry.String())
}

// person gives the tag of somebody's stub.
func (l *Lock) person(primary, secondary string, birth mrz.Date) Tag {
	return Tag(l.slow("person", mrz.NameKey(primary, secondary), birth.String())[:16])
}

// seal encrypts v as JSON, bound to the row's kind and tag.
func seal(key []byte, kind Kind, tag Tag, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	rand.Read(nonce)
	return aead.Seal(nonce, nonce, plain, append(tag[:], byte(kind))), nil
}

// errLocked: the body does not open with this key.
var errLocked = errors.New("row does not open")

func unseal(key []byte, kind Kind, tag Tag, body []byte, v any) error {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return err
	}
	if len(body) < aead.NonceSize() {
		return errLocked
	}
	nonce, sealed := body[:aead.NonceSize()], body[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, sealed, append(tag[:], byte(kind)))
	if err != nil {
		return errLocked
	}
	return json.Unmarshal(plain, v)
}
