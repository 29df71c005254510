package main

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollout/internal/awsapi"
	"rollout/internal/doctor"
	"rollout/internal/simaws"
	"rollout/templates"
)

// calls counts what one account's identities call, as the simulation logs it.
type calls struct {
	mu      sync.Mutex
	account string
	seen    map[string]int // "organizations:ListRoots"
}

func (c *calls) Enabled(context.Context, slog.Level) bool { return true }
func (c *calls) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *calls) WithGroup(string) slog.Handler            { return c }
func (c *calls) Handle(_ context.Context, r slog.Record) error {
	at := map[string]string{}
	r.Attrs(func(a slog.Attr) bool { at[a.Key] = a.Value.String(); return true })
	c.mu.Lock()
	defer c.mu.Unlock()
	if at["account"] == c.account && at["action"] != "" {
		c.seen[at["service"]+":"+at["action"]]++
	}
	return nil
}

// since empties the count for an account.
func (c *calls) since(account string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.account, c.seen = account, map[string]int{}
}

// unnamed are actions that no call is named after: work on sets and stacks asks for them
// by the way.
var unnamed = []string{"cloudformation:BatchDescribeTypeConfigurations", "cloudformation:DetectStackResourceDrift", "cloudformation:ListStacks", "cloudformation:TagResource", "cloudformation:UntagResource"}

// actions are the IAM actions behind the calls.
func (c *calls) actions() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]bool{}
	for name := range c.seen {
		switch name {
		case "sts:GetCallerIdentity": // needs no permission
			continue
		case "s3:HeadBucket":
			name = "s3:ListBucket"
		case "s3:ListBuckets":
			name = "s3:ListAllMyBuckets"
		case "s3:GetPublicAccessBlock":
			name = "s3:GetBucketPublicAccessBlock"
		case "monitoring:GetMetricData": // by its IAM prefix
			name = "cloudwatch:GetMetricData"
		}
		out[name] = true
	}
	return slices.Sorted(maps.Keys(out))
}

// theater is an organization in which commands are run as somebody.
type theater struct {
	t     *testing.T
	sim   *simaws.Sim
	calls *calls
	home  string      // the identity's account
	admin *aws.Config // an administrator of home, nil for the operator
	dir   string
	made  bool
}

func newTheater(t *testing.T, o simaws.Options) *theater {
	c := &calls{seen: map[string]int{}}
	o.Accounts, o.Empty, o.Speed, o.Log = 6, true, 6000, slog.New(c)
	th := &theater{t: t, sim: simaws.New(o), calls: c, dir: t.TempDir()}
	for _, a := range th.sim.Accounts() {
		if a.Management {
			th.home = a.ID
		}
	}
	return th
}

// operator is the SDK as the administrator of the management account.
func (th *theater) operator() aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(theaterURL), HTTPClient: th.sim.Client(), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAOPERATOR", "x", "")}
}

// nothing listens there: all calls go through transport.
const theaterURL = "http://127.0.0.1:1"

// member is an account that can be deployed to.
func (th *theater) member() simaws.AccountView {
	for _, a := range th.sim.Accounts() {
		if a.State == "ACTIVE" && !a.Management && strings.HasPrefix(a.OUPath, "Workloads") {
			return a
		}
	}
	th.t.Fatal("no account to deploy to")
	return simaws.AccountView{}
}

// run runs a command as the operator, or as an identity of a policy.
func (th *theater) run(policy *templates.Policy, args ...string) (status int, said string) {
	th.t.Helper()
	key, secret, token := "AKIAOPERATOR", "x", ""
	if policy != nil {
		key, secret, token = th.assume(policy)
	}
	transport = th.sim.Client()
	defer func() { transport = nil }()
	for k, v := range map[string]string{"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token, "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": filepath.Join(th.dir, "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(th.dir, "none"), "AWS_EC2_METADATA_DISABLED": "true", "AWS_CA_BUNDLE": ""} {
		th.t.Setenv(k, v)
	}
	th.calls.since(th.home)
	var out, errs strings.Builder
	in, err := os.Open(os.DevNull)
	if err != nil {
		th.t.Fatal(err)
	}
	defer in.Close()
	args = slices.Clone(args)
	for i := range args {
		args[i] = strings.NewReplacer("REPORT", filepath.Join(th.dir, "report"), "MEMBERID", th.member().ID, "MEMBER", th.member().Name).Replace(args[i])
	}
	status = run(context.WithoutCancel(th.t.Context()), append([]string{"rollout", "--endpoint-url", theaterURL}, args...), in, &out, &errs, func() {})
	return status, errs.String() + out.String()
}

