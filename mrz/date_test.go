package mrz_test

import (
	"testing"
	"time"

	"lintas/mrz"
)

func TestDateText(t *testing.T) {
	for text, want := range map[string]mrz.Date{
		"":           {},
		"1974-08-12": {1974, 8, 12},
		"1974-XX-XX": {1974, 0, 0},
		"1974-08-XX": {1974, 8, 0},
		"XXXX-08-12": {0, 8, 12},
		"2011-02-29": {2011, 2, 29}, // its form is right; Time tells
		"0001-01-01": {1, 1, 1},
	} {
		got, err := mrz.ParseDate(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{" ", "1974", "1974-8-12", "1974-13-01", "1974-00-01", "1974-01-32", "19X4-01-01",
		"1974-01-1X", "XXXX-XX-XX", "0000-01-01", "1974/08/12", "1974-08-12 ", "１974-08-1"} {
		if d, err := mrz.ParseDate(text); err == nil || d != (mrz.Date{}) {
			t.Errorf("%q: got %v, %v", text, d, err)
		}
	}
}

func TestDateTime(t *testing.T) {
	d := mrz.DateOf(time.Date(2026, 11, 23, 23, 59, 0, 0, time.FixedZone("WIB", 7*3600)))
	if at, ok := d.Time(); !ok || d.String() != "2026-11-23" || !at.Equal(time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("got %v, %v, %t", d, at, ok)
	}
	for _, d := range []mrz.Date{{}, {1974, 0, 0}, {1974, 8, 0}, {2011, 2, 29}, {1900, 2, 29}, {2026, 4, 31}, {2026, 13, 1}, {2026, 1, 99}} {
		if at, ok := d.Time(); ok {
			t.Errorf("%v is %v", d, at)
		}
	}
	if _, ok := (mrz.Date{2000, 2, 29}).Time(); !ok {
		t.Error("29 February 2000 existed")
	}
}

func TestDateBefore(t *testing.T) {
	date := func(s string) mrz.Date {
		d, err := mrz.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"1974-08-11", "1974-08-12", true},
		{"1974-08-12", "1974-08-12", false},
		{"1974-07-31", "1974-08-12", true},
		{"1973-XX-XX", "1974-08-12", true},
		{"1974-XX-XX", "1974-08-12", false},
		{"1974-08-12", "1974-XX-XX", false},
		{"1974-07-XX", "1974-08-12", true},
		{"1974-08-XX", "1974-08-12", false},
		{"", "1974-08-12", false},
		{"1974-08-12", "", false},
	} {
		if got := date(test.a).Before(date(test.b)); got != test.want {
			t.Errorf("%q before %q: %t", test.a, test.b, got)
		}
	}
}

// dates returns the specimen with other dates and right digits for them.
func dates(t *testing.T, birth, expiry string) []string {
	t.Helper()
	lines := edit(edit(specimenTD3, 2, 14, birth), 2, 22, expiry)
	for _, field := range [][2]int{{14, 20}, {22, 28}} {
		digit, _ := mrz.CheckDigit(lines[1][field[0]-1 : field[1]-1])
		lines = edit(lines, 2, field[1], string(digit))
	}
	s := lines[1]
	digit, _ := mrz.CheckDigit(s[0:10] + s[13:20] + s[21:43])
	return edit(lines, 2, 44, string(digit))
}

func TestCenturies(t *testing.T) {
	tests := []struct {
		name          string
		birth, expiry string
		today         string
		wantBirth     string
		wantExpiry    string
		note          string
	}{
		{"adult", "740812", "120415", "2026-11-23", "1974-08-12", "2012-04-15", ""},
		{"born today", "261123", "311123", "2026-11-23", "2026-11-23", "2031-11-23", mrz.CodeCenturyOpen},
		{"born tomorrow a century ago", "261124", "311123", "2026-11-23", "1926-11-24", "2031-11-23", ""},
		{"ICAO's old visa", "690806", "940623", "2026-11-23", "1969-08-06", "1994-06-23", ""},
		{"last year of the window", "740812", "750101", "2026-11-23", "1974-08-12", "2075-01-01", ""},
		{"first year of the window", "740812", "760101", "2026-11-23", "1974-08-12", "1976-01-01", ""},
		{"a centenarian", "240101", "190101", "2026-11-23", "1924-01-01", "2019-01-01", mrz.CodeCenturyUncertain},
		{"over the turn of the century", "740812", "020101", "1998-06-01", "1974-08-12", "2002-01-01", ""},
		{"window over the turn", "940101", "980101", "2051-06-01", "1994-01-01", "2098-01-01", ""},
		{"no today", "251231", "301231", "", "2025-12-31", "2030-12-31", mrz.CodeCenturyOpen},
		{"only the year", "83<<<<", "300101", "2026-11-23", "1983-XX-XX", "2030-01-01", mrz.CodeDatePartial},
		{"this year, month unknown", "26<<<<", "300101", "2026-11-23", "2026-XX-XX", "2030-01-01", mrz.CodeDatePartial},
		{"day unknown", "8308<<", "300101", "2026-11-23", "1983-08-XX", "2030-01-01", mrz.CodeDatePartial},
		{"year unknown", "<<0812", "300101", "2026-11-23", "XXXX-08-12", "2030-01-01", mrz.CodeDatePartial},
		{"nothing known", "<<<<<<", "<<<<<<", "2026-11-23", "", "", mrz.CodeDateUnknown},
		{"29 February 2011", "110229", "300101", "2026-11-23", "2011-02-29", "2030-01-01", mrz.CodeDateImpossible},
		{"29 February 1904 is past", "040229", "300101", "2026-11-23", "2004-02-29", "2030-01-01", ""},
		{"month 13", "831301", "300101", "2026-11-23", "1983-XX-01", "2030-01-01", mrz.CodeDateImpossible},
		{"zeros", "000000", "300101", "2026-11-23", "", "2030-01-01", mrz.CodeDateImpossible},
		{"half a month", "83<112", "300101", "2026-11-23", "1983-XX-12", "2030-01-01", mrz.CodeDateImpossible},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now, err := mrz.ParseDate(test.today)
			if err != nil {
				t.Fatal(err)
			}
			doc := mrz.Parse(dates(t, test.birth, test.expiry), now)
			if !doc.Valid || doc.DateOfBirth.String() != test.wantBirth || doc.DateOfExpiry.String() != test.wantExpiry {
				t.Errorf("got valid %t, %q, %q", doc.Valid, doc.DateOfBirth, doc.DateOfExpiry)
			}
			if test.note != "" && !doc.Has(test.note) || test.note == "" && len(doc.Findings) > 0 {
				t.Errorf("findings %v, want %q", codes(doc), test.note)
			}
		})
	}
}

// A missing digit is legal where the date is missing, as on life-long cards.
func TestUnknownDateWithoutDigit(t *testing.T) {
	doc := mrz.Parse(zone("PNRUSZDRIL7K<<SERGEQ<ANATOL9EVI3<<<<<<<<<<<<\n3919353498RUS7207233M<<<<<<<4151218910003<50"), today)
	if !doc.Valid || doc.Check("date_of_expiry") != mrz.Absent || !doc.DateOfExpiry.IsZero() || doc.Name.Secondary() != "SERGEQ ANATOL9EVI3" {
		t.Errorf("got %s, %v", doc, codes(doc))
	}
}
