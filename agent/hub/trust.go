package hub

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"lintas/agent/crossing"
)

// trust notes keys of a counter in the ledger, where all hubs find them.
func (t tx) trust(ctx context.Context, counter string, keys crossing.Keys, now time.Time) error {
	var rows [][]any
	for id, key := range keys {
		rows = append(rows, []any{counter, id, []byte(key), now.UnixMilli()})
	}
	_, err := t.insert(ctx, keyColumns, rows, "ON CONFLICT DO NOTHING")
	return err
}

// Tell notes in the ledger which keys of counters are trusted in this folder,
// for the hubs on other machines.
func (l *Ledger) Tell(ctx context.Context, ring *KeyRing, counters []string) error {
	var rows [][]any
	for _, counter := range counters {
		keys, err := ring.For(counter)
		if err != nil {
			continue // a file that cannot be read is noticed where its key is missed
		}
		for _, id := range slices.Sorted(maps.Keys(keys)) {
			rows = append(rows, []any{counter, id, []byte(keys[id]), time.Now().UnixMilli()})
		}
	}
	err := l.attempt(ctx, func() error {
		_, err := l.insert(ctx, keyColumns, rows, "ON CONFLICT DO NOTHING")
		return err
	})
	if err != nil {
		return fmt.Errorf("cannot write ledger: %w", err)
	}
	return nil
}

const keyColumns = "counter_key(counter, kid, key, added_ms)"

// trustedKeys collects rows of n, counter, kid and key.
type trustedKeys map[string]crossing.Keys

func (t trustedKeys) scan(rows *sql.Rows, n *int64) error {
	var counter, id string
	var key []byte
	if err := rows.Scan(n, &counter, &id, &key); err != nil {
		return err
	}
	if t[counter] == nil {
		t[counter] = crossing.Keys{}
	}
	t[counter][id] = ed25519.PublicKey(key)
	return nil
}

// into brings them into the key folder. It tells which counters have one that
// was not there.
func (t trustedKeys) into(ring *KeyRing) (news []string, err error) {
	for counter, keys := range t {
		added, err := ring.add(counter, keys)
		if err != nil {
			return news, fmt.Errorf("cannot trust the keys of counter %s: %w", counter, err)
		}
		if added {
			news = append(news, counter)
		}
	}
	return news, nil
}

// learn brings the keys that the ledger has of some counters into the folder.
func (t tx) learn(ctx context.Context, ring *KeyRing, counters []string) error {
	found := trustedKeys{}
	err := t.among(ctx, "SELECT n, counter, kid, key FROM counter_key WHERE counter in ", anys(counters), func(rows *sql.Rows) error { return found.scan(rows, new(int64)) })
	if err == nil {
		_, err = found.into(ring)
	}
	return err
}

// Learn brings the keys that the ledger has into the key folder: those that
// another hub was told by a counter's former key, and those that an operator
// gave. Called again, it looks at what is new. It tells which counters have a
// key that was not in the folder. Who is revoked is marked there too.
func (l *Ledger) Learn(ctx context.Context, ring *KeyRing) (news []string, err error) {
	const overlap = 100 // numbers are given before they are committed
	rows, err := l.query(ctx, "SELECT n, counter, kid, key FROM counter_key WHERE n > ?", l.learnt.Load()-overlap)
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	found := trustedKeys{}
	var n, last int64
	for rows.Next() {
		if err := found.scan(rows, &n); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		last = max(last, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	if news, err = found.into(ring); err != nil {
		return news, err
	}
	l.learnt.Store(max(last, l.learnt.Load()))
	return news, l.learnRevoked(ctx, ring)
}

// learnRevoked brings into the key folder who is revoked.
func (l *Ledger) learnRevoked(ctx context.Context, ring *KeyRing) error {
	revoked, err := l.Revoked(ctx)
	if err != nil {
		return err
	}
	trusted, err := ring.Trusted()
	if err != nil {
		return nil // no folder: nobody is trusted
	}
	for _, c := range trusted {
		if err := ring.revoke(c, slices.Contains(revoked, c)); err != nil {
			return fmt.Errorf("cannot mark in the key folder who is revoked: %w", err)
		}
	}
	return nil
}
