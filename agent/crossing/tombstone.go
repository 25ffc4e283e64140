package crossing

import (
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"lintas/queue"
)

// Tombstone stands on the wire for an event that no broker will carry: too
// large for one of them, or something on the way breaks at it. It names the
// original's hash, which the chain goes on from, so that order and chain stay
// whole while the body follows by another way.
type Tombstone struct {
	Source   string `json:"source"`
	Epoch    string `json:"epoch"`
	Sequence string `json:"sequence"`
	PrevHash string `json:"prevhash"`
	Original string `json:"hash"` // SHA-256 of the original's sealed bytes

	// What has been read from the above.
	Counter  string         `json:"-"`
	Position queue.Position `json:"-"`
	Hash     queue.Hash     `json:"-"` // of the original
	KeyID    string         `json:"-"`
}

// IsTombstone tells whether bytes say that they are a tombstone. Nothing is
// checked.
func IsTombstone(sealed []byte) bool {
	if len(sealed) > MaxSealed {
		return false
	}
	jws, err := jose.ParseSignedCompact(string(sealed), []jose.SignatureAlgorithm{jose.EdDSA})
	return err == nil && typOf(jws) == typTombstone
}

// OpenTombstone checks a tombstone's signature against keys and reads it.
func OpenTombstone(sealed []byte, keys Keys) (Tombstone, error) {
	var t Tombstone
	var err error
	if t.KeyID, err = open(sealed, typTombstone, keys, &t); err != nil {
		return t, fmt.Errorf("cannot accept tombstone: %w", err)
	}
	if err := t.read(); err != nil {
		return t, fmt.Errorf("cannot accept tombstone: %w", err)
	}
	return t, nil
}

func (t *Tombstone) read() (err error) {
	if t.Hash, err = queue.ParseHash(t.Original); err != nil {
		return err
	}
	t.Counter, t.Position, err = readPlace(t.Source, t.Epoch, t.Sequence, t.PrevHash)
	return err
}

// readTombstone reads a tombstone whose signature has been checked before.
func readTombstone(sealed []byte) (Tombstone, error) {
	var t Tombstone
	jws, err := parse(sealed, typTombstone)
	if err != nil {
		return t, err
	}
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &t); err != nil {
		return t, err
	}
	return t, t.read()
}
