package orgs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"rollout/internal/awsapi"
)

// API is what of Organizations the walk calls; *organizations.Client satisfies it.
type API interface {
	organizations.ListRootsAPIClient
	organizations.ListAccountsAPIClient
	organizations.ListAccountsForParentAPIClient
	organizations.ListOrganizationalUnitsForParentAPIClient
	organizations.ListTagsForResourceAPIClient
	DescribeOrganization(context.Context, *organizations.DescribeOrganizationInput, ...func(*organizations.Options)) (*organizations.DescribeOrganizationOutput, error)
}

// NewClient gives an Organizations client that keeps to four fifths of the
// published request rates, one limiter a row of "Quotas for AWS Organizations"
// (throttling by account). AWS prints one figure for a row of several APIs and
// does not say whether they share it; here they do.
func NewClient(cfg aws.Config) *organizations.Client {
	forParent := awsapi.Limit(5, 8)
	pace := awsapi.Pace{
		"DescribeOrganization":             awsapi.Limit(1, 2),
		"ListRoots":                        awsapi.Limit(1, 2),
		"ListAccounts":                     awsapi.Limit(8, 12),
		"ListOrganizationalUnitsForParent": forParent,
		"ListAccountsForParent":            forParent,
		"ListParents":                      forParent,
		"ListTagsForResource":              awsapi.Limit(10, 15),
		"ListDelegatedAdministrators":      awsapi.Limit(5, 8),

		"DescribeAccount":                     awsapi.Limit(20, 30),
		"DescribeOrganizationalUnit":          awsapi.Limit(2, 2),
		"ListAWSServiceAccessForOrganization": awsapi.Limit(1, 3),

		// The page does not name these.
		"ListPolicies":          awsapi.Limit(4, 6),
		"ListTargetsForPolicy":  awsapi.Limit(4, 6),
		"ListPoliciesForTarget": awsapi.Limit(4, 6),
		"DescribePolicy":        awsapi.Limit(4, 6),
	}
	return organizations.NewFromConfig(cfg, func(o *organizations.Options) {
		o.APIOptions = append(o.APIOptions, pace.Apply)
	})
}

// Organization is what any of its accounts may know of an organization.
type Organization struct {
	ID                string // o-…
	ManagementAccount string // 12 digits
	FeatureSet        string // ALL or CONSOLIDATED_BILLING
}

// Describe asks which organization the caller belongs to. Every account of an
// organization may ask; one without an organization gets *ErrNotInOrganization.
func Describe(ctx context.Context, api API) (Organization, error) {
	out, err := api.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return Organization{}, explain(err, "describe the caller's organization", "", Organization{})
	}
	if out.Organization == nil {
		return Organization{}, &ErrNotInOrganization{}
	}
	return Organization{
		ID:                aws.ToString(out.Organization.Id),
		ManagementAccount: aws.ToString(out.Organization.MasterAccountId),
		FeatureSet:        string(out.Organization.FeatureSet),
	}, nil
}
