package orgs

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
)

// API is what a walk calls. The SDK's client satisfies it.
type API interface {
	organizations.ListRootsAPIClient
	organizations.ListAccountsAPIClient
	organizations.ListOrganizationalUnitsForParentAPIClient
	organizations.ListAccountsForParentAPIClient
	organizations.ListTagsForResourceAPIClient
	DescribeOrganization(context.Context, *organizations.DescribeOrganizationInput, ...func(*organizations.Options)) (*organizations.DescribeOrganizationOutput, error)
}

// NewClient makes a client that stays inside the published rates ("Quotas for AWS
// Organizations", by account), with one limiter for each row of that table.
func NewClient(cfg aws.Config) *organizations.Client {
	forParent := awsapi.Limit(5, 8)
	pace := awsapi.Pace{
		"DescribeOrganization":             awsapi.Limit(1, 2),
		"ListRoots":                        awsapi.Limit(1, 2),
		"ListAccounts":                     awsapi.Limit(8, 12),
		"ListOrganizationalUnitsForParent": forParent,
		"ListAccountsForParent":            forParent,
		"ListTagsForResource":              awsapi.Limit(10, 15),
	}
	return organizations.NewFromConfig(cfg, func(o *organizations.Options) { o.APIOptions = append(o.APIOptions, pace.Apply) })
}

// Organization is what any of its accounts may know of an organization.
type Organization struct {
	ID                string // o-…
	ManagementAccount string // 12 digits
	FeatureSet        string // ALL or CONSOLIDATED_BILLING
}

// ErrNoOrganization means that the caller's account is in no organization.
var ErrNoOrganization = errors.New("the account is not a member of an organization")

// NotAdministratorError means that the caller's account may not read the
// organization: it is neither the management account nor a delegated administrator.
type NotAdministratorError struct {
	ManagementAccount string // "" when not even that could be read
	Err               error
}

func (e *NotAdministratorError) Error() string {
	text := "the account may not read the organization"
	if e.ManagementAccount != "" {
		text += ", which is managed by account " + e.ManagementAccount
	}
	return text + ": " + awsapi.Text(e.Err)
}

// Unwrap gives what AWS said.
func (e *NotAdministratorError) Unwrap() error { return e.Err }

// Describe says which organization the caller's account is in. Any member account
// may ask.
func Describe(ctx context.Context, api API) (Organization, error) {
	out, err := api.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		if awsapi.Code(err) == "AWSOrganizationsNotInUseException" {
			return Organization{}, fmt.Errorf("%w: %w", ErrNoOrganization, err)
		}
		if awsapi.Classify(err) == awsapi.ClassDenied {
			return Organization{}, &NotAdministratorError{Err: err}
		}
		return Organization{}, fmt.Errorf("describe the organization: %w", err)
	}
	if out.Organization == nil {
		return Organization{}, errors.New("describe the organization: the answer names none")
	}
	o := out.Organization
	return Organization{ID: aws.ToString(o.Id), ManagementAccount: aws.ToString(o.MasterAccountId), FeatureSet: string(o.FeatureSet)}, nil
}

// Event is something that a walk has found; events come from one goroutine at a time.
type Event interface{ orgsEvent() }

// Walked counts what a walk has seen so far.
type Walked struct{ Accounts, OUs int }

func (Walked) orgsEvent() {}
