package templates

import (
	"slices"
	"strings"
)

// actionCalls are the IAM actions of steps that call AWS by themselves. Source:
// Systems Manager user guide, Automation actions reference.
var actionCalls = map[string][]string{
	"aws:executeAutomation":    {"ssm:StartAutomationExecution", "ssm:GetAutomationExecution"},
	"aws:invokeLambdaFunction": {"lambda:InvokeFunction"},
	"aws:executeStateMachine":  {"states:StartExecution", "states:DescribeExecution"},
	"aws:runCommand":           {"ssm:SendCommand", "ssm:ListCommands", "ssm:ListCommandInvocations"},
	"aws:createStack":          {"cloudformation:CreateStack", "cloudformation:DescribeStacks"},
	"aws:deleteStack":          {"cloudformation:DeleteStack", "cloudformation:DescribeStacks"},
}

// rolePassing are the parameters by which a call hands a role to a service, which
// wants iam:PassRole. Source: the pages of those calls.
var rolePassing = map[string]string{
	"ec2:CreateFlowLogs": "DeliverLogsPermissionArn", "ec2:RunInstances": "IamInstanceProfile",
	"ec2:AssociateIamInstanceProfile": "IamInstanceProfile", "lambda:CreateFunction": "Role",
	"lambda:UpdateFunctionConfiguration": "Role", "config:PutConfigurationRecorder": "roleARN",
	"cloudformation:CreateStack": "RoleARN", "cloudtrail:CreateTrail": "CloudWatchLogsRoleArn",
	"cloudtrail:UpdateTrail": "CloudWatchLogsRoleArn", "rds:ModifyDBInstance": "MonitoringRoleArn",
	"events:PutTargets": "RoleArn", "ssm:StartAutomationExecution": "AutomationAssumeRole", "ssm:SendCommand": "ServiceRoleArn",
	"s3:PutBucketReplication": "Role", "dms:CreateReplicationInstance": "RoleArn",
}

// callsOf are the calls that the steps of a make.
func callsOf(a ssmDocument) []apiCall {
	var all []apiCall
	for _, s := range a.steps {
		inputs := s.get("inputs")
		if actions := actionCalls[s.get("action").text]; len(actions) > 0 {
			all = append(all, apiCall{"", s.get("action").text, actions, or(s.get("action"), s.node)})
		}
		if name, api := inputs.get("Service"), inputs.get("Api"); name.scalar() && api.scalar() {
			if found, known := services()[name.text]; known && found.actions != nil {
				if operation, there := found.operation(strings.ToLower(api.text)); there {
					call := apiCall{name.text, operation, found.actions[operation], api}
					if parameter, passes := rolePassing[name.text+":"+operation]; passes && inputs.has(parameter) {
						call.actions = append(slices.Clone(call.actions), "iam:PassRole")
					}
					all = append(all, call)
				}
			}
		}
		if script := inputs.get("Script"); script.scalar() && strings.HasPrefix(inputs.get("Runtime").text, "python") {
			calls, _ := scriptCalls(script)
			for _, call := range calls {
				if parameter, passes := rolePassing[call.service+":"+call.operation]; passes && strings.Contains(script.text, parameter) {
					call.actions = append(slices.Clone(call.actions), "iam:PassRole")
				}
				all = append(all, call)
			}
		}
	}
	return all
}

// checkPermissions holds the calls of a document against the role that it runs as,
// where the template has that role and all of its policies are written in it.
func (l *linter) checkPermissions(a ssmDocument) {
	for _, role := range l.rolesOf(a) {
		allowed, complete := l.policiesOf(role)
		if !complete {
			continue
		}
		calls := callsOf(a)
		for _, call := range calls {
			for _, action := range call.actions {
				if !slices.ContainsFunc(allowed, func(s statement) bool { return s.covers(action) }) {
					l.say("RL417", call.at, "%s calls %s, and its role %s lacks %s", a.id, call.operation, role.id, action)
				}
			}
		}
		if len(l.automations()) > 1 {
			continue // another document may need the rest
		}
		for _, s := range allowed {
			for _, action := range s.actions {
				if !strings.ContainsAny(action, "*?") && !l.needs(calls, action) {
					l.say("RL418", s.at, "the role %s may %s, which no step of %s calls", role.id, action, a.id)
				}
			}
		}
	}
}

// alongside are actions that calls need because of what they act on, not by name:
// encrypted objects, logs that are delivered.
var alongside = []string{"kms:", "logs:createlogdelivery", "logs:deletelogdelivery", "iam:passrole", "iam:createservicelinkedrole"}

func (l *linter) needs(calls []apiCall, action string) bool {
	if slices.ContainsFunc(alongside, func(prefix string) bool { return strings.HasPrefix(strings.ToLower(action), prefix) }) {
		return true
	}
	for _, call := range calls {
		if len(call.actions) == 0 { // nobody knows what it needs
			return true
		}
		if slices.ContainsFunc(call.actions, func(a string) bool { return strings.EqualFold(a, action) }) {
			return true
		}
	}
	return false
}

// rolesOf are the roles of this template that a document runs as: those that a
// remediation hands it, or the one that it names itself, or else the only one that
// Systems Manager may assume.
func (l *linter) rolesOf(a ssmDocument) []lintResource {
	var roles []lintResource
	add := func(n *node) {
		for _, name := range n.names() {
			if r, there := l.resource(name.name); there && r.kind == "AWS::IAM::Role" && !slices.ContainsFunc(roles, func(x lintResource) bool { return x.id == r.id }) {
				roles = append(roles, r)
			}
		}
	}
	add(a.content.get("assumeRole"))
	for _, r := range l.of("AWS::Config::RemediationConfiguration") {
		if d, ok := l.documentOf(r); ok && d.id == a.id {
			add(r.props.get("Parameters").get("AutomationAssumeRole"))
		}
	}
	if len(roles) > 0 {
		return roles
	}
	for _, r := range l.of("AWS::IAM::Role") {
		if slices.ContainsFunc(statements(r.props.get("AssumeRolePolicyDocument")), func(s statement) bool { return slices.Contains(s.services, "ssm.amazonaws.com") }) {
			roles = append(roles, r)
		}
	}
	if len(roles) != 1 {
		return nil
	}
	return roles
}

// policiesOf are the statements that allow a role something; complete says that
// there are no others than those in this template.
func (l *linter) policiesOf(role lintResource) (allowed []statement, complete bool) {
	if !role.props.get("ManagedPolicyArns").empty() {
		for _, arn := range role.props.get("ManagedPolicyArns").each() {
			if r, there := l.resource(arn.ref()); !there || r.kind != "AWS::IAM::ManagedPolicy" {
				return nil, false
			}
		}
	}
	add := func(document *node) {
		for _, s := range statements(document) {
			if s.allow {
				allowed = append(allowed, s)
			}
		}
	}
	for _, p := range role.props.get("Policies").each() {
		add(p.get("PolicyDocument"))
	}
	for _, r := range l.resources {
		attached := r.props.get("Roles").mentions(role.id) || r.props.get("RoleName").mentions(role.id)
		switch r.kind {
		case "AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::ManagedPolicy":
			if attached || role.props.get("ManagedPolicyArns").mentions(r.id) {
				add(r.props.get("PolicyDocument"))
			}
		}
	}
	return allowed, true
}
