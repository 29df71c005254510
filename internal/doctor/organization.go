package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
	"rollout/orgs"
	"rollout/stackset"
)

// mostAdministrators is how many delegated administrators StackSets can have
// (CloudFormation user guide, "Register a delegated administrator").
const mostAdministrators = 5

// organization finds out which organization this is and as whom StackSets is called.
func (e *examiner) organization(ctx context.Context) []Finding {
	o, err := orgs.Describe(ctx, e.api)
	var none *orgs.ErrNotInOrganization
	switch {
	case errors.As(err, &none):
		said := ""
		if none.Err != nil {
			said = awsapi.Text(none.Err)
		}
		return one("organization", Error, "account "+e.s.Account+" belongs to no organization", said, none.Remedy())
	case err != nil:
		f := unread("organization", "the organization", "organizations:DescribeOrganization", err)
		f[0].Status = Error
		return f
	}
	if e.o.Expect != "" && o.ID != e.o.Expect {
		return one("organization", Error, fmt.Sprintf("the credentials belong to organization %s, and --expect-organization says %s; nothing else was read", o.ID, e.o.Expect), "", "use credentials of that organization")
	}
	e.report.Organization = o
	if e.report.CallAs == "" {
		e.report.CallAs = types.CallAsSelf
		if e.s.Account != o.ManagementAccount {
			e.report.CallAs = types.CallAsDelegatedAdmin
		}
	}
	out := one("organization", OK, fmt.Sprintf("organization %s, managed by account %s", o.ID, o.ManagementAccount), "", "")
	if o.FeatureSet != "" && o.FeatureSet != "ALL" {
		return append(out, Finding{"features", Error, "the organization has consolidated billing only, and service-managed StackSets need all features", "FeatureSet " + o.FeatureSet,
			"in the management account: aws organizations enable-all-features; every invited account has to agree"})
	}
	return append(out, Finding{"features", OK, "the organization has all features", "FeatureSet " + o.FeatureSet, ""})
}

// management says whether the identity belongs to the management account.
func (e *examiner) management() bool { return e.s.Account == e.report.Organization.ManagementAccount }

// administrators looks whether the identity's account may work on StackSets.
func (e *examiner) administrators(ctx context.Context) []Finding {
	const check = "call-as"
	if e.report.CallAs == types.CallAsSelf && !e.management() {
		return one(check, Error, fmt.Sprintf("--call-as self, but account %s is not the management account %s", e.s.Account, e.report.Organization.ManagementAccount), "", "leave --call-as out, or use the management account")
	}
	if e.report.CallAs == types.CallAsDelegatedAdmin && e.management() {
		return one(check, Error, "--call-as delegated-admin, but these are credentials of the management account, which calls as itself", "", "leave --call-as out")
	}
	var ids []string
	pages := organizations.NewListDelegatedAdministratorsPaginator(e.api, &organizations.ListDelegatedAdministratorsInput{ServicePrincipal: aws.String(stackset.StackSetsMember)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil && e.management() {
			return unread(check, "which accounts administer StackSets", "organizations:ListDelegatedAdministrators", err)
		}
		if err != nil {
			return one(check, Error, "account "+e.s.Account+" may not ask who administers StackSets: it administers nothing in this organization, or this identity lacks organizations:ListDelegatedAdministrators", awsapi.Text(err), e.register())
		}
		for _, a := range page.DelegatedAdministrators {
			ids = append(ids, aws.ToString(a.Id))
		}
	}
	slices.Sort(ids)
	said := fmt.Sprintf("%d of %d delegated administrators of StackSets: %s", len(ids), mostAdministrators, strings.Join(ids, ", "))
	if len(ids) == 0 {
		said = "no delegated administrator of StackSets"
	}
	switch {
	case e.management():
		return one(check, OK, "the management account calls as itself (SELF)", said, "")
	case slices.Contains(ids, e.s.Account):
		return one(check, OK, "account "+e.s.Account+" is a delegated administrator of StackSets (DELEGATED_ADMIN)", said, "")
	}
	return one(check, Error, "account "+e.s.Account+" is neither the management account nor a delegated administrator of StackSets", said, e.register())
}

func (e *examiner) register() string {
	return (&stackset.NotDelegatedError{Account: e.s.Account, Management: e.report.Organization.ManagementAccount}).Register()
}

// otherServices looks at what Organizations says of trusted access.
func (e *examiner) otherServices(ctx context.Context) []Finding {
	const check = "services"
	on := map[string]bool{}
	pages := organizations.NewListAWSServiceAccessForOrganizationPaginator(e.api, &organizations.ListAWSServiceAccessForOrganizationInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return unread(check, "which services have trusted access", "organizations:ListAWSServiceAccessForOrganization", err)
		}
		for _, s := range page.EnabledServicePrincipals {
			on[aws.ToString(s.ServicePrincipal)] = true
		}
	}
	if !on["account.amazonaws.com"] {
		return one(check, Warning, "Account Management has no trusted access: which Regions are off in an account that cannot be entered will not be known", "account.amazonaws.com is not enabled",
			"optional, in the management account: aws organizations enable-aws-service-access --service-principal account.amazonaws.com")
	}
	return one(check, OK, "Account Management has trusted access: the Regions of every account can be asked for", "", "")
}
