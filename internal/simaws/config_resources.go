package simaws

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// configResources are the AWS Config resource types.
var configResources = map[string]resourceHandler{
	"AWS::Config::ConfigurationRecorder": {
		create: putting("config:PutConfigurationRecorder", createRecorder), update: putting("config:PutConfigurationRecorder", updateRecorder), delete: deleting("config:DeleteConfigurationRecorder", removeRecorder),
		createOnly: []string{"Name"}, takes: 20 * time.Second,
	},
	"AWS::Config::DeliveryChannel": {
		create: putting("config:PutDeliveryChannel", createChannel), update: putting("config:PutDeliveryChannel", updateChannel), delete: deleting("config:DeleteDeliveryChannel", removeChannel),
		createOnly: []string{"Name"}, takes: 20 * time.Second,
	},
	"AWS::Config::ConfigRule": {
		create: putting("config:PutConfigRule", createRule), update: putting("config:PutConfigRule", updateRule), delete: deleting("config:DeleteConfigRule", removeRule),
		createOnly: []string{"ConfigRuleName"}, takes: 10 * time.Second,
	},
	"AWS::Config::RemediationConfiguration": {
		create: putting("config:PutRemediationConfigurations", createRemediation), update: putting("config:PutRemediationConfigurations", updateRemediation), delete: deleting("config:DeleteRemediationConfiguration", removeRemediation),
		createOnly: []string{"ConfigRuleName"}, takes: 5 * time.Second,
	},
	"AWS::Config::AggregationAuthorization": {
		create: putting("config:PutAggregationAuthorization", createAuthorization), update: putting("config:PutAggregationAuthorization", createAuthorization), delete: deleting("config:DeleteAggregationAuthorization", removeAuthorization),
		createOnly: []string{"AuthorizedAccountId", "AuthorizedAwsRegion"}, takes: 5 * time.Second,
	},
	"AWS::Config::ConfigurationAggregator": {
		create: putting("config:PutConfigurationAggregator", createAggregator), update: putting("config:PutConfigurationAggregator", createAggregator), delete: deleting("config:DeleteConfigurationAggregator", removeAggregator),
		createOnly: []string{"ConfigurationAggregatorName"}, takes: 5 * time.Second,
	},
}

// putting lets a handler run only where no service control policy denies the
// call that it makes as StackSets' role in the account; deleting likewise.
func putting(action string, f func(*Sim, resourceCall) (resourceResult, error)) func(*Sim, resourceCall) (resourceResult, error) {
	return func(s *Sim, c resourceCall) (resourceResult, error) {
		if err := s.executionDenied(c, action); err != nil {
			return resourceResult{}, err
		}
		return f(s, c)
	}
}

func deleting(action string, f func(*Sim, resourceCall) error) func(*Sim, resourceCall) error {
	return func(s *Sim, c resourceCall) error {
		if err := s.executionDenied(c, action); err != nil {
			return err
		}
		return f(s, c)
	}
}

// executionDenied words a denial as it reaches a stack instance's status.
func (s *Sim) executionDenied(c resourceCall, action string) error {
	arn := "arn:" + s.world.partition + ":config:" + c.Region.name + ":" + c.Account.ID + ":*"
	if c.By != nil {
		if err := s.handlerDenied(c, action, arn); err != nil {
			return configStatus(s, fail(400, "AccessDeniedException", err.Error()))
		}
		return nil
	}
	role := "stacksets-exec-" + hexOf(32, c.Account.ID, "exec")
	above := s.ceilingOf(c.Account.ID, role, action, c.Region.name)
	if above.decision == decisionAllow {
		return nil
	}
	return configStatus(s, fail(400, "AccessDeniedException", "User: arn:"+s.world.partition+":sts::"+c.Account.ID+":assumed-role/"+role+"/AWSCloudFormation is not authorized to perform: "+
		action+" on resource: "+arn+" "+above.why(action)))
}

// propertyKinds of the Config types whose values are not text: a template may
// give "true" and "10" as text.
var propertyKinds = map[string]string{
	"AllAwsRegions": "bool", "AllSupported": "bool", "IncludeGlobalResourceTypes": "bool", "Automatic": "bool",
	"MaximumAutomaticAttempts": "int", "RetryAttemptSeconds": "int", "ConcurrentExecutionRatePercentage": "int", "ErrorPercentage": "int",
}

// typed gives properties the types of the API's members.
func typed(v any, kind string) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range t {
			out[k] = typed(x, propertyKinds[k])
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = typed(x, "")
		}
		return out
	}
	switch kind {
	case "bool":
		if b, isText := v.(string); isText && (b == "true" || b == "false") {
			return b == "true"
		}
	case "int":
		if n, ok := number(v); ok {
			return int(n)
		}
	case "":
		switch v.(type) {
		case bool, int, int64, float64: // every other property is text
			return textOf(v)
		}
	}
	return v
}

