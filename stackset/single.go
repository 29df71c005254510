package stackset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/internal/fanout"
	"rollout/templates"
)

// Single is the plain stack that stands for a set's instance in the management
// account, where StackSets deploys nothing. It bears the set's name, carries its tags
// and is worked on through change sets.
type Single struct {
	Target
	ID             string
	Status, Reason string // a StackStatus; "" where it could not be read
	SHA256         string // its tag rollout:sha256
	Parameters     map[string]string
	Ours           bool // it carries the tag rollout:template with the set's template
	// Deployed is its template, where readBodies read it; BodyUnread says why it could not.
	Deployed, BodyUnread string
	// Begun is when it was made or changed last.
	Begun time.Time
	// Drift is what the last detection said of it, at DriftChecked.
	Drift        DriftStatus
	DriftChecked time.Time
	// Unread says why it could not be read.
	Unread string
}

// findSingles looks for the plain stacks of the sets in the caller's own account: one
// call a set and Region.
func findSingles(ctx context.Context, s *awsapi.Session, d Desired, sets []Set, on []string) error {
	if d.Management == "" {
		return nil
	}
	type task struct {
		set    int
		region string
	}
	var tasks []task
	for i, set := range sets {
		regions := d.RegionsOf(set.Template)
		if len(regions) == 0 {
			regions = on
		}
		for _, region := range regions {
			tasks = append(tasks, task{i, region})
		}
	}
	asked := slices.Clone(sets) // what is found is written into sets while others are asked for
	for t, one := range fanout.Ordered(ctx, tasks, regionsAtOnce, func(ctx context.Context, t task) *Single {
		return readSingle(ctx, newClient(s, t.region, newPace()), asked[t.set], Target{d.Management, t.region})
	}) {
		if one != nil {
			if sets[t.set].Singles == nil {
				sets[t.set].Singles = map[Target]Single{}
			}
			sets[t.set].Singles[one.Target] = *one
		}
	}
	return ctx.Err()
}

// readSingle reads one plain stack, nil where there is none.
func readSingle(ctx context.Context, client *cloudformation.Client, set Set, at Target) *Single {
	one := &Single{Target: at}
	out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(set.Name)})
	switch {
	case err != nil && notThere(err):
		return nil
	case err != nil:
		one.Unread = sentence(awsapi.Text(err))
		return one
	case len(out.Stacks) == 0:
		return nil
	}
	stack := out.Stacks[0]
	if stack.StackStatus == types.StackStatusReviewInProgress {
		return nil // only a change set is there, and no resource
	}
	one.take(stack)
	one.Ours = tagValue(stack.Tags, TagTemplate) == set.Template.Name
	return one
}

// take takes over what CloudFormation says of a stack.
func (one *Single) take(stack types.Stack) {
	one.ID, one.Status, one.Reason = aws.ToString(stack.StackId), string(stack.StackStatus), aws.ToString(stack.StackStatusReason)
	one.SHA256, one.Parameters = tagValue(stack.Tags, TagSHA256), valuesOf(stack.Parameters)
	one.Begun = aws.ToTime(cmp.Or(stack.LastUpdatedTime, stack.CreationTime))
	if d := stack.DriftInformation; d != nil {
		one.Drift, one.DriftChecked = DriftStatus(d.StackDriftStatus), aws.ToTime(d.LastCheckTimestamp)
	}
}

// Last is what was done to the stack last, as its status tells: CloudFormation lists no
// operations of a stack.
func (one Single) Last() Operation {
	action, _, _ := strings.Cut(one.Status, "_")
	if action == "ROLLBACK" {
		action = "CREATE" // of a stack that was being made; that of an update begins with UPDATE
	}
	return Operation{Action: action, Status: one.Status, StatusReason: one.Reason, Created: one.Begun}
}

// notThere says whether an answer means that there is no such stack, which
// CloudFormation says by a ValidationError ("Stack with id X does not exist").
func notThere(err error) bool {
	return awsapi.Code(err) == "ValidationError" && strings.Contains(awsapi.Text(err), "does not exist")
}

// At is what a set has in a place, an instance or a plain stack that stands for one.
func (s Set) At(t Target) (Instance, bool) {
	if i, ok := s.Instances[t]; ok {
		return i, true
	}
	one, ok := s.Singles[t]
	if !ok || !one.Ours {
		return Instance{}, false
	}
	i := Instance{Target: t, Status: "CURRENT", DetailedStatus: OutcomeSucceeded, Reason: one.Reason, StackID: one.ID, Drift: one.Drift, DriftChecked: one.DriftChecked}
	switch status := one.Status; {
	case status == "ROLLBACK_COMPLETE":
		// Nothing is in it: as an instance whose creation failed, which has no stack.
		i.Status, i.DetailedStatus, i.StackID = "OUTDATED", OutcomeFailed, ""
	case strings.HasSuffix(status, "_IN_PROGRESS"):
		i.Status, i.DetailedStatus = "OUTDATED", OutcomeRunning
	case status != "CREATE_COMPLETE" && status != "UPDATE_COMPLETE":
		i.Status, i.DetailedStatus = "OUTDATED", OutcomeFailed
	}
	return i, true
}

