package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lintas/agent/hub/stay"
)

// forgetAtOnce is how many records are forgotten in one transaction.
const forgetAtOnce = 500

// Forget deletes what was opened of personal data, of everything that happened
// before a moment and of what else it names. Which event there was, when and at
// which counter stays, and so does the sealed original: chains and counts can be
// verified as before. The original cannot be opened without the hub's identity;
// destroying that, once nothing needs it, makes it unreadable for good.
type Forget struct {
	Before       time.Time // zero: nothing by age
	Events       []uuid.UUID
	IssuingState string // with DocumentNumber: all that one document was in
	Document     string // its number; "" for none
}

// Forget forgets and notes it, and gives how many records that were.
func (l *Ledger) Forget(ctx context.Context, what Forget, by Access) (n int, err error) {
	for {
		part, err := l.forgetSome(ctx, what, by)
		n += part
		if err != nil {
			return n, fmt.Errorf("cannot forget: %w", err)
		}
		if part == 0 {
			return n, nil
		}
	}
}

func (l *Ledger) forgetSome(ctx context.Context, what Forget, by Access) (n int, err error) {
	tx, err := l.begin(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.rollback()
	w, err := lockFeed(ctx, tx)
	if err != nil {
		return 0, err
	}
	list, err := w.toForget(what)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	travellers := map[int64]bool{}
	for _, n := range list {
		id, err := w.forget(n, travellers)
		if err != nil {
			return 0, err
		}
		by.Events = append(by.Events, id)
	}
	for t := range travellers {
		if err := w.forgetKeys(t); err != nil {
			return 0, err
		}
	}
	by.Rows = len(list)
	if err := logAccess(ctx, tx.store, by); err != nil {
		return 0, err
	}
	return len(list), tx.commit()
}

// toForget lists some of what is to be forgotten, with the corrections of it.
func (w *feedWriter) toForget(what Forget) (list []int64, err error) {
	var where []string
	var args []any
	if !what.Before.IsZero() {
		where, args = append(where, "occurred_ms < ?"), append(args, what.Before.UnixMilli())
	}
	for _, id := range what.Events {
		where, args = append(where, "id = ?"), append(args, id[:])
	}
	if what.Document != "" {
		key := stay.Document{IssuingState: what.IssuingState, Number: what.Document}.Key()
		where = append(where, "document = ?", "n IN (SELECT c.n FROM crossing c WHERE c.document = ?)")
		args = append(args, key, key)
	}
	if where == nil {
		return nil, errors.New("nothing is named that is to be forgotten")
	}
	list, err = w.numbers("SELECT n FROM opened WHERE forgotten_ms IS NULL AND ("+strings.Join(where, " OR ")+") ORDER BY n LIMIT ?", append(args, forgetAtOnce)...)
	if err != nil {
		return nil, err
	}
	for _, n := range slices.Clone(list) {
		more, err := w.numbers(`SELECT k.n FROM correction k JOIN opened o ON o.id = k.crossing_id JOIN opened own ON own.n = k.n
			WHERE o.n = ? AND own.forgotten_ms IS NULL`, n)
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// forget empties one record, and notes whose it was. What a crossing has made of
// a placement stays.
func (w *feedWriter) forget(n int64, travellers map[int64]bool) (id uuid.UUID, err error) {
	var raw []byte
	if err := w.tx.row(w.ctx, "SELECT id FROM opened WHERE n = ?", n).Scan(&raw); err != nil {
		return id, err
	}
	err = w.exec(`UPDATE placement SET given_status = status, given_ms = (SELECT occurred_ms FROM crossing c WHERE c.n = advanced_by),
		advanced_by = NULL WHERE advanced_by = ?`, n)
	if err != nil {
		return id, err
	}
	whose, err := w.numbers("DELETE FROM crossing WHERE n = ? RETURNING traveller", n)
	if err != nil {
		return id, err
	}
	for _, t := range whose {
		travellers[t] = true
	}
	if err := w.exec(`UPDATE correction SET changes = '{}' WHERE n = ?`, n); err != nil {
		return id, err
	}
	err = w.exec(`UPDATE opened SET record = NULL, document = '', person = '', flight = '', officer_id = '', forgotten_ms = ? WHERE n = ?`,
		w.now.UnixMilli(), n)
	if err != nil {
		return id, err
	}
	return uuid.FromBytes(raw)
}

// forgetKeys drops the documents and names of a traveller that nothing has any
// more.
func (w *feedWriter) forgetKeys(traveller int64) error {
	placements, err := placementsOf(w.ctx, w.tx.store, traveller, traveller)
	if err != nil {
		return err
	}
	crossings, err := crossings(w.ctx, w.tx.store, "c.traveller = ?", traveller)
	if err != nil {
		return err
	}
	var keys []string
	for _, p := range placements {
		keys = append(keys, travellerKeys(p.documents, p.person)...)
	}
	for _, c := range crossings {
		keys = append(keys, travellerKeys([]string{c.document}, stay.Person(c.Primary, c.Secondary, c.DateOfBirth))...)
	}
	if err := w.exec("DELETE FROM traveller_key WHERE traveller = ?", traveller); err != nil {
		return err
	}
	for _, key := range keys {
		if err := w.exec("INSERT INTO traveller_key(key, traveller) VALUES(?, ?) ON CONFLICT DO NOTHING", key, traveller); err != nil {
			return err
		}
	}
	return nil
}

// Forgotten tells whether an event's record was forgotten.
func (l *Ledger) Forgotten(ctx context.Context, id uuid.UUID) (yes bool, err error) {
	var n int
	err = l.row(ctx, "SELECT count(*) FROM opened WHERE id = ? AND forgotten_ms IS NOT NULL", id[:]).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("cannot read ledger: %w", err)
	}
	return n > 0, nil
}
