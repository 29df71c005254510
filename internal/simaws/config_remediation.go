package simaws

import (
	"fmt"
)

// remediationInput is a RemediationConfiguration as the API and CloudFormation
// send it; a template may give numbers and booleans as text.
type remediationInput struct {
	ConfigRuleName, TargetType, TargetID, TargetVersion, ResourceType string

	Parameters map[string]struct {
		StaticValue   *struct{ Values, Value []string }
		ResourceValue *struct{ Value string }
	}
	Automatic         bool
	ExecutionControls *struct {
		SsmControls *struct{ ConcurrentExecutionRatePercentage, ErrorPercentage *int }
	}
	MaximumAutomaticAttempts, RetryAttemptSeconds *int
}

func describeRemediations(s *Sim, c *call) (any, error) {
	var in ruleNames
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	if len(in.ConfigRuleNames) == 0 {
		return nil, missing("configRuleNames")
	}
	if err := tooMany("configRuleNames", len(in.ConfigRuleNames), 25); err != nil {
		return nil, err
	}
	list := []any{}
	for _, name := range in.ConfigRuleNames { // unknown rules are left out, no error
		if rule := r.rules[name]; rule != nil && rule.remediation != nil {
			list = append(list, remediationJSON(rule))
		}
	}
	return map[string]any{"RemediationConfigurations": list}, nil
}

func remediationJSON(rule *configRule) map[string]any {
	rem := rule.remediation
	parameters := map[string]any{}
	for name, values := range rem.Static {
		parameters[name] = map[string]any{"StaticValue": map[string]any{"Values": values}}
	}
	for _, name := range rem.ResourceValues {
		parameters[name] = map[string]any{"ResourceValue": map[string]any{"Value": "RESOURCE_ID"}}
	}
	m := map[string]any{
		"Arn": rem.ARN, "ConfigRuleName": rule.Name, "TargetType": "SSM_DOCUMENT", "TargetId": rem.TargetID,
		"Automatic": rem.Automatic, "Parameters": parameters,
		"ExecutionControls": map[string]any{"SsmControls": map[string]any{
			"ConcurrentExecutionRatePercentage": rem.ConcurrentPercent, "ErrorPercentage": rem.ErrorPercent,
		}},
	}
	setText(m, "TargetVersion", rem.TargetVersion)
	setText(m, "ResourceType", rem.ResourceType)
	if rem.Automatic {
		m["MaximumAutomaticAttempts"], m["RetryAttemptSeconds"] = rem.Attempts, rem.RetrySeconds
	}
	return m
}

func putRemediationsCall(s *Sim, c *call) (any, error) {
	var in struct{ RemediationConfigurations []remediationInput }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	a, r := s.place(c)
	if err := tooMany("remediationConfigurations", len(in.RemediationConfigurations), 25); err != nil {
		return nil, err
	}
	// All are looked at before any is put, so that a refusal leaves nothing behind.
	var put []func()
	for _, one := range in.RemediationConfigurations {
		rule, rem, err := s.readRemediation(a, r, one)
		if err != nil {
			return nil, err
		}
		put = append(put, func() { s.attach(r, rule, rem) })
	}
	for _, f := range put {
		f()
	}
	return map[string]any{"FailedBatches": []any{}}, nil
}

func between(member string, v *int, standard, low, high int) (int, error) {
	if v == nil {
		return standard, nil
	}
	if *v < low || *v > high {
		return 0, fail(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%d' at 'remediationConfigurations.1.member.%s' failed to satisfy constraint: "+
			"Member must have value between %d and %d", *v, member, low, high))
	}
	return *v, nil
}

// putRemediation attaches a remediation to a rule or changes it.
func (s *Sim) putRemediation(a *account, r *regionState, in remediationInput) error {
	rule, rem, err := s.readRemediation(a, r, in)
	if err == nil {
		s.attach(r, rule, rem)
	}
	return err
}

// attach puts a remediation on its rule. An automatic one starts on what is
// NON_COMPLIANT already.
func (s *Sim) attach(r *regionState, rule *configRule, rem *remediation) {
	if old := rule.remediation; old != nil {
		rem.ARN, rem.executions, rem.exceptions = old.ARN, old.executions, old.exceptions
	}
	rule.remediation = rem
	if rem.Automatic {
		s.remediateExisting(r, rule)
	}
}

