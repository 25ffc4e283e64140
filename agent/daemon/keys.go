package daemon

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/placement"
)

const provisionalKeyFile = "provisional.jwk"

// shiftLength is how long one key recognises documents. Shifts that officers
// open and close will replace it.
const shiftLength = 12 * time.Hour

func (d *daemon) listKey() (placement.Key, error) { return placement.LoadKey(d.cfg.Keys.ListFile) }

// loadKey reads the counter's signing key, or makes one. When the key that
// should be there cannot be used, a provisional one takes its place: recording
// goes on, and headquarters decides what to make of it.
func (d *daemon) loadKey() error {
	created := false
	var err error
	d.key, created, err = crossing.LoadOrCreatePrivateKey(d.cfg.Keys.CounterFile)
	if err != nil {
		d.log.Error("the counter's key cannot be used", "error", err)
		d.board.Set(health.KeyProvisional, "", true, err.Error())
		if d.key, created, err = crossing.LoadOrCreatePrivateKey(filepath.Join(d.cfg.State.Dir, provisionalKeyFile)); err != nil {
			return err
		}
	}
	d.board.Set(health.KeyCreated, "", created, "key "+d.key.ID)
	return d.publishKey()
}

// publishKey writes the public half where a technician finds it for
// headquarters.
func (d *daemon) publishKey() error {
	jwks, err := d.key.Public().MarshalJWKS()
	if err != nil {
		return err
	}
	path := filepath.Join(d.cfg.State.Dir, PublicKeyFile)
	if old, err := os.ReadFile(path); err == nil && string(old) == string(jwks) {
		return nil
	}
	if err := crossing.WriteFile(path, jwks, 0o644); err != nil {
		return fmt.Errorf("cannot write public key: %w", err)
	}
	return nil
}

func parseRecipients(list []string) ([]age.Recipient, error) {
	recipients, err := age.ParseRecipients(strings.NewReader(strings.Join(list, "\n")))
	if err != nil {
		return nil, fmt.Errorf("cannot use hub.recipients: %w", err)
	}
	return recipients, nil
}

// shiftKey gives the key under which documents are recognised again. It
// outlives a restart, but not the shift.
func shiftKey(path string) ([]byte, error) {
	st, err := os.Stat(path)
	if err == nil && time.Since(st.ModTime()) < shiftLength {
		if key, err := os.ReadFile(path); err == nil && len(key) == 32 {
			return key, nil
		}
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot read shift key: %w", err)
	}
	key := make([]byte, 32)
	rand.Read(key)
	if err := crossing.WriteFile(path, key, 0o600); err != nil {
		return nil, fmt.Errorf("cannot write shift key: %w", err)
	}
	return key, nil
}
