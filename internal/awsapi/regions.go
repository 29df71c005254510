package awsapi

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"
)

// Region is an AWS Region as one account sees it.
type Region struct {
	Name string
	// OptIn is true for a Region that an account has to switch on.
	OptIn bool
	// On says whether it is on in that account (or being switched off).
	On bool
}

// ListRegions asks Account Management for the Regions of an account, sorted by
// name. accountID is "" for the account of cfg itself; another account's can be
// asked for by the management account with trusted access for Account Management.
func ListRegions(ctx context.Context, cfg aws.Config, accountID string) ([]Region, error) {
	// 5 requests a second and account (Account Management quotas).
	client := account.NewFromConfig(cfg)
	in := &account.ListRegionsInput{MaxResults: aws.Int32(50)}
	if accountID != "" {
		in.AccountId = aws.String(accountID)
	}
	var out []Region
	for pages := account.NewListRegionsPaginator(client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the Regions of %s: %w", accountOrOwn(accountID), err)
		}
		for _, r := range page.Regions {
			out = append(out, Region{
				Name:  aws.ToString(r.RegionName),
				OptIn: r.RegionOptStatus != types.RegionOptStatusEnabledByDefault,
				On:    r.RegionOptStatus == types.RegionOptStatusEnabled || r.RegionOptStatus == types.RegionOptStatusEnabledByDefault || r.RegionOptStatus == types.RegionOptStatusDisabling,
			})
		}
	}
	slices.SortFunc(out, func(a, b Region) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

func accountOrOwn(id string) string {
	if id == "" {
		return "the caller's own account"
	}
	return "account " + id
}

// KnownRegions are the Regions of a partition that this version knows, for an
// identity that may not ask Account Management. Whether an opt-in Region is on
// is not known then: On is true for the others only.
func KnownRegions(partition string) []Region {
	var out []Region
	for _, r := range knownRegions[partition] {
		name, optIn := strings.CutSuffix(r, "*")
		out = append(out, Region{Name: name, OptIn: optIn, On: !optIn})
	}
	return out
}

// PartitionOf is the partition of a Region that this version knows, "" for another.
func PartitionOf(region string) string {
	for partition := range knownRegions {
		if slices.ContainsFunc(KnownRegions(partition), func(r Region) bool { return r.Name == region }) {
			return partition
		}
	}
	return ""
}

// knownRegions by partition, a star for those that are off until switched on:
// every Region launched after 2019-03-20 (Account Management user guide, "Specify
// which AWS Regions your account can use"). Names from botocore's endpoints.json.
var knownRegions = map[string][]string{
	"aws": {
		"af-south-1*", "ap-east-1*", "ap-east-2*", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2*",
		"ap-southeast-1", "ap-southeast-2", "ap-southeast-3*", "ap-southeast-4*", "ap-southeast-5*", "ap-southeast-6*", "ap-southeast-7*",
		"ca-central-1", "ca-west-1*", "eu-central-1", "eu-central-2*", "eu-north-1", "eu-south-1*", "eu-south-2*", "eu-west-1", "eu-west-2", "eu-west-3",
		"il-central-1*", "me-central-1*", "me-south-1*", "mx-central-1*", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
	},
	"aws-cn":     {"cn-north-1", "cn-northwest-1"},
	"aws-us-gov": {"us-gov-east-1", "us-gov-west-1"},
	"aws-eusc":   {"eusc-de-east-1"},
}
