// Package cache keeps the installed placement list in files on the counter and
// answers look-ups from them.
//
// placements.db is the base, a full list. Beside it there may be an overlay,
// placements.<build>.db, with what the deltas since have changed; it names the
// one base it belongs to by the random number that the base carries. A file is
// built under another name, checked, made durable and renamed into place, and
// while it is in use nobody changes it. One rename brings a new list into
// force: that of the overlay, or, with a new base, that of the base, whose
// overlay lies ready by then and belonged to nothing before. So at any moment
// there is the old list or the new one, whole. An overlay that has grown large is
// folded into a new base with the next delta.
//
// placements.time says when the list was last signed again, if that is later
// than when it was installed. All can be fetched again at any time, and nothing
// in it opens without the list key and the document's own data.
package cache

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/mrz"
	"lintas/queue/sqlite"
)

//go:embed schema.sql
var schemaSQL string

// Schema marks placement lists: "LntP".
var Schema = sqlite.Schema{ApplicationID: 0x4c6e7451, Name: "placement list", Steps: []string{schemaSQL}}

// header is what a file of the list says of itself.
type header struct {
	Build   string           `json:"build"` // random; of an overlay: that of its base
	Version int64            `json:"version"`
	Base    int64            `json:"base"` // version of the full list
	Lock    placement.Header `json:"lock"` // what the rows are locked with
	Time    time.Time        `json:"time"` // when the list was signed
	Source  string           `json:"source"`
	Rows    int64            `json:"rows"` // in this file
	Sum     uint32           `json:"sum"`  // CRC-32C of the rows
}

// Access is what opens a list: keys that were brought to the counter, and the
// counter's own keys, now and before, which open those that came with the list.
type Access struct {
	Counter    string
	Keys       placement.Keyring
	Identities []age.Identity
}

// Key finds the list key of an id: one that was brought, or one of those that
// came with the list, sealed to the counter. Nil: none came.
func (a Access) Key(id string, sealed []byte) (placement.Key, error) {
	if k, ok := a.Keys.For(id); ok {
		return k, nil
	}
	why := "the list brings none for this counter"
	switch {
	case sealed == nil:
	case len(a.Identities) == 0:
		why = "the counter's own key, which would open the one that came with the list, is not at hand"
	default:
		text, err := crossing.OpenWith(a.Identities, sealed)
		if err != nil {
			why = "the one that came with the list does not open with the counter's key"
			break
		}
		keys, err := placement.ParseKeyring(text)
		if err != nil {
			return placement.Key{}, err
		}
		if k, ok := keys.For(id); ok {
			return k, nil
		}
		why = "those that came with the list are others"
	}
	return placement.Key{}, fmt.Errorf("%w: it was made for list key %s: %s", ErrNoKey, id, why)
}

// ErrNoKey: the counter holds no key that opens the list.
var ErrNoKey = errors.New("this counter does not hold the list's key")

// List is an open list.
type List struct {
	base, over *file // over is nil where there are no deltas
	lock       *placement.Lock
	info       placement.Info
	agencies   map[string]placement.Agency
	access     Access
}

// file is an open file of the list.
type file struct {
	db            *sql.DB
	row, negative table
	header        header
}

// table is a table of rows. Where it has few, their keys are in memory: most
// look-ups need not ask it then.
type table struct {
	stmt *sql.Stmt
	keys []int64 // sorted
	all  bool    // keys holds all of them
}

// manyKeys is how many keys of a table are held in memory, at most: two
// megabytes.
const manyKeys = 256 << 10

// overlayPath is where the overlay of a base is.
func overlayPath(path, build string) string {
	return strings.TrimSuffix(path, ".db") + "." + build + ".db"
}