// readRemediation holds a remediation to its rule, document and limits.
func (s *Sim) readRemediation(a *account, r *regionState, in remediationInput) (*configRule, *remediation, error) {
	rule := r.rules[in.ConfigRuleName]
	switch {
	case rule == nil:
		return nil, nil, noSuchRule(in.ConfigRuleName)
	case rule.CreatedBy != "":
		return nil, nil, fail(400, "InsufficientPermissionsException", "Remediation configurations are not supported for service-linked AWS Config rules: "+rule.Name+".")
	case in.TargetType != "SSM_DOCUMENT":
		return nil, nil, fail(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value '%s' at 'remediationConfigurations.1.member.targetType' failed to satisfy constraint: "+
			"Member must satisfy enum value set: [SSM_DOCUMENT]", in.TargetType))
	case in.TargetID == "":
		return nil, nil, missing("remediationConfigurations.1.member.targetId")
	case len(in.Parameters) > 25:
		return nil, nil, tooMany("remediationConfigurations.1.member.parameters", len(in.Parameters), 25)
	}
	doc := s.findDocument(r, in.TargetID)
	if doc == nil && !publicDocument(in.TargetID) {
		return nil, nil, invalidParameter("The SSM document " + in.TargetID + " does not exist in this account and Region.")
	}
	if doc != nil && in.TargetVersion != "" && doc.version(in.TargetVersion, "") == nil {
		return nil, nil, invalidParameter("The SSM document " + in.TargetID + " has no version " + in.TargetVersion + ".")
	}
	rem := &remediation{
		TargetID: in.TargetID, TargetVersion: in.TargetVersion, ResourceType: in.ResourceType, Automatic: in.Automatic,
		Static: map[string][]string{}, executions: map[string]*remediationExecution{}, exceptions: map[string]remediationException{},
	}
	for _, name := range sortedKeys(in.Parameters) {
		p := in.Parameters[name]
		switch {
		case p.ResourceValue != nil && p.StaticValue == nil && p.ResourceValue.Value == "RESOURCE_ID":
			rem.ResourceValues = append(rem.ResourceValues, name)
		case p.StaticValue != nil && p.ResourceValue == nil:
			rem.Static[name] = append(append([]string{}, p.StaticValue.Values...), p.StaticValue.Value...)
		default: // hashicorp/terraform-provider-aws#31428
			return nil, nil, invalidParameter("There were invalid RemediationParameterValues for configurations for AWS Config Rules")
		}
	}
	// "for automatic remediation configuration, the only valid assumeRole field
	// value is AutomationAssumeRole and you need to provide a value for
	// AutomationAssumeRole" (PutRemediationConfigurations).
	if in.Automatic {
		if v := rem.Static["AutomationAssumeRole"]; len(v) != 1 || v[0] == "" {
			return nil, nil, invalidParameter("You must pass AutomationAssumeRole for automatic remediation.")
		}
		if doc != nil {
			if role, _ := doc.Content["assumeRole"].(string); parameterOf(role) != "AutomationAssumeRole" {
				return nil, nil, invalidParameter("The SSM document " + in.TargetID + " must use AutomationAssumeRole as its assumeRole for automatic remediation.")
			}
		}
	}
	var err error
	if rem.Attempts, err = between("maximumAutomaticAttempts", in.MaximumAutomaticAttempts, 5, 1, 25); err != nil {
		return nil, nil, err
	}
	if rem.RetrySeconds, err = between("retryAttemptSeconds", in.RetryAttemptSeconds, 60, 1, 2678000); err != nil {
		return nil, nil, err
	}
	rem.ConcurrentPercent, rem.ErrorPercent = 10, 50
	if in.ExecutionControls != nil && in.ExecutionControls.SsmControls != nil {
		controls := in.ExecutionControls.SsmControls
		if rem.ConcurrentPercent, err = between("executionControls.ssmControls.concurrentExecutionRatePercentage", controls.ConcurrentExecutionRatePercentage, 10, 1, 100); err != nil {
			return nil, nil, err
		}
		if rem.ErrorPercent, err = between("executionControls.ssmControls.errorPercentage", controls.ErrorPercentage, 50, 1, 100); err != nil {
			return nil, nil, err
		}
	}
	rem.ARN = "arn:" + s.world.partition + ":config:" + r.name + ":" + a.ID + ":remediation-configuration/" + rule.Name + "/" + s.ids.uuid()
	return rule, rem, nil
}

func deleteRemediationCall(s *Sim, c *call) (any, error) {
	var in struct{ ConfigRuleName string }
	if err := decode(c, &in); err != nil {
		return nil, err
	}
	_, r := s.place(c)
	return map[string]any{}, s.deleteRemediation(r, in.ConfigRuleName)
}

func noSuchRemediation(rule string) error {
	return fail(400, "NoSuchRemediationConfigurationException", "No RemediationConfiguration for rule "+rule+" exists.")
}

// deleteRemediation refuses while a remediation is under way.
func (s *Sim) deleteRemediation(r *regionState, name string) error {
	rule := r.rules[name]
	if rule == nil || rule.remediation == nil {
		return noSuchRemediation(name)
	}
	for _, e := range rule.remediation.executions {
		if e.active() {
			return fail(400, "RemediationInProgressException", "Remediation action is in progress. You can either cancel execution in AWS Systems Manager or wait and try again later.")
		}
	}
	rule.remediation = nil
	return nil
}
