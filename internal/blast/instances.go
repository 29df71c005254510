package blast

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

const typeInstance = "AWS::EC2::Instance"

var instanceReads = []string{"cloudwatch:GetMetricData", "ec2:DescribeInstances"}

// untokenedDays is how far the runbook looks back.
const untokenedDays = 14

// instances lists the instances that take metadata requests without a token, and whether
// something makes such requests.
func instances(ctx context.Context, at *site, m remedy) ([]Resource, error) {
	r := m.rules[0]
	in := &ec2.DescribeInstancesInput{MaxResults: aws.Int32(1000), Filters: []types.Filter{
		filter("metadata-options.http-tokens", "optional"), filter("instance-state-name", "pending", "running", "stopping", "stopped"),
	}}
	var out []Resource
	var open []*Resource
	seen := map[string]bool{}
	for pages := ec2.NewDescribeInstancesPaginator(ec2.NewFromConfig(at.cfg), in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, reservation := range page.Reservations {
			for _, i := range reservation.Instances {
				one := at.resource(m, r, typeInstance, aws.ToString(i.InstanceId), "Amazon EC2")
				seen[one.ID] = true
				if why := at.exempt(tagsOf(i.Tags), "", "instance"); why != "" {
					one.Verdict, one.Reason = Safe, "left: "+why
				}
				out = append(out, one)
			}
		}
	}
	for _, id := range sortedKeys(r.found) {
		if !seen[id] {
			out = append(out, asAsked(at.resource(m, r, typeInstance, id, ""), "it requires a token now, or is gone")...)
		}
	}
	for i := range out {
		if out[i].Reason == "" {
			open = append(open, &out[i])
		}
	}
	if len(open) == 0 {
		return out, nil
	}
	used, err := untokened(ctx, cloudwatch.NewFromConfig(at.cfg), open)
	for _, one := range open {
		n, known := used[one.ID]
		asked := fmt.Sprintf("version 1 was used %d times in the last %d days", n, untokenedDays)
		switch {
		case err != nil:
			one.Verdict, one.WouldChange, one.Reason = Unknown, true, "not known whether version 1 is used: "+said(err)
		case n > 0:
			one.Verdict, one.Leans, one.Reason = NotSafe, []string{asked}, "left: "+asked
			if r.Values["StillUsed"] == "Require" {
				one.WouldChange, one.Reason = true, "StillUsed=Require requires a token although "+asked
			}
		case !known:
			one.Verdict, one.Reason = Unknown, fmt.Sprintf("left: CloudWatch has no MetadataNoToken of the last %d days", untokenedDays)
			if r.Values["Unseen"] == "Require" {
				one.WouldChange, one.Reason = true, fmt.Sprintf("Unseen=Require requires a token although CloudWatch has no MetadataNoToken of the last %d days", untokenedDays)
			}
		default:
			one.Verdict, one.WouldChange, one.Reason = Safe, true, "requires a token; "+asked
		}
	}
	return out, nil
}

// untokened counts the requests without a token by instance; one of which CloudWatch has
// nothing is not in it. Up to 500 instances are asked for at once (API reference).
func untokened(ctx context.Context, api *cloudwatch.Client, list []*Resource) (map[string]int, error) {
	out := map[string]int{}
	now := time.Now()
	for part := range slices.Chunk(list, 500) {
		in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(now.Add(-untokenedDays * 24 * time.Hour)), EndTime: aws.Time(now)}
		for i, one := range part {
			in.MetricDataQueries = append(in.MetricDataQueries, cwtypes.MetricDataQuery{Id: aws.String(fmt.Sprintf("i%d", i)), MetricStat: &cwtypes.MetricStat{
				Metric: &cwtypes.Metric{
					Namespace: aws.String("AWS/EC2"), MetricName: aws.String("MetadataNoToken"),
					Dimensions: []cwtypes.Dimension{{Name: aws.String("InstanceId"), Value: aws.String(one.ID)}},
				},
				Period: aws.Int32(86400), Stat: aws.String("Sum"),
			}})
		}
		for pages := cloudwatch.NewGetMetricDataPaginator(api, in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, result := range page.MetricDataResults {
				var n int
				if _, err := fmt.Sscanf(aws.ToString(result.Id), "i%d", &n); err != nil || n >= len(part) {
					return nil, fmt.Errorf("cloudwatch:GetMetricData: an answer to %q, which was not asked", aws.ToString(result.Id))
				}
				for _, v := range result.Values {
					out[part[n].ID] += int(v)
				}
			}
		}
	}
	return out, nil
}
