package counter_test

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"lintas/agent/counter"
	"lintas/agent/crossing"
	"lintas/agent/placement"
	"lintas/agent/verdict"
	"lintas/devices"
	"lintas/mrz"
)

func leg(flight, from, to string, day int) devices.Leg {
	return devices.Leg{Carrier: "SQ", Flight: flight, From: from, To: to, Day: day}
}

func (d *desk) pass(legs ...devices.Leg) {
	d.Scan(devices.Scan{Scanner: "passport", Status: devices.Pass, Pass: &devices.BoardingPass{Legs: legs}})
}

// journeys are what was recorded with an inspection and with its crossing.
func (d *desk) journeys() (list []*crossing.Journey) {
	for _, r := range d.mem.recs {
		switch r := r.(type) {
		case *crossing.Opened:
			list = append(list, r.Journey)
		case *crossing.Crossed:
			list = append(list, r.Journey)
		}
	}
	return list
}

func TestJourney(t *testing.T) {
	toSingapore := &crossing.Journey{Flight: "SQ951", From: "CGK", To: "SIN"}
	toHongKong := &crossing.Journey{Flight: "SQ951", From: "CGK", To: "HKG", Via: []string{"SIN"}}
	for _, c := range []struct {
		name string
		do   func(*desk)
		want []*crossing.Journey // of the inspection and the crossing, for each traveller
	}{
		{"no pass", func(d *desk) { d.swipe("ZZ1234567") }, []*crossing.Journey{nil, nil}},
		{"pass, then document", func(d *desk) {
			d.pass(leg("951", "CGK", "SIN", 0))
			time.Sleep(2 * time.Minute)
			d.swipe("ZZ1234567")
		}, []*crossing.Journey{toSingapore, toSingapore}},
		{"document, then pass", func(d *desk) {
			d.swipe("ZZ1234567")
			time.Sleep(2 * time.Minute)
			d.pass(leg("951", "CGK", "SIN", 0))
		}, []*crossing.Journey{nil, toSingapore}},
		{"pass of long ago", func(d *desk) {
			d.pass(leg("951", "CGK", "SIN", 0))
			time.Sleep(3 * time.Minute)
			d.swipe("ZZ1234567")
		}, []*crossing.Journey{nil, nil}},
		{"document of long ago", func(d *desk) {
			d.swipe("ZZ1234567")
			time.Sleep(3 * time.Minute)
			d.pass(leg("951", "CGK", "SIN", 0))
		}, []*crossing.Journey{nil, nil}},
		{"the newest pass", func(d *desk) {
			d.pass(leg("836", "CGK", "KUL", 0))
			d.pass(leg("951", "CGK", "SIN", 0))
			d.swipe("ZZ1234567")
		}, []*crossing.Journey{toSingapore, toSingapore}},
		{"two legs", func(d *desk) {
			d.pass(leg("951", "CGK", "SIN", 0), leg("890", "SIN", "HKG", 0))
			d.swipe("ZZ1234567")
		}, []*crossing.Journey{toHongKong, toHongKong}},
		{"two legs, the first of them yesterday", func(d *desk) {
			today := time.Now().YearDay()
			d.pass(leg("200", "DPS", "CGK", today-1), leg("951", "CGK", "SIN", today))
			d.swipe("ZZ1234567")
		}, []*crossing.Journey{toSingapore, toSingapore}},
		{"half a document between", func(d *desk) {
			d.pass(leg("951", "CGK", "SIN", 0))
			d.Scan(devices.Scan{Scanner: "passport", Status: devices.Partial, Lines: lines(d.t, "ZZ1234567")[:1]})
			d.swipe("ZZ1234567")
		}, []*crossing.Journey{toSingapore, toSingapore}},
		{"other barcodes", func(d *desk) {
			d.pass(leg("951", "CGK", "SIN", 0))
			d.Scan(devices.Scan{Scanner: "passport", Status: devices.Barcode, Kind: "EAN"})
			d.swipe("ZZ1234567")
		}, []*crossing.Journey{toSingapore, toSingapore}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				c.do(d)
				if err := d.decide(verdict.Proceed); err != nil {
					t.Fatal(err)
				}
				if got := d.journeys(); !reflect.DeepEqual(got, c.want) {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
			})
		})
	}
}

