package templates

import "encoding/json"

// globalNames are the Regions without S3's account-regional namespace. Source:
// Amazon S3 user guide, namespaces for general purpose buckets.
var globalNames = map[string]bool{"me-south-1": true, "me-central-1": true}

// DefaultDeliveryBucketPrefix is the default of DeliveryBucketPrefix.
const DefaultDeliveryBucketPrefix = "rollout-config"

// DeliveryBucketName is the name that recording-base gives an account's bucket:
// prefix-account-region-an, in S3's account-regional namespace, where only that
// account can make it. In Bahrain and the UAE, which lack the namespace, the name
// has no -an. An empty prefix means the default one.
func DeliveryBucketName(prefix, account, homeRegion string) string {
	if prefix == "" {
		prefix = DefaultDeliveryBucketPrefix
	}
	name := prefix + "-" + account + "-" + homeRegion
	if globalNames[homeRegion] {
		return name
	}
	return name + "-an"
}

// BeforePrefix is where in the delivery bucket the before-images of an account and
// Region are; one group's are below BeforePrefix + group + "/".
func BeforePrefix(account, region string) string {
	return "rollout/before/" + account + "/" + region + "/"
}

// BeforeKey is the object that an automation execution keeps a group's rules in
// before it takes them away.
func BeforeKey(account, region, group, execution string) string {
	return BeforePrefix(account, region) + group + "/" + execution + ".json"
}

// Before is such an object: a security group's rules as they were, in the shape of
// EC2's IpPermission ({"IpProtocol": "-1", "IpRanges": [...], ...}), ready for
// AuthorizeSecurityGroupIngress and Egress. Rule ids and rule tags are not in it.
type Before struct {
	Version             int               `json:"version"` // 1
	AccountID           string            `json:"account_id"`
	Region              string            `json:"region"`
	GroupID             string            `json:"group_id"`
	GroupName           string            `json:"group_name"`
	VPCID               string            `json:"vpc_id"`
	ExecutionID         string            `json:"execution_id"`
	IPPermissions       []json.RawMessage `json:"ip_permissions"`
	IPPermissionsEgress []json.RawMessage `json:"ip_permissions_egress"`
}
