package reports

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestOUsCountTheirSubtreeAndSortByBytes(t *testing.T) {
	r := estate(60, []string{"eu-west-1", "us-east-1"})
	s := Summarize(r)
	by := map[string]GroupTotals{}
	var paths []string
	for _, ou := range s.OUs {
		by[ou.Name] = ou
		paths = append(paths, ou.Name)
	}
	if want := []string{"", "Sandbox", "Security", "Workloads", "Workloads/Non-production", "Workloads/Production"}; !slices.Equal(paths, want) {
		t.Errorf("OUs %q, want %q", paths, want)
	}
	if all := by[""]; all.Accounts != 60 || all.Totals.Cells != 120 || all.Totals.Gaps != s.Totals.Gaps {
		t.Errorf("the root counts %+v", all)
	}
	above, one, other := by["Workloads"], by["Workloads/Non-production"], by["Workloads/Production"]
	if above.Accounts != one.Accounts+other.Accounts || above.Totals.Cells != one.Totals.Cells+other.Totals.Cells || above.Totals.NonCompliant != one.Totals.NonCompliant+other.Totals.NonCompliant {
		t.Errorf("Workloads %+v is not the sum of %+v and %+v", above, one, other)
	}
}

func TestEveryCellIsCountedOnce(t *testing.T) {
	s := Summarize(estate(60, []string{"eu-west-1", "us-east-1"}))
	total, gaps, insufficient := 0, 0, 0
	for _, n := range s.Totals.ByStatus {
		total += n
	}
	for _, g := range s.Gaps {
		if g.Status == InsufficientData {
			insufficient += len(g.Cells)
		} else {
			gaps += len(g.Cells)
		}
	}
	if t0 := s.Totals; total != t0.Cells || t0.Covered+t0.Gaps != t0.Cells || gaps != t0.Gaps || insufficient != t0.ByStatus[InsufficientData] {
		t.Errorf("statuses sum to %d, gaps to %d and %d, of %+v", total, gaps, insufficient, t0)
	}
}

func TestAReasonInManyAccountsIsOneGap(t *testing.T) {
	s := Summarize(estate(60, []string{"eu-west-1", "us-east-1"}))
	denied := 0
	for i, g := range s.Gaps {
		if g.Status == AccessDenied {
			denied++
			if !strings.Contains(g.Detail, "rollout-reader in (account): AccessDenied") || len(g.Cells) != 6 {
				t.Errorf("%d cells: %s", len(g.Cells), g.Detail)
			}
		}
		if i > 0 && rank(s.Gaps[i-1].Status) > rank(g.Status) {
			t.Errorf("%s comes after %s", g.Status, s.Gaps[i-1].Status)
		}
	}
	if denied != 1 {
		t.Errorf("%d gaps ACCESS_DENIED, want 1", denied)
	}
}

func TestSpreadsheetSafe(t *testing.T) {
	for in, want := range map[string]string{"": "", "a=1": "a=1", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\ta": "'\ta", "\ra": "'\ra", "'=1": "'=1", "日": "日"} {
		if got := spreadsheetSafe(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// BenchmarkWrite writes 10,000 accounts × 17 Regions × 1 rule.
func BenchmarkWrite(b *testing.B) {
	var regions []string
	for i := range 17 {
		regions = append(regions, fmt.Sprintf("eu-made-%d", i+1))
	}
	r := estate(10_000, regions)
	for _, f := range files {
		b.Run(f.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var size counter
				if err := f.write(&size, r); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(size)/1e6, "MB")
			}
		})
	}
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
