package build

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/queue/sqlite"
)

// emit writes the new list's files from the state. It can be done again: files
// are named by what is in them.
func (b *builder) emit() (err error) {
	if b.tx, err = b.db.BeginTx(b.ctx, nil); err != nil { // of the kept bodies
		return err
	}
	defer b.tx.Rollback()
	if err := b.frequentNames(); err != nil {
		return err
	}
	b.result.Targets = placement.Targets{}
	newLock := b.LastKey != b.Key.ID
	for name, t := range b.Targets {
		_, _, isDelta := placement.ParseDeltaName(name)
		_, _, isFull := placement.ParseFullName(name)
		switch {
		case isDelta && (newLock || b.madeBefore(name, t, b.Now.Add(-placement.DeltasKept))):
		case !isDelta && !isFull && newLock && name == placement.TargetNegatives:
		default:
			b.result.Targets[name] = t
		}
	}
	b.result.Full = b.Full || newLock || b.LastFull == 0 || b.FullAge >= fullEvery
	if b.Last > 0 && !newLock {
		if err := b.delta(); err != nil {
			return err
		}
	}
	if b.result.Full {
		if err := b.full(); err != nil {
			return err
		}
	}
	if err := errors.Join(b.negatives(), b.plain()); err != nil {
		return err
	}
	if err := errors.Join(b.officers(), b.keys()); err != nil {
		return err
	}
	if err := b.settleFiles(); err != nil {
		return err
	}
	return b.tx.Commit()
}

// madeBefore tells whether a target's file is older than a time.
func (b *builder) madeBefore(name string, t placement.Target, limit time.Time) bool {
	st, err := os.Stat(filepath.Join(b.Out, placement.FileName(name, t.SHA256)))
	return err == nil && st.ModTime().Before(limit)
}

// full writes the shards of a full list in place of those before.
func (b *builder) full() error {
	maps.DeleteFunc(b.result.Targets, func(name string, _ placement.Target) bool {
		_, _, full := placement.ParseFullName(name)
		return full
	})
	for shard := range placement.Shards {
		from, to := bounds(shard)
		rows, err := b.rows("SELECT tag, kind, body FROM row WHERE tag >= ? AND tag < ? ORDER BY tag, kind, id", from, to)
		if err != nil {
			return err
		}
		h := b.head
		h.Shard = shard
		if err := b.putRows(placement.FullName(shard, h.Version), h, rows); err != nil {
			return err
		}
		b.result.Rows += int64(len(rows))
	}
	return nil
}

// delta writes what leads from the list before to this one.
func (b *builder) delta() error {
	tags, err := b.tagsTouched()
	if err != nil {
		return err
	}
	var all []placement.Row
	for _, tag := range tags {
		rows, err := b.rows("SELECT tag, kind, body FROM row WHERE tag = ? ORDER BY tag, kind, id", tag)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			rows = []placement.Row{{Tag: placement.Tag(tag), Kind: placement.KindGone}}
		}
		all = append(all, rows...)
	}
	h := b.head
	h.From = b.Last
	b.result.Rows += int64(len(all))
	return b.putRows(placement.DeltaName(h.From, h.Version), h, all)
}

func (b *builder) tagsTouched() (tags [][]byte, err error) {
	rows, err := b.tx.QueryContext(b.ctx, "SELECT DISTINCT tag FROM touched WHERE version > ? ORDER BY tag", b.Last)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var tag []byte
		if err := rows.Scan(&tag); err != nil {
			return nil, err
		}
		tags = append(tags, tag)
	}
	return tags, rows.Err()
}

