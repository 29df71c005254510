package stackset

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	configtypes "github.com/aws/aws-sdk-go-v2/service/configservice/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	gocmp "github.com/google/go-cmp/cmp"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/templates"
)

// six enforce, in the home Region or in both.
var six = []string{"default-security-group", "ebs-encryption", "imds-v2", "password-policy", "restrict-ssh-rdp", "vpc-flow-logs"}

// armed has all of six enforced by hand, and default-security-group once more,
// automatically, by sets with a name of the user's in the second account.
func (s *site) armed() {
	s.t.Helper()
	s.d.Preferences.FailureTolerance = "100%"
	s.several(six...)
	s.d.Remediation = RemediationManual
	s.apply(s.t.Context(), s.deployment(s.sets()))
	all := s.d
	// One account has one enforcement of a kind: the first lot leaves the second account.
	var leave []Change
	for _, region := range s.d.Regions {
		leave = append(leave, s.change("rollout-default-security-group-enforce", s.d.Accounts[1], region, Delete), s.change("rollout-default-security-group", s.d.Accounts[1], region, Delete))
	}
	s.apply(s.t.Context(), s.only(s.sets(), leave...))
	s.several("default-security-group")
	s.d.StackSet, s.d.Remediation, s.d.Accounts = "acme-groups", RemediationAutomatic, s.d.Accounts[1:2]
	result := s.apply(s.t.Context(), s.deployment(s.sets()))
	if got := tallyOf(result); got["acme-groups-enforce-automatic create SUCCEEDED"] != 2 {
		s.t.Fatal(got)
	}
	s.d = all
}

