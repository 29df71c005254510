package simaws

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// plainResources are the resource types outside AWS Config, as CloudFormation's
// handlers treat them.
var plainResources = map[string]resourceHandler{
	"AWS::CloudFormation::WaitConditionHandle": {
		create: func(s *Sim, c resourceCall) (resourceResult, error) {
			return resourceResult{PhysicalID: "https://cloudformation-waitcondition-" + c.Region.name + ".s3.amazonaws.com/" + s.ids.uuid()}, nil
		},
		update: func(_ *Sim, c resourceCall) (resourceResult, error) {
			return resourceResult{PhysicalID: c.PhysicalID}, nil
		},
		delete: func(*Sim, resourceCall) error { return nil },
		takes:  time.Second,
	},
	"AWS::IAM::Role":              {create: createRole, update: updateRole, delete: deleteRole, createOnly: []string{"RoleName", "Path"}, takes: 15 * time.Second},
	"AWS::IAM::ServiceLinkedRole": {create: createServiceRole, delete: deleteServiceRole, takes: 10 * time.Second},
	"AWS::S3::Bucket":             {create: createBucket, update: updateBucket, delete: deleteBucket, createOnly: []string{"BucketName", "BucketNamespace", "BucketNamePrefix"}, takes: 20 * time.Second},
	"AWS::S3::BucketPolicy":       {create: putBucketPolicy, update: putBucketPolicy, delete: deleteBucketPolicy, createOnly: []string{"Bucket"}, takes: 5 * time.Second},
	"AWS::SSM::Document":          {create: createDocument, delete: deleteDocument, takes: 5 * time.Second},
}

// alreadyExists is the resource handlers' text for a name in use.
func alreadyExists(service, what string) error {
	return fmt.Errorf(`Resource handler returned message: "%s already exists. (Service: %s, Status Code: 409, Request ID: 00000000-0000-4000-8000-000000000000) (SDK Attempt Count: 1)" (RequestToken: 00000000-0000-4000-8000-000000000001, HandlerErrorCode: AlreadyExists)`, what, service)
}

// generated is a name that CloudFormation makes: stack, logical id and a suffix,
// cut to the service's limit.
func (s *Sim) generated(c resourceCall, limit int) string {
	suffix := "-" + s.ids.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 12)
	id := c.LogicalID[:min(len(c.LogicalID), 24)]
	stack := c.Stack.Name[:max(0, min(len(c.Stack.Name), limit-len(id)-len(suffix)-1))]
	return stack + "-" + id + suffix
}

func createRole(s *Sim, c resourceCall) (resourceResult, error) {
	var in struct {
		RoleName, Path, Description, PermissionsBoundary string
		AssumeRolePolicyDocument                         any
		ManagedPolicyArns                                []string
		MaxSessionDuration                               any
		Policies, Tags                                   []any
	}
	if err := properties(c, "AssumeRolePolicyDocument | RoleName Path Description PermissionsBoundary ManagedPolicyArns MaxSessionDuration Policies Tags", &in); err != nil {
		return resourceResult{}, err
	}
	name := in.RoleName
	if name == "" {
		name = s.generated(c, 64)
	}
	if len(name) > 64 {
		return resourceResult{}, fmt.Errorf("1 validation error detected: Value '%s' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64 (Service: Iam, Status Code: 400)", name)
	}
	if c.Account.roles[name] != nil {
		return resourceResult{}, alreadyExists("Iam", "Role with name "+name)
	}
	path := in.Path
	if path == "" {
		path = "/"
	}
	r := &iamRole{Name: name, Path: path, ID: "AROA" + s.ids.upper(17), Created: s.clock.Now(), Description: in.Description,
		ARN: fmt.Sprintf("arn:%s:iam::%s:role%s%s", s.world.partition, c.Account.ID, path, name), Tags: c.Tags}
	if err := fillRole(r, c.Properties); err != nil {
		return resourceResult{}, err
	}
	c.Account.roles[name] = r
	return roleResult(r), nil
}

func roleResult(r *iamRole) resourceResult {
	return resourceResult{PhysicalID: r.Name, Attributes: map[string]any{"Arn": r.ARN, "RoleId": r.ID}}
}