// properties checks a resource's properties and decodes them. allowed begins
// with the required ones, up to "|".
func properties(c resourceCall, allowed string, into any) error {
	required, optional, _ := strings.Cut(allowed, "|")
	known := map[string]bool{}
	invalid := func(why string) error {
		return errors.New("Properties validation failed for resource " + c.LogicalID + " with message:\n#: " + why)
	}
	for _, name := range strings.Fields(required) {
		known[name] = true
		if c.Properties[name] == nil {
			return invalid("required key [" + name + "] not found")
		}
	}
	for _, name := range strings.Fields(optional) {
		known[name] = true
	}
	for _, name := range sortedKeys(c.Properties) {
		if !known[name] {
			return invalid("extraneous key [" + name + "] is not permitted")
		}
	}
	b, err := json.Marshal(typed(c.Properties, ""))
	if err != nil {
		return invalid(err.Error())
	}
	if err := json.Unmarshal(b, into); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return errors.New("Properties validation failed for resource " + c.LogicalID + " with message:\n#/" +
				strings.ReplaceAll(wrong.Field, ".", "/") + ": expected type: " + wrong.Type.String() + ", found: " + wrong.Value)
		}
		return invalid(err.Error())
	}
	return nil
}

// configStatus words an API error as CloudFormation's Config handlers do.
func configStatus(s *Sim, err error) error {
	var api *apiError
	if !errors.As(err, &api) {
		return err
	}
	return fmt.Errorf("%s (Service: AmazonConfig; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)", api.Message, api.Status, api.Code, s.ids.uuid())
}

// generatedName is the name that CloudFormation gives to what has none.
func generatedName(s *Sim, c resourceCall) string {
	return c.LogicalID + "-" + s.ids.upper(12)
}

const recorderProperties = "RoleARN | Name RecordingGroup RecordingMode"

// createRecorder makes the recorder and, as CloudFormation does, starts it as
// soon as there is a delivery channel.
func createRecorder(s *Sim, c resourceCall) (resourceResult, error) {
	var in recorderInput
	if err := properties(c, recorderProperties, &in); err != nil {
		return resourceResult{}, err
	}
	if in.Name == "" {
		in.Name = generatedName(s, c)
	}
	// CloudFormation puts: a recorder of that name that is there already is taken over.
	if err := s.putRecorderOfStack(c.Region, in); err != nil {
		return resourceResult{}, configStatus(s, err)
	}
	if ch := c.Region.channel; ch != nil {
		// A channel of the same stack that came first could not be proven
		// without a recorder.
		if err := s.checkDelivery(c.Account, c.Region, channelInput{S3BucketName: ch.Bucket, S3KeyPrefix: ch.KeyPrefix, S3KmsKeyArn: ch.KMSKey}); err != nil {
			s.recorderChanges(c.Region)
			c.Region.recorder = nil
			return resourceResult{}, configStatus(s, err)
		}
		s.startRecorder(c.Region)
	}
	return resourceResult{PhysicalID: in.Name, Attributes: map[string]any{"Id": in.Name}}, nil
}

// putRecorderOfStack is the call that CloudFormation's handler makes, which the service
// holds to its model as any other: the registry's schema has no list of types.
func (s *Sim) putRecorderOfStack(r *regionState, in recorderInput) error {
	if g := in.RecordingGroup; g != nil && len(g.ResourceTypes) > 0 {
		var listed []any
		for _, t := range g.ResourceTypes {
			listed = append(listed, t)
		}
		given := map[string]any{"ConfigurationRecorder": map[string]any{"recordingGroup": map[string]any{"resourceTypes": listed}}}
		var problems []string
		for _, k := range constraints["config"]["PutConfigurationRecorder"] {
			if slices.Contains(k.path, "resourceTypes") {
				k.hold(given, k.path, "", &problems)
			}
		}
		if len(problems) > 0 {
			return fail(400, "ValidationException", "1 validation error detected: "+problems[0])
		}
	}
	return s.putRecorder(r, in)
}

func updateRecorder(s *Sim, c resourceCall) (resourceResult, error) {
	var in recorderInput
	if err := properties(c, recorderProperties, &in); err != nil {
		return resourceResult{}, err
	}
	in.Name = c.PhysicalID
	if err := s.putRecorderOfStack(c.Region, in); err != nil {
		return resourceResult{}, configStatus(s, err)
	}
	if c.Region.channel != nil {
		s.startRecorder(c.Region)
	}
	return resourceResult{PhysicalID: in.Name, Attributes: map[string]any{"Id": in.Name}}, nil
}

func removeRecorder(s *Sim, c resourceCall) error {
	if rec := c.Region.recorder; rec != nil && rec.Name == c.PhysicalID {
		s.stopRecorder(c.Region)
		s.recorderChanges(c.Region)
		c.Region.recorder = nil
	}
	return nil
}

const channelProperties = "S3BucketName | Name S3KeyPrefix S3KmsKeyArn SnsTopicARN ConfigSnapshotDeliveryProperties"

