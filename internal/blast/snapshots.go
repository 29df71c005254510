package blast

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

const typeSnapshot = "AWS::EC2::Snapshot"

var snapshotReads = []string{"ec2:DescribeSnapshots"}

// snapshots lists the account's public snapshots. Config's finding is the account; who
// restores from a public snapshot AWS does not list.
func snapshots(ctx context.Context, at *site, m remedy) ([]Resource, error) {
	r := m.rules[0]
	account := at.setting(m, r, "Amazon EC2")
	var out []Resource
	in := &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}, RestorableByUserIds: []string{"all"}, MaxResults: aws.Int32(1000)}
	for pages := ec2.NewDescribeSnapshotsPaginator(ec2.NewFromConfig(at.cfg), in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range page.Snapshots {
			one := account
			one.Type, one.ID, one.Source = typeSnapshot, aws.ToString(s.SnapshotId), "Amazon EC2"
			if !one.Evaluated.IsZero() {
				one.Source += " (" + account.Source + ", finds the account)"
			}
			if why := at.exempt(tagsOf(s.Tags), "", "snapshot"); why != "" {
				one.Verdict, one.Reason = Safe, "left: "+why
			} else {
				one.Verdict, one.WouldChange = Unknown, true
				one.Reason = "everybody can restore it; AWS lists nobody who does, and CloudTrail's SharedSnapshotVolumeCreated only those who did"
			}
			out = append(out, one)
		}
	}
	if len(out) == 0 {
		return asAsked(account, "no snapshot is public any more"), nil
	}
	return out, nil
}
