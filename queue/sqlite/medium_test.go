package sqlite_test

import (
	"path/filepath"
	"testing"

	"lintas/queue/sqlite"
)

func TestDoubtfulMedium(t *testing.T) {
	if got := sqlite.DoubtfulMedium(filepath.Join(small(t, "tmpfs"), "queue.db")); got != "tmpfs" {
		t.Errorf("a file in memory is on %q", got)
	}
	if got := sqlite.DoubtfulMedium(filepath.Join(small(t, "ext4"), "queue.db")); got != "" {
		t.Errorf("a disk is doubted: %q", got)
	}
	if got := sqlite.DoubtfulMedium("/nowhere/at/all"); got != "" {
		t.Errorf("a folder that is not there is on %q", got)
	}
}
