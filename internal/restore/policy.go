package restore

import (
	"encoding/json"
	"slices"
)

// What a restore reads, and what it writes; openings are the writes that can open
// something to the public.
var (
	reads = []string{
		"cloudtrail:LookupEvents", "config:DescribeRemediationConfigurations", "config:GetResourceConfigHistory", "ec2:DescribeFlowLogs", "ec2:DescribeInstances",
		"ec2:DescribeSecurityGroups", "ec2:DescribeSnapshotAttribute", "ec2:DescribeSnapshots", "ec2:GetEbsEncryptionByDefault", "ec2:GetSnapshotBlockPublicAccessState",
		"iam:GetAccountPasswordPolicy", "iam:ListAccessKeys", "kms:Decrypt", "s3:GetBucketAcl", "s3:GetBucketPolicyStatus", "s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging",
		"s3:GetObject", "s3:ListBucket",
	}
	writes = []string{
		"ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateTags", "ec2:DeleteFlowLogs", "ec2:DisableEbsEncryptionByDefault",
		"ec2:EnableEbsEncryptionByDefault", "ec2:ModifyInstanceMetadataOptions", "iam:DeleteAccountPasswordPolicy", "iam:TagUser", "iam:UpdateAccessKey", "iam:UpdateAccountPasswordPolicy",
	}
	openings = []string{"ec2:ModifySnapshotAttribute", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging"}
)

// Policy is the session policy of a restore: its reads and its writes. Only a restore
// that was asked to open something to the public may do so.
func Policy(public bool) string {
	type statement struct {
		Sid, Effect, Resource string
		Action                []string
	}
	may := slices.Clone(writes)
	if public {
		may = append(may, openings...)
	}
	text, err := json.Marshal(struct {
		Version   string
		Statement []statement
	}{"2012-10-17", []statement{{"RolloutRestoreReads", "Allow", "*", reads}, {"RolloutRestoreWrites", "Allow", "*", may}}})
	if err != nil {
		panic(err) // texts only
	}
	return string(text)
}
