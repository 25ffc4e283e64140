package cli_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/queue"
	"lintas/queue/sqlite"
)

// counterSet is the state folder of a counter that does not run: a queue of
// eight events, of which the hub has confirmed five.
type counterSet struct {
	t      *testing.T
	config string
	queue  string // its database
	knife  *sql.DB
	sealed [][]byte
	hashes []queue.Hash
	forks  [][]byte // other events at the same places, well signed
}

const (
	recorded  = 8
	confirmed = 5
)

func newCounterSet(t *testing.T) *counterSet {
	t.Helper()
	dir := t.TempDir()
	c := &counterSet{t: t, config: filepath.Join(dir, "lintas.toml"), queue: filepath.Join(dir, "state", "queue.db")}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(os.Mkdir(filepath.Join(dir, "state"), 0o700))
	id, err := age.GenerateX25519Identity()
	check(err)
	check(os.WriteFile(c.config, fmt.Appendf(nil, "[counter]\nid = \"CGK-T3-D07\"\n[state]\ndir = \"state\"\nrun = \"run\"\n[hub]\nrecipients = [%q]\nack_keys_file = \"ack.jwks\"\n",
		id.Recipient()), 0o600))
	key, _, err := crossing.LoadOrCreatePrivateKey(filepath.Join(dir, "state", "counter.jwk"))
	check(err)
	sealer, err := crossing.NewSealer(key)
	check(err)
	q, err := sqlite.OpenQueue(t.Context(), c.queue, sqlite.Options{Seal: sealer.Seal, Reserve: -1, Anchor: filepath.Join(dir, "state", "queue.anchor")})
	check(err)
	r := crossing.Recorder{Counter: "CGK-T3-D07", Encrypter: crossing.NewEncrypter(id.Recipient()), Queue: q, Stamp: func() crossing.Stamp {
		return crossing.Stamp{OccurredAt: crossing.TimeOf(time.Now()), BootID: "b", MonotonicMS: 1, ClockState: "ntp"}
	}}
	var at queue.Position
	for range recorded {
		stop := &crossing.Stopped{Reason: "signal"}
		receipt, err := r.Record(t.Context(), crossing.NewID(), crossing.AgentStopped, stop, counter.NoteOf(crossing.AgentStopped))
		check(err)
		m, err := r.Message(crossing.NewID(), crossing.AgentStopped, stop)
		check(err)
		at.Epoch, at.Sequence = receipt.Epoch, receipt.Sequence
		fork, err := sealer.Seal(at, m)
		check(err)
		c.forks, at.Prev = append(c.forks, fork), receipt.Hash
		c.hashes = append(c.hashes, receipt.Hash)
	}
	for e, err := range q.Events(t.Context(), 1) {
		check(err)
		c.sealed = append(c.sealed, e.Sealed)
	}
	check(q.Acknowledge(t.Context(), queue.Acknowledgement{Time: time.Now(), Epochs: []queue.EpochAck{
		{Epoch: at.Epoch, Through: confirmed, Head: c.hashes[confirmed-1]}}}))
	check(q.Close())
	c.knife, err = sqlite.Open(t.Context(), c.queue, sqlite.Relaxed, sqlite.QueueSchema)
	check(err)
	t.Cleanup(func() { c.knife.Close() })
	_, err = c.knife.Exec("CREATE TEMP TABLE kept AS SELECT * FROM event; CREATE TEMP TABLE mark AS SELECT * FROM watermark")
	check(err)
	return c
}

// tamper changes the file as somebody with a hand on it could.
func (c *counterSet) tamper(statement string, args ...any) {
	c.t.Helper()
	if _, err := c.knife.Exec(statement, args...); err != nil {
		c.t.Fatal(err)
	}
}

func (c *counterSet) restore() {
	c.t.Helper()
	c.tamper("DELETE FROM event; INSERT INTO event SELECT * FROM kept; DELETE FROM watermark; INSERT INTO watermark SELECT * FROM mark")
}

// brokenAt wants verify to name this sequence as the first bad one; 0: none.
func (c *counterSet) brokenAt(what string, want uint64) {
	c.t.Helper()
	out, _, code := lintas(c.t, "", "queue", "verify", "--json", "-c", c.config)
	var got struct {
		Events int    `json:"events"`
		Whole  bool   `json:"whole"`
		First  uint64 `json:"first_bad_sequence"`
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		c.t.Fatalf("%s: %v: %s", what, err, out)
	}
	if got.First != want || got.Whole != (want == 0) || (code == 0) != (want == 0) {
		c.t.Errorf("%s: exit %d, %+v, want %d", what, code, got, want)
	}
}

