// Package placement is the list of migrant workers who are lawfully placed
// abroad: its records, how they are locked, and the files a list consists of.
// Package build makes those files at headquarters and package repository signs
// and publishes them; package sync fetches them and package cache keeps the
// installed list on a counter.
//
// Rows are locked with the machine-readable zone. With K the list key and
//
//	slow(domain, fields…) = Argon2id(HMAC-SHA-256(K, domain ‖ 0x1f ‖ fields…), salt, cost), 32 bytes
//
// (the fields joined by 0x1f, salt and cost from the list's header) a row is
//
//	document row   tag  = slow("doc", issuer, number), first 16 bytes
//	               body = XChaCha20-Poly1305 under slow("body", issuer, number, date of birth, date of expiry)
//	person stub    tag  = slow("person", normalised name, date of birth), first 16 bytes; no body
//	negative row   tag  = as the document row
//	               body = XChaCha20-Poly1305 under HKDF-SHA-256(slow("doc", …), "lintas negative")
//
// So a counter can open the record of the person whose document lies before
// it and no other, however often it tries at the pace of the slow hash.
// Negative entries open with the document's number alone: a forged birth date
// must not make them vanish.
package placement

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"lintas/mrz"
)

// Status is where a placement is in its life, in the words of the authority.
type Status string

// The life cycle; the last four leave it from any state.
const (
	InProcess Status = "proses"
	Ready     Status = "siap"
	Departed  Status = "berangkat"
	Abroad    Status = "aktif"
	OnLeave   Status = "cuti"
	Ended     Status = "selesai"
	Returned  Status = "pulang"
	Suspended Status = "ditunda"
	Revoked   Status = "dicabut"
	Cancelled Status = "batal"
	Deceased  Status = "meninggal"
)

var statuses = []Status{InProcess, Ready, Departed, Abroad, OnLeave, Ended, Returned, Suspended, Revoked, Cancelled, Deceased}

// FlagLost marks a record whose document was reported lost or stolen.
const FlagLost = "document-reported-lost"

// The other flags of a record.
const (
	FlagDuplicate = "duplicate-passport"
	FlagPermit    = "sip2mi-revoked"
	FlagContact   = "wanted-contact"
)

// The words that a record may use.
var (
	flags         = []string{FlagLost, FlagDuplicate, FlagPermit, FlagContact}
	schemes       = []string{"g2g", "p2p", "ukps", "mandiri", "spsk", "ssw", "crew", "re-entry"}
	employerKinds = []string{"legal-entity", "household", "vessel"}
)

// Record is what a counter learns about a placement. It is sealed in the list
// and opens only with the document's own data.
type Record struct {
	PlacementID   string   `json:"placement_id"`
	Rev           int64    `json:"rev"` // the newest one of a placement is in the list
	ValidFrom     mrz.Date `json:"valid_from,omitzero"`
	UpdatedAt     string   `json:"updated_at,omitempty"` // RFC 3339
	Source        string   `json:"source,omitempty"`     // siskop2mi, …; shown to the officer
	Status        Status   `json:"status"`
	Scheme        string   `json:"scheme,omitempty"` // g2g, p2p, ukps, mandiri, spsk, ssw, crew, re-entry
	Destination   string   `json:"destination"`      // ISO 3166-1 alpha-3
	Via           []string `json:"via,omitempty"`
	JobClass      string   `json:"job_class,omitempty"`
	EmployerKind  string   `json:"employer_kind,omitempty"` // legal-entity, household, vessel
	AgencyID      string   `json:"agency_id,omitempty"`
	ContractFrom  mrz.Date `json:"contract_from,omitzero"`
	ContractUntil mrz.Date `json:"contract_until,omitzero"`
	VisaUntil     mrz.Date `json:"visa_until,omitzero"`
	InsuredUntil  mrz.Date `json:"insured_until,omitzero"`
	DepartAfter   mrz.Date `json:"depart_after,omitzero"`
	DepartBefore  mrz.Date `json:"depart_before,omitzero"`
	Flags         []string `json:"flags,omitempty"`
	Primary       string   `json:"primary"` // as in the visual zone or in the machine-readable one
	Secondary     string   `json:"secondary,omitempty"`
	DateOfBirth   mrz.Date `json:"date_of_birth"`
	EmployerName  string   `json:"employer_name,omitempty"`
	ForeignAgency string   `json:"foreign_agency,omitempty"`
}

