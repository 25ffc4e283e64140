package cache_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"lintas/agent/placement"
	"lintas/agent/placement/cache"
)

// A counter that is given deltas only does not get slower with the months: what
// has changed is folded into a new base now and then, and all of it answers.
func TestOverlayStaysSmall(t *testing.T) {
	const rows, days, aDay = 1000, 40, 50
	defer cache.FewRows(100)()
	s := newShelf(t)
	all := s.rows(rows, 1)
	path := filepath.Join(t.TempDir(), "placements.db")
	if _, err := cache.Install(t.Context(), path, s.full(1, all)); err != nil {
		t.Fatal(err)
	}
	revision := map[placement.Tag]byte{} // what a row's body must begin with
	gone := map[placement.Tag]bool{}
	folds := 0
	base := int64(1)
	for day := range days {
		version := int64(day + 2)
		var delta []placement.Row
		for i := range aDay {
			r := all[(i*(rows/aDay)+day)%rows]
			if i%10 == 0 {
				r = placement.Row{Tag: r.Tag, Kind: placement.KindGone}
				gone[r.Tag] = true
			} else {
				r.Body = append([]byte{byte(version)}, r.Body...)
				revision[r.Tag] = byte(version)
				delete(gone, r.Tag)
			}
			delta = append(delta, r)
		}
		slices.SortFunc(delta, func(a, b placement.Row) int { return bytes.Compare(a.Tag[:], b.Tag[:]) })
		info, err := cache.Install(t.Context(), path, s.delta(version-1, version, delta))
		if err != nil {
			t.Fatal(err)
		}
		if info.Version != version {
			t.Fatalf("version %d after delta %d", info.Version, version)
		}
		if info.Base != base {
			folds++
			if base = info.Base; base != version-1 {
				t.Errorf("delta %d: folded into a base of version %d", version, base)
			}
		}
	}
	if folds < 5 {
		t.Errorf("folded %d times", folds)
	}
	if _, err := cache.Verify(t.Context(), path); err != nil {
		t.Error(err)
	}
	if files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.db*")); err != nil || len(files) > 3 { // base, overlay, lock
		t.Errorf("left behind: %v, %v", files, err)
	}
	l, err := cache.Open(t.Context(), path, cache.Access{Keys: placement.Keyring{s.key}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, r := range all {
		got, err := l.Tagged(t.Context(), r.Tag)
		switch want, changed := revision[r.Tag]; {
		case err != nil:
			t.Fatal(err)
		case gone[r.Tag]:
			if len(got) > 0 && got[0].Kind != placement.KindGone {
				t.Fatal("a row that is gone is there")
			}
		case len(got) != 1 || changed && got[0].Body[0] != want || !changed && string(got[0].Body) != string(r.Body):
			t.Fatalf("%d rows of a tag, or an old one", len(got))
		}
	}
}
