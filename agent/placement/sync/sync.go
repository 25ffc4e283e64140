// Package sync brings the placement list from headquarters to the counter, over
// MQTT, from a folder such as a USB stick, or from a web server.
//
// What is fetched is believed only because The Update Framework's client
// (go-tuf) has verified it, starting from a root that was given to the counter
// by hand. This package decides what to fetch and carries the bytes. It writes
// no verification of its own: lengths, hashes, signatures, versions and expiry
// are the library's.
//
// The library runs only to install. The installed list goes on being used
// without it, however old it gets; how old it is, the verdict says. Whatever
// goes wrong on the way, the installed list stays whole.
//
// Files that were fetched and verified stay on the disk until the list is
// installed, and files that were fetched in part go on where they were, so that
// nothing is fetched twice over a link that breaks or by a process that is
// killed. The building of the database is not gone on with, but begun again: it
// takes seconds, and needs no link.
package sync

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/config"
	"github.com/theupdateframework/go-tuf/v2/metadata/updater"
	"golang.org/x/sys/unix"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/agent/placement/cache"
)

// Limits on what a source may send before anything about it is known. Targets
// name their own lengths.
const (
	maxRoot      = 128 << 10
	maxRoots     = 256
	maxTimestamp = 16 << 10
	maxSnapshot  = 64 << 10
	maxTargets   = 4 << 20
	maxSmall     = 16 << 20 // of a target that is no file of rows
	maxTarget    = 1 << 30  // of one that is: it is held in memory while it is verified
)

// Client keeps a counter's list up to date.
type Client struct {
	Path    string // the installed list, see package cache
	Dir     string // what has been fetched and is trusted; made if it is not there
	Root    string // file of the root that is trusted to begin with
	Counter string // whose list keys are wanted
	Site    string // whose officers
	MQTT    MQTT   // how a broker is reached, for mqtt: sources
	// Access gives what opens the list, so that none takes the place of one that
	// opens and does not open itself. Nil: that is not looked at.
	Access func() cache.Access
	Log    *slog.Logger
}

// Result says what a synchronisation has done.
type Result struct {
	Source    string
	Installed bool // another list than before
	Dated     bool // the same, signed again
	Info      placement.Info
	Fetched   int64 // bytes, of targets
	Passed    error // what was wrong with the sources asked before; nil: nothing
}

// ErrNoRoot: no root is given, so nothing can be trusted.
var ErrNoRoot = errors.New("no trusted root is given")

// Sync asks the sources one after the other, the preferred one first, until one
// gives a list. An error joins what is wrong with each.
func (c *Client) Sync(ctx context.Context, sources ...string) (Result, error) {
	if err := os.MkdirAll(filepath.Join(c.Dir, "parts"), 0o700); err != nil {
		return Result{}, fmt.Errorf("cannot fetch list: %w", err)
	}
	unlock, err := cache.Lock(c.Path)
	if err != nil {
		return Result{}, fmt.Errorf("cannot fetch list: %w", err)
	}
	defer unlock()
	defer c.giveToOwner()
	var errs []error
	for _, raw := range sources {
		r, err := c.from(ctx, raw)
		if err == nil {
			r.Passed = errors.Join(errs...)
			return r, nil
		}
		errs = append(errs, &SourceError{Source: Redact(raw), Err: err})
		if ctx.Err() != nil {
			break
		}
	}
	return Result{}, errors.Join(errs...)
}

// SourceError says which source gave no list, and why.
type SourceError struct {
	Source string
	Err    error
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("cannot install list from %s: %v", e.Source, e.Err)
}
func (e *SourceError) Unwrap() error { return e.Err }

func (c *Client) from(ctx context.Context, raw string) (r Result, err error) {
	src, err := c.open(ctx, raw)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, src.close()) }()
	f := &fetcher{ctx: ctx, source: src, parts: filepath.Join(c.Dir, "parts")}
	u, err := c.refresh(f)
	if missing, ok := errors.AsType[*metadata.ErrDownloadHTTP](err); ok {
		return r, fmt.Errorf("there is no whole list: %s is missing", missing.URL)
	} else if err != nil {
		return r, err
	}
	r, err = c.install(ctx, f, u, Redact(raw))
	r.Source, r.Fetched = Redact(raw), f.fetched
	return r, err
}

