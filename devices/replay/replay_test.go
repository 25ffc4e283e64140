package replay_test

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lintas/devices/replay"
)

var head = replay.Header{MadeBy: "a test", Reader: "none", Profile: "auto", Line: "9600 8N1", Date: "2026-11-26", Personal: replay.NoPerson}

const text = `lintas capture 1
made by: a test
reader: none
profile: auto
line: 9600 8N1
date: 2026-11-26
personal data: none

0.000000 < "P<UTO\r"
0.012000 < "\xff\x00\"\\\t\n~"
2.500001 > "C\x00\x01\x01"
`

var chunks = []replay.Chunk{
	{At: 0, Bytes: []byte("P<UTO\r")},
	{At: 12 * time.Millisecond, Bytes: []byte("\xff\x00\"\\\t\n~")},
	{At: 2500001 * time.Microsecond, ToScanner: true, Bytes: []byte("C\x00\x01\x01")},
}

func write(t testing.TB, c *replay.Capture) string {
	t.Helper()
	var b bytes.Buffer
	w, err := replay.NewWriter(&b, c.Header)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range c.Chunks {
		if err := w.Write(k); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func TestWriteAndRead(t *testing.T) {
	c := &replay.Capture{Header: head, Chunks: chunks}
	if got := write(t, c); got != text {
		t.Errorf("got\n%s\nwant\n%s", got, text)
	}
	got, err := replay.Read(strings.NewReader(text))
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, %v", got, err)
	}
	if sent := string(got.Sent()); sent != "P<UTO\r\xff\x00\"\\\t\n~" {
		t.Errorf("sent %q", sent)
	}
}

func TestRead(t *testing.T) {
	const top, none = "lintas capture 1\n", "personal data: none\n"
	for _, c := range []struct {
		name, in, want string // "" for no error
	}{
		{"nothing but the head", top + none, ""},
		{"remarks", top + "# made up\n" + none + "\n# here it begins\n0.000000 < \"A\"\n\n", ""},
		{"a field of a newer version", top + none + "mood: good\n\n", ""},
		{"same time", top + none + "\n0.000000 < \"A\"\n0.000000 < \"B\"\n", ""},
		{"empty", "", "line 1: it is empty"},
		{"something else", "P<UTO\n", "line 1"},
		{"another version", "lintas capture 2\n", "line 1"},
		{"not said whether there are personal data", top + "reader: none\n\n", "personal data"},
		{"personal data of a new kind", top + "personal data: some\n", "line 2"},
		{"twice", top + none + "reader: a\nreader: b\n", "line 4"},
		{"no colon", top + none + "reader\n", "line 3"},
		{"letters outside ASCII", top + none + "reader: \u00e9\n", "line 3"},
		{"no time", top + none + "\n< \"A\"\n", "line 4"},
		{"short time", top + none + "\n0.1 < \"A\"\n", "seconds"},
		{"long time", top + none + "\n99999999999.000000 < \"A\"\n", "seconds"},
		{"negative time", top + none + "\n-1.000000 < \"A\"\n", "seconds"},
		{"back in time", top + none + "\n1.000000 < \"A\"\n0.900000 < \"A\"\n", "line 5"},
		{"no direction", top + none + "\n0.000000 \"A\"\n", "line 4"},
		{"no quotes", top + none + "\n0.000000 < A\n", "quotes"},
		{"no closing quote", top + none + "\n0.000000 < \"A\n", "quotes"},
		{"bad escape", top + none + "\n0.000000 < \"\\q\"\n", "quotes"},
		{"half an escape", top + none + "\n0.000000 < \"\\x0\"\n", "quotes"},
		{"needless escape", top + none + "\n0.000000 < \"\\x41\"\n", "quotes"},
		{"no bytes", top + none + "\n0.000000 < \"\"\n", "bytes"},
		{"endless line", top + none + "\n0.000000 < \"" + strings.Repeat("A", 1<<20), "longer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := replay.Read(strings.NewReader(c.in))
			_, syntax := errors.AsType[*replay.SyntaxError](err)
			switch {
			case c.want == "" && err != nil, c.want != "" && (!syntax || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestWriterRefusesAHeadThatCannotBeRead(t *testing.T) {
	for _, h := range []replay.Header{
		{}, {Personal: "perhaps"}, {Personal: replay.NoPerson, Reader: "two\nlines"}, {Personal: replay.NoPerson, Reader: strings.Repeat("x", 201)},
	} {
		if _, err := replay.NewWriter(new(bytes.Buffer), h); err == nil {
			t.Errorf("%+v was written", h)
		}
	}
}

func TestMaskKeepsTheShapeOnly(t *testing.T) {
	got := string(replay.Mask([]byte("\x02P<UTOSURYATI<<SITI\rX1234567<4\x03\xc1\xb1ok_%;?")))
	if want := "\x02X<XXXXXXXXXX<<XXXX\rX0000000<0\x03\xd8\xb0xx_%;?"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzRead: what can be read can be written again and reads as the same.
func FuzzRead(f *testing.F) {
	f.Add([]byte(text))
	f.Add([]byte("lintas capture 1\npersonal data: masked\n\n# x\n0.000000 < \"\\x80\"\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		c, err := replay.Read(bytes.NewReader(in))
		if err != nil {
			if c != nil {
				t.Fatal("an error and a capture")
			}
			return
		}
		again, err := replay.Read(strings.NewReader(write(t, c)))
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("got %+v, %v; want %+v", again, err, c)
		}
	})
}

// timed notes when something was written.
type timed struct {
	start time.Time
	at    []time.Duration
	got   []string
}

func (w *timed) Write(b []byte) (int, error) {
	w.at, w.got = append(w.at, time.Since(w.start)), append(w.got, string(b))
	return len(b), nil
}

func TestPlay(t *testing.T) {
	c := &replay.Capture{Header: head, Chunks: chunks}
	for _, fast := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := &timed{start: time.Now()}
			if err := c.Play(t.Context(), w, fast); err != nil {
				t.Fatal(err)
			}
			want := []time.Duration{0, 12 * time.Millisecond}
			if fast {
				want[1] = 0
			}
			if !reflect.DeepEqual(w.at, want) || strings.Join(w.got, "") != string(c.Sent()) {
				t.Errorf("fast %v: %q at %v", fast, w.got, w.at)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		defer cancel()
		if err := c.Play(ctx, new(timed), false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("not ended: %v", err)
		}
	})
}
