package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"lintas/queue"
)

// A recovery goes through these states, which the names of the files tell
// apart, so that it can be cut off anywhere:
//
//	queue.db                              whole or not: nothing has happened yet
//	queue.db, queue.db.new                the new file is being made; it is begun again
//	queue.db, queue.db.recovered-<time>   the new file is complete and durable: it counts
//	queue.db.recovered-<time>             the old files have been moved to damaged-<time>/
//	queue.db                              the new file has its name
//
// Until the third state the old files are untouched, from it on they are not
// looked at any more. They are never removed.
const (
	suffixNew       = ".new"
	suffixRecovered = ".recovered-"
	asidePrefix     = "damaged-"
	stampLayout     = "20060102T150405.000Z"
)

// step is called between two steps of a recovery. Tests cut it off there.
var step = func(name string) {}

// recover begins a new chain in a new file with what can be read of the old
// one, and puts the old files aside.
func (q *Queue) recover(ctx context.Context, f finding, known *anchored) error {
	if q.o.Rewrap == nil || q.o.Recovered == nil {
		return fmt.Errorf("queue %s cannot be continued (%s): %w", q.path, f.cause, f.why)
	}
	s, closed, err := salvage(q.path)
	if err != nil {
		return fmt.Errorf("cannot salvage queue %s: %w", q.path, err)
	}
	defer closed()
	stamp := time.Now().UTC().Format(stampLayout)
	aside := ""
	if q.anyOld() {
		aside = filepath.Join(filepath.Dir(q.path), asidePrefix+stamp)
	}
	for refused := map[int64]bool{}; ; {
		n := len(refused)
		p := s.plan(f.cause, known, refused)
		p.recovery.Aside = aside
		if err := q.build(ctx, p, refused); err != nil {
			return fmt.Errorf("cannot recover queue %s: %w", q.path, err)
		}
		if len(refused) == n {
			break
		}
		if err := q.removeNew(); err != nil {
			return err
		}
	}
	step("built")
	complete := q.path + suffixRecovered + stamp
	if err := errors.Join(os.Rename(q.path+suffixNew, complete), SyncDir(filepath.Dir(q.path))); err != nil {
		return fmt.Errorf("cannot recover queue %s: %w", q.path, err)
	}
	step("complete")
	return q.finishRecovery(ctx)
}

func (q *Queue) anyOld() bool {
	return slices.ContainsFunc(oldFiles, func(s string) bool { return sizeOf(q.path+s) >= 0 })
}

// oldFiles are what SQLite makes for one database.
var oldFiles = []string{"", "-wal", "-shm", "-journal"}

// finishRecovery puts a complete new file in its place, if there is one, and
// removes one that is not complete.
func (q *Queue) finishRecovery(ctx context.Context) error {
	dir := filepath.Dir(q.path)
	if err := q.removeNew(); err != nil {
		return err
	}
	complete, err := filepath.Glob(globQuote(q.path) + suffixRecovered + "*Z")
	if err != nil || len(complete) == 0 {
		return err
	}
	slices.Sort(complete)
	newest := complete[len(complete)-1]
	aside := filepath.Join(dir, asidePrefix+strings.TrimPrefix(newest, q.path+suffixRecovered))
	if err := q.swap(dir, aside, newest); err != nil {
		return fmt.Errorf("cannot recover queue %s: %w", q.path, err)
	}
	return q.readRecovery(ctx)
}

func (q *Queue) removeNew() error {
	for _, s := range oldFiles {
		if err := os.Remove(q.path + suffixNew + s); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cannot recover queue %s: %w", q.path, err)
		}
	}
	return nil
}

func globQuote(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(s)
}

