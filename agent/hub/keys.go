package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"filippo.io/age"

	"lintas/agent/crossing"
	"lintas/agent/placement"
)

// Files of the key folder. Those marked secret are for the owner only.
const (
	FileAckKey     = "ack.jwk"        // secret: signs acknowledgements
	FileAckKeys    = "ack.jwks"       // for the counters: [hub] ack_keys_file
	FileIdentity   = "age.txt"        // secret: opens records
	FileRecipients = "recipients.txt" // for the counters: [hub] recipients
	FileListKey    = "list.jwk"       // secret: locks the list; for the counters: [keys] list_file
	DirCounters    = "counters"       // <counter>.jwk: the counters' public keys
)

// InitKeys makes what is missing of a hub's keys in dir and leaves what is
// there.
func InitKeys(dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, DirCounters), 0o700); err != nil {
		return fmt.Errorf("cannot make keys: %w", err)
	}
	key, _, err := crossing.LoadOrCreatePrivateKey(filepath.Join(dir, FileAckKey))
	if err != nil {
		return fmt.Errorf("cannot make keys: %w", err)
	}
	jwks, err := key.Public().MarshalJWKS()
	if err != nil {
		return fmt.Errorf("cannot make keys: %w", err)
	}
	if err := crossing.WriteFile(filepath.Join(dir, FileAckKeys), jwks, 0o644); err != nil {
		return fmt.Errorf("cannot make keys: %w", err)
	}
	if err := initIdentity(dir); err != nil {
		return fmt.Errorf("cannot make keys: %w", err)
	}
	path := filepath.Join(dir, FileListKey)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	jwk, err := placement.NewKey().MarshalJWK()
	if err != nil {
		return fmt.Errorf("cannot make keys: %w", err)
	}
	return crossing.WriteFile(path, jwk, 0o600)
}

func initIdentity(dir string) error {
	path := filepath.Join(dir, FileIdentity)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return err
		}
		text := fmt.Sprintf("# created: %s\n# public key: %s\n%s\n", time.Now().Format(time.RFC3339), id.Recipient(), id)
		if err := crossing.WriteFile(path, []byte(text), 0o600); err != nil {
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
	var text strings.Builder
	for _, id := range ids {
		if x, ok := id.(*age.X25519Identity); ok {
			fmt.Fprintln(&text, x.Recipient())
		}
	}
	return crossing.WriteFile(path, []byte(text.String()), 0o644)
}

// Identities reads the identities that open records.
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

// KeyRing holds the counters' public keys, a file each. A key that is added
// while the hub runs is found the next time an event needs it.
type KeyRing struct {
	dir string

	mu    sync.Mutex // guards cache
	cache map[string]cached
}

type cached struct {
	keys  crossing.Keys
	mtime time.Time
}

// NewKeyRing reads keys from dir/counters.
func NewKeyRing(dir string) *KeyRing {
	return &KeyRing{dir: filepath.Join(dir, DirCounters), cache: map[string]cached{}}
}

func (k *KeyRing) path(counter string) string { return filepath.Join(k.dir, counter+".jwk") }

// For gives the keys that are trusted for a counter; none is no error.
func (k *KeyRing) For(counter string) (crossing.Keys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	st, err := os.Stat(k.path(counter))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if c, ok := k.cache[counter]; ok && c.mtime.Equal(st.ModTime()) {
		return c.keys, nil
	}
	keys, err := crossing.LoadKeys(k.path(counter))
	if err != nil {
		return nil, err
	}
	k.cache[counter] = cached{keys, st.ModTime()}
	return keys, nil
}

// Open checks an event with the keys of the counter on whose topic it came.
func (k *KeyRing) Open(counter string, sealed []byte) (crossing.Sealed, error) {
	keys, err := k.For(counter)
	if err != nil {
		return crossing.Sealed{}, err
	}
	return crossing.Open(sealed, keys)
}

// Trust accepts the keys in a file for a counter, beside those accepted
// before, so that a key can be rotated.
func (k *KeyRing) Trust(counter, file string) (crossing.Keys, error) {
	if !crossing.ValidCounter(counter) {
		return nil, fmt.Errorf("cannot trust key: %q is not a counter's id (A-Z, 0-9, -, 3 to 32 characters)", counter)
	}
	keys, err := crossing.LoadKeys(file)
	if err != nil {
		return nil, err
	}
	all, err := k.For(counter)
	if err != nil {
		return nil, err
	}
	if all == nil {
		all = crossing.Keys{}
	}
	for id, key := range keys {
		all[id] = key
	}
	jwks, err := all.MarshalJWKS()
	if err != nil {
		return nil, err
	}
	return keys, crossing.WriteFile(k.path(counter), jwks, 0o644)
}

// watch notices keys that are trusted from now on.
func (k *KeyRing) watch() *keyWatch { return &keyWatch{k, map[string]time.Time{}} }

type keyWatch struct {
	ring *KeyRing
	seen map[string]time.Time
}

// changed lists the counters whose keys are new or others than the last time;
// at first, all.
func (w *keyWatch) changed() (list []string) {
	counters, err := w.ring.Counters()
	if err != nil {
		return nil // no folder: nobody is trusted
	}
	for _, c := range counters {
		st, err := os.Stat(w.ring.path(c))
		if err == nil && !st.ModTime().Equal(w.seen[c]) {
			w.seen[c] = st.ModTime()
			list = append(list, c)
		}
	}
	return list
}

// Counters lists the counters that have a trusted key.
func (k *KeyRing) Counters() ([]string, error) {
	files, err := os.ReadDir(k.dir)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, f := range files {
		if counter, ok := strings.CutSuffix(f.Name(), ".jwk"); ok && crossing.ValidCounter(counter) {
			list = append(list, counter)
		}
	}
	slices.Sort(list)
	return list, nil
}
