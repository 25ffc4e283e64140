package hub

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"lintas/agent/crossing"
	"lintas/queue"
)

// Word is an operator's: who decides, and why. It is kept with what he decided.
type Word struct{ Officer, Why string }

// What an operator decides, as the ledger's table decision has it.
const (
	DecidedAdd    = "counter.add"
	DecidedRevoke = "counter.revoke"
	DecidedAccept = "aside.accept"
	DecidedReject = "aside.reject"
)

func (t tx) decide(ctx context.Context, what, counter, subject string, word Word) error {
	_, err := t.exec(ctx, "INSERT INTO decision(at_ms, what, counter, subject, officer, why) VALUES(?, ?, ?, ?, ?, ?)",
		time.Now().UnixMilli(), what, counter, subject, word.Officer, word.Why)
	return err
}

// AddCounter trusts keys for a counter, also one that was revoked, in the ledger
// for all hubs and in the key folder, and takes in what was kept aside because
// they were not trusted.
func (l *Ledger) AddCounter(ctx context.Context, ring *KeyRing, counter string, keys crossing.Keys, word Word) (Result, error) {
	if !crossing.ValidCounter(counter) {
		return Result{}, fmt.Errorf("cannot add counter: %q is not a counter's id (A-Z, 0-9, -, 3 to 32 characters)", counter)
	}
	if _, err := ring.add(counter, keys); err != nil {
		return Result{}, fmt.Errorf("cannot add counter: %w", err)
	}
	err := l.ruling(ctx, counter, func(t tx) error {
		if _, err := t.exec(ctx, "UPDATE counter SET revoked_ms = NULL WHERE counter = ?", counter); err != nil {
			return err
		}
		if err := t.trust(ctx, counter, keys, time.Now()); err != nil {
			return err
		}
		for id := range keys {
			if err := t.decide(ctx, DecidedAdd, counter, id, word); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Result{}, err
	}
	if err := ring.revoke(counter, false); err != nil {
		return Result{}, fmt.Errorf("cannot add counter: %w", err)
	}
	return l.Retake(ctx, ring, counter)
}

// Revoke accepts nothing new of a counter from now on: what it sends is kept
// aside. What it sent before stays, and can be verified.
func (l *Ledger) Revoke(ctx context.Context, ring *KeyRing, counter string, word Word) error {
	known := true
	err := l.ruling(ctx, counter, func(t tx) error {
		r, err := t.exec(ctx, "UPDATE counter SET revoked_ms = ? WHERE counter = ? AND revoked_ms IS NULL", time.Now().UnixMilli(), counter)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if known = n > 0; err != nil || !known {
			return err
		}
		return t.decide(ctx, DecidedRevoke, counter, "", word)
	})
	switch {
	case err != nil:
		return err
	case !known:
		return fmt.Errorf("cannot revoke counter %s: it is revoked already", counter)
	}
	if err := ring.revoke(counter, true); err != nil {
		return fmt.Errorf("the counter is revoked, but cannot be marked in the key folder: %w", err)
	}
	return nil
}

// ruling decides something about a counter while its row is locked.
func (l *Ledger) ruling(ctx context.Context, counter string, work func(tx) error) error {
	err := l.attempt(ctx, func() error {
		t, err := l.begin(ctx, nil)
		if err != nil {
			return err
		}
		defer t.rollback()
		if err := t.lock(ctx, []string{counter}, []string{counter}, func(string, int64, bool) {}); err != nil {
			return err
		}
		if err := work(t); err != nil {
			return err
		}
		return t.commit()
	})
	if err != nil {
		return fmt.Errorf("cannot write ledger: %w", err)
	}
	return nil
}

// Revoked lists the counters that are revoked.
func (l *Ledger) Revoked(ctx context.Context) (list []string, err error) {
	rows, err := l.query(ctx, "SELECT counter FROM counter WHERE revoked_ms IS NOT NULL ORDER BY counter")
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c string
		if err := rows.Scan(&c); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// Provisional is a key that nobody trusts yet, as the counter itself names it in
// an event that was kept aside: signed with the key that it names.
type Provisional struct {
	Counter    string    `json:"counter"`
	KeyID      string    `json:"key_id"` // the RFC 7638 thumbprint
	ReceivedAt time.Time `json:"received_at"`

	Keys crossing.Keys `json:"-"`
}

// Provisionals lists the keys that a counter asks to be trusted for, the oldest
// first; counter "" is all. It needs the hub's identity.
func (l *Ledger) Provisionals(ctx context.Context, ring *KeyRing, counter string) (found []Provisional, err error) {
	identities, err := ring.Identities()
	if err != nil {
		return nil, err
	}
	rows, err := l.query(ctx, "SELECT sealed, received_ms FROM aside WHERE reason = ? AND decision IS NULL ORDER BY n", AsideKey)
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var sealed []byte
		var received int64
		if err := rows.Scan(&sealed, &received); err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		claimed := crossing.ClaimedCounter(sealed)
		if claimed == "" || counter != "" && claimed != counter {
			continue
		}
		p := Provisional{Counter: claimed, ReceivedAt: time.UnixMilli(received).UTC()}
		if p.KeyID, p.Keys, err = crossing.OwnKey(sealed, identities...); err != nil {
			continue // another event, or somebody's invention
		}
		if !slices.ContainsFunc(found, func(o Provisional) bool { return o.Counter == p.Counter && o.KeyID == p.KeyID }) {
			found = append(found, p)
		}
	}
	return found, rows.Err()
}

// Standing is how a counter stands.
type Standing struct {
	Counter    string          `json:"counter"`
	Trust      string          `json:"trust"` // trusted, revoked, none
	KeyIDs     []string        `json:"key_ids"`
	Epoch      string          `json:"epoch"`   // of what was heard last
	Through    uint64          `json:"through"` // sequence up to which it is in the ledger
	HeardAt    *time.Time      `json:"heard_at"`
	Owed       int             `json:"owed"`
	Waiting    int             `json:"waiting"` // events that wait for one before them
	Aside      map[string]int  `json:"aside"`   // by reason, undecided
	Online     *bool           `json:"online"`  // null: it never said
	SaidAt     *time.Time      `json:"said_at"` // when this hub got it
	QueueDepth *uint64         `json:"queue_depth"`
	Oldest     *crossing.Time  `json:"queue_oldest"`
	Conditions json.RawMessage `json:"conditions"`
}

// Standings tells how every counter stands that is trusted or was heard of, in
// the order of their names.
func (l *Ledger) Standings(ctx context.Context, ring *KeyRing) ([]*Standing, error) {
	counters, err := l.Counters(ctx)
	if err != nil {
		return nil, err
	}
	known, err := ring.Trusted()
	if err != nil {
		known = nil // no folder
	}
	revoked, err := l.Revoked(ctx)
	if err != nil {
		return nil, err
	}
	at := map[string]*Standing{}
	var list []*Standing
	for _, c := range union(counters, known) {
		s := &Standing{Counter: c, Trust: "none", KeyIDs: []string{}, Aside: map[string]int{}, Conditions: json.RawMessage("[]")}
		keys, err := ring.For(c)
		if err != nil {
			return nil, err
		}
		for id := range keys {
			s.KeyIDs, s.Trust = append(s.KeyIDs, id), "trusted"
		}
		slices.Sort(s.KeyIDs)
		if slices.Contains(revoked, c) {
			s.Trust = "revoked"
		}
		list, at[c] = append(list, s), s
	}
	each := func(query string, scan func(*sql.Rows) error) {
		if err != nil {
			return
		}
		var rows *sql.Rows
		if rows, err = l.query(ctx, query); err != nil {
			return
		}
		defer rows.Close()
		for err == nil && rows.Next() {
			err = scan(rows)
		}
		err = errors.Join(err, rows.Err())
	}
	each("SELECT counter, epoch, through, coalesce(heard_ms, seen_ms) FROM epoch ORDER BY coalesce(heard_ms, seen_ms), rowid", func(rows *sql.Rows) error {
		var c string
		var epoch []byte
		var through uint64
		var heard int64
		err := rows.Scan(&c, &epoch, &through, &heard)
		if s := at[c]; err == nil && s != nil {
			t := time.UnixMilli(heard).UTC()
			s.Epoch, s.Through, s.HeardAt = queue.Epoch(epoch).String(), through, &t
		}
		return err
	})
	each("SELECT counter, 'owed', count(*) FROM owed GROUP BY counter UNION ALL SELECT counter, 'waiting', count(*) FROM waiting GROUP BY counter", func(rows *sql.Rows) error {
		var c, what string
		var n int
		err := rows.Scan(&c, &what, &n)
		if s := at[c]; err == nil && s != nil && what == "owed" {
			s.Owed = n
		} else if s != nil {
			s.Waiting = n
		}
		return err
	})
	each("SELECT counter, reason, count(*) FROM aside WHERE decision IS NULL GROUP BY counter, reason", func(rows *sql.Rows) error {
		var c, reason string
		var n int
		err := rows.Scan(&c, &reason, &n)
		if s := at[c]; err == nil && s != nil {
			s.Aside[reason] = n
		}
		return err
	})
	each("SELECT counter, message, received_ms FROM state", func(rows *sql.Rows) error {
		var c, message string
		var received int64
		err := rows.Scan(&c, &message, &received)
		var said crossing.State
		if s := at[c]; err == nil && s != nil && json.Unmarshal([]byte(message), &said) == nil {
			t := time.UnixMilli(received).UTC()
			s.Online, s.SaidAt, s.QueueDepth, s.Oldest = &said.Online, &t, &said.QueueDepth, said.QueueOldest
			if len(said.Conditions) > 0 {
				s.Conditions, err = json.Marshal(said.Conditions)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	return list, nil
}

// Kept is an event that was kept aside, as far as it can be told without
// opening or believing it.
type Kept struct {
	N          int64     `json:"n"`
	Counter    string    `json:"counter"` // "": of a topic that names nobody who is trusted
	Reason     string    `json:"reason"`
	ReceivedAt time.Time `json:"received_at"`
	Bytes      int       `json:"bytes"`
	Decision   string    `json:"decision"` // "" while nobody has decided, or "rejected"
	// What it says of itself.
	Claims   string `json:"claims_counter"`
	KeyID    string `json:"key_id"`
	Epoch    string `json:"epoch"`
	Sequence uint64 `json:"sequence"`

	sealed []byte
	hash   []byte
}

// Kept lists what is kept aside, the oldest first, what came together in the
// order of the chains.
func (l *Ledger) Kept(ctx context.Context) (list []Kept, err error) {
	rows, err := l.query(ctx, "SELECT n, counter, reason, received_ms, coalesce(decision, ''), sealed, hash FROM aside ORDER BY n")
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		k, err := scanKept(rows)
		if err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		k.sealed = nil // up to 64 KiB each
		list = append(list, k)
	}
	slices.SortStableFunc(list, func(a, b Kept) int { return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt), inChain(a, b)) })
	return list, rows.Err()
}

// inChain compares by counter, epoch and sequence.
func inChain(a, b Kept) int {
	return cmp.Or(cmp.Compare(a.Claims, b.Claims), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Sequence, b.Sequence))
}

func scanKept(row interface{ Scan(...any) error }) (k Kept, err error) {
	var received int64
	if err := row.Scan(&k.N, &k.Counter, &k.Reason, &received, &k.Decision, &k.sealed, &k.hash); err != nil {
		return k, err
	}
	k.ReceivedAt, k.Bytes, k.Claims = time.UnixMilli(received).UTC(), len(k.sealed), crossing.ClaimedCounter(k.sealed)
	if at, err := crossing.ClaimedPosition(k.sealed); err == nil {
		k.Epoch, k.Sequence = at.Epoch.String(), at.Sequence
	}
	k.KeyID, _ = crossing.Signer(k.sealed)
	return k, nil
}

// Ruled is what became of something kept aside on which an operator decided.
type Ruled struct {
	N       int64  `json:"n"`
	Counter string `json:"counter"`
	Reason  string `json:"reason"` // why it was not taken in; "" where it was, or was rejected
}

// Accept takes in what was kept aside, in the order of the chains, also of a
// counter that is revoked. It does not make fit what does not: a key must be
// trusted, and the place in the chain free.
func (l *Ledger) Accept(ctx context.Context, ring *KeyRing, numbers []int64, word Word) (ruled []Ruled, err error) {
	all, err := l.undecided(ctx, numbers)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(all, inChain)
	for _, k := range all {
		r := Ruled{N: k.N, Counter: k.Claims}
		_, err := l.ingest(ctx, ring, []string{k.Claims}, func(in *ingest) error {
			d := Delivery{Counter: k.Claims, Sealed: k.sealed}
			var a arrival
			if a, r.Reason = ring.arrival(d); r.Reason != "" {
				return nil
			}
			row := in.counters[a.counter]
			if row == nil {
				r.Reason = AsideKey
				return nil
			}
			row.revoked = false // for this one
			out, err := in.take(a)
			if r.Reason = out.Reason; err != nil || r.Reason != "" {
				return err
			}
			of := chainOf{a.counter, a.at.Epoch}
			in.chain(of).heard = true
			in.result.answer(a.counter)
			if _, err := in.tx.exec(ctx, "DELETE FROM aside WHERE hash = ?", k.hash); err != nil {
				return err
			}
			if err := in.tx.decide(ctx, DecidedAccept, a.counter, queue.Hash(k.hash).String(), word); err != nil {
				return err
			}
			return nil
		})
		if err != nil {
			return ruled, err
		}
		ruled = append(ruled, r)
	}
	return ruled, nil
}

// Reject marks what was kept aside: it stays, and nobody is asked again.
func (l *Ledger) Reject(ctx context.Context, numbers []int64, word Word) (ruled []Ruled, err error) {
	all, err := l.undecided(ctx, numbers)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		err := l.attempt(ctx, func() error {
			t, err := l.begin(ctx, nil)
			if err != nil {
				return err
			}
			defer t.rollback()
			if _, err := t.exec(ctx, "UPDATE aside SET decision = 'rejected' WHERE n = ?", k.N); err != nil {
				return err
			}
			if err := t.decide(ctx, DecidedReject, k.Claims, queue.Hash(k.hash).String(), word); err != nil {
				return err
			}
			return t.commit()
		})
		if err != nil {
			return ruled, fmt.Errorf("cannot write ledger: %w", err)
		}
		ruled = append(ruled, Ruled{N: k.N, Counter: k.Claims})
	}
	return ruled, nil
}

func (l *Ledger) undecided(ctx context.Context, numbers []int64) (list []Kept, err error) {
	for _, n := range numbers {
		k, err := scanKept(l.row(ctx, "SELECT n, counter, reason, received_ms, coalesce(decision, ''), sealed, hash FROM aside WHERE n = ?", n))
		switch {
		case errors.Is(err, sql.ErrNoRows):
			return nil, fmt.Errorf("nothing is kept aside under number %d", n)
		case err != nil:
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		case k.Decision != "":
			return nil, fmt.Errorf("number %d is %s already", n, k.Decision)
		}
		list = append(list, k)
	}
	return list, nil
}
