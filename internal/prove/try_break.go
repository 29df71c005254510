package prove

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// A document that SSM refuses, so that nothing comes of it.
const broken = `{"AWSTemplateFormatVersion":"2010-09-09","Description":"Made by rollout prove; fails on purpose",
"Resources":{"Broken":{"Type":"AWS::SSM::Document","Properties":{"DocumentType":"Automation","Content":"rollout prove: no document"}}}}`

func breakScenarios() []Scenario {
	return []Scenario{
		{
			Name: "break", Title: "stacks that fail",
			Makes: []string{"a StackSet whose stacks fail: their only resource is an SSM document without content, which SSM refuses"},
			Calls: []string{"cloudformation:CreateStackInstances", "cloudformation:ListStackSetOperationResults", "cloudformation:ListStackInstances", "cloudformation:DescribeStackInstance"},
			Claims: []Claim{
				{Name: "break-operation", Documented: true, Text: "more failures than tolerated: the operation ends FAILED"},
				{Name: "break-reason", Lines: []string{"PRV-19"},
					Text: "a failed row reads \"ResourceLogicalId:…, ResourceType:…, ResourceStatusReason:…\""},
				{Name: "break-cancelled", Lines: []string{"PRV-20"},
					Text: "the account that was not begun is CANCELLED, \"Cancelled since failure tolerance has exceeded\""},
				{Name: "break-instance", Documented: true, Text: "an instance whose creation failed is OUTDATED, in detail FAILED"},
				{Name: "break-stackless", Lines: []string{"SET-14"}, Text: "such an instance has no StackId: its stack was rolled back and deleted"},
				{Name: "break-tolerated", Documented: true, Text: "failures within the tolerance: the operation ends SUCCEEDED and counts the failed instances"},
			},
			try: tryBreak,
		},
		{
			Name: "stop", Title: "an operation that is stopped",
			Makes: []string{"a StackSet, and in one or more of the accounts chosen a stack with one WaitConditionHandle"},
			Calls: []string{"cloudformation:CreateStackInstances", "cloudformation:StopStackSetOperation"},
			Claims: []Claim{
				{Name: "stop-status", Documented: true, Text: "an operation that is stopped ends STOPPED"},
				{Name: "stop-reason", Lines: []string{"PRV-21"}, Text: "a row that was not begun is CANCELLED, and its reason says that a user did it"},
				{Name: "stop-instance", Documented: true, Text: "an instance that was not begun is OUTDATED, in detail CANCELLED"},
			},
			try: tryStop,
		},
		{
			Name: "queue", Title: "managed execution",
			Makes: []string{"a StackSet with managed execution, and in each account chosen a stack with one WaitConditionHandle"},
			Calls: []string{"cloudformation:CreateStackSet", "cloudformation:CreateStackInstances", "cloudformation:UpdateStackSet"},
			Claims: []Claim{
				{Name: "queue-second", Documented: true, Text: "a conflicting operation is taken and begins when the first has ended"},
				{Name: "queue-setting", Lines: []string{"PRV-22"}, Text: "managed execution cannot be switched off while operations run or wait: InvalidOperationException"},
			},
			try: tryQueue,
		},
		{
			Name: "nobody", Title: "targets that come to nothing",
			Makes: []string{"a StackSet without instances"},
			Calls: []string{"cloudformation:CreateStackInstances of the OU without any of its accounts, and of a suspended account"},
			Claims: []Claim{
				{Name: "nobody-succeeds", Lines: []string{"PRV-23"}, Text: "an operation whose targets come to no account ends SUCCEEDED without a row"},
				{Name: "nobody-suspended", Lines: []string{"PRV-24", "SET-07"}, Text: "a suspended account is skipped: the operation succeeds, its instance is in detail SKIPPED_SUSPENDED_ACCOUNT, its row CANCELLED, \"ACCOUNT_SUSPENDED\""},
			},
			try: tryNobody,
		},
	}
}

