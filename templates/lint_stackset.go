package templates

import (
	"slices"
	"strings"
)

// extensions are the functions of the transform AWS::LanguageExtensions. Source:
// CloudFormation user guide, AWS::LanguageExtensions transform.
var extensions = []string{"Fn::Length", "Fn::ToJsonString"}

// checkStackSet says what a service-managed StackSet refuses, and what it wants
// acknowledged.
func (l *linter) checkStackSet() {
	for _, e := range l.root.entries {
		if e.key == "Transform" {
			l.say("RL101", e.at, "it has a Transform, which service-managed StackSets refuse")
		}
	}
	for _, r := range l.resources {
		switch {
		case r.kind == "AWS::CloudFormation::Stack":
			l.say("RL103", r.at, "%s is a nested stack, which service-managed StackSets refuse", r.id)
		case r.kind == "AWS::CloudFormation::Macro":
			l.say("RL107", r.at, "%s makes a macro, whose function an account has once in a Region", r.id)
		}
		if property, iam := iamNames[r.kind]; iam {
			capability := "CAPABILITY_IAM"
			if property != "" && r.props.has(property) {
				capability = "CAPABILITY_NAMED_IAM"
			}
			l.say("RL105", r.at, "%s (%s) needs the capability %s", r.id, r.kind, capability)
		}
	}
	l.root.walk(func(n *node) bool {
		for _, e := range n.entries {
			switch {
			case e.key == "Fn::Transform":
				what := e.value.get("Name").text
				if what == "" {
					what = "a macro"
				}
				l.say("RL102", e.at, "it uses Fn::Transform (%s), which service-managed StackSets refuse", what)
			case strings.HasPrefix(e.key, "Fn::ForEach"), slices.Contains(extensions, e.key):
				l.say("RL104", e.at, "%s works only with the transform AWS::LanguageExtensions, which service-managed StackSets refuse", e.key)
			}
		}
		return true
	})
}
