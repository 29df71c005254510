package stackset

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
)

// TagVersion is the tag with the version of rollout that wrote a set last.
const TagVersion = "rollout:version"

// make creates a set that is missing.
func (a *applier) make(ctx context.Context, s *Set) error {
	auto, err := a.autoDeployment(ctx, s)
	if err != nil {
		return err
	}
	in := &cloudformation.CreateStackSetInput{
		StackSetName: aws.String(s.Name), CallAs: a.callAs, PermissionModel: types.PermissionModelsServiceManaged,
		Description: aws.String(description(s)), TemplateBody: aws.String(string(s.Template.Body())), Parameters: parameters(s.Want), Tags: a.tags(s),
		AutoDeployment:   auto,
		ManagedExecution: &types.ManagedExecution{Active: aws.Bool(true)},
		Capabilities:     capabilities(s), ClientRequestToken: aws.String(token(a.o.Run, s.Name)),
	}
	out, err := a.api.CreateStackSet(ctx, in)
	if code := awsapi.Code(err); code == "NameAlreadyExistsException" || code == "CreatedButModifiedException" {
		return a.adopt(ctx, s, err)
	}
	if err != nil {
		return a.explain("create stack set "+s.Name, err)
	}
	s.Exists, s.ID, s.SHA256, s.Parameters, s.Outdated = true, aws.ToString(out.StackSetId), s.Template.SHA256(), s.Want, ""
	s.AutoWas = s.AutoWant
	a.emit(SetCreated{s.Name})
	return nil
}

// adopt goes on with a set that was made since the plan, by a call of ours whose
// answer was lost or by a run beside this one, where it is exactly the one that
// was to be made.
func (a *applier) adopt(ctx context.Context, s *Set, refused error) error {
	found := Set{Name: s.Name, Template: s.Template}
	if err := (&finder{s: a.s, callAs: a.callAs, home: a.api}).read(ctx, &found); err != nil {
		return err
	}
	if found.SHA256 != s.Template.SHA256() || !maps.Equal(found.Parameters, s.Want) {
		return fmt.Errorf("create stack set %s in %s: it was made since the plan, and differently: %w; plan again", s.Name, a.s.HomeRegion, refused)
	}
	s.Exists, s.ID, s.SHA256, s.Parameters, s.Outdated, s.Instances = true, found.ID, found.SHA256, s.Want, "", found.Instances
	s.ARN, s.Auto = found.ARN, found.Auto
	s.AutoWas = autoNow(*s, a.sets)
	return nil
}

func description(s *Set) string {
	text := "rollout: " + s.Template.Title
	if s.Automatic {
		text += " (automatic)"
	}
	return text[:min(len(text), 1024)]
}

func capabilities(s *Set) []types.Capability {
	var out []types.Capability
	for _, c := range s.Template.Capabilities {
		out = append(out, types.Capability(c))
	}
	return out
}

func (a *applier) tags(s *Set) []types.Tag {
	all := maps.Clone(a.p.Desired.Tags)
	if all == nil {
		all = map[string]string{}
	}
	all[TagTemplate], all[TagSHA256] = s.Template.Name, s.Template.SHA256()
	if a.o.Version != "" {
		all[TagVersion] = a.o.Version
	}
	var out []types.Tag
	for _, k := range slices.Sorted(maps.Keys(all)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(all[k])})
	}
	return out
}

func parameters(values map[string]string) []types.Parameter {
	var out []types.Parameter
	for _, k := range slices.Sorted(maps.Keys(values)) {
		out = append(out, types.Parameter{ParameterKey: aws.String(k), ParameterValue: aws.String(values[k])})
	}
	return out
}

// token makes an idempotency token of a run: letters, digits and hyphens, at most
// 128 (CloudFormation API reference). What has to be cut is told apart by a digest.
func token(run, name string) string {
	full := "rollout-" + run + "-" + name
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '-'
	}, full)
	if len(clean) <= 128 {
		return clean
	}
	sum := sha256.Sum256([]byte(full))
	return clean[:111] + "-" + hex.EncodeToString(sum[:8])
}

// define gives an outdated set its new template and parameters. UpdateStackSet
// without targets would update every instance, so it is given one group of the
// planned ones, which are updated by it; without any instance at all it needs
// none. ok is false when the set has instances and none of them is planned.
func (a *applier) define(ctx context.Context, s *Set, updates []Change) (done []Change, ok bool, err error) {
	groups := group(updates, a.p.Desired, s)
	if len(groups) == 0 && len(s.Instances) > 0 {
		return nil, false, nil
	}
	b, rest := defining(groups)
	in := &cloudformation.UpdateStackSetInput{
		StackSetName: aws.String(s.Name), CallAs: a.callAs, Description: aws.String(description(s)),
		TemplateBody: aws.String(string(s.Template.Body())), Parameters: parameters(s.Want), Tags: a.tags(s), Capabilities: capabilities(s),
		OperationPreferences: preferences(a.p.Desired.Preferences),
	}
	if len(groups) > 0 {
		in.DeploymentTargets, in.Regions = b.deploymentTargets(), b.regions
	}
	r, err := a.updateSet(ctx, s, b, in)
	if err != nil {
		if ctx.Err() != nil {
			return nil, false, err
		}
		return nil, false, a.explain("update stack set "+s.Name, err)
	}
	s.SHA256, s.Parameters, s.Outdated = s.Template.SHA256(), s.Want, ""
	a.emit(SetUpdated{s.Name})
	if len(rest) == len(groups) {
		return nil, true, a.watch(ctx, []*running{r}) // its instances get their overrides yet
	}
	return b.changes, true, a.watch(ctx, []*running{r})
}

// explain names what was tried and turns the refusals that have a remedy into
// their own errors.
func (a *applier) explain(what string, err error) error {
	return tried(a.s, what, a.s.HomeRegion, err)
}

// updateSet starts the operation of an update of a set.
func (a *applier) updateSet(ctx context.Context, s *Set, b batch, in *cloudformation.UpdateStackSetInput) (*running, error) {
	return a.submit(ctx, s, b, func(id string) (string, error) {
		in.OperationId = aws.String(id)
		out, err := a.api.UpdateStackSet(ctx, in)
		if err != nil {
			return "", err
		}
		return cmp.Or(aws.ToString(out.OperationId), id), nil
	})
}
