package crossing

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/agessh"
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

// maxSealedText bounds what OpenWith takes into memory.
const maxSealedText = 16 << 20

// OpenWith decrypts what SealTo made.
func OpenWith(id age.Identity, sealed []byte) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(sealed), id)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, maxSealedText+1))
	if err == nil && len(b) > maxSealedText {
		err = fmt.Errorf("more than %d bytes", maxSealedText)
	}
	return b, err
}
