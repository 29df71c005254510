package simaws

import (
	"net/http"
	"strings"
)

// bucketWrites are S3's calls that change a bucket's tags, policy and encryption, and
// those that read what they changed.
var bucketWrites = map[string]apiCall{
	"s3:PutBucketTagging": bucketCall("s3:PutBucketTagging", putBucketTagging),
	// "To use this operation, you must have permission to perform the s3:PutBucketTagging
	// action" (DeleteBucketTagging); the same for encryption.
	"s3:DeleteBucketTagging": bucketCall("s3:PutBucketTagging", func(s *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
		return putBucketTagging(s, b, map[string]any{"Tagging": map[string]any{"TagSet": []any{}}})
	}),
	"s3:GetBucketPolicy":     bucketCall("s3:GetBucketPolicy", getBucketPolicy),
	"s3:PutBucketPolicy":     bucketCall("s3:PutBucketPolicy", setBucketPolicy),
	"s3:DeleteBucketPolicy":  bucketCall("s3:DeleteBucketPolicy", dropBucketPolicy),
	"s3:GetBucketEncryption": bucketCall("s3:GetEncryptionConfiguration", getBucketEncryption),
	"s3:PutBucketEncryption": bucketCall("s3:PutEncryptionConfiguration", putBucketEncryption),
	// "Resets the default encryption for the bucket as server-side encryption with Amazon
	// S3 managed keys" (DeleteBucketEncryption).
	"s3:DeleteBucketEncryption": bucketCall("s3:PutEncryptionConfiguration", func(s *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
		b.settings.kms = false
		s.bucketChanged(b)
		return map[string]any{}, nil
	}),
}

// putBucketTagging replaces all tags. AWS's own (aws:…) have to be among them as they are
// (cloud-custodian/cloud-custodian#2834, #2861; hashicorp/terraform-provider-aws#7323).
func putBucketTagging(s *Sim, b *bucket, in map[string]any) (map[string]any, error) {
	invalid := func(message string) error { return fail(http.StatusBadRequest, "InvalidTag", message) }
	if b.settings.tagAccess {
		// "When ABAC is enabled, you must use the TagResource and UntagResource actions to
		// manage tags on your buckets" (PutBucketAbac); the words are not known.
		return nil, fail(http.StatusBadRequest, "InvalidRequest", "Attribute-based access control is on in this bucket: use TagResource.")
	}
	tagging, _ := in["Tagging"].(map[string]any)
	list, _ := tagging["TagSet"].([]any)
	tags := map[string]string{}
	for _, raw := range list {
		t, _ := raw.(map[string]any)
		key, value := scalarOr(t["Key"]), scalarOr(t["Value"])
		was, had := b.settings.tags[key]
		_, twice := tags[key]
		switch {
		case key == "" || len([]rune(key)) > 128:
			return nil, invalid("The TagKey you have provided is invalid")
		case len([]rune(value)) > 256:
			return nil, invalid("The TagValue you have provided is invalid")
		case twice:
			return nil, invalid("Cannot provide multiple Tags with the same key")
		case strings.HasPrefix(key, "aws:") && (!had || was != value):
			return nil, invalid("System tags cannot be added/updated by requester")
		}
		tags[key] = value
	}
	if len(tags) > 50 {
		return nil, fail(http.StatusBadRequest, "BadRequest", "Bucket tag count cannot be greater than 50")
	}
	for key := range b.settings.tags {
		if _, stays := tags[key]; strings.HasPrefix(key, "aws:") && !stays {
			return nil, invalid("System tags cannot be removed by requester")
		}
	}
	b.settings.tags = tags
	s.bucketChanged(b)
	return map[string]any{}, nil
}

func getBucketPolicy(_ *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
	if !b.HasPolicy {
		return nil, fail(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return map[string]any{"Policy": policyText(b.Policy)}, nil
}

// setBucketPolicy refuses a public policy where the bucket or its account blocks those
// ("Amazon S3 rejects calls to PUT Bucket policy if the specified bucket policy allows
// public access", PublicAccessBlockConfiguration).
func setBucketPolicy(s *Sim, b *bucket, in map[string]any) (map[string]any, error) {
	doc, err := parsePolicy(scalarOr(in["Policy"]))
	if err != nil || len(doc.Statement) == 0 {
		return nil, fail(http.StatusBadRequest, "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	}
	account := s.baseline(s.world.accounts[b.Owner]).publicBlock
	if blocked := b.settings.block != nil && b.settings.block.BlockPublicPolicy || account != nil && account.BlockPublicPolicy; blocked && doc.public() {
		return nil, fail(http.StatusForbidden, "AccessDenied", "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.")
	}
	b.Policy, b.HasPolicy = doc, true
	s.bucketChanged(b)
	return map[string]any{}, nil
}

func dropBucketPolicy(s *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
	b.Policy, b.HasPolicy = policyDocument{}, false
	s.bucketChanged(b)
	return map[string]any{}, nil
}

func (b *bucket) algorithm() string {
	if b.settings.kms {
		return "aws:kms"
	}
	return "AES256"
}

// getBucketEncryption always has an answer: "by default, all buckets have a default
// encryption configuration that uses server-side encryption with Amazon S3 managed keys"
// (GetBucketEncryption).
func getBucketEncryption(_ *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
	return map[string]any{"ServerSideEncryptionConfiguration": map[string]any{"Rules": []any{map[string]any{
		"ApplyServerSideEncryptionByDefault": map[string]any{"SSEAlgorithm": b.algorithm()}, "BucketKeyEnabled": false,
	}}}}, nil
}

func putBucketEncryption(s *Sim, b *bucket, in map[string]any) (map[string]any, error) {
	set, _ := in["ServerSideEncryptionConfiguration"].(map[string]any)
	rules, _ := set["Rules"].([]any)
	algorithm := ""
	for _, raw := range rules {
		rule, _ := raw.(map[string]any)
		standard, _ := rule["ApplyServerSideEncryptionByDefault"].(map[string]any)
		algorithm = scalarOr(standard["SSEAlgorithm"])
	}
	switch algorithm {
	case "AES256", "aws:kms", "aws:kms:dsse":
	default:
		return nil, fail(http.StatusBadRequest, "MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	b.settings.kms = algorithm != "AES256"
	s.bucketChanged(b)
	return map[string]any{}, nil
}