// assume makes a role that may do just what a policy says, and opens a session.
func (th *theater) assume(policy *templates.Policy) (key, secret, token string) {
	th.t.Helper()
	cfg := th.operator()
	if th.admin != nil {
		cfg = *th.admin
	}
	api, name := iam.NewFromConfig(cfg), "just-this"
	if !th.made {
		trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::%s:root"}}]}`, th.home)
		if _, err := api.CreateRole(th.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}); err != nil {
			th.t.Fatal(err)
		}
		th.made = true
	}
	if _, err := api.PutRolePolicy(th.t.Context(), &iam.PutRolePolicyInput{RoleName: &name, PolicyName: &name, PolicyDocument: aws.String(string(policy.JSON()))}); err != nil {
		th.t.Fatal(err)
	}
	out, err := sts.NewFromConfig(cfg).AssumeRole(th.t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + th.home + ":role/" + name), RoleSessionName: aws.String("test")})
	if err != nil {
		th.t.Fatal(err)
	}
	return *out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken
}

// act is a sitting in which a command is run: what there was before, and the command.
type act struct {
	name    string
	sim     simaws.Options
	prepare func(*theater)
	before  [][]string // as the operator
	after   func(*theater)
	args    []string
}

// words puts options behind a command's name.
func words(lists ...[]string) []string { return slices.Concat(lists...) }

var (
	inTwo    = []string{"--ou", "Workloads", "--region", "us-east-1,eu-west-1"}
	chosen   = []string{"--ou", "Workloads", "--region", "us-east-1"}
	forReal  = []string{"--yes", "--simulated"}
	deployed = [][]string{words([]string{"deploy", "--remediation", "manual", "--tag", "a=b"}, chosen, forReal)}
	released = []string{"release", "--for", "control-tower", "--ou", "Workloads", "--yes"}
	// detecting is a first run that enforces nothing.
	detecting = [][]string{words([]string{"deploy"}, chosen, forReal)}
	twice     = words([]string{"deploy", "--remediation", "manual", "--tag", "a=b", "--account", "MEMBER", "--region", "eu-west-1"}, forReal)
)

// changes are deploys that begin, update and replace.
func changes(command ...string) []act {
	return []act{
		{name: "first", prepare: crowded, args: words(command, []string{"--remediation", "manual"}, chosen, forReal)},
		{name: "other values", before: words2(deployed, twice), args: words(command, []string{"--remediation", "manual", "--ou", "Workloads", "--region", "us-east-1,eu-west-1", "--parameter", "InUse=Empty", "--auto-deploy"}, forReal)},
		{name: "landing zone", sim: simaws.Options{LandingZone: "3.3"}, args: words(command, chosen, forReal)},
		{name: "aggregator", prepare: aggregating, args: words(command, inTwo, forReal)},
		{name: "enforcement later", before: detecting, args: words(command, []string{"--remediation", "manual"}, chosen, forReal)},
		{name: "another mode", before: deployed, args: words(command, []string{"--remediation", "automatic"}, chosen, forReal)},
	}
}

func words2(lists [][]string, more ...[]string) [][]string { return slices.Concat(lists, more) }

// acts are sittings of each command that, with those that variants adds, make every
// call it can make.
var acts = map[string][]act{
	"rollout": changes("--out", "REPORT"),
	"tree":    {{name: "whole", args: []string{"tree"}}},
	"plan":    {{name: "landing zone", sim: simaws.Options{LandingZone: "3.3"}, args: words([]string{"plan"}, chosen)}, {name: "enforcement later", prepare: crowded, before: detecting, args: words([]string{"plan", "--remediation", "manual"}, chosen)}, {name: "aggregator", prepare: aggregating, args: words([]string{"plan"}, inTwo)}, {name: "again", prepare: bystander, before: deployed, args: words([]string{"plan", "--auto-deploy"}, inTwo)}},
	"deploy":  slices.Insert(changes("deploy"), 1, act{name: "automatic, for real", before: deployed, after: anHour, args: words([]string{"deploy", "--remediation", "automatic", "--max-blast", "100", "--yes"}, chosen)}),
	"status":  {{name: "of all", before: deployed, args: []string{"status"}}, {name: "of a template", before: deployed, args: []string{"status", "--template", "default-security-group"}}},
	"report":  {{name: "of what is there", before: deployed, args: words([]string{"report", "--out", "REPORT"}, chosen)}},
	"drift":   {{name: "of all", before: deployed, after: drifts, args: []string{"drift"}}},
	"disarm": {{name: "all", before: deployed, after: underWay, args: []string{"disarm", "--yes"}}, {name: "beside a stack of another version", before: deployed, after: foreign, args: []string{"disarm", "--yes"}},
		{name: "chosen", before: deployed, args: []string{"disarm", "--yes", "--ou", "Workloads"}}},
	"remove": {{name: "automatic deployment", before: deployed, after: automatic, args: words([]string{"remove", "--max-deletions", "100%"}, chosen, []string{"--yes"})},
		{name: "all", before: deployed, args: words([]string{"remove", "--delete-set", "--max-deletions", "100%"}, chosen, []string{"--yes"})}},
	"release": {
		{name: "undone", before: words2(deployed, released), args: []string{"release", "--for", "control-tower", "--undo", "--ou", "Workloads", "--yes"}},
		{name: "all", prepare: bystander, before: deployed, args: released},
	},
	"doctor":   {{name: "all", prepare: guard, args: []string{"doctor"}}, {name: "chosen", args: []string{"doctor", "--ou", "Workloads"}}},
	"activate": {{name: "on", sim: simaws.Options{TrustedAccessOff: true}, prepare: guard, args: []string{"doctor", "--activate", "--yes", "--ou", "Workloads"}}},
	"explain": {
		{name: "by id", prepare: bystander, before: deployed, args: []string{"explain", "MEMBERID"}},
		{name: "landing zone", sim: simaws.Options{LandingZone: "3.3"}, args: []string{"explain", "MEMBERID"}},
		{name: "automatic deployment", before: deployed, after: automatic, args: []string{"explain", "MEMBERID"}},
		{name: "by name", before: deployed, args: []string{"explain", "MEMBER", "us-east-1"}},
	},
	"prove":   {{name: "all", args: []string{"prove", "--ou", "Sandbox", "--yes"}}},
	"restore": {{name: "list", before: deployed, args: []string{"restore", "--account", "MEMBER", "--region", "us-east-1"}}},
}

