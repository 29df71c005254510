package simaws

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// What S3 calls public, and what counts as TLS only.
func TestPublicPolicies(t *testing.T) {
	statement := func(effect, principal, action, condition string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"` + action + `","Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]` + condition + `}]}`
	}
	for name, test := range map[string]struct {
		policy      string
		public, tls bool
	}{
		"everybody reads":             {statement("Allow", `"*"`, "s3:GetObject", ""), true, false},
		"everybody, in the long form": {statement("Allow", `{"AWS":"*"}`, "s3:GetObject", ""), true, false},
		"one account":                 {statement("Allow", `{"AWS":"arn:aws:iam::444455556666:root"}`, "s3:*", ""), false, false},
		"the organization":            {statement("Allow", `"*"`, "s3:GetObject", `,"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`), false, false},
		"any organization":            {statement("Allow", `"*"`, "s3:GetObject", `,"Condition":{"StringLike":{"aws:PrincipalOrgID":"o-*"}}`), true, false},
		"not an organization":         {statement("Allow", `"*"`, "s3:GetObject", `,"Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-1"}}`), true, false},
		"a network":                   {statement("Allow", `"*"`, "s3:GetObject", `,"Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`), false, false},
		"every network":               {statement("Allow", `"*"`, "s3:GetObject", `,"Condition":{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}`), true, false},
		"a referer":                   {statement("Allow", `"*"`, "s3:GetObject", `,"Condition":{"StringLike":{"aws:Referer":"x"}}`), true, false},
		"TLS only":                    {statement("Deny", `"*"`, "s3:*", `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`), false, true},
		"TLS only for reads":          {statement("Deny", `"*"`, "s3:GetObject", `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`), false, false},
		"TLS only for one account":    {statement("Deny", `{"AWS":"arn:aws:iam::444455556666:root"}`, "s3:*", `,"Condition":{"Bool":{"aws:SecureTransport":"false"}}`), false, false},
	} {
		doc, err := parsePolicy(test.policy)
		if err != nil {
			t.Fatal(name, err)
		}
		if doc.public() != test.public || doc.onlyTLS("arn:aws:s3:::b") != test.tls {
			t.Errorf("%s: public %v, TLS only %v; want %v, %v", name, doc.public(), doc.onlyTLS("arn:aws:s3:::b"), test.public, test.tls)
		}
	}
}

// A bucket's settings as scripts see and change them, and what the rules make of them.
func TestBucketSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t)
		p.recording()
		client := p.sdk()
		for _, rule := range [][2]string{{"closed", ""}, {"excluding", `{"excludedPublicBuckets":"other, ` + testBucket + `"}`}} {
			if err := putManaged(t, client, rule[0], "S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED", rule[1], ""); err != nil {
				t.Fatal(err)
			}
		}
		for name, identifier := range map[string]string{"tls": "S3_BUCKET_SSL_REQUESTS_ONLY", "kms": "S3_DEFAULT_ENCRYPTION_KMS"} {
			if err := putManaged(t, client, name, identifier, "", ""); err != nil {
				t.Fatal(err)
			}
		}
		want := func(rule, word string) {
			t.Helper()
			if got := verdicts(t, client, rule)[testBucket]; got != word {
				t.Errorf("%s says %s, want %s", rule, got, word)
			}
		}
		do := func(op, code string, more map[string]any) map[string]any {
			t.Helper()
			in := map[string]any{"Bucket": testBucket, "ExpectedBucketOwner": testAccount}
			for k, v := range more {
				in[k] = v
			}
			out, err := p.s.apiDo(func(access) error { return nil }, p.a, p.r, "s3", op, in)
			var refused *apiError
			if errors.As(err, &refused) != (code != "") || refused != nil && refused.Code != code {
				t.Errorf("%s: %v, want %q", op, err, code)
			}
			return out
		}
		p.pass(5 * time.Minute)
		want("closed", "NON_COMPLIANT")
		want("excluding", "COMPLIANT")
		want("tls", "COMPLIANT")
		want("kms", "NON_COMPLIANT")
		do("GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration", nil)
		do("GetBucketTagging", "NoSuchTagSet", nil)
		do("GetBucketWebsite", "NoSuchWebsiteConfiguration", nil)
		do("GetBucketAcl", "AccessDenied", map[string]any{"ExpectedBucketOwner": "444455556666"})
		do("GetBucketAcl", "NoSuchBucket", map[string]any{"Bucket": "no-such"})
		do("GetBucketPolicyStatus", "", nil)
		do("PutPublicAccessBlock", "MalformedXML", nil)
		do("PutPublicAccessBlock", "", map[string]any{"PublicAccessBlockConfiguration": map[string]any{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true}})
		p.pass(5 * time.Minute)
		want("closed", "NON_COMPLIANT")
		do("PutPublicAccessBlock", "", map[string]any{"PublicAccessBlockConfiguration": map[string]any{"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true}})
		p.pass(5 * time.Minute)
		want("closed", "COMPLIANT")
		do("DeletePublicAccessBlock", "", nil)
		p.a.buckets[testBucket].HasPolicy, p.a.buckets[testBucket].settings.kms = false, true
		do("GetBucketPolicyStatus", "NoSuchBucketPolicy", nil)
		p.pass(5 * time.Minute)
		want("closed", "NON_COMPLIANT")
		want("tls", "NON_COMPLIANT")
		want("kms", "COMPLIANT")
	})
}
