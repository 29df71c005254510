package prove

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

func instanceScenarios() []Scenario {
	return []Scenario{{
		Name: "life", Title: "a StackSet's life in the accounts chosen",
		Makes: []string{"a StackSet, and in each account chosen a stack with one WaitConditionHandle (it does nothing)"},
		Calls: []string{"cloudformation:CreateStackInstances", "cloudformation:UpdateStackSet", "cloudformation:UpdateStackInstances", "cloudformation:StopStackSetOperation",
			"cloudformation:DeleteStackInstances", "cloudformation:DeleteStackSet"},
		Claims: []Claim{
			{Name: "set-union-create", Documented: true, Text: "AccountFilterType UNION is refused by CreateStackInstances"},
			{Name: "set-accounts-target", Lines: []string{"PRV-11"},
				Text: "accounts in place of OUs are refused: \"… can only have OrganizationalUnit as target\""},
			{Name: "set-operation-runs", Documented: true, Text: "an operation takes its time: it ends after it was created, and not before its own EndTimestamp"},
			{Name: "set-second-operation", Documented: true, Text: "a second operation meanwhile is OperationInProgressException, HTTP 409"},
			{Name: "set-second-operation-text", Lines: []string{"PRV-12"}, Text: "it reads \"Another Operation on StackSet arn:… is in progress\""},
			{Name: "set-account-gate", Lines: []string{"PRV-13"},
				Text: "without a gate function each result row has AccountGateResult SKIPPED, \"Function not found: arn:…:AWSCloudFormationStackSetAccountGate\""},
			{Name: "set-stack-name", Documented: true, Text: "an instance's stack is StackSet-<name>-<uuid>"},
			{Name: "set-refused-id", Lines: []string{"PRV-14"}, Text: "the OperationId of a call refused as in progress is not used up: it is taken later"},
			{Name: "set-used-id", Documented: true, Text: "an OperationId that was used is OperationIdAlreadyExistsException, HTTP 409"},
			{Name: "set-no-update", Lines: []string{"PRV-15"}, Text: "an update that changes nothing succeeds, each row with \"No updates are to be performed.\""},
			{Name: "set-stop-ended", Lines: []string{"PRV-16"}, Text: "stopping an operation that has ended is InvalidOperationException, HTTP 400"},
			{Name: "set-not-empty", Documented: true, Text: "deleting a StackSet with instances is StackSetNotEmptyException, HTTP 409"},
			{Name: "set-not-empty-text", Lines: []string{"PRV-17"}, Text: "it reads \"StackSet is not empty\""},
			{Name: "set-unknown-ou", Lines: []string{"PRV-18"}, Text: "updating under an OU that the StackSet was never deployed to: \"Organizational unit … not found in StackSet\""},
			{Name: "set-delete-by-account", Lines: []string{"PRV-11"},
				Text: "deleting by accounts alone is refused: \"… can only have OrganizationalUnit as target\""},
			{Name: "set-delete-missing", Lines: []string{"PRV-27"}, Text: "deleting an instance that is not there succeeds, without a result row"},
			{Name: "set-missing-instance", Documented: true, Text: "updating an instance that is not there is StackInstanceNotFoundException, HTTP 404"},
		},
		try: tryLife,
	}}
}

const onlyOUs = "can only have OrganizationalUnit as target"

func tryLife(ctx context.Context, t *trial) error {
	s, _, err := t.newSet(ctx, nil)
	if err != nil {
		return fmt.Errorf("create StackSet %s: %w", s.name, err)
	}
	all := t.accountIDs()
	if err := t.tryTargets(ctx, s); err != nil {
		return err
	}
	in := s.createInput(all...)
	in.OperationPreferences = &types.StackSetOperationPreferences{MaxConcurrentCount: aws.Int32(1)}
	created, err := s.api.CreateStackInstances(ctx, in)
	if err != nil {
		return fmt.Errorf("create stack instances: %w", err)
	}
	spare := t.Run + "-spare"
	second := s.createInput(all...)
	second.OperationId = aws.String(spare)
	taken, busy := s.api.CreateStackInstances(ctx, second)
	op, err := s.wait(ctx, created.OperationId)
	if err != nil {
		return err
	}
	// It has ended, so an end that is still to come is made up.
	took, early := aws.ToTime(op.EndTimestamp).Sub(aws.ToTime(op.CreationTimestamp)), time.Until(aws.ToTime(op.EndTimestamp))
	t.holds("set-operation-runs", took > 0 && early < time.Minute, "%s, created %s, ended %s, seen at %s", op.Status, stamp(op.CreationTimestamp), stamp(op.EndTimestamp), stamp(aws.Time(time.Now())))
	if err := t.trySecond(ctx, s, op, taken, busy); err != nil {
		return err
	}
	if op.Status != types.StackSetOperationStatusSucceeded {
		return fmt.Errorf("the operation that creates the stacks ended %s: %s", op.Status, aws.ToString(op.StatusReason))
	}
	rows, err := s.results(ctx, created.OperationId, len(all))
	if err != nil {
		return err
	}
	t.gates(rows)
	if err := t.tryStackName(ctx, s); err != nil {
		return err
	}
	if busy == nil {
		t.skip("set-refused-id", "no operation was refused as in progress")
	} else if again, err := s.api.CreateStackInstances(ctx, second); err != nil {
		t.holds("set-refused-id", false, "%s", answer(err))
	} else {
		t.holds("set-refused-id", true, "taken")
		if _, err := s.wait(ctx, again.OperationId); err != nil {
			return err
		}
		_, err = s.api.CreateStackInstances(ctx, second)
		t.refused("set-used-id", err, 409, "OperationIdAlreadyExistsException")
	}
	if err := t.tryNoUpdate(ctx, s, all); err != nil {
		return err
	}
	return t.tryRemoval(ctx, s, all)
}

