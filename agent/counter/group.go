package counter

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"

	"lintas/agent/rule"
	"lintas/agent/verdict"
	"lintas/mrz"
)

// What the rules count: travellers on one flight in the last minutes, and how
// many of them have document numbers that follow each other.
//
// A note beside each inspection keeps what is needed after a restart: the
// flight, whether the traveller is on the list, and the neighbourhood of the
// number: a tag of its thousand under the shift's key, and its last three
// digits, which the masked number shows anyway. Two notes with one tag say that
// two numbers share their first digits and not which; when the shift's key is
// gone, nobody can find that out.
const (
	groupWithin = 20 * time.Minute
	nearWithin  = 10   // numbers apart
	thousand    = 1000 // what one tag stands for
	tagBytes    = 9
)

// near says where a document's number lies; the zero value says nothing.
type near struct {
	Tag string `json:"tag,omitempty"`
	Low int    `json:"low,omitempty"` // the number's last three digits
}

// seen is a traveller of the last minutes.
type seen struct {
	at       time.Time
	tag      string
	flight   string
	unlisted bool
	near     near
}

// neighbourhood gives where a number lies, and the tags of the thousands before
// and after it. c.mu is held.
func (c *Counter) neighbourhood(doc mrz.Document) (here near, before, after string) {
	number := doc.DocumentNumber
	digits := len(number)
	for digits > 0 && number[digits-1] >= '0' && number[digits-1] <= '9' {
		digits--
	}
	n, err := strconv.ParseInt(number[digits:], 10, 64)
	if err != nil || len(number)-digits < 6 || len(number) < 7 {
		return near{}, "", ""
	}
	tag := func(block int64) string {
		mac := hmac.New(sha256.New, c.shiftKey)
		fmt.Fprintf(mac, "near\x1f%s\x1f%s\x1f%d\x1f%d", doc.IssuingState, number[:digits], len(number)-digits, block)
		return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:tagBytes])
	}
	block := n / thousand
	return near{tag(block), int(n % thousand)}, tag(block - 1), tag(block + 1)
}

// counts is what the rules can tell of a traveller's company, the traveller
// included. c.mu is held.
func (c *Counter) counts(doc mrz.Document, self seen) (n rule.Counts) {
	if self.flight == "" {
		return n
	}
	here, before, after := c.neighbourhood(doc)
	n.SameFlight = 1
	if self.unlisted {
		n.SameFlightUnlisted = 1
		if here.Tag != "" {
			n.ConsecutiveNumbers = 1
		}
	}
	known := map[string]bool{self.tag: true}
	for i := len(c.company) - 1; i >= 0; i-- {
		s := c.company[i]
		if age := time.Since(s.at); age > groupWithin || age < -groupWithin || s.flight != self.flight || known[s.tag] {
			continue
		}
		known[s.tag] = true
		n.SameFlight++
		if !s.unlisted || !self.unlisted {
			continue
		}
		n.SameFlightUnlisted++
		apart := nearWithin + 1
		switch {
		case here.Tag == "" || s.near.Tag == "":
		case s.near.Tag == here.Tag:
			apart = s.near.Low - here.Low
		case s.near.Tag == before:
			apart = here.Low + thousand - s.near.Low
		case s.near.Tag == after:
			apart = s.near.Low + thousand - here.Low
		}
		if -nearWithin <= apart && apart <= nearWithin {
			n.ConsecutiveNumbers++
		}
	}
	return n
}

// join remembers a traveller for the counts. c.mu is held.
func (c *Counter) join(s seen) {
	if s.flight == "" || s.tag == "" || time.Since(s.at) > groupWithin {
		return
	}
	kept := c.company[:0]
	for _, o := range c.company {
		if time.Since(o.at) <= groupWithin {
			kept = append(kept, o)
		}
	}
	c.company = append(kept, s)
}

// companion says what the counts need of a note.
func (n Note) companion(at time.Time) seen {
	return seen{at: at, tag: n.Tag, flight: n.Flight, unlisted: n.Unlisted, near: n.Near}
}

// leaving reports whether somebody counts among those who leave.
func leaving(d verdict.Direction) bool { return d != verdict.Return }
