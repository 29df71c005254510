package stackset

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"rollout/internal/awsapi"
	"rollout/orgs"
)

// StackSetsMember is the service principal that delegated administrators of StackSets are
// registered for (Organizations user guide, "CloudFormation StackSets").
const StackSetsMember = "member.org.stacksets.cloudformation.amazonaws.com"

// AccessDisabledError says that StackSets has no trusted access to the organization, so
// that no service-managed set can be made or worked on.
type AccessDisabledError struct {
	Status, Region string
	Caller         string
	Organization   orgs.Organization // zero where it is not known
}

func (e *AccessDisabledError) Error() string {
	return fmt.Sprintf("StackSets has no trusted access to the organization (%s says %s)%s", e.Region, e.Status, e.billing())
}

// billing says what else is missing in an organization without all features, which
// StackSets cannot be given access to.
func (e *AccessDisabledError) billing() string {
	if f := e.Organization.FeatureSet; f != "" && f != "ALL" {
		return fmt.Sprintf(", which has consolidated billing only (FeatureSet %s)", f)
	}
	return ""
}

// Remedy says what to do about it.
func (e *AccessDisabledError) Remedy() string {
	if e.Status == string(types.OrganizationStatusDisabledPermanently) {
		return "Ask AWS Support why it is off for good."
	}
	who := ""
	if m := e.Organization.ManagementAccount; m == "" {
		who = ", with credentials of the management account,"
	} else if m != e.Caller {
		who = ", with credentials of management account " + m + ","
	}
	do := fmt.Sprintf("rollout doctor --activate%s switches it on (aws cloudformation activate-organizations-access --region %s does, too).", who, e.Region)
	if e.billing() != "" {
		return "Service-managed stack sets need all features: aws organizations enable-all-features, in the management account; every invited account has to agree. Then " + do
	}
	return do
}

// NotDelegatedError says that the caller may not work on the organization's sets.
type NotDelegatedError struct {
	Account    string
	Management string // the management account's id, "" where it is not known
	Err        error  // what StackSets said
}

func (e *NotDelegatedError) Error() string {
	return fmt.Sprintf("account %s is neither the management account nor a delegated administrator of CloudFormation StackSets: %s", e.Account, sentence(awsapi.Text(e.Err)))
}

// Unwrap gives what AWS said.
func (e *NotDelegatedError) Unwrap() error { return e.Err }

// Register says how the account becomes one, in the middle of a sentence.
func (e *NotDelegatedError) Register() string {
	return fmt.Sprintf("use %s (without --call-as), or register this account there: aws organizations register-delegated-administrator --service-principal %s --account-id %s", strings.TrimSpace("the management account "+e.Management), StackSetsMember, e.Account)
}

// Remedy says what to do about it. StackSets asks Organizations as the caller, and one that
// may not ask is refused in the same words (hashicorp/terraform-provider-aws#37069).
func (e *NotDelegatedError) Remedy() string {
	register := e.Register()
	return strings.ToUpper(register[:1]) + register[1:] + ". Where it is registered already, allow this identity organizations:ListDelegatedAdministrators: without it StackSets says the same."
}

// refusalOf is an *AccessDisabledError or a *NotDelegatedError where StackSets refuses any
// work on service-managed sets, else nil.
func refusalOf(err error, s *awsapi.Session, o orgs.Organization) error {
	if err == nil {
		return nil
	}
	text := awsapi.Text(err)
	switch {
	case strings.Contains(text, "must enable organizations access"):
		return &AccessDisabledError{Status: "not enabled", Region: s.HomeRegion, Caller: s.Account, Organization: o}
	case strings.Contains(text, "not a delegated administrator"), strings.Contains(text, "management account or delegated admin"):
		return &NotDelegatedError{Account: s.Account, Management: o.ManagementAccount, Err: err}
	}
	return nil
}

// tried names what was tried, unless the refusal has a remedy of its own.
func tried(s *awsapi.Session, what, region string, err error) error {
	if refused := refusalOf(err, s, orgs.Organization{}); refused != nil {
		return refused
	}
	return fmt.Errorf("%s in %s: %w", what, region, err)
}

// access is what StackSets says of the organization and of the caller. The zero value is
// that all is well.
type access struct {
	off    *AccessDisabledError
	none   *NotDelegatedError
	unread string // that it could not be asked, and why
}

// checkAccess asks in the home Region whether StackSets has trusted access to the
// organization (DescribeOrganizationsAccess). The only errors are that of a cancelled
// context and that there are no credentials.
func checkAccess(ctx context.Context, s *awsapi.Session, in PrepareInput) (a access, err error) {
	client := newClient(s, "", newPace())
	// An answer that does not come at the third try is a warning, not worth ten.
	few := func(o *cloudformation.Options) { o.Retryer = retry.AddWithMaxAttempts(o.Retryer, 3) }
	out, err := client.DescribeOrganizationsAccess(ctx, &cloudformation.DescribeOrganizationsAccessInput{CallAs: in.CallAs}, few)
	if err != nil {
		switch refused := refusalOf(err, s, in.Organization).(type) {
		case *NotDelegatedError:
			a.none = refused
			return a, nil
		case *AccessDisabledError:
			a.off = refused
			return a, nil
		}
		switch awsapi.Classify(err) {
		case awsapi.ClassCancelled:
			return a, err
		case awsapi.ClassNoCredentials:
			return a, fmt.Errorf("ask %s whether StackSets has trusted access: %w", s.HomeRegion, err)
		}
		a.unread = fmt.Sprintf("Whether StackSets has trusted access to the organization could not be asked in %s: %s.", s.HomeRegion, sentence(awsapi.Text(err)))
		return a, nil
	}
	switch out.Status {
	case types.OrganizationStatusDisabled, types.OrganizationStatusDisabledPermanently:
		a.off = &AccessDisabledError{Status: string(out.Status), Region: s.HomeRegion, Caller: s.Account, Organization: in.Organization}
	}
	return a, nil
}

// tell puts into a plan what keeps it from being carried out.
func (a access) tell(p *Plan) {
	if a.off != nil {
		p.refused = a.off
		p.Find(Finding{Code: "trusted-access-off", Text: sentence(a.off.Error()) + refusedUntilThen, Remedy: a.off.Remedy()})
	}
	if a.unread != "" {
		p.Find(Finding{Code: "access-unread", Text: a.unread})
	}
}

const refusedUntilThen = ". A deploy is refused until that is mended."
