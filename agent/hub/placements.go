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

	"lintas/agent/hub/stay"
	"lintas/agent/placement"
)

// loadBatch is how many placements are written in one transaction: events go on
// being received in between.
const loadBatch = 256

// Loaded says what a load of placements came to.
type Loaded struct {
	Placements int `json:"placements"` // read
	Removed    int `json:"removed"`
	Advanced   int `json:"advanced"` // stand differently from what the authority gave, by a crossing
}

// LoadPlacements takes over what the authority knows of placements: all of them,
// or changes. The source is read once before anything is written, so that a
// fault in it leaves the table as it was; a load that was cut off is made good by
// the next.
//
// A status that the authority gives anew counts from then on; one that it merely
// repeats does not undo what crossings have made of it.
func (l *Ledger) LoadPlacements(ctx context.Context, source func(each func(placement.Entry) error) error, changes bool) (r Loaded, err error) {
	if err := source(func(placement.Entry) error { return ctx.Err() }); err != nil {
		return r, err
	}
	var load int64
	if err := l.row(ctx, "SELECT coalesce(max(load), 0) + 1 FROM placement").Scan(&load); err != nil {
		return r, wrapLedger(err)
	}
	var batch []placement.Entry
	flush := func() error {
		removed, err := l.writePlacements(ctx, batch, load)
		r.Placements, r.Removed, batch = r.Placements+len(batch)-removed, r.Removed+removed, batch[:0]
		return wrapLedger(err)
	}
	err = source(func(e placement.Entry) error {
		if e.Removed && !changes {
			return errors.New("removed stands among changes only")
		}
		if batch = append(batch, e); len(batch) == loadBatch {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err == nil && !changes {
		var gone sql.Result
		if gone, err = l.exec(ctx, "DELETE FROM placement WHERE load < ?", load); err == nil {
			var n int64
			n, err = gone.RowsAffected()
			r.Removed += int(n)
		}
		err = wrapLedger(err)
	}
	if err == nil {
		err = wrapLedger(l.row(ctx, "SELECT count(*) FROM placement WHERE advanced_by IS NOT NULL").Scan(&r.Advanced))
	}
	return r, err
}

func (l *Ledger) writePlacements(ctx context.Context, batch []placement.Entry, load int64) (removed int, err error) {
	tx, err := l.begin(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.rollback()
	w, err := lockFeed(ctx, tx)
	if err != nil {
		return 0, err
	}
	for _, e := range batch {
		if e.Removed {
			removed++
			err = w.exec("DELETE FROM placement WHERE placement_id = ?", e.PlacementID)
		} else {
			err = w.place(e, load)
		}
		if err != nil {
			return removed, err
		}
	}
	if err := w.release(); err != nil {
		return removed, err
	}
	return removed, tx.commit()
}

// place writes one placement. An older revision of one that this load has had
// already is passed over.
func (w *feedWriter) place(e placement.Entry, load int64) error {
	given := w.now
	if at, err := time.Parse(time.RFC3339, e.UpdatedAt); err == nil {
		given = at
	}
	givenMS := given.UnixMilli()
	var rev, beforeMS, beforeLoad int64
	var before placement.Status
	err := w.tx.row(w.ctx, "SELECT rev, given_status, given_ms, load FROM placement WHERE placement_id = ?", e.PlacementID).
		Scan(&rev, &before, &beforeMS, &beforeLoad)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return err
	case beforeLoad == load && rev > e.Rev:
		return nil
	case before == e.Status:
		givenMS = beforeMS
	}
	var documents []string
	for _, d := range e.Documents {
		documents = append(documents, stay.Document{IssuingState: d.IssuingState, Number: d.DocumentNumber}.Key())
	}
	person := stay.Person(e.Primary, e.Secondary, e.DateOfBirth.String())
	traveller, err := w.travellerOf(documents, person)
	if err != nil {
		return err
	}
	entry, err := json.Marshal(e)
	if err != nil {
		return err
	}
	err = w.exec(`INSERT INTO placement(placement_id, rev, contract_from, status, given_status, given_ms, advanced_by, destination, agency_id, province, regency,
		person, traveller, entry, load) VALUES(?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (placement_id) DO UPDATE SET rev = excluded.rev, contract_from = excluded.contract_from, status = excluded.status,
		given_status = excluded.given_status, given_ms = excluded.given_ms, advanced_by = NULL, destination = excluded.destination,
		agency_id = excluded.agency_id, province = excluded.province, regency = excluded.regency, person = excluded.person,
		traveller = excluded.traveller, entry = excluded.entry, load = excluded.load`,
		e.PlacementID, e.Rev, e.ContractFrom.String(), string(e.Status), string(e.Status), givenMS, e.Destination, e.AgencyID, e.Province, e.Regency,
		person, traveller, string(entry), load)
	if err == nil {
		err = w.exec("DELETE FROM placement_document WHERE placement_id = ?", e.PlacementID)
	}
	for _, d := range documents {
		if err == nil {
			err = w.exec("INSERT INTO placement_document(document, placement_id) VALUES(?, ?) ON CONFLICT DO NOTHING", d, e.PlacementID)
		}
	}
	if err != nil {
		return err
	}
	return w.advance(traveller)
}

// Placements hands every placement on as it stands, for the next list.
func (l *Ledger) Placements(ctx context.Context) func(each func(placement.Entry) error) error {
	return func(each func(placement.Entry) error) error {
		rows, err := l.query(ctx, "SELECT entry, status FROM placement ORDER BY placement_id")
		if err != nil {
			return fmt.Errorf("cannot read ledger: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var text, status string
			var e placement.Entry
			if err := rows.Scan(&text, &status); err != nil {
				return fmt.Errorf("cannot read ledger: %w", err)
			}
			if json.Unmarshal([]byte(text), &e) != nil {
				return errors.New("cannot read ledger: a placement is not what was written")
			}
			e.Status = placement.Status(status)
			if err := each(e); err != nil {
				return err
			}
		}
		return rows.Err()
	}
}

// Placed is a placement as headquarters knows it.
type Placed struct {
	ID          string
	Status      placement.Status
	Destination string
	Agency      string
	Province    string
	Regency     string

	rev        int64
	contract   string // from
	given      placement.Status
	givenMS    int64
	advancedBy sql.NullInt64
	person     string
	traveller  int64
	documents  []string
}

// placementsOf reads the placements of travellers, by their numbers, the latest
// contract of each first.
func placementsOf(ctx context.Context, q store, from, to int64) (list []*Placed, err error) {
	rows, err := q.query(ctx, `SELECT p.placement_id, p.rev, p.contract_from, p.status, p.given_status, p.given_ms, p.advanced_by,
		p.destination, p.agency_id, p.province, p.regency, p.person, p.traveller, coalesce(d.document, '')
		FROM placement p LEFT JOIN placement_document d ON d.placement_id = p.placement_id
		WHERE p.traveller BETWEEN ? AND ? ORDER BY p.traveller, p.placement_id`, from, to)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Placed
		var document string
		if err := rows.Scan(&p.ID, &p.rev, &p.contract, &p.Status, &p.given, &p.givenMS, &p.advancedBy, &p.Destination, &p.Agency, &p.Province,
			&p.Regency, &p.person, &p.traveller, &document); err != nil {
			return nil, err
		}
		if n := len(list); n == 0 || list[n-1].ID != p.ID {
			list = append(list, &p)
		}
		last := list[len(list)-1]
		last.documents = append(last.documents, document)
	}
	slices.SortStableFunc(list, func(a, b *Placed) int {
		return cmp.Or(cmp.Compare(a.traveller, b.traveller), -cmp.Compare(a.contract, b.contract), -cmp.Compare(a.rev, b.rev))
	})
	return list, rows.Err()
}

// concerns tells whether a crossing belongs to the placement: its record names
// it, or names none that the traveller has and the document is one of its.
func (p *Placed) concerns(placed, document string, all []*Placed) bool {
	if slices.ContainsFunc(all, func(o *Placed) bool { return o.ID == placed }) {
		return p.ID == placed
	}
	return document != "" && slices.Contains(p.documents, document)
}
