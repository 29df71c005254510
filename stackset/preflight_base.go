package stackset

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// The service-linked roles that recording and remediation work through.
const (
	configRole      = "AWSServiceRoleForConfig"
	remediationRole = "AWSServiceRoleForConfigRemediation"
)

// base reads what an account has once: the service-linked roles and the delivery
// bucket, through the home Region.
func (p *preflight) base(ctx context.Context, entry *awsapi.Entry, f *AccountFacts) {
	cfg := entry.Config(p.in.HomeRegion)
	roles := iam.NewFromConfig(cfg)
	f.ConfigRole = rolePresence(ctx, roles, configRole)
	f.RemediationRole = rolePresence(ctx, roles, remediationRole)

	b := p.bucket(ctx, entry, f.AccountID, p.in.BucketPrefix)
	f.BucketName, f.Bucket, f.BucketGap = b.Name, b.Presence, b.Gap
}

// bucket looks for an account's bucket of a name that begins so, in the home Region.
func (p *preflight) bucket(ctx context.Context, entry *awsapi.Entry, account, prefix string) KeptBucket {
	b := KeptBucket{Name: templates.DeliveryBucketName(prefix, account, p.in.HomeRegion)}
	buckets := s3.NewFromConfig(entry.Config(p.in.HomeRegion), p.pathStyle)
	_, err := buckets.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String(b.Name), ExpectedBucketOwner: aws.String(account)})
	var response *awshttp.ResponseError
	switch {
	case err == nil:
		b.Presence = Present
	case errors.As(err, &response) && response.HTTPStatusCode() == 404:
		b.Presence = Absent
	default:
		// HeadBucket has no body: 403 is a denial as well as somebody else's bucket.
		b.Gap = gapOf(err)
	}
	return b
}

// pathStyle is for an endpoint that serves every service: it has no names of buckets in
// its host.
func (p *preflight) pathStyle(o *s3.Options) { o.UsePathStyle = p.s.Endpoint != "" }

func rolePresence(ctx context.Context, client *iam.Client, name string) Presence {
	_, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
	if f, there := presence(err, "NoSuchEntity", "NoSuchEntityException"); !there {
		return f.Presence
	}
	return Present
}
