package placement

import (
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Names of the list's targets. Those of persons and their documents are files
// of rows; the others are JSON, and officers and keys are sealed with age to
// the counters concerned.
const (
	TargetNegatives = "negatives"
	TargetAgencies  = "agencies"
	TargetRules     = "rules"
	TargetHub       = "hub"

	placementsFolder = "placements/"
	officersFolder   = "officers/"
	keysFolder       = "keys/"
)

// Shards is the number of files that a full list is cut into, by the first
// byte of the tag.
const Shards = 256

// Lifetime is how long a list is held for current: its timestamp expires
// exactly so long after it was signed.
const Lifetime = 7 * 24 * time.Hour

// DeltasKept is how long deltas stay on offer.
const DeltasKept = 30 * 24 * time.Hour

// FullName is the target of a shard of the full list of a version.
func FullName(shard int, version int64) string {
	return fmt.Sprintf("%s%02x.%d.full", placementsFolder, shard, version)
}

// DeltaName is the target that leads from one version to another.
func DeltaName(from, to int64) string {
	return fmt.Sprintf("%s%d-%d.delta", placementsFolder, from, to)
}

// OfficersName is the target of a site's officers.
func OfficersName(site string) string { return officersFolder + site }

// KeysName is the target of a counter's list keys.
func KeysName(counter string) string { return keysFolder + counter }

// ParseFullName reads what FullName wrote.
func ParseFullName(name string) (shard int, version int64, ok bool) {
	s, ok := strings.CutPrefix(name, placementsFolder)
	if !ok {
		return 0, 0, false
	}
	xx, rest, _ := strings.Cut(s, ".")
	v, ok := strings.CutSuffix(rest, ".full")
	n, err := strconv.ParseUint(xx, 16, 8)
	if !ok || err != nil {
		return 0, 0, false
	}
	version, err = strconv.ParseInt(v, 10, 64)
	return int(n), version, err == nil && name == FullName(int(n), version)
}

// ParseDeltaName reads what DeltaName wrote.
func ParseDeltaName(name string) (from, to int64, ok bool) {
	s, ok1 := strings.CutPrefix(name, placementsFolder)
	s, ok2 := strings.CutSuffix(s, ".delta")
	a, b, ok3 := strings.Cut(s, "-")
	if !ok1 || !ok2 || !ok3 {
		return 0, 0, false
	}
	from, err1 := strconv.ParseInt(a, 10, 64)
	to, err2 := strconv.ParseInt(b, 10, 64)
	return from, to, err1 == nil && err2 == nil && from < to && name == DeltaName(from, to)
}

// Header stands at the beginning of every file of rows: which list it belongs
// to, and what opens it.
type Header struct {
	Version int64  `json:"version"`         // of the list
	From    int64  `json:"from,omitempty"`  // of a delta: the version it is applied to
	Shard   int    `json:"shard,omitempty"` // of a full list
	KeyID   string `json:"key_id"`
	Salt    []byte `json:"salt"`
	Cost    Cost   `json:"cost"`
	Cheap   bool   `json:"cheap,omitempty"` // the cost protects nothing
	Rows    int64  `json:"rows"`
}

// Check tells whether a header makes sense and asks nothing that would stop a
// counter.
func (h Header) Check() error {
	if h.Version < 1 || h.From < 0 || h.From >= h.Version || h.Shard < 0 || h.Shard >= Shards || h.Rows < 0 {
		return fmt.Errorf("its header makes no sense (version %d, from %d, shard %d)", h.Version, h.From, h.Shard)
	}
	if len(h.Salt) != saltSize {
		return fmt.Errorf("its salt is %d bytes and not %d", len(h.Salt), saltSize)
	}
	if h.Cheap != h.Cost.Cheap() {
		return fmt.Errorf("it does not say rightly whether its lock is weak")
	}
	return h.Cost.check()
}

// SameLock tells whether both are locked alike, so that a tag of one is a tag
// of the other.
func (h Header) SameLock(o Header) bool {
	return h.KeyID == o.KeyID && string(h.Salt) == string(o.Salt) && h.Cost == o.Cost
}

// Target is a file of the list, as its metadata names it.
type Target struct {
	Length int64
	SHA256 string // hexadecimal
}

// Targets are files of a list by name.
type Targets map[string]Target

// Version is that of the newest list that the targets lead to, and of the full
// list among them; 0 if there is none.
func (ts Targets) Version() (version, full int64) {
	for name := range ts {
		if _, v, ok := ParseFullName(name); ok {
			full = max(full, v)
		}
		if _, v, ok := ParseDeltaName(name); ok {
			version = max(version, v)
		}
	}
	return max(version, full), full
}

// FileName is where a target's file is below the folder of targets: its hash
// precedes the name (TUF specification section 6.2, consistent snapshots).
func FileName(name, sha256 string) string {
	return filepath.Join(filepath.FromSlash(path.Dir(name)), sha256+"."+path.Base(name))
}