func fillRole(r *iamRole, p map[string]any) error {
	trust, err := parsePolicy(p["AssumeRolePolicyDocument"])
	if err != nil {
		return fmt.Errorf("MalformedPolicyDocument: %w", err)
	}
	policies := map[string]policyDocument{}
	list, _ := p["Policies"].([]any)
	for _, raw := range list {
		m, _ := raw.(map[string]any)
		doc, err := parsePolicy(m["PolicyDocument"])
		if err != nil {
			return fmt.Errorf("MalformedPolicyDocument: %w", err)
		}
		policies[textOf(m["PolicyName"])] = doc
	}
	r.Trust, r.Policies, r.Managed = trust, policies, texts(p["ManagedPolicyArns"])
	return nil
}

func updateRole(_ *Sim, c resourceCall) (resourceResult, error) {
	r := c.Account.roles[c.PhysicalID]
	if r == nil {
		return resourceResult{}, fmt.Errorf("The role with name %s cannot be found. (Service: Iam, Status Code: 404)", c.PhysicalID)
	}
	if err := fillRole(r, c.Properties); err != nil {
		return resourceResult{}, err
	}
	return roleResult(r), nil
}

func deleteRole(_ *Sim, c resourceCall) error {
	delete(c.Account.roles, c.PhysicalID)
	return nil
}

// createServiceRole fails when the role is there: the third of three behaviours
// that CloudFormation has had (awslabs/landing-zone-accelerator-on-aws#221).
func createServiceRole(s *Sim, c resourceCall) (resourceResult, error) {
	var in struct{ AWSServiceName, Description, CustomSuffix string }
	if err := properties(c, "AWSServiceName | Description CustomSuffix", &in); err != nil {
		return resourceResult{}, err
	}
	r, err := s.addServiceLinkedRole(c.Account, in.AWSServiceName, in.Description)
	if err != nil {
		if e, ok := err.(*apiError); ok && strings.Contains(e.Message, "has been taken") {
			return resourceResult{}, fmt.Errorf(`Resource handler returned message: "%s (Service: Iam, Status Code: 400, Request ID: 00000000-0000-4000-8000-000000000000) (SDK Attempt Count: 1)" (RequestToken: 00000000-0000-4000-8000-000000000001, HandlerErrorCode: AlreadyExists)`, e.Message)
		}
		return resourceResult{}, err
	}
	return resourceResult{PhysicalID: r.Name, Attributes: map[string]any{"RoleName": r.Name}}, nil
}

