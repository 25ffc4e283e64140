package repository

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"lintas/agent/crossing"
)

// Roles in the order of the specification.
var roles = []string{metadata.ROOT, metadata.TARGETS, metadata.SNAPSHOT, metadata.TIMESTAMP}

// Roles are the public keys that may sign for each role.
type Roles struct {
	Root, Targets       crossing.Keys // 2 of each
	Snapshot, Timestamp crossing.Keys // 1 of each
}

func (k Roles) of(role string) crossing.Keys {
	switch role {
	case metadata.ROOT:
		return k.Root
	case metadata.TARGETS:
		return k.Targets
	case metadata.SNAPSHOT:
		return k.Snapshot
	}
	return k.Timestamp
}

// threshold is how many keys of a role must sign.
func threshold(role string) int {
	if role == metadata.ROOT || role == metadata.TARGETS {
		return 2
	}
	return 1
}

// NewRoot makes root metadata that nobody has signed. With the root before, it
// is its successor: roles without new keys keep theirs.
func (r Repository) NewRoot(before []byte, keys Roles) ([]byte, error) {
	m := metadata.Root(r.now().Add(rootLife))
	m.Signed.ConsistentSnapshot = true
	var old *metadata.Metadata[metadata.RootType]
	if before != nil {
		var err error
		if old, err = metadata.Root().FromBytes(before); err != nil {
			return nil, fmt.Errorf("cannot read the root before: %w", err)
		}
		m.Signed.Version = old.Signed.Version + 1
	}
	for _, role := range roles {
		m.Signed.Roles[role].Threshold = threshold(role)
		for _, public := range keys.of(role) {
			key, err := metadata.KeyFromPublicKey(public)
			if err != nil {
				return nil, err
			}
			if err := m.Signed.AddKey(key, role); err != nil {
				return nil, err
			}
		}
		if len(keys.of(role)) == 0 && old != nil {
			for _, id := range old.Signed.Roles[role].KeyIDs {
				if err := m.Signed.AddKey(old.Signed.Keys[id], role); err != nil {
					return nil, err
				}
			}
		}
		if n := len(m.Signed.Roles[role].KeyIDs); n < threshold(role) {
			return nil, fmt.Errorf("role %s has %d keys and needs %d signatures", role, n, threshold(role))
		}
	}
	return m.ToBytes(true)
}

// Sign adds a signature to root or targets metadata in a file. The key may be
// on a machine that has nothing else.
func Sign(path string, keys ...crossing.PrivateKey) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if m, err := metadata.Root().FromBytes(b); err == nil {
		return errors.Join(signAll(m, keys), writePretty(m, path))
	}
	m, err := metadata.Targets().FromBytes(b)
	if err != nil {
		return fmt.Errorf("cannot sign %s: neither root nor targets metadata", path)
	}
	return errors.Join(signAll(m, keys), write(m, path))
}

func writePretty(m *metadata.Metadata[metadata.RootType], path string) error {
	b, err := m.ToBytes(true)
	if err != nil {
		return err
	}
	return crossing.WriteFile(path, b, 0o644)
}

func signAll[T metadata.Roles](m *metadata.Metadata[T], keys []crossing.PrivateKey) error {
	for _, k := range keys {
		if err := sign(m, k); err != nil {
			return err
		}
	}
	return nil
}

func sign[T metadata.Roles](m *metadata.Metadata[T], key crossing.PrivateKey) error {
	signer, err := signature.LoadED25519Signer(key.Signer())
	if err != nil {
		return err
	}
	id, err := keyID(key)
	if err != nil {
		return err
	}
	// Signing again replaces the signature: the library wants each key once.
	m.Signatures = slices.DeleteFunc(m.Signatures, func(s metadata.Signature) bool { return s.KeyID == id })
	_, err = m.Sign(signer)
	return err
}

// keyID is what TUF calls a key.
func keyID(key crossing.PrivateKey) (string, error) {
	k, err := metadata.KeyFromPublicKey(key.Signer().Public())
	if err != nil {
		return "", err
	}
	return k.ID()
}

// Key files of a folder: role-1.jwk, role-2.jwk, … and role.jwk.
const trustedRoot = "list-root.json"

// KeyFolder is where a hub's key folder keeps what signs lists.
func KeyFolder(keys string) string { return filepath.Join(keys, "list") }

// TrustedRoot is the file in a hub's key folder that counters are given.
func TrustedRoot(keys string) string { return filepath.Join(keys, trustedRoot) }

// Init makes all keys on this machine, and the first root signed with them. It
// is for trying out: the keys of root and targets belong on machines of their
// own, two of three at two places.
func Init(keys string) error {
	dir := KeyFolder(keys)
	if _, err := os.Stat(filepath.Join(dir, "1.root.json")); err == nil {
		return fmt.Errorf("cannot make list keys: %s holds some already", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make list keys: %w", err)
	}
	public := Roles{Root: crossing.Keys{}, Targets: crossing.Keys{}, Snapshot: crossing.Keys{}, Timestamp: crossing.Keys{}}
	var roots []crossing.PrivateKey
	for _, role := range roles {
		for i := range threshold(role)*2 - 1 {
			name := role + ".jwk"
			if threshold(role) > 1 {
				name = role + "-" + strconv.Itoa(i+1) + ".jwk"
			}
			k, _, err := crossing.LoadOrCreatePrivateKey(filepath.Join(dir, name))
			if err != nil {
				return fmt.Errorf("cannot make list keys: %w", err)
			}
			for id, p := range k.Public() {
				public.of(role)[id] = p
			}
			if role == metadata.ROOT {
				roots = append(roots, k)
			}
		}
	}
	b, err := Repository{}.NewRoot(nil, public)
	if err != nil {
		return fmt.Errorf("cannot make list keys: %w", err)
	}
	path := filepath.Join(dir, "1.root.json")
	if err := crossing.WriteFile(path, b, 0o644); err != nil {
		return fmt.Errorf("cannot make list keys: %w", err)
	}
	if err := Sign(path, roots...); err != nil {
		return fmt.Errorf("cannot make list keys: %w", err)
	}
	if b, err = os.ReadFile(path); err != nil {
		return fmt.Errorf("cannot make list keys: %w", err)
	}
	return crossing.WriteFile(TrustedRoot(keys), b, 0o644)
}

// RoleKeys reads the private keys of a role that are in a folder.
func RoleKeys(dir, role string) (keys []crossing.PrivateKey, err error) {
	paths, err := filepath.Glob(filepath.Join(dir, role+"*.jwk"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		k, err := crossing.LoadPrivateKey(path)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Roles of the list's metadata.
const (
	RoleRoot      = metadata.ROOT
	RoleTargets   = metadata.TARGETS
	RoleSnapshot  = metadata.SNAPSHOT
	RoleTimestamp = metadata.TIMESTAMP
)
