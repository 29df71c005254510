package stackset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/orgs"
	"rollout/templates"
)

// ReleasePlan takes our recorder and delivery channel, the instances of recording, out
// of the chosen accounts: in the Regions of the run, or in all. Nothing else goes: bucket,
// roles and rules stay. Where a service control policy is certain to deny that, as Control
// Tower's own do in an OU that it governs, the place is skipped.
func ReleasePlan(d Desired, sets []Set, policies *orgs.Policies) *Plan {
	plan := &Plan{Desired: d}
	for _, s := range sets {
		if s.Template.Name == templates.Recording {
			plan.Sets = append(plan.Sets, s)
		}
	}
	plan.Changes = deletions(d, plan.Sets, "taken out so that Control Tower can enrol the account; the bucket, its history and the rules stay")
	for i := range plan.Changes {
		c := &plan.Changes[i]
		if c.Action == Skip {
			plan.Find(Finding{Code: "account-unreached", StackSet: c.StackSet, Text: "The recorder of {places} stays: " + c.Reason + "."}, In(c.Account, c.Region))
			continue
		}
		if denial, is := denied(d, policies, c.Account, c.Region); is {
			c.Action, c.Reason = Skip, denial+": move the account to an OU that Control Tower does not govern, release it there, and move it back"
			plan.Find(Finding{Code: "release-denied", StackSet: c.StackSet, Text: "The recorder of {places} stays: " + denial + "."}, In(c.Account, c.Region))
		}
	}
	plan.findComingBack() // Control Tower enrols by a move
	plan.Hash = plan.hash(plan.Steps(ApplyOptions{}))
	return plan
}

// denied says which of the calls that delete a recorder and its channel a service control
// policy is certain to deny to StackSets' role.
func denied(d Desired, policies *orgs.Policies, a *orgs.Account, region string) (string, bool) {
	for _, action := range []string{"config:StopConfigurationRecorder", "config:DeleteConfigurationRecorder", "config:DeleteDeliveryChannel"} {
		denial, is := policies.Judge(a, orgs.Ask{Action: action, Region: region, Partition: d.Partition, Role: executionRole, Organization: d.Organization})
		if is && denial.Certain {
			return fmt.Sprintf("%s is denied %s", action, denial), true
		}
	}
	return "", false
}

// Released are the accounts of which a release takes something out, in the plan's order.
func (p *Plan) Released() []*orgs.Account {
	var out []*orgs.Account
	for _, c := range p.Changes {
		if c.Action == Delete && !slices.Contains(out, c.Account) {
			out = append(out, c.Account)
		}
	}
	return out
}

// Mark tags accounts as released, so that no later run puts the recorder back; the errors
// are of those that could not be.
func Mark(ctx context.Context, s *awsapi.Session, accounts []*orgs.Account) map[string]error {
	api := orgs.NewClient(s.Own(""))
	return onEach(ctx, accounts, func(ctx context.Context, id string) error {
		_, err := api.TagResource(ctx, &organizations.TagResourceInput{ResourceId: aws.String(id), Tags: []types.Tag{{Key: aws.String(TagReleased), Value: aws.String(ForTower)}}})
		return err
	})
}

// Unmark takes the tag off again.
func Unmark(ctx context.Context, s *awsapi.Session, accounts []*orgs.Account) map[string]error {
	api := orgs.NewClient(s.Own(""))
	return onEach(ctx, accounts, func(ctx context.Context, id string) error {
		_, err := api.UntagResource(ctx, &organizations.UntagResourceInput{ResourceId: aws.String(id), TagKeys: []string{TagReleased}})
		return err
	})
}

