package simaws

import (
	"encoding/json"
	"strings"
)

// resource is the ARN that a call is about, "*" where the action knows none or is not
// looked at closer here. Source: the service authorization reference, resource types
// of IAM, CloudFormation, Systems Manager and AWS Config.
func (s *Sim) resource(c *call) string {
	a := s.world.accounts[c.Caller.Account]
	if a == nil {
		return "*"
	}
	own := func(service, what string) string {
		region := c.Region
		if service == "iam" {
			region = ""
		}
		return "arn:" + s.world.partition + ":" + service + ":" + region + ":" + a.ID + ":" + what
	}
	switch c.Service {
	case "iam":
		if name := c.Form.str("RoleName"); name != "" {
			if r := a.roles[name]; r != nil {
				return r.ARN
			}
			return own("iam", "role/"+name)
		}
		if source := c.Form.str("PolicySourceArn"); source != "" { // SimulatePrincipalPolicy's role, user or group
			return source
		}
	case "cloudformation":
		if name := c.Form.str("StackName"); strings.HasPrefix(name, "arn:") {
			return name
		} else if name != "" {
			if st := a.region(c.Region).stacks[name]; st != nil {
				return st.ID
			}
			return own("cloudformation", "stack/"+name+"/*")
		}
	case "ssm":
		var in struct{ Name, DocumentName string }
		if json.Unmarshal(c.Body, &in) == nil && in.Name+in.DocumentName != "" {
			name := in.Name + in.DocumentName
			if strings.HasPrefix(name, "arn:") {
				return name
			}
			return own("ssm", "document/"+name)
		}
	case "config":
		var in struct {
			ConfigRuleName string
			ConfigRule     struct{ ConfigRuleName string }
		}
		if json.Unmarshal(c.Body, &in) == nil {
			if r := a.region(c.Region).rules[in.ConfigRuleName+in.ConfigRule.ConfigRuleName]; r != nil && ruleActions[c.Action] {
				return r.ARN
			}
		}
	}
	return "*"
}

// resources are all the ARNs that a call is about: each has to be allowed. Only work on
// stack sets has several.
func (s *Sim) resources(c *call) []string {
	if c.Service == "cloudformation" && c.Form.has("StackSetName") {
		return s.setResources(c)
	}
	return []string{s.resource(c)}
}

// ruleActions are the actions of AWS Config that take a rule as their resource.
var ruleActions = map[string]bool{
	"DeleteConfigRule": true, "DeleteEvaluationResults": true, "GetComplianceDetailsByConfigRule": true, "PutConfigRule": true,
}
