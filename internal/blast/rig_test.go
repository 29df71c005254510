package blast

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"rollout/internal/awsapi"
	"rollout/internal/simaws"
	"rollout/orgs"
	"rollout/stackset"
	"rollout/templates"
)

const home = "us-east-1"

// rig is a simulated organization with a run of one template.
type rig struct {
	t       *testing.T
	sim     *simaws.Sim
	session *awsapi.Session
	d       stackset.Desired
	known   []awsapi.Region
}

// newRig chooses all accounts under Workloads that are active.
func newRig(t *testing.T, so simaws.Options, template string, regions ...string) *rig {
	t.Helper()
	s := &rig{t: t, sim: simaws.New(so)}
	session, err := awsapi.Open(t.Context(), awsapi.Options{Static: true, HTTPClient: s.sim.Client(), EndpointURL: "http://127.0.0.1", HomeRegion: home})
	if err != nil {
		t.Fatal(err)
	}
	s.session = session
	tree, err := orgs.Walk(t.Context(), orgs.NewClient(session.Own("")), orgs.WalkOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.d = stackset.Desired{
		Templates: lookup(t, template), Remediation: stackset.RemediationOff, Regions: slices.Sorted(slices.Values(regions)), HomeRegion: home, Partition: "aws",
		Caller: session.Account, Organization: tree.OrganizationID, OUs: []string{tree.Root.ID}, Parameters: map[string]string{}, ReuseExisting: true,
	}
	for _, a := range tree.Accounts {
		if a.Active() && strings.HasPrefix(a.OUPath(), "Workloads") {
			s.d.Accounts = append(s.d.Accounts, a)
		}
	}
	for _, r := range append(slices.Clone(regions), home) {
		s.known = append(s.known, awsapi.Region{Name: r, On: true})
	}
	return s
}

func lookup(t *testing.T, names ...string) (out []templates.Template) {
	t.Helper()
	for _, n := range names {
		one, err := templates.Lookup(n)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, one)
	}
	return out
}

func (s *rig) plan() *stackset.Plan {
	s.t.Helper()
	p, err := stackset.Prepare(s.t.Context(), s.session, stackset.PrepareInput{Desired: s.d, CallAs: cfntypes.CallAsSelf, Known: s.known}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// read plans and reads the blast radius of the plan.
func (s *rig) read() *Radius {
	s.t.Helper()
	r, err := Read(s.t.Context(), s.session, s.plan(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// deploy carries the run out and waits until Config has evaluated and, where that is
// automatic, remediated.
func (s *rig) deploy(remediation stackset.Remediation) {
	s.t.Helper()
	s.d.Remediation = remediation
	result, err := stackset.Apply(s.t.Context(), s.session, cfntypes.CallAsSelf, s.plan(), stackset.ApplyOptions{Run: "t", Version: "1"}, func(stackset.Event) {})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, o := range result.Outcomes {
		if o.Status != stackset.OutcomeSucceeded {
			s.t.Fatalf("%+v", o)
		}
	}
	time.Sleep(3 * time.Hour)
}

// in is the configuration of an administrator in an account's Region.
func (s *rig) in(account, region string) aws.Config {
	s.t.Helper()
	entry, err := s.session.Enter(s.t.Context(), account, "")
	if err != nil {
		s.t.Fatal(err)
	}
	return entry.Config(region)
}

// remediate starts the remediations of a rule by hand, on all that Config finds.
func (s *rig) remediate(ctx context.Context, account, region, rule string) {
	s.t.Helper()
	client := configservice.NewFromConfig(s.in(account, region))
	found, err := client.GetComplianceDetailsByConfigRule(ctx, &configservice.GetComplianceDetailsByConfigRuleInput{
		ConfigRuleName: aws.String(rule), ComplianceTypes: []types.ComplianceType{types.ComplianceTypeNonCompliant}, Limit: 100,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	var keys []types.ResourceKey
	for _, r := range found.EvaluationResults {
		q := r.EvaluationResultIdentifier.EvaluationResultQualifier
		keys = append(keys, types.ResourceKey{ResourceType: types.ResourceType(*q.ResourceType), ResourceId: q.ResourceId})
	}
	if len(keys) == 0 {
		return
	}
	out, err := client.StartRemediationExecution(ctx, &configservice.StartRemediationExecutionInput{ConfigRuleName: aws.String(rule), ResourceKeys: keys})
	if err != nil || len(out.FailedItems) > 0 {
		s.t.Fatalf("%s in %s: %+v, %v", rule, region, out, err)
	}
	time.Sleep(time.Hour)
}
