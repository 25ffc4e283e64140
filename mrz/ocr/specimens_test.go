package ocr_test

import (
	"bufio"
	"encoding/json"
	_ "image/png"
	"os"
	"slices"
	"testing"
)

// folder holds public specimen pictures, and truth.jsonl, which says what is
// printed on them. It is no part of the project.
const folder = "../../../shared/data/pages/"

func TestPublicSpecimens(t *testing.T) {
	f, err := os.Open(folder + "truth.jsonl")
	if os.IsNotExist(err) {
		t.Skip("no specimens beside the project")
	} else if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var truth struct {
			File  string
			Lines []string
		}
		if err := json.Unmarshal(lines.Bytes(), &truth); err != nil {
			t.Fatal(err)
		}
		t.Run(truth.File, func(t *testing.T) {
			t.Parallel()
			zones := read(t, load(t, folder+truth.File))
			if len(truth.Lines) == 0 {
				if len(zones) > 0 {
					t.Errorf("no zone was read as %q", linesOf(zones))
				}
			} else if len(zones) != 1 || !slices.Equal(zones[0].Lines, truth.Lines) {
				t.Errorf("%q was read as %q", truth.Lines, linesOf(zones))
			}
		})
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}
