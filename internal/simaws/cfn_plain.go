package simaws

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// plainResources are the resource types outside AWS Config, as CloudFormation's
// handlers treat them.
var plainResources = map[string]resourceHandler{
	"AWS::CloudFormation::WaitConditionHandle": {create: createHandle, update: keepHandle, delete: forget, takes: 2 * time.Second},
	"AWS::IAM::Role":              {create: createRole, update: updateRole, delete: deleteRole, createOnly: []string{"RoleName", "Path"}, takes: 12 * time.Second},
	"AWS::IAM::ManagedPolicy":     {create: createManagedPolicy, update: createManagedPolicy, delete: deleteManagedPolicy, createOnly: []string{"ManagedPolicyName", "Path", "Description"}, takes: 8 * time.Second},
	"AWS::IAM::Policy":            inlinePolicy,
	"AWS::IAM::ServiceLinkedRole": {create: createLinkedRole, update: updateLinkedRole, delete: deleteLinkedRole, createOnly: []string{"AWSServiceName", "CustomSuffix"}, takes: 10 * time.Second},
	"AWS::S3::Bucket":             {create: createBucket, update: updateBucket, delete: deleteBucket, createOnly: []string{"BucketName", "BucketNamespace", "BucketNamePrefix", "ObjectLockEnabled"}, takes: 12 * time.Second},
	"AWS::S3::BucketPolicy":       {create: putBucketPolicy, update: putBucketPolicy, delete: deleteBucketPolicy, createOnly: []string{"Bucket"}, takes: 3 * time.Second},
	"AWS::SSM::Document":          {create: createDocument, update: updateDocument, delete: deleteDocument, createOnly: []string{"Name", "DocumentType"}, replaces: documentReplaces, takes: 5 * time.Second},
	"AWS::SNS::Topic":             {create: createTopic, update: updateTopic, delete: deleteTopic, createOnly: []string{"TopicName", "FifoTopic"}, takes: 5 * time.Second},
}

// forget deletes what the simulation keeps in the stack only.
func forget(*Sim, resourceCall) error { return nil }

// handlerError words a failure as the resource handlers of CloudFormation's
// registry do.
func handlerError(s *Sim, service string, status int, code, message string) error {
	return statusReason(fmt.Sprintf("Resource handler returned message: \"%s (Service: %s, Status Code: %d, Request ID: %s) (SDK Attempt Count: 1)\" (RequestToken: %s, HandlerErrorCode: %s)",
		message, service, status, s.ids.uuid(), s.ids.uuid(), code))
}

// statusReason is why a resource failed, in AWS's words and so with a capital.
type statusReason string

func (r statusReason) Error() string { return string(r) }

// invalidProperty words a property that the resource's schema refuses.
func invalidProperty(c resourceCall, what string) error {
	return statusReason("Properties validation failed for resource " + c.LogicalID + " with message:\n#" + what)
}

// stackName makes a physical name as CloudFormation does: stack, logical id and a
// random end, within a limit.
func stackName(s *Sim, c resourceCall, limit int) string {
	suffix := "-" + s.ids.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 12)
	logical := "-" + c.LogicalID
	if len(logical) > limit-len(suffix)-8 {
		logical = logical[:limit-len(suffix)-8]
	}
	name := c.Stack.Name
	if room := limit - len(logical) - len(suffix); len(name) > room {
		name = name[:room]
	}
	return name + logical + suffix
}

func createHandle(s *Sim, c resourceCall) (resourceResult, error) {
	if err := properties(c, "|", &struct{}{}); err != nil {
		return resourceResult{}, err
	}
	return resourceResult{PhysicalID: fmt.Sprintf("https://cloudformation-waitcondition-%s.s3.%s.amazonaws.com/arn%%3Aaws%%3Acloudformation%%3A%s%%3A%s%%3Astack/%s/%s",
		c.Region.name, c.Region.name, c.Region.name, c.Account.ID, c.Stack.Name, c.LogicalID)}, nil
}

func keepHandle(_ *Sim, c resourceCall) (resourceResult, error) {
	return resourceResult{PhysicalID: c.PhysicalID}, nil
}

const roleProperties = "AssumeRolePolicyDocument | RoleName Path Description ManagedPolicyArns MaxSessionDuration PermissionsBoundary Policies Tags"

