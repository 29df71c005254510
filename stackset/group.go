package stackset

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// ouLimit is the number of OUs that one call takes (CloudFormation API reference).
const ouLimit = 50

// batch is one operation: accounts that have the same Regions, overrides and
// action, so that accounts × Regions is exactly what was planned.
type batch struct {
	action    Action
	regions   []string
	accounts  []string
	ous       []string
	overrides map[string]string
	changes   []Change
	retain    bool // of a delete: leave the stacks behind
	whole     int  // instances of an operation without targets, which goes through them all
}

func (b batch) deploymentTargets() *types.DeploymentTargets {
	if len(b.accounts) == 0 { // all that the OUs have
		return &types.DeploymentTargets{OrganizationalUnitIds: b.ous}
	}
	return &types.DeploymentTargets{OrganizationalUnitIds: b.ous, Accounts: b.accounts, AccountFilterType: types.AccountFilterTypeIntersection}
}

// group puts changes into as few operations as reach nothing else: never the
// product of all accounts and all Regions.
func group(changes []Change, d Desired, s *Set) []batch {
	type account struct {
		id      string
		ou      string
		changes []Change
	}
	// Different overrides or actions of one account are different operations.
	type apart struct {
		id, ou, overrides string
		action            Action
	}
	byAccount := map[apart]*account{}
	var order []*account
	for _, c := range changes {
		k := apart{c.AccountID, ouFor(c, d, s), overridesKey(c.Overrides), c.Action}
		acc := byAccount[k]
		if acc == nil {
			acc = &account{id: c.AccountID, ou: k.ou}
			byAccount[k] = acc
			order = append(order, acc)
		}
		acc.changes = append(acc.changes, c)
	}
	byShape := map[string]*batch{}
	var shapes []string
	for _, acc := range order {
		var regions []string
		for _, c := range acc.changes {
			regions = append(regions, c.Region)
		}
		slices.Sort(regions)
		first := acc.changes[0]
		shape := fmt.Sprint(first.Action, " ", strings.Join(regions, ","), " ", overridesKey(first.Overrides))
		b := byShape[shape]
		for n := 0; b != nil && len(b.ous) == ouLimit && !slices.Contains(b.ous, acc.ou); n++ {
			shape = fmt.Sprint(shape, " +", n)
			b = byShape[shape]
		}
		if b == nil {
			b = &batch{action: first.Action, regions: regions, overrides: first.Overrides}
			byShape[shape] = b
			shapes = append(shapes, shape)
		}
		b.accounts = append(b.accounts, acc.id)
		if !slices.Contains(b.ous, acc.ou) {
			b.ous = append(b.ous, acc.ou)
		}
		b.changes = append(b.changes, acc.changes...)
	}
	out := make([]batch, 0, len(shapes))
	for _, shape := range shapes {
		b := byShape[shape]
		slices.Sort(b.accounts)
		slices.Sort(b.ous)
		out = append(out, *b)
	}
	return out
}

func overridesKey(o map[string]string) string {
	if len(o) == 0 {
		return ""
	}
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(o)) {
		b.WriteString(k + "=" + strconv.Quote(o[k]) + ";")
	}
	return b.String()
}

// ouFor is the deployment target that holds an account: for an instance that is
// there the one that it was deployed by, since StackSets knows it under no other
// (hashicorp/terraform-provider-aws#27877), unless the account has left it; else
// the chosen OU above the account, or the root. StackSets watches an OU that a set was
// deployed by: where accounts are chosen one by one that is no more than their own.
func ouFor(c Change, d Desired, s *Set) string {
	by := ""
	if i, ok := s.Instances[c.Target]; ok && c.Action != Create {
		by = i.OU
	}
	if c.Account == nil || c.Account.OU == nil {
		return by
	}
	chosen, root := "", ""
	for ou := c.Account.OU; ou != nil; ou = ou.Parent {
		if ou.ID == by {
			return by
		}
		if chosen == "" && slices.Contains(d.OUs, ou.ID) {
			chosen = ou.ID
		}
		root = ou.ID
	}
	if by != "" {
		return root // the account was moved away from under by
	}
	if d.NotJoining != "" && s.AutoWant.Enabled {
		return c.Account.OU.ID
	}
	return cmp.Or(chosen, root)
}

// preferences are the operation preferences of a run. Regions run in parallel;
// soft mode keeps the concurrency when accounts fail.
func preferences(p Preferences) *types.StackSetOperationPreferences {
	out := &types.StackSetOperationPreferences{RegionConcurrencyType: types.RegionConcurrencyTypeParallel, ConcurrencyMode: types.ConcurrencyModeSoftFailureTolerance}
	if p.Mode == "strict" {
		out.ConcurrencyMode = types.ConcurrencyModeStrictFailureTolerance
	}
	out.MaxConcurrentCount, out.MaxConcurrentPercentage = share(p.MaxConcurrent, 100)
	out.FailureToleranceCount, out.FailureTolerancePercentage = share(p.FailureTolerance, 10)
	return out
}

// share reads "N" or "P%".
func share(text string, percent int32) (count, percentage *int32) {
	number, isPercent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseInt(number, 10, 32)
	switch {
	case text == "" || err != nil:
		return nil, aws.Int32(percent)
	case isPercent:
		return nil, aws.Int32(int32(n))
	}
	return aws.Int32(int32(n)), nil
}
