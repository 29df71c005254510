package templates

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// The parameters of recording that say what is recorded: RecordAll, or types with
// commas between them; those of IAM apart, for they are recorded in one Region only.
const (
	ParameterRecordedTypes       = "RecordedTypes"
	ParameterRecordedGlobalTypes = "RecordedGlobalTypes"
	RecordAll                    = "ALL"
)

// RecordedAnyway is recorded where no rule needs any type: AWS Config refuses a recorder
// that records nothing (InvalidRecordingGroupException, "every parameter is either null,
// false, or empty"), and periodic rules need a recorder all the same. There are few
// internet gateways, and one changes only when it is attached or let go.
const RecordedAnyway = "AWS::EC2::InternetGateway"

// recordable are the resource types that a recorder can be given by name.
var recordable = sync.OnceValue(func() []string { return strings.Fields(recordedTypesText) })

// Recordable says whether AWS Config records a resource type, as far as this version
// knows. The error names the nearest type where one is near.
func Recordable(resourceType string) (near string, ok bool) {
	if slices.Contains(recordable(), resourceType) {
		return "", true
	}
	return Nearest(resourceType, recordable()), false
}

// RecordedTypes are the resource types that have to be recorded for the rules that the
// template brings with these values to give verdicts, sorted. all says that a rule looks
// at types that nobody can tell from the template, so that every type has to be.
//
// A rule that runs by the clock asks the services themselves (developer guide, trigger
// types), but of IAM's types AWS wants one Region to record them, and Security Hub's guide
// says of some such rules that their types have to be recorded ("Required AWS Config
// resources for control findings"). So what a rule reports on is recorded, however it runs.
func (t Template) RecordedTypes(values map[string]string) (list []string, all bool) {
	if t.document == nil {
		return nil, false
	}
	e := newEvaluation(t.document, values)
	needed := map[string]bool{}
	for _, id := range t.document.ResourceOrder {
		r := t.document.Resources[id]
		if holds, known := e.condition(r.Condition); r.Condition != "" && known && !holds {
			continue
		}
		switch r.Type {
		case "AWS::Config::ConfigRule":
			types, every := e.recordedFor(r)
			all = all || every
			for _, t := range types {
				needed[t] = true
			}
		case "AWS::Config::ConformancePack", "AWS::Config::OrganizationConformancePack", "AWS::Config::OrganizationConfigRule":
			all = true
		}
	}
	return slices.Sorted(maps.Keys(needed)), all
}

// recordedFor are the types that a rule's resource needs.
func (e *evaluation) recordedFor(r Resource) (types []string, all bool) {
	rule, _ := e.rule(r) // one without a name looks at types all the same
	properties, _ := e.value(r.Properties).(map[string]any)
	scope, _ := properties["Scope"].(map[string]any)
	listed, given := scope["ComplianceResourceTypes"]
	switch items, known := listed.([]any); {
	case given && (!known || len(items) != len(rule.ResourceTypes)):
		return nil, true // which types follows from what is not known here
	case len(rule.ResourceTypes) > 0:
		return rule.ResourceTypes, false
	}
	if known, ok := configRules()[rule.Identifier]; ok {
		// The rules' pages name types of which AWS Config records none.
		return slices.DeleteFunc(slices.Clone(known.resourceTypes), func(t string) bool { return !slices.Contains(recordable(), t) }), false
	}
	return nil, !scheduled(properties)
}

// scheduled says that a custom rule runs by the clock only. What it looks at then, it
// reads from the services.
func scheduled(properties map[string]any) bool {
	source, _ := properties["Source"].(map[string]any)
	details, _ := source["SourceDetails"].([]any)
	for _, item := range details {
		detail, _ := item.(map[string]any)
		if detail["MessageType"] != "ScheduledNotification" {
			return false
		}
	}
	return len(details) > 0
}
