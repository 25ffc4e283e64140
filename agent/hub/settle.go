package hub

import (
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/hub/stay"
	"lintas/queue"
)

// What became of a correction.
const (
	CorrectionPending = "pending" // the crossing that it names is not here
	CorrectionApplied = "applied"
	CorrectionPartly  = "partly" // some of its fields cannot be amended
	CorrectionHash    = "hash"   // it names another hash than the crossing has
)

func readCrossing(plain []byte) (c crossing.Crossed, err error) {
	if json.Unmarshal(plain, &c) != nil {
		return c, errRecord // the error itself could quote the record
	}
	if c.Direction != stay.Departure && c.Direction != stay.Return {
		return c, errRecord
	}
	if c.Journey == nil {
		c.Journey = &crossing.Journey{}
	}
	return c, nil
}

// amend applies the changes of a crossing.amended, and tells whether it knew all
// of the fields.
func amend(c *crossing.Crossed, changes map[string]string) bool {
	whole := true
	for field, value := range changes {
		text, known := map[string]*string{
			"direction": &c.Direction, "entry_mode": &c.EntryMode,
			"issuing_state": &c.IssuingState, "document_number": &c.DocumentNumber, "date_of_expiry": &c.DateOfExpiry,
			"nationality": &c.Nationality, "primary": &c.Primary, "secondary": &c.Secondary, "date_of_birth": &c.DateOfBirth,
			"flight": &c.Journey.Flight, "from": &c.Journey.From, "to": &c.Journey.To, "vessel": &c.Journey.Vessel,
			"journey.flight": &c.Journey.Flight, "journey.from": &c.Journey.From, "journey.to": &c.Journey.To, "journey.vessel": &c.Journey.Vessel,
			"purpose": &c.Purpose, "return_reason": &c.ReturnReason, "placement_id": &c.PlacementID,
		}[field]
		switch {
		case field == "occurred_at":
			at, err := time.Parse(time.RFC3339, value)
			if whole = whole && err == nil; err == nil {
				c.OccurredAt = crossing.TimeOf(at)
			}
		case !known, field == "direction" && value != stay.Departure && value != stay.Return:
			whole = false
		default:
			*text = value
		}
	}
	return whole
}

// correct notes a void or an amendment, and applies it if its crossing is here.
func (w *feedWriter) correct(n int64, o openedRecord) error {
	id, err := uuid.Parse(o.corrected.CrossingID)
	if err != nil {
		return nil // it names nothing; the record itself is kept
	}
	hash, err := queue.ParseHash(o.corrected.CrossingHash)
	if err != nil {
		return nil
	}
	changes, err := json.Marshal(o.corrected.Changes)
	if err != nil {
		return err
	}
	err = w.exec(`INSERT INTO correction(n, type, crossing_id, crossing_hash, reason, changes, occurred_ms, state) VALUES(?, ?, ?, ?, ?, ?, ?, ?)`,
		n, string(o.kind), id[:], hash[:], o.corrected.Reason, string(changes), o.occurred.UnixMilli(), CorrectionPending)
	if err != nil {
		return err
	}
	list, err := w.numbers("SELECT n FROM crossing WHERE id = ?", id[:])
	for _, c := range list {
		if err == nil {
			err = w.settle(c)
		}
	}
	return err
}

