package wedge_test

import (
	"testing"

	"lintas/devices"
	"lintas/devices/wedge"
)

// BenchmarkSwipe is a passport typed, all layouts tried: some 700 records.
func BenchmarkSwipe(b *testing.B) {
	records := newTypist("us").types(swipe(td3a, td3b)).records
	f := newFramer(wedge.Auto)
	scans := 0
	emit := func(devices.Scan) { scans++ }
	b.ReportAllocs()
	for b.Loop() {
		f.Push(start, records, emit)
	}
	if scans != b.N {
		b.Fatalf("%d scans of %d", scans, b.N)
	}
	b.ReportMetric(float64(len(records)/24), "records/op")
}
