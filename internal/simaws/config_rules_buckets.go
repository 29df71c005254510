package simaws

import "slices"

// bucketRules are the managed rules about S3 buckets.
var bucketRules = map[string]managedRule{
	// "The rule is NON_COMPLIANT if an S3 bucket is not listed in the excludedPublicBuckets
	// parameter and bucket level settings are public."
	// (s3-bucket-level-public-access-prohibited)
	"S3_BUCKET_LEVEL_PUBLIC_ACCESS_PROHIBITED": {
		types: []string{typeBucket}, changes: true, parameters: []ruleParameter{{name: "excludedPublicBuckets", kind: "list"}},
		verdict: func(item configItem, p ruleValues) (string, string) {
			block, _ := item.Supplementary["PublicAccessBlockConfiguration"].(map[string]any)
			on := block != nil
			for _, part := range []string{"blockPublicAcls", "ignorePublicAcls", "blockPublicPolicy", "restrictPublicBuckets"} {
				on = on && block[part] == true
			}
			return passed(on || slices.Contains(p.list("excludedPublicBuckets"), item.ID)), ""
		},
	},
	// "Checks if S3 buckets have policies that require requests to use SSL. The rule is
	// NON_COMPLIANT if any S3 bucket has policies allowing HTTP requests."
	// (s3-bucket-ssl-requests-only)
	"S3_BUCKET_SSL_REQUESTS_ONLY": {
		types: []string{typeBucket}, changes: true,
		verdict: func(item configItem, _ ruleValues) (string, string) {
			policy, _ := item.Supplementary["BucketPolicy"].(map[string]any)
			doc, err := parsePolicy(policy["policyText"])
			return passed(err == nil && doc.onlyTLS(item.ARN)), ""
		},
	},
	// "Checks if S3 buckets are encrypted with AWS Key Management Service. The rule is
	// NON_COMPLIANT if the S3 bucket is not encrypted with an AWS KMS key."
	// (s3-default-encryption-kms)
	"S3_DEFAULT_ENCRYPTION_KMS": {
		types: []string{typeBucket}, changes: true, parameters: []ruleParameter{{name: "kmsKeyArns", kind: "list"}},
		verdict: func(item configItem, _ ruleValues) (string, string) {
			set, _ := item.Supplementary["ServerSideEncryptionConfiguration"].(map[string]any)
			rules, _ := set["rules"].([]any)
			return passed(slices.ContainsFunc(rules, func(rule any) bool {
				standard, _ := rule.(map[string]any)["applyServerSideEncryptionByDefault"].(map[string]any)
				return standard["sseAlgorithm"] == "aws:kms"
			})), ""
		},
	},
}

func passed(ok bool) string {
	if ok {
		return "COMPLIANT"
	}
	return "NON_COMPLIANT"
}
