package page_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"lintas/mrz"
	"lintas/mrz/ocr/specimen"
)

// BenchmarkPage is what it takes from a scanned page to its zone: lintas mrz, the
// shipped program, in a fresh process with its fresh child, on A4 at 300 dots per
// inch in PDF. p95-ms is by the clock, p95-cpu-ms the processor time of both,
// peak-MB the most memory of either; ×start is the 95th percentile divided by the
// time that the same takes to say that a document is broken, on the same machine
// in the same run. missed counts answers other than the zone, or none on a page
// of text.
func BenchmarkPage(b *testing.B) {
	program := filepath.Join(b.TempDir(), "lintas")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", program, "../../agent")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	faces, err := specimen.Typefaces()
	if err != nil {
		b.Skip(err)
	}
	type cost struct {
		took, cpu time.Duration
		peak      int64
	}
	missed := 0
	one := func(b *testing.B, name string, want []byte) cost {
		cmd := exec.Command(program, "mrz", "--json", name)
		began := time.Now()
		out, _ := cmd.Output() // 1 where there is no zone
		took := time.Since(began)
		if !bytes.Contains(out, want) {
			missed++
		}
		state := cmd.ProcessState
		return cost{took, state.UserTime() + state.SystemTime(), state.SysUsage().(*syscall.Rusage).Maxrss}
	}
	broken := filepath.Join(b.TempDir(), "broken.pdf")
	if err := os.WriteFile(broken, []byte("%PDF-1.7\n"), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name string
		page specimen.Page
	}{
		{"grey", specimen.Page{Grey: true}},
		{"colour", specimen.Page{}},
		{"colour, tilted, sideways, noisy", specimen.Page{Tilt: 0.1, Turned: 1, Noise: 6}},
		{"text only", specimen.Page{Text: true}},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			var names []string
			var wanted [][]byte
			for range 5 {
				p, want := c.page, []byte("page_no_zone")
				if !p.Text {
					zone := specimen.Zone(r, mrz.TD3)
					p.Zones, want = [][]string{zone}, []byte(strings.Join(zone, `","`))
				}
				wanted = append(wanted, want)
				name := filepath.Join(b.TempDir(), "page.pdf")
				if err := os.WriteFile(name, pdf(b, 300, p.Draw(r, faces)), 0o600); err != nil {
					b.Fatal(err)
				}
				names = append(names, name)
			}
			var times, cpu, starts []time.Duration
			var peak int64
			missed = 0
			for i := 0; b.Loop(); i++ {
				c := one(b, names[i%len(names)], wanted[i%len(names)])
				times, cpu, peak = append(times, c.took), append(cpu, c.cpu), max(peak, c.peak)
				b.StopTimer()
				starts = append(starts, one(b, broken, []byte("page_broken")).took)
				b.StartTimer()
			}
			slices.Sort(times)
			slices.Sort(cpu)
			slices.Sort(starts)
			p95 := times[len(times)*95/100]
			b.ReportMetric(float64(cpu[len(cpu)*95/100].Microseconds())/1000, "p95-cpu-ms")
			b.ReportMetric(float64(missed), "missed")
			b.ReportMetric(float64(p95.Microseconds())/1000, "p95-ms")
			b.ReportMetric(float64(peak)/1024, "peak-MB")
			b.ReportMetric(float64(p95)/float64(starts[len(starts)/2]), "×start")
		})
	}
}
