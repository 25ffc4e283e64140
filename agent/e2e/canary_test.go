package e2e_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"lintas/queue"
)

func uuidString(id queue.ID) string { return uuid.UUID(id).String() }

// noCanary searches everything that the processes of a site wrote for the
// traveller: logs, databases with their journals, and every other file.
func (s *site) noCanary() {
	s.t.Helper()
	secrets := []string{canaryPrimary, canarySecondary, "ZZ00000", "910227", "1991-02-27"}
	for _, c := range secrets {
		if strings.Contains(s.logs.String(), c) {
			s.t.Errorf("the log names a traveller (%s)", c)
		}
	}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Base(path) == "placements.jsonl" { // what the list was built from
			return err
		}
		if strings.HasPrefix(filepath.Base(path), "ledger.db") { // headquarters opens records there
			return nil
		}
		b, err := os.ReadFile(path)
		for _, c := range secrets {
			if bytes.Contains(b, []byte(c)) {
				s.t.Errorf("%s names a traveller (%s)", path, c)
			}
		}
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
}
