package simaws

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// BenchmarkLargeStackSet deploys a set to 5,000 accounts in 20 Regions, the most
// that StackSets takes, and lists all of it.
func BenchmarkLargeStackSet(b *testing.B) {
	for b.Loop() {
		now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
		s := New(Options{Accounts: 5000, Empty: true, Now: func() time.Time { return now }})
		api := cloudformation.NewFromConfig(sdk(s, "us-east-1"))
		if _, err := api.CreateStackSet(b.Context(), &cloudformation.CreateStackSetInput{StackSetName: aws.String("s"), TemplateBody: aws.String(emptyTemplate), PermissionModel: "SERVICE_MANAGED", AutoDeployment: &types.AutoDeployment{Enabled: aws.Bool(false)}}); err != nil {
			b.Fatal(err)
		}
		regions := append([]string{"eu-south-1", "ap-east-1"}, defaultRegions...)
		out, err := api.CreateStackInstances(b.Context(), &cloudformation.CreateStackInstancesInput{StackSetName: aws.String("s"), Regions: regions, DeploymentTargets: &types.DeploymentTargets{OrganizationalUnitIds: []string{s.world.rootID}}, OperationPreferences: everywhere()})
		if err != nil {
			b.Fatal(err)
		}
		op := &cloudformation.DescribeStackSetOperationInput{StackSetName: aws.String("s"), OperationId: out.OperationId}
		for ended := false; !ended; {
			now = now.Add(10 * time.Second)
			d, err := api.DescribeStackSetOperation(b.Context(), op)
			if err != nil {
				b.Fatal(err)
			}
			ended = d.StackSetOperation.EndTimestamp != nil
		}
		n := 0
		for p := cloudformation.NewListStackInstancesPaginator(api, &cloudformation.ListStackInstancesInput{StackSetName: aws.String("s")}); p.HasMorePages(); {
			page, err := p.NextPage(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			n += len(page.Summaries)
		}
		if d, err := api.DescribeStackSetOperation(b.Context(), op); err != nil || d.StackSetOperation.EndTimestamp == nil || n < 90000 {
			b.Fatalf("%d instances, %+v, %v", n, d, err)
		}
	}
}
