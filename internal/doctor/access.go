package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/stackset"
)

// trustedAccess asks StackSets itself: Organizations can list its principal while
// StackSets says DISABLED (pepperize/cdk-organizations#1718).
func (e *examiner) trustedAccess(ctx context.Context) []Finding {
	const check = "trusted-access"
	status, err := accessStatus(ctx, e.s, e.report.CallAs)
	if err != nil {
		return unread(check, "whether StackSets has trusted access", "cloudformation:DescribeOrganizationsAccess", err)
	}
	said := "DescribeOrganizationsAccess: " + string(status)
	if status == types.OrganizationStatusEnabled {
		return one(check, OK, "StackSets has trusted access to the organization", said, "")
	}
	off := &stackset.AccessDisabledError{Status: string(status), Region: e.s.HomeRegion, Caller: e.s.Account, Organization: e.report.Organization}
	return one(check, Error, "StackSets has no trusted access to the organization", said, strings.TrimSuffix(off.Remedy(), "."))
}

func accessStatus(ctx context.Context, s *awsapi.Session, callAs types.CallAs) (types.OrganizationStatus, error) {
	out, err := cloudformation.NewFromConfig(s.Own("")).DescribeOrganizationsAccess(ctx, &cloudformation.DescribeOrganizationsAccessInput{CallAs: callAs})
	if err != nil {
		return "", err
	}
	return out.Status, nil
}

// NotManagementError says that trusted access cannot be switched from this account.
type NotManagementError struct{ Account, Management string }

func (e *NotManagementError) Error() string {
	return fmt.Sprintf("account %s is not the management account %s, and trusted access is switched on from there alone; nothing was changed", e.Account, e.Management)
}

// Remedy says what to do about it.
func (e *NotManagementError) Remedy() string {
	return "Use credentials of account " + e.Management + "."
}

// Access says which organization this is and whether StackSets has trusted access, where
// the identity could switch it on.
func Access(ctx context.Context, s *awsapi.Session) (orgs.Organization, bool, error) {
	o, err := orgs.Describe(ctx, orgs.NewClient(s.Own("")))
	if err != nil {
		return o, false, err
	}
	if s.Account != o.ManagementAccount {
		return o, false, &NotManagementError{s.Account, o.ManagementAccount}
	}
	status, err := accessStatus(ctx, s, types.CallAsSelf)
	if err != nil {
		return o, false, fmt.Errorf("ask %s whether StackSets has trusted access: %w", s.HomeRegion, err)
	}
	return o, status == types.OrganizationStatusEnabled, nil
}

// Activate switches trusted access for StackSets on, by the management account, and
// waits until StackSets says so.
func Activate(ctx context.Context, s *awsapi.Session) error {
	if _, err := cloudformation.NewFromConfig(s.Own("")).ActivateOrganizationsAccess(ctx, &cloudformation.ActivateOrganizationsAccessInput{}); err != nil {
		return fmt.Errorf("switch on trusted access for StackSets in %s: %w", s.HomeRegion, err)
	}
	for _, wait := range []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		status, err := accessStatus(ctx, s, types.CallAsSelf)
		if err != nil {
			return fmt.Errorf("ask %s whether StackSets has trusted access now: %w", s.HomeRegion, err)
		}
		if status == types.OrganizationStatusEnabled {
			return nil
		}
	}
	return fmt.Errorf("trusted access for StackSets was asked for in %s, and StackSets does not say ENABLED yet: rollout doctor asks again", s.HomeRegion)
}
