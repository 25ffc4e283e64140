// Package journey is where a traveller goes: a flight or a ship, and the
// country at its end.
//
// It is the shift's setting, chosen once for the flight of the hour, or what a
// boarding pass says. What is not known stays empty: no check is made with a
// destination that nobody knows. The package is pure; the table of airports is
// in airports.go.
package journey

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Journey is one journey; the zero value says that nothing is known.
type Journey struct {
	Carrier string   `json:"carrier,omitempty"` // of a flight: "GA"
	Flight  string   `json:"flight,omitempty"`  // without leading zeros: "834"
	Vessel  string   `json:"vessel,omitempty"`  // of a ship: its name
	From    string   `json:"from,omitempty"`    // airport (IATA) or port (UN/LOCODE)
	Via     []string `json:"via,omitempty"`     // between, in order
	To      string   `json:"to,omitempty"`      // the last place that is known
}

// IsZero reports whether nothing is known.
func (j Journey) IsZero() bool {
	return j.Carrier == "" && j.Flight == "" && j.Vessel == "" && j.From == "" && j.To == "" && len(j.Via) == 0
}

// Destination is the country at the journey's end, ISO 3166-1 alpha-3; "" if it
// is not known.
func (j Journey) Destination() string { return Country(j.To) }

// Name is what a departure board calls it: "GA834" or the ship's name.
func (j Journey) Name() string {
	if j.Vessel != "" {
		return j.Vessel
	}
	return j.Carrier + j.Flight
}

// String is the form that Parse reads: "GA834 CGK-SIN-AMS".
func (j Journey) String() string {
	places := slices.DeleteFunc(append(append([]string{j.From}, j.Via...), j.To), func(s string) bool { return s == "" })
	name := j.Name()
	if j.Vessel != "" {
		name += "," // a ship's name has blanks
	}
	return strings.TrimSpace(name + " " + strings.Join(places, "-"))
}

// What Parse says to the officer; the page has the words.
var (
	ErrForm  = errors.New("cannot read journey: want a flight and where it goes, such as GA834 HKG, or a ship and a port, such as KM KELUD, MYPKG")
	ErrPlace = errors.New("cannot read journey: a place has three letters (airport) or five (port)")
)

// Bounds on what is taken.
const (
	maxText   = 80
	maxVessel = 40
	maxPlaces = 6
)

var (
	flightForm = regexp.MustCompile(`^([A-Z][A-Z0-9]|[0-9][A-Z]|[A-Z]{3}) ?0*([1-9][0-9]{0,3}[A-Z]?)(?: +|$)(.*)$`)
	vesselForm = regexp.MustCompile(`^([A-Z0-9][A-Z0-9 .'-]*), *(.*)$`)
	placeForm  = regexp.MustCompile(`^([A-Z]{3}|[A-Z]{2}[A-Z2-9]{3})$`)
)

// Parse reads what an officer types: a flight with one or more places
// ("ga 834 hkg", "GA834 CGK-SIN-AMS"), or a ship's name, a comma and places. One
// place is where it goes; of several the first is where it begins. An empty text
// is the zero Journey.
func Parse(s string) (Journey, error) {
	s = strings.ToUpper(strings.Join(strings.Fields(s), " "))
	if s == "" {
		return Journey{}, nil
	}
	if len(s) > maxText {
		return Journey{}, ErrForm
	}
	var j Journey
	var rest string
	if m := flightForm.FindStringSubmatch(s); m != nil {
		j.Carrier, j.Flight, rest = m[1], m[2], m[3]
	} else if m := vesselForm.FindStringSubmatch(s); m != nil && len(m[1]) <= maxVessel {
		j.Vessel, rest = m[1], m[2]
	} else {
		return Journey{}, ErrForm
	}
	places := strings.FieldsFunc(rest, func(r rune) bool { return r == '-' || r == ' ' || r == '/' || r == '>' })
	if len(places) == 0 {
		return Journey{}, ErrForm
	}
	for _, p := range places {
		if !placeForm.MatchString(p) {
			return Journey{}, ErrPlace
		}
	}
	if len(places) > maxPlaces {
		return Journey{}, ErrPlace
	}
	last := len(places) - 1
	j.To = places[last]
	if last > 0 {
		j.From = places[0]
	}
	if last > 1 {
		j.Via = places[1:last]
	}
	return j, nil
}

// Country gives the country of an airport (IATA code, three letters) or of a
// port (UN/LOCODE, whose first two letters are the country's); "" if it is not
// known.
func Country(place string) string {
	switch len(place) {
	case 3:
		return airports[place]
	case 5:
		region, err := language.ParseRegion(place[:2])
		if err != nil || !region.IsCountry() {
			return ""
		}
		return region.ISO3()
	}
	return ""
}

// airports is the table by airport.
var airports = func() map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		for _, airport := range words[min(1, len(words)):] {
			all[airport] = words[0]
		}
	}
	return all
}()
