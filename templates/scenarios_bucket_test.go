package templates

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const bucketName = "data-111122223333"

// blocked is Block Public Access with some parts off.
func blocked(off ...string) map[string]any {
	m := item("BlockPublicAcls", true, "IgnorePublicAcls", true, "BlockPublicPolicy", true, "RestrictPublicBuckets", true)
	for _, part := range off {
		m[part] = false
	}
	return m
}

func bucketScenarios() []scenario {
	with := func(pairs ...any) world {
		b := item("name", bucketName, "block", nil)
		maps.Copy(b, item(pairs...))
		return world{Bucket: b}
	}
	denied := func(call string) world {
		w := with()
		w.Deny = call
		return w
	}
	stuck := with("block", blocked("BlockPublicPolicy"))
	stuck.Stuck = true
	group := func(name, permission string) []any {
		return []any{item("Grantee", item("Type", "Group", "URI", "http://acs.amazonaws.com/groups/"+name), "Permission", permission)}
	}
	const both = "put_object put_public_access_block"
	return []scenario{
		{name: "none was ever set", world: with(), ends: StepVerify, reasons: "off: BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets", changes: both},
		{name: "one part is off", world: with("block", blocked("RestrictPublicBuckets")), ends: StepVerify, reasons: "off: RestrictPublicBuckets", changes: both},
		{name: "all is on", world: with("block", blocked()), ends: StepAlreadyBlocked},
		{name: "policy that is not public", world: with("public", false), ends: StepVerify, changes: both},
		{name: "policy that is public", world: with("public", true), ends: StepLeaveInUse, reasons: "its policy lets the public in"},
		{name: "list for everybody", world: with("grants", group("global/AllUsers", "READ")), ends: StepLeaveInUse, reasons: "its access control list grants READ to AllUsers"},
		{name: "list for all accounts", world: with("grants", group("global/AuthenticatedUsers", "WRITE")), ends: StepLeaveInUse, reasons: "grants WRITE to AuthenticatedUsers"},
		{name: "list for log delivery", world: with("grants", group("s3/LogDelivery", "WRITE")), ends: StepVerify, changes: both},
		{name: "website", world: with("website", true), ends: StepLeaveInUse, reasons: "it is a static website"},
		{name: "all at once", world: with("website", true, "public", true), ends: StepLeaveInUse, reasons: "its policy lets the public in; it is a static website"},
		{name: "public, and all is on", world: with("public", true, "block", blocked()), ends: StepAlreadyBlocked},
		{name: "exempt", world: with("tags", []any{item("Key", "a", "Value", "b"), item("Key", ExemptTag, "Value", "downloads")}), ends: StepLeaveExempt, reasons: "tag rollout-exempt=downloads"},
		{name: "another tag", world: with("tags", []any{item("Key", "a", "Value", ExemptTag)}), ends: StepVerify, changes: both},
		{name: "stays off", world: stuck, ends: StepVerify, changes: both,
			err: bucketName + " still has BlockPublicPolicy off; what was set is in s3://rollout-config-111122223333-us-east-1-an/" + BeforeKey("111122223333", "eu-west-1", bucketName, "e-1")},
		{name: "no before-image, no change", world: denied("put_object"), ends: "Block", err: "AccessDenied: put_object", changes: "put_object"},
		{name: "cannot see the tags", world: denied("get_bucket_tagging"), ends: "Examine", err: "AccessDenied: get_bucket_tagging"},
		{name: "cannot see the setting", world: denied("get_public_access_block"), ends: "Examine", err: "AccessDenied"},
		{name: "cannot see the policy", world: denied("get_bucket_policy_status"), ends: "Examine", err: "AccessDenied"},
		{name: "cannot see the list", world: denied("get_bucket_acl"), ends: "Examine", err: "AccessDenied"},
		{name: "cannot see the website", world: denied("get_bucket_website"), ends: "Examine", err: "AccessDenied"},
		{name: "may not block", world: denied("put_public_access_block"), ends: "Block", err: "AccessDenied", changes: both},
	}
}

func keptBlock(t *testing.T, w world, s scenario) {
	t.Helper()
	kept := before(t, w.Objects[0], BeforePublicAccessBlock, bucketName)
	for _, again := range bucketScenarios() {
		if again.name != s.name {
			continue
		}
		was, _ := again.world.Bucket["block"].(map[string]any)
		got := map[string]any{}
		for part, on := range kept.PublicAccessBlock {
			got[part] = on
		}
		if (kept.PublicAccessBlock == nil) != (was == nil) || was != nil && !cmp.Equal(was, got) || kept.BucketName != bucketName {
			t.Errorf("kept %+v, want %v", kept, was)
		}
	}
}