// ours looks as rollout disarm does.
func (s *site) ours(regions ...string) *Ours {
	s.t.Helper()
	found, err := FindOurs(s.t.Context(), s.session, OursOptions{EnforcingOnly: true, Regions: regions})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// disarm throws the kill switch, knowing nothing of accounts or names.
func (s *site) disarm(callAs types.CallAs, scope Scope) (*Ours, *Result, error) {
	s.t.Helper()
	found, err := FindOurs(s.t.Context(), s.session, OursOptions{CallAs: callAs, EnforcingOnly: true, Regions: scope.On, Management: scope.Management})
	if err != nil {
		s.t.Fatal(err)
	}
	found.Narrow(scope)
	plan := DisarmPlan(Desired{HomeRegion: home, Partition: "aws", Preferences: Preferences{FailureTolerance: "100%"}}, found.Sets, scope)
	s.runs++
	s.events = nil
	result, err := Disarm(s.t.Context(), s.session, callAs, plan, scope, ApplyOptions{Run: fmt.Sprint("t", s.runs)}, func(e Event) {
		s.telling.Lock()
		defer s.telling.Unlock()
		s.events = append(s.events, e)
	})
	return found, result, err
}

// places counts the instances of each set that is there, by its name.
func (s *site) places() map[string]int {
	s.t.Helper()
	found, err := FindOurs(s.t.Context(), s.session, OursOptions{})
	if err != nil || len(found.Problems) > 0 {
		s.t.Fatal(found.Problems, err)
	}
	out := map[string]int{}
	for _, set := range found.Sets {
		out[set.Name] = len(set.Instances)
	}
	return out
}

// standing are the counts of sets that do not enforce.
func standing(places map[string]int) map[string]int {
	out := maps.Clone(places)
	maps.DeleteFunc(out, func(name string, _ int) bool { return hintsEnforcement(name) })
	return out
}

// Everything of ours that enforces is found, whatever it is called, and taken out; what
// does not enforce stays, and so does what others made.
func TestDisarmFindsAllThatEnforces(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		s.armed()
		api := cloudformation.NewFromConfig(s.session.Own(""))
		put := func(name string, body []byte, tags ...types.Tag) {
			_, err := api.CreateStackSet(t.Context(), &cloudformation.CreateStackSetInput{
				StackSetName: aws.String(name), TemplateBody: aws.String(string(body)), PermissionModel: types.PermissionModelsServiceManaged, Tags: tags,
				AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)}, ManagedExecution: &types.ManagedExecution{Active: aws.Bool(true)},
				Capabilities: []types.Capability{types.CapabilityCapabilityIam}, Parameters: []types.Parameter{{ParameterKey: aws.String("HomeRegion"), ParameterValue: aws.String(home)}},
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{
				StackSetName: aws.String(name), Regions: []string{home},
				DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: []string{s.tree.Root.ID}, Accounts: []string{s.d.Accounts[2].ID}, AccountFilterType: types.AccountFilterTypeIntersection},
			}); err != nil {
				t.Fatal(err)
			}
		}
		tag := func(template string) types.Tag {
			return types.Tag{Key: aws.String(TagTemplate), Value: aws.String(template)}
		}
		s3, err := templates.Lookup("s3-encryption-enforce")
		if err != nil {
			t.Fatal(err)
		}
		// A name without a hint, a name that hints without a tag, a template of a later
		// version, and one of the user's that brings rule and remediation together.
		const rule = "Parameters: {HomeRegion: {Type: String}}\nResources:\n  W: {Type: AWS::CloudFormation::WaitConditionHandle}\n"
		const remediation = "  R: {Type: AWS::Config::RemediationConfiguration, Properties: {ConfigRuleName: other, TargetType: SSM_DOCUMENT, TargetId: AWS-X}}\n"
		put("guardrails", s3.Body(), tag("s3-encryption-enforce"))
		put("theirs-enforce", []byte(rule))
		put("rollout-later-enforce", []byte(rule+remediation), tag("later-enforce"))
		put("mine", []byte(rule+remediation+"  C: {Type: AWS::Config::ConfigRule, Properties: {ConfigRuleName: other, Source: {Owner: AWS, SourceIdentifier: IAM_PASSWORD_POLICY}}}\n"), tag("mine"))

		pause(t.Context(), 30*pollAfter(9)) //nolint:errcheck // until they are there
		found, result, err := s.disarm("", Scope{})
		if err != nil || len(found.Problems) > 0 {
			t.Fatal(found.Problems, err)
		}
		var names []string
		for _, set := range found.Sets {
			names = append(names, set.Name)
		}
		want := []string{"acme-groups-enforce-automatic", "guardrails", "mine", "rollout-later-enforce"}
		for _, name := range six {
			want = append(want, "rollout-"+name+"-enforce")
		}
		slices.Sort(want)
		if diff := gocmp.Diff(want, names); diff != "" {
			t.Errorf("found (-want +got):\n%s", diff)
		}
		if tangled := Tangled(found.Sets, Scope{}); len(tangled) != 1 || tangled[0].Name != "mine" {
			t.Errorf("tangled %+v", tangled)
		}
		left := s.places()
		for _, name := range want {
			if n := left[name]; n != 0 && name != "mine" {
				t.Errorf("%d instances of %s are left", n, name)
			}
		}
		if diff := gocmp.Diff(map[string]int{"acme-groups": 2, "mine": 1, "rollout-default-security-group": 4, "rollout-ebs-encryption": 6, "rollout-imds-v2": 6,
			"rollout-password-policy": 3, "rollout-recording": 6, "rollout-recording-base": 3, "rollout-restrict-ssh-rdp": 6, "rollout-vpc-flow-logs": 6}, func() map[string]int {
			m := standing(left)
			delete(m, "guardrails")
			return m
		}()); diff != "" {
			t.Errorf("what does not enforce (-want +got):\n%s", diff)
		}
		theirs, err := listInstances(t.Context(), api, "theirs-enforce", "", "")
		if err != nil || len(theirs) != 1 {
			t.Errorf("somebody else's set has %d instances, %v", len(theirs), err)
		}
		for _, o := range result.Outcomes {
			if o.Status != OutcomeSucceeded && o.StackSet != "guardrails" && o.StackSet != "rollout-later-enforce" {
				t.Errorf("%+v", o)
			}
		}
	})
}

