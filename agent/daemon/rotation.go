package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"lintas/agent/crossing"
	"lintas/agent/health"
)

const (
	formerKeysFile = "former.jwks" // public keys that signed events before
	nextSuffix     = ".next"       // of the key file while the key is being rotated
)

// rotateKey lets the counter sign with a new key. The old one signs the event
// that names the new one, so that the hub trusts it without anybody's help.
//
// The new key is in its file before the event is put, and takes the old one's
// place after: wherever it is interrupted, beginning again with the key in that
// file does no harm, and no event is signed with a key that is lost.
func (d *daemon) rotateKey(ctx context.Context) (id string, err error) {
	d.rotating.Lock()
	defer d.rotating.Unlock()
	defer func() {
		if err != nil {
			err = fmt.Errorf("cannot rotate the counter's key: %w", err)
		}
	}()
	if d.provisional {
		return "", errors.New("a provisional one is in use; mend the counter's own key first")
	}
	file := d.cfg.Keys.CounterFile
	next, _, err := crossing.LoadOrCreatePrivateKey(file + nextSuffix)
	if err != nil {
		return "", fmt.Errorf("%w; where the key is a credential, put the new one there and start the agent again", err)
	}
	rec, err := crossing.RotatedTo(d.place(), d.key.Load().ID, next)
	if err != nil {
		return "", err
	}
	if err := d.record(ctx, crossing.KeyRotated, rec); err != nil {
		return "", err
	}
	if err := d.handOver(next); err != nil {
		d.log.Warn("the list will not open before the next one", "error", err)
	}
	if err := crossing.Rename(file+nextSuffix, file); err != nil {
		return "", err
	}
	if err := d.sealer.Use(next); err != nil {
		return "", err
	}
	d.key.Store(&next)
	d.log.Info("the counter's key was rotated", "key", next.ID, "previous", rec.PreviousKeyID)
	return next.ID, d.publishKey()
}

// finishRotation ends a rotation that was interrupted.
func (d *daemon) finishRotation(ctx context.Context) {
	if _, err := os.Stat(d.cfg.Keys.CounterFile + nextSuffix); err != nil || d.provisional {
		return
	}
	if _, err := d.rotateKey(ctx); err != nil {
		d.log.Error("an interrupted rotation cannot be finished", "error", err)
	}
}

// lookAtSigner remembers the key that signed the last event, if it is not the
// one of this run: somebody has replaced it, or it was lost.
func (d *daemon) lookAtSigner(ctx context.Context) error {
	for e, err := range d.queue.Events(ctx, max(d.queue.Head().Sequence, 1)) {
		if err != nil {
			return err
		}
		if id, err := crossing.Signer(e.Sealed); err == nil && id != d.key.Load().ID {
			d.replaced = id
		}
	}
	return nil
}

// recordKeyChange writes that the key is another one than in the run before.
// The new key signs it: headquarters decides what to make of it.
func (d *daemon) recordKeyChange(ctx context.Context) {
	if d.replaced == "" {
		return
	}
	rec, err := crossing.RotatedTo(d.place(), d.replaced, *d.key.Load())
	if err == nil {
		err = d.record(ctx, crossing.KeyRotated, rec)
	}
	if err != nil {
		d.log.Error("cannot record", "error", err)
		return
	}
	d.log.Warn("the counter's key is another one than before", "key", rec.KeyID, "previous", d.replaced)
	d.board.Set(health.KeyCreated, "", true, "key "+rec.KeyID)
	d.replaced = ""
}

// publishKey writes the public half where a technician finds it for
// headquarters, and keeps the one before for verifying what it signed.
func (d *daemon) publishKey() error {
	jwks, err := d.key.Load().Public().MarshalJWKS()
	if err != nil {
		return err
	}
	path := filepath.Join(d.cfg.State.Dir, PublicKeyFile)
	old, err := os.ReadFile(path)
	if err == nil && string(old) == string(jwks) {
		return nil
	}
	if err == nil {
		if before, perr := crossing.ParseKeys(old); perr == nil {
			err = keepFormer(filepath.Join(d.cfg.State.Dir, formerKeysFile), before)
		}
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = crossing.WriteFile(path, jwks, 0o644)
	}
	if err != nil {
		return fmt.Errorf("cannot write public key: %w", err)
	}
	return nil
}

func keepFormer(path string, keys crossing.Keys) error {
	all, err := crossing.LoadKeys(path)
	if errors.Is(err, fs.ErrNotExist) {
		all, err = crossing.Keys{}, nil
	}
	if err != nil {
		return err
	}
	maps.Copy(all, keys)
	jwks, err := all.MarshalJWKS()
	if err != nil {
		return err
	}
	return crossing.WriteFile(path, jwks, 0o644)
}
