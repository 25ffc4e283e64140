package crossing

import (
	"log/slog"

	"lintas/mrz"
)

// Stamp is what every record says about its moment and its machine.
type Stamp struct {
	Schema      string `json:"schema"` // urn:lintas:record:<type>:1
	OccurredAt  Time   `json:"occurred_at"`
	BootID      string `json:"boot_id"`
	MonotonicMS int64  `json:"monotonic_ms"` // since that boot: clock jumps stay visible
	ClockState  string `json:"clock_state"`  // ntp, holdover or unknown
	Drill       bool   `json:"drill"`        // not a real crossing: training or a test
}

func (s *Stamp) stamp() *Stamp { return s }

// Record is the content of an event, encrypted to the hub. Every record
// embeds a Stamp.
type Record interface{ stamp() *Stamp }

// Place says where a counter stands.
type Place struct {
	Site     string `json:"site,omitempty"` // UN/LOCODE, or the authority's own code
	Terminal string `json:"terminal,omitempty"`
	Lane     string `json:"lane,omitempty"`
	LaneKind string `json:"lane_kind,omitempty"` // normal, fast, crew, autogate
}

// Document is the travel document as it was read, in the names of Doc 9303
// and of `lintas mrz --json`.
type Document struct {
	Format         string       `json:"format"`
	Valid          bool         `json:"valid"`
	DocumentCode   string       `json:"document_code"`
	IssuingState   string       `json:"issuing_state"`
	Primary        string       `json:"primary"`
	Secondary      string       `json:"secondary"`
	NameTruncated  bool         `json:"name_truncated"`
	DocumentNumber string       `json:"document_number"`
	Nationality    string       `json:"nationality"`
	DateOfBirth    string       `json:"date_of_birth"`
	Sex            string       `json:"sex"`
	DateOfExpiry   string       `json:"date_of_expiry"`
	OptionalData   []string     `json:"optional_data"`
	Checks         []mrz.Check  `json:"checks"`
	Repairs        []mrz.Repair `json:"repairs"`
	Findings       []string     `json:"findings"` // codes
}

// String keeps the traveller out of whatever prints a record by mistake: every
// record that holds a Document embeds it, and this method with it.
func (Document) String() string { return "(travel document)" }

// GoString does the same for %#v.
func (Document) GoString() string { return "(travel document)" }

// LogValue does the same for logs.
func (Document) LogValue() slog.Value { return slog.StringValue("(travel document)") }

// DocumentOf takes over what the parser read.
func DocumentOf(d mrz.Document) Document {
	doc := Document{
		Format: string(d.Format), Valid: d.Valid,
		DocumentCode: d.DocumentCode, IssuingState: d.IssuingState,
		Primary: d.Name.Primary(), Secondary: d.Name.Secondary(), NameTruncated: d.Name.Truncated,
		DocumentNumber: d.DocumentNumber, Nationality: d.Nationality,
		DateOfBirth: d.DateOfBirth.String(), Sex: string(d.Sex), DateOfExpiry: d.DateOfExpiry.String(),
		OptionalData: d.Optional(),
		Checks:       d.Checks.List(),
		Repairs:      append([]mrz.Repair{}, d.Repairs...),
		Findings:     []string{},
	}
	for _, f := range d.Findings {
		doc.Findings = append(doc.Findings, f.Code)
	}
	return doc
}

// Journey is where the traveller goes, as the boarding pass or the shift's
// setting says.
type Journey struct {
	Flight string   `json:"flight"`        // carrier and number: "CX798"
	From   string   `json:"from"`          // IATA code of the airport, or UN/LOCODE of the port
	To     string   `json:"to"`            // where the journey ends, as far as it is known
	Via    []string `json:"via,omitempty"` // where it changes on the way
	Vessel string   `json:"vessel,omitempty"`
	Source string   `json:"source,omitempty"` // setting; empty: the boarding pass
}

// Finding is the machine's answer, apart from the officer's decision.
type Finding struct {
	Verdict      string   `json:"verdict"` // clear, none, ask, stop, unsure
	Reasons      []string `json:"reasons"` // codes, the deciding one first
	PlacementID  string   `json:"placement_id,omitempty"`
	PlacementRev int64    `json:"placement_rev,omitempty"`
	ListVersion  int64    `json:"list_version"` // 0: no list
	ListAge      int64    `json:"list_age_s"`   // seconds; 0 when there is no list
	// The rules of the list: their version, how old they were, which held and
	// were told to the officer, which held in the shadow.
	RulesVersion int64    `json:"rules_version,omitempty"`
	RulesAge     int64    `json:"rules_age_s,omitempty"`
	RulesFired   []string `json:"rules_fired,omitempty"`
	RulesShadow  []string `json:"rules_shadow,omitempty"`
	// Fields that the document leaves open and of which the list has one
	// reading: what follows was found under that one.
	Guessed []string `json:"guessed,omitempty"`
}