// Marked are those of the accounts that carry the tag; the errors are of those whose tags
// could not be read.
func Marked(ctx context.Context, s *awsapi.Session, accounts []*orgs.Account) (marked []*orgs.Account, failed map[string]error) {
	api := orgs.NewClient(s.Own(""))
	values := make([]string, len(accounts))
	failed = map[string]error{}
	type answer struct {
		value string
		err   error
	}
	i := 0
	for a, got := range fanout.Ordered(ctx, accounts, accountReads, func(ctx context.Context, a *orgs.Account) answer {
		tags, err := accountTags(ctx, api, a.ID)
		return answer{tags[TagReleased], err}
	}) {
		values[i] = got.value
		if got.err != nil {
			failed[a.ID] = got.err
		}
		i++
	}
	for i, value := range values {
		if value != "" {
			marked = append(marked, accounts[i])
		}
	}
	return marked, failed
}

func onEach(ctx context.Context, accounts []*orgs.Account, do func(context.Context, string) error) map[string]error {
	failed := map[string]error{}
	for a, err := range fanout.Ordered(ctx, accounts, accountReads, func(ctx context.Context, a *orgs.Account) error { return do(ctx, a.ID) }) {
		if err != nil {
			failed[a.ID] = err
		}
	}
	return failed
}

// Obstacle is what still keeps Control Tower from enrolling an account.
type Obstacle struct {
	Account *orgs.Account
	Region  string // "" where it is about the account
	What    string
	Remedy  string
	// Unread says that it could not be looked at.
	Unread bool
}

// Obstacles looks into every account and Region for what AWS Config has there of its own:
// Control Tower enrols no account with a customer's recorder or delivery channel in a
// Region that it governs.
func Obstacles(ctx context.Context, s *awsapi.Session, accounts []*orgs.Account, regions []string, known []awsapi.Region, emit func(Event)) ([]Obstacle, error) {
	if len(regions) == 0 {
		return nil, errors.New("no Region to look into")
	}
	facts, err := Preflight(ctx, s, PreflightInput{Accounts: accounts, Regions: regions, HomeRegion: s.HomeRegion, Known: known, Channels: true}, emit)
	if err != nil {
		return nil, err
	}
	var out []Obstacle
	for _, a := range accounts {
		f := facts.Accounts[a.ID]
		switch {
		case f == nil || a.Management:
			continue // one that is not ACTIVE cannot be enrolled anyway
		case f.Gap.Is():
			out = append(out, Obstacle{a, "", "the account cannot be entered, so nothing was looked at: " + f.Gap.Text, "name a role that can read with --role-name", true})
			continue
		}
		for _, region := range regions {
			if o, is := obstacle(a, region, f.Regions[region]); is {
				out = append(out, o)
			}
		}
	}
	return out, nil
}

func obstacle(a *orgs.Account, region string, r *RegionFacts) (Obstacle, bool) {
	o := Obstacle{Account: a, Region: region}
	delete := func(what, name string) string {
		return fmt.Sprintf("aws configservice delete-%s --%s-name %s --region %s, in the account", what, what, name, region)
	}
	switch {
	case r == nil || r.Off || r.Recorder.tower():
		return o, false
	case r.Gap.Is():
		o.What, o.Remedy, o.Unread = "the Region could not be read: "+r.Gap.Text, "let the role that reads do so", true
	case r.Recorder != nil:
		o.What, o.Remedy = "the recorder "+r.Recorder.Name+" is there, which is not rollout's to take out", "its owner deletes it: "+delete("configuration-recorder", r.Recorder.Name)
		if r.Recorder.Name == ourRecorder {
			o.What = "rollout's recorder is there"
			o.Remedy = "where a stack instance has it, run the release again (--stack-set NAME where its StackSet is not rollout-recording); one of an earlier deployment without an instance: " + delete("configuration-recorder", r.Recorder.Name)
		}
		if r.Channel != "" {
			o.What = strings.Replace(o.What, " is there", " and the delivery channel "+r.Channel+" are there", 1)
			o.Remedy += ", and " + delete("delivery-channel", r.Channel)
		}
	case r.Channel != "":
		o.What, o.Remedy = "the delivery channel "+r.Channel+" is there without a recorder", delete("delivery-channel", r.Channel)
	default:
		return o, false
	}
	return o, true
}