// row finds the rows of a status.
func rowsOf(rows []types.StackSetOperationResultSummary, status types.StackSetOperationResultStatus) []types.StackSetOperationResultSummary {
	return slices.DeleteFunc(slices.Clone(rows), func(r types.StackSetOperationResultSummary) bool { return r.Status != status })
}

func rowWords(rows []types.StackSetOperationResultSummary) string {
	var words []string
	for _, r := range rows {
		words = addOnce(words, fmt.Sprintf("%s %q", r.Status, aws.ToString(r.StatusReason)))
	}
	if len(words) == 0 {
		return "no rows"
	}
	return strings.Join(words, ", ")
}

// detail says how the instances in some accounts stand, once each.
func (s *set) detail(ctx context.Context, accounts ...string) (string, error) {
	list, err := s.instances(ctx)
	if err != nil {
		return "", fmt.Errorf("list the instances: %w", err)
	}
	var words []string
	for _, i := range list {
		if slices.Contains(accounts, aws.ToString(i.Account)) {
			word := string(i.Status)
			if i.StackInstanceStatus != nil {
				word += "/" + string(i.StackInstanceStatus.DetailedStatus)
			}
			words = addOnce(words, word)
		}
	}
	if len(words) == 0 {
		return "no instance", nil
	}
	return strings.Join(words, ", "), nil
}

func tryBreak(ctx context.Context, t *trial) error {
	s, _, err := t.newSet(ctx, func(in *cloudformation.CreateStackSetInput) { in.TemplateBody = aws.String(broken) })
	if err != nil {
		return fmt.Errorf("create StackSet %s: %w", s.name, err)
	}
	all := t.accountIDs()
	out, err := s.api.CreateStackInstances(ctx, s.createInput(all...))
	if err != nil {
		return fmt.Errorf("create stack instances: %w", err)
	}
	op, err := s.wait(ctx, out.OperationId)
	if err != nil {
		return err
	}
	t.holds("break-operation", op.Status == types.StackSetOperationStatusFailed, "%s %s", op.Status, aws.ToString(op.StatusReason))
	rows, err := s.results(ctx, out.OperationId, len(all))
	if err != nil {
		return err
	}
	failed, cancelled := rowsOf(rows, types.StackSetOperationResultStatusFailed), rowsOf(rows, types.StackSetOperationResultStatusCancelled)
	if len(failed) == 0 {
		t.holds("break-reason", false, "no row is FAILED: %s", rowWords(rows))
	} else {
		reason := aws.ToString(failed[0].StatusReason)
		t.holds("break-reason", reads(reason, "ResourceLogicalId:Broken, ResourceType:AWS::SSM::Document, ResourceStatusReason:"), "%s", reason)
	}
	if len(all) < 2 {
		t.skip("break-cancelled", "only one account was chosen")
	} else {
		t.holds("break-cancelled", len(cancelled) == len(all)-1 && aws.ToString(cancelled[0].StatusReason) == "Cancelled since failure tolerance has exceeded", "%s", rowWords(cancelled))
	}
	if len(failed) == 0 {
		t.skip("break-instance", "no instance failed")
		t.skip("break-stackless", "no instance failed")
	} else if word, err := s.detail(ctx, aws.ToString(failed[0].Account)); err != nil {
		return err
	} else {
		t.holds("break-instance", word == "OUTDATED/FAILED", "%s", word)
		one, err := s.api.DescribeStackInstance(ctx, &cloudformation.DescribeStackInstanceInput{StackSetName: &s.name, StackInstanceAccount: failed[0].Account, StackInstanceRegion: failed[0].Region, CallAs: s.t.CallAs})
		if err != nil {
			return fmt.Errorf("describe the instance that failed: %w", err)
		}
		t.holds("break-stackless", aws.ToString(one.StackInstance.StackId) == "", "StackId %q", aws.ToString(one.StackInstance.StackId))
	}
	in := s.createInput(all...)
	in.OperationPreferences = &types.StackSetOperationPreferences{FailureToleranceCount: aws.Int32(int32(len(all))), MaxConcurrentPercentage: aws.Int32(100)}
	if out, err = s.api.CreateStackInstances(ctx, in); err != nil {
		return fmt.Errorf("create stack instances again: %w", err)
	}
	if op, err = s.wait(ctx, out.OperationId); err != nil {
		return err
	}
	count := int32(-1)
	if op.StatusDetails != nil {
		count = aws.ToInt32(op.StatusDetails.FailedStackInstancesCount)
	}
	t.holds("break-tolerated", op.Status == types.StackSetOperationStatusSucceeded && int(count) == len(all), "%s, FailedStackInstancesCount %d", op.Status, count)
	return nil
}