// underWay begins an operation that puts enforcement in.
func underWay(th *theater) {
	account := th.member()
	_, err := cloudformation.NewFromConfig(th.operator()).UpdateStackInstances(th.t.Context(), &cloudformation.UpdateStackInstancesInput{
		StackSetName: aws.String("rollout-default-security-group-enforce"), Regions: []string{"us-east-1"},
		DeploymentTargets: &cfntypes.DeploymentTargets{OrganizationalUnitIds: []string{account.ParentID}, Accounts: []string{account.ID}, AccountFilterType: cfntypes.AccountFilterTypeIntersection},
	})
	if err != nil {
		th.t.Fatal(err)
	}
}

// foreign makes a plain stack in the management account by a template that this version
// does not have, and that remediates nothing.
func foreign(th *theater) {
	api, name := cloudformation.NewFromConfig(th.operator()), aws.String("rollout-later")
	_, err := api.CreateStack(th.t.Context(), &cloudformation.CreateStackInput{StackName: name, TemplateBody: aws.String(`{"Resources":{"Topic":{"Type":"AWS::SNS::Topic"}}}`),
		Tags: []cfntypes.Tag{{Key: aws.String("rollout:template"), Value: aws.String("later")}}})
	if err != nil {
		th.t.Fatal(err)
	}
	time.Sleep(time.Minute)
}

// drifts deletes a rule in the member account behind CloudFormation's back.
func drifts(th *theater) {
	cfg := th.operator()
	cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(th.operator()), "arn:aws:iam::"+th.member().ID+":role/OrganizationAccountAccessRole"))
	api, rule := configservice.NewFromConfig(cfg), aws.String("rollout-vpc-default-security-group-closed")
	_, err := api.DeleteRemediationConfiguration(th.t.Context(), &configservice.DeleteRemediationConfigurationInput{ConfigRuleName: rule})
	if err == nil {
		_, err = api.DeleteConfigRule(th.t.Context(), &configservice.DeleteConfigRuleInput{ConfigRuleName: rule})
	}
	if err != nil {
		th.t.Fatal(err)
	}
	time.Sleep(time.Minute) // AWS Config deletes it by and by
}

// guard attaches a service control policy that is in the way.
func guard(th *theater) {
	attach(th.t, th.operator(), `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"config:PutConfigRule","Resource":"*"}]}`)
}

// automatic switches automatic deployment of the rules' set on.
func automatic(th *theater) {
	api, name := cloudformation.NewFromConfig(th.operator()), "rollout-default-security-group"
	set, err := api.DescribeStackSet(th.t.Context(), &cloudformation.DescribeStackSetInput{StackSetName: &name})
	if err == nil {
		_, err = api.UpdateStackSet(th.t.Context(), &cloudformation.UpdateStackSetInput{
			StackSetName: &name, UsePreviousTemplate: aws.Bool(true), AutoDeployment: &cfntypes.AutoDeployment{Enabled: aws.Bool(true), RetainStacksOnAccountRemoval: aws.Bool(true)},
			Tags: set.StackSet.Tags, Parameters: set.StackSet.Parameters,
		})
	}
	if err != nil {
		th.t.Fatal(err)
	}
}

// anHour passes, in which AWS Config looks at everything.
func anHour(*theater) { time.Sleep(time.Hour) }

