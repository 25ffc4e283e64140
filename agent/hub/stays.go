package hub

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lintas/agent/hub/stay"
	"lintas/agent/journey"
	"lintas/mrz"
)

// Crossing is a departure or a return as it stands.
type Crossing struct {
	N              int64
	ID             uuid.UUID
	Counter, Site  string
	Direction      string
	Occurred       time.Time
	EntryMode      string // scan, wedge, ocr, typed
	IssuingState   string
	DocumentNumber string
	DateOfExpiry   string
	Nationality    string
	Primary        string
	Secondary      string
	DateOfBirth    string
	Flight         string
	To             string // where the journey ends
	ReturnReason   string
	Amended        int

	placed    string // the placement that the record names
	document  string
	traveller int64
}

// Format keeps the traveller out of whatever prints one by mistake.
func (Crossing) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(crossing)") }

// Doubtful tells whether the document was typed or read from a picture.
func (c *Crossing) Doubtful() bool { return c.EntryMode == "typed" || c.EntryMode == "ocr" }

// crossingColumns are what scanCrossing reads.
const crossingColumns = `c.n, c.id, c.counter, c.site, c.direction, c.occurred_ms, c.entry_mode, c.issuing_state, c.document_number, c.date_of_expiry,
	c.nationality, c.primary_name, c.secondary_name, c.date_of_birth, c.flight, c.journey_to, c.return_reason, c.amended,
	c.placement_id, c.document, c.traveller`

func crossings(ctx context.Context, q store, where string, args ...any) (list []*Crossing, err error) {
	rows, err := q.query(ctx, "SELECT "+crossingColumns+" FROM crossing c WHERE "+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c Crossing
		var id []byte
		var ms int64
		err := rows.Scan(&c.N, &id, &c.Counter, &c.Site, &c.Direction, &ms, &c.EntryMode, &c.IssuingState, &c.DocumentNumber, &c.DateOfExpiry,
			&c.Nationality, &c.Primary, &c.Secondary, &c.DateOfBirth, &c.Flight, &c.To, &c.ReturnReason, &c.Amended,
			&c.placed, &c.document, &c.traveller)
		if err != nil {
			return nil, err
		}
		if c.ID, err = uuid.FromBytes(id); err != nil {
			return nil, err
		}
		c.Occurred = time.UnixMilli(ms).UTC()
		list = append(list, &c)
	}
	return list, rows.Err()
}

// Stay is one time abroad as the ledger knows it.
type Stay struct {
	Outcome   stay.Outcome
	By        stay.By
	Ambiguous bool
	Departure *Crossing // nil: no departure is recorded
	Return    *Crossing // nil: no return is recorded
	Placement *Placed   // nil: none is known
	// PlacedBy says how the placement was found: record (the counter found
	// it), document, person.
	PlacedBy string
}

// Crossing is the departure or, where there is none, the return.
func (s Stay) Crossing() *Crossing {
	if s.Departure != nil {
		return s.Departure
	}
	return s.Return
}

// Doubtful tells whether either end was typed or read from a picture.
func (s Stay) Doubtful() bool {
	return s.Departure != nil && s.Departure.Doubtful() || s.Return != nil && s.Return.Doubtful()
}

// Destination is the country, ISO 3166-1 alpha-3: the placement's, or where the
// journey ends; "" if it is not known.
func (s Stay) Destination() string {
	if s.Placement != nil && s.Placement.Destination != "" {
		return s.Placement.Destination
	}
	if s.Departure != nil {
		return journey.Country(s.Departure.To)
	}
	return ""
}

// staysAtOnce is how many travellers are read at once.
var staysAtOnce = 512

