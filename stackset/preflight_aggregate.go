package stackset

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/configservice"

	"rollout/orgs"
	"rollout/templates"
)

// believes says of which recorders the word of an aggregator, which is minutes old, is good
// enough: those that the run neither makes nor changes. An account's own recorder is
// used as it is. Ours is one that a stack instance has which stays as it is: without an
// instance it may just be going, and an instance with another recorder is a conflict.
func believes(d Desired, sets []Set) func(t Target, recorder string) bool {
	var recording []Set
	for _, s := range sets {
		if s.Template.Name == templates.Recording {
			s.Want = want(d, s.Template, s.Automatic)
			wantRecorded(d, &s)
			s.Outdated = outdated(s)
			recording = append(recording, s)
		}
	}
	return func(t Target, recorder string) bool {
		for _, s := range recording {
			if i, there := s.Instances[t]; there {
				return recorder == ourRecorder && s.Outdated == "" && i.Status == "CURRENT" && i.DetailedStatus == OutcomeSucceeded
			}
			if _, single := s.Singles[t]; single {
				return false
			}
		}
		return recorder != ourRecorder
	}
}

// ask asks an aggregator about what a run chose, where that can save calls: two in each
// account and Region, for one to find it, one about its sources, a query for each Region
// and one about stacks.
func (p *preflight) ask(ctx context.Context, targets []*orgs.Account) {
	most := 2 * len(targets) * len(p.in.Regions)
	if p.in.Believe == nil || p.in.Channels || len(targets) < 2 || most <= len(p.in.Regions)+3 {
		return
	}
	var accounts []string
	for _, a := range targets {
		accounts = append(accounts, a.ID)
	}
	p.aggregate = readAggregate(ctx, p.s, accounts, p.in.Regions, time.Now())
}

// told reads a Region of an account with the aggregator's word on its recorder: with the
// rules as the one call, or, where no rule is looked for, with the recorder's state. ok is
// false where the Region has to be asked itself.
func (p *preflight) told(ctx context.Context, client *configservice.Client, t Target, f *RegionFacts) (ok bool) {
	r, ok := p.aggregate.of(t)
	if !ok || !p.in.Believe(t, r.Name) {
		return false
	}
	read := RegionFacts{Recorder: &r}
	if len(p.in.Rules[t.Region]) > 0 {
		p.rules(ctx, client, t.Region, &read)
	} else {
		status, err := client.DescribeConfigurationRecorderStatus(ctx, &configservice.DescribeConfigurationRecorderStatusInput{})
		if read.refused(err) || !recording(r.Name, status.ConfigurationRecordersStatus) {
			return false
		}
	}
	if read.Gap.Is() {
		return false // so that it is said as it is where there is no aggregator
	}
	*f = read
	p.mu.Lock()
	defer p.mu.Unlock()
	p.aggregate.Places++
	if at := p.aggregate.verified[t]; p.aggregate.Oldest.IsZero() || at.Before(p.aggregate.Oldest) {
		p.aggregate.Oldest = at
	}
	return true
}

// aggregated says what was taken from an aggregator, or why nothing was.
func (p *planner) aggregated() {
	a := p.facts.Aggregate
	switch {
	case a == nil:
	case a.Gap.Is():
		what := "Whether AWS Config has an aggregator of the organization could not be asked"
		if a.Name != "" {
			what = "The aggregator " + a.Name + " of account " + a.Account + " could not be read"
		}
		p.find(Finding{Code: "aggregator-unread", Text: what + ", so each account and Region was asked itself: " + a.Gap.Text + "."})
	case a.Places > 0:
		p.find(Finding{Code: "aggregator-used", Text: "The aggregator " + a.Name + " of account " + a.Account + " told the recorders of " + count(a.Places, "account-Region") +
			"; AWS Config verified the oldest of them at " + a.Oldest.UTC().Format(time.RFC3339) + ". What it did not tell was asked there."})
	}
}
