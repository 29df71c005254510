package simaws

import (
	"encoding/json"
	"fmt"
	"maps"
	"sort"
	"strings"
	"time"
)

// ruleInput is a ConfigRule as PutConfigRule and CloudFormation send it.
type ruleInput struct {
	ConfigRuleName, ConfigRuleArn, ConfigRuleId, Description string
	Scope                                                    *struct {
		ComplianceResourceTypes                []string
		ComplianceResourceId, TagKey, TagValue string
	}
	Source *struct {
		Owner, SourceIdentifier string
		SourceDetails           []any
		CustomPolicyDetails     map[string]any
	}
	// InputParameters is JSON text on the wire, an object in a template.
	InputParameters           any
	MaximumExecutionFrequency string
	ConfigRuleState           string
}

type ruleNames struct {
	ConfigRuleNames []string
	NextToken       string
	Limit           *int
	ComplianceTypes []string
	Filters         struct{ EvaluationMode string }
}

// pickRules chooses by names, all without names, sorted by name. One unknown
// name fails the call.
func pickRules(r *regionState, names []string) ([]*configRule, error) {
	if err := tooMany("configRuleNames", len(names), 25); err != nil {
		return nil, err
	}
	if len(names) == 0 {
		names = sortedKeys(r.rules)
	}
	var out []*configRule
	seen := map[string]bool{}
	for _, name := range names {
		rule := r.rules[name]
		if rule == nil {
			return nil, noSuchRule(name)
		}
		if !seen[name] {
			seen[name] = true
			out = append(out, rule)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, nil
}

func describeRules(s *Sim, c *call) (any, error) {
	var in ruleNames
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	picked, err := pickRules(r, in.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	if in.Filters.EvaluationMode == "PROACTIVE" {
		picked = nil // every rule here looks at what is there
	}
	page, next, err := pageOf(picked, 25, in.NextToken)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, rule := range page {
		source := map[string]any{"Owner": orElse(rule.Owner, "AWS")}
		setText(source, "SourceIdentifier", rule.Identifier)
		maps.Copy(source, rule.Source)
		m := map[string]any{
			"ConfigRuleName": rule.Name, "ConfigRuleArn": rule.ARN, "ConfigRuleId": rule.ID, "ConfigRuleState": orElse(rule.State, "ACTIVE"),
			"Source": source, "EvaluationModes": []any{map[string]any{"Mode": "DETECTIVE"}},
		}
		setText(m, "Description", rule.Description)
		setText(m, "CreatedBy", rule.CreatedBy)
		setText(m, "MaximumExecutionFrequency", rule.Frequency)
		scope := map[string]any{}
		if len(rule.ScopeTypes) > 0 {
			scope["ComplianceResourceTypes"] = rule.ScopeTypes
		}
		setText(scope, "ComplianceResourceId", rule.ScopeID)
		setText(scope, "TagKey", rule.ScopeKey)
		setText(scope, "TagValue", rule.ScopeValue)
		if len(scope) > 0 {
			m["Scope"] = scope
		}
		if len(rule.InputParameters) > 0 {
			text, err := json.Marshal(rule.InputParameters)
			if err != nil {
				return nil, err
			}
			m["InputParameters"] = string(text)
		}
		list = append(list, m)
	}
	out := map[string]any{"ConfigRules": list}
	setText(out, "NextToken", next)
	return out, nil
}

func describeEvaluationStatus(s *Sim, c *call) (any, error) {
	var in ruleNames
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	limit, err := limitOf(in.Limit, 50, 50, "limit")
	if err != nil {
		return nil, err
	}
	picked, err := pickRules(r, in.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(picked, limit, in.NextToken)
	if err != nil {
		return nil, err
	}
	list := []any{}
	for _, rule := range page {
		m := map[string]any{
			"ConfigRuleName": rule.Name, "ConfigRuleArn": rule.ARN, "ConfigRuleId": rule.ID,
			"FirstEvaluationStarted": rule.firstEvaluated || !rule.lastInvoked.IsZero(),
		}
		setTime(m, "FirstActivatedTime", rule.Created)
		setTime(m, "LastSuccessfulInvocationTime", rule.lastSuccess)
		setTime(m, "LastSuccessfulEvaluationTime", rule.lastSuccess)
		setTime(m, "LastFailedInvocationTime", rule.lastFailure)
		setTime(m, "LastFailedEvaluationTime", rule.lastFailure)
		setText(m, "LastErrorCode", rule.errorCode)
		setText(m, "LastErrorMessage", rule.errorMessage)
		list = append(list, m)
	}
	out := map[string]any{"ConfigRulesEvaluationStatus": list}
	setText(out, "NextToken", next)
	return out, nil
}

func putRuleCall(s *Sim, c *call) (any, error) {
	var in struct {
		ConfigRule *ruleInput
		Tags       []configTag
	}
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	if in.ConfigRule == nil {
		return nil, missing("configRule")
	}
	_, r := s.place(c)
	if name := in.ConfigRule.ConfigRuleName; name == "" {
		for _, rule := range r.rules {
			if in.ConfigRule.ConfigRuleArn != "" && rule.ARN == in.ConfigRule.ConfigRuleArn || in.ConfigRule.ConfigRuleId != "" && rule.ID == in.ConfigRule.ConfigRuleId {
				in.ConfigRule.ConfigRuleName = rule.Name
			}
		}
	}
	if rule := r.rules[in.ConfigRule.ConfigRuleName]; rule != nil && rule.CreatedBy != "" {
		return nil, fail(400, "InsufficientPermissionsException", "You cannot modify a service-linked AWS Config rule. Created by: "+rule.CreatedBy+".")
	}
	created := r.rules[in.ConfigRule.ConfigRuleName] == nil
	rule, err := s.putRule(r, *in.ConfigRule)
	if err == nil && created { // tags of a later call are ignored
		r.config.tag(rule.ARN, in.Tags)
	}
	return map[string]any{}, err
}

// putRule creates a rule or, under the same name, changes it; either way it is
// evaluated anew.
func (s *Sim) putRule(r *regionState, in ruleInput) (*configRule, error) {
	if r.recorder == nil || r.recorder.ServicePrincipal != "" {
		return nil, fail(400, "NoAvailableConfigurationRecorderException", "Configuration recorder is not available to put config rule.")
	}
	if in.ConfigRuleName == "" || len(in.ConfigRuleName) > 128 {
		return nil, fail(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%s' at 'configRule.configRuleName' failed to satisfy constraint: "+
			"Member must have length between 1 and 128", in.ConfigRuleName))
	}
	if in.Source == nil || in.Source.Owner == "" {
		return nil, missing("configRule.source")
	}
	if err := in.checkSource(); err != nil {
		return nil, err
	}
	if err := in.checkScope(); err != nil {
		return nil, err
	}
	if in.Source.Owner == "AWS" {
		if err := in.checkTrigger(); err != nil {
			return nil, err
		}
	}
	if in.Source.Owner == "AWS" && len(in.Source.SourceDetails) > 0 {
		return nil, invalidParameter("SourceDetails should be null/empty if the Owner is AWS. SourceDetails should be specified if the Owner is CUSTOM_LAMBDA.")
	}
	parameters, err := ruleParameters(in.InputParameters)
	if err != nil {
		return nil, err
	}
	if managed, evaluated := managedRules[in.Source.SourceIdentifier]; evaluated && in.Source.Owner == "AWS" {
		if err := managed.checkParameters(parameters); err != nil {
			return nil, err
		}
	}
	rule := r.rules[in.ConfigRuleName]
	if rule != nil && rule.State == "DELETING" {
		return nil, ruleGoing(rule.Name)
	}
	if rule == nil {
		if len(r.rules) >= 1000 {
			return nil, fail(400, "MaxNumberOfConfigRulesExceededException",
				fmt.Sprintf("Failed to put config rule '%s' because the maximum number of config rules: 1000 is reached.", in.ConfigRuleName))
		}
		id := "config-rule-" + s.ids.alnum(6)
		rule = &configRule{
			Name: in.ConfigRuleName, ID: id, Created: s.clock.Now(),
			ARN: "arn:" + s.world.partition + ":config:" + r.name + ":" + r.account + ":config-rule/" + id,
		}
		r.rules[in.ConfigRuleName] = rule
	}
	rule.Owner, rule.Identifier, rule.Description = in.Source.Owner, in.Source.SourceIdentifier, in.Description
	rule.InputParameters, rule.Frequency, rule.ScopeTypes = parameters, in.MaximumExecutionFrequency, nil
	rule.ScopeID, rule.ScopeKey, rule.ScopeValue, rule.Source = "", "", "", nil
	if in.Scope != nil {
		rule.ScopeTypes = in.Scope.ComplianceResourceTypes
		rule.ScopeID, rule.ScopeKey, rule.ScopeValue = in.Scope.ComplianceResourceId, in.Scope.TagKey, in.Scope.TagValue
	}
	if in.Source.Owner == "CUSTOM_POLICY" { // the policy's text is not shown
		details := maps.Clone(in.Source.CustomPolicyDetails)
		rule.policy = textOf(details["PolicyText"])
		delete(details, "PolicyText")
		rule.Source = map[string]any{"CustomPolicyDetails": details}
		if len(in.Source.SourceDetails) > 0 {
			rule.Source["SourceDetails"] = in.Source.SourceDetails
		}
	}
	s.ruleCreated(r, rule)
	return rule, nil
}

// checkSource holds a rule's source to its owner. The simulated organization has
// no Lambda functions, so that one can never be invoked.
func (in ruleInput) checkSource() error {
	switch in.Source.Owner {
	case "CUSTOM_LAMBDA":
		if in.Source.SourceIdentifier == "" {
			return invalidParameter("SourceIdentifier should not be null/empty if the Owner is CUSTOM_LAMBDA.")
		}
		return fail(400, "InsufficientPermissionsException", "The AWS Lambda function "+in.Source.SourceIdentifier+" cannot be invoked. Check the specified function ARN, and check the function's permissions.")
	case "CUSTOM_POLICY":
		if in.Source.CustomPolicyDetails == nil {
			return invalidParameter("CustomPolicyDetails should not be null/empty if the Owner is CUSTOM_POLICY.")
		}
		if in.Source.SourceIdentifier != "" {
			return invalidParameter("SourceIdentifier should be null/empty if the Owner is CUSTOM_POLICY.")
		}
	default:
		if in.Source.CustomPolicyDetails != nil {
			return invalidParameter("CustomPolicyDetails should be null/empty if the Owner is AWS.")
		}
	}
	return nil
}

// checkScope: "if you specify a resource ID, you must specify one resource type
// for ComplianceResourceTypes", "if you specify a value for TagValue, you must
// also specify a value for TagKey" (API page of Scope).
func (in ruleInput) checkScope() error {
	switch scope := in.Scope; {
	case scope == nil:
	case scope.ComplianceResourceId != "" && len(scope.ComplianceResourceTypes) != 1:
		return invalidParameter("ComplianceResourceId needs exactly one resource type in ComplianceResourceTypes.")
	case scope.TagValue != "" && scope.TagKey == "":
		return invalidParameter("TagValue needs a TagKey.")
	case scope.TagKey != "" && scope.ComplianceResourceId != "":
		return invalidParameter("A scope has either a resource or a tag.")
	}
	return nil
}

// checkTrigger holds a managed rule to what makes it run: one that runs by the clock
// only has no scope, which AWS refuses since February 2025
// (cloud-custodian/cloud-custodian#10008; its words are not known), one that runs on
// changes only no frequency (trussworks/terraform-aws-config#171).
func (in ruleInput) checkTrigger() error {
	switch kinds, known := triggers()[in.Source.SourceIdentifier]; {
	case !known:
		return invalidParameter("The sourceIdentifier " + in.Source.SourceIdentifier + " is invalid.  Please refer to the documentation for a list of valid sourceIdentifiers that can be used when AWS is the Owner.")
	case kinds == "p" && in.Scope != nil:
		return invalidParameter("A scope for this rule is not allowed because only a periodic frequency triggers this managed rule.")
	case kinds == "c" && in.MaximumExecutionFrequency != "":
		return invalidParameter("A maximum execution frequency for this rule is not allowed because only a change in resources triggers this managed rule.")
	}
	return nil
}

// covers says whether a resource is in the rule's scope.
func (rule *configRule) covers(item configItem) bool {
	if rule.ScopeID != "" && rule.ScopeID != item.ID {
		return false
	}
	value, tagged := item.Tags[rule.ScopeKey]
	return rule.ScopeKey == "" || tagged && (rule.ScopeValue == "" || rule.ScopeValue == value)
}

func invalidParameter(message string) error {
	return fail(400, "InvalidParameterValueException", message)
}

// ruleParameters reads InputParameters: JSON text of an object of texts.
func ruleParameters(v any) (map[string]string, error) {
	object, isObject := v.(map[string]any)
	if text, isText := v.(string); isText && strings.TrimSpace(text) != "" {
		if json.Unmarshal([]byte(text), &object) != nil {
			return nil, invalidParameter("Invalid json " + text + " passed in the InputParameters.")
		}
		isObject = true
	}
	if !isObject || len(object) == 0 {
		return nil, nil
	}
	out := map[string]string{}
	for _, k := range sortedKeys(object) {
		// A number or a boolean that is no text is refused in the same words
		// (getmoto/moto, PutConfigRule: seen with "MinimumPasswordLength":10).
		text, isText := object[k].(string)
		if !isText || strings.TrimSpace(text) == "" {
			return nil, invalidParameter("Blank spaces are not acceptable for input parameter: " + k + ".")
		}
		out[k] = text
	}
	return out, nil
}

func deleteRuleCall(s *Sim, c *call) (any, error) {
	var in struct{ ConfigRuleName string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if rule := r.rules[in.ConfigRuleName]; rule != nil && rule.CreatedBy != "" {
		return nil, fail(400, "ResourceInUseException", "You cannot delete a service-linked AWS Config rule. Created by: "+rule.CreatedBy+".")
	}
	rule := r.rules[in.ConfigRuleName]
	if rule != nil && rule.State == "DELETING" {
		return nil, ruleGoing(rule.Name)
	}
	if err := s.mayDeleteRule(rule, in.ConfigRuleName); err != nil {
		return nil, err
	}
	// "AWS Config sets the state of a rule to DELETING until the deletion is
	// complete. You cannot update a rule while it is in this state."
	rule.State = "DELETING"
	s.clock.after(ruleDeletion, func() {
		if r.rules[rule.Name] == rule {
			s.dropRule(r, rule)
		}
	})
	return map[string]any{}, nil
}

func ruleGoing(name string) error {
	return fail(400, "ResourceInUseException", "The rule "+name+" is currently being deleted. Please retry after some time")
}

func (s *Sim) mayDeleteRule(rule *configRule, name string) error {
	if rule == nil {
		return noSuchRule(name)
	}
	if rule.remediation != nil {
		return fail(400, "ResourceInUseException", "The rule has a remediation action associated with it. Delete the remediation action associated with the rule before deleting the rule and try again.")
	}
	return nil
}

// deleteRule is DeleteConfigRule and the wait for its end, as CloudFormation does.
func (s *Sim) deleteRule(r *regionState, name string) error {
	rule := r.rules[name]
	if err := s.mayDeleteRule(rule, name); err != nil {
		return err
	}
	s.dropRule(r, rule)
	return nil
}

// startEvaluation serves StartConfigRulesEvaluation: at most 25 rules, each at
// most once a minute and not while an evaluation that was asked for is going on.
func startEvaluation(s *Sim, c *call) (any, error) {
	var in ruleNames
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if len(in.ConfigRuleNames) == 0 {
		return nil, invalidParameter("ConfigRuleNames must not be empty.")
	}
	picked, err := pickRules(r, in.ConfigRuleNames)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	for _, rule := range picked {
		if rule.State == "DELETING" {
			return nil, fail(400, "ResourceInUseException", "The rule is currently being deleted: "+rule.Name)
		}
		if rule.evaluations > 0 || !rule.lastAsked.IsZero() && now.Sub(rule.lastAsked) < time.Minute {
			return nil, fail(400, "LimitExceededException", "You have reached the limit of the number of evaluations that can be started: an evaluation of rule "+rule.Name+" is in progress or was started less than a minute ago.")
		}
	}
	for _, rule := range picked {
		rule.lastAsked = now
		s.evaluateLater(r, rule, askedEvaluation)
	}
	return map[string]any{}, nil
}
