package ocr_test

import (
	"slices"
	"testing"

	"lintas/mrz"
	"lintas/mrz/ocr"
)

var passport = []string{
	"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
	"L898902C36UTO7408122F1204159ZE184226B<<<<<10",
}

// seen says that the characters of lines are seen clearly.
func seen(lines []string) (cells [][]map[byte]float64) {
	for _, line := range lines {
		var row []map[byte]float64
		for _, c := range []byte(line) {
			row = append(row, map[byte]float64{c: 0.9999})
		}
		cells = append(cells, row)
	}
	return cells
}

func TestDecoder(t *testing.T) {
	type cell struct {
		line, column int
		seen         map[byte]float64
	}
	tests := []struct {
		name   string
		format mrz.Format
		lines  []string // what comes out
		cells  []cell   // what is seen otherwise
		mended []int    // columns of line 2
		proven bool
	}{
		{"as it stands", mrz.TD3, passport, nil, nil, true},
		{"a digit between two", mrz.TD3, passport, []cell{{2, 14, map[byte]float64{'1': 0.55, '7': 0.44}}}, []int{14}, true},
		{"two digits between two", mrz.TD3, passport, []cell{
			{2, 14, map[byte]float64{'1': 0.55, '7': 0.44}}, {2, 25, map[byte]float64{'9': 0.5, '4': 0.45}}}, []int{14, 25}, true},
		{"a digit that is clearly another is not mended", mrz.TD3,
			[]string{passport[0], "L898902C36UTO1408122F1204159ZE184226B<<<<<10"},
			[]cell{{2, 14, map[byte]float64{'1': 0.93, '7': 0.06}}}, nil, false},
		{"nor are five that are nearly another", mrz.TD3,
			[]string{passport[0], "L898902C36UTO1408722F1204759ZE784226B<<<<<10"},
			[]cell{{2, 14, map[byte]float64{'1': 0.8, '7': 0.19}}, {2, 18, map[byte]float64{'7': 0.8, '1': 0.19}},
				{2, 26, map[byte]float64{'7': 0.8, '1': 0.19}}, {2, 31, map[byte]float64{'7': 0.8, '1': 0.19}}}, nil, false},
		{"nor one among many that are doubtful", mrz.TD3,
			[]string{passport[0], "L898902C36UTO1408122F1204159ZE184226B<<<<<10"},
			[]cell{{2, 14, map[byte]float64{'1': 0.55, '7': 0.44}}, {2, 1, map[byte]float64{'L': 0.7, 'E': 0.2}}, {2, 7, map[byte]float64{'2': 0.7, 'Z': 0.2}},
				{2, 23, map[byte]float64{'2': 0.7, '7': 0.2}}, {2, 32, map[byte]float64{'8': 0.7, '5': 0.2}}}, nil, false},
		{"a letter where only digits are", mrz.TD3, passport, []cell{{2, 16, map[byte]float64{'O': 0.7, '0': 0.29}}}, nil, true},
		{"a letter there that is clearly none", mrz.TD3,
			[]string{passport[0], "L898902C36UTO74B8122F1204159ZE184226B<<<<<10"},
			[]cell{{2, 16, map[byte]float64{'B': 0.9999}}}, nil, false},
		{"zero rather than O in a number", mrz.TD3, passport, []cell{{2, 6, map[byte]float64{'O': 0.6, '0': 0.39}}}, nil, true},
		{"a state that there is", mrz.TD3, passport, []cell{{1, 4, map[byte]float64{'D': 0.9, 'T': 0.08}}}, nil, true},
		{"nor one that is clearly none", mrz.TD3,
			[]string{"P<UDOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", passport[1]},
			[]cell{{1, 4, map[byte]float64{'D': 0.98, 'T': 0.01}}}, nil, true},
		{"a kind of document that there is", mrz.TD3, passport, []cell{{1, 1, map[byte]float64{'R': 0.7, 'P': 0.29}}}, nil, true},
		{"no digit guards a name", mrz.TD3,
			[]string{"P<UTOFRIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", passport[1]},
			[]cell{{1, 6, map[byte]float64{'F': 0.52, 'E': 0.47}}}, nil, true},
		{"long number", mrz.TD1, []string{"I<UTOD23145890<7349<<<<<<<<<<<", "3407127M9507122UTO<<<<<<<<<<<2", "STEVENSON<<PETER<JOHN<<<<<<<<<"}, nil, nil, true},
		{"visa without composite", mrz.MRVB, []string{"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"},
			[]cell{{2, 14, map[byte]float64{'9': 0.5, '4': 0.49}}}, []int{14}, true},
		{"French card", mrz.FRID, []string{"IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6"},
			[]cell{{1, 6, map[byte]float64{'8': 0.5, 'B': 0.49}}, {2, 3, map[byte]float64{'6': 0.5, '0': 0.49}}}, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cells := seen(tt.lines)
			for _, c := range tt.cells {
				cells[c.line-1][c.column-1] = c.seen
			}
			lines, repairs, proven, _ := ocr.Decode(tt.format, cells)
			if tt.name == "French card" { // its composite covers names too, two readings agree
				if doc := mrz.Parse(lines, mrz.Date{}); !doc.Valid || !proven {
					t.Fatalf("got %q, proven %v", lines, proven)
				}
				return
			}
			if !slices.Equal(lines, tt.lines) || proven != tt.proven {
				t.Errorf("got %q, proven %v", lines, proven)
			}
			var mended []int
			for _, r := range repairs {
				if r.Line != 2 || r.From == r.To || r.Field != tt.format.FieldAt(mrz.Cell{Line: 1, Column: r.Column - 1}) {
					t.Errorf("repair %+v", r)
				}
				mended = append(mended, r.Column)
			}
			if !slices.Equal(mended, tt.mended) {
				t.Errorf("mended %v, not %v", mended, tt.mended)
			}
		})
	}
}

// Where a digit says that an O is printed, and the glyph may be one, it is.
func TestDigitsDecideBetweenZeroAndO(t *testing.T) {
	want, err := mrz.Fields{DocumentCode: "P", IssuingState: "UTO", Nationality: "UTO", Primary: "ERIKSSON", DocumentNumber: "L8O8902C3",
		DateOfBirth: mrz.Date{Year: 1974, Month: 8, Day: 12}, DateOfExpiry: mrz.Date{Year: 2032, Month: 4, Day: 15}}.Lines(mrz.TD3)
	if err != nil {
		t.Fatal(err)
	}
	cells := seen(want)
	cells[1][2] = map[byte]float64{'0': 0.55, 'O': 0.44}
	lines, repairs, proven, sure := ocr.Decode(mrz.TD3, cells)
	if !proven || !slices.Equal(lines, want) || len(repairs) != 1 || repairs[0].From != "0" || repairs[0].To != "O" {
		t.Errorf("got %q, repairs %v", lines, repairs)
	}
	if slices.Min(sure) > 0.5 {
		t.Errorf("confidence %v", slices.Min(sure))
	}
}

// What the check digits decided is never more certain than what was seen.
func TestRepairIsNotVouchedFor(t *testing.T) {
	cells := seen(passport)
	cells[1][13] = map[byte]float64{'1': 0.55, '7': 0.44}
	_, repairs, proven, sure := ocr.Decode(mrz.TD3, cells)
	if !proven || len(repairs) != 1 {
		t.Fatalf("proven %v, repairs %v", proven, repairs)
	}
	if p := slices.Min(sure); p > 0.5 || p >= ocr.Floor {
		t.Errorf("confidence %v", p)
	}
}