// After gives the status that a crossing leaves: what was ready departs, what is
// abroad or over returns, for good or on leave. Whatever the authority has
// suspended, revoked, cancelled or not cleared yet, no crossing changes.
func (s Status) After(direction, returnReason string) Status {
	switch {
	case direction == "departure" && (s == Ready || s == OnLeave):
		return Departed
	case direction == "return" && (s == Departed || s == Abroad) && returnReason == "leave":
		return OnLeave
	case direction == "return" && (s == Departed || s == Abroad || s == Ended):
		return Returned
	}
	return s
}

// Home is where a worker comes from. Headquarters alone knows it: it is in no
// list.
type Home struct {
	Province string `json:"province,omitempty"`
	Regency  string `json:"regency,omitempty"`
}

// Entry is a record as the list is built from it: with the documents it can
// be found by.
type Entry struct {
	Record
	Home
	Documents []DocumentRef `json:"documents"`         // each known one, old and renewed
	Removed   bool          `json:"removed,omitempty"` // among changes: the placement is not on the list any more
}

// DocumentRef names a travel document by what its machine-readable zone says.
type DocumentRef struct {
	IssuingState   string   `json:"issuing_state"`
	DocumentNumber string   `json:"document_number"`
	DateOfExpiry   mrz.Date `json:"date_of_expiry"`
}

// Format keeps the person out of whatever prints a record by mistake.
func (Record) Format(f fmt.State, _ rune) { io.WriteString(f, "(placement record)") }

// LogValue does the same for logs.
func (Record) LogValue() slog.Value { return slog.StringValue("(placement record)") }

// Format keeps the document out of whatever prints it by mistake.
func (DocumentRef) Format(f fmt.State, _ rune) { io.WriteString(f, "(document)") }

// LogValue does the same for logs.
func (DocumentRef) LogValue() slog.Value { return slog.StringValue("(document)") }

// Negative is an entry of the negative list. It ends by itself.
type Negative struct {
	DocumentRef `json:"-"`
	Kind        NegativeKind `json:"kind"`
	Until       mrz.Date     `json:"until"`
	Contact     string       `json:"contact"` // whom to call
}

// NegativeKind says why a document is on the negative list.
type NegativeKind string

// The kinds of negative entries.
const (
	Attention NegativeKind = "attention" // subject of interest
	Lost      NegativeKind = "lost"      // reported lost or stolen
)

// Agency is a placement agency. Agencies are not persons: they are not locked.
type Agency struct {
	ID      string   `json:"agency_id"`
	Name    string   `json:"name"`
	Licence Licence  `json:"licence"`
	Since   mrz.Date `json:"licence_since,omitzero"` // since when the licence is what it is
}

// Licence is the state of an agency's licence.
type Licence string

// The states of a licence.
const (
	LicenceActive    Licence = "active"
	LicenceSuspended Licence = "suspended"
	LicenceRevoked   Licence = "revoked"
)

// Info describes an installed list.
type Info struct {
	Version      int64
	Base         int64     // version of the full list below the deltas
	Time         time.Time // when its timestamp was signed; the age is counted from here
	Rows         int64
	RulesVersion int64  // what the rules call themselves, 0 if there are none
	KeyID        string // of the list key that locks it
	Source       string // where it came from, without secrets
	Cheap        bool   // locked with a cost that protects nothing: benchmarks and demonstrations
}

// Found is what a look-up brought to light.
type Found struct {
	Listed      bool              // a row has this document's tag
	Records     []Record          // those of them that opened; several placements, or several revisions of one
	Agencies    map[string]Agency // those that Records name, by id
	Negatives   []Negative
	OtherPaper  bool // the person is on record with another document
	List        Info
	ListPresent bool
}

// ErrNoList: no usable list is installed.
var ErrNoList = errors.New("no placement list is installed")
