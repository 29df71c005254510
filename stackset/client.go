package stackset

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"rollout/internal/awsapi"
)

// newPace holds StackSets calls to five a second for each API. AWS publishes no
// rates for them; throttled runs of other tools say that reads want to be few.
func newPace() awsapi.Pace {
	pace := awsapi.Pace{}
	for _, api := range []string{
		"ListStackSets", "DescribeStackSet", "ListStackInstances", "DescribeStackSetOperation", "ListStackSetOperations",
		"ListStackSetOperationResults", "CreateStackSet", "UpdateStackSet", "DeleteStackSet", "CreateStackInstances",
		"UpdateStackInstances", "DeleteStackInstances", "StopStackSetOperation", "DescribeOrganizationsAccess",
		"DescribeStackInstance", "ListStackSetAutoDeploymentTargets",
	} {
		pace[api] = awsapi.Limit(6, 10)
	}
	// A set of 100,000 instances takes 1,000 pages; where they come too fast, the SDK's
	// adaptive retryer slows down by itself.
	pace["ListStackInstances"] = awsapi.Limit(12, 20)
	return pace
}

// newClient is a CloudFormation client with the caller's own credentials in a
// Region, "" for the home Region. pace is shared by the clients of one Region.
func newClient(s *awsapi.Session, region string, pace awsapi.Pace) *cloudformation.Client {
	return cloudformation.NewFromConfig(s.Own(region), func(o *cloudformation.Options) {
		o.APIOptions = append(o.APIOptions, pace.Apply)
	})
}
