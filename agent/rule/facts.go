package rule

import (
	"reflect"
	"slices"
	"strings"

	"lintas/mrz"
)

// Unknown is the number of days until something of which no date is known: far
// away, so that a rule about what ends soon does not hold.
const Unknown = 99999

// Facts is the whole vocabulary: what a condition can speak of. There is no
// word for sex, name, birth, religion, nationality or origin; a test keeps it
// so.
type Facts struct {
	Document Document `expr:"document"`
	Record   Record   `expr:"record"`
	Journey  Journey  `expr:"journey"`
	Counts   Counts   `expr:"counts"`
	Purpose  string   `expr:"purpose" doc:"what the officer was told: work, crew, study, training, official, other, or nothing"`
	Minor    bool     `expr:"minor" doc:"under 18 today; false if the date of birth leaves it open"`
}

// Document is what a condition can tell of the travel document.
type Document struct {
	Kind          string `expr:"kind" doc:"passport, official-passport, identity-card, visa, other"`
	IssuingState  string `expr:"issuing_state" doc:"compared with IDN only: a citizen's own document or another"`
	EntryMode     string `expr:"entry_mode" doc:"scan, wedge, ocr, typed"`
	Valid         bool   `expr:"valid" doc:"every check digit is right"`
	ExpiresInDays int    `expr:"expires_in_days" doc:"negative: expired; 99999: not known"`
}

// Record is what a condition can tell of the placement record; but for Present,
// all empty if none opened.
type Record struct {
	Present          bool   `expr:"present" doc:"the document or the person is on the list, also where the record did not open"`
	Status           string `expr:"status" doc:"proses, siap, berangkat, aktif, cuti, selesai, pulang, ditunda, dicabut, batal, meninggal"`
	Scheme           string `expr:"scheme" doc:"g2g, p2p, ukps, mandiri, spsk, ssw, crew, re-entry"`
	Destination      string `expr:"destination" doc:"ISO 3166-1 alpha-3"`
	EmployerKind     string `expr:"employer_kind" doc:"legal-entity, household, vessel"`
	ContractDaysLeft int    `expr:"contract_days_left" doc:"99999: not known"`
	VisaDaysLeft     int    `expr:"visa_days_left" doc:"99999: not known"`
	InsuredDaysLeft  int    `expr:"insured_days_left" doc:"99999: not known"`
}

// Journey is what a condition can tell of the journey.
type Journey struct {
	Known       bool     `expr:"known"`
	Carrier     string   `expr:"carrier" doc:"airline designator"`
	Flight      string   `expr:"flight" doc:"number without leading zeros"`
	From        string   `expr:"from" doc:"IATA code of the airport"`
	To          string   `expr:"to" doc:"IATA code of the last airport that is known"`
	Via         []string `expr:"via" doc:"IATA codes between"`
	Destination string   `expr:"destination" doc:"country of the last airport, ISO 3166-1 alpha-3; empty if not known"`
}

// Counts is what a condition can tell of this counter's last minutes.
type Counts struct {
	SameFlightUnlisted int `expr:"same_flight_unlisted_20min" doc:"travellers without a record on this flight, this one included"`
	ConsecutiveNumbers int `expr:"consecutive_numbers" doc:"of them, those whose document number is within 10 of this one, this one included"`
	SameFlight         int `expr:"same_flight_20min" doc:"travellers on this flight, this one included"`
}

// Word is one word of the vocabulary.
type Word struct {
	Name string `json:"name"` // as a condition writes it: document.kind
	Type string `json:"type"` // bool, int, string, list of strings
	Doc  string `json:"meaning,omitempty"`
}

// Vocabulary lists every word.
func Vocabulary() []Word {
	list := make([]Word, 0, len(vocabulary))
	for _, w := range vocabulary {
		list = append(list, w)
	}
	slices.SortFunc(list, func(a, b Word) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// The types of words.
const (
	typeText  = "string"
	typeTexts = "list of strings"
)

// vocabulary is Facts as its words, by name.
var vocabulary = wordsOf("", reflect.TypeFor[Facts](), map[string]Word{})

func wordsOf(prefix string, t reflect.Type, all map[string]Word) map[string]Word {
	for f := range t.Fields() {
		name := prefix + f.Tag.Get("expr")
		switch f.Type.Kind() {
		case reflect.Struct:
			wordsOf(name+".", f.Type, all)
		case reflect.Slice:
			all[name] = Word{name, typeTexts, f.Tag.Get("doc")}
		default:
			all[name] = Word{name, f.Type.Kind().String(), f.Tag.Get("doc")}
		}
	}
	return all
}

// values says which texts a word can be compared with, so that a slip of the
// pen is found when the pack is made and not by a rule that never holds.
var values = map[string]func(string) bool{
	"document.kind":          oneOf("passport", "official-passport", "identity-card", "visa", "other"),
	"document.issuing_state": oneOf("IDN"),
	"document.entry_mode":    oneOf("scan", "wedge", "ocr", "typed"),
	"record.status":          oneOf("", "proses", "siap", "berangkat", "aktif", "cuti", "selesai", "pulang", "ditunda", "dicabut", "batal", "meninggal"),
	"record.scheme":          oneOf("", "g2g", "p2p", "ukps", "mandiri", "spsk", "ssw", "crew", "re-entry"),
	"record.destination":     country,
	"record.employer_kind":   oneOf("", "legal-entity", "household", "vessel"),
	"journey.carrier":        func(s string) bool { return s == "" || letters(s, 2, 3, true) },
	"journey.flight":         func(s string) bool { return s == "" || letters(s, 1, 5, true) },
	"journey.from":           airport,
	"journey.to":             airport,
	"journey.via":            airport,
	"journey.destination":    country,
	"purpose":                oneOf("", "work", "crew", "study", "training", "official", "other"),
}

func oneOf(list ...string) func(string) bool {
	return func(s string) bool { return slices.Contains(list, s) }
}

func country(s string) bool { return s == "" || len(s) == 3 && mrz.KnownState(s) }
func airport(s string) bool { return s == "" || letters(s, 3, 3, false) }

// letters reports whether s is capital letters, or digits where they may be.
func letters(s string, least, most int, digits bool) bool {
	for _, c := range s {
		if (c < 'A' || c > 'Z') && (!digits || c < '0' || c > '9') {
			return false
		}
	}
	return least <= len(s) && len(s) <= most
}
