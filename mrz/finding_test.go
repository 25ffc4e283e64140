package mrz_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"lintas/mrz"
)

// Every finding that some zone of these tests can call forth is worded as one
// sentence in each language, with the field's name filled in.
func TestFindingsAreSentences(t *testing.T) {
	snake := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for _, f := range mrz.Catalogue() {
		if !snake.MatchString(f.Code) {
			t.Errorf("code %q", f.Code)
		}
		switch f.Severity {
		case mrz.Error, mrz.Warning, mrz.Info:
		default:
			t.Errorf("%s: severity %q", f.Code, f.Severity)
		}
		for _, s := range []string{f.ID, f.EN} {
			if len(s) < 10 || !strings.HasSuffix(s, ".") || strings.Count(s, ".") != 1 || strings.Contains(s, "{") {
				t.Errorf("%s: no sentence: %q", f.Code, s)
			}
		}
	}
}

func TestFindingsHaveWords(t *testing.T) {
	// One zone of fillers and one of unread cells call forth most findings.
	for _, c := range []string{"<", "_", "9", "X", "-"} {
		for _, shape := range [][2]int{{3, 30}, {2, 36}, {2, 44}} {
			var lines []string
			for range shape[0] {
				lines = append(lines, strings.Repeat(c, shape[1]))
			}
			for _, f := range mrz.Parse(lines, today).Findings {
				if f.ID == "" || f.EN == "" || f.Severity == "" || strings.Contains(f.ID+f.EN, "{") {
					t.Errorf("%s of %q has no words", f.Code, f.Field)
				}
			}
		}
	}
}

func TestKnownState(t *testing.T) {
	for _, code := range strings.Fields("IDN MYS SAU HKG TWN D DEU UTO XXA XXB XXC XXX RKS XXK UNO UNA UNK GBD GBN GBO GBP GBS EUE XOM XPO XBA XIM XCC XCE XCO XEC XES XMP XDC IAO NTZ ANT XKX SUN YUG DDR CSK TMP ZAR ABW ZWE") {
		if !mrz.KnownState(code) {
			t.Errorf("%s is not known", code)
		}
	}
	for _, code := range []string{"", "<", "I", "ID", "QQQ", "COU", "AAA", "ZZZ", "idn", "IDN<", "D<<", "1DN", "ÄÖ"} {
		if mrz.KnownState(code) {
			t.Errorf("%q is known", code)
		}
	}
	n := 0
	for i := range 26 * 26 * 26 {
		if mrz.KnownState(string([]byte{byte('A' + i/676), byte('A' + i/26%26), byte('A' + i%26)})) {
			n++
		}
	}
	if n != 249+31+10 {
		t.Errorf("%d codes of three letters; ISO 3166-1 has 249, 31 are ICAO's or Kosovo's, 10 are withdrawn", n)
	}
}

func ExampleParse() {
	doc := mrz.Parse([]string{
		"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
		"L898902C36UTO7408122F1204159ZE184226B<<<<<11",
	}, mrz.Date{Year: 2026, Month: 11, Day: 23})
	fmt.Println(doc.Format, doc.Valid, doc.DateOfBirth)
	fmt.Println(doc.Check(mrz.FieldDocumentNumber), doc.Check(mrz.FieldComposite))
	for _, f := range doc.Findings {
		fmt.Printf("%d:%d %s\n", f.Line, f.Column, f.EN)
	}
	// Output:
	// TD3 false 1974-08-12
	// verified refuted
	// 2:44 The check digit of the zone as a whole (composite) does not match; compare with the document and scan again.
}
