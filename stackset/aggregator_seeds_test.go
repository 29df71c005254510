package stackset_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/google/go-cmp/cmp"

	"rollout/internal/simaws"
	"rollout/stackset"
)

// A plan is the same with an aggregator and without one, over seeded organizations: before
// anything is deployed, after it, and in the minutes after things have changed, when the
// aggregator has not heard of it.
func TestAggregatorChangesNoPlan(t *testing.T) {
	var told atomic.Int64
	overSeeds(t, 12, 3, func(w *seeded) {
		d, ok := w.wish()
		if !ok {
			return
		}
		if err := w.sim.PutAggregator(simaws.AggregatorSpec{Region: w.home}); err != nil {
			w.t.Fatal(err)
		}
		w.prepare(d) //nolint:errcheck // learns which role works
		p, some := w.sameWithout(d, "at first")
		if p == nil {
			return
		}
		told.Add(int64(some))
		w.apply(p)
		time.Sleep(10 * time.Minute)
		_, some = w.sameWithout(d, "deployed")
		told.Add(int64(some))
		w.change()
		_, some = w.sameWithout(d, "changed just now")
		told.Add(int64(some))
	})
	if told.Load() == 0 {
		t.Error("no aggregator told anything")
	}
	t.Logf("%d account-Regions were told by aggregators", told.Load())
}

// sameWithout plans with the organization's aggregator and without it, and gives the first
// plan, nil where there is none, and how much the aggregator told.
func (w *seeded) sameWithout(d stackset.Desired, when string) (p *stackset.Plan, told int) {
	w.t.Helper()
	with, err := w.prepare(d)
	if err != nil {
		return nil, 0
	}
	api := configservice.NewFromConfig(w.session.Own(""))
	if _, err := api.DeleteConfigurationAggregator(w.t.Context(), &configservice.DeleteConfigurationAggregatorInput{ConfigurationAggregatorName: aws.String("organization")}); err != nil {
		w.t.Fatal(err)
	}
	without, err := w.prepare(d)
	if err != nil {
		w.t.Fatalf("%s, without the aggregator: %v", when, err)
	}
	if err := w.sim.PutAggregator(simaws.AggregatorSpec{Region: w.home}); err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(rowsOf(without), rowsOf(with)); diff != "" {
		w.t.Errorf("%s (-without +with the aggregator):\n%s", when, diff)
	}
	if a := with.Facts.Aggregate; a != nil {
		told = a.Places
	}
	return with, told
}

// rowsOf are a plan's rows and findings as texts, without what is said of the aggregator, and
// without the notes about recorders of services, which an aggregator does not show.
func rowsOf(p *stackset.Plan) (out []string) {
	for _, c := range p.Changes {
		out = append(out, fmt.Sprint(c.StackSet, " ", c.AccountID, " ", c.Region, " ", c.Action, " ", c.Reason, " ", c.Overrides))
	}
	for _, f := range p.Findings {
		if !strings.HasPrefix(f.Code, "aggregator-") && f.Code != "recorder-of-service" {
			out = append(out, fmt.Sprint(f.Code, " ", f.StackSet, " ", f.Text, " ", f.Places))
		}
	}
	slices.Sort(out)
	return out
}
