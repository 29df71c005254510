package stackset

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	gocmp "github.com/google/go-cmp/cmp"

	"rollout/templates"
)

// What a plan says of an update is what a change set of the same update says.
func TestDiffAgreesWithChangeSets(t *testing.T) {
	for name, c := range map[string]struct {
		template string
		change   map[string]string
	}{
		"a bucket's name":     {templates.RecordingBase, map[string]string{"DeliveryBucketPrefix": "other"}},
		"where a channel is":  {templates.Recording, map[string]string{"DeliveryBucketPrefix": "other"}},
		"a runbook's default": {"default-security-group-enforce", map[string]string{"InUse": "Empty"}},
		"a mode":              {"default-security-group-enforce", map[string]string{"Remediation": "Automatic"}},
		"nothing":             {templates.Recording, nil},
	} {
		t.Run(name, func(t *testing.T) {
			inSim(t, 1, func(t *testing.T, s *site) {
				template, err := templates.Lookup(c.template)
				if err != nil {
					t.Fatal(err)
				}
				values := want(s.d, template, false)
				changed := maps.Clone(values)
				maps.Copy(changed, c.change)
				set := Set{Name: "x", Template: template, Exists: true, Outdated: "test", Deployed: string(template.Body()), Parameters: values, Want: changed, Instances: map[Target]Instance{{"1", home}: {}}}
				var said []string
				for _, r := range (&Plan{Desired: s.d}).Diff(set).Resources {
					said = append(said, fmt.Sprint(r.Action, " ", r.LogicalID, " ", r.Replacement))
				}
				slices.Sort(said)
				if len(said) > 0 != (c.change != nil) {
					t.Errorf("it says %v", said)
				}
				if diff := gocmp.Diff(s.changeSet(template, values, changed), said); diff != "" {
					t.Errorf("(-change set +plan):\n%s", diff)
				}
			})
		})
	}
}

// changeSet makes a stack of a template in the caller's account, and asks what other
// parameters would change.
func (s *site) changeSet(template templates.Template, values, changed map[string]string) []string {
	s.t.Helper()
	ctx, client, name := s.t.Context(), newClient(s.session, "", newPace()), aws.String("stack")
	for _, need := range template.Chain() { // what it stands on comes first
		if need.Name == template.Name || need.Enforces != "" {
			continue
		}
		values := want(s.d, need, false)
		if need.Name == templates.RecordingBase { // the roles are missing in this account
			values["CreateConfigServiceLinkedRole"], values["CreateRemediationServiceLinkedRole"] = "true", "true"
		}
		s.stack(client, need.Name, need, values)
	}
	s.stack(client, *name, template, values)
	_, err := client.CreateChangeSet(ctx, &cloudformation.CreateChangeSetInput{StackName: name, ChangeSetName: aws.String("c"), UsePreviousTemplate: aws.Bool(true),
		Parameters: parameters(changed), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}})
	if err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(time.Minute)
	out, err := client.DescribeChangeSet(ctx, &cloudformation.DescribeChangeSetInput{StackName: name, ChangeSetName: aws.String("c")})
	if err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for _, c := range out.Changes {
		r := c.ResourceChange
		replaced := map[types.Replacement]templates.Replacement{types.ReplacementTrue: templates.ReplacementAlways, types.ReplacementConditional: templates.ReplacementMay}[r.Replacement]
		if replaced == "" {
			replaced = templates.ReplacementNever
		}
		list = append(list, fmt.Sprint(strings.ToLower(string(r.Action)), " ", aws.ToString(r.LogicalResourceId), " ", replaced))
	}
	slices.Sort(list)
	return list
}

// stack makes a single stack and waits for it.
func (s *site) stack(client *cloudformation.Client, name string, template templates.Template, values map[string]string) {
	s.t.Helper()
	_, err := client.CreateStack(s.t.Context(), &cloudformation.CreateStackInput{StackName: aws.String(name), TemplateBody: aws.String(string(template.Body())),
		Parameters: parameters(values), Capabilities: []types.Capability{types.CapabilityCapabilityNamedIam}})
	if err != nil {
		s.t.Fatal(err)
	}
	time.Sleep(10 * time.Minute)
	out, err := client.DescribeStacks(s.t.Context(), &cloudformation.DescribeStacksInput{StackName: aws.String(name)})
	if err != nil || out.Stacks[0].StackStatus != types.StackStatusCreateComplete {
		s.t.Fatalf("stack %s: %v, not created", name, err)
	}
}