// Whatever is done to any row of the queue, verify names the first bad
// sequence.
func TestVerifyNamesTheFirstBadSequence(t *testing.T) {
	c := newCounterSet(t)
	c.brokenAt("untouched", 0)
	hashOf := func(b []byte) []byte { h := sum(b); return h[:] }
	for n := uint64(1); n <= recorded; n++ {
		row := fmt.Sprintf(" WHERE position = %d", n)
		sealed := c.sealed[n-1]
		// The events take turns with the bytes: a signature check is dear.
		for i := int(n-1) * 3; i < len(sealed); i += 3 * recorded {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << (i % 7)
			c.tamper("UPDATE event SET sealed = ?, hash = ?"+row, bad, hashOf(bad)) // so that the file is in order
			c.brokenAt(fmt.Sprintf("byte %d of event %d", i, n), n)
		}
		c.restore()
		for _, column := range []string{"sealed = CAST(substr(sealed, 2) AS BLOB)", "hash = randomblob(32)", "id = randomblob(16)"} {
			c.tamper("UPDATE event SET " + column + row)
			c.brokenAt(column+row, n)
			c.restore()
		}
		c.tamper("DELETE FROM event" + row)
		c.brokenAt("removed"+row, map[bool]uint64{true: 0, false: n}[n == 1]) // which may have been pruned
		c.restore()
		c.tamper("UPDATE event SET sealed = ?, hash = ?, id = randomblob(16)"+row, c.forks[n-1], hashOf(c.forks[n-1]))
		c.brokenAt("another one"+row, n)
		c.restore()
		if n < recorded {
			c.tamper("UPDATE event SET position = -1"+row+"; UPDATE event SET position = ?1 WHERE position = ?1 + 1; UPDATE event SET position = ?1 + 1 WHERE position = -1", n)
			c.brokenAt("swapped with the next"+row, n)
			c.restore()
			c.tamper("UPDATE event SET (hash, sealed) = (SELECT hash, sealed FROM kept"+row+") WHERE position = ?", n+1)
			c.brokenAt("written twice"+row, n+1)
			c.restore()
		}
		c.tamper("DELETE FROM event WHERE position >= ?", n)
		c.brokenAt(fmt.Sprint("cut off from ", n), n)
		c.restore()
	}
	c.tamper("INSERT INTO event SELECT ?, randomblob(16), at_ms, hash, sealed, note FROM kept WHERE position = ?", recorded+1, recorded)
	c.brokenAt("the last doubled", recorded+1)
	c.restore()
	c.tamper("DELETE FROM event WHERE position <= ?", confirmed+1) // more than could be pruned
	c.brokenAt("the beginning cut off", confirmed+1)
	c.restore()
	c.tamper("UPDATE watermark SET through = ?", recorded+1)
	c.brokenAt("the watermark behind the end", recorded+1)
	c.restore()
	c.tamper("UPDATE epoch SET id = randomblob(16)")
	c.brokenAt("another epoch", 1)
}

// What the hub has confirmed may be gone from the beginning, and is missed at the
// end. An end that it has not confirmed is known from the file beside the
// database; who removes that too is found out by the hub alone.
func TestVerifyKnowsWhatIsPruned(t *testing.T) {
	c := newCounterSet(t)
	c.tamper("DELETE FROM event WHERE position <= ?", confirmed)
	c.brokenAt("all that is confirmed pruned", 0)
	c.restore()
	c.tamper("DELETE FROM event")
	c.brokenAt("everything removed", 1)
	c.restore()
	if err := os.Remove(filepath.Join(filepath.Dir(c.queue), "queue.anchor")); err != nil {
		t.Fatal(err)
	}
	c.tamper("DELETE FROM event WHERE position > ?", confirmed)
	c.brokenAt("the end and all knowledge of it removed", 0)
	c.tamper("DELETE FROM event WHERE position >= ?", confirmed)
	c.brokenAt("one more, which the hub has confirmed", confirmed)
	c.restore()
	c.brokenAt("restored", 0)
}

func sum(b []byte) queue.Hash { return sha256.Sum256(b) }
