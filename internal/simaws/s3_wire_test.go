package simaws

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// settingsWorld is a bucket and the SDK's client of its owner.
func settingsWorld(t *testing.T) (*Sim, *bucket, *s3.Client) {
	t.Helper()
	s := New(Options{Accounts: 3, Empty: true})
	owner := s.world.accounts[s.world.management]
	b := &bucket{Name: "mine", Owner: owner.ID, Region: "us-east-1", settings: bucketSettings{block: &publicBlock{BlockPublicAcls: true}, tags: map[string]string{"aws:cloudformation:stack-name": "web", "team": "x"}}}
	owner.buckets = map[string]*bucket{b.Name: b, "far": {Name: "far", Owner: owner.ID, Region: "eu-west-1"}}
	return s, b, s3.NewFromConfig(sdk(s, "us-east-1"), func(o *s3.Options) { o.UsePathStyle = true })
}

// The SDK writes and reads a bucket's settings in REST-XML.
func TestBucketSettingsOverTheWire(t *testing.T) {
	_, b, api := settingsWorld(t)
	ctx, mine := t.Context(), aws.String("mine")
	got, err := api.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: mine})
	if err != nil || !*got.PublicAccessBlockConfiguration.BlockPublicAcls || *got.PublicAccessBlockConfiguration.BlockPublicPolicy {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := api.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: mine, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{RestrictPublicBuckets: aws.Bool(true)}}); err != nil {
		t.Error(err)
	}
	if *b.settings.block != (publicBlock{RestrictPublicBuckets: true}) {
		t.Errorf("the block is %+v", *b.settings.block)
	}
	if _, err := api.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: mine}); err != nil || b.settings.block != nil {
		t.Errorf("%+v, %v", b.settings.block, err)
	}
	b.settings.grants = []bucketGrant{{"AllUsers", "READ"}}
	acl, err := api.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: mine})
	if err != nil || len(acl.Grants) != 2 || acl.Grants[1].Grantee.Type != types.TypeGroup || !strings.HasSuffix(*acl.Grants[1].Grantee.URI, "/AllUsers") || acl.Grants[1].Permission != types.PermissionRead {
		t.Errorf("%+v, %v", acl, err)
	}
	b.settings.website = true
	if site, err := api.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: mine}); err != nil || *site.IndexDocument.Suffix != "index.html" {
		t.Errorf("%+v, %v", site, err)
	}
	if _, err := api.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: mine, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: []types.ServerSideEncryptionRule{
		{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: types.ServerSideEncryptionAwsKms}}}}}); err != nil {
		t.Error(err)
	}
	if e, err := api.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: mine}); err != nil || e.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm != "aws:kms" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := api.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: mine, Policy: aws.String(`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::mine/*"}]}`)}); err != nil {
		t.Error(err)
	}
	if status, err := api.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: mine}); err != nil || !*status.PolicyStatus.IsPublic {
		t.Errorf("%+v, %v", status, err)
	}
	if _, err := api.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: aws.String("far")}); code(err) != "PermanentRedirect" {
		t.Errorf("in another Region: %v", err)
	}
	if _, err := api.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: mine}); code(err) != "NotImplemented" {
		t.Errorf("not served: %v", err)
	}
}

// All tags are put at once, AWS's own among them and unchanged.
func TestTagsOfBuckets(t *testing.T) {
	_, b, api := settingsWorld(t)
	put := func(pairs ...string) error {
		set := &types.Tagging{TagSet: []types.Tag{}}
		for i := 0; i < len(pairs); i += 2 {
			set.TagSet = append(set.TagSet, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
		}
		_, err := api.PutBucketTagging(t.Context(), &s3.PutBucketTaggingInput{Bucket: aws.String("mine"), Tagging: set})
		return err
	}
	const stack = "aws:cloudformation:stack-name"
	for _, test := range []struct {
		tags []string
		want string
	}{
		{[]string{"a", "b"}, "System tags cannot be removed"},
		{[]string{stack, "other"}, "System tags cannot be added/updated"},
		{[]string{stack, "web", "aws:x", "y"}, "System tags cannot be added/updated"},
		{[]string{stack, "web", "a", "1", "a", "2"}, "multiple Tags with the same key"},
		{[]string{stack, "web", strings.Repeat("k", 129), ""}, "TagKey"},
		{[]string{stack, "web", "a", strings.Repeat("v", 257)}, "TagValue"},
		{[]string{stack, "web", "a", "1"}, ""},
	} {
		err := put(test.tags...)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40q: %v, want %q", test.tags, err, test.want)
		}
	}
	if len(b.settings.tags) != 2 || b.settings.tags["a"] != "1" {
		t.Errorf("tags %v", b.settings.tags)
	}
	b.settings.tagAccess = true
	if err := put(stack, "web"); code(err) != "InvalidRequest" {
		t.Errorf("with attribute-based access control: %v", err)
	}
}

// What is no XML of S3's, or not the element that the call wants, is refused.
func TestMalformedSettings(t *testing.T) {
	s, _, _ := settingsWorld(t)
	for query, body := range map[string]string{
		"publicAccessBlock": "<Tagging/>", "tagging": "no xml", "encryption": "<ServerSideEncryptionConfiguration/>",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://s3/mine?"+query, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIAX/20261125/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
		answer, err := s.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusBadRequest || !strings.Contains(string(text), "<Code>MalformedXML</Code>") {
			t.Errorf("%s: %d %s %v", query, answer.StatusCode, text, err)
		}
	}
}

func FuzzS3Members(f *testing.F) {
	f.Add("PutBucketTagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>")
	f.Add("PutPublicAccessBlock", "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>")
	f.Add("PutBucketEncryption", "<ServerSideEncryptionConfiguration><Rule/></ServerSideEncryptionConfiguration>")
	f.Fuzz(func(t *testing.T, action, body string) {
		if in, err := s3Members(action, []byte(body)); (in == nil) == (err == nil) {
			t.Errorf("%s %q gives %v and %v", action, body, in, err)
		}
	})
}