func newBuild() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// Open opens the list whose base is at path. fs.ErrNotExist: there is none.
func Open(ctx context.Context, path string, access Access) (*List, error) {
	l := &List{agencies: map[string]placement.Agency{}, access: access}
	err := l.open(ctx, path)
	if err == nil {
		err = l.load(ctx, path)
	}
	if err == nil {
		err = l.warm(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open placement list %s: %w", path, err), l.Close())
	}
	return l, nil
}

// open opens base and overlay. Meanwhile another base may be put in place, and
// the overlay of this one vanish: then it opens the other.
func (l *List) open(ctx context.Context, path string) error {
	for try := 0; ; try++ {
		before, err := os.Stat(path)
		if err != nil {
			return err
		}
		err = l.openBoth(ctx, path)
		after, serr := os.Stat(path)
		if serr == nil && os.SameFile(before, after) || try == 9 {
			return errors.Join(err, serr)
		}
		if err := l.Close(); err != nil {
			return err
		}
		l.base, l.over = nil, nil
	}
}

func (l *List) openBoth(ctx context.Context, path string) (err error) {
	if l.base, err = openFile(ctx, path); err != nil {
		return err
	}
	over, err := openFile(ctx, overlayPath(path, l.base.header.Build))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && over.header.Build != l.base.header.Build {
		return errors.Join(errors.New("its overlay belongs to another base"), over.close())
	}
	l.over = over
	return err
}

func openFile(ctx context.Context, path string) (f *file, err error) {
	f = &file{}
	if f.db, err = sqlite.Open(ctx, path, sqlite.Immutable, Schema); err != nil {
		return nil, err
	}
	if f.header, err = readHeader(ctx, f.db); err == nil {
		f.row.stmt, err = f.db.PrepareContext(ctx, "SELECT rows FROM row WHERE key = ?")
	}
	if err == nil {
		f.negative.stmt, err = f.db.PrepareContext(ctx, "SELECT rows FROM negative WHERE key = ?")
	}
	if err == nil && f.header.Rows < manyKeys {
		err = f.row.load(ctx, f.db, "SELECT key FROM row ORDER BY key LIMIT ?")
	}
	if err == nil {
		err = f.negative.load(ctx, f.db, "SELECT key FROM negative ORDER BY key LIMIT ?")
	}
	if err != nil {
		return nil, errors.Join(err, f.close())
	}
	return f, nil
}

func (t *table) load(ctx context.Context, db *sql.DB, query string) error {
	rows, err := db.QueryContext(ctx, query, manyKeys+1)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key int64
		if err := rows.Scan(&key); err != nil {
			return err
		}
		t.keys = append(t.keys, key)
	}
	if t.all = len(t.keys) <= manyKeys; !t.all {
		t.keys = nil
	}
	return rows.Err()
}

func readHeader(ctx context.Context, db *sql.DB) (h header, err error) {
	var text string
	if err := db.QueryRowContext(ctx, "SELECT header FROM list").Scan(&text); err != nil {
		return h, err
	}
	return h, json.Unmarshal([]byte(text), &h)
}

func (f *file) close() (err error) {
	for _, t := range []table{f.row, f.negative} {
		if t.stmt != nil {
			err = errors.Join(err, t.stmt.Close())
		}
	}
	return errors.Join(err, f.db.Close())
}

// top is the newest file, which has all targets that are no rows.
func (l *List) top() *file {
	if l.over != nil {
		return l.over
	}
	return l.base
}

func (l *List) load(ctx context.Context, path string) error {
	h := l.top().header
	l.info = infoOf(h, l.base.header)
	if t, ok := signedAgain(path, h.Version); ok && t.After(l.info.Time) {
		l.info.Time = t
	}
	agencies, err := l.target(ctx, placement.TargetAgencies)
	if err != nil {
		return err
	}
	var all []placement.Agency
	if err := json.Unmarshal(agencies, &all); err != nil {
		return err
	}
	for _, a := range all {
		l.agencies[a.ID] = a
	}
	rules, err := l.target(ctx, placement.TargetRules)
	if err != nil {
		return err
	}
	l.info.RulesVersion = rulesVersion(rules)
	sealed, err := l.target(ctx, placement.KeysName(l.access.Counter))
	if err != nil {
		return err
	}
	key, err := l.access.Key(h.Lock.KeyID, sealed)
	if err != nil {
		return err
	}
	if l.over != nil && !l.base.header.Lock.SameLock(l.over.header.Lock) {
		return errors.New("base and overlay are locked differently")
	}
	l.lock, err = placement.NewLock(key, h.Lock.Salt, h.Lock.Cost)
	return err
}

func infoOf(h, base header) placement.Info {
	return placement.Info{Version: h.Version, Base: base.Version, Time: h.Time, Rows: base.Rows, KeyID: h.Lock.KeyID, Source: h.Source, Cheap: h.Lock.Cost.Cheap()}
}

// rulesVersion is what the rules call themselves. Whether they make sense is
// for those to say who evaluate them.
func rulesVersion(rules []byte) int64 {
	var r struct {
		Version int64 `json:"version"`
	}
	json.Unmarshal(rules, &r)
	return r.Version
}

// warm touches what every look-up needs, so that the first traveller does not
// wait for the disk.
func (l *List) warm(ctx context.Context) error {
	for i := range 64 {
		var tag placement.Tag
		rand.Read(tag[:])
		tag[0] = byte(i * 4)
		if _, err := l.tagged(ctx, tag); err != nil {
			return err
		}
	}
	return nil
}