func (q *Queue) swap(dir, aside, complete string) error {
	if _, err := os.Stat(aside); err == nil || q.anyOld() {
		if err := os.Mkdir(aside, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		step("folder made")
		for _, s := range oldFiles {
			if err := os.Rename(q.path+s, filepath.Join(aside, filepath.Base(q.path)+s)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			step("moved" + s)
		}
		// The old log must be gone for certain before the new file has its
		// name: SQLite would take the one for the other's.
		if err := errors.Join(SyncDir(aside), SyncDir(dir)); err != nil {
			return err
		}
		step("moved for certain")
	}
	if err := os.Rename(complete, q.path); err != nil {
		return err
	}
	step("named")
	return SyncDir(dir)
}

// readRecovery takes from the new file what has been done, perhaps by an
// earlier process.
func (q *Queue) readRecovery(ctx context.Context) error {
	db, err := Open(ctx, q.path, ReadOnly, QueueSchema)
	if err != nil {
		return err
	}
	defer db.Close()
	var r queue.Recovery
	var missing string
	err = db.QueryRowContext(ctx, "SELECT cause, previous, sequence, hash, missing, rewrapped, aside FROM recovery ORDER BY epoch DESC LIMIT 1").
		Scan(&r.Cause, exactly(r.Previous.Epoch[:]), &r.Previous.Sequence, exactly(r.Previous.Hash[:]), &missing, &r.Rewrapped, &r.Aside)
	if err == nil {
		err = json.Unmarshal([]byte(missing), &r.Missing)
	}
	if err != nil {
		return fmt.Errorf("cannot read queue %s: %w", q.path, err)
	}
	q.recovery = &r
	return nil
}

// A plan says what a new file is to hold.
type plan struct {
	recovery queue.Recovery
	take     []row            // into the new epoch
	keep     []row            // where they are, in their old epochs: their bodies are owed
	parked   map[int64]string // why, by old position
	epochs   []span           // of what is kept
	first    int64            // position of the new epoch
}

// plan decides what was the end of the chain, how far it was acknowledged, and
// what of it is lost. What is in doubt counts as not acknowledged: the far end
// removes duplicates. Refused are positions of events that cannot be wrapped
// anew.
func (s *salvaged) plan(cause queue.Cause, known *anchored, refused map[int64]bool) (p plan) {
	p.recovery.Cause, p.parked = cause, s.parked
	now, same := s.current(known)
	epochs := s.epochs
	if same && len(epochs) == 0 {
		epochs = []span{{number: 1, id: now.id, first: now.first}}
	} else if same {
		epochs = append(slices.Clone(epochs[:len(epochs)-1]), now)
	}
	through, end := s.through, s.last
	if through > end && !same {
		through = 0 // beyond everything that there is: not to be believed
	}
	switch {
	case now.first > 0: // the chain that ended is the file's
		confirmed := through
		if same {
			end = max(end, now.first+int64(known.head.Sequence)-1)
			confirmed = now.first + int64(known.through) - 1
			switch {
			case through >= 0:
				through = min(through, confirmed)
				confirmed = through
			case len(s.epochs) > 0:
				through = confirmed
			}
			// Else it may be an old copy, of which the anchor says nothing.
		}
		through, confirmed = max(through, now.first-1), max(confirmed, now.first-1)
		p.recovery.Previous = queue.Head{Epoch: now.id, Sequence: uint64(max(end-now.first+1, 0))}
		if i, ok := s.find(end); ok {
			p.recovery.Previous.Hash = s.rows[i].hash
		} else if same && p.recovery.Previous.Sequence == known.head.Sequence {
			p.recovery.Previous.Hash = known.head.Hash
		}
		p.recovery.Missing = s.missing(now.first, max(confirmed, s.pruned), end)
	case known != nil: // another chain, of which only the anchor tells
		p.recovery.Previous = known.head
		if known.head.Sequence > known.through {
			p.recovery.Missing = [][2]uint64{{known.through + 1, known.head.Sequence}}
		}
	}
	for _, r := range s.rows {
		_, owed := s.parked[r.position]
		placed := len(epochs) > 0 && epochs[0].first <= r.position
		switch {
		case placed && (refused[r.position] || owed && r.position <= through):
			p.keep = append(p.keep, r)
		case refused[r.position]: // it stays in the old file
		case owed || r.position > through:
			p.take = append(p.take, r)
		}
	}
	p.first = 1
	if len(p.keep) > 0 {
		p.epochs, p.first = epochs, end+1
	}
	p.recovery.Rewrapped = len(p.take)
	return p
}

// current is the epoch in which the file's chain ended; first is 0 if that is
// not known or if it was not the last one. Same tells that the anchor speaks of
// it.
func (s *salvaged) current(known *anchored) (now span, same bool) {
	if len(s.epochs) > 0 {
		now = s.epochs[len(s.epochs)-1]
	}
	if known == nil || now.id == known.head.Epoch {
		return now, known != nil
	}
	// Perhaps only the epoch's row is destroyed: the event that the anchor
	// names, or nothing else at its position, shows that it is the same one.
	at := known.first + int64(known.head.Sequence) - 1
	i, there := s.find(at)
	if there && s.rows[i].hash == known.head.Hash || !there && len(s.epochs) == 0 && len(s.rows) > 0 {
		return span{max(now.number, 1), known.head.Epoch, known.first, now.began}, true
	}
	if s.lags(known) {
		return now, false
	}
	return span{}, false
}

// lags tells whether the anchor speaks of an epoch before the file's last one.
func (s *salvaged) lags(known *anchored) bool {
	if last, ok := s.before[known.head.Epoch]; ok && int64(known.head.Sequence) <= last {
		return true
	}
	for i, e := range s.epochs {
		if e.id == known.head.Epoch {
			return i+1 < len(s.epochs) && e.first+int64(known.head.Sequence) <= s.epochs[i+1].first
		}
	}
	return false
}

func (s *salvaged) find(position int64) (int, bool) {
	return slices.BinarySearchFunc(s.rows, position, func(r row, p int64) int { return int(max(min(r.position-p, 1), -1)) })
}

// missing are the sequences of what is neither acknowledged nor there.
func (s *salvaged) missing(first, through, end int64) (ranges [][2]uint64) {
	gap := func(from, to int64) {
		if from <= to {
			ranges = append(ranges, [2]uint64{uint64(from - first + 1), uint64(to - first + 1)})
		}
	}
	next := through + 1
	i, _ := s.find(next)
	for _, r := range s.rows[i:] {
		gap(next, r.position-1)
		next = r.position + 1
	}
	gap(next, end)
	return ranges
}

// build makes the new file, complete and on the disk. If it finds events that
// cannot be wrapped anew, the file is of no use: its first event says how many
// follow.
func (q *Queue) build(ctx context.Context, p plan, refused map[int64]bool) error {
	path := q.path + suffixNew
	// Three times: what makes a file ours can only be set in one without
	// tables, and many events are written fastest without a journal.
	db, err := Open(ctx, path, Durable, QueueSchema)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if db, err = Open(ctx, path, Bulk, QueueSchema); err != nil {
		return err
	}
	if err := errors.Join(q.fill(ctx, db, p, refused), db.Close()); err != nil {
		return err
	}
	if db, err = Open(ctx, path, Durable, QueueSchema); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (q *Queue) fill(ctx context.Context, db *sql.DB, p plan, refused map[int64]bool) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, e := range p.epochs {
		if _, err := tx.ExecContext(ctx, "INSERT INTO epoch(number, id, first, began_ms) VALUES(?, ?, ?, ?)", e.number, e.id[:], e.first, e.began); err != nil {
			return err
		}
	}
	c, err := beginChain(ctx, tx, p.first, p.recovery, q.o)
	if err != nil {
		return err
	}
	for _, statement := range []string{
		"INSERT INTO watermark(one, through, time_ms) VALUES(1, ?, 0)",
		"UPDATE pruned SET through = ?",
	} {
		if _, err := tx.ExecContext(ctx, statement, p.first-1); err != nil {
			return err
		}
	}
	insert, err := tx.PrepareContext(ctx, insertEvent)
	if err != nil {
		return err
	}
	defer insert.Close()
	put := func(r row, position int64, hash queue.Hash, sealed, note []byte, reason string) error {
		if _, err := insert.ExecContext(ctx, position, r.id[:], r.at, hash[:], sealed, note); err != nil {
			return err
		}
		if reason == "" {
			return nil
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO parked(position, reason, at_ms) VALUES(?, ?, ?)", position, reason, time.Now().UnixMilli())
		return err
	}
	for _, r := range p.keep {
		sealed, note, ok := r.read()
		if !ok {
			return errors.New("what was read once cannot be read again")
		}
		reason := p.parked[r.position]
		if reason == "" {
			reason = cannotWrap
		}
		if err := put(r, r.position, r.hash, sealed, note, reason); err != nil {
			return err
		}
	}
	for _, r := range p.take {
		old, note, ok := r.read()
		if !ok {
			return errors.New("what was read once cannot be read again")
		}
		sealed, err := q.o.Rewrap(c.next(), old)
		if err != nil {
			refused[r.position] = true
			continue
		}
		position, hash := c.add(sealed)
		if err := put(r, position, hash, sealed, note, p.parked[r.position]); err != nil {
			return err
		}
	}
	return tx.Commit()
}