// Stays goes through all stays that began, or of which nothing but the end is
// recorded, since a moment; traveller by traveller. It does not hold them in
// memory.
func (l *Ledger) Stays(ctx context.Context, since time.Time) iter.Seq2[Stay, error] {
	return func(yield func(Stay, error) bool) {
		for last := int64(0); ; {
			var from, to int64
			err := l.row(ctx, `SELECT coalesce(min(t), 0), coalesce(max(t), 0) FROM (SELECT DISTINCT traveller AS t FROM crossing
				WHERE traveller > ? AND occurred_ms >= ? ORDER BY traveller LIMIT ?) AS q`, last, since.UnixMilli(), staysAtOnce).Scan(&from, &to)
			var list []Stay
			if err == nil && from > 0 {
				list, err = l.staysOf(ctx, from, to)
			}
			if err != nil {
				yield(Stay{}, fmt.Errorf("cannot read ledger: %w", err))
				return
			}
			for _, s := range list {
				if !s.Crossing().Occurred.Before(since) && !yield(s, nil) {
					return
				}
			}
			if last = to; from == 0 {
				return
			}
		}
	}
}

// staysOf pairs the crossings of travellers by their numbers.
func (l *Ledger) staysOf(ctx context.Context, from, to int64) (stays []Stay, err error) {
	list, err := crossings(ctx, l.store, "c.traveller BETWEEN ? AND ? AND c.drill = 0 AND c.voided_ms IS NULL ORDER BY c.traveller, c.occurred_ms, c.n", from, to)
	if err != nil {
		return nil, err
	}
	placements, err := placementsOf(ctx, l.store, from, to)
	if err != nil {
		return nil, err
	}
	placed := map[int64][]*Placed{}
	for _, p := range placements {
		placed[p.traveller] = append(placed[p.traveller], p)
	}
	for len(list) > 0 {
		t := list[0].traveller
		n := slices.IndexFunc(list, func(c *Crossing) bool { return c.traveller != t })
		if n < 0 {
			n = len(list)
		}
		stays, list = append(stays, pair(list[:n], placed[t])...), list[n:]
	}
	return stays, nil
}

// pair pairs one traveller's crossings.
func pair(crossings []*Crossing, placements []*Placed) (stays []Stay) {
	of := map[int64]*Crossing{}
	var list []stay.Crossing
	for _, c := range crossings {
		of[c.N] = c
		in := stay.Crossing{N: c.N, Direction: c.Direction, At: c.Occurred, Doubtful: c.Doubtful(), Document: stay.Document{
			IssuingState: c.IssuingState, Number: c.DocumentNumber, Nationality: c.Nationality, Person: stay.Person(c.Primary, c.Secondary, c.DateOfBirth)}}
		if date, err := mrz.ParseDate(c.DateOfExpiry); err == nil {
			in.Expiry = date
		}
		for _, p := range placements {
			if c.document != "" && slices.Contains(p.documents, c.document) {
				in.Holders = append(in.Holders, p.ID)
			}
		}
		list = append(list, in)
	}
	for _, s := range stay.Pair(list) {
		found := Stay{Outcome: s.Outcome, By: s.By, Ambiguous: s.Ambiguous}
		if s.Departure != nil {
			found.Departure = of[s.Departure.N]
		}
		if s.Return != nil {
			found.Return = of[s.Return.N]
		}
		found.Placement, found.PlacedBy = placementOf(found.Crossing(), placements)
		stays = append(stays, found)
	}
	return stays
}

// placementOf finds the placement of a crossing among its traveller's.
func placementOf(c *Crossing, placements []*Placed) (*Placed, string) {
	for _, p := range placements {
		if c.placed != "" && p.ID == c.placed {
			return p, "record"
		}
	}
	for _, p := range placements {
		if c.document != "" && slices.Contains(p.documents, c.document) {
			return p, "document"
		}
	}
	person := stay.Person(c.Primary, c.Secondary, c.DateOfBirth)
	for _, p := range placements {
		if person != "" && p.person == person {
			return p, "person"
		}
	}
	return nil, ""
}

// Traveller gives the stays of all whose document or name could be that of one
// document.
func (l *Ledger) Traveller(ctx context.Context, issuingState, number string) ([]Stay, error) {
	key := stay.Document{IssuingState: strings.ToUpper(issuingState), Number: strings.ToUpper(number)}.Key()
	var t int64
	err := l.row(ctx, "SELECT coalesce(max(traveller), 0) FROM traveller_key WHERE key = ?", "d "+key).Scan(&t)
	if err == nil && t > 0 {
		var stays []Stay
		if stays, err = l.staysOf(ctx, t, t); err == nil {
			return stays, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read ledger: %w", err)
	}
	return nil, nil
}