// refresh brings the trusted metadata up to date.
func (c *Client) refresh(f *fetcher) (*updater.Updater, error) {
	root, err := c.trustedRoot()
	if err != nil {
		return nil, err
	}
	c.dropDamaged()
	cfg, err := config.New(metadataURL, root)
	if err != nil {
		return nil, err
	}
	cfg.MaxRootRotations, cfg.RootMaxLength = maxRoots, maxRoot
	cfg.TimestampMaxLength, cfg.SnapshotMaxLength, cfg.TargetsMaxLength = maxTimestamp, maxSnapshot, maxTargets
	cfg.Fetcher = f
	cfg.LocalMetadataDir, cfg.LocalTargetsDir = c.metadataDir(), f.parts
	cfg.RemoteTargetsURL = targetsURL
	u, err := updater.New(cfg)
	if err != nil {
		return nil, err
	}
	err = u.Refresh()
	return u, errors.Join(err, c.syncMetadata())
}

func (c *Client) metadataDir() string { return filepath.Join(c.Dir, "metadata") }

// trustedRoot gives the root to begin with: the last one that was verified, as
// long as it goes back to the one that was given to the counter. Another one
// given begins anew.
func (c *Client) trustedRoot() ([]byte, error) {
	given, err := os.ReadFile(c.Root)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(bytes.TrimSpace(given)) == 0 {
		return nil, fmt.Errorf("%w: put the file list-root.json of headquarters at %s", ErrNoRoot, c.Root)
	} else if err != nil {
		return nil, fmt.Errorf("cannot read trusted root: %w", err)
	}
	sum := sha256.Sum256(given)
	anchor := filepath.Join(c.Dir, "anchor")
	known, err := os.ReadFile(anchor)
	if err == nil && strings.TrimSpace(string(known)) == hex.EncodeToString(sum[:]) {
		if last, err := os.ReadFile(filepath.Join(c.metadataDir(), "root.json")); err == nil && json.Valid(last) {
			return last, nil
		}
		return given, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.RemoveAll(c.metadataDir()); err != nil {
		return nil, err
	}
	return given, crossing.WriteFile(anchor, []byte(hex.EncodeToString(sum[:])+"\n"), 0o600)
}

// dropDamaged removes metadata that a power cut has left half written. The
// library would stop at it; without it, it fetches it again, and the installed
// list's version still keeps an older one out.
func (c *Client) dropDamaged() {
	paths, err := filepath.Glob(filepath.Join(c.metadataDir(), "*.json"))
	if err != nil {
		return
	}
	for _, p := range paths {
		if b, err := os.ReadFile(p); err == nil && !json.Valid(b) {
			os.Remove(p) // what stays is an error of the library's
		}
	}
}

// syncMetadata makes what the library has written durable: rollback protection
// hangs on it.
func (c *Client) syncMetadata() error {
	dir, err := os.Open(c.metadataDir())
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, n := range names {
		f, err := os.Open(filepath.Join(c.metadataDir(), n))
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return dir.Sync()
}

// install fetches what the installed list lacks, and puts it in place.
func (c *Client) install(ctx context.Context, f *fetcher, u *updater.Updater, from string) (r Result, err error) {
	trusted := u.GetTrustedMetadataSet()
	signed := trusted.Timestamp.Signed.Expires.Add(-placement.Lifetime)
	all := targetsOf(u)
	version, full := all.Version()
	if version == 0 {
		return r, errors.New("it holds no list")
	}
	now, err := cache.Installed(ctx, c.Path)
	none := err != nil
	switch {
	case ctx.Err() != nil:
		return r, ctx.Err()
	case !none && now.Version > version:
		return r, fmt.Errorf("%w: version %d, this is version %d", cache.ErrOlder, now.Version, version)
	case !none && now.Version == version:
		r.Info = now
		if signed.After(now.Time) {
			r.Dated, r.Info.Time = true, signed
			err = cache.SetTime(c.Path, version, signed)
		} else {
			err = nil
		}
		return r, errors.Join(err, c.forget(nil))
	}
	if err := c.forget(all); err != nil { // what belongs to lists that are gone
		return r, err
	}
	get := &getter{client: c, fetcher: f, updater: u, targets: all}
	update := cache.Update{Version: version, Time: signed, Source: from, Targets: map[string][]byte{}}
	update.Negatives = get.opener(placement.TargetNegatives)
	for name, t := range all {
		if c.wants(name) {
			if update.Targets[name], err = get.small(name, t); err != nil {
				return r, err
			}
		}
	}
	if update.Targets[placement.TargetAgencies] == nil {
		return r, errors.New("it names no agencies")
	}
	if err := c.opens(ctx, update, none); err != nil {
		return r, err
	}
	chain := deltas(all, now.Version, version)
	if none || chain == nil || full > now.Base {
		err = c.installFull(ctx, get, update, full, deltas(all, full, version))
		var missing *metadata.ErrDownloadHTTP
		if errors.As(err, &missing) && !none && chain != nil {
			// This source does not carry full lists: go on with deltas.
			c.Log.Info("source carries no full list, going on with deltas", "version", version)
			err = c.installDeltas(ctx, get, update, chain)
		}
	} else {
		err = c.installDeltas(ctx, get, update, chain)
		if errors.Is(err, cache.ErrUnfit) {
			// Headquarters has begun anew under the same version.
			err = c.installFull(ctx, get, update, full, deltas(all, full, version))
		}
	}
	if err != nil {
		return r, err
	}
	r.Installed = true
	if r.Info, err = cache.Installed(ctx, c.Path); err != nil {
		return r, err
	}
	return r, c.forget(nil)
}

// opens refuses a list that this counter could not open, where it has one that
// it can.
func (c *Client) opens(ctx context.Context, u cache.Update, none bool) error {
	if none || c.Access == nil {
		return nil
	}
	access := c.Access()
	l, err := cache.Open(ctx, c.Path, access)
	if err != nil {
		return nil // there is nothing to lose
	}
	if err := l.Close(); err != nil {
		return err
	}
	f, err := u.Negatives(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := placement.NewRowReader(f)
	if err != nil {
		return err
	}
	_, err = access.Key(rows.Header().KeyID, u.Targets[placement.KeysName(c.Counter)])
	return err
}

// wants tells whether a target that is no file of rows concerns this counter.
func (c *Client) wants(name string) bool {
	switch name {
	case placement.TargetAgencies, placement.TargetRules, placement.TargetHub, placement.KeysName(c.Counter):
		return true
	}
	return c.Site != "" && name == placement.OfficersName(c.Site)
}

func (c *Client) installFull(ctx context.Context, get *getter, u cache.Update, full int64, chain []string) error {
	if full == 0 || chain == nil {
		return errors.New("it holds no full list")
	}
	for shard := range placement.Shards {
		name := placement.FullName(shard, full)
		u.Full = append(u.Full, get.opener(name))
		u.Room += get.targets[name].Length
	}
	return c.put(ctx, get, u, chain)
}

func (c *Client) installDeltas(ctx context.Context, get *getter, u cache.Update, chain []string) error {
	return c.put(ctx, get, u, chain)
}

// put fetches everything first, so that nothing is built from a list that is
// not there whole.
func (c *Client) put(ctx context.Context, get *getter, u cache.Update, chain []string) error {
	for _, name := range chain {
		u.Deltas = append(u.Deltas, get.opener(name))
		u.Room += get.targets[name].Length
	}
	if _, local := get.fetcher.source.(*folder); !local {
		// The files come first, and the database is built beside them.
		if err := cache.CheckRoom(c.Path, 2*u.Room); err != nil {
			return err
		}
		for _, open := range append(append([]cache.Opener{u.Negatives}, u.Deltas...), u.Full...) {
			f, err := open(ctx)
			if err != nil {
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
		}
	}
	_, err := cache.Install(ctx, c.Path, u)
	return err
}

// deltas gives what leads from one version to another, in order; nil: nothing
// does. Nothing is needed from a version to itself.
func deltas(all placement.Targets, from, to int64) []string {
	chain := []string{}
	for from != to {
		best := int64(0)
		for name := range all {
			if a, b, ok := placement.ParseDeltaName(name); ok && a == from && b <= to && b > best {
				best = b
			}
		}
		if best == 0 {
			return nil
		}
		chain = append(chain, placement.DeltaName(from, best))
		from = best
	}
	return chain
}

// targetsOf lists what the trusted targets metadata names.
func targetsOf(u *updater.Updater) placement.Targets {
	all := placement.Targets{}
	for name, t := range u.GetTopLevelTargets() {
		all[name] = placement.Target{Length: t.Length, SHA256: hex.EncodeToString(t.Hashes["sha256"])}
	}
	return all
}

// getter fetches targets through the library.
type getter struct {
	client  *Client
	fetcher *fetcher
	updater *updater.Updater
	targets placement.Targets
}

// path is where a verified target is kept.
func (g *getter) path(name string) (string, error) {
	t, ok := g.targets[name]
	if !ok {
		return "", fmt.Errorf("it does not name %s", name)
	}
	if len(t.SHA256) != 2*sha256.Size {
		return "", fmt.Errorf("it names no SHA-256 of %s", name)
	}
	return filepath.Join(g.fetcher.parts, t.SHA256), nil
}

// get gives a target's file, fetched and verified now or before.
func (g *getter) get(name string) (path string, body []byte, err error) {
	if path, err = g.path(name); err != nil {
		return "", nil, err
	}
	t, err := g.updater.GetTargetInfo(name)
	if err != nil {
		return "", nil, err
	}
	if found, body, err := g.updater.FindCachedTarget(t, path); err == nil && found != "" {
		return path, body, nil
	}
	_, body, err = g.updater.DownloadTarget(t, path, "")
	if errors.Is(err, &metadata.ErrLengthOrHashMismatch{}) && g.fetcher.resumed {
		// The part that was there may have been the wrong one.
		_, body, err = g.updater.DownloadTarget(t, path, "")
	}
	return path, body, err
}

func (g *getter) small(name string, t placement.Target) ([]byte, error) {
	if t.Length < 0 || t.Length > maxSmall {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", name, t.Length, maxSmall)
	}
	_, body, err := g.get(name)
	return body, err
}

func (g *getter) opener(name string) cache.Opener {
	return func(ctx context.Context) (io.ReadCloser, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		path, body, err := g.get(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if _, local := g.fetcher.source.(*folder); local {
			os.Remove(path) // it is at hand where it came from
		}
		return io.NopCloser(bytes.NewReader(body)), nil
	}
}

// forget removes fetched files, but for those of targets that are named.
func (c *Client) forget(named placement.Targets) error {
	keep := map[string]bool{}
	for _, t := range named {
		keep[t.SHA256] = true
	}
	parts := filepath.Join(c.Dir, "parts")
	entries, err := os.ReadDir(parts)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if sum, _, _ := strings.Cut(e.Name(), "."); keep[sum] {
			continue
		}
		if err := os.Remove(filepath.Join(parts, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// giveToOwner lets the folder's owner use what root has fetched.
func (c *Client) giveToOwner() {
	if os.Geteuid() != 0 {
		return
	}
	var st unix.Stat_t
	if unix.Stat(filepath.Dir(c.Path), &st) != nil {
		return
	}
	filepath.WalkDir(c.Dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			os.Chown(path, int(st.Uid), int(st.Gid))
		}
		return nil
	})
}
