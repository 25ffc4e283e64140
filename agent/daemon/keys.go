package daemon

import (
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"lintas/agent/config"
	"lintas/agent/crossing"
	"lintas/agent/health"
	"lintas/agent/placement"
	"lintas/agent/placement/cache"
)

const (
	provisionalKeyFile = "provisional.jwk"
	shiftKeyFile       = "shift.key"
)

// shiftLength is how long one key recognises documents. Shifts that officers
// open and close will replace it.
const shiftLength = 12 * time.Hour

// listAccess gives what opens the list.
func (d *daemon) listAccess() cache.Access {
	a := cache.Access{Counter: d.cfg.Counter.ID}
	if keys, err := placement.LoadKeyring(d.cfg.Keys.ListFile); err == nil {
		a.Keys = keys
	}
	if id, err := d.key.Load().Identity(); err == nil {
		a.Identity = id
	}
	return a
}

// loadKey reads the counter's signing key, or makes one. When the key that
// should be there cannot be used, a provisional one takes its place: recording
// goes on, and headquarters decides what to make of it.
func (d *daemon) loadKey() error {
	key, created, err := crossing.LoadOrCreatePrivateKey(d.cfg.Keys.CounterFile)
	if err != nil {
		d.log.Error("the counter's key cannot be used", "error", err)
		d.board.Set(health.KeyProvisional, "", true, err.Error())
		d.provisional = true
		if key, created, err = crossing.LoadOrCreatePrivateKey(filepath.Join(d.cfg.State.Dir, provisionalKeyFile)); err != nil {
			return err
		}
	}
	d.key.Store(&key)
	d.board.Set(health.KeyCreated, "", created, "key "+key.ID)
	return d.publishKey()
}

func parseRecipients(list []string) ([]age.Recipient, error) {
	recipients, err := crossing.ParseRecipients(list...)
	if err != nil {
		return nil, fmt.Errorf("cannot use hub.recipients: %w", err)
	}
	return recipients, nil
}

// shiftKey gives the key under which documents are recognised again, and how
// long it is good for. It is kept where a restart finds it and the end of the
// day does not: in the run folder, which is memory. Where that cannot be
// written, the key lasts for this run.
func (d *daemon) shiftKey() (key []byte, left time.Duration) {
	path := filepath.Join(d.cfg.State.Run, shiftKeyFile)
	if st, err := os.Stat(path); err == nil {
		left := shiftLength - time.Since(st.ModTime())
		if key, err := os.ReadFile(path); err == nil && len(key) == 32 && left > 0 && left <= shiftLength {
			return key, left
		}
	}
	key = make([]byte, 32)
	rand.Read(key)
	if err := crossing.WriteFile(path, key, 0o600); err != nil {
		d.log.Warn("cannot keep the shift's key beyond this run", "error", err)
	}
	return key, shiftLength
}

// VerifyKeys gives the keys with which a counter may have signed its queue.
func VerifyKeys(cfg *config.Config) (crossing.Keys, error) {
	keys := crossing.Keys{}
	own, err := crossing.LoadPrivateKey(cfg.Keys.CounterFile)
	if err == nil {
		maps.Copy(keys, own.Public())
	}
	if provisional, perr := crossing.LoadPrivateKey(filepath.Join(cfg.State.Dir, provisionalKeyFile)); perr == nil {
		maps.Copy(keys, provisional.Public())
	}
	if former, ferr := crossing.LoadKeys(filepath.Join(cfg.State.Dir, formerKeysFile)); ferr == nil {
		maps.Copy(keys, former)
	}
	if len(keys) == 0 {
		return nil, err
	}
	return keys, nil
}
