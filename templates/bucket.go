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
// Region are; one resource's are below BeforePrefix + resource + "/".
func BeforePrefix(account, region string) string {
	return "rollout/before/" + account + "/" + region + "/"
}

// BeforeKey is the object in which an automation execution keeps what a resource was
// like before it changes it. The resource is what the automation changed: an id, a
// bucket's name, or the kind of a setting that an account has once.
func BeforeKey(account, region, resource, execution string) string {
	return BeforePrefix(account, region) + resource + "/" + execution + ".json"
}

// The kinds of before-images.
const (
	BeforeSecurityGroup      = "security-group"            // all rules of a group; also what has no kind
	BeforeSecurityGroupRules = "security-group-rules"      // just those that were taken away
	BeforeFlowLogs           = "vpc-flow-logs"             // the flow logs that a VPC had, and those it was given
	BeforeEBSEncryption      = "ebs-encryption-by-default" // the account's setting in the Region
	BeforePasswordPolicy     = "password-policy"           // the account's password policy
	BeforePublicAccessBlock  = "s3-public-access-block"    // a bucket's Block Public Access
	BeforeAccessKeys         = "access-keys"               // an IAM user's access keys, and which were deactivated
	BeforeMetadataOptions    = "instance-metadata-options" // an instance's
	BeforeSnapshot           = "snapshot-permissions"      // with whom a public snapshot was shared
)

// Before is such an object. Of a security group it has rules as they were, in the
// shape of EC2's IpPermission ({"IpProtocol": "-1", "IpRanges": [...], ...}), ready for
// AuthorizeSecurityGroupIngress and Egress.
type Before struct {
	Version     int    `json:"version"` // 1
	Kind        string `json:"kind"`    // "" of objects from before there were kinds: BeforeSecurityGroup
	AccountID   string `json:"account_id"`
	Region      string `json:"region"`
	ExecutionID string `json:"execution_id"`

	GroupID             string            `json:"group_id"`
	GroupName           string            `json:"group_name"`
	VPCID               string            `json:"vpc_id"` // also of flow logs
	IPPermissions       []json.RawMessage `json:"ip_permissions"`
	IPPermissionsEgress []json.RawMessage `json:"ip_permissions_egress"`
	// SecurityGroupRules are rules as DescribeSecurityGroupRules gave them, with ids
	// and tags, of BeforeSecurityGroupRules.
	SecurityGroupRules []json.RawMessage `json:"security_group_rules"`

	// FlowLogsBefore are the flow logs that the VPC had; FlowLogIDs those that were
	// made for it, in LogDestination. An object without FlowLogIDs was written before
	// the making, which then failed or was not heard of again: what is in the
	// destination and not among FlowLogsBefore was made by it.
	FlowLogsBefore []string `json:"flow_logs_before"`
	FlowLogIDs     []string `json:"flow_log_ids"`
	LogDestination string   `json:"log_destination"`

	// EBSEncryption is the setting, of BeforeEBSEncryption.
	EBSEncryption bool `json:"ebs_encryption_by_default"`

	// PasswordPolicy is what GetAccountPasswordPolicy gave, of BeforePasswordPolicy; null
	// where there was none, so that DeleteAccountPasswordPolicy puts that back. Else
	// UpdateAccountPasswordPolicy takes all of it but ExpirePasswords, at once: what it is
	// not given goes back to IAM's default.
	PasswordPolicy map[string]any `json:"password_policy"`
	// PasswordPolicySet is what it was set to, so that a later change is noticed.
	PasswordPolicySet map[string]any `json:"password_policy_set"`

	// UserID and UserName are of an IAM user, AccessKeys its keys as they were, and
	// Deactivated the ids of those that were active and were set to Inactive:
	// UpdateAccessKey with Active puts them back. The secret is the same.
	UserID      string      `json:"user_id"`
	UserName    string      `json:"user_name"`
	AccessKeys  []AccessKey `json:"access_keys"`
	Deactivated []string    `json:"deactivated"`

	// MetadataOptions are the instance's as DescribeInstances gave them, of
	// BeforeMetadataOptions.
	InstanceID      string         `json:"instance_id"`
	MetadataOptions map[string]any `json:"metadata_options"`

	// CreateVolumePermissions are with whom the snapshot was shared, as
	// DescribeSnapshotAttribute gave it, of BeforeSnapshot.
	SnapshotID              string              `json:"snapshot_id"`
	CreateVolumePermissions []map[string]string `json:"create_volume_permissions"`

	// PublicAccessBlock is the setting of the bucket BucketName as GetPublicAccessBlock
	// gave it; null where there was none, so that DeletePublicAccessBlock puts that back.
	BucketName        string          `json:"bucket_name"`
	PublicAccessBlock map[string]bool `json:"public_access_block"`
}

// AccessKey is an access key as IAM listed it; LastUsed is empty for one that nobody used.
type AccessKey struct {
	ID         string `json:"access_key_id"`
	Status     string `json:"status"` // Active or Inactive
	CreateDate string `json:"create_date"`
	LastUsed   string `json:"last_used"`
}

// KindOf is the object's kind, also where it was written before there were kinds.
func (b Before) KindOf() string {
	if b.Kind == "" {
		return BeforeSecurityGroup
	}
	return b.Kind
}
