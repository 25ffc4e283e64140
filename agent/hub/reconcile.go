package hub

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lintas/agent/crossing"
	"lintas/agent/hub/stay"
)

// Passenger is one line of a manifest: somebody who was on board.
type Passenger struct {
	Line           int    `json:"line"`
	IssuingState   string `json:"issuing_state"`
	DocumentNumber string `json:"document_number"`
	Primary        string `json:"primary"`
	Secondary      string `json:"secondary"`
	DateOfBirth    string `json:"date_of_birth"` // YYYY-MM-DD

	flight   Flown
	document string
	person   string
}

// Format keeps the passenger out of whatever prints one by mistake.
func (Passenger) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(passenger)") }

// Flown is one flight: its number, and when it was to depart or to arrive.
type Flown struct {
	Flight    string
	Scheduled time.Time
}

// around is how long before and after its time a flight's travellers are
// inspected at most: half of the day until there is one of the same number.
const around = 12 * time.Hour

// ReadManifest reads those on board from CSV. The first line names the columns,
// in any order:
//
//	flight           carrier and number: CX798
//	scheduled_at     when it was to depart or arrive, RFC 3339
//	document_number  of the travel document
//	issuing_state    of the document, as its machine-readable zone has it
//	primary, secondary, date_of_birth  the name and the birth date, YYYY-MM-DD
//
// Other columns are passed over. Every line needs the flight, and a document or
// a name with a birth date. What is wrong is told with its line, never with what
// stands there.
func ReadManifest(name string, r io.Reader) (list []Passenger, err error) {
	in := csv.NewReader(r)
	in.TrimLeadingSpace = true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("cannot read manifest %s: the first line with the columns' names is missing", filepath.Base(name))
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	var faults []error
	for len(faults) < 100 {
		record, err := in.Read()
		if err == io.EOF {
			break
		}
		line, _ := in.FieldPos(0)
		if bad, ok := errors.AsType[*csv.ParseError](err); ok {
			faults = append(faults, fmt.Errorf("%s:%d: %w", filepath.Base(name), bad.Line, bad.Err))
			continue
		} else if err != nil {
			return nil, fmt.Errorf("cannot read manifest: %w", err)
		}
		field := func(name string) string {
			if i := slices.Index(head, name); i >= 0 {
				return strings.TrimSpace(record[i])
			}
			return ""
		}
		p := Passenger{Line: line, IssuingState: strings.ToUpper(field("issuing_state")), DocumentNumber: strings.ToUpper(field("document_number")),
			Primary: field("primary"), Secondary: field("secondary"), DateOfBirth: field("date_of_birth")}
		p.flight.Flight = Flight(field("flight"))
		p.document = stay.Document{IssuingState: p.IssuingState, Number: p.DocumentNumber}.Key()
		p.person = stay.Person(p.Primary, p.Secondary, p.DateOfBirth)
		p.flight.Scheduled, err = time.Parse(time.RFC3339, field("scheduled_at"))
		p.flight.Scheduled = p.flight.Scheduled.UTC()
		switch {
		case p.flight.Flight == "":
			err = errors.New("flight is missing")
		case err != nil:
			err = errors.New("scheduled_at is not a time like 2026-11-23T10:30:00+07:00")
		case p.document == "" && p.person == "":
			err = errors.New("neither a document_number nor a name with its date_of_birth")
		case p.document != "" && p.IssuingState == "":
			err = errors.New("issuing_state is missing")
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: %w", filepath.Base(name), line, err))
		}
		list = append(list, p)
	}
	if faults != nil {
		return nil, fmt.Errorf("nothing was compared:\n%w", errors.Join(faults...))
	}
	return list, nil
}

// Seen is somebody whom a counter inspected.
type Seen struct {
	Event    uuid.UUID // inspection.opened, or the crossing where only that is here
	Counter  string
	At       time.Time
	Flight   string // as the counter had it
	Crossed  bool   // a crossing was recorded
	Document crossing.Document

	document, person string
}

// Format keeps the traveller out of whatever prints one by mistake.
func (Seen) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(traveller)") }

// Boarded is a passenger and the inspection of the same traveller.
type Boarded struct {
	Passenger
	Seen *Seen  // nil: there is none
	By   string // document, or person: another document of the same name and birth date
}

// Reconciliation compares those who were on board of one flight with those who
// were inspected for it. No chain of events shows somebody who was never
// scanned; a manifest does.
type Reconciliation struct {
	Flown
	Matched             []Boarded // on board, inspected, crossing recorded
	BoardedNotInspected []Boarded
	BoardedNotCrossed   []Boarded // on board and inspected, but no crossing was recorded: referred or postponed
	InspectedNotBoarded []*Seen   // the crossing was recorded
	NotCrossed          []*Seen   // inspected, no crossing recorded, and not on board: as it should be
}

// Differ tells whether there is something to look into.
func (r Reconciliation) Differ() bool {
	return len(r.BoardedNotInspected)+len(r.BoardedNotCrossed)+len(r.InspectedNotBoarded) > 0
}