// Said is what the officer was told and what he saw.
type Said struct {
	Purpose      string   `json:"purpose,omitempty"`       // work, crew, study, training, official, other
	ReturnReason string   `json:"return_reason,omitempty"` // end-of-contract, leave, problem, deported, sick, deceased, trafficking-victim
	DocsSeen     []string `json:"docs_seen,omitempty"`     // of the checklist shown
}

// Opened is written before a verdict is shown: nobody looks up a traveller
// without a trace. Its event's id is the inspection's id.
type Opened struct {
	Stamp
	Place
	Officer   string `json:"officer_id,omitempty"`
	Direction string `json:"direction,omitempty"` // departure or return, where the counter has one
	EntryMode string `json:"entry_mode"`          // scan, wedge, ocr, typed
	Scanner   string `json:"scanner,omitempty"`
	Document
	Reading
	Lines   []string `json:"lines"`             // as they came from the scanner
	Journey *Journey `json:"journey,omitempty"` // nil: not known
	Finding
	LatencyMS int64 `json:"latency_ms"` // from the scan's last byte to the verdict
}

// Reading is said of a document that was read from a picture.
type Reading struct {
	Confidence *float64 `json:"confidence,omitempty"` // 0 to 1: of the least certain character
}

// Decided is what an inspection came to.
type Decided struct {
	InspectionID   string `json:"inspection_id"`
	InspectionHash string `json:"inspection_hash"` // of the sealed inspection.opened
	Decision       string `json:"decision,omitempty"`
	DecidedBy      string `json:"decided_by"` // officer, auto, or agent where nobody decided
	DecisionMS     int64  `json:"decision_ms"`
	// ReadingConfirmed: characters of a picture were not certain, and the officer
	// has compared them with the document. The verdict is the one after that.
	ReadingConfirmed bool `json:"reading_confirmed,omitempty"`
}

// Abandoned ends an inspection without a crossing: the officer referred,
// postponed or handed over the traveller (reason "decided"), or nobody decided
// (reasons "timeout", "restart", "shutdown"), or the document was swiped again
// because it had been misread ("superseded"), or its opening could not be shown
// because the disk seemed to fail ("fault").
type Abandoned struct {
	Stamp
	Place
	Officer string `json:"officer_id,omitempty"`
	Decided
	Said
	Reason string `json:"reason"`
	// What was found last, where what the officer was told changed it.
	Finding *Finding `json:"finding,omitempty"`
}

// Crossed is a departure or a return. It repeats the document and the finding
// so that it can be used alone.
type Crossed struct {
	Stamp
	Place
	Officer   string `json:"officer_id,omitempty"`
	Direction string `json:"direction"`
	EntryMode string `json:"entry_mode"`
	Document
	Reading
	Journey *Journey `json:"journey,omitempty"` // nil: not known
	Finding
	Decided
	Said
}

// Corrected takes back (crossing.voided) or changes (crossing.amended) an
// earlier crossing, which stays as it is.
type Corrected struct {
	Stamp
	Place
	Officer      string            `json:"officer_id,omitempty"`
	CrossingID   string            `json:"crossing_id"`
	CrossingHash string            `json:"crossing_hash"`
	Reason       string            `json:"reason"`            // wrong-direction, wrong-document, missed-flight, duplicate-scan, test
	Changes      map[string]string `json:"changes,omitempty"` // amended only: field to new value
}

// Started is the first event of every run of the agent.
type Started struct {
	Stamp
	Place
	Version     string `json:"version"`
	ListVersion int64  `json:"list_version"` // 0: no list
	// In the first event of an epoch: the epoch before and its last hash, or
	// "unknown".
	PreviousEpoch string `json:"previous_epoch,omitempty"`
	PreviousHead  string `json:"previous_head,omitempty"`
}

// Stopped is the last event of a run that ended in order.
type Stopped struct {
	Stamp
	Place
	Reason string `json:"reason"`
}

// Installed says which placement list the counter works with from now on.
type Installed struct {
	Stamp
	Place
	ListVersion int64  `json:"list_version"`
	ListTime    Time   `json:"list_time"`
	Rows        int64  `json:"rows"`
	Source      string `json:"source,omitempty"`
}

// Refused says that a placement list was not believed, and that the counter goes
// on with the one it has.
type Refused struct {
	Stamp
	Place
	Reason      string `json:"reason"` // unsigned, expired, rollback, altered, invalid
	Source      string `json:"source"`
	ListVersion int64  `json:"list_version,omitempty"` // of the list in use
}

// Device says that a scanner came or went.
type Device struct {
	Stamp
	Place
	Scanner string `json:"scanner"`
	Reason  string `json:"reason,omitempty"`
}
