package page_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"lintas/mrz"
	"lintas/mrz/ocr/specimen"
)

// BenchmarkPage is what a counter waits for a scanned page: a fresh process of
// the shipped program, from its start to its last word, on A4 at 300 dots per
// inch in PDF. p95-ms, its processor time and peak-MB are those of the child;
// ×start is the 95th percentile divided by the time that the same program takes
// to start and say that a document is empty, on the same machine in the same run.
// missed counts answers other than one zone, or none on a page of text.
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
		in, err := os.Open(name)
		if err != nil {
			b.Fatal(err)
		}
		defer in.Close()
		cmd := exec.Command(program, "read-page")
		cmd.Stdin = in
		began := time.Now()
		out, err := cmd.Output()
		took := time.Since(began)
		if err != nil || !bytes.Contains(out, []byte("begun")) {
			b.Fatalf("%v: %.300s", err, out)
		}
		if !bytes.Contains(out, want) {
			missed++
		}
		state := cmd.ProcessState
		return cost{took, state.UserTime() + state.SystemTime(), state.SysUsage().(*syscall.Rusage).Maxrss}
	}
	empty := filepath.Join(b.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
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
			want := []byte(`"zones"`)
			for range 5 {
				p := c.page
				if !p.Text {
					p.Zones = [][]string{specimen.Zone(r, mrz.TD3)}
				} else {
					want = []byte("page_no_zone")
				}
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
				c := one(b, names[i%len(names)], want)
				times, cpu, peak = append(times, c.took), append(cpu, c.cpu), max(peak, c.peak)
				b.StopTimer()
				starts = append(starts, one(b, empty, []byte("page_empty")).took)
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