// rows gives what of the state's rows goes into the list: all but the stubs
// that would point to two persons.
func (b *builder) rows(query string, args ...any) (list []placement.Row, err error) {
	rows, err := b.tx.QueryContext(b.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var stubs [][]byte // of those who share the tag
	var stub placement.Tag
	flush := func() {
		if len(stubs) > 0 && onePerson(stubs) && !b.expected(stubs[0]) {
			list = append(list, placement.Row{Tag: stub, Kind: placement.KindStub})
		} else if len(stubs) > 0 {
			b.result.LeftOut++
		}
		stubs = nil
	}
	for rows.Next() {
		var tag, body []byte
		var kind placement.Kind
		if err := rows.Scan(&tag, &kind, &body); err != nil {
			return nil, err
		}
		if t := placement.Tag(tag); t != stub {
			flush()
			stub = t
		}
		if kind == placement.KindStub {
			stubs = append(stubs, body)
			continue
		}
		list = append(list, placement.Row{Tag: placement.Tag(tag), Kind: kind, Body: body})
	}
	flush()
	return list, rows.Err()
}

// expected tells whether more of a stub's name and birth date are to be
// expected.
func (b *builder) expected(stub []byte) bool {
	return placement.Ambiguous(b.frequent[int64(binary.BigEndian.Uint64(stub))], stub[8] == 1)
}

// frequentNames counts the names that are not seldom: a list of ten million has
// some hundred thousand of them.
func (b *builder) frequentNames() error {
	b.frequent = map[int64]int64{}
	rows, err := b.tx.QueryContext(b.ctx, fmt.Sprintf("SELECT key, n FROM name WHERE n > %d", placement.SeldomEnough))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key, n int64
		if err := rows.Scan(&key, &n); err != nil {
			return err
		}
		b.frequent[key] = n
	}
	return rows.Err()
}

// onePerson tells whether placements with one name and birth date are of one
// person: each shares a document with another, so that all hang together.
func onePerson(stubs [][]byte) bool {
	if len(stubs) == 1 {
		return true
	}
	var documents [][]byte
	for _, s := range stubs {
		documents = append(documents, s[9:])
	}
	known := map[placement.Tag]bool{}
	learn := func(tags []byte) {
		for ; len(tags) >= 16; tags = tags[16:] {
			known[placement.Tag(tags[:16])] = true
		}
	}
	shares := func(tags []byte) bool {
		for ; len(tags) >= 16; tags = tags[16:] {
			if known[placement.Tag(tags[:16])] {
				return true
			}
		}
		return false
	}
	learn(documents[0])
	left := slices.Clone(documents[1:])
	for n := len(left) + 1; len(left) > 0 && len(left) < n; {
		n = len(left)
		left = slices.DeleteFunc(left, func(tags []byte) bool {
			if !shares(tags) {
				return false
			}
			learn(tags)
			return true
		})
	}
	return len(left) == 0
}

// negatives locks the negative entries, those it locked before without work.
func (b *builder) negatives() error {
	if b.source.Negatives == nil {
		if _, there := b.result.Targets[placement.TargetNegatives]; there {
			return nil
		}
		if _, before := b.Targets[placement.TargetNegatives]; before {
			return errors.New("the list key is another one: give the negative entries again")
		}
	}
	var rows []placement.Row
	for _, n := range b.source.Negatives {
		entry := n.Whole()
		text, err := json.Marshal(n)
		if err != nil {
			return err
		}
		body, err := b.kept("negative", text, func() ([]byte, error) {
			row, err := b.lock.Negative(entry)
			if err != nil {
				return nil, err
			}
			return row.Append(nil)
		})
		if err != nil {
			return err
		}
		row, err := placement.ParseRows(body)
		if err != nil {
			return err
		}
		rows = append(rows, row...)
	}
	slices.SortStableFunc(rows, func(a, b placement.Row) int { return bytes.Compare(a.Tag[:], b.Tag[:]) })
	return b.putRows(placement.TargetNegatives, b.head, rows)
}