func roleOf(s *Sim, c resourceCall) (*iamRole, error) {
	if err := properties(c, roleProperties, &struct{}{}); err != nil {
		return nil, err
	}
	malformed := func(err error) error { return handlerError(s, "Iam", 400, "InvalidRequest", err.Error()) }
	trust, err := parsePolicy(c.Properties["AssumeRolePolicyDocument"])
	if err != nil {
		return nil, malformed(err)
	}
	r := &iamRole{Path: "/", Trust: trust, Policies: map[string]policyDocument{}, Managed: texts(c.Properties["ManagedPolicyArns"]), Tags: map[string]string{}, Created: s.clock.Now()}
	if p, ok := c.Properties["Path"].(string); ok {
		if !strings.HasPrefix(p, "/") || !strings.HasSuffix(p, "/") {
			return nil, handlerError(s, "Iam", 400, "InvalidRequest", "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
		}
		r.Path = p
	}
	r.Description, _ = c.Properties["Description"].(string)
	r.Boundary = textOf(c.Properties["PermissionsBoundary"])
	if n, ok := number(c.Properties["MaxSessionDuration"]); ok {
		r.MaxSession = time.Duration(n) * time.Second
	}
	policies, _ := c.Properties["Policies"].([]any)
	for n, raw := range policies {
		m, _ := raw.(map[string]any)
		name := textOf(m["PolicyName"])
		if name == "" || m["PolicyDocument"] == nil {
			return nil, invalidProperty(c, fmt.Sprintf("/Policies/%d: required keys [PolicyName, PolicyDocument] not found", n))
		}
		if r.Policies[name], err = parsePolicy(m["PolicyDocument"]); err != nil {
			return nil, malformed(err)
		}
	}
	maps.Copy(r.Tags, c.Tags)
	return r, nil
}

func roleResult(r *iamRole) resourceResult {
	return resourceResult{PhysicalID: r.Name, Attributes: map[string]any{"Arn": r.ARN, "RoleId": r.ID}}
}

func createRole(s *Sim, c resourceCall) (resourceResult, error) {
	r, err := roleOf(s, c)
	if err != nil {
		return resourceResult{}, err
	}
	r.Name, _ = c.Properties["RoleName"].(string)
	if r.Name == "" {
		r.Name = stackName(s, c, 64)
	}
	if len(r.Name) > 64 {
		return resourceResult{}, handlerError(s, "Iam", http.StatusBadRequest, "InvalidRequest", "1 validation error detected: Value '"+r.Name+"' at 'roleName' failed to satisfy constraint: Member must have length less than or equal to 64")
	}
	if !patternRoleName.MatchString(r.Name) {
		return resourceResult{}, handlerError(s, "Iam", http.StatusBadRequest, "InvalidRequest", "1 validation error detected: Value '"+r.Name+"' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+")
	}
	if c.Account.roles[r.Name] != nil {
		return resourceResult{}, handlerError(s, "Iam", http.StatusConflict, "AlreadyExists", "Role with name "+r.Name+" already exists.")
	}
	r.ID = "AROA" + s.ids.upper(17)
	r.ARN = "arn:" + s.world.partition + ":iam::" + c.Account.ID + ":role" + r.Path + r.Name
	c.Account.roles[r.Name] = r
	return roleResult(r), nil
}

func updateRole(s *Sim, c resourceCall) (resourceResult, error) {
	old := c.Account.roles[c.PhysicalID]
	if old == nil {
		return resourceResult{}, handlerError(s, "Iam", http.StatusNotFound, "NotFound", "The role with name "+c.PhysicalID+" cannot be found.")
	}
	r, err := roleOf(s, c)
	if err != nil {
		return resourceResult{}, err
	}
	r.Name, r.ID, r.ARN, r.Created = old.Name, old.ID, old.ARN, old.Created
	for _, arn := range old.Managed { // what others attached stays
		if !slices.Contains(texts(c.Old["ManagedPolicyArns"]), arn) && !slices.Contains(r.Managed, arn) {
			r.Managed = append(slices.Clone(r.Managed), arn)
		}
	}
	before, _ := c.Old["Policies"].([]any)
	for name, doc := range old.Policies { // and what others put
		mine := slices.ContainsFunc(before, func(p any) bool { m, _ := p.(map[string]any); return textOf(m["PolicyName"]) == name })
		if _, again := r.Policies[name]; !mine && !again {
			r.Policies[name] = doc
		}
	}
	*old = *r
	return roleResult(old), nil
}

// deleteRole fails where somebody gave the role more policies than its template did.
func deleteRole(s *Sim, c resourceCall) error {
	if r := c.Account.roles[c.PhysicalID]; r != nil {
		for _, arn := range r.Managed {
			if !slices.Contains(texts(c.Properties["ManagedPolicyArns"]), arn) {
				return handlerError(s, "Iam", http.StatusConflict, "GeneralServiceException", "Cannot delete entity, must detach all policies first.")
			}
		}
		policies, _ := c.Properties["Policies"].([]any)
		for name := range r.Policies {
			if !slices.ContainsFunc(policies, func(p any) bool { m, _ := p.(map[string]any); return textOf(m["PolicyName"]) == name }) {
				return handlerError(s, "Iam", http.StatusConflict, "GeneralServiceException", "Cannot delete entity, must delete policies first.")
			}
		}
	}
	delete(c.Account.roles, c.PhysicalID)
	return nil
}

func createManagedPolicy(s *Sim, c resourceCall) (resourceResult, error) {
	if err := properties(c, "PolicyDocument | ManagedPolicyName Path Description Groups Roles Users", &struct{}{}); err != nil {
		return resourceResult{}, err
	}
	doc, err := parsePolicy(c.Properties["PolicyDocument"])
	if err != nil {
		return resourceResult{}, handlerError(s, "Iam", 400, "InvalidRequest", err.Error())
	}
	arn := c.PhysicalID
	if arn == "" {
		name := textOf(c.Properties["ManagedPolicyName"])
		if name == "" {
			name = stackName(s, c, 128)
		}
		path := textOf(c.Properties["Path"])
		if path == "" {
			path = "/"
		}
		arn = "arn:" + s.world.partition + ":iam::" + c.Account.ID + ":policy" + path + name
		if _, taken := c.Account.managed[arn]; taken {
			return resourceResult{}, handlerError(s, "Iam", http.StatusConflict, "AlreadyExists", "A policy called "+name+" already exists. Duplicate names are not allowed.")
		}
	}
	if c.Account.managed == nil {
		c.Account.managed = map[string]policyDocument{}
	}
	c.Account.managed[arn] = doc
	for _, name := range texts(c.Properties["Roles"]) {
		r := c.Account.roles[name]
		if r == nil {
			if c.PhysicalID == "" {
				delete(c.Account.managed, arn)
			}
			return resourceResult{}, handlerError(s, "Iam", http.StatusNotFound, "NotFound", "The role with name "+name+" cannot be found.")
		}
		if !slices.Contains(r.Managed, arn) {
			r.Managed = append(slices.Clone(r.Managed), arn)
		}
	}
	return resourceResult{PhysicalID: arn, Attributes: map[string]any{"PolicyArn": arn}}, nil
}

// deleteManagedPolicy takes the policy off the roles that the stack put it on; one that
// somebody else attached keeps it (IAM API reference, DeletePolicy).
func deleteManagedPolicy(s *Sim, c resourceCall) error {
	mine := texts(c.Properties["Roles"])
	for _, name := range sortedKeys(c.Account.roles) {
		r := c.Account.roles[name]
		if !slices.Contains(r.Managed, c.PhysicalID) {
			continue
		}
		if !slices.Contains(mine, name) {
			return handlerError(s, "Iam", http.StatusConflict, "GeneralServiceException", "Cannot delete a policy attached to entities.")
		}
		r.Managed = slices.DeleteFunc(slices.Clone(r.Managed), func(arn string) bool { return arn == c.PhysicalID })
	}
	delete(c.Account.managed, c.PhysicalID)
	return nil
}

// createLinkedRole fails where the role is there already: since about 2023
// CloudFormation no longer adopts it (landing-zone-accelerator-on-aws#221).
func createLinkedRole(s *Sim, c resourceCall) (resourceResult, error) {
	if err := properties(c, "AWSServiceName | CustomSuffix Description", &struct{}{}); err != nil {
		return resourceResult{}, err
	}
	r, err := s.addServiceLinkedRole(c.Account, textOf(c.Properties["AWSServiceName"]), textOf(c.Properties["Description"]))
	var e *apiError
	if errors.As(err, &e) {
		code := "InvalidRequest"
		if strings.Contains(e.Message, "has been taken") {
			code = "AlreadyExists"
		}
		return resourceResult{}, handlerError(s, "Iam", e.Status, code, e.Message)
	}
	if err != nil {
		return resourceResult{}, err
	}
	return resourceResult{PhysicalID: r.Name, Attributes: map[string]any{"RoleName": r.Name}}, nil
}

func updateLinkedRole(_ *Sim, c resourceCall) (resourceResult, error) {
	if r := c.Account.roles[c.PhysicalID]; r != nil {
		r.Description = textOf(c.Properties["Description"])
	}
	return resourceResult{PhysicalID: c.PhysicalID, Attributes: map[string]any{"RoleName": c.PhysicalID}}, nil
}

func deleteLinkedRole(s *Sim, c resourceCall) error {
	if c.PhysicalID == serviceLinkedRoles[analyzerService] && c.Account.analyzes() {
		return linkedRoleInUse(s, c.PhysicalID)
	}
	if c.PhysicalID == serviceLinkedRoles["config.amazonaws.com"] {
		for _, name := range sortedKeys(c.Account.regions) {
			if rec := c.Account.regions[name].recorder; rec != nil && strings.HasSuffix(rec.RoleARN, "/"+c.PhysicalID) {
				return linkedRoleInUse(s, c.PhysicalID)
			}
		}
	}
	delete(c.Account.roles, c.PhysicalID)
	return nil
}

func linkedRoleInUse(s *Sim, name string) error {
	return handlerError(s, "Iam", 400, "GeneralServiceException", "Service linked role "+name+" is in use and cannot be deleted")
}

func createTopic(s *Sim, c resourceCall) (resourceResult, error) {
	if err := properties(c, "| TopicName DisplayName FifoTopic KmsMasterKeyId Subscription Tags ContentBasedDeduplication DataProtectionPolicy SignatureVersion TracingConfig", &struct{}{}); err != nil {
		return resourceResult{}, err
	}
	name := textOf(c.Properties["TopicName"])
	if name == "" {
		name = stackName(s, c, 256)
	}
	arn := "arn:" + s.world.partition + ":sns:" + c.Region.name + ":" + c.Account.ID + ":" + name
	if c.Region.topics[arn] {
		return resourceResult{}, statusReason(name + " already exists" + inStack(c.Region, arn))
	}
	if c.Region.topics == nil {
		c.Region.topics = map[string]bool{}
	}
	c.Region.topics[arn] = true
	return resourceResult{PhysicalID: arn, Attributes: map[string]any{"TopicArn": arn, "TopicName": name}}, nil
}

// inStack names the stack that has a resource; "" when none does (texts of status
// reasons of StackSet operations).
func inStack(r *regionState, physical string) string {
	for _, name := range sortedKeys(r.stacks) {
		for _, res := range r.stacks[name].Resources {
			if res.PhysicalID == physical && res.Status != "DELETE_COMPLETE" {
				return " in stack " + r.stacks[name].ID
			}
		}
	}
	return ""
}

func deleteTopic(_ *Sim, c resourceCall) error {
	delete(c.Region.topics, c.PhysicalID)
	topicGone(c.Region, c.PhysicalID)
	return nil
}

func updateTopic(_ *Sim, c resourceCall) (resourceResult, error) {
	name := c.PhysicalID[strings.LastIndexByte(c.PhysicalID, ':')+1:]
	return resourceResult{PhysicalID: c.PhysicalID, Attributes: map[string]any{"TopicArn": c.PhysicalID, "TopicName": name}}, nil
}

const documentProperties = "Content | Name DocumentType DocumentFormat Attachments Requires Tags TargetType UpdateMethod VersionName"

func createDocument(s *Sim, c resourceCall) (resourceResult, error) {
	return putDocument(s, c, "")
}

func putDocument(s *Sim, c resourceCall, name string) (resourceResult, error) {
	if err := properties(c, documentProperties, &struct{}{}); err != nil {
		return resourceResult{}, err
	}
	content := documentContent(c.Properties["Content"])
	if text, ok := c.Properties["Content"].(string); ok && content == nil {
		if yaml.Unmarshal([]byte(text), &content) != nil {
			content = nil
		}
	}
	if textOf(content["schemaVersion"]) == "" {
		return resourceResult{}, handlerError(s, "Ssm", 400, "InvalidRequest", "Content is not well-formed")
	}
	d := &ssmDocument{Type: textOf(c.Properties["DocumentType"]), Format: textOf(c.Properties["DocumentFormat"]), Version: "1", Content: content, Tags: map[string]string{}}
	if d.Type == "" {
		d.Type = "Command"
	}
	if d.Format == "" {
		d.Format = "JSON"
	}
	maps.Copy(d.Tags, c.Tags)
	if name == "" {
		if name = textOf(c.Properties["Name"]); name == "" {
			name = stackName(s, c, 128)
		}
		if c.Region.documents[name] != nil {
			return resourceResult{}, handlerError(s, "Ssm", 400, "AlreadyExists", "Document with name "+name+" already exists.")
		}
	} else if old := c.Region.documents[name]; old != nil {
		n, _ := strconv.Atoi(old.Version)
		d.Version = strconv.Itoa(n + 1)
		d.older, d.shared, old.older = old.versions(), old.shared, nil
	}
	d.Name = name
	c.Region.documents[name] = d
	return resourceResult{PhysicalID: name, Attributes: map[string]any{}}, nil
}

// documentReplaces: with UpdateMethod Replace, the default, a new document takes
// the place of the old one (AWS::SSM::Document, UpdateMethod).
func documentReplaces(_, after map[string]any) bool {
	return textOf(after["UpdateMethod"]) != "NewVersion"
}

func updateDocument(s *Sim, c resourceCall) (resourceResult, error) {
	return putDocument(s, c, c.PhysicalID)
}

func deleteDocument(_ *Sim, c resourceCall) error {
	delete(c.Region.documents, c.PhysicalID)
	return nil
}
