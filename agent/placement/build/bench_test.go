package build_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"lintas/agent/placement"
	"lintas/agent/placement/build"
)

// BenchmarkDelta measures a daily delta of a thousand changes to a large list:
// given as changes, and found among all placements. The slow hash is the cheap
// one; a real one adds 20 ms of a core for each change. Ten million placements
// take long to begin with: they are measured where LINTAS_BENCH_10M is set.
func BenchmarkDelta(b *testing.B) {
	sizes := []int{1_000_000}
	if os.Getenv("LINTAS_BENCH_10M") != "" {
		sizes = append(sizes, 10_000_000)
	}
	for _, n := range sizes {
		o := newOffice(b)
		all := func(rev int64) build.Stream {
			return func(each func(placement.Entry) error) error {
				for i := range n {
					e := worker(i)
					if i%(n/1000) == 0 {
						e.Rev = rev
					}
					if err := each(e); err != nil {
						return err
					}
				}
				return nil
			}
		}
		begun := time.Now()
		o.build(build.Source{Placements: all(1)})
		first := time.Since(begun)
		rev := int64(1)
		b.Run(fmt.Sprintf("changes/rows=%d", n), func(b *testing.B) {
			for b.Loop() {
				rev++
				r := o.build(build.Source{Changes: true, Placements: func(each func(placement.Entry) error) error {
					for i := range 1000 {
						e := worker(i * (n / 1000))
						e.Rev = rev
						if err := each(e); err != nil {
							return err
						}
					}
					return nil
				}})
				if r.Changed != 1000 || r.Full {
					b.Fatalf("%+v", r)
				}
			}
			b.ReportMetric(first.Seconds(), "s-first-build")
		})
		b.Run(fmt.Sprintf("all/rows=%d", n), func(b *testing.B) {
			for b.Loop() {
				rev++
				if r := o.build(build.Source{Placements: all(rev)}); r.Changed != 1000 || r.Full {
					b.Fatalf("%+v", r)
				}
			}
		})
	}
}
