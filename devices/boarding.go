package devices

// A BoardingPass is what the counter needs of one (IATA Resolution 792): where
// the journey goes. Name, booking and seat are not kept.
type BoardingPass struct {
	Legs []Leg `json:"legs"` // at least one, in the order of the journey
}

// A Leg is one flight of a journey.
type Leg struct {
	Carrier string `json:"carrier"`       // the operating carrier's designator: "GA"
	Flight  string `json:"flight"`        // without leading zeros, with a suffix letter if any: "834"
	From    string `json:"from"`          // IATA code of the airport: "CGK"
	To      string `json:"to"`            // "HKG"
	Day     int    `json:"day,omitempty"` // of the year, 1 to 366; 0 if the pass does not say
}
