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
	return listAccess(d.cfg, *d.key.Load())
}

// ListAccess gives what opens the list of a counter, as far as the caller may
// read it.
func ListAccess(cfg *config.Config) cache.Access {
	key, err := crossing.LoadPrivateKey(cfg.Keys.CounterFile)
	if err != nil {
		return keyless(cfg)
	}
	return listAccess(cfg, key)
}

func keyless(cfg *config.Config) cache.Access {
	a := cache.Access{Counter: cfg.Counter.ID}
	if keys, err := placement.LoadKeyring(cfg.Keys.ListFile); err == nil {
		a.Keys = keys
	}
	return a
}

func listAccess(cfg *config.Config, key crossing.PrivateKey) cache.Access {
	a := keyless(cfg)
	for _, k := range append([]crossing.PrivateKey{key}, formerPrivateKeys(cfg, key)...) {
		if id, err := k.Identity(); err == nil {
			a.Identities = append(a.Identities, id)
		}
	}
	return a
}

// formerPrivateKeys are those that the counter signed with before. The list
// that is installed, and perhaps the next one, is sealed to them.
func formerPrivateKeys(cfg *config.Config, key crossing.PrivateKey) []crossing.PrivateKey {
	sealed, err := os.ReadFile(formerSealed(cfg))
	if err != nil {
		return nil
	}
	keys, err := crossing.TakeOver(key, sealed)
	if err != nil {
		return nil
	}
	return keys
}

func formerSealed(cfg *config.Config) string { return filepath.Join(cfg.State.Dir, "former.age") }

// formerKept is how many keys before the present one open lists.
const formerKept = 3

// handOver lets the next key open what was sealed to the present one.
func (d *daemon) handOver(next crossing.PrivateKey) error {
	now := *d.key.Load()
	keys := append([]crossing.PrivateKey{now}, formerPrivateKeys(d.cfg, now)...)
	sealed, err := crossing.HandOver(next, keys[:min(len(keys), formerKept)]...)
	if err != nil {
		return err
	}
	return crossing.WriteFile(formerSealed(d.cfg), sealed, 0o600)
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

// recipients are those of the hub that the signed list names, else those of the
// configuration, which are there to begin with. New ones count from the next
// start on.
func (d *daemon) recipients() ([]age.Recipient, error) {
	if named := d.lists.hub().recipients(time.Now()); len(named) > 0 {
		list, err := crossing.ParseRecipients(named...)
		if err == nil {
			return list, nil
		}
		d.log.Warn("the hub's recipients in the list cannot be used, those of the configuration are", "error", err)
	}
	return parseRecipients(d.cfg.Hub.Recipients)
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