// Reconcile compares manifests with the ledger, flight by flight in the order of
// the manifest.
func (l *Ledger) Reconcile(ctx context.Context, passengers []Passenger) (list []Reconciliation, err error) {
	of := map[Flown][]Passenger{}
	var flights []Flown
	for _, p := range passengers {
		if of[p.flight] == nil {
			flights = append(flights, p.flight)
		}
		of[p.flight] = append(of[p.flight], p)
	}
	for _, f := range flights {
		r, err := l.reconcile(ctx, f, of[f])
		if err != nil {
			return nil, fmt.Errorf("cannot read ledger: %w", err)
		}
		list = append(list, r)
	}
	return list, nil
}

func (l *Ledger) reconcile(ctx context.Context, f Flown, passengers []Passenger) (r Reconciliation, err error) {
	r.Flown = f
	seen := &sightings{byDocument: map[string]*Seen{}, byPerson: map[string]*Seen{}}
	from, to := f.Scheduled.Add(-around).UnixMilli(), f.Scheduled.Add(around).UnixMilli()
	find := func(where string, args ...any) error {
		return l.sightings(ctx, seen, where+" AND o.occurred_ms >= ? AND o.occurred_ms < ?", append(args, from, to)...)
	}
	if err := find("coalesce(c.flight, o.flight) = ?", f.Flight); err != nil {
		return r, err
	}
	for _, p := range passengers {
		s, _ := seen.find(p.document, p.person)
		// Perhaps the counter had set another flight, or none.
		if s == nil && p.document != "" {
			err = find("coalesce(c.document, o.document) = ?", p.document)
		}
		if s == nil && err == nil && p.person != "" {
			err = find("o.person = ?", p.person)
		}
		if err != nil {
			return r, err
		}
	}
	boarded := map[*Seen]bool{}
	for _, p := range passengers {
		s, by := seen.find(p.document, p.person)
		b := Boarded{p, s, by}
		switch {
		case s == nil:
			r.BoardedNotInspected = append(r.BoardedNotInspected, b)
		case !s.Crossed:
			r.BoardedNotCrossed = append(r.BoardedNotCrossed, b)
		default:
			r.Matched = append(r.Matched, b)
		}
		boarded[s] = true
	}
	for _, s := range seen.list {
		switch {
		case boarded[s] || s.Flight != f.Flight:
		case s.Crossed:
			r.InspectedNotBoarded = append(r.InspectedNotBoarded, s)
		default:
			r.NotCrossed = append(r.NotCrossed, s)
		}
	}
	return r, nil
}

// sightings are those who were inspected, each once however often his document
// was scanned.
type sightings struct {
	list                 []*Seen
	byDocument, byPerson map[string]*Seen
}

func (s *sightings) find(document, person string) (*Seen, string) {
	if found := s.byDocument[document]; found != nil && document != "" {
		return found, "document"
	}
	if found := s.byPerson[person]; found != nil && person != "" {
		return found, "person"
	}
	return nil, ""
}

func (s *sightings) add(n *Seen) {
	if n.document != "" {
		if found := s.byDocument[n.document]; found != nil {
			found.Crossed = found.Crossed || n.Crossed
			if n.Crossed && n.Flight != "" {
				found.Flight = n.Flight // the crossing's is the last word
			}
			return
		}
		s.byDocument[n.document] = n
	}
	s.list = append(s.list, n)
	if n.person != "" && s.byPerson[n.person] == nil {
		s.byPerson[n.person] = n
	}
}

// sightings adds inspections, and crossings that stand.
func (l *Ledger) sightings(ctx context.Context, to *sightings, where string, args ...any) error {
	rows, err := l.query(ctx, `SELECT o.id, o.counter, o.type, o.occurred_ms, coalesce(c.flight, o.flight), coalesce(c.document, o.document), o.person,
		coalesce(o.record, '{}'), coalesce(c.issuing_state, ''), coalesce(c.document_number, '')
		FROM opened o LEFT JOIN crossing c ON c.n = o.n
		WHERE o.drill = 0 AND (o.type = 'inspection.opened' OR c.n IS NOT NULL AND c.voided_ms IS NULL) AND `+where+` ORDER BY o.occurred_ms, o.n`, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var s Seen
		var id []byte
		var kind, record, state, number string
		var ms int64
		if err := rows.Scan(&id, &s.Counter, &kind, &ms, &s.Flight, &s.document, &s.person, &record, &state, &number); err != nil {
			return err
		}
		if s.Event, err = uuid.FromBytes(id); err != nil {
			return err
		}
		if json.Unmarshal([]byte(record), &s.Document) != nil {
			return errRecord
		}
		if number != "" {
			s.Document.IssuingState, s.Document.DocumentNumber = state, number // amended, perhaps
		}
		s.At, s.Crossed = time.UnixMilli(ms).UTC(), kind != string(crossing.InspectionOpened)
		to.add(&s)
	}
	return rows.Err()
}