func tryStop(ctx context.Context, t *trial) error {
	s, _, err := t.newSet(ctx, nil)
	if err != nil {
		return fmt.Errorf("create StackSet %s: %w", s.name, err)
	}
	all := t.accountIDs()
	out, err := s.api.CreateStackInstances(ctx, s.createInput(all...)) // one account at a time
	if err != nil {
		return fmt.Errorf("create stack instances: %w", err)
	}
	if _, err := s.api.StopStackSetOperation(ctx, &cloudformation.StopStackSetOperationInput{StackSetName: aws.String(s.name), OperationId: out.OperationId, CallAs: t.CallAs}); err != nil {
		return fmt.Errorf("stop operation %s: %w", aws.ToString(out.OperationId), err)
	}
	op, err := s.wait(ctx, out.OperationId)
	if err != nil {
		return err
	}
	if op.Status == types.StackSetOperationStatusSucceeded && t.fast(op) {
		why := "the operation had ended before it was stopped"
		t.skip("stop-status", "%s", why)
		t.skip("stop-reason", "%s", why)
		t.skip("stop-instance", "%s", why)
		return nil
	}
	t.holds("stop-status", op.Status == types.StackSetOperationStatusStopped, "%s %s", op.Status, aws.ToString(op.StatusReason))
	rows, err := s.results(ctx, out.OperationId, len(all))
	if err != nil {
		return err
	}
	cancelled := rowsOf(rows, types.StackSetOperationResultStatusCancelled)
	if len(cancelled) == 0 {
		t.skip("stop-reason", "no row is CANCELLED: %s", rowWords(rows))
		t.skip("stop-instance", "no row is CANCELLED")
		return nil
	}
	reason := aws.ToString(cancelled[0].StatusReason)
	t.holds("stop-reason", reads(strings.ToLower(reason), "user", "initiated"), "%s %q", cancelled[0].Status, reason)
	word, err := s.detail(ctx, aws.ToString(cancelled[0].Account))
	if err != nil {
		return err
	}
	t.holds("stop-instance", word == "OUTDATED/CANCELLED", "%s", word)
	return nil
}

// fast says whether an operation may have ended before the call that followed it:
// a simulation's can.
func (t *trial) fast(op *types.StackSetOperation) bool {
	return t.Quick && aws.ToTime(op.EndTimestamp).After(aws.ToTime(op.CreationTimestamp))
}

