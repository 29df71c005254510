package stackset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// autoOf is what StackSets says of a set's automatic deployment.
func autoOf(have *types.StackSet) AutoDeployment {
	auto := have.AutoDeployment
	if auto == nil || !aws.ToBool(auto.Enabled) {
		return AutoDeployment{}
	}
	return AutoDeployment{Enabled: true, Retain: aws.ToBool(auto.RetainStacksOnAccountRemoval), DependsOn: slices.Clone(auto.DependsOn)}
}

// autoTargets are the OUs that a set watches, and the Regions of each.
func autoTargets(ctx context.Context, api *cloudformation.Client, callAs types.CallAs, name string) (map[string][]string, error) {
	out := map[string][]string{}
	in := &cloudformation.ListStackSetAutoDeploymentTargetsInput{StackSetName: &name, CallAs: callAs, MaxResults: aws.Int32(100)}
	for {
		page, err := api.ListStackSetAutoDeploymentTargets(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Summaries {
			out[aws.ToString(t.OrganizationalUnitId)] = slices.Sorted(slices.Values(t.Regions))
		}
		if aws.ToString(page.NextToken) == "" {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
}

// readTargets asks which OUs the sets watch that deploy automatically, or shall. Where it
// cannot be asked, a finding says so: then no more is known than where instances are.
func readTargets(ctx context.Context, s *awsapi.Session, in PrepareInput, sets []Set) (unread []Finding, err error) {
	api := newClient(s, "", newPace())
	for i := range sets {
		set := &sets[i]
		if on, _ := in.Desired.covers(set.Template); !set.Exists || !on && !set.Auto.Enabled {
			continue
		}
		set.Auto.Targets, err = autoTargets(ctx, api, in.CallAs, set.Name)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			set.Auto.Unread = true
			unread = append(unread, Finding{Code: "auto-unread", StackSet: set.Name, Text: fmt.Sprintf("Which OUs {sets} watches could not be asked, so what an account gets that joins is told by where its instances are: %s.", sentence(awsapi.Text(err)))})
		}
	}
	return unread, nil
}

// autoStep is the call that changes a set's automatic deployment.
func (p *Plan) autoStep(s Set) Step {
	return Step{StackSet: s.Name, Call: "UpdateStackSet", Auto: s.AutoWant.String(), Instances: p.staying(s)}
}

// staying counts the instances of a set that a plan does not delete.
func (p *Plan) staying(s Set) int { return len(s.Instances) - len(p.actions(s.Name, Delete)) }

// autoDeployment is what a set gets. The sets that it waits for were made before it, or
// are not there, since nothing of them could be.
func (a *applier) autoDeployment(ctx context.Context, s *Set) (*types.AutoDeployment, error) {
	if !s.AutoWant.Enabled {
		return &types.AutoDeployment{Enabled: aws.Bool(false)}, nil
	}
	depends := slices.Clone(s.AutoWant.Others)
	for _, name := range s.AutoWant.After {
		arn, err := a.arn(ctx, name)
		if err != nil {
			return nil, err
		}
		if arn != "" {
			depends = append(depends, arn)
		}
	}
	slices.Sort(depends)
	return &types.AutoDeployment{Enabled: aws.Bool(true), RetainStacksOnAccountRemoval: aws.Bool(s.AutoWant.Retain), DependsOn: depends}, nil
}

// arn is a set's, "" for one that is not there.
func (a *applier) arn(ctx context.Context, name string) (string, error) {
	for _, s := range a.p.Sets {
		if s.Name == name && s.ARN != "" {
			return s.ARN, nil
		}
	}
	a.mu.Lock()
	known := a.arns[name]
	a.mu.Unlock()
	if known != "" {
		return known, nil
	}
	out, err := a.api.DescribeStackSet(ctx, &cloudformation.DescribeStackSetInput{StackSetName: &name, CallAs: a.callAs})
	if awsapi.Code(err) == "StackSetNotFoundException" {
		return "", nil
	}
	if err != nil {
		return "", a.explain("describe stack set "+name+", which others wait for", err)
	}
	arn := aws.ToString(cmp.Or(out.StackSet, &types.StackSet{}).StackSetARN)
	if arn == "" {
		return "", fmt.Errorf("describe stack set %s in %s: AWS gives no ARN, and another set is to wait for it", name, a.s.HomeRegion)
	}
	a.mu.Lock()
	a.arns[name] = arn
	a.mu.Unlock()
	return arn, nil
}

// follow changes the automatic deployment of a set that is there. The call takes no
// targets beside it (API reference, UpdateStackSet), so its operation goes through all
// instances; template and values are as they were, so none is changed.
func (a *applier) follow(ctx context.Context, s *Set) error {
	auto, err := a.autoDeployment(ctx, s)
	if err != nil {
		return err
	}
	in := &cloudformation.UpdateStackSetInput{
		StackSetName: aws.String(s.Name), CallAs: a.callAs, UsePreviousTemplate: aws.Bool(true), Capabilities: deployedCapabilities(s),
		AutoDeployment: auto, OperationPreferences: preferences(a.p.Desired.Preferences),
	}
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		in.Parameters = append(in.Parameters, types.Parameter{ParameterKey: aws.String(name), UsePreviousValue: aws.Bool(true)})
	}
	r, err := a.updateSet(ctx, s, batch{action: Update, whole: a.p.staying(*s)}, in)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		return a.explain(fmt.Sprintf("change automatic deployment of stack set %s (%s → %s)", s.Name, s.AutoWas, s.AutoWant), err)
	}
	s.AutoWas = s.AutoWant
	a.emit(SetFollows{s.Name, s.AutoWant})
	return a.watch(ctx, []*running{r})
}

// deployedCapabilities are those that the template wants acknowledged that is there.
func deployedCapabilities(s *Set) []types.Capability {
	deployed := *s
	if t, err := templates.FromBody(s.Template.Name, []byte(s.Deployed)); err == nil {
		deployed.Template = t
	}
	return capabilities(&deployed)
}
