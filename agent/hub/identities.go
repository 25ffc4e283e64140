package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"lintas/agent/crossing"
)

// InitPostQuantum makes an identity that withstands a quantum computer, for
// InitKeys to use, unless there is an identity already: all recipients are of
// one kind.
func InitPostQuantum(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make keys: %w", err)
	}
	path := filepath.Join(dir, FileIdentity)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		return fmt.Errorf("cannot make keys: %w", err)
	}
	return writeIdentity(path, id.Recipient(), id)
}

func initIdentity(dir string) error {
	path := filepath.Join(dir, FileIdentity)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return err
		}
		if err := writeIdentity(path, id.Recipient(), id); err != nil {
			return err
		}
	}
	path = filepath.Join(dir, FileRecipients)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	ids, err := Identities(dir)
	if err != nil {
		return err
	}
	var recipients []string
	for _, id := range ids {
		switch id := id.(type) {
		case *age.X25519Identity:
			recipients = append(recipients, id.Recipient().String())
		case *age.HybridIdentity:
			recipients = append(recipients, id.Recipient().String())
		}
	}
	if _, err := crossing.ParseRecipients(recipients...); err != nil {
		return fmt.Errorf("cannot tell the counters whom to encrypt to: %w", err)
	}
	return crossing.WriteFile(path, []byte(strings.Join(recipients, "\n")+"\n"), 0o644)
}

// writeIdentity writes it as age-keygen does.
func writeIdentity(path string, recipient, identity fmt.Stringer) error {
	text := fmt.Sprintf("# created: %s\n# public key: %s\n%s\n", time.Now().Format(time.RFC3339), recipient, identity)
	return crossing.WriteFile(path, []byte(text), 0o600)
}

// Identities reads the identities that open records. Several open what was
// encrypted to any of them: an old one stays as long as records need it.
func Identities(dir string) ([]age.Identity, error) {
	f, err := os.Open(filepath.Join(dir, FileIdentity))
	if err != nil {
		return nil, fmt.Errorf("cannot read identities: %w", err)
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		// The parser's own error could quote the file.
		return nil, fmt.Errorf("cannot read identities %s: not an age identity file", f.Name())
	}
	return ids, nil
}
