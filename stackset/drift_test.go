package stackset

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	gocmp "github.com/google/go-cmp/cmp"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/templates"
)

const groupRule = "rollout-vpc-default-security-group-closed"

// in is AWS Config as an administrator of an account.
func (s *site) in(account, region string) *configservice.Client {
	s.t.Helper()
	if account == s.d.Management {
		return configservice.NewFromConfig(s.session.Own(region))
	}
	out, err := sts.NewFromConfig(s.session.Own("")).AssumeRole(s.t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole"), RoleSessionName: aws.String("test")})
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := s.session.Own(region)
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	return configservice.NewFromConfig(cfg)
}

// drop deletes the rule of an account behind CloudFormation's back, describe gives it
// another description.
func (s *site) drop(account, region string) {
	s.t.Helper()
	if _, err := s.in(account, region).DeleteConfigRule(s.t.Context(), &configservice.DeleteConfigRuleInput{ConfigRuleName: aws.String(groupRule)}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) describe(account, region, text string) {
	s.t.Helper()
	api := s.in(account, region)
	out, err := api.DescribeConfigRules(s.t.Context(), &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{groupRule}})
	if err == nil {
		rule := out.ConfigRules[0]
		_, err = api.PutConfigRule(s.t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &configtypes.ConfigRule{
			ConfigRuleName: rule.ConfigRuleName, Description: aws.String(text), Source: rule.Source, Scope: rule.Scope, InputParameters: rule.InputParameters}})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// looked are the sets of the run with what they have now.
func (s *site) looked() []Set {
	s.t.Helper()
	found, err := Look(s.t.Context(), s.session, PrepareInput{Desired: s.d, Known: []awsapi.Region{{Name: home, On: true}, {Name: other, On: true}}}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return found.Sets
}

func (s *site) drift(o DriftOptions) *DriftReport {
	s.t.Helper()
	s.runs++
	o.Run, o.Preferences.FailureTolerance = fmt.Sprint("d", s.runs), "100%"
	report, err := DetectDrift(s.t.Context(), s.session, "", s.looked(), o, func(e Event) {
		s.telling.Lock()
		defer s.telling.Unlock()
		s.events = append(s.events, e)
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return report
}

// words are places that are not in sync, and the number of those that are.
func (r *DriftReport) words() []string {
	in := 0
	var out []string
	for _, p := range r.Places {
		if p.Status == DriftInSync {
			in++
			continue
		}
		line := fmt.Sprintf("%s %s %s %s", p.StackSet, p.AccountID, p.Region, p.Status)
		for _, r := range p.Resources {
			line += fmt.Sprintf(" %s %s %s %s", r.Status, r.LogicalID, r.Type, r.PhysicalID)
			for _, d := range r.Differences {
				line += fmt.Sprintf(" [%s %s %s %s]", d.Kind, d.Path, d.Expected, d.Actual)
			}
		}
		out = append(out, line+because(p.Reason))
	}
	return append(out, fmt.Sprint(in, " in sync"))
}

func wantDrift(t *testing.T, r *DriftReport, want ...string) {
	t.Helper()
	if diff := gocmp.Diff(want, r.words()); diff != "" {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
}

// What was deleted or changed behind CloudFormation's back is shown, in member accounts
// and in the management account alike, and it is gone once it is made anew.
func TestDrift(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		members := s.d.Accounts
		a, b := members[0].ID, members[1].ID
		m := s.management()
		s.d.Accounts = append(s.d.Accounts, members...)
		s.apply(t.Context(), s.prepare())
		wantDrift(t, s.drift(DriftOptions{}), "15 in sync")

		s.drop(a, home)
		s.describe(b, other, "mine")
		s.drop(m.ID, other)
		s.describe(m.ID, home, "mine")
		time.Sleep(time.Minute) // AWS Config deletes a rule by and by
		gone := "DRIFTED DELETED Rule AWS::Config::ConfigRule " + groupRule
		changed := "DRIFTED MODIFIED Rule AWS::Config::ConfigRule " + groupRule + " [NOT_EQUAL /Description Default security groups have no inbound and no outbound rule mine]"
		at := func(account, region, what string) string {
			return "rollout-default-security-group " + account + " " + region + " " + what
		}
		all := []string{at(a, home, gone), at(b, other, changed), at(m.ID, home, changed), at(m.ID, other, gone)}
		slices.Sort(all)
		all = append(all, "11 in sync")
		wantDrift(t, s.drift(DriftOptions{Last: true}), "15 in sync") // nobody looked since
		before := s.writes()
		wantDrift(t, s.drift(DriftOptions{}), all...)
		if n := s.writes()["DetectStackSetDrift"] - before["DetectStackSetDrift"]; n != 3 {
			t.Errorf("%d detections of sets", n)
		}
		wantDrift(t, s.drift(DriftOptions{Last: true}), all...)
		if after := s.writes(); after["DetectStackSetDrift"]+after["DetectStackDrift"] != before["DetectStackSetDrift"]+before["DetectStackDrift"]+3+5 {
			t.Errorf("--last detects: %v, then %v", before, after)
		}
		wantDrift(t, s.drift(DriftOptions{Last: true, Accounts: []string{a}, Regions: []string{home}}), at(a, home, gone), "2 in sync")

		// A plan says it where it would say nothing, without another call; a deploy of the
		// same template mends nothing.
		plan := s.prepare()
		said := 0
		for _, c := range plan.Changes {
			if c.Action == None && strings.Contains(c.Reason, "drift was found") {
				said++
			}
		}
		if said != 4 || plan.Pending() {
			t.Errorf("%d places are said to have drifted: %+v", said, plan.Changes)
		}

		removal, err := RemovePlan(s.d, s.looked(), RemoveOptions{MaxDeletions: "100%"})
		if err != nil {
			t.Fatal(err)
		}
		wantTally(t, s.apply(t.Context(), removal), map[string]int{"default-security-group delete SUCCEEDED": 6})
		wantTally(t, s.apply(t.Context(), s.prepare()), map[string]int{"default-security-group create SUCCEEDED": 6})
		wantDrift(t, s.drift(DriftOptions{}), "15 in sync")
	})
}

// What cannot be checked is said with AWS's reason, also where an earlier detection had a
// word on it; an account in which nothing runs is told apart.
func TestDriftThatCannotBeSeen(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		s.d.Regions = []string{home}
		s.d.Preferences.FailureTolerance = "100%"
		s.apply(t.Context(), s.deployment(s.sets()))
		wantDrift(t, s.drift(DriftOptions{}), "9 in sync")
		denied, closed := s.d.Accounts[0].ID, s.d.Accounts[1].ID
		s.sim.DenyAction(denied, "cloudformation:DetectStackDrift")
		s.sim.SetState(closed, "SUSPENDED")
		report := s.drift(DriftOptions{Inactive: func(id string) string {
			if id == closed {
				return "the account is SUSPENDED"
			}
			return ""
		}})
		for _, p := range report.Places {
			switch p.AccountID {
			case denied:
				if p.Status != DriftUnknown || p.Inactive || !strings.Contains(p.Reason, "with an explicit deny in a service control policy") {
					t.Errorf("denied: %+v", p)
				}
			case closed:
				if p.Status != DriftUnknown || !p.Inactive || p.Reason != "the account is SUSPENDED" {
					t.Errorf("closed: %+v", p)
				}
			default:
				if p.Status != DriftInSync || p.Reason != "" || p.Checked.IsZero() {
					t.Errorf("open: %+v", p)
				}
			}
		}
		// What an earlier detection said is not taken for this one's.
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "ListStackInstances" {
				body = checkedAt.ReplaceAllString(body, "<LastDriftCheckTimestamp>1999-12-31T23:00:00Z<")
			}
			return status, body
		}
		for _, p := range s.drift(DriftOptions{}).Places {
			if p.Status != DriftUnknown || p.AccountID == s.d.Accounts[2].ID && p.Reason != "the detection shows no result for it" {
				t.Errorf("old: %+v", p)
			}
		}
		// A set whose detection is refused: nothing at all is known, which is an error.
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "DetectStackSetDrift" {
				return 403, queryError("AccessDenied", "not today")
			}
			return status, body
		}
		none, err := DetectDrift(t.Context(), s.session, "", s.looked(), DriftOptions{Run: "x"}, nil)
		if err == nil || !strings.Contains(err.Error(), "drift of stack set rollout-recording in us-east-1: detect drift") || !strings.Contains(err.Error(), "not today") {
			t.Errorf("error %v", err)
		}
		if len(none.Places) != 9 || none.Places[0].Status != DriftUnknown {
			t.Errorf("%+v", none.Places)
		}
	})
}

