package stackset_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/stackset"
	"rollout/templates"
)

// force does what a plan skipped, straight through the SDK, set by set in deploy order:
// it has to fail, or the plan gave a false alarm.
func (w *seeded) force(p *stackset.Plan) {
	type lot struct {
		region        string
		exists, roles bool
	}
	for _, s := range p.Sets {
		lots := map[lot][]stackset.Change{}
		for _, c := range p.Changes {
			if c.StackSet != s.Name || c.Action != stackset.Skip {
				continue
			}
			reason := reasonOf(c.Reason)
			switch {
			case c.Orphan:
				w.tally.count("stays", reason)
				continue
			case blind.MatchString(c.Reason):
				w.tally.count("not looked into", reason)
				continue
			case wished.MatchString(c.Reason):
				w.tally.count("not wanted", reason)
				continue
			}
			_, exists := s.Instances[c.Target]
			if exists && !w.last {
				continue // trying it would change the set for the runs to come
			}
			w.tally.count("foretold", reason)
			k := lot{c.Region, exists, strings.Contains(c.Reason, "iam:CreateServiceLinkedRole")}
			lots[k] = append(lots[k], c)
		}
		for _, k := range slices.SortedFunc(maps.Keys(lots), func(a, b lot) int {
			return cmp.Or(cmp.Compare(a.region, b.region), cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)))
		}) {
			for _, c := range w.forced(s, k.region, k.exists, lots[k]) {
				w.t.Errorf("FALSE ALARM: %s in %s was skipped (%s), and can be", s.Name, w.place(c.Target), c.Reason)
			}
		}
	}
}

// forced creates or updates instances of one Region and gives those that came true.
func (w *seeded) forced(s stackset.Set, region string, exists bool, changes []stackset.Change) (done []stackset.Change) {
	w.t.Helper()
	ctx, api := w.t.Context(), cloudformation.NewFromConfig(w.session.Own(""))
	var parameters []types.Parameter
	for _, name := range slices.Sorted(maps.Keys(s.Want)) {
		parameters = append(parameters, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String(s.Want[name])})
	}
	var capabilities []types.Capability
	for _, c := range s.Template.Capabilities {
		capabilities = append(capabilities, types.Capability(c))
	}
	_, err := api.CreateStackSet(ctx, &cloudformation.CreateStackSetInput{
		StackSetName: &s.Name, TemplateBody: aws.String(string(s.Template.Body())), Parameters: parameters, Capabilities: capabilities, PermissionModel: types.PermissionModelsServiceManaged,
		AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)}, ManagedExecution: &types.ManagedExecution{Active: aws.Bool(true)},
		Tags: []types.Tag{{Key: aws.String(stackset.TagTemplate), Value: &s.Template.Name}, {Key: aws.String(stackset.TagSHA256), Value: aws.String(s.Template.SHA256())}},
	})
	if err != nil && awsapi.Code(err) != "NameAlreadyExistsException" {
		w.t.Fatal(err)
	}
	var accounts []string
	for _, c := range changes {
		accounts = append(accounts, c.AccountID)
	}
	targets := &types.DeploymentTargets{OrganizationalUnitIds: []string{w.tree.Root.ID}, Accounts: accounts, AccountFilterType: types.AccountFilterTypeIntersection}
	preferences := &types.StackSetOperationPreferences{FailureTolerancePercentage: aws.Int32(100), MaxConcurrentPercentage: aws.Int32(100), ConcurrencyMode: types.ConcurrencyModeSoftFailureTolerance}
	var operation *string
	var overrides []types.Parameter
	if s.Template.Name == templates.RecordingBase && strings.Contains(changes[0].Reason, "iam:CreateServiceLinkedRole") {
		for _, name := range []string{"CreateConfigServiceLinkedRole", "CreateRemediationServiceLinkedRole"} {
			overrides = append(overrides, types.Parameter{ParameterKey: aws.String(name), ParameterValue: aws.String("true")})
		}
	}
	switch {
	case exists && overrides != nil:
		var out *cloudformation.UpdateStackInstancesOutput
		if out, err = api.UpdateStackInstances(ctx, &cloudformation.UpdateStackInstancesInput{StackSetName: &s.Name, Regions: []string{region}, DeploymentTargets: targets, OperationPreferences: preferences, ParameterOverrides: overrides}); err == nil {
			operation = out.OperationId
		}
	case exists: // with what the run would have made of the set
		var out *cloudformation.UpdateStackSetOutput
		if out, err = api.UpdateStackSet(ctx, &cloudformation.UpdateStackSetInput{StackSetName: &s.Name, TemplateBody: aws.String(string(s.Template.Body())), Parameters: parameters, Capabilities: capabilities, Regions: []string{region}, DeploymentTargets: targets, OperationPreferences: preferences}); err == nil {
			operation = out.OperationId
		}
	default:
		var out *cloudformation.CreateStackInstancesOutput
		if out, err = api.CreateStackInstances(ctx, &cloudformation.CreateStackInstancesInput{StackSetName: &s.Name, Regions: []string{region}, DeploymentTargets: targets, OperationPreferences: preferences, ParameterOverrides: overrides}); err == nil {
			operation = out.OperationId
		}
	}
	if err != nil {
		w.t.Fatalf("force %s in %s: %v", s.Name, region, err)
	}
	for {
		out, err := api.DescribeStackSetOperation(ctx, &cloudformation.DescribeStackSetOperationInput{StackSetName: &s.Name, OperationId: operation})
		if err != nil {
			w.t.Fatal(err)
		}
		if st := out.StackSetOperation.Status; st != types.StackSetOperationStatusRunning && st != types.StackSetOperationStatusQueued {
			break
		}
		time.Sleep(time.Minute)
	}
	for _, c := range changes {
		out, err := api.DescribeStackInstance(ctx, &cloudformation.DescribeStackInstanceInput{StackSetName: &s.Name, StackInstanceAccount: &c.AccountID, StackInstanceRegion: &c.Region})
		if awsapi.Code(err) == "StackInstanceNotFoundException" {
			continue
		}
		if err != nil {
			w.t.Fatal(err)
		}
		if i := out.StackInstance; i.StackInstanceStatus.DetailedStatus == types.StackInstanceDetailedStatusSucceeded && aws.ToString(i.LastOperationId) == *operation {
			done = append(done, c)
		} else if strings.Contains(aws.ToString(i.StatusReason), "No updates") {
			done = append(done, c)
		}
	}
	w.forget(s.Name, region, targets, exists)
	return done
}

// forget takes out the instances that were made by force.
func (w *seeded) forget(set, region string, targets *types.DeploymentTargets, exists bool) {
	w.t.Helper()
	if exists {
		return
	}
	api := cloudformation.NewFromConfig(w.session.Own(""))
	if _, err := api.DeleteStackInstances(w.t.Context(), &cloudformation.DeleteStackInstancesInput{StackSetName: &set, Regions: []string{region}, DeploymentTargets: targets, RetainStacks: aws.Bool(true)}); err != nil && !strings.Contains(err.Error(), "not found in StackSet") {
		w.t.Fatal(err)
	}
	time.Sleep(time.Hour)
}
