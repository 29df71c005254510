//go:build unix

package stackset

import (
	"fmt"
	"testing"

	"rollout/internal/cost"
	"rollout/templates"
)

// BenchmarkEstimateOf100000 estimates a plan of 6,000 accounts in 17 Regions: recorders
// that are updated, a template that is, and enforcement that is created.
func BenchmarkEstimateOf100000(b *testing.B) {
	var chosen []templates.Template
	for _, name := range []string{"default-security-group"} {
		t, err := templates.Lookup(name)
		if err != nil {
			b.Fatal(err)
		}
		chosen = append(chosen, t)
	}
	d := Desired{Templates: chosen, Remediation: RemediationManual, HomeRegion: home, Partition: "aws", Prices: cost.Embedded()}
	p := &Plan{Desired: d, Facts: &Facts{}}
	found := map[LookedAt]Starts{}
	for _, w := range WantedSets(d) {
		s := Set{Name: w.Name, Template: w.Template, Automatic: w.Automatic, Want: want(d, w.Template, w.Automatic)}
		if w.Template.Enforces == "" {
			s.Exists, s.Outdated, s.Deployed, s.Parameters = true, "its template changes", "Resources: {A: {Type: AWS::SNS::Topic}}", map[string]string{}
			s.Instances = map[Target]Instance{}
		}
		for account := range 6000 {
			for region := range 17 {
				at := Target{fmt.Sprintf("%012d", account), fmt.Sprintf("eu-west-%d", region)}
				c := Change{Target: at, StackSet: s.Name, Template: w.Template.Name, Action: Create}
				if s.Instances != nil {
					s.Instances[at] = Instance{Target: at, StackID: "x"}
					c.Action = Update
				} else {
					found[LookedAt{s.Name, at}] = Starts{Runs: 1}
				}
				p.Changes = append(p.Changes, c)
			}
		}
		p.Sets = append(p.Sets, s)
	}
	b.ReportAllocs()
	for b.Loop() {
		spent := cpuTime()
		p.EstimateCost(found)
		b.ReportMetric((cpuTime() - spent).Seconds(), "cpu-s/op")
		b.ReportMetric(float64(len(p.Changes)), "changes")
	}
}