var checkedAt = regexp.MustCompile(`<LastDriftCheckTimestamp>[^<]*<`)

// A detection that runs already is followed, and one that is left goes on.
func TestDriftIsFollowed(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.apply(t.Context(), s.deployment(s.sets()))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		left, err := DetectDrift(ctx, s.session, "", s.looked(), DriftOptions{Run: "left"}, nil)
		if err != nil && !left.Interrupted || !left.Interrupted || len(left.Operations) != 3 || !left.Operations[0].Ended.IsZero() {
			t.Fatalf("%+v, %v", left, err)
		}
		report := s.drift(DriftOptions{})
		wantDrift(t, report, "10 in sync")
		for i, op := range report.Operations {
			if op.ID != left.Operations[i].ID || op.Ended.IsZero() {
				t.Errorf("followed %+v, left %+v", op, left.Operations[i])
			}
		}
		if n := s.writes()["DetectStackSetDrift"]; n != 6 { // three were refused
			t.Errorf("%d calls", n)
		}
	})
}

// Another operation is waited out where a set takes one at a time.
func TestDriftWaitsForItsTurn(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		s.apply(t.Context(), s.deployment(s.sets()))
		api, name := newClient(s.session, "", newPace()), aws.String("rollout-default-security-group")
		set, err := api.DescribeStackSet(t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: name})
		if err == nil { // it is updated whole
			_, err = api.UpdateStackSet(t.Context(), &cloudformation.UpdateStackSetInput{StackSetName: name, UsePreviousTemplate: aws.Bool(true), Tags: set.StackSet.Tags, Parameters: set.StackSet.Parameters, ManagedExecution: &types.ManagedExecution{Active: aws.Bool(false)}})
		}
		if err != nil {
			t.Fatal(err)
		}
		wantDrift(t, s.drift(DriftOptions{}), "5 in sync")
		if !slices.ContainsFunc(s.events, func(e Event) bool { w, ok := e.(Waiting); return ok && w.StackSet == *name }) {
			t.Errorf("nothing waited: %v", s.told())
		}
	})
}

