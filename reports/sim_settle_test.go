package reports

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/simaws"
	"rollout/orgs"
)

// remediationAt gives one account a rule with findings, a remediation that cannot
// work, and an exception.
func remediationAt(t *testing.T, s simulation, account string) *configservice.Client {
	t.Helper()
	s.PutRecorder(account, "us-east-1", simaws.RecorderSpec{})
	s.SetGroups(account, "us-east-1", true)
	s.PutRule(account, "us-east-1", ourRule, closed.Identifier, "")
	client := s.client(t, account, "us-east-1")
	_, err := client.PutRemediationConfigurations(t.Context(), &configservice.PutRemediationConfigurationsInput{RemediationConfigurations: []types.RemediationConfiguration{{
		ConfigRuleName: aws.String(ourRule), TargetType: types.RemediationTargetTypeSsmDocument, TargetId: aws.String("AWS-NoSuchRunbook"), Automatic: true,
		MaximumAutomaticAttempts: aws.Int32(1), RetryAttemptSeconds: aws.Int64(60),
		Parameters: map[string]types.RemediationParameterValue{
			"AutomationAssumeRole": {StaticValue: &types.StaticValue{Values: []string{"arn:aws:iam::" + account + ":role/none"}}},
			"GroupId":              {ResourceValue: &types.ResourceValue{Value: types.ResourceValueTypeResourceId}},
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestReadPolicyIsEnoughAndNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, simaws.Options{Accounts: 20})
		s.deployed()
		account := s.under("Workloads")[0].ID
		remediationAt(t, s, account)
		// Another has a group that is in use.
		s.UseGroups(s.under("Workloads")[1].ID, "eu-west-1", true)
		enforced(t, s, s.under("Workloads")[1].ID, "eu-west-1")
		time.Sleep(15 * time.Minute)
		before := s.Stats().Calls
		got := Collect(t.Context(), s.session, s.input(), nil)
		compareWithTruth(t, s, got, simRegions, len(s.accounts)*len(simRegions))
		made := map[string]bool{}
		for call, n := range s.Stats().Calls {
			if n > before[call] && !strings.HasPrefix(call, "sts:") {
				made[call] = true
			}
		}
		var policy struct{ Statement []struct{ Action []string } }
		if err := json.Unmarshal([]byte(ReadPolicy), &policy); err != nil {
			t.Fatal(err)
		}
		for _, action := range policy.Statement[0].Action {
			if !made[action] {
				t.Errorf("%s is allowed and never used", action)
			}
			delete(made, action)
		}
		if len(made) > 0 {
			t.Errorf("used and not in the policy: %v", made)
		}
	})
}

func TestRemediationFailuresReadAsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, simaws.Options{Accounts: 20})
		account := s.under("Workloads")[0].ID
		client := remediationAt(t, s, account)
		in := s.input()
		in.Accounts, in.Regions = s.under("Workloads")[:1], []string{"us-east-1"}
		settled, err := Settle(t.Context(), s.session, SettleInput{
			Accounts: in.Accounts, Regions: in.Regions, Rules: in.Rules, Limit: DefaultSettle,
			Automatic: func(string, string, string) bool { return true },
		}, nil)
		if err != nil || settled.Settled != 1 || settled.Waited > 2*time.Minute {
			t.Errorf("settled %+v %v", settled, err)
		}
		got := Collect(t.Context(), s.session, in, nil)
		if len(got.Cells) != 1 || got.Cells[0].Remediation != "automatic" || len(got.Findings) == 0 {
			t.Fatalf("got %+v", got)
		}
		for _, f := range got.Findings {
			if f.RemediationStatus != "FAILED" || !strings.Contains(f.RemediationDetail, "AWS Config tries no more") || f.Exception != "" {
				t.Errorf("got %+v", f)
			}
		}
		key := types.RemediationExceptionResourceKey{ResourceId: aws.String(got.Findings[0].ResourceID), ResourceType: aws.String(got.Findings[0].ResourceType)}
		if _, err := client.PutRemediationExceptions(t.Context(), &configservice.PutRemediationExceptionsInput{ConfigRuleName: aws.String(ourRule), ResourceKeys: []types.RemediationExceptionResourceKey{key}, Message: aws.String("agreed")}); err != nil {
			t.Fatal(err)
		}
		got = Collect(t.Context(), s.session, in, nil)
		if f := got.Findings[0]; f.RemediationStatus != "EXCEPTED" || f.Exception != "agreed" {
			t.Errorf("got %+v", f)
		}
	})
}