// aggregating gives the management account an aggregator, and it something to tell.
func aggregating(th *theater) {
	th.sim.PutRecorder(th.member().ID, "us-east-1", simaws.RecorderSpec{})
	if err := th.sim.PutAggregator(simaws.AggregatorSpec{Region: "us-east-1"}); err != nil {
		th.t.Fatal(err)
	}
}

// bystander attaches one that is in nobody's way; a plan reads it all the same.
func bystander(th *theater) {
	attach(th.t, th.operator(), `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"*"}]}`)
}

// crowded is an account with so many stack sets that a plan asks for its quotas, and that
// it can have them.
func crowded(th *theater) {
	bystander(th)
	th.sim.PutStackSets("us-east-1", 1000)
	th.sim.SetQuota(th.home, "us-east-1", simaws.QuotaStackSets, 1100)
}

// variants are the last act in an organization whose accounts have no paths, and with
// accounts chosen by tag where the command takes that.
func variants(command string, list []act) []act {
	without := list[len(list)-1]
	without.name, without.sim.NoPaths = without.name+", no paths", true
	list = append(slices.Clone(list), without)
	if !slices.Contains([]string{"status", "restore", "prove"}, command) {
		tagged := list[0]
		tagged.name, tagged.args = tagged.name+", by tag", words(tagged.args, []string{"--account-tag", "environment=prod"})
		list = append(list, tagged)
	}
	return list
}

// Each command can do its work as an identity that holds its policy and nothing else,
// makes every call that the policy allows, and without any one action says which it is.
func TestPoliciesAreTheLeast(t *testing.T) {
	for _, c := range doctor.Commands() {
		t.Run(c.Name, func(t *testing.T) {
			in := doctor.PolicyInput{Partition: "aws", StackSets: []string{"rollout-*"}, Roles: awsapi.DefaultRoleNames, Restorers: restoreRoles}
			whole := doctor.Policy([]doctor.Command{c}, in)
			list := variants(c.Name, acts[c.Name])
			calledIn := map[string][]act{}
			for _, a := range list {
				status, said, called := perform(t, a, &whole)
				if status != exitDone || refused(said) {
					t.Errorf("%s: exit status %d with the whole policy\n%s", a.name, status, said)
				}
				for _, action := range called {
					calledIn[action] = append(calledIn[action], a)
				}
			}
			named := slices.DeleteFunc(c.Actions(in), func(a string) bool { return slices.Contains(unnamed, a) })
			if got := slices.Sorted(maps.Keys(calledIn)); !slices.Equal(got, named) {
				t.Errorf("called  %v\nallowed %v", got, named)
			}
			for _, action := range unnamed {
				calledIn[action] = list
			}
			for _, action := range c.Actions(in) {
				missed := ""
				for _, a := range calledIn[action] {
					less := without(whole, action)
					status, said, _ := perform(t, a, &less)
					if missed = missing(action, status, said); missed == "" {
						break
					}
				}
				if missed != "" {
					t.Errorf("without %s: %s", action, missed)
				}
			}
		})
	}
}

// perform plays an act in an organization of its own, in which no time passes.
func perform(t *testing.T, a act, policy *templates.Policy) (status int, said string, called []string) {
	synctest.Test(t, func(t *testing.T) {
		th := newTheater(t, a.sim)
		th.play(a)
		status, said = th.run(policy, a.args...)
		called = th.calls.actions()
	})
	return status, said, called
}

// without takes an action out of a policy.
func without(p templates.Policy, action string) templates.Policy {
	out := templates.Policy{Version: p.Version}
	for _, s := range p.Statement {
		s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(a string) bool { return a == action })
		if len(s.Action) > 0 {
			out.Statement = append(out.Statement, s)
		}
	}
	return out
}

// refused says whether something told is a refusal of the identity's own policy; prove
// has AWS refuse other things.
func refused(said string) bool {
	return strings.Contains(strings.Join(strings.Fields(said), " "), "because no identity-based policy allows")
}

// missing says what is wrong with how a command ended without an action: it has to
// name what it could not do.
func missing(action string, status int, said string) string {
	said = strings.Join(strings.Fields(said), " ") // prove breaks lines
	words := []string{"perform: " + action}
	if action == "sts:AssumeRole" {
		words = append(words, "none of the", "no role could be assumed")
	}
	if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(said, w) }) {
		return ""
	}
	return fmt.Sprintf("exit status %d, and nothing says %q:\n%s", status, words, said)
}

// play runs what was before, as the operator.
func (th *theater) play(a act) {
	th.t.Helper()
	if a.prepare != nil {
		a.prepare(th)
	}
	for _, args := range a.before {
		if status, said := th.run(nil, args...); status != exitDone {
			th.t.Fatalf("%s: %v: exit status %d\n%s", a.name, args, status, said)
		}
	}
	if a.after != nil {
		a.after(th)
	}
}