// A set that cannot be looked at, an account that refuses, an account that is suspended
// and one that was moved hold up nothing else, and each is told as it is.
func TestDisarmGoesOnPastWhatFails(t *testing.T) {
	inSim(t, 4, func(t *testing.T, s *site) {
		s.armed()
		before := standing(s.places())
		refusing, suspended, moved := s.d.Accounts[0], s.d.Accounts[2], s.d.Accounts[3]
		s.sim.DenyAction(refusing.ID, "config:DeleteRemediationConfiguration")
		s.sim.SetState(suspended.ID, "SUSPENDED")
		ou := moved.OU
		s.d.OUs = []string{ou.ID}
		for _, other := range s.tree.Accounts {
			if other.OU != ou && other.OU != nil && other.OU.Parent != nil && !strings.HasPrefix(other.OUPath()+"/", ou.Path+"/") {
				s.sim.Move(moved.ID, other.OU.ID)
				break
			}
		}
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "DescribeStackSet" && strings.Contains(body, ">rollout-vpc-flow-logs-enforce<") {
				return 403, queryError("AccessDenied", "not this one")
			}
			return status, body
		}
		found, result, err := s.disarm("", Scope{})
		s.answer = nil
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Problems) != 1 || found.Problems[0].StackSet != "rollout-vpc-flow-logs-enforce" || !strings.Contains(found.Problems[0].Err.Error(), "describe stack set rollout-vpc-flow-logs-enforce in "+home) {
			t.Errorf("problems %+v", found.Problems)
		}
		got := map[string]map[string]int{}
		for _, o := range result.Outcomes {
			who := map[string]string{refusing.ID: "refusing", suspended.ID: "suspended", moved.ID: "moved"}[o.AccountID]
			if got[who] == nil {
				got[who] = map[string]int{}
			}
			got[who][o.Status]++
			if o.Status == OutcomeFailed && !strings.Contains(o.Reason, "config:DeleteRemediationConfiguration") || o.Status == OutcomeSkipped && !strings.Contains(o.Reason, "suspended") {
				t.Errorf("%+v", o)
			}
		}
		// Five of the six could be looked at: four in both Regions, one in the home Region.
		if diff := gocmp.Diff(map[string]map[string]int{
			"refusing": {OutcomeFailed: 9}, "suspended": {OutcomeSkipped: 9}, "moved": {OutcomeSucceeded: 9}, "": {OutcomeSucceeded: 9},
		}, got); diff != "" {
			t.Error(diff)
		}
		if diff := gocmp.Diff(before, standing(s.places())); diff != "" {
			t.Errorf("what does not enforce changed: %s", diff)
		}
	})
}

// What puts enforcement in is stopped first, and what it still brings is taken out too.
func TestDisarmStopsWhatIsInTheWay(t *testing.T) {
	for name, change := range map[string]bool{"while it creates": false, "while another waits": true} {
		t.Run(name, func(t *testing.T) {
			inSim(t, 6, func(t *testing.T, s *site) {
				s.d.Remediation = RemediationManual
				s.apply(t.Context(), s.deployment(s.sets()))
				const set = "rollout-default-security-group-enforce"
				var gone []Change
				for _, a := range s.d.Accounts[1:] {
					for _, region := range s.d.Regions {
						gone = append(gone, s.change(set, a, region, Delete))
					}
				}
				s.apply(t.Context(), s.only(s.sets(), gone...))
				// Somebody deploys one account at a time: that would take minutes.
				api := cloudformation.NewFromConfig(s.session.Own(""))
				begin := func(accounts ...string) {
					if _, err := api.CreateStackInstances(t.Context(), &cloudformation.CreateStackInstancesInput{
						StackSetName: aws.String(set), Regions: s.d.Regions, OperationPreferences: &types.StackSetOperationPreferences{MaxConcurrentCount: aws.Int32(1)},
						DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: []string{s.tree.Root.ID}, Accounts: accounts, AccountFilterType: types.AccountFilterTypeIntersection},
					}); err != nil {
						t.Fatal(err)
					}
				}
				begin(s.d.Accounts[1].ID, s.d.Accounts[2].ID, s.d.Accounts[3].ID)
				stops := 1
				if change {
					begin(s.d.Accounts[4].ID, s.d.Accounts[5].ID)
					stops = 2
				}
				pause(t.Context(), pollAfter(9)) //nolint:errcheck // time passes
				found, result, err := s.disarm("", Scope{})
				if err != nil {
					t.Fatal(err)
				}
				if n := len(found.Operations[set]); n < 3 {
					t.Errorf("%d operations were seen", n)
				}
				told := 0
				for _, e := range s.events {
					if _, ok := e.(OperationStopped); ok {
						told++
					}
				}
				if told != stops {
					t.Errorf("%d operations were stopped, want %d", told, stops)
				}
				if n := s.places()[set]; n != 0 {
					t.Errorf("%d instances are left", n)
				}
				for _, o := range result.Outcomes {
					if o.Status != OutcomeSucceeded {
						t.Errorf("%+v", o)
					}
				}
			})
		})
	}
}

