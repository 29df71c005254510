package simaws

import (
	"net/http"
	"slices"
	"strings"
)

const typeBucket = "AWS::S3::Bucket"

// bucketSettings are what a bucket has beside its objects and its policy.
type bucketSettings struct {
	block   *publicBlock // nil: none was ever set, or it was deleted
	grants  []bucketGrant
	website bool
	kms     bool // the default encryption is with a KMS key
	tags    map[string]string
	// tagAccess: the bucket has attribute-based access control on.
	tagAccess bool
}

// bucketGrant is a grant of the access control list to one of S3's groups.
type bucketGrant struct{ group, permission string }

// bucketCalls are S3's calls about a bucket's settings, for scripts.
var bucketCalls = map[string]apiCall{
	"s3:GetPublicAccessBlock":  bucketCall("s3:GetBucketPublicAccessBlock", getBucketBlock),
	"s3:PutPublicAccessBlock":  bucketCall("s3:PutBucketPublicAccessBlock", putBucketBlock),
	"s3:GetBucketPolicyStatus": bucketCall("s3:GetBucketPolicyStatus", getPolicyStatus),
	"s3:GetBucketAcl":          bucketCall("s3:GetBucketAcl", getBucketACL),
	"s3:GetBucketWebsite":      bucketCall("s3:GetBucketWebsite", getBucketWebsite),
	"s3:GetBucketTagging":      bucketCall("s3:GetBucketTagging", getBucketTagging),
	// "To use DeletePublicAccessBlock you must have s3:PutBucketPublicAccessBlock".
	"s3:DeletePublicAccessBlock": bucketCall("s3:PutBucketPublicAccessBlock", func(s *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
		b.settings.block = nil
		s.bucketChanged(b)
		return map[string]any{}, nil
	}),
}

