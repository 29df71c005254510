package templates

import (
	"slices"
	"strings"
	"testing"
)

// What an update of a bucket or a role asks goes by the properties that change.
func TestUpdateActions(t *testing.T) {
	const bucket = "{Type: AWS::S3::Bucket, Properties: {BucketName: b, VersioningConfiguration: {Status: Enabled}, LifecycleConfiguration: {Rules: [{Id: x, Status: Enabled, ExpirationInDays: 9}]}}}"
	const role = "{Type: AWS::IAM::Role, Properties: {RoleName: r, Description: d, ManagedPolicyArns: [a, b], AssumeRolePolicyDocument: {Version: '2012-10-17'}}}"
	for name, c := range map[string]struct{ was, from, to, want string }{
		"nothing":                     {bucket, "", "", ""},
		"a bucket's lifecycle":        {bucket, "ExpirationInDays: 9", "ExpirationInDays: 8", "s3:PutLifecycleConfiguration"},
		"a bucket's versions":         {bucket, "Status: Enabled}, L", "Status: Suspended}, L", "s3:PutBucketVersioning"},
		"a bucket of another name":    {bucket, "BucketName: b", "BucketName: c", "s3:CreateBucket s3:PutBucketVersioning s3:PutLifecycleConfiguration"},
		"a role's description":        {role, "Description: d", "Description: e", "iam:UpdateRole"},
		"a role's trust":              {role, "2012-10-17", "2008-10-17", "iam:UpdateAssumeRolePolicy"},
		"one policy more":             {role, "[a, b]", "[a, b, c]", "iam:AttachRolePolicy"},
		"one policy less":             {role, "[a, b]", "[a]", ""},
		"a policy in another's stead": {role, "[a, b]", "[a, c]", "iam:AttachRolePolicy"},
	} {
		t.Run(name, func(t *testing.T) {
			version := func(resource string) Version {
				d, err := Parse([]byte("Resources:\n  It: " + resource + "\n"))
				if err != nil {
					t.Fatal(err)
				}
				return Version{Document: d}
			}
			is := strings.Replace(c.was, c.from, c.to, 1)
			if c.from != "" && is == c.was {
				t.Fatal("nothing changes")
			}
			want := append([]string{"cloudformation:UpdateStack"}, strings.Fields(c.want)...)
			if got := UpdateActions(version(c.was), version(is)); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}
