package simaws

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

const rcpType = "RESOURCE_CONTROL_POLICY"

// fullResourceAccess is AWS's own resource control policy: attached to everything
// while the type is on, and never to be detached (user guide, "RCP evaluation").
const fullResourceAccess = "p-RCPFullAWSAccess"

// rcpServices are the prefixes of the services whose resources such policies are about
// (Organizations user guide, "List of AWS services that support RCPs", 2026).
var rcpServices = strings.Fields(`
	appstream dsql clouddirectory cloudfront cloudsearch logs networkmonitor cognito-identity cognito-idp comprehend
	comprehendmedical firehose dynamodb dax autoscaling ecr ecr-public gamelift inspector-scan kendra kinesisvideo memorydb
	aoss personalize polly s3 swf sqs textract timestream-influxdb transcribe translate workspaces appconfig
	autoscaling-plans budgets servicediscovery cloudtrail-data codeartifact codebuild codecommit codepipeline
	compute-optimizer cost-optimization-hub events fms fis health rolesanywhere kms opensearch pricing pca-connector-ad
	resource-groups secretsmanager sts signin support transfer notifications wafv2 xray`)

// ceiling is what the policies of an organization make of an access, and which kind of
// them decided.
type ceiling struct {
	decision
	kind string
}

// why words a refusal as AWS does (IAM user guide, "Access denied error messages").
func (c ceiling) why(action string) string {
	if c.decision == decisionDeny {
		return "with an explicit deny in a " + c.kind
	}
	return fmt.Sprintf("because no %s allows the %s action", c.kind, action)
}

// resourcePolicies says whether a resource control policy denies an access to what an
// account has. They bind whoever asks, from wherever, and no service-linked role (which
// is seen to before); what is in the management account they leave alone.
func (s *Sim) resourcePolicies(accountID string, a access) bool {
	service, _, _ := strings.Cut(a.Action, ":")
	if !slices.Contains(rcpServices, service) || strings.EqualFold(a.Action, "kms:RetireGrant") {
		return false
	}
	return s.byLevel(accountID, rcpType, a) == decisionDeny
}

// ownerOf is the account whose resource an access is to: the one that its ARN names, or
// that has the bucket, else the caller's.
func (s *Sim) ownerOf(resource, caller string) string {
	part := strings.SplitN(resource, ":", 6)
	if len(part) < 6 {
		return caller
	}
	if part[2] == "s3" {
		name, _, _ := strings.Cut(part[5], "/")
		if b := s.world.globalBuckets[name]; b != nil {
			return b.Owner
		}
	}
	if s.world.accounts[part[4]] != nil {
		return part[4]
	}
	return caller
}

// organizationContext adds to the condition keys of an access those about who asks and
// whose the resource is (IAM user guide, "AWS global condition context keys"), and the
// version of TLS, of which every caller here has the newest.
func (s *Sim) organizationContext(caller, owner, roleARN string, a access) map[string]string {
	context := map[string]string{"aws:principalaccount": caller, "aws:resourceaccount": owner, "aws:principalisawsservice": "false",
		"aws:securetransport": "true", "aws:currenttime": s.clock.Now().UTC().Format(time.RFC3339)}
	if roleARN != "" {
		context["aws:principalarn"], context["aws:principaltype"] = roleARN, "AssumedRole"
	}
	if strings.HasPrefix(a.Action, "s3:") {
		context["s3:tlsversion"] = "1.3"
	}
	for prefix, id := range map[string]string{"aws:principal": caller, "aws:resource": owner} {
		if a := s.world.accounts[id]; a != nil && !s.opts.NoOrganization {
			context[prefix+"orgid"] = s.world.orgID
			context[prefix+"orgpaths"] = s.world.path(a.ParentID, "")
		}
	}
	for k, v := range globally(a.Action, a.Context) {
		context[k] = v
	}
	return context
}
