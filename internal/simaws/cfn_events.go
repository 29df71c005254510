package simaws

import (
	"net/http"
	"strings"
)

// checkEventRule is what PutRule and PutTargets refuse. Events are not delivered.
func checkEventRule(s *Sim, c resourceCall) error {
	p := c.Properties
	refuse := func(message string) error {
		return handlerError(s, "EventBridge", http.StatusBadRequest, "InvalidRequest", message)
	}
	bus := textOf(p["EventBusName"])
	custom := bus != "" && bus != "default" && !strings.HasSuffix(bus, ":event-bus/default")
	switch {
	case p["EventPattern"] == nil && textOf(p["ScheduleExpression"]) == "":
		// awsdocs/aws-cloudformation-user-guide#456
		return refuse("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case custom: // accounts here have the default bus only
		return notFound(s, "EventBridge", "Event bus "+bus+" does not exist.")
	}
	if why := eventPatternError(p["EventPattern"]); why != "" {
		return refuse("Event pattern is not valid. Reason: " + why)
	}
	targets, _ := p["Targets"].([]any)
	if len(targets) > 5 { // EventBridge user guide, Quotas: targets per rule
		return handlerError(s, "EventBridge", http.StatusBadRequest, "ServiceLimitExceeded", "The requested resource exceeds the maximum number allowed.")
	}
	seen := map[string]bool{}
	for _, x := range targets {
		target, _ := x.(map[string]any)
		id, arn, role := textOf(target["Id"]), textOf(target["Arn"]), textOf(target["RoleArn"])
		switch {
		case seen[id]:
			return refuse("Duplicate target id " + id + ".")
		case !strings.HasPrefix(arn, "arn:") || strings.Count(arn, ":") < 5:
			return refuse("Parameter " + arn + " is not valid. Reason: Provided Arn is not in correct format.")
		case strings.Contains(arn, ":event-bus/") && role == "" && !strings.HasPrefix(arn, fieldARN(s, c, "events:event-bus/")):
			// EventBridge user guide, sending events between accounts and between Regions.
			return refuse("RoleArn is required for target " + arn + ".")
		}
		seen[id] = true
	}
	return nil
}

// eventPatternError says why a pattern is none: its leaves are arrays, and not empty
// (EventBridge user guide, creating event patterns).
func eventPatternError(v any) string {
	if v == nil {
		return ""
	}
	pattern, ok := v.(map[string]any)
	if !ok {
		return "Filter is not an object"
	}
	if len(pattern) == 0 {
		return "Empty objects are not allowed"
	}
	for _, name := range sortedKeys(pattern) {
		switch field := pattern[name].(type) {
		case []any:
			if len(field) == 0 {
				return "Empty arrays are not allowed"
			}
		case map[string]any:
			if why := eventPatternError(field); why != "" {
				return why
			}
		default:
			return `"` + name + `" must be an object or an array`
		}
	}
	return ""
}

// ruleCalls: targets have calls of their own.
func ruleCalls(c resourceCall) (calls []string) {
	if c.Properties["Targets"] != nil {
		calls = append(calls, "events:PutTargets")
	}
	if c.PhysicalID != "" && c.Old["Targets"] != nil {
		calls = append(calls, "events:RemoveTargets")
	}
	return calls
}

// eventRuleTaken: the handler looks first, for PutRule would change the rule
// (aws-cloudformation/aws-cloudformation-resource-providers-events, CreateHandler).
func eventRuleTaken(s *Sim, _ resourceCall, name string) error {
	return handlerMessage(s, "AlreadyExists", name+" already exists")
}
