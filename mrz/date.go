package mrz

import (
	"errors"
	"fmt"
	"time"
)

// A Date is a day of the Gregorian calendar of which parts may be unknown. An
// unknown part is 0; the zero Date is wholly unknown. Comparable with ==.
//
// Year is the full year (1974), Month 1 to 12, Day 1 to 31. A Date read from a
// document may be a day the calendar does not have, such as 29 February 2011:
// it is kept, because it is what the document says, and Time reports it.
type Date struct {
	Year, Month, Day int
}

// errDate names no value: it may be somebody's date of birth.
var errDate = errors.New("cannot read date: want YYYY-MM-DD, with XX for an unknown month or day")

// DateOf returns the day of t in t's own time zone.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, int(m), d}
}

// ParseDate reads what String writes: "1974-08-12", "1974-XX-XX", and "" for
// the zero Date. It looks at the form alone, so that every Date in a result can
// be read again: use Time to learn whether the calendar has the day.
func ParseDate(s string) (Date, error) {
	if s == "" {
		return Date{}, nil
	}
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return Date{}, errDate
	}
	year, yearOK := datePart(s[:4], 1, 9999)
	month, monthOK := datePart(s[5:7], 1, 12)
	day, dayOK := datePart(s[8:], 1, 31)
	d := Date{year, month, day}
	if !yearOK || !monthOK || !dayOK || d.IsZero() {
		return Date{}, errDate
	}
	return d, nil
}

// datePart reads digits between low and high, or X throughout for unknown.
func datePart(s string, low, high int) (n int, ok bool) {
	unknown := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'X':
			unknown++
		case c < '0' || c > '9':
			return 0, false
		default:
			n = n*10 + int(c-'0')
		}
	}
	if unknown > 0 {
		return 0, unknown == len(s)
	}
	return n, low <= n && n <= high
}

// String returns "YYYY-MM-DD" with X for each digit that is unknown, "" for
// the zero Date. Dates that are known throughout sort as text.
func (d Date) String() string {
	b, _ := d.AppendText(nil)
	return string(b)
}

// AppendText appends what String returns.
func (d Date) AppendText(b []byte) ([]byte, error) {
	if d.IsZero() {
		return b, nil
	}
	b = appendPart(b, d.Year, 4)
	b = appendPart(append(b, '-'), d.Month, 2)
	return appendPart(append(b, '-'), d.Day, 2), nil
}

func appendPart(b []byte, n, width int) []byte {
	if n <= 0 {
		return append(b, "XXXX"[:width]...)
	}
	return fmt.Appendf(b, "%0*d", width, n)
}

// MarshalText returns what String returns.
func (d Date) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

// IsZero reports whether no part is known.
func (d Date) IsZero() bool { return d == Date{} }

// Known reports whether year, month and day are all known.
func (d Date) Known() bool { return d.Year != 0 && d.Month != 0 && d.Day != 0 }

// Time returns the date's midnight in UTC. It reports false if a part is
// unknown or the calendar has no such day.
func (d Date) Time() (time.Time, bool) {
	if !d.Known() || !d.possible() {
		return time.Time{}, false
	}
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC), true
}

// Before reports whether d is certainly earlier than e: unknown parts decide
// nothing, so that 1974-XX-XX is neither before nor after 1974-08-12.
func (d Date) Before(e Date) bool {
	if d.Year == 0 || e.Year == 0 || d.Year != e.Year {
		return d.Year != 0 && e.Year != 0 && d.Year < e.Year
	}
	if d.Month == 0 || e.Month == 0 || d.Month != e.Month {
		return d.Month != 0 && e.Month != 0 && d.Month < e.Month
	}
	return d.Day != 0 && e.Day != 0 && d.Day < e.Day
}

// possible reports whether the known parts can belong to a day that exists.
func (d Date) possible() bool {
	if d.Month < 0 || d.Month > 12 || d.Day < 0 || d.Day > 31 {
		return false
	}
	if d.Month == 0 || d.Day == 0 {
		return true
	}
	year := d.Year
	if year == 0 {
		year = 2000 // a leap year: the 29th of February cannot be excluded
	}
	return d.Day <= lastDay(year, d.Month)
}

func lastDay(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}