// size is how many instances a set has, with the plain stacks that stand for some.
func (s Set) size() int {
	n := len(s.Instances)
	for _, one := range s.Singles {
		if one.Ours {
			n++
		}
	}
	return n
}

// verdict says what becomes of a plain stack.
func (one Single) verdict(s Set) verdict {
	switch status := one.Status; {
	case one.Unread != "":
		return skip("stack-unread", "whether the stack %s is there could not be seen: %s", s.Name, one.Unread)
	case !one.Ours:
		return skip("stack-name-taken", "a stack called %s is there, which rollout did not make: delete it, or use another --stack-set name", s.Name).
			saying("a stack called %s is there, which rollout did not make", s.Name)
	case strings.HasSuffix(status, "_IN_PROGRESS"):
		return verdict{action: None, reason: "CloudFormation is working on the stack (" + status + ")", there: true}
	case status == "UPDATE_ROLLBACK_FAILED":
		return skip("stack-stuck", "the stack is %s%s: continue its rollback first (aws cloudformation continue-update-rollback --stack-name %s --region %s)", status, because(one.Reason), s.Name, one.Region)
	case status == "CREATE_FAILED" || status == "DELETE_FAILED" || strings.HasPrefix(status, "ROLLBACK_"):
		return verdict{action: Recreate, reason: "the stack is " + status + because(one.Reason) + "; it is deleted and made anew", there: true}
	}
	want := withoutSwitches(s.Template, s.Want)
	if why := outdated(Set{Exists: true, Template: s.Template, SHA256: one.SHA256, Parameters: one.Parameters, Want: want}); why != "" && !one.unmoved(s.Template, want) {
		return verdict{action: Update, reason: why, there: true}
	}
	if one.Status == "UPDATE_ROLLBACK_COMPLETE" || one.Status == "UPDATE_FAILED" {
		return verdict{action: Update, reason: "the stack is " + one.Status + because(one.Reason), there: true}
	}
	return verdict{action: None, there: true}
}

// unmoved says whether other parameters change no resource in the stack's Region, as what
// is recorded in the home Region only: CloudFormation refuses a change set without a
// change ("The submitted information didn't contain changes"), so the values would stay
// as they are and be found again by every plan.
func (one Single) unmoved(t templates.Template, want map[string]string) bool {
	id, err := arn.Parse(one.ID)
	if err != nil || one.SHA256 != t.SHA256() {
		return false
	}
	outputs := fmt.Sprint(t.Document().Outputs)
	for name, value := range want {
		if one.Parameters[name] != value && strings.Contains(outputs, name) {
			return false // an output may change, which is a change too
		}
	}
	in := func(given ...map[string]string) templates.Version {
		values := map[string]string{"AWS::Region": one.Region, "AWS::Partition": id.Partition, "AWS::AccountId": one.AccountID}
		for _, g := range given {
			maps.Copy(values, g)
		}
		return templates.Version{Document: t.Document(), Values: values}
	}
	return len(templates.Diff(in(one.Parameters), in(one.Parameters, want))) == 0
}

// withoutSwitches leaves out what was given at create, by what was there then.
func withoutSwitches(t templates.Template, values map[string]string) map[string]string {
	out := maps.Clone(values)
	maps.DeleteFunc(out, func(name, _ string) bool { return isSwitch(t, name) })
	return out
}

// isSwitch says whether a parameter is one that preflight sets when a stack is created.
func isSwitch(t templates.Template, name string) bool {
	return t.Name == templates.RecordingBase && slices.Contains(baseSwitches, name) || t.Keeps != nil && t.Keeps.Switch == name
}

// singles are a set's changes of plain stacks, of some actions.
func (p *Plan) singles(set string, actions ...Action) []Change {
	var out []Change
	for _, c := range p.Changes {
		if c.StackSet == set && c.Single && slices.Contains(actions, c.Action) {
			out = append(out, c)
		}
	}
	return out
}

// DelegatedManagementError says that the management account was chosen by somebody
// who cannot deploy to it. Management is its id, "" where it is not known.
type DelegatedManagementError struct{ Caller, Management string }

func (e *DelegatedManagementError) Error() string {
	return fmt.Sprintf("--include-management: account %s acts as delegated administrator, and StackSets never deploys to %s, for nobody; what goes there goes by plain stacks, with credentials of that account", e.Caller, strings.TrimSpace("the management account "+e.Management))
}

// Remedy says what to do about it.
func (e *DelegatedManagementError) Remedy() string {
	return "Use credentials of the management account, or leave --include-management out."
}
