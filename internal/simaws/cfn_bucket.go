package simaws

import (
	"net/http"
	"regexp"
	"strings"
)

const bucketProperties = "| BucketName BucketNamespace BucketNamePrefix AccessControl AccelerateConfiguration AnalyticsConfigurations BucketEncryption CorsConfiguration " +
	"IntelligentTieringConfigurations InventoryConfigurations LifecycleConfiguration LoggingConfiguration MetadataConfiguration MetadataTableConfiguration MetricsConfigurations " +
	"NotificationConfiguration ObjectLockConfiguration ObjectLockEnabled OwnershipControls PublicAccessBlockConfiguration ReplicationConfiguration Tags VersioningConfiguration " +
	"WebsiteConfiguration AbacStatus"

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// createBucket makes a bucket in the global namespace, or in the account-regional
// one, whose names end in -<account>-<region>-an and which only that account can
// make (S3 user guide, "Namespaces for general purpose buckets").
func createBucket(s *Sim, c resourceCall) (resourceResult, error) {
	if err := properties(c, bucketProperties, &struct{}{}); err != nil {
		return resourceResult{}, err
	}
	name, prefix, namespace := textOf(c.Properties["BucketName"]), textOf(c.Properties["BucketNamePrefix"]), textOf(c.Properties["BucketNamespace"])
	suffix := "-" + c.Account.ID + "-" + c.Region.name + "-an"
	refused := func(message string) error {
		return handlerError(s, "S3", http.StatusBadRequest, "InvalidRequest", message)
	}
	regional := namespace == "account-regional"
	switch {
	case namespace != "" && namespace != "global" && !regional:
		return resourceResult{}, invalidProperty(c, "/BucketNamespace: "+namespace+" is not a valid enum value")
	case prefix != "" && (name != "" || !regional):
		return resourceResult{}, refused("BucketNamePrefix goes with BucketNamespace account-regional and without BucketName")
	case regional && name == "" && prefix != "":
		name = prefix + suffix
	case regional && name == "":
		name = strings.ToLower(stackName(s, c, 63-len(suffix))) + suffix
	case name == "":
		name = strings.ToLower(stackName(s, c, 63))
	}
	if regional && !strings.HasSuffix(name, suffix) {
		return resourceResult{}, refused("The specified bucket name is not valid: a name in the account regional namespace ends in " + suffix)
	}
	if !bucketName.MatchString(name) || strings.Contains(name, "..") || !regional && strings.HasSuffix(name, "-an") {
		return resourceResult{}, refused("The specified bucket is not valid.")
	}
	if s.world.globalBuckets[name] != nil || c.Account.buckets[name] != nil {
		return resourceResult{}, statusReason(name + " already exists")
	}
	b := &bucket{Name: name, Owner: c.Account.ID, Region: c.Region.name, AccountRegional: regional, Objects: map[string][]byte{}, settings: readBucketSettings(c.Properties)}
	c.Account.buckets[name] = b
	s.bucketChanged(b)
	if !regional {
		s.world.globalBuckets[name] = b
	}
	return bucketResult(s, b), nil
}

func bucketResult(s *Sim, b *bucket) resourceResult {
	return resourceResult{PhysicalID: b.Name, Attributes: map[string]any{
		"Arn": "arn:" + s.world.partition + ":s3:::" + b.Name, "DomainName": b.Name + ".s3.amazonaws.com",
		"RegionalDomainName": b.Name + ".s3." + b.Region + ".amazonaws.com", "DualStackDomainName": b.Name + ".s3.dualstack." + b.Region + ".amazonaws.com",
		"WebsiteURL": "http://" + b.Name + ".s3-website-" + b.Region + ".amazonaws.com",
	}}
}

func updateBucket(s *Sim, c resourceCall) (resourceResult, error) {
	if err := properties(c, bucketProperties, &struct{}{}); err != nil {
		return resourceResult{}, err
	}
	b := c.Account.buckets[c.PhysicalID]
	if b == nil {
		return resourceResult{}, handlerError(s, "S3", http.StatusNotFound, "NotFound", "The specified bucket does not exist")
	}
	b.settings = readBucketSettings(c.Properties)
	s.bucketChanged(b)
	return bucketResult(s, b), nil
}

func deleteBucket(s *Sim, c resourceCall) error {
	b := c.Account.buckets[c.PhysicalID]
	if b == nil {
		return nil
	}
	if len(b.Objects) > 0 {
		return handlerError(s, "S3", http.StatusConflict, "GeneralServiceException", "The bucket you tried to delete is not empty")
	}
	delete(c.Account.buckets, b.Name)
	s.bucketChanged(b)
	if s.world.globalBuckets[b.Name] == b {
		delete(s.world.globalBuckets, b.Name)
	}
	return nil
}

func putBucketPolicy(s *Sim, c resourceCall) (resourceResult, error) {
	if err := properties(c, "Bucket PolicyDocument |", &struct{}{}); err != nil {
		return resourceResult{}, err
	}
	name := textOf(c.Properties["Bucket"])
	b := c.Account.buckets[name]
	if b == nil {
		return resourceResult{}, handlerError(s, "S3", http.StatusNotFound, "NotFound", "The specified bucket does not exist")
	}
	policy, err := parsePolicy(c.Properties["PolicyDocument"])
	if err != nil {
		return resourceResult{}, handlerError(s, "S3", http.StatusBadRequest, "InvalidRequest", err.Error())
	}
	if b.HasPolicy && c.PhysicalID == "" {
		return resourceResult{}, handlerError(s, "S3", http.StatusConflict, "AlreadyExists", "The bucket policy already exists on bucket "+name+".")
	}
	b.Policy, b.HasPolicy = policy, true
	s.bucketChanged(b)
	return resourceResult{PhysicalID: name}, nil
}

func deleteBucketPolicy(s *Sim, c resourceCall) error {
	if b := c.Account.buckets[c.PhysicalID]; b != nil {
		b.Policy, b.HasPolicy = policyDocument{}, false
		s.bucketChanged(b)
	}
	return nil
}