func (w *feedWriter) numbers(query string, args ...any) (list []int64, err error) {
	rows, err := w.tx.query(w.ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, rows.Err()
}

// correction is a row of the table of that name.
type correction struct {
	n        int64
	kind     crossing.Type
	hash     []byte
	reason   string
	changes  string
	occurred int64
	state    string
}

func (w *feedWriter) corrections(id []byte) (list []correction, err error) {
	rows, err := w.tx.query(w.ctx, `SELECT n, type, crossing_hash, reason, changes, occurred_ms, state FROM correction
		WHERE crossing_id = ? ORDER BY occurred_ms, n`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c correction
		if err := rows.Scan(&c.n, &c.kind, &c.hash, &c.reason, &c.changes, &c.occurred, &c.state); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// settle writes how a crossing stands: the record as it came, with every
// correction that names its id and its hash, in their order in time. Whichever
// came first, the result is the same.
func (w *feedWriter) settle(n int64) error {
	var counter, site string
	var id, hash []byte
	var record sql.NullString
	err := w.tx.row(w.ctx, "SELECT counter, site, id, hash, record FROM opened WHERE n = ?", n).Scan(&counter, &site, &id, &hash, &record)
	if err != nil || !record.Valid {
		return err
	}
	c, err := readCrossing([]byte(record.String))
	if err != nil {
		return err
	}
	list, err := w.corrections(id)
	if err != nil {
		return err
	}
	var amended int
	var voided sql.NullInt64
	var voidReason string
	for _, by := range list {
		state := CorrectionApplied
		if is, err := w.isHash(by.hash, hash, counter, id); err != nil {
			return err
		} else if !is {
			state = CorrectionHash
		} else if by.kind == crossing.Voided {
			if !voided.Valid {
				voided, voidReason = sql.NullInt64{Int64: by.occurred, Valid: true}, by.reason
			}
		} else {
			var changes map[string]string
			if err := json.Unmarshal([]byte(by.changes), &changes); err != nil {
				return err
			}
			if amended++; !amend(&c, changes) {
				state = CorrectionPartly
			}
		}
		if state != by.state {
			if err := w.exec("UPDATE correction SET state = ? WHERE n = ?", state, by.n); err != nil {
				return err
			}
		}
	}
	occurred := c.OccurredAt.UnixMilli()
	if c.OccurredAt.IsZero() {
		if err := w.tx.row(w.ctx, "SELECT occurred_ms FROM opened WHERE n = ?", n).Scan(&occurred); err != nil {
			return err
		}
	}
	document := stay.Document{IssuingState: c.IssuingState, Number: c.DocumentNumber}.Key()
	traveller, err := w.travellerOf([]string{document}, stay.Person(c.Primary, c.Secondary, c.DateOfBirth))
	if err != nil {
		return err
	}
	before, err := w.numbers("DELETE FROM crossing WHERE n = ? RETURNING traveller", n)
	if err != nil {
		return err
	}
	err = w.exec(`INSERT INTO crossing(n, id, counter, site, direction, occurred_ms, drill, entry_mode, officer_id, decided_by, verdict,
		document, issuing_state, document_number, date_of_expiry, nationality, primary_name, secondary_name, date_of_birth,
		flight, journey_from, journey_to, purpose, return_reason, placement_id, traveller, amended, voided_ms, void_reason)
		VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		n, id, counter, site, c.Direction, occurred, truth(c.Drill), c.EntryMode, c.Officer, c.DecidedBy, c.Verdict,
		document, c.IssuingState, c.DocumentNumber, c.DateOfExpiry, c.Nationality, c.Primary, c.Secondary, c.DateOfBirth,
		Flight(c.Journey.Flight), c.Journey.From, c.Journey.To, c.Purpose, c.ReturnReason, c.PlacementID, traveller, amended, voided, voidReason)
	if err != nil {
		return err
	}
	for _, t := range append(before, traveller) {
		if err := w.advance(t); err != nil {
			return err
		}
	}
	return nil
}

// isHash tells whether a correction's hash is a crossing's: of the event that
// was opened, or of the same one as the counter wrapped it anew.
func (w *feedWriter) isHash(named, hash []byte, counter string, id []byte) (bool, error) {
	if string(named) == string(hash) {
		return true, nil
	}
	var one int
	err := w.tx.row(w.ctx, "SELECT 1 FROM event WHERE id = ? AND counter = ? AND hash = ? LIMIT 1", id, counter, named).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// travellerOf gives the number of the traveller to whom documents or a person
// belong, and notes that all of them are his. It errs to the side of too much:
// namesakes born on one day are one number, and package stay tells them apart.
func (w *feedWriter) travellerOf(documents []string, person string) (traveller int64, err error) {
	keys := travellerKeys(documents, person)
	var found []int64 // of each key; 0: new
	for _, key := range keys {
		var t int64
		err := w.tx.row(w.ctx, "SELECT traveller FROM traveller_key WHERE key = ?", key).Scan(&t)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, err
		}
		if found = append(found, t); t != 0 && (traveller == 0 || t < traveller) {
			traveller = t
		}
	}
	if traveller == 0 {
		w.traveller++
		traveller = w.traveller
	}
	merged := map[int64]bool{traveller: true, 0: true}
	for i, t := range found {
		if t == 0 {
			if err := w.exec("INSERT INTO traveller_key(key, traveller) VALUES(?, ?) ON CONFLICT DO NOTHING", keys[i], traveller); err != nil {
				return 0, err
			}
		}
		if merged[t] {
			continue
		}
		merged[t] = true
		for _, table := range []string{"crossing", "placement", "traveller_key"} {
			if err := w.exec("UPDATE "+table+" SET traveller = ? WHERE traveller = ?", traveller, t); err != nil {
				return 0, err
			}
		}
	}
	return traveller, nil
}

func travellerKeys(documents []string, person string) (keys []string) {
	for _, d := range documents {
		if d != "" {
			keys = append(keys, "d "+d)
		}
	}
	if person != "" {
		keys = append(keys, "p "+person)
	}
	return keys
}

// way is what a crossing does to a placement.
type way struct {
	n                 int64
	direction, reason string
	document, placed  string
	occurred          int64
}

// advance brings the status of a traveller's placements up to date: what the
// authority gave, and what the crossings since then have made of it. A void
// takes back what the crossing did.
func (w *feedWriter) advance(traveller int64) error {
	placements, err := placementsOf(w.ctx, w.tx.store, traveller, traveller)
	if err != nil || len(placements) == 0 {
		return err
	}
	ways, err := w.ways(traveller)
	if err != nil {
		return err
	}
	for _, p := range placements {
		status, by := p.given, sql.NullInt64{}
		for _, c := range ways {
			if c.occurred <= p.givenMS || !p.concerns(c.placed, c.document, placements) {
				continue
			}
			if next := status.After(c.direction, c.reason); next != status {
				status, by = next, sql.NullInt64{Int64: c.n, Valid: true}
			}
		}
		if status != p.Status || by != p.advancedBy {
			if err := w.exec("UPDATE placement SET status = ?, advanced_by = ? WHERE placement_id = ?", string(status), by, p.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *feedWriter) ways(traveller int64) (list []way, err error) {
	rows, err := w.tx.query(w.ctx, `SELECT n, direction, return_reason, document, placement_id, occurred_ms FROM crossing
		WHERE traveller = ? AND drill = 0 AND voided_ms IS NULL ORDER BY occurred_ms, n`, traveller)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c way
		if err := rows.Scan(&c.n, &c.direction, &c.reason, &c.document, &c.placed, &c.occurred); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
