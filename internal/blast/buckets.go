package blast

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"rollout/internal/awsapi"
)

const typeBucket = "AWS::S3::Bucket"

var bucketReads = []string{
	"s3:GetBucketAcl", "s3:GetBucketPolicyStatus", "s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging", "s3:GetBucketWebsite", "s3:ListAllMyBuckets",
}

// buckets lists the buckets of the Region that do not block public access, and what makes
// each public now. Only what Config found is looked at where its rule is evaluated, for a
// bucket costs five calls.
func buckets(ctx context.Context, at *site, m remedy) ([]Resource, error) {
	r := m.rules[0]
	api := s3.NewFromConfig(at.cfg, func(o *s3.Options) { o.UsePathStyle = at.pathStyle })
	names := sortedKeys(r.found)
	if r.source == "" {
		spared := strings.Split(r.rule.Parameters["excludedPublicBuckets"], ",")
		for pages := s3.NewListBucketsPaginator(api, &s3.ListBucketsInput{BucketRegion: aws.String(at.region), MaxBuckets: aws.Int32(1000)}); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			for _, b := range page.Buckets {
				if name := aws.ToString(b.Name); !slices.Contains(spared, name) {
					names = append(names, name)
				}
			}
		}
	}
	var out []Resource
	for _, name := range names {
		b := bucket{api: api, name: &name, owner: &at.account.ID}
		one := at.resource(m, r, typeBucket, name, "Amazon S3")
		keep, err := b.decide(ctx, at, &one)
		if err != nil {
			one.Verdict, one.WouldChange, one.Reason = Unknown, true, "not known who leans on it: "+said(err)
		}
		if keep || err != nil {
			out = append(out, one)
		}
	}
	return out, nil
}

// bucket is one bucket while it is read.
type bucket struct {
	api         *s3.Client
	name, owner *string
}

// decide is the runbook's decision; keep is false for a bucket that is as the rule wants it.
func (b bucket) decide(ctx context.Context, at *site, one *Resource) (keep bool, err error) {
	off, ignored, err := b.off(ctx)
	switch {
	case awsapi.Code(err) == "NoSuchBucket":
		return b.asAsked(one, "there is no such bucket any more"), nil
	case err != nil:
		return true, err
	case len(off) == 0:
		return b.asAsked(one, "it blocks public access"), nil
	}
	tags, err := b.tags(ctx)
	if err != nil {
		return true, err
	}
	if why := at.exempt(tags, "", "bucket"); why != "" {
		one.Verdict, one.Reason = Safe, "left: "+why
		return true, nil
	}
	if one.Leans, err = b.public(ctx); err != nil {
		return true, err
	}
	switch {
	case len(one.Leans) > 0:
		one.Verdict, one.Reason = NotSafe, "left: "+strings.Join(one.Leans, "; ")
	case ignored:
		one.Verdict, one.WouldChange, one.Reason = Safe, true, "switches on "+listed(off)+"; nothing makes it public now"
	default:
		one.Verdict, one.WouldChange = Unknown, true
		one.Reason = "switches on " + listed(off) + "; nothing makes the bucket public now, and access control lists of single objects were not looked at"
	}
	return true, nil
}

func (b bucket) asAsked(one *Resource, why string) bool {
	one.Verdict, one.Reason = Safe, "left: "+why
	return !one.Evaluated.IsZero()
}

// off are the parts of Block Public Access that are off; ignored says that access control
// lists count for nothing already.
func (b bucket) off(ctx context.Context) (off []string, ignored bool, err error) {
	out, err := b.api.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b.name, ExpectedBucketOwner: b.owner})
	if err != nil && awsapi.Code(err) != "NoSuchPublicAccessBlockConfiguration" {
		return nil, false, err
	}
	parts := map[string]bool{}
	if err == nil && out.PublicAccessBlockConfiguration != nil {
		c := out.PublicAccessBlockConfiguration
		parts = map[string]bool{"BlockPublicAcls": aws.ToBool(c.BlockPublicAcls), "IgnorePublicAcls": aws.ToBool(c.IgnorePublicAcls), "BlockPublicPolicy": aws.ToBool(c.BlockPublicPolicy), "RestrictPublicBuckets": aws.ToBool(c.RestrictPublicBuckets)}
	}
	for _, name := range []string{"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"} {
		if !parts[name] {
			off = append(off, name)
		}
	}
	return off, parts["IgnorePublicAcls"], nil
}

func (b bucket) tags(ctx context.Context) (map[string]string, error) {
	out, err := b.api.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b.name, ExpectedBucketOwner: b.owner})
	if awsapi.Code(err) == "NoSuchTagSet" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	tags := map[string]string{}
	for _, t := range out.TagSet {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return tags, nil
}

// public says what makes the bucket public now, so that somebody may count on it.
func (b bucket) public(ctx context.Context) (reasons []string, err error) {
	status, err := b.api.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: b.name, ExpectedBucketOwner: b.owner})
	switch {
	case awsapi.Code(err) == "NoSuchBucketPolicy":
	case err != nil:
		return nil, err
	case status.PolicyStatus != nil && aws.ToBool(status.PolicyStatus.IsPublic):
		reasons = append(reasons, "its policy lets the public in")
	}
	acl, err := b.api.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: b.name, ExpectedBucketOwner: b.owner})
	if err != nil {
		return nil, err
	}
	for _, g := range acl.Grants {
		if g.Grantee == nil {
			continue
		}
		uri := aws.ToString(g.Grantee.URI)
		if group := uri[strings.LastIndex(uri, "/")+1:]; group == "AllUsers" || group == "AuthenticatedUsers" {
			reasons = append(reasons, fmt.Sprintf("its access control list grants %s to %s", g.Permission, group))
		}
	}
	_, err = b.api.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: b.name, ExpectedBucketOwner: b.owner})
	switch {
	case awsapi.Code(err) == "NoSuchWebsiteConfiguration":
		return reasons, nil
	case err != nil:
		return nil, err
	}
	return append(reasons, "it is a static website"), nil
}