// target reads a target that is no file of rows; nil: the list has none of this
// name.
func (l *List) target(ctx context.Context, name string) (body []byte, err error) {
	err = l.top().db.QueryRowContext(ctx, "SELECT body FROM target WHERE name = ?", name).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return body, err
}

// Info describes the list.
func (l *List) Info() placement.Info { return l.info }

// Rules gives the target of that name as it was signed; nil: there is none.
func (l *List) Rules() []byte {
	b, err := l.target(context.Background(), placement.TargetRules)
	if err != nil {
		return nil
	}
	return b
}

// Hub gives the hub's keys as they were signed; nil: there are none.
func (l *List) Hub() []byte {
	b, err := l.target(context.Background(), placement.TargetHub)
	if err != nil {
		return nil
	}
	return b
}

// Officers gives the roster of a site. Only a counter of that site can open it.
func (l *List) Officers(ctx context.Context, site string) (list []placement.Officer, err error) {
	sealed, err := l.target(ctx, placement.OfficersName(site))
	if err != nil || sealed == nil {
		return nil, err
	}
	if len(l.access.Identities) == 0 {
		return nil, errors.New("cannot open roster: the counter's own key is not at hand")
	}
	text, err := crossing.OpenWith(l.access.Identities, sealed)
	if err != nil {
		return nil, fmt.Errorf("cannot open roster of site %s: %w", site, err)
	}
	return list, json.Unmarshal(text, &list)
}

// Close closes the files.
func (l *List) Close() (err error) {
	for _, f := range []*file{l.base, l.over} {
		if f != nil {
			err = errors.Join(err, f.close())
		}
	}
	return err
}

// Find looks a document up.
func (l *List) Find(ctx context.Context, doc mrz.Document) (placement.Found, error) {
	f, err := l.lock.Find(doc, func(tag placement.Tag) ([]placement.Row, error) { return l.tagged(ctx, tag) })
	if err != nil {
		return f, fmt.Errorf("cannot look up document: %w", err)
	}
	f.List, f.ListPresent, f.Agencies = l.info, true, map[string]placement.Agency{}
	for _, r := range f.Records {
		if a, ok := l.agencies[r.AgencyID]; ok {
			f.Agencies[r.AgencyID] = a
		}
	}
	return f, nil
}

// keyOf is where the rows of a tag are.
func keyOf(tag placement.Tag) int64 { return int64(binary.BigEndian.Uint64(tag[:8]) >> 1) }

// tagged gives the rows of a tag: the overlay's if it has any, for it holds all
// that the tag has now, else the base's; and the negative entries.
func (l *List) tagged(ctx context.Context, tag placement.Tag) (rows []placement.Row, err error) {
	if l.over != nil {
		if rows, err = l.over.row.get(ctx, tag); err != nil {
			return nil, err
		}
	}
	if rows == nil {
		if rows, err = l.base.row.get(ctx, tag); err != nil {
			return nil, err
		}
	}
	negative, err := l.top().negative.get(ctx, tag)
	return append(rows, negative...), err
}

func (t *table) get(ctx context.Context, tag placement.Tag) (list []placement.Row, err error) {
	key := keyOf(tag)
	if t.all {
		if _, there := slices.BinarySearch(t.keys, key); !there {
			return nil, nil
		}
	}
	var b []byte
	if err := t.stmt.QueryRowContext(ctx, key).Scan(&b); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	rows, err := placement.ParseRows(b)
	for _, r := range rows {
		if r.Tag == tag {
			list = append(list, r)
		}
	}
	return list, err
}

// Installed describes the list whose base is at path; no key is needed.
// fs.ErrNotExist: there is none.
func Installed(ctx context.Context, path string) (placement.Info, error) {
	l := &List{}
	defer l.Close()
	if err := l.open(ctx, path); err != nil {
		return placement.Info{}, err
	}
	h := l.top().header
	info := infoOf(h, l.base.header)
	if t, ok := signedAgain(path, h.Version); ok && t.After(info.Time) {
		info.Time = t
	}
	rules, err := l.target(ctx, placement.TargetRules)
	info.RulesVersion = rulesVersion(rules)
	return info, err
}

// Stamp tells installed lists apart: it changes when another list, or another
// time, has been put in place. "" means that there is none.
func Stamp(path string) string {
	paths := []string{path, timePath(path)}
	if over, err := overlays(path); err == nil {
		paths = append(paths, over...)
	}
	var b strings.Builder
	for i, p := range paths {
		st, err := os.Stat(p)
		if err != nil && i == 0 {
			return ""
		}
		if err == nil {
			fmt.Fprintf(&b, "%s %d %d;", p, inode(st), st.ModTime().UnixNano())
		}
	}
	return b.String()
}