// remediating has a remediation run in the home Region of an account, again and again for
// two minutes, and gives what waits for its end.
func (s *site) remediating(id string) (wait func()) {
	s.t.Helper()
	ctx := s.t.Context()
	s.sim.SetGroups(id, home, true)
	s.sim.UseGroups(id, home, true) // what is in use is left, and found again
	pause(ctx, 30*pollAfter(9))     //nolint:errcheck // until the rule has looked
	config, rule := s.in(id, home), aws.String(groupRule)
	details, err := config.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{ConfigRuleName: rule, ComplianceTypes: []configtypes.ComplianceType{configtypes.ComplianceTypeNonCompliant}})
	if err != nil || len(details.EvaluationResults) == 0 {
		s.t.Fatal(details, err)
	}
	at := details.EvaluationResults[0].EvaluationResultIdentifier.EvaluationResultQualifier
	var busy sync.WaitGroup
	busy.Go(func() {
		for range 120 { // somebody starts it again as soon as it has ended
			config.StartRemediationExecution(ctx, &configservice.StartRemediationExecutionInput{ConfigRuleName: rule, //nolint:errcheck // refused while one runs, and in the end
				ResourceKeys: []configtypes.ResourceKey{{ResourceType: configtypes.ResourceType(*at.ResourceType), ResourceId: at.ResourceId}}})
			time.Sleep(time.Second)
		}
	})
	return busy.Wait
}

// A remediation that is running cannot be deleted (AWS Config API reference,
// DeleteRemediationConfiguration); it is tried again when it has ended.
func TestDisarmWaitsForARunningRemediation(t *testing.T) {
	inSim(t, 2, func(t *testing.T, s *site) {
		s.several("default-security-group")
		s.d.Remediation = RemediationManual
		s.apply(t.Context(), s.deployment(s.sets()))
		defer s.remediating(s.d.Accounts[0].ID)()
		_, result, err := s.disarm("", Scope{})
		if err != nil {
			t.Fatal(err)
		}
		wantTally(t, result, map[string]int{"default-security-group-enforce delete SUCCEEDED": 4})
		if !slices.Contains(s.told(), "waiting for rollout-default-security-group-enforce") {
			t.Errorf("nothing was waited for: %v", s.told())
		}
	})
}

// A delegated administrator finds and takes out the same; whoever is none is told.
func TestDisarmAsDelegatedAdministrator(t *testing.T) {
	inSim(t, 3, func(t *testing.T, s *site) {
		s.armed()
		if _, err := FindOurs(t.Context(), s.session, OursOptions{CallAs: types.CallAsDelegatedAdmin, EnforcingOnly: true}); err == nil {
			t.Error("the management account is a delegated administrator")
		}
		s.session = s.delegate(s.d.Accounts[2].ID)
		_, result, err := s.disarm(types.CallAsDelegatedAdmin, Scope{Accounts: []string{s.d.Accounts[0].ID, s.d.Accounts[1].ID}, Regions: []string{home}})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range result.Outcomes {
			if o.Status != OutcomeSucceeded || o.Region != home || o.AccountID == s.d.Accounts[2].ID {
				t.Errorf("%+v", o)
			}
		}
		if len(result.Outcomes) != 12 {
			t.Errorf("%d outcomes", len(result.Outcomes))
		}
	})
}

