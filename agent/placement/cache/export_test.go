package cache

import (
	"context"

	"lintas/agent/placement"
)

// Step lets a test see, and fail, each step of an installation that changes a
// disk.
func Step(f func(string) error) (restore func()) {
	old := step
	step = f
	return func() { step = old }
}

// Tagged looks rows up without the slow hash.
func (l *List) Tagged(ctx context.Context, tag placement.Tag) ([]placement.Row, error) {
	return l.tagged(ctx, tag)
}

// FewRows lets a test make any overlay of more rows overgrown.
func FewRows(n int64) (restore func()) {
	old := fewRows
	fewRows = n
	return func() { fewRows = old }
}