func tryQueue(ctx context.Context, t *trial) error {
	s, _, err := t.newSet(ctx, func(in *cloudformation.CreateStackSetInput) {
		in.ManagedExecution = &types.ManagedExecution{Active: aws.Bool(true)}
	})
	if err != nil {
		return fmt.Errorf("create StackSet %s: %w", s.name, err)
	}
	all := t.accountIDs()
	one, err := s.api.CreateStackInstances(ctx, s.createInput(all...))
	if err != nil {
		return fmt.Errorf("create stack instances: %w", err)
	}
	two, refused := s.api.CreateStackInstances(ctx, s.createInput(all...))
	off := s.updateInput("two")
	off.ManagedExecution = &types.ManagedExecution{Active: aws.Bool(false)}
	_, setting := s.api.UpdateStackSet(ctx, off)
	first, err := s.wait(ctx, one.OperationId)
	if err != nil {
		return err
	}
	if refused != nil {
		t.refuted("queue-second", refused)
		t.skip("queue-setting", "no operation waited")
		return nil
	}
	second, err := s.wait(ctx, two.OperationId)
	if err != nil {
		return err
	}
	ok := !aws.ToTime(second.EndTimestamp).Before(aws.ToTime(first.EndTimestamp))
	t.holds("queue-second", ok && second.Status == types.StackSetOperationStatusSucceeded, "the first ended %s, the second %s, %s", stamp(first.EndTimestamp), stamp(second.EndTimestamp), second.Status)
	if setting == nil && t.fast(first) {
		t.skip("queue-setting", "both operations may have ended before it was tried")
	} else {
		t.refused("queue-setting", setting, 400, "InvalidOperationException")
	}
	return nil
}

// refuted is the verdict on a call that should have been taken.
func (t *trial) refuted(name string, err error) {
	if unanswered(err) {
		t.fail(name, answer(err))
		return
	}
	t.add(name, Refuted, answer(err).String(), t.rec.of(err))
}

// mostExcluded is how many accounts may be named to leave them all out.
const mostExcluded = 100

func tryNobody(ctx context.Context, t *trial) error {
	s, _, err := t.newSet(ctx, nil)
	if err != nil {
		return fmt.Errorf("create StackSet %s: %w", s.name, err)
	}
	everybody := append(t.accountIDs(), ids(t.Others)...)
	if len(everybody) > mostExcluded {
		t.skip("nobody-succeeds", "the OU has more than %d accounts to leave out", mostExcluded)
	} else {
		in := s.createInput(everybody...)
		in.DeploymentTargets.AccountFilterType = types.AccountFilterTypeDifference
		op, rows, err := s.create(ctx, in)
		if err != nil {
			return err
		}
		if op == nil {
			t.holds("nobody-succeeds", false, "%s", rows)
		} else {
			t.holds("nobody-succeeds", op.Status == types.StackSetOperationStatusSucceeded && rows == "no rows", "%s, %s", op.Status, rows)
		}
	}
	i := slices.IndexFunc(t.Others, func(a Account) bool { return a.State == "SUSPENDED" })
	if i < 0 {
		t.skip("nobody-suspended", "no account of the OU is suspended")
		return nil
	}
	op, rows, err := s.create(ctx, s.createInput(t.Others[i].ID))
	if err != nil {
		return err
	}
	if op == nil {
		t.holds("nobody-suspended", false, "%s", rows)
		return nil
	}
	word, err := s.detail(ctx, t.Others[i].ID)
	if err != nil {
		return err
	}
	t.holds("nobody-suspended", op.Status == types.StackSetOperationStatusSucceeded && rows == `CANCELLED "ACCOUNT_SUSPENDED"` && strings.HasSuffix(word, "/SKIPPED_SUSPENDED_ACCOUNT"), "%s, %s, instance %s", op.Status, rows, word)
	return nil
}

// create makes instances and waits; without an operation, the words are the refusal.
func (s *set) create(ctx context.Context, in *cloudformation.CreateStackInstancesInput) (*types.StackSetOperation, string, error) {
	out, err := s.api.CreateStackInstances(ctx, in)
	if err != nil {
		if unanswered(err) || ctx.Err() != nil {
			return nil, "", err
		}
		return nil, answer(err).String(), nil
	}
	op, err := s.wait(ctx, out.OperationId)
	if err != nil {
		return nil, "", err
	}
	rows, err := s.results(ctx, out.OperationId, 1)
	if err != nil {
		return nil, "", err
	}
	return op, rowWords(rows), nil
}
