package mrz_test

import (
	"reflect"
	"strings"
	"testing"

	"lintas/mrz"
)

func TestLines(t *testing.T) {
	want := specimenTD3
	text := strings.Join(want, "\n")
	for name, text := range map[string]string{
		"LF":              text + "\n",
		"CR LF":           strings.Join(want, "\r\n") + "\r\n",
		"CR":              strings.Join(want, "\r"),
		"STX and ETX":     "\x02" + strings.Join(want, "\r") + "\r\x03",
		"byte order mark": "\ufeff" + text,
		"blanks":          "  " + strings.Join(want, " \n\t\u00a0\n ") + " ",
		"spaces inside":   strings.ReplaceAll(text, "<<", "< <"),
		"small letters":   strings.ToLower(text),
		"one string":      want[0] + want[1],
		"HTML":            strings.ReplaceAll(text, "<", "&lt;"),
		"zero width":      strings.ReplaceAll(text, "U", "U\u200b"),
	} {
		t.Run(name, func(t *testing.T) {
			if got := mrz.Lines(text); !reflect.DeepEqual(got, want) {
				t.Errorf("got %q", got)
			}
		})
	}
	for _, lines := range [][]string{specimenTD1, specimenTD2, edit(specimenTD2, 2, 3, "_")} {
		if got := mrz.Lines(strings.Join(lines, "")); !reflect.DeepEqual(got, lines) {
			t.Errorf("one string: got %q", got)
		}
	}
	if got := mrz.Lines(" \r\n\x00\n"); len(got) != 0 {
		t.Errorf("nothing: got %q", got)
	}
	if got := mrz.Lines(strings.Repeat("É", 44)); len(got) != 0 {
		t.Errorf("88 bytes that are no zone: got %d lines", len(got))
	}
}

func TestZones(t *testing.T) {
	join := func(groups ...[]string) (all []string) {
		for _, g := range groups {
			all = append(all, g...)
		}
		return all
	}
	heading44 := []string{strings.Repeat("IMMIGRATION", 4)}
	heading30 := []string{"MINISTRYOFFOREIGNAFFAIRSUTOPIA", "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<"}
	tests := []struct {
		name  string
		lines []string
		want  [][]string
	}{
		{"one", specimenTD3, [][]string{specimenTD3}},
		{"two of a kind", join(specimenTD3, specimenMRVA), [][]string{specimenTD3, specimenMRVA}},
		{"all kinds", join(specimenTD1, specimenTD2, specimenMRVB), [][]string{specimenTD1, specimenTD2, specimenMRVB}},
		{"junk around", join([]string{"PASSPORT", "ÜTOPIA"}, specimenTD3, []string{"PAGE2"}), [][]string{specimenTD3}},
		{"headings of the same length", join(heading44, specimenTD3, heading44, heading30[:1], specimenTD1), [][]string{specimenTD3, specimenTD1}},
		{"unread cells", edit(specimenTD1, 2, 1, "______"), [][]string{edit(specimenTD1, 2, 1, "______")}},
		{"torn, but all there is", specimenTD3[:1], [][]string{specimenTD3[:1]}},
		{"too much that is none", []string{"A", "B", "C", "D"}, nil},
		{"nothing", nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := mrz.Zones(test.lines); !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestParseText(t *testing.T) {
	docs := mrz.ReadText("Visa and passport\n"+strings.Join(specimenTD3, "\n")+"\n\n"+strings.Join(specimenMRVA, "\r\n"), today)
	if len(docs) != 2 || docs[0].Format != mrz.TD3 || docs[1].Format != mrz.MRVA || !docs[0].Valid || !docs[1].Valid {
		t.Errorf("got %v", docs)
	}
	if docs := mrz.ReadText("", today); len(docs) != 0 {
		t.Errorf("got %v", docs)
	}
}