// trySecond judges a call made while another operation was under way; busy is how
// it was refused, taken its answer where it was not.
func (t *trial) trySecond(ctx context.Context, s *set, first *types.StackSetOperation, taken *cloudformation.CreateStackInstancesOutput, busy error) error {
	if busy != nil {
		if t.refused("set-second-operation", busy, 409, "OperationInProgressException") {
			t.says("set-second-operation-text", busy, "Another Operation on StackSet arn:", ":stackset/"+s.name+":", " is in progress")
		}
		return ctx.Err()
	}
	t.skip("set-second-operation-text", "no operation was refused as in progress")
	second, err := s.wait(ctx, taken.OperationId)
	if err != nil {
		return err
	}
	if aws.ToTime(second.CreationTimestamp).Before(aws.ToTime(first.EndTimestamp)) {
		t.holds("set-second-operation", false, "taken at %s, while another ran until %s", stamp(second.CreationTimestamp), stamp(first.EndTimestamp))
	} else {
		t.skip("set-second-operation", "the first operation had ended at %s, before the second began", stamp(first.EndTimestamp))
	}
	return nil
}

// tryTargets names targets that must be refused. UNION would be the whole OU if it
// were taken, so it is tried only where that is what was chosen.
func (t *trial) tryTargets(ctx context.Context, s *set) error {
	if len(t.Others) > 0 {
		t.skip("set-union-create", "the OU has %d more accounts, and if UNION were taken it would reach them", len(t.Others))
	} else {
		in := s.createInput(t.accountIDs()...)
		in.DeploymentTargets.AccountFilterType = types.AccountFilterTypeUnion
		out, err := s.api.CreateStackInstances(ctx, in)
		t.refused("set-union-create", err, 400, "ValidationError")
		if err == nil {
			if _, err := s.wait(ctx, out.OperationId); err != nil {
				return err
			}
		}
	}
	in := s.createInput()
	in.DeploymentTargets, in.Accounts = nil, t.accountIDs()
	out, err := s.api.CreateStackInstances(ctx, in)
	t.says("set-accounts-target", err, onlyOUs)
	if err == nil {
		if _, err := s.wait(ctx, out.OperationId); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (t *trial) gates(rows []types.StackSetOperationResultSummary) {
	if len(rows) == 0 {
		t.skip("set-account-gate", "the operation has no result rows")
		return
	}
	for _, r := range rows {
		g := r.AccountGateResult
		if g == nil {
			t.holds("set-account-gate", false, "no AccountGateResult in account %s", aws.ToString(r.Account))
			return
		}
		reason := aws.ToString(g.StatusReason)
		arn := fmt.Sprintf("arn:%s:lambda:%s:%s:function:AWSCloudFormationStackSetAccountGate", t.Session.Partition, aws.ToString(r.Region), aws.ToString(r.Account))
		if g.Status != types.AccountGateStatusSkipped || reason != "Function not found: "+arn {
			t.holds("set-account-gate", false, "%s: %s", g.Status, reason)
			return
		}
	}
	t.holds("set-account-gate", true, "%s: %s", rows[0].AccountGateResult.Status, aws.ToString(rows[0].AccountGateResult.StatusReason))
}

func (t *trial) tryStackName(ctx context.Context, s *set) error {
	list, err := s.instances(ctx)
	if err != nil {
		return fmt.Errorf("list the instances: %w", err)
	}
	if len(list) == 0 {
		t.holds("set-stack-name", false, "no instance is listed")
		return nil
	}
	id := aws.ToString(list[0].StackId)
	t.holds("set-stack-name", strings.Contains(id, ":"+t.region()+":"+aws.ToString(list[0].Account)+":stack/StackSet-"+s.name+"-"), "%s", id)
	return nil
}

// tryNoUpdate repeats an update, and stops it when it has ended.
func (t *trial) tryNoUpdate(ctx context.Context, s *set, all []string) error {
	out, err := s.api.UpdateStackSet(ctx, s.updateInput("two", all...))
	if err != nil {
		return fmt.Errorf("update StackSet %s: %w", s.name, err)
	}
	if _, err := s.wait(ctx, out.OperationId); err != nil {
		return err
	}
	// The first of two equal updates may have changed something: ask again.
	out, err = s.api.UpdateStackSet(ctx, s.updateInput("two", all...))
	if err != nil {
		return fmt.Errorf("update StackSet %s: %w", s.name, err)
	}
	op, err := s.wait(ctx, out.OperationId)
	if err != nil {
		return err
	}
	rows, err := s.results(ctx, out.OperationId, len(all))
	if err != nil {
		return err
	}
	var seen []string
	for _, r := range rows {
		seen = addOnce(seen, fmt.Sprintf("%s %q", r.Status, aws.ToString(r.StatusReason)))
	}
	if len(seen) == 0 {
		seen = []string{"none"}
	}
	t.holds("set-no-update", op.Status == types.StackSetOperationStatusSucceeded && len(seen) == 1 && seen[0] == `SUCCEEDED "No updates are to be performed."`,
		"operation %s; rows: %s", op.Status, strings.Join(seen, ", "))
	_, err = s.api.StopStackSetOperation(ctx, &cloudformation.StopStackSetOperationInput{StackSetName: aws.String(s.name), OperationId: out.OperationId, CallAs: t.CallAs})
	t.refused("set-stop-ended", err, 400, "InvalidOperationException")
	return ctx.Err()
}

func (t *trial) tryRemoval(ctx context.Context, s *set, all []string) error {
	_, err := s.api.DeleteStackSet(ctx, &cloudformation.DeleteStackSetInput{StackSetName: aws.String(s.name), CallAs: t.CallAs})
	if t.refused("set-not-empty", err, 409, "StackSetNotEmptyException") {
		t.says("set-not-empty-text", err, "StackSet is not empty")
	} else {
		t.skip("set-not-empty-text", "the StackSet was not refused as not empty")
	}
	if err := t.tryElsewhere(ctx, s, all[0]); err != nil {
		return err
	}
	last := all[len(all)-1]
	by := s.deleteInput(last)
	by.DeploymentTargets = &types.DeploymentTargets{Accounts: []string{last}}
	deleted, err := s.api.DeleteStackInstances(ctx, by)
	t.says("set-delete-by-account", err, onlyOUs)
	if err != nil {
		if deleted, err = s.api.DeleteStackInstances(ctx, s.deleteInput(last)); err != nil {
			return fmt.Errorf("delete the stack instance of %s: %w", last, err)
		}
	}
	if _, err := s.wait(ctx, deleted.OperationId); err != nil {
		return err
	}
	list, err := s.instances(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(i types.StackInstanceSummary) bool { return aws.ToString(i.Account) == last }) {
		for _, claim := range []string{"set-missing-instance", "set-delete-missing"} {
			t.skip(claim, "the instance of account %s is still there after its deletion", last)
		}
		return nil
	}
	if err := t.tryDeleteMissing(ctx, s, last); err != nil {
		return err
	}
	out, err := s.api.UpdateStackInstances(ctx, s.updateInstances(last))
	t.refused("set-missing-instance", err, 404, "StackInstanceNotFoundException")
	if err == nil {
		_, err = s.wait(ctx, out.OperationId)
		return err
	}
	return ctx.Err()
}

// tryDeleteMissing deletes what is gone.
func (t *trial) tryDeleteMissing(ctx context.Context, s *set, account string) error {
	out, err := s.api.DeleteStackInstances(ctx, s.deleteInput(account))
	if err != nil {
		t.holds("set-delete-missing", false, "%s", answer(err))
		return ctx.Err()
	}
	op, err := s.wait(ctx, out.OperationId)
	if err != nil {
		return err
	}
	rows, err := s.results(ctx, out.OperationId, 1)
	if err != nil {
		return err
	}
	t.holds("set-delete-missing", op.Status == types.StackSetOperationStatusSucceeded && len(rows) == 0, "operation %s, %d result rows", op.Status, len(rows))
	return nil
}

// tryElsewhere updates under an OU that does not hold the account: were it taken,
// it would mean no account at all.
func (t *trial) tryElsewhere(ctx context.Context, s *set, account string) error {
	if t.Elsewhere == "" {
		t.skip("set-unknown-ou", "the organization has no OU beside the sandbox")
		return nil
	}
	in := s.updateInstances(account)
	in.DeploymentTargets.OrganizationalUnitIds = []string{t.Elsewhere}
	out, err := s.api.UpdateStackInstances(ctx, in)
	t.says("set-unknown-ou", err, "Organizational unit "+t.Elsewhere+" not found in StackSet")
	if err == nil {
		_, err = s.wait(ctx, out.OperationId)
		return err
	}
	return ctx.Err()
}

func stamp(t *time.Time) string { return aws.ToTime(t).UTC().Format("15:04:05.000") }

func (s *set) updateInstances(accounts ...string) *cloudformation.UpdateStackInstancesInput {
	return &cloudformation.UpdateStackInstancesInput{
		StackSetName: aws.String(s.name), CallAs: s.t.CallAs, DeploymentTargets: s.t.only(accounts...), Regions: []string{s.t.region()},
	}
}