// createChannel makes the channel. CloudFormation lets recorder and channel of
// one stack wait for each other; a channel that comes first is taken and its
// recorder starts when it comes.
func createChannel(s *Sim, c resourceCall) (resourceResult, error) {
	var in channelInput
	if err := properties(c, channelProperties, &in); err != nil {
		return resourceResult{}, err
	}
	if in.Name == "" {
		in.Name = generatedName(s, c)
	}
	r := c.Region
	waiting := r.recorder == nil || r.recorder.ServicePrincipal != ""
	if waiting {
		if err := s.setChannel(c.Account, r, in, s.checkBucket); err != nil {
			return resourceResult{}, configStatus(s, err)
		}
	} else {
		if err := s.putChannel(c.Account, r, in); err != nil {
			return resourceResult{}, configStatus(s, err)
		}
		s.startRecorder(r)
	}
	return resourceResult{PhysicalID: in.Name, Attributes: map[string]any{"Id": in.Name}}, nil
}

func updateChannel(s *Sim, c resourceCall) (resourceResult, error) {
	var in channelInput
	if err := properties(c, channelProperties, &in); err != nil {
		return resourceResult{}, err
	}
	in.Name = c.PhysicalID
	if err := s.putChannel(c.Account, c.Region, in); err != nil {
		return resourceResult{}, configStatus(s, err)
	}
	return resourceResult{PhysicalID: in.Name, Attributes: map[string]any{"Id": in.Name}}, nil
}

// removeChannel stops the recorder first: the last channel of a running recorder
// cannot be deleted.
func removeChannel(s *Sim, c resourceCall) error {
	r := c.Region
	if r.channel == nil || r.channel.Name != c.PhysicalID {
		return nil
	}
	if r.recorder != nil && r.recorder.ServicePrincipal == "" {
		s.stopRecorder(r)
	}
	if err := s.deleteChannel(r, c.PhysicalID); err != nil {
		return configStatus(s, err)
	}
	return nil
}

const ruleProperties = "Source | ConfigRuleName Description Scope InputParameters MaximumExecutionFrequency EvaluationModes Compliance"

func ruleResult(rule *configRule) resourceResult {
	return resourceResult{PhysicalID: rule.Name, Attributes: map[string]any{
		"Arn": rule.ARN, "ConfigRuleId": rule.ID, "Compliance.Type": "INSUFFICIENT_DATA",
	}}
}

func createRule(s *Sim, c resourceCall) (resourceResult, error) {
	var in ruleInput
	if err := properties(c, ruleProperties, &in); err != nil {
		return resourceResult{}, err
	}
	if in.ConfigRuleName == "" {
		in.ConfigRuleName = generatedName(s, c)
	} else if c.Region.rules[in.ConfigRuleName] != nil {
		return resourceResult{}, errors.New(in.ConfigRuleName + " already exists.")
	}
	rule, err := s.putRule(c.Region, in)
	if err != nil {
		return resourceResult{}, configStatus(s, err)
	}
	return ruleResult(rule), nil
}

func updateRule(s *Sim, c resourceCall) (resourceResult, error) {
	var in ruleInput
	if err := properties(c, ruleProperties, &in); err != nil {
		return resourceResult{}, err
	}
	in.ConfigRuleName = c.PhysicalID
	if c.Region.rules[c.PhysicalID] == nil {
		return resourceResult{}, configStatus(s, noSuchRule(c.PhysicalID))
	}
	rule, err := s.putRule(c.Region, in)
	if err != nil {
		return resourceResult{}, configStatus(s, err)
	}
	return ruleResult(rule), nil
}

func removeRule(s *Sim, c resourceCall) error {
	if c.Region.rules[c.PhysicalID] == nil {
		return nil
	}
	if err := s.deleteRule(c.Region, c.PhysicalID); err != nil {
		return configStatus(s, err)
	}
	return nil
}

const remediationProperties = "ConfigRuleName TargetId TargetType | TargetVersion Parameters ResourceType Automatic ExecutionControls MaximumAutomaticAttempts RetryAttemptSeconds"

func createRemediation(s *Sim, c resourceCall) (resourceResult, error) {
	var in remediationInput
	if err := properties(c, remediationProperties, &in); err != nil {
		return resourceResult{}, err
	}
	if rule := c.Region.rules[in.ConfigRuleName]; rule != nil && rule.remediation != nil && c.PhysicalID == "" {
		return resourceResult{}, errors.New(in.ConfigRuleName + " already exists.")
	}
	if err := s.putRemediation(c.Account, c.Region, in); err != nil {
		return resourceResult{}, configStatus(s, err)
	}
	return resourceResult{PhysicalID: in.ConfigRuleName, Attributes: map[string]any{"Id": in.ConfigRuleName}}, nil
}

// updateRemediation puts the configuration anew, under the same rule.
func updateRemediation(s *Sim, c resourceCall) (resourceResult, error) {
	return createRemediation(s, c)
}

func removeRemediation(s *Sim, c resourceCall) error {
	rule := c.Region.rules[c.PhysicalID]
	if rule == nil || rule.remediation == nil {
		return nil
	}
	if err := s.deleteRemediation(c.Region, c.PhysicalID); err != nil {
		return configStatus(s, err)
	}
	return nil
}