// A pass belongs to one traveller. The next one's is not the last one's.
func TestJourneyOfTheNext(t *testing.T) {
	d := newDesk(t)
	d.pass(leg("951", "CGK", "SIN", 0))
	d.swipe("ZZ1234567")
	if v := d.View(); v.Current.Journey == nil || v.Current.Journey.To != "SIN" {
		t.Fatalf("shown: %+v", v.Current.Journey)
	}
	d.pass(leg("836", "CGK", "KUL", 0)) // the one at the counter has a pass: it is the next one's
	if v := d.View(); v.Current.Journey.To != "SIN" {
		t.Error("the pass of the next one became that of the one at the counter")
	}
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	d.swipe("ZZ7654321")
	if v := d.View(); v.Current.Journey == nil || v.Current.Journey.To != "KUL" {
		t.Errorf("the next one goes to %+v", v.Current.Journey)
	}
	if err := d.decide(verdict.Proceed); err != nil {
		t.Fatal(err)
	}
	d.swipe("ZZ1111111")
	if v := d.View(); v.Current.Journey != nil {
		t.Errorf("somebody without a pass goes to %s", v.Current.Journey.To)
	}
}

// The destination counts for somebody who leaves, and only where the airport's
// country is known.
func TestDestinationOfAPass(t *testing.T) {
	for _, c := range []struct {
		name      string
		direction verdict.Direction
		to        string
		want      verdict.Code
	}{
		{"as the record says", verdict.Departure, "HKG", verdict.Clear},
		{"elsewhere", verdict.Departure, "JED", verdict.Ask},
		{"an airport that is not known", verdict.Departure, "XYZ", verdict.Clear},
		{"coming home", verdict.Return, "CGK", verdict.Clear},
		{"direction not chosen", "", "CGK", verdict.Clear},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t, func(o *counter.Options) { o.Direction = c.direction })
			d.list.found.Listed = true
			d.list.found.Records = []placement.Record{{
				PlacementID: "EX-1", Rev: 1, Status: placement.Ready, Destination: "HKG", Primary: canary, Secondary: "AYU",
				ContractUntil: mrz.DateOf(time.Now().AddDate(1, 0, 0)),
			}}
			d.pass(leg("951", "CGK", c.to, 0))
			d.swipe("ZZ1234567")
			if v := d.View().Current.Verdict; v.Code != c.want {
				t.Errorf("%s, because of %v", v.Code, v.Reasons)
			}
		})
	}
}

// The scanner says how the reading went, whatever the verdict.
func TestSignals(t *testing.T) {
	var said []devices.Signal
	d := newDesk(t, func(o *counter.Options) {
		o.Signal = func(scanner string, s devices.Signal) {
			if scanner != "passport" {
				t.Errorf("said to %q", scanner)
			}
			said = append(said, s)
		}
	})
	bad := lines(t, "ZZ1234567")
	bad[1] = "99999999999" + bad[1][11:]
	scan := func(s devices.Status, l []string) {
		d.Scan(devices.Scan{Scanner: "passport", Status: s, Lines: l, Last: time.Now()})
	}
	d.swipe("ZZ1234567") // none
	d.list.found.Negatives = []placement.Negative{{Until: mrz.DateOf(time.Now().AddDate(1, 0, 0))}}
	d.swipe("ZZ7654321") // stop
	scan(devices.Partial, bad[:1])
	scan(devices.Complete, bad)
	scan(devices.Barcode, nil)
	d.pass(leg("951", "CGK", "SIN", 0))
	if want := []devices.Signal{devices.Good, devices.Good, devices.Bad, devices.Bad, devices.Ignore, devices.Good}; !reflect.DeepEqual(said, want) {
		t.Errorf("said %v, want %v", said, want)
	}
	if v := d.View(); len(v.Waiting) != 2 || v.Waiting[0].Verdict != verdict.Stop {
		t.Errorf("shown: %+v", v.Waiting)
	}
}