// A plain stack that cannot be checked in its state is no stack that is in sync.
func TestDriftOfAPlainStackThatFailed(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		m := s.management()
		s.sim.PutChannel(m.ID, other, "left")
		s.d.Regions = []string{other}
		p := s.deployment(s.sets()) // without the preflight that would see the channel
		for i := range p.Changes {
			p.Changes[i].Single = true
			if p.Changes[i].StackSet == "rollout-recording-base" {
				p.Changes[i].Overrides = map[string]string{"CreateConfigServiceLinkedRole": "true"}
			}
		}
		s.apply(t.Context(), p)
		for _, d := range s.drift(DriftOptions{}).Places {
			want := DriftInSync
			if d.StackSet == "rollout-recording" {
				want = DriftUnknown
			}
			if d.Status != want || want == DriftUnknown && !strings.Contains(d.Reason, "while it is in ROLLBACK_COMPLETE state") {
				t.Errorf("%+v", d)
			}
		}
	})
}

// The types that are said not to be checked are those that the simulation does not check.
func TestTypesWithoutDrift(t *testing.T) {
	unchecked := map[string]bool{}
	for _, template := range templates.All() {
		for _, kind := range (Set{Template: template}).Unchecked() {
			unchecked[kind] = true
		}
	}
	if got := slices.Sorted(maps.Keys(unchecked)); !slices.Equal(got, driftless) {
		t.Errorf("of the types %v embedded templates have %v", driftless, got)
	}
	inSim(t, 1, func(t *testing.T, s *site) {
		m := s.management()
		s.several("default-security-group", "monitoring")
		s.d.Remediation, s.d.Regions, s.d.Accounts = RemediationManual, []string{home}, []*orgs.Account{m}
		s.apply(t.Context(), s.prepare())
		s.drift(DriftOptions{})
		api := newClient(s.session, home, newPace())
		checked, skipped := map[string]bool{}, map[string]bool{}
		for _, set := range s.looked() {
			for range set.Singles {
				out, err := api.ListStackResources(t.Context(), &cloudformation.ListStackResourcesInput{StackName: &set.Name})
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range out.StackResourceSummaries {
					if r.DriftInformation.StackResourceDriftStatus == types.StackResourceDriftStatusNotChecked {
						skipped[*r.ResourceType] = true
					} else {
						checked[*r.ResourceType] = true
					}
				}
			}
		}
		delete(skipped, "AWS::CloudFormation::WaitConditionHandle")
		for kind := range checked {
			if slices.Contains(driftless, kind) {
				t.Errorf("%s is checked", kind)
			}
		}
		if got := slices.Sorted(maps.Keys(skipped)); !slices.Equal(got, driftless) {
			t.Errorf("not checked are %v, want %v", got, driftless)
		}
	})
}