// Whoever throws the switch in the wrong Region is told where the sets are, and which
// Regions could not be looked into.
func TestSetsThatEnforceElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, 1, simaws.Options{})
		s.d.Remediation = RemediationManual
		s.apply(t.Context(), s.deployment(s.sets()))
		abroad, err := awsapi.Open(t.Context(), awsapi.Options{Static: true, HTTPClient: tampered{s.sim.Client(), s}, EndpointURL: "http://127.0.0.1", HomeRegion: other})
		if err != nil {
			t.Fatal(err)
		}
		s.session = abroad
		found := s.ours(home, "ap-northeast-1")
		if diff := gocmp.Diff([]Elsewhere{{"rollout-default-security-group-enforce", "default-security-group-enforce", home}}, found.Elsewhere); diff != "" {
			t.Error(diff)
		}
		if len(found.Sets) != 0 || len(found.Warnings) != 0 {
			t.Errorf("%d sets, warnings %v", len(found.Sets), found.Warnings)
		}
		found.Narrow(Scope{Templates: []string{"ebs-encryption"}})
		if len(found.Elsewhere) != 0 {
			t.Errorf("%+v", found.Elsewhere)
		}
		s.answer = func(action string, status int, body string) (int, string) {
			if action == "ListStackSets" && strings.Contains(body, "rollout-default-security-group") {
				return 403, queryError("AccessDenied", "not here")
			}
			return status, body
		}
		if found = s.ours(home, "ap-northeast-1"); len(found.Warnings) != 1 || !strings.Contains(found.Warnings[0], home+" could not be seen: AccessDenied: not here. To look there") {
			t.Errorf("%+v", found.Warnings)
		}
	})
}

// What cannot be listed at all is an error, at once, also where other Regions hang.
func TestFindOursWithoutAList(t *testing.T) {
	inSim(t, 1, func(t *testing.T, s *site) {
		s.answer = func(action string, status int, body string) (int, string) {
			return 403, queryError("AccessDenied", "no lists")
		}
		if _, err := FindOurs(t.Context(), s.session, OursOptions{Regions: []string{other}}); err == nil || awsapi.Code(err) != "AccessDenied" {
			t.Error(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := FindOurs(ctx, s.session, OursOptions{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// delegate makes an account a delegated administrator of StackSets and opens a session
// in it.
func (s *site) delegate(account string) *awsapi.Session {
	s.t.Helper()
	const principal = "member.org.stacksets.cloudformation.amazonaws.com"
	if _, err := organizations.NewFromConfig(s.session.Own("")).RegisterDelegatedAdministrator(s.t.Context(), &organizations.RegisterDelegatedAdministratorInput{AccountId: aws.String(account), ServicePrincipal: aws.String(principal)}); err != nil {
		s.t.Fatal(err)
	}
	out, err := sts.NewFromConfig(s.session.Own("")).AssumeRole(s.t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole"), RoleSessionName: aws.String("test")})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Setenv("AWS_CA_BUNDLE", "")
	s.t.Setenv("AWS_ACCESS_KEY_ID", *out.Credentials.AccessKeyId)
	s.t.Setenv("AWS_SECRET_ACCESS_KEY", *out.Credentials.SecretAccessKey)
	s.t.Setenv("AWS_SESSION_TOKEN", *out.Credentials.SessionToken)
	session, err := awsapi.Open(s.t.Context(), awsapi.Options{HTTPClient: tampered{s.sim.Client(), s}, EndpointURL: "http://127.0.0.1", HomeRegion: home})
	if err != nil {
		s.t.Fatal(err)
	}
	return session
}