// plain writes the targets that anybody may read.
func (b *builder) plain() error {
	agencies := b.source.Agencies
	if _, there := b.result.Targets[placement.TargetAgencies]; !there && agencies == nil {
		agencies = []placement.Agency{}
	}
	if agencies != nil {
		text, err := json.Marshal(agencies)
		if err != nil {
			return err
		}
		if err := b.put(placement.TargetAgencies, text); err != nil {
			return err
		}
	}
	for name, text := range map[string][]byte{placement.TargetRules: b.source.Rules, placement.TargetHub: b.source.Hub} {
		if text != nil {
			if err := b.put(name, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// officers seals each site's roster to the site's counters.
func (b *builder) officers() error {
	if b.source.Officers == nil {
		return nil
	}
	b.drop("officers/")
	sites := map[string][]placement.Officer{}
	for _, o := range b.source.Officers {
		sites[o.Site] = append(sites[o.Site], o)
	}
	for site, list := range sites {
		text, err := json.Marshal(list)
		if err != nil {
			return err
		}
		if len(b.source.Sites[site]) == 0 {
			return fmt.Errorf("site %s has officers and no counter whose key is trusted: name its counters with --counters and trust their keys", site)
		}
		if err := b.putSealed(placement.OfficersName(site), text, b.source.Sites[site]); err != nil {
			return err
		}
	}
	return nil
}

// keys seals the list keys to each counter.
func (b *builder) keys() error {
	if b.source.Counters == nil {
		return nil
	}
	b.drop("keys/")
	text, err := b.Keys.MarshalJWKS()
	if err != nil {
		return err
	}
	for counter, recipients := range b.source.Counters {
		if err := b.putSealed(placement.KeysName(counter), text, recipients); err != nil {
			return err
		}
	}
	return nil
}

// drop takes the targets of a folder out of the new list.
func (b *builder) drop(folder string) {
	maps.DeleteFunc(b.result.Targets, func(name string, _ placement.Target) bool { return strings.HasPrefix(name, folder) })
}

// putSealed encrypts a target with age. Encrypting the same to the same gives
// the file of the time before, which counters need not fetch again.
func (b *builder) putSealed(name string, text []byte, to crossing.Keys) error {
	content := slices.Clone(text)
	for _, id := range slices.Sorted(maps.Keys(to)) {
		content = append(content, id...)
	}
	body, err := b.kept(name, content, func() ([]byte, error) { return crossing.SealTo(text, to) })
	if err != nil {
		return err
	}
	return b.put(name, body)
}

// kept gives what was made of some content before, or makes and keeps it.
func (b *builder) kept(name string, content []byte, make func() ([]byte, error)) (body []byte, err error) {
	sum := b.Key.Digest("kept "+name, content)
	err = b.tx.QueryRowContext(b.ctx, "SELECT body FROM kept WHERE name = ? AND sum = ?", name, sum[:]).Scan(&body)
	if !errors.Is(err, sql.ErrNoRows) {
		return body, err
	}
	if body, err = make(); err != nil {
		return nil, err
	}
	_, err = b.tx.ExecContext(b.ctx, "INSERT INTO kept(name, sum, body) VALUES(?, ?, ?)", name, sum[:], body)
	return body, err
}

func (b *builder) putRows(name string, h placement.Header, rows []placement.Row) error {
	return b.write(name, func(w io.Writer) error { return placement.WriteRows(w, h, rows) })
}

func (b *builder) put(name string, text []byte) error {
	return b.write(name, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// write makes a target's file: its name is preceded by its hash, as consistent
// snapshots want it (TUF specification section 6.2).
func (b *builder) write(name string, fill func(io.Writer) error) error {
	dir := filepath.Join(b.Out, filepath.FromSlash(path.Dir(name)))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // a no-op after the rename
	sum := sha256.New()
	err = fill(io.MultiWriter(f, sum))
	st, serr := f.Stat()
	if err := errors.Join(err, serr, f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	t := placement.Target{Length: st.Size(), SHA256: hex.EncodeToString(sum.Sum(nil))}
	b.result.Targets[name] = t
	to := filepath.Join(b.Out, placement.FileName(name, t.SHA256))
	b.written = append(b.written, to)
	return os.Rename(f.Name(), to)
}

// settleFiles makes what was written durable, many files at once: a disk that
// is asked for all of them together needs a fraction of the time. Nothing names
// them before.
func (b *builder) settleFiles() error {
	folders := map[string]bool{}
	var g errgroup.Group
	g.SetLimit(32)
	for _, path := range b.written {
		folders[filepath.Dir(path)] = true
		g.Go(func() error { return syncFile(path) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for folder := range folders {
		if err := sqlite.SyncDir(folder); err != nil {
			return err
		}
	}
	return nil
}
