package simaws

import (
	"reflect"
	"slices"
	"strings"
)

// propertyActions are what the handlers of a type ask beside handlerActions for single
// properties: where one is set or changed and, behind it if that is another action, where
// one, or a member of one, is taken out. What the calls need is on their pages in the API
// references ("To use this operation, you must have permission to perform the
// s3:PutLifecycleConfiguration action").
var propertyActions = map[string]map[string]string{
	"AWS::S3::Bucket": {
		"AccelerateConfiguration":          "s3:PutAccelerateConfiguration",
		"AccessControl":                    "s3:PutBucketAcl",
		"AnalyticsConfigurations":          "s3:PutAnalyticsConfiguration",
		"BucketEncryption":                 "s3:PutEncryptionConfiguration",
		"CorsConfiguration":                "s3:PutBucketCORS",
		"IntelligentTieringConfigurations": "s3:PutIntelligentTieringConfiguration",
		"InventoryConfigurations":          "s3:PutInventoryConfiguration",
		"LifecycleConfiguration":           "s3:PutLifecycleConfiguration",
		"LoggingConfiguration":             "s3:PutBucketLogging",
		"MetricsConfigurations":            "s3:PutMetricsConfiguration",
		"NotificationConfiguration":        "s3:PutBucketNotification",
		"ObjectLockConfiguration":          "s3:PutBucketObjectLockConfiguration",
		"OwnershipControls":                "s3:PutBucketOwnershipControls",
		"PublicAccessBlockConfiguration":   "s3:PutBucketPublicAccessBlock",
		"ReplicationConfiguration":         "s3:PutReplicationConfiguration",
		"Tags":                             "s3:PutBucketTagging",
		"VersioningConfiguration":          "s3:PutBucketVersioning",
		"WebsiteConfiguration":             "s3:PutBucketWebsite s3:DeleteBucketWebsite",
	},
	"AWS::IAM::Role": {
		"AssumeRolePolicyDocument": "iam:UpdateAssumeRolePolicy",
		"Description":              "iam:UpdateRole",
		"ManagedPolicyArns":        "iam:AttachRolePolicy iam:DetachRolePolicy",
		"MaxSessionDuration":       "iam:UpdateRole",
		"PermissionsBoundary":      "iam:PutRolePermissionsBoundary iam:DeleteRolePermissionsBoundary",
		"Policies":                 "iam:PutRolePolicy iam:DeleteRolePolicy",
		"Tags":                     "iam:TagRole iam:UntagRole",
	},
}

// madeWith are properties that the call which creates a resource takes along (API
// reference, CreateRole).
var madeWith = map[string][]string{"AWS::IAM::Role": {"AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "PermissionsBoundary"}}

// propertyCalls are the actions for the properties that a create or an update sets.
func propertyCalls(c resourceCall, kind, verb string) (actions []string) {
	if verb == "delete" {
		return nil
	}
	for _, name := range sortedKeys(propertyActions[kind]) {
		before, after := c.Old[name], c.Properties[name]
		if reflect.DeepEqual(before, after) || verb == "create" && slices.Contains(madeWith[kind], name) {
			continue
		}
		set, out, other := strings.Cut(propertyActions[kind][name], " ")
		if !other {
			out = set
		}
		was, isList := before.([]any)
		now, stays := after.([]any)
		switch {
		case after == nil:
			actions = append(actions, out)
		case !isList || !stays:
			actions = append(actions, set)
		default:
			if lacks(was, now, reflect.DeepEqual) {
				actions = append(actions, set)
			}
			if lacks(now, was, sameName) {
				actions = append(actions, out)
			}
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// lacks says whether a list lacks a member of another.
func lacks(list, other []any, same func(a, b any) bool) bool {
	return slices.ContainsFunc(other, func(m any) bool {
		return !slices.ContainsFunc(list, func(o any) bool { return same(m, o) })
	})
}

// sameName says whether two members of a list are one thing, whatever is in it: a policy
// of one name, a tag of one key.
func sameName(a, b any) bool {
	x, isMap := a.(map[string]any)
	y, both := b.(map[string]any)
	if !isMap || !both {
		return reflect.DeepEqual(a, b)
	}
	return textOf(x["PolicyName"]) == textOf(y["PolicyName"]) && textOf(x["Key"]) == textOf(y["Key"])
}
