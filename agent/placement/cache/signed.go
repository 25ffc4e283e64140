package cache

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"lintas/agent/crossing"
)

// timePath is the file that says when the list was last signed.
func timePath(path string) string { return strings.TrimSuffix(path, ".db") + ".time" }

type signed struct {
	Version int64     `json:"version"`
	Time    time.Time `json:"time"`
}

func signedAgain(path string, version int64) (time.Time, bool) {
	b, err := os.ReadFile(timePath(path))
	if err != nil {
		return time.Time{}, false
	}
	var s signed
	err = json.Unmarshal(b, &s)
	return s.Time, err == nil && s.Version == version
}

// SetTime notes that the installed list, of this version, was signed again.
func SetTime(path string, version int64, t time.Time) error {
	b, err := json.Marshal(signed{version, t})
	if err != nil {
		return err
	}
	if err := crossing.WriteFile(timePath(path), b, 0o600); err != nil {
		return fmt.Errorf("cannot note the list's time: %w", err)
	}
	return giveToOwner(timePath(path))
}
