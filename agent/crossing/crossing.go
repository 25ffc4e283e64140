// Package crossing is the wire contract between a counter and the hub: the
// records, the sealed event that carries one, the chain that the events form,
// the acknowledgement and the state message. Both ends use it; it reads and
// writes bytes and does no I/O but for keys, which are files.
//
// A sealed event is a JWS (RFC 7515, compact serialization, EdDSA with
// Ed25519) over a CloudEvents 1.0 object whose data is the record as JSON,
// encrypted with age to the hub's recipients:
//
//	{"alg":"EdDSA","kid":"<RFC 7638 thumbprint>","typ":"lintas-event+jws"}
//	{"specversion":"1.0","id":"<UUIDv7>","source":"/counters/<counter>",
//	 "type":"lintas.<name>.v1","time":"<RFC 3339, milliseconds, UTC>",
//	 "epoch":"…","sequence":"42","prevhash":"…",
//	 "datacontenttype":"application/age","data_base64":"…"}
//
// prevhash is the SHA-256 of the previous event's compact JWS. So the broker
// can read nothing, the counter itself cannot read what it has sealed, and
// whoever has the public keys finds an event that was removed, altered,
// reordered or cut off.
//
// An event that no broker will carry is replaced on the wire by a tombstone,
// a JWS with typ lintas-tombstone+jws that names the position and the
// original's hash. When a queue's disk is lost or an old copy of itself, a new
// epoch begins, and what the hub has not confirmed is wrapped anew: same id and
// record, new position and signature.
//
// JSON Schemas of all of it are in configs/schema, channels and operations in
// configs/asyncapi.yaml. Fields may be added; readers
// ignore fields that they do not know.
package crossing

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Type is the name of an event, without prefix and version.
type Type string

// The event types that this version writes or reads.
const (
	InspectionOpened    Type = "inspection.opened"
	InspectionAbandoned Type = "inspection.abandoned"
	Departure           Type = "crossing.departure"
	Return              Type = "crossing.return"
	Voided              Type = "crossing.voided"
	Amended             Type = "crossing.amended"
	SecondaryOutcome    Type = "secondary.outcome"
	AgentStarted        Type = "agent.started"
	AgentStopped        Type = "agent.stopped"
	ListInstalled       Type = "list.installed"
	ConfigChanged       Type = "config.changed"
	ListRefused         Type = "list.refused"
	DeviceUp            Type = "device.up"
	DeviceDown          Type = "device.down"
	KeyRotated          Type = "key.rotated"
	QueueRecovered      Type = "queue.recovered"
)

// Types lists them all, in the order of the contract.
func Types() []Type {
	return []Type{
		InspectionOpened, InspectionAbandoned, Departure, Return, Voided, Amended, SecondaryOutcome,
		ListInstalled, ListRefused, ConfigChanged, DeviceUp, DeviceDown, AgentStarted, AgentStopped, KeyRotated, QueueRecovered,
	}
}

const version = ".v1"

// Wire gives the type as CloudEvents carries it.
func (t Type) Wire() string { return "lintas." + string(t) + version }

// ParseType reads what Wire wrote. Types of later versions are an error.
func ParseType(s string) (Type, error) {
	name, ok := strings.CutPrefix(s, "lintas.")
	name, v1 := strings.CutSuffix(name, version)
	if !ok || !v1 || name == "" {
		return "", fmt.Errorf("unknown event type %q", s)
	}
	return Type(name), nil
}

// Topics of a counter, below the prefix all of them share.
const (
	TopicPrefix = "lintas/v1/"
	// EventFilter matches every counter's event topic.
	EventFilter = TopicPrefix + "+/event"
	// StateFilter matches every counter's state topic.
	StateFilter = TopicPrefix + "+/state"
)

// EventTopic is where a counter's sealed events go.
func EventTopic(counter string) string { return TopicPrefix + counter + "/event" }

// AckTopic is where the hub answers.
func AckTopic(counter string) string { return TopicPrefix + counter + "/ack" }

// StateTopic is where a counter says how it is.
func StateTopic(counter string) string { return TopicPrefix + counter + "/state" }

// CounterOfTopic gives the counter an event topic belongs to.
func CounterOfTopic(topic string) (counter string, ok bool) {
	return counterOf(topic, "/event")
}

// CounterOfStateTopic gives the counter a state topic belongs to.
func CounterOfStateTopic(topic string) (counter string, ok bool) { return counterOf(topic, "/state") }

func counterOf(topic, end string) (counter string, ok bool) {
	rest, ok := strings.CutPrefix(topic, TopicPrefix)
	counter, fits := strings.CutSuffix(rest, end)
	return counter, ok && fits && ValidCounter(counter)
}

var counterForm = regexp.MustCompile(`^[A-Z0-9-]{3,32}$`)

// ValidCounter tells whether s can be a counter's id.
func ValidCounter(s string) bool { return counterForm.MatchString(s) }

// timeLayout has a fixed width, so that times sort as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

// Time is a moment with millisecond precision, in UTC.
type Time struct{ time.Time }

// TimeOf cuts t to what the wire can carry.
func TimeOf(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// MarshalText writes RFC 3339 with milliseconds.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.UTC().Format(timeLayout)), nil }

// MarshalJSON is MarshalText in quotes: without it the embedded time.Time
// would choose the precision.
func (t Time) MarshalJSON() ([]byte, error) {
	return []byte(`"` + t.UTC().Format(timeLayout) + `"`), nil
}

// UnmarshalJSON reads any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error { return t.Time.UnmarshalJSON(b) }

// String is the wire form.
func (t Time) String() string { return t.UTC().Format(timeLayout) }
