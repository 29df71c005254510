package blast

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const typeVPC = "AWS::EC2::VPC"

var flowLogReads = []string{"ec2:DescribeFlowLogs", "ec2:DescribeVpcs"}

// flowLogs lists the VPCs without a flow log of the traffic. Nothing leans on there being none.
func flowLogs(ctx context.Context, at *site, m remedy) ([]Resource, error) {
	r := m.rules[0]
	traffic := r.Values["TrafficType"]
	api := ec2.NewFromConfig(at.cfg)
	var vpcs []types.Vpc
	for pages := ec2.NewDescribeVpcsPaginator(api, &ec2.DescribeVpcsInput{MaxResults: aws.Int32(1000)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		vpcs = append(vpcs, page.Vpcs...)
	}
	logged := map[string]string{}
	for pages := ec2.NewDescribeFlowLogsPaginator(api, &ec2.DescribeFlowLogsInput{MaxResults: aws.Int32(1000)}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range page.FlowLogs {
			if aws.ToString(f.FlowLogStatus) != "ACTIVE" || !slices.Contains([]string{"ALL", traffic}, string(f.TrafficType)) {
				continue
			}
			text := aws.ToString(f.FlowLogId) + " has " + string(f.TrafficType)
			if aws.ToString(f.DeliverLogsStatus) == "FAILED" {
				text += ", but fails to deliver: " + aws.ToString(f.DeliverLogsErrorMessage)
			}
			logged[aws.ToString(f.ResourceId)] = text
		}
	}
	var out []Resource
	seen := map[string]bool{}
	for _, v := range vpcs {
		id := aws.ToString(v.VpcId)
		seen[id] = true
		one := at.resource(m, r, typeVPC, id, "Amazon EC2")
		one.Verdict = Safe
		why := at.exempt(tagsOf(v.Tags), aws.ToString(v.OwnerId), "VPC")
		switch {
		case logged[id] != "" && one.Evaluated.IsZero():
			continue
		case why != "":
			one.Reason = "left: " + why
		case logged[id] != "":
			one.Reason = "left: " + logged[id]
		default:
			one.WouldChange, one.Reason = true, "gets a flow log of its "+traffic+" traffic; nothing that runs is touched"
		}
		out = append(out, one)
	}
	for _, id := range sortedKeys(r.found) {
		if !seen[id] {
			one := at.resource(m, r, typeVPC, id, "")
			one.Verdict, one.Reason = Safe, "left: EC2 has no such VPC any more"
			out = append(out, one)
		}
	}
	return out, nil
}