// bucketCall finds the bucket that a call names. Its tags do not count for permission:
// that is off in a bucket unless somebody switches it on.
func bucketCall(action string, do func(s *Sim, b *bucket, in map[string]any) (map[string]any, error)) apiCall {
	return func(s *Sim, check checker, a *account, _ *regionState, in map[string]any) (map[string]any, error) {
		name := scalarOr(in["Bucket"])
		if err := check(action, "arn:"+s.world.partition+":s3:::"+name, nil); err != nil {
			return nil, err
		}
		b := a.buckets[name]
		switch owner := scalarOr(in["ExpectedBucketOwner"]); {
		case b == nil && s.world.globalBuckets[name] == nil:
			return nil, fail(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
		case b == nil, owner != "" && owner != b.Owner:
			return nil, fail(http.StatusForbidden, "AccessDenied", "Access Denied")
		}
		return do(s, b, in)
	}
}

func getBucketBlock(_ *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
	return getAccountBlock(&baseline{publicBlock: b.settings.block}, nil)
}

func putBucketBlock(s *Sim, b *bucket, in map[string]any) (map[string]any, error) {
	var set baseline
	out, err := putAccountBlock(&set, in)
	if err == nil {
		b.settings.block = set.publicBlock
		s.bucketChanged(b)
	}
	return out, err
}

func getPolicyStatus(_ *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
	if !b.HasPolicy {
		return nil, fail(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return map[string]any{"PolicyStatus": map[string]any{"IsPublic": b.Policy.public()}}, nil
}

// fixedKeys are the condition keys with which a policy is not public, when their value is
// fixed (S3 user guide, the meaning of "public").
var fixedKeys = []string{
	"aws:sourceip", "aws:sourcearn", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceowner", "aws:sourceaccount", "aws:principalorgid", "aws:principalorgpaths",
	"aws:userid", "aws:principalarn", "aws:principalaccount", "s3:dataaccesspointarn", "s3:dataaccesspointaccount",
}

// public says whether a bucket policy lets the public in.
func (doc policyDocument) public() bool {
	return slices.ContainsFunc(doc.Statement, func(st policyStatement) bool {
		everybody := false
		for _, list := range st.Principals {
			everybody = everybody || slices.Contains(list, "*")
		}
		if !st.Allow || !everybody {
			return false
		}
		for operator, keys := range st.Conditions {
			for key, values := range keys {
				fixed := !slices.ContainsFunc(values, func(v string) bool { return strings.ContainsAny(v, "*?$") || v == "0.0.0.0/0" || v == "::/0" })
				if fixed && slices.Contains(fixedKeys, strings.ToLower(key)) && !strings.Contains(operator, "Not") {
					return false
				}
			}
		}
		return true
	})
}

// onlyTLS says whether a bucket policy denies everybody's requests without TLS.
func (doc policyDocument) onlyTLS(arn string) bool {
	return slices.ContainsFunc(doc.Statement, func(st policyStatement) bool {
		everybody := false
		for _, list := range st.Principals {
			everybody = everybody || slices.Contains(list, "*")
		}
		denied := false
		for key, values := range st.Conditions["Bool"] {
			denied = denied || strings.EqualFold(key, "aws:SecureTransport") && slices.Contains(values, "false")
		}
		actions := slices.Contains(st.Actions, "s3:*") || slices.Contains(st.Actions, "*")
		return !st.Allow && everybody && denied && actions && (slices.Contains(st.Resources, arn+"/*") || slices.Contains(st.Resources, "*"))
	})
}

func getBucketACL(s *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
	owner := map[string]any{"ID": steadyID(64, b.Owner)}
	grants := []any{map[string]any{"Grantee": map[string]any{"ID": owner["ID"], "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}}
	for _, g := range b.settings.grants {
		grants = append(grants, map[string]any{"Grantee": map[string]any{"URI": "http://acs.amazonaws.com/groups/global/" + g.group, "Type": "Group"}, "Permission": g.permission})
	}
	return map[string]any{"Owner": owner, "Grants": grants}, nil
}

func getBucketWebsite(_ *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
	if !b.settings.website {
		return nil, fail(http.StatusNotFound, "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")
	}
	return map[string]any{"IndexDocument": map[string]any{"Suffix": "index.html"}}, nil
}

func getBucketTagging(_ *Sim, b *bucket, _ map[string]any) (map[string]any, error) {
	if len(b.settings.tags) == 0 {
		return nil, fail(http.StatusNotFound, "NoSuchTagSet", "The TagSet does not exist")
	}
	return map[string]any{"TagSet": keysAndValues(b.settings.tags)}, nil
}

// readBucketSettings takes what a template says of a new bucket. Without a word of it a
// new bucket blocks public access ("S3 ... enabled by default for all new buckets since
// April 2023", S3 user guide).
func readBucketSettings(properties map[string]any) bucketSettings {
	set := bucketSettings{block: &publicBlock{true, true, true, true}, tags: map[string]string{}}
	if asked, ok := properties["PublicAccessBlockConfiguration"].(map[string]any); ok {
		for name, on := range set.block.settings() {
			*on = scalarOr(asked[name]) == "true"
		}
	}
	set.website, set.tagAccess = properties["WebsiteConfiguration"] != nil, scalarOr(properties["AbacStatus"]) == "Enabled"
	if encryption, ok := properties["BucketEncryption"].(map[string]any); ok {
		rules, _ := encryption["ServerSideEncryptionConfiguration"].([]any)
		for _, rule := range rules {
			standard, _ := rule.(map[string]any)["ServerSideEncryptionByDefault"].(map[string]any)
			set.kms = set.kms || strings.HasPrefix(scalarOr(standard["SSEAlgorithm"]), "aws:kms")
		}
	}
	list, _ := properties["Tags"].([]any)
	for _, item := range list {
		if tag, ok := item.(map[string]any); ok {
			set.tags[scalarOr(tag["Key"])] = scalarOr(tag["Value"])
		}
	}
	return set
}

// bucketChanged tells AWS Config of a bucket, in the bucket's Region.
func (s *Sim) bucketChanged(b *bucket) {
	if a := s.world.accounts[b.Owner]; a != nil {
		if r := a.regions[b.Region]; r != nil {
			s.changed(r, typeBucket, b.Name)
		}
	}
}

// bucketsOf are the names of an account's buckets in a Region.
func (s *Sim) bucketsOf(r *regionState) []string {
	var names []string
	for name, b := range s.world.accounts[r.account].buckets {
		if b.Region == r.name {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// bucketItem is the item of a bucket as it is now. What is not of the bucket itself stands
// in supplementaryConfiguration (awslabs/aws-config-resource-schema, AWS::S3::Bucket).
func (s *Sim) bucketItem(b *bucket) configItem {
	now := s.clock.Now()
	item := configItem{
		Type: typeBucket, ID: b.Name, Name: b.Name, ARN: "arn:" + s.world.partition + ":s3:::" + b.Name, Status: "OK", Captured: now, StateID: now.UnixMilli(),
		Tags: copyTexts(b.settings.tags), Configuration: map[string]any{"name": b.Name}, Supplementary: map[string]any{},
	}
	if block := b.settings.block; block != nil {
		shape := map[string]any{}
		for name, on := range block.settings() {
			shape[lowerFirst(name)] = *on
		}
		item.Supplementary["PublicAccessBlockConfiguration"] = shape
	}
	if b.HasPolicy {
		item.Supplementary["BucketPolicy"] = map[string]any{"policyText": policyText(b.Policy)}
	}
	item.Supplementary["ServerSideEncryptionConfiguration"] = map[string]any{"rules": []any{map[string]any{"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": b.algorithm()}}}}
	return item
}
