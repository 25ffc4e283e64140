package counter

import (
	"slices"
	"time"

	"lintas/agent/crossing"
	"lintas/agent/verdict"
	"lintas/devices"
	"lintas/mrz"
)

// passWithin is how long a boarding pass and a document belong to the same
// traveller, whichever was read first.
const passWithin = 3 * time.Minute

// waitingPass is a boarding pass whose traveller's document has not been read.
type waitingPass struct {
	journey     crossing.Journey
	destination string // ISO 3166-1 alpha-3; "" if not known
	at          time.Time
}

// setAside takes a scan that is no document: the pass of the traveller at the
// counter, if that one has none yet, or else of the next one.
func (c *Counter) setAside(s devices.Scan) {
	if s.Status != devices.Pass || s.Pass == nil || len(s.Pass.Legs) == 0 {
		return
	}
	j, destination := journeyOf(s.Pass.Legs, time.Now())
	c.show(func() {
		if len(c.open) > 0 && c.open[0].Journey == nil && time.Since(c.open[0].At) < passWithin {
			c.open[0].Journey = &j
			return
		}
		c.pass = &waitingPass{j, destination, time.Now()}
	})
}

// takePass gives the pass that was read before a document, once.
func (c *Counter) takePass() (journey *crossing.Journey, destination string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pass
	c.pass = nil
	if p == nil || time.Since(p.at) >= passWithin {
		return nil, ""
	}
	return &p.journey, p.destination
}

// journeyOf is where a boarding pass leads: by the flight of today, or the first
// if none is, to the end of the last.
func journeyOf(legs []devices.Leg, now time.Time) (j crossing.Journey, destination string) {
	i := max(0, slices.IndexFunc(legs, func(l devices.Leg) bool { return l.Day == now.YearDay() }))
	next, last := legs[i], legs[len(legs)-1]
	j = crossing.Journey{Flight: next.Carrier + next.Flight, From: next.From, To: last.To}
	for _, l := range legs[i : len(legs)-1] {
		j.Via = append(j.Via, l.To)
	}
	return j, countries[last.To]
}

// destinationFor is what a verdict may make of a destination: nothing unless the
// traveller leaves. Somebody who comes home has one too.
func destinationFor(d verdict.Direction, destination string) string {
	if d != verdict.Departure {
		return ""
	}
	return destination
}

// answer lets the scanner say how the reading went. It does not say what the
// verdict is: others stand near.
func (c *Counter) answer(s devices.Scan) {
	if c.o.Signal == nil {
		return
	}
	signal := devices.Bad
	switch {
	case s.Status == devices.Barcode:
		signal = devices.Ignore
	case s.Status == devices.Pass, s.Status == devices.Complete && mrz.Read(s.Lines, mrz.DateOf(time.Now())).Valid:
		signal = devices.Good
	}
	c.o.Signal(s.Scanner, signal)
}

// countries are those of the airports to which migrant workers are placed, and of
// those on the way there; IATA codes to ISO 3166-1 alpha-3. An airport that is not
// here leads to a country that is not known, and no rule asks for it.
var countries = map[string]string{
	"HKG": "HKG", "MFM": "MAC", "TPE": "TWN", "KHH": "TWN", "RMQ": "TWN",
	"SIN": "SGP", "KUL": "MYS", "PEN": "MYS", "JHB": "MYS", "BKI": "MYS", "KCH": "MYS", "LGK": "MYS", "SZB": "MYS", "MYY": "MYS", "TWU": "MYS", "SDK": "MYS",
	"BWN": "BRN", "ICN": "KOR", "GMP": "KOR", "PUS": "KOR", "NRT": "JPN", "HND": "JPN", "KIX": "JPN", "NGO": "JPN", "FUK": "JPN",
	"JED": "SAU", "RUH": "SAU", "DMM": "SAU", "MED": "SAU", "DXB": "ARE", "AUH": "ARE", "SHJ": "ARE", "DWC": "ARE",
	"DOH": "QAT", "KWI": "KWT", "BAH": "BHR", "MCT": "OMN", "AMM": "JOR", "BEY": "LBN", "IST": "TUR",
	"BKK": "THA", "DMK": "THA", "SGN": "VNM", "HAN": "VNM", "PNH": "KHM", "MNL": "PHL", "CMB": "LKA", "MLE": "MDV",
	"PEK": "CHN", "PVG": "CHN", "CAN": "CHN", "XMN": "CHN", "SZX": "CHN", "DEL": "IND", "BOM": "IND", "MAA": "IND",
	"SYD": "AUS", "MEL": "AUS", "PER": "AUS", "BNE": "AUS", "DRW": "AUS", "AKL": "NZL", "POM": "PNG", "DIL": "TLS",
	"LHR": "GBR", "AMS": "NLD", "FRA": "DEU", "CDG": "FRA", "FCO": "ITA", "WAW": "POL", "OTP": "ROU",
	"CGK": "IDN", "DPS": "IDN", "SUB": "IDN", "KNO": "IDN", "BTH": "IDN", "UPG": "IDN", "LOP": "IDN", "YIA": "IDN", "SRG": "IDN",
}
