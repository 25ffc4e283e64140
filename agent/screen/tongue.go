package screen

import (
	"fmt"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"lintas/agent/verdict"
	"lintas/mrz"
)

// tongue is the language that stands first and large.
type tongue string

const (
	indonesian tongue = "id"
	english    tongue = "en"
)

// phrase is a text in one language.
type phrase struct{ Lang, Text string }

// said is a text in both languages, in the order in which they stand. Second
// is empty where both say the same.
type said struct{ First, Second phrase }

func (t tongue) say(text verdict.Text) said {
	s := said{phrase{"id", text.ID}, phrase{"en", text.EN}}
	if t == english {
		s.First, s.Second = s.Second, s.First
		s.First.Text = capital(s.First.Text)
	}
	if text.ID == text.EN {
		s.Second.Text = ""
	}
	return s
}

// capital begins a text as a line begins: the English words are written to
// follow the Indonesian ones.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// Month names as they are printed in passports, near enough to compare.
var months = map[tongue][12]string{
	indonesian: {"Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"},
	english:    {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
}

// day writes a date with its month in letters, so that nobody takes day for
// month. What the document leaves open is XX; a date that is wholly unknown is
// empty.
func (t tongue) day(d mrz.Date) string {
	if d.IsZero() {
		return ""
	}
	day, month, year := "XX", "XX", "XXXX"
	if d.Day > 0 {
		day = fmt.Sprintf("%02d", d.Day)
	}
	if d.Month >= 1 && d.Month <= 12 {
		month = months[t][d.Month-1]
	}
	if d.Year > 0 {
		year = fmt.Sprintf("%04d", d.Year)
	}
	return day + " " + month + " " + year
}

// age writes a duration in its largest unit. Seconds would only flicker.
func age(d time.Duration) verdict.Text {
	n, unit := int(d/time.Minute), verdict.Text{ID: "mnt", EN: "min"}
	switch {
	case d < time.Minute:
		return verdict.Text{ID: "<1 mnt", EN: "<1 min"}
	case d >= 48*time.Hour:
		n, unit = int(d/(24*time.Hour)), verdict.Text{ID: "hari", EN: "d"}
	case d >= time.Hour:
		n, unit = int(d/time.Hour), verdict.Text{ID: "jam", EN: "h"}
	}
	number := strconv.Itoa(n) + " "
	return verdict.Text{ID: number + unit.ID, EN: number + unit.EN}
}
