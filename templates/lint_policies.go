package templates

import (
	"slices"
	"strings"
)

// deputies are the services that say for whom they act when they assume a role, by
// aws:SourceAccount or aws:SourceArn. Source: each one's page on cross-service
// confused deputy prevention. EC2 and Lambda do not (prowler#2810).
var deputies = []string{
	"bedrock.amazonaws.com", "cloudtrail.amazonaws.com", "codebuild.amazonaws.com", "config.amazonaws.com",
	"datasync.amazonaws.com", "events.amazonaws.com", "firehose.amazonaws.com", "logs.amazonaws.com",
	"monitoring.rds.amazonaws.com", "pipes.amazonaws.com", "scheduler.amazonaws.com", "ssm.amazonaws.com",
	"states.amazonaws.com", "transfer.amazonaws.com", "vpc-flow-logs.amazonaws.com",
}

// deliverers are the services that say the same when they use a bucket, a topic or
// a queue. Source: the pages that give their resource policies.
var deliverers = []string{
	"budgets.amazonaws.com", "cloudtrail.amazonaws.com", "cloudwatch.amazonaws.com", "config.amazonaws.com",
	"delivery.logs.amazonaws.com", "logging.s3.amazonaws.com", "s3.amazonaws.com", "sns.amazonaws.com",
}

// sources are the condition keys that tell a service's customer.
var sources = []string{"aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths", "sts:externalid"}

// statement is one statement of a policy.
type statement struct {
	at         *node
	allow      bool
	actions    []string // those written out
	notActions []string // likewise
	unknown    bool     // some action is not written out
	resources  *node
	services   []string // of its principal
	anybody    bool     // its principal is *
	conditions []string // the condition keys, in lower case
	condition  *node
}

// statements are those of a policy document.
func statements(policy *node) []statement {
	var all []statement
	for _, o := range policy.options() {
		for _, n := range o.get("Statement").each() {
			all = append(all, readStatement(n))
		}
	}
	return all
}

func readStatement(n *node) statement {
	s := statement{at: n, allow: n.get("Effect").text == "Allow", resources: n.get("Resource"), condition: n.get("Condition")}
	for key, list := range map[string]*[]string{"Action": &s.actions, "NotAction": &s.notActions} {
		for _, a := range n.get(key).each() {
			if a.scalar() {
				*list = append(*list, a.text)
			} else {
				s.unknown = true
			}
		}
	}
	principal := n.get("Principal")
	s.anybody = principal.text == "*" || slices.Contains(principal.get("AWS").literals(), "*")
	for _, service := range principal.get("Service").each() {
		name := service.text
		if _, argument := service.function(); name == "" {
			name = argument.text // !Sub "logs.${AWS::Region}.amazonaws.com"
		}
		name = strings.NewReplacer("${AWS::URLSuffix}", "amazonaws.com", "${AWS::Region}.", "").Replace(name)
		s.services = append(s.services, name)
	}
	for _, o := range s.condition.options() {
		for _, operator := range o.entries {
			for _, o := range operator.value.options() {
				for _, e := range o.entries {
					s.conditions = append(s.conditions, strings.ToLower(e.key))
				}
			}
		}
	}
	return s
}

// on says whether the statement's resources are everything.
func (s statement) onEverything() bool { return slices.Contains(s.resources.literals(), "*") }

// covers says whether the statement's actions have the action ("s3:PutObject"). What
// is not written out might.
func (s statement) covers(action string) bool {
	action = strings.ToLower(action)
	if len(s.notActions) > 0 {
		return !slices.ContainsFunc(s.notActions, func(a string) bool { return wild(strings.ToLower(a), action) })
	}
	return s.unknown || slices.ContainsFunc(s.actions, func(a string) bool { return wild(strings.ToLower(a), action) })
}

// wild says whether a pattern with * and ? matches the whole of s.
func wild(pattern, s string) bool {
	at, back, kept := 0, -1, 0
	i := 0
	for at < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			back, kept = i, at
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == s[at]):
			i++
			at++
		case back >= 0:
			kept++
			i, at = back+1, kept
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// checkPolicies looks at every policy document, wherever it stands.
func (l *linter) checkPolicies() {
	for _, r := range l.resources {
		r.props.walk(func(n *node) bool {
			for _, e := range n.entries {
				if e.value.get("Statement").empty() {
					continue
				}
				version := e.value.get("Version")
				if e.key != "Content" && version.text != "2012-10-17" {
					l.say("RL206", e.at, "the policy %s of %s is of %s", e.key, r.id, orOld(version.text))
				}
				for _, s := range statements(e.value) {
					if s.allow {
						l.checkStatement(r, e.key, s)
					}
				}
			}
			return true
		})
	}
}

func orOld(version string) string {
	if version == "" {
		return "version 2008-10-17, for it names none"
	}
	return "version " + version
}

func (l *linter) checkStatement(r lintResource, document string, s statement) {
	trust := document == "AssumeRolePolicyDocument"
	told := slices.ContainsFunc(s.conditions, func(key string) bool { return slices.Contains(sources, key) })
	owned := trust || r.kind == "AWS::KMS::Key" || len(s.services) > 0 || s.anybody
	if slices.Contains(s.actions, "*") && s.onEverything() && !owned {
		l.say("RL201", s.at, "a statement of %s allows every action on everything", r.id)
	}
	for _, service := range s.services {
		switch {
		case told:
		case trust && slices.Contains(deputies, service):
			l.say("RL202", s.at, "%s lets %s assume it for whoever asks that service: no condition on aws:SourceAccount or aws:SourceArn", r.id, service)
		case !trust && r.kind != "AWS::KMS::Key" && slices.Contains(deliverers, service):
			l.say("RL203", s.at, "%s lets %s in for whoever asks that service: no condition on aws:SourceAccount, aws:SourceArn or aws:SourceOrgID", r.id, service)
		}
	}
	passes := slices.ContainsFunc(s.actions, func(a string) bool { return strings.HasPrefix(strings.ToLower(a), "iam:pass") })
	if passes && !slices.Contains(s.conditions, "iam:passedtoservice") {
		l.say("RL204", s.at, "a statement of %s may pass a role to any service: no condition on iam:PassedToService", r.id)
	}
	if s.anybody && len(s.conditions) == 0 {
		l.say("RL205", s.at, "a statement of %s allows anybody in the world", r.id)
	}
}