func deleteServiceRole(_ *Sim, c resourceCall) error {
	// Config's role cannot go while a recorder uses it (IAM user guide,
	// "Deleting a service-linked role").
	for _, r := range c.Account.regions {
		if r.recorder != nil && strings.HasSuffix(r.recorder.RoleARN, "/"+c.PhysicalID) {
			return fmt.Errorf("DeleteServiceLinkedRole failed: the role %s is in use by AWS Config in %s", c.PhysicalID, r.name)
		}
	}
	delete(c.Account.roles, c.PhysicalID)
	return nil
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// createBucket knows both namespaces: a name that ends in -an can be made only in
// the account-regional namespace, with the account's own id and Region in it (S3
// user guide, "Namespaces for general purpose buckets").
func createBucket(s *Sim, c resourceCall) (resourceResult, error) {
	var in struct {
		BucketName, BucketNamespace, BucketNamePrefix, AccessControl string
		OwnershipControls, PublicAccessBlockConfiguration, VersioningConfiguration, BucketEncryption, LifecycleConfiguration,
		LoggingConfiguration, ObjectLockEnabled, Tags any
	}
	if err := properties(c, "| BucketName BucketNamespace BucketNamePrefix AccessControl OwnershipControls PublicAccessBlockConfiguration VersioningConfiguration BucketEncryption LifecycleConfiguration LoggingConfiguration ObjectLockEnabled Tags", &in); err != nil {
		return resourceResult{}, err
	}
	suffix := "-" + c.Account.ID + "-" + c.Region.name + "-an"
	regional := in.BucketNamespace == "account-regional"
	name := in.BucketName
	switch {
	case name == "" && in.BucketNamePrefix != "":
		name = in.BucketNamePrefix + suffix
	case name == "":
		name = strings.ToLower(s.generated(c, 63))
	}
	if !bucketName.MatchString(name) {
		return resourceResult{}, fmt.Errorf("Bucket name should not contain uppercase characters and be 3 to 63 characters long: %s", name)
	}
	if regional != strings.HasSuffix(name, "-an") || regional && !strings.HasSuffix(name, suffix) {
		return resourceResult{}, fmt.Errorf("The specified bucket is not valid: %s (Service: S3, Status Code: 400)", name)
	}
	if c.Account.buckets[name] != nil || s.world.globalBuckets[name] != nil {
		return resourceResult{}, alreadyExists("S3", name)
	}
	b := &bucket{Name: name, Owner: c.Account.ID, Region: c.Region.name, AccountRegional: regional}
	c.Account.buckets[name] = b
	if !regional {
		s.world.globalBuckets[name] = b
	}
	return bucketResult(s, b), nil
}

func bucketResult(s *Sim, b *bucket) resourceResult {
	return resourceResult{PhysicalID: b.Name, Attributes: map[string]any{
		"Arn": "arn:" + s.world.partition + ":s3:::" + b.Name, "DomainName": b.Name + ".s3.amazonaws.com", "RegionalDomainName": b.Name + ".s3." + b.Region + ".amazonaws.com",
	}}
}

func updateBucket(s *Sim, c resourceCall) (resourceResult, error) {
	b := c.Account.buckets[c.PhysicalID]
	if b == nil {
		return resourceResult{}, fmt.Errorf("The specified bucket does not exist (Service: S3, Status Code: 404)")
	}
	return bucketResult(s, b), nil
}

func deleteBucket(s *Sim, c resourceCall) error {
	b := c.Account.buckets[c.PhysicalID]
	if b == nil {
		return nil
	}
	if len(b.Objects) > 0 {
		return fmt.Errorf("The bucket you tried to delete is not empty (Service: Amazon S3; Status Code: 409; Error Code: BucketNotEmpty)")
	}
	delete(c.Account.buckets, b.Name)
	delete(s.world.globalBuckets, b.Name)
	return nil
}

func putBucketPolicy(_ *Sim, c resourceCall) (resourceResult, error) {
	var in struct {
		Bucket         string
		PolicyDocument any
	}
	if err := properties(c, "Bucket PolicyDocument |", &in); err != nil {
		return resourceResult{}, err
	}
	b := c.Account.buckets[in.Bucket]
	if b == nil {
		return resourceResult{}, fmt.Errorf("The specified bucket does not exist (Service: S3, Status Code: 404)")
	}
	// The handler does not take over a policy that is there already.
	if b.HasPolicy && c.PhysicalID == "" {
		return resourceResult{}, alreadyExists("S3", "The bucket policy on "+in.Bucket)
	}
	doc, err := parsePolicy(c.Properties["PolicyDocument"])
	if err != nil {
		return resourceResult{}, fmt.Errorf("MalformedPolicy: %w", err)
	}
	b.Policy, b.HasPolicy = doc, true
	return resourceResult{PhysicalID: in.Bucket}, nil
}

func deleteBucketPolicy(_ *Sim, c resourceCall) error {
	if b := c.Account.buckets[c.PhysicalID]; b != nil {
		b.Policy, b.HasPolicy = policyDocument{}, false
	}
	return nil
}

func createDocument(s *Sim, c resourceCall) (resourceResult, error) {
	var in struct {
		Content                                                                   any
		Name, DocumentType, DocumentFormat, UpdateMethod, TargetType, VersionName string
		Tags                                                                      any
	}
	if err := properties(c, "Content | Name DocumentType DocumentFormat UpdateMethod TargetType VersionName Tags", &in); err != nil {
		return resourceResult{}, err
	}
	content, ok := c.Properties["Content"].(map[string]any)
	if !ok || textOf(content["schemaVersion"]) == "" {
		return resourceResult{}, fmt.Errorf("InvalidDocumentContent: the content is not valid (Service: Ssm, Status Code: 400)")
	}
	name := in.Name
	if name == "" {
		name = s.generated(c, 128)
	}
	if c.Region.documents[name] != nil {
		return resourceResult{}, alreadyExists("Ssm", "Document with name "+name)
	}
	c.Region.documents[name] = &ssmDocument{Name: name, Type: in.DocumentType, Format: in.DocumentFormat, Version: "1", Content: content, Tags: c.Tags}
	return resourceResult{PhysicalID: name}, nil
}

func deleteDocument(_ *Sim, c resourceCall) error {
	if d := c.Region.documents[c.PhysicalID]; d != nil && reflect.DeepEqual(d.Name, c.PhysicalID) {
		delete(c.Region.documents, c.PhysicalID)
	}
	return nil
}
