package cache

import (
	"context"
	"fmt"

	"lintas/agent/placement"
)

// Verify reads the installed list from end to end and compares it with what it
// was when it was installed.
func Verify(ctx context.Context, path string) (placement.Info, error) {
	l := &List{}
	defer l.Close()
	if err := l.open(ctx, path); err != nil {
		return placement.Info{}, err
	}
	for _, f := range []*file{l.base, l.over} {
		if f == nil {
			continue
		}
		if err := check(ctx, f.db); err != nil {
			return placement.Info{}, err
		}
		count, sum, err := sumOf(ctx, f.db)
		if err != nil {
			return placement.Info{}, err
		}
		if count != f.header.Rows || sum != f.header.Sum {
			return placement.Info{}, fmt.Errorf("the file is damaged: %d rows with checksum %08x, installed were %d with %08x",
				count, sum, f.header.Rows, f.header.Sum)
		}
	}
	return infoOf(l.top().header, l.base.header), nil
}
