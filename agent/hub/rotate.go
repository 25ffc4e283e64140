package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"lintas/agent/crossing"
)

// More files of the key folder.
const (
	FileNextAckKey   = "ack-next.jwk"  // secret: will sign acknowledgements; the counters have it before
	FileNextIdentity = "age-next.txt"  // public: the recipient that will be the only one
	FileValidity     = "validity.json" // until when what was replaced is good, by key id or recipient
)

// Overlap is how long what was replaced stays good: longer than a counter is
// without a list.
const Overlap = 30 * 24 * time.Hour

// NextAckKey makes the key that will sign acknowledgements and gives its id. The
// counters learn of it with the next list, beside the one in use.
func NextAckKey(dir string) (id string, err error) {
	known, err := crossing.LoadKeys(filepath.Join(dir, FileAckKeys))
	if err != nil {
		return "", err
	}
	next, created, err := crossing.LoadOrCreatePrivateKey(filepath.Join(dir, FileNextAckKey))
	if err != nil {
		return "", fmt.Errorf("cannot make key: %w", err)
	}
	if !created && known[next.ID] != nil {
		return "", fmt.Errorf("cannot make the next key: %s is there already", filepath.Join(dir, FileNextAckKey))
	}
	known[next.ID] = next.Public()[next.ID]
	return next.ID, writeJWKS(dir, known)
}

// SwitchAckKey signs with the next key from now on; hubs that run do when they
// are started anew. What the old one signed can be verified for Overlap. Cut off
// in the middle, it can be called again.
func SwitchAckKey(dir string, now time.Time) (id string, err error) {
	next, err := crossing.LoadPrivateKey(filepath.Join(dir, FileNextAckKey))
	if err != nil {
		return "", fmt.Errorf("%w; make it with lintas-hub keys next ack", err)
	}
	old, err := crossing.LoadPrivateKey(filepath.Join(dir, FileAckKey))
	if err != nil {
		return "", err
	}
	known, err := crossing.LoadKeys(filepath.Join(dir, FileAckKeys))
	if err != nil {
		return "", err
	}
	if known[next.ID] == nil {
		return "", errors.New("cannot switch: the counters have not been told of the next key; run lintas-hub keys next ack, and publish a list")
	}
	if err := retire(dir, now, old.ID); err != nil {
		return "", err
	}
	return next.ID, crossing.Rename(filepath.Join(dir, FileNextAckKey), filepath.Join(dir, FileAckKey))
}

// NextIdentity makes the age identity that will open records, of the kind of the
// one in use, and gives its recipient. From the next list on the counters encrypt
// to both.
func NextIdentity(dir string) (recipient string, err error) {
	path := filepath.Join(dir, FileNextIdentity)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return "", errors.Join(fmt.Errorf("cannot make the next identity: %s is there already", path), err)
	}
	ids, err := Identities(dir)
	if err != nil {
		return "", err
	}
	var next fmt.Stringer
	if _, hybrid := ids[0].(*age.HybridIdentity); hybrid {
		id, err := age.GenerateHybridIdentity()
		if err != nil {
			return "", fmt.Errorf("cannot make identity: %w", err)
		}
		next, recipient = id, id.Recipient().String()
	} else {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return "", fmt.Errorf("cannot make identity: %w", err)
		}
		next, recipient = id, id.Recipient().String()
	}
	secret, err := os.ReadFile(filepath.Join(dir, FileIdentity))
	if err != nil {
		return "", err
	}
	// In this order: nobody encrypts to what nobody can open.
	text := fmt.Sprintf("%s\n# created: %s\n# public key: %s\n%s\n", strings.TrimRight(string(secret), "\n"), time.Now().Format(time.RFC3339), recipient, next)
	if err := crossing.WriteFile(filepath.Join(dir, FileIdentity), []byte(text), 0o600); err != nil {
		return "", err
	}
	public, err := os.ReadFile(filepath.Join(dir, FileRecipients))
	if err != nil {
		return "", err
	}
	if err := crossing.WriteFile(filepath.Join(dir, FileRecipients), []byte(strings.TrimRight(string(public), "\n")+"\n"+recipient+"\n"), 0o644); err != nil {
		return "", err
	}
	return recipient, crossing.WriteFile(path, []byte(recipient+"\n"), 0o644)
}

// SwitchIdentity ends the time in which records are encrypted to the recipients
// before the next one: after Overlap no counter does. Their identities stay and
// open what was encrypted to them.
func SwitchIdentity(dir string, now time.Time) (recipient string, err error) {
	path := filepath.Join(dir, FileNextIdentity)
	next, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%w; make it with lintas-hub keys next age", err)
	}
	recipient = strings.TrimSpace(string(next))
	public, err := os.ReadFile(filepath.Join(dir, FileRecipients))
	if err != nil {
		return "", err
	}
	for _, r := range strings.Fields(string(public)) {
		if r == recipient {
			continue
		}
		if err := retire(dir, now, r); err != nil {
			return "", err
		}
	}
	return recipient, os.Remove(path)
}

// Validity gives until when keys and recipients are good that were replaced.
func Validity(dir string) (map[string]time.Time, error) {
	until := map[string]time.Time{}
	b, err := os.ReadFile(filepath.Join(dir, FileValidity))
	if errors.Is(err, fs.ErrNotExist) {
		return until, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &until)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", filepath.Join(dir, FileValidity), err)
	}
	return until, nil
}

// retire sets until when something is good, and drops from the files for the
// counters what no longer is.
func retire(dir string, now time.Time, name string) error {
	until, err := Validity(dir)
	if err != nil {
		return err
	}
	if _, set := until[name]; !set {
		until[name] = now.Add(Overlap).UTC().Truncate(time.Second)
	}
	b, err := json.MarshalIndent(until, "", "  ")
	if err != nil {
		return err
	}
	if err := crossing.WriteFile(filepath.Join(dir, FileValidity), append(b, '\n'), 0o644); err != nil {
		return err
	}
	keys, err := crossing.LoadKeys(filepath.Join(dir, FileAckKeys))
	if err != nil {
		return err
	}
	public, err := os.ReadFile(filepath.Join(dir, FileRecipients))
	if err != nil {
		return err
	}
	over := func(name string) bool { t, set := until[name]; return set && now.After(t) }
	for id := range keys {
		if over(id) {
			delete(keys, id)
		}
	}
	if err := writeJWKS(dir, keys); err != nil {
		return err
	}
	recipients := slices.DeleteFunc(strings.Fields(string(public)), over)
	return crossing.WriteFile(filepath.Join(dir, FileRecipients), []byte(strings.Join(recipients, "\n")+"\n"), 0o644)
}

func writeJWKS(dir string, keys crossing.Keys) error {
	jwks, err := keys.MarshalJWKS()
	if err != nil {
		return err
	}
	return crossing.WriteFile(filepath.Join(dir, FileAckKeys), jwks, 0o644)
}
