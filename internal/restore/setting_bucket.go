package restore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"rollout/internal/awsapi"
	"rollout/templates"
)

// blockParts are the parts of S3 Block Public Access, in the order of its pages.
var blockParts = []string{"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"}

// blockedAll is what a remediation sets.
func blockedAll() map[string]bool {
	all := map[string]bool{}
	for _, part := range blockParts {
		all[part] = true
	}
	return all
}

// sameBlock says whether two settings block the same; none at all blocks nothing.
func sameBlock(a, b map[string]bool) bool {
	return !slices.ContainsFunc(blockParts, func(part string) bool { return a[part] != b[part] })
}

func blockWords(block map[string]bool) string {
	if block == nil {
		return "none of its own"
	}
	on := slices.DeleteFunc(slices.Clone(blockParts), func(part string) bool { return !block[part] })
	return "on: " + listOf(on)
}

// ownBucket is a bucket of the account, in the place's Region.
type ownBucket struct {
	api         *s3.Client
	name, owner string
}

// publicAccessBlock sets a bucket's Block Public Access to what it was, or takes it away
// where there was none.
func publicAccessBlock(ctx context.Context, s *Setting, before templates.Before) error {
	b := ownBucket{api: s.s3(s.Region), name: before.BucketName, owner: s.AccountID}
	s.look = func(ctx context.Context) (string, error) {
		block, err := b.block(ctx)
		return blockWords(block), err
	}
	now, err := b.block(ctx)
	if awsapi.Code(err) == "PermanentRedirect" {
		return fmt.Errorf("the bucket is in another Region: give that with --region")
	}
	if err != nil {
		return err
	}
	was := before.PublicAccessBlock
	s.Now, s.Before = blockWords(now), blockWords(was)
	if sameBlock(now, was) {
		return nil
	}
	if err := s.drifted(blockWords(blockedAll())); err != nil {
		return err
	}
	if s.Public, err = b.opened(ctx, was); err != nil {
		return err
	}
	s.Changes = []string{"Block Public Access of " + b.name + ": " + s.Now + " → " + s.Before}
	tags, err := b.tags(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tags, func(t types.Tag) bool { return aws.ToString(t.Key) == exemptTag }) {
		s.exempt = b.exempt
		s.firstExempt(b.name)
	}
	s.do = func(ctx context.Context) error { return b.set(ctx, was) }
	return nil
}

// block is nil where the bucket has none.
func (b ownBucket) block(ctx context.Context) (map[string]bool, error) {
	out, err := b.api.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: &b.name, ExpectedBucketOwner: &b.owner})
	if awsapi.Code(err) == "NoSuchPublicAccessBlockConfiguration" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read Block Public Access of bucket %s: %w", b.name, err)
	}
	c := out.PublicAccessBlockConfiguration
	if c == nil {
		return nil, errors.New("S3 gave no configuration")
	}
	return map[string]bool{
		"BlockPublicAcls": aws.ToBool(c.BlockPublicAcls), "IgnorePublicAcls": aws.ToBool(c.IgnorePublicAcls),
		"BlockPublicPolicy": aws.ToBool(c.BlockPublicPolicy), "RestrictPublicBuckets": aws.ToBool(c.RestrictPublicBuckets),
	}, nil
}

func (b ownBucket) set(ctx context.Context, block map[string]bool) error {
	if block == nil {
		_, err := b.api.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: &b.name, ExpectedBucketOwner: &b.owner})
		return err
	}
	_, err := b.api.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &b.name, ExpectedBucketOwner: &b.owner, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
		BlockPublicAcls: aws.Bool(block["BlockPublicAcls"]), IgnorePublicAcls: aws.Bool(block["IgnorePublicAcls"]),
		BlockPublicPolicy: aws.Bool(block["BlockPublicPolicy"]), RestrictPublicBuckets: aws.Bool(block["RestrictPublicBuckets"]),
	}})
	return err
}

func (b ownBucket) tags(ctx context.Context) ([]types.Tag, error) {
	out, err := b.api.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &b.name, ExpectedBucketOwner: &b.owner})
	if awsapi.Code(err) == "NoSuchTagSet" {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tags of bucket %s: %w", b.name, err)
	}
	return out.TagSet, nil
}

// exempt adds the tag. S3 takes all tags of a bucket or none, AWS's own among them, so
// they are read right before. A bucket with attribute-based access control takes them by
// another service's call only; there the tag is for its owner to set.
func (b ownBucket) exempt(ctx context.Context, reason string) error {
	tags, err := b.tags(ctx)
	if err != nil {
		return err
	}
	tags = append(tags, types.Tag{Key: aws.String(exemptTag), Value: &reason})
	_, err = b.api.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: &b.name, ExpectedBucketOwner: &b.owner, Tagging: &types.Tagging{TagSet: tags}})
	return err
}

// opened says what the public may do once only a block's parts are on.
func (b ownBucket) opened(ctx context.Context, block map[string]bool) ([]string, error) {
	var words []string
	if !block["RestrictPublicBuckets"] {
		status, err := b.api.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: &b.name, ExpectedBucketOwner: &b.owner})
		if err != nil && awsapi.Code(err) != "NoSuchBucketPolicy" {
			return nil, fmt.Errorf("see whether the policy of bucket %s is public: %w", b.name, err)
		}
		if err == nil && status.PolicyStatus != nil && aws.ToBool(status.PolicyStatus.IsPublic) {
			words = append(words, "the policy of "+b.name+" lets the public in, and that holds at once")
		}
	}
	if !block["IgnorePublicAcls"] {
		acl, err := b.api.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: &b.name, ExpectedBucketOwner: &b.owner})
		if err != nil {
			return nil, fmt.Errorf("read the access control list of bucket %s: %w", b.name, err)
		}
		for _, g := range acl.Grants {
			if g.Grantee == nil {
				continue
			}
			if group := aws.ToString(g.Grantee.URI); strings.HasSuffix(group, "/AllUsers") || strings.HasSuffix(group, "/AuthenticatedUsers") {
				words = append(words, fmt.Sprintf("the access control list of %s grants %s to %s, and that holds at once", b.name, g.Permission, group[strings.LastIndexByte(group, '/')+1:]))
			}
		}
		words = append(words, "objects of "+b.name+" whose own access control lists name the public can be read by it at once; nobody looked which those are")
	}
	if !block["BlockPublicAcls"] || !block["BlockPublicPolicy"] {
		words = append(words, "whoever may change the policy or the access control lists of "+b.name+" can open it to the public")
	}
	return append(words, "the account's own Block Public Access still holds, where it is on"), nil
}
