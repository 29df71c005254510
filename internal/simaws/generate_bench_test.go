package simaws

import (
	"io"
	"runtime"
	"testing"
)

// What docs/decisions/0003 says of large organizations.
func BenchmarkLargeOrganization(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := New(Options{Accounts: 10_000})
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MiB")
		runtime.KeepAlive(s)
	}
}

func BenchmarkLargeTruth(b *testing.B) {
	s := New(Options{Accounts: 10_000})
	for b.Loop() {
		if err := s.WriteTruth(io.Discard, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(worlds(s)), "worlds")
}