func TestSettleWaitsForFirstEvaluations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, simaws.Options{Accounts: 40})
		began := time.Now()
		time.Sleep(time.Second)
		fresh, off := map[string]bool{}, s.under("Workloads")[0].ID
		for i, a := range s.under("Workloads") {
			if a.State != "ACTIVE" || i > 6 {
				continue
			}
			s.PutRecorder(a.ID, "us-east-1", simaws.RecorderSpec{Stopped: a.ID == off})
			if _, err := s.client(t, a.ID, "us-east-1").PutConfigRule(t.Context(), &configservice.PutConfigRuleInput{ConfigRule: &types.ConfigRule{
				ConfigRuleName: aws.String(ourRule), Source: &types.Source{Owner: types.OwnerAws, SourceIdentifier: aws.String(closed.Identifier)},
				Scope: &types.Scope{ComplianceResourceTypes: closed.ResourceTypes},
			}}); err != nil {
				t.Fatal(err)
			}
			fresh[a.ID] = true
		}
		closedDoor := ""
		for _, a := range s.under("Sandbox") {
			if !s.HasRole(a.ID, "OrganizationAccountAccessRole") && !s.HasRole(a.ID, "AWSControlTowerExecution") {
				closedDoor = a.ID
				fresh[a.ID] = true
			}
		}
		in := SettleInput{
			Accounts: s.accounts, Regions: simRegions, Rules: []RuleAt{{Rule: closed}}, Sessions: NewSessions(s.session),
			Since: func(account, region, rule string) (time.Time, bool) {
				return began, fresh[account] && region == "us-east-1"
			},
			Limit: 10 * time.Second,
		}
		entered := s.Stats().Calls["sts:AssumeRole"]
		early, err := Settle(t.Context(), s.session, in, nil)
		if err != nil || early.Settled != 0 || len(early.Unsettled) != len(fresh)-2 || early.Waited != 10*time.Second || len(early.LeftOut) != 2 {
			t.Errorf("after ten seconds: %+v, %v", early, err)
		}
		in.Limit = DefaultSettle
		var mu sync.Mutex
		var last SettleProgress
		left := map[string]string{}
		got, err := Settle(t.Context(), s.session, in, func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			switch e := e.(type) {
			case SettleProgress:
				last = e
			case PlaceLeftOut:
				left[e.Account.ID] = e.Why
			}
		})
		if err != nil || got.Settled != len(fresh)-2 || len(got.Unsettled) != 0 || got.Waited > 3*time.Minute || got.Waited < 30*time.Second {
			t.Errorf("got %+v, %v", got, err)
		}
		if last.Settled != got.Settled || last.LeftOut != 2 || last.Total != len(fresh) || last.Waiting != "" {
			t.Errorf("last told %+v", last)
		}
		if !strings.Contains(left[off], "stopped") || !strings.Contains(left[closedDoor], "sts:AssumeRole") {
			t.Errorf("left out %v", left)
		}
		// The sessions serve the gather as well: accounts already entered are
		// not entered again.
		asked := s.Stats().Calls["sts:AssumeRole"] - entered
		gather := s.input()
		gather.Sessions, gather.Regions = in.Sessions, []string{"us-east-1"}
		gather.Accounts = slices.DeleteFunc(slices.Clone(s.accounts), func(a *orgs.Account) bool { return !fresh[a.ID] || a.ID == closedDoor })
		compareWithTruth(t, s, Collect(t.Context(), s.session, gather, nil), []string{"us-east-1"}, len(gather.Accounts))
		if more := s.Stats().Calls["sts:AssumeRole"] - entered - asked; more != 0 {
			t.Errorf("%d role sessions more", more)
		}
	})
}

func TestSettleInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, simaws.Options{Accounts: 20})
		account := s.under("Workloads")[0]
		s.PutRecorder(account.ID, "us-east-1", simaws.RecorderSpec{})
		s.PutRule(account.ID, "us-east-1", ourRule, closed.Identifier, "")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		time.AfterFunc(30*time.Second, cancel)
		in := SettleInput{
			Accounts: []*orgs.Account{account}, Regions: []string{"us-east-1"}, Rules: []RuleAt{{Rule: closed}}, Limit: DefaultSettle,
			Since: func(string, string, string) (time.Time, bool) { return time.Now().Add(24 * time.Hour), true },
		}
		before := s.Stats().Calls["config:DescribeConfigRuleEvaluationStatus"]
		got, err := Settle(ctx, s.session, in, nil)
		if err == nil || !got.Interrupted || len(got.Unsettled) != 1 || got.Unsettled[0].Why != waitEvaluation || got.Waited != 30*time.Second {
			t.Errorf("got %+v, %v", got, err)
		}
		// After 1, 2, 4, 8 and 10 seconds.
		if polls := s.Stats().Calls["config:DescribeConfigRuleEvaluationStatus"] - before; polls != 5 {
			t.Errorf("%d polls", polls)
		}
		if got, err := Settle(t.Context(), s.session, SettleInput{Accounts: in.Accounts, Regions: in.Regions, Rules: in.Rules}, nil); err != nil || got.Waited != 0 {
			t.Errorf("nothing to wait for: %+v, %v", got, err)
		}
	})
}
