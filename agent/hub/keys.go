package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"filippo.io/age"

	"lintas/agent/crossing"
	"lintas/agent/placement"
)

// Files of the key folder. Those marked secret are for the owner only.
const (
	FileAckKey      = "ack.jwk"        // secret: signs acknowledgements
	FileAckKeys     = "ack.jwks"       // for the counters: [hub] ack_keys_file
	FileIdentity    = "age.txt"        // secret: opens records
	FileRecipients  = "recipients.txt" // for the counters: [hub] recipients
	FileListKey     = "list.jwk"       // secret: locks the list; for the counters: [keys] list_file
	FileNextListKey = "list-next.jwk"  // secret: will lock it; the counters have it before
	FileOldListKey  = "list-old.jwk"   // secret: has locked it
	DirCounters     = "counters"       // <counter>.jwk: the counters' public keys; <counter>.revoked: it is
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
	known, err := crossing.LoadKeys(filepath.Join(dir, FileAckKeys))
	if errors.Is(err, fs.ErrNotExist) {
		known = crossing.Keys{}
	} else if err != nil {
		return err
	}
	maps.Copy(known, key.Public()) // others may be there: see NextAckKey
	if err := writeJWKS(dir, known); err != nil {
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

// KeyRing holds the counters' public keys, a file each. A key that is added
// while the hub runs is found the next time an event needs it.
type KeyRing struct {
	folder, dir string // of all keys, and of the counters'

	mu         sync.Mutex // guards what follows
	cache      map[string]cached[crossing.Keys]
	identities cached[[]age.Identity]
}

// cached is what was read from a file, as long as the file is that one.
type cached[T any] struct {
	value T
	file  os.FileInfo
}

// is tells whether the file is still the one that was read: files are replaced
// whole, two of them perhaps in one tick of the clock.
func (c cached[T]) is(st os.FileInfo) bool {
	return c.file != nil && os.SameFile(c.file, st) && c.file.ModTime().Equal(st.ModTime()) && c.file.Size() == st.Size()
}

// NewKeyRing reads keys from dir/counters.
func NewKeyRing(dir string) *KeyRing {
	return &KeyRing{folder: dir, dir: filepath.Join(dir, DirCounters), cache: map[string]cached[crossing.Keys]{}}
}

func (k *KeyRing) path(counter string) string { return filepath.Join(k.dir, counter+".jwk") }

// For gives the keys that are trusted for a counter; none is no error.
func (k *KeyRing) For(counter string) (crossing.Keys, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.read(counter)
}

func (k *KeyRing) read(counter string) (crossing.Keys, error) {
	if !crossing.ValidCounter(counter) {
		return nil, nil // no name of a file either
	}
	st, err := os.Stat(k.path(counter))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if c := k.cache[counter]; c.is(st) {
		return c.value, nil
	}
	keys, err := crossing.LoadKeys(k.path(counter))
	if err != nil {
		return nil, err
	}
	k.cache[counter] = cached[crossing.Keys]{keys, st}
	return keys, nil
}

// Identities gives the hub's identities, if they are kept with the keys.
func (k *KeyRing) Identities() ([]age.Identity, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	st, err := os.Stat(filepath.Join(k.folder, FileIdentity))
	if err != nil {
		return nil, fmt.Errorf("cannot read identities: %w", err)
	}
	if k.identities.is(st) {
		return k.identities.value, nil
	}
	ids, err := Identities(k.folder)
	if err != nil {
		return nil, err
	}
	k.identities = cached[[]age.Identity]{ids, st}
	return ids, nil
}

// errKeyFile: a counter's key file cannot be read, so nothing can be said
// about its events.
var errKeyFile = errors.New("the counter's keys cannot be read")

// Open checks an event with the keys of the counter on whose topic it came.
func (k *KeyRing) Open(counter string, sealed []byte) (crossing.Sealed, error) {
	keys, err := k.For(counter)
	if err != nil {
		return crossing.Sealed{}, fmt.Errorf("%w: %w", errKeyFile, err)
	}
	return crossing.Open(sealed, keys)
}

// open checks an event or a tombstone.
func (k *KeyRing) open(counter string, sealed []byte) (arrival, error) {
	if !crossing.IsTombstone(sealed) {
		s, err := k.Open(counter, sealed)
		return arrival{counter: s.Counter, at: s.Position, hash: s.Hash, event: &s, sealed: sealed}, err
	}
	keys, err := k.For(counter)
	if err != nil {
		return arrival{}, fmt.Errorf("%w: %w", errKeyFile, err)
	}
	t, err := crossing.OpenTombstone(sealed, keys)
	return arrival{counter: t.Counter, at: t.Position, hash: t.Hash, sealed: sealed}, err
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
	_, err = k.add(counter, keys)
	return keys, err
}

// add trusts keys for a counter beside those accepted before. It tells whether
// any of them was new.
func (k *KeyRing) add(counter string, keys crossing.Keys) (news bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	before, err := k.read(counter)
	if err != nil {
		return false, err
	}
	all := crossing.Keys{} // a map of its own: others may be reading the one before
	maps.Copy(all, before)
	maps.Copy(all, keys)
	if len(all) == len(before) {
		return false, nil
	}
	jwks, err := all.MarshalJWKS()
	if err != nil {
		return false, err
	}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return false, err
	}
	return true, crossing.WriteFile(k.path(counter), jwks, 0o644)
}

// watch notices keys that are trusted from now on.
func (k *KeyRing) watch() *keyWatch { return &keyWatch{k, map[string]cached[struct{}]{}} }

type keyWatch struct {
	ring *KeyRing
	seen map[string]cached[struct{}]
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
		if err == nil && !w.seen[c].is(st) {
			w.seen[c] = cached[struct{}]{file: st}
			list = append(list, c)
		}
	}
	return list
}

// Counters lists the counters that have a trusted key and are not revoked.
func (k *KeyRing) Counters() ([]string, error) {
	trusted, err := k.Trusted()
	return slices.DeleteFunc(trusted, func(c string) bool {
		_, err := os.Stat(k.revokedPath(c))
		return err == nil
	}), err
}

// Trusted lists the counters that have a trusted key, also those that are
// revoked: what they sent before can be verified.
func (k *KeyRing) Trusted() ([]string, error) {
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

func (k *KeyRing) revokedPath(counter string) string { return filepath.Join(k.dir, counter+".revoked") }

// revoke marks a counter in the folder: no list key is sealed to it any more.
// Whether its events are accepted is in the ledger.
func (k *KeyRing) revoke(counter string, revoked bool) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, err := os.Stat(k.revokedPath(counter))
	switch {
	case revoked == (err == nil):
		return nil
	case revoked:
		return crossing.WriteFile(k.revokedPath(counter), nil, 0o644)
	}
	return os.Remove(k.revokedPath(counter))
}
