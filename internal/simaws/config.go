package simaws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// configOps are the calls of AWS Config served, by name. Member names are those
// of the service model: PascalCase around compliance, camelCase inside
// recorders, channels, items and resource keys.
var configOps = map[string]handler{
	"DescribeConfigurationRecorders":               describeRecorders,
	"DescribeConfigurationRecorderStatus":          describeRecorderStatus,
	"PutConfigurationRecorder":                     putRecorderCall,
	"DeleteConfigurationRecorder":                  deleteRecorderCall,
	"StartConfigurationRecorder":                   startRecorderCall,
	"StopConfigurationRecorder":                    stopRecorderCall,
	"DescribeDeliveryChannels":                     describeChannels,
	"DescribeDeliveryChannelStatus":                describeChannelStatus,
	"PutDeliveryChannel":                           putChannelCall,
	"DeleteDeliveryChannel":                        deleteChannelCall,
	"DescribeConfigRules":                          describeRules,
	"DescribeConfigRuleEvaluationStatus":           describeEvaluationStatus,
	"PutConfigRule":                                putRuleCall,
	"DeleteConfigRule":                             deleteRuleCall,
	"StartConfigRulesEvaluation":                   startEvaluation,
	"DescribeComplianceByConfigRule":               complianceByRule,
	"GetComplianceDetailsByConfigRule":             complianceDetailsByRule,
	"DescribeComplianceByResource":                 complianceByResource,
	"GetComplianceDetailsByResource":               complianceDetailsByResource,
	"DescribeRemediationConfigurations":            describeRemediations,
	"PutRemediationConfigurations":                 putRemediationsCall,
	"DeleteRemediationConfiguration":               deleteRemediationCall,
	"DescribeRemediationExecutionStatus":           describeRemediationStatus,
	"StartRemediationExecution":                    startRemediationCall,
	"DescribeRemediationExceptions":                describeExceptions,
	"PutRemediationExceptions":                     putExceptions,
	"DeleteRemediationExceptions":                  deleteExceptions,
	"ListDiscoveredResources":                      listDiscovered,
	"GetResourceConfigHistory":                     resourceHistory,
	"DescribeConformancePacks":                     emptyAnswer("ConformancePackDetails"),
	"SelectResourceConfig":                         selectResources,
	"SelectAggregateResourceConfig":                selectAggregate,
	"BatchGetResourceConfig":                       batchResources,
	"GetDiscoveredResourceCounts":                  discoveredCounts,
	"GetComplianceSummaryByConfigRule":             summaryByRule,
	"GetComplianceSummaryByResourceType":           summaryByType,
	"DeliverConfigSnapshot":                        deliverSnapshot,
	"PutRetentionConfiguration":                    putRetention,
	"DescribeRetentionConfigurations":              describeRetentions,
	"DeleteRetentionConfiguration":                 deleteRetention,
	"DeleteEvaluationResults":                      deleteResults,
	"GetCustomRulePolicy":                          customPolicy,
	"TagResource":                                  tagConfig,
	"UntagResource":                                untagConfig,
	"ListTagsForResource":                          listConfigTags,
	"ListConfigurationRecorders":                   listRecorders,
	"AssociateResourceTypes":                       associateTypes,
	"DisassociateResourceTypes":                    disassociateTypes,
	"PutServiceLinkedConfigurationRecorder":        putLinkedRecorder,
	"DeleteServiceLinkedConfigurationRecorder":     deleteLinkedRecorder,
	"PutConfigurationAggregator":                   putAggregatorCall,
	"DescribeConfigurationAggregators":             describeAggregators,
	"DescribeConfigurationAggregatorSourcesStatus": describeSources,
	"DeleteConfigurationAggregator":                deleteAggregator,
	"PutAggregationAuthorization":                  putAuthorization,
	"DescribeAggregationAuthorizations":            describeAuthorizations,
	"DeleteAggregationAuthorization":               deleteAuthorization,
	"DescribePendingAggregationRequests":           describePending,
	"DeletePendingAggregationRequest":              deletePending,
	"DescribeAggregateComplianceByConfigRules":     aggregateCompliance,
	"GetAggregateConfigRuleComplianceSummary":      aggregateSummary,
	"GetAggregateComplianceDetailsByConfigRule":    aggregateDetails,
	"ListAggregateDiscoveredResources":             aggregateResources,
	"GetAggregateDiscoveredResourceCounts":         aggregateCounts,
	"BatchGetAggregateResourceConfig":              aggregateBatch,
	"GetAggregateResourceConfig":                   aggregateConfig,
	"DescribeOrganizationConfigRules":              emptyAnswer("OrganizationConfigRules"),
	"DescribeOrganizationConformancePacks":         emptyAnswer("OrganizationConformancePacks"),
}

// emptyAnswer serves a list of things that the simulated organization has none of.
func emptyAnswer(member string) handler {
	return func(*Sim, *call) (any, error) { return map[string]any{member: []any{}}, nil }
}

// place is where a call is made.
func (s *Sim) place(c *call) (*account, *regionState) {
	a := s.world.accounts[c.Caller.Account]
	return a, a.region(c.Region)
}

// decode reads a JSON request; AWS answers SerializationException to what it
// cannot read.
func decode(c *call, into any) error {
	if len(strings.TrimSpace(string(c.Body))) == 0 {
		return nil
	}
	if err := json.Unmarshal(c.Body, into); err != nil {
		return fail(400, "SerializationException", "STRING_VALUE or structure cannot be converted: "+err.Error())
	}
	return nil
}

// pageOf cuts a page from a list. The token is the offset, opaque to callers.
func pageOf[T any](list []T, limit int, token string) (page []T, next string, err error) {
	from := 0
	if token != "" {
		raw, decodeErr := base64.RawURLEncoding.DecodeString(token)
		n, convErr := strconv.Atoi(strings.TrimPrefix(string(raw), "offset:"))
		if decodeErr != nil || convErr != nil || n < 0 || n > len(list) || !strings.HasPrefix(string(raw), "offset:") {
			return nil, "", fail(400, "InvalidNextTokenException", "The nextToken provided is invalid")
		}
		from = n
	}
	to := len(list)
	if limit > 0 && from+limit < to {
		to = from + limit
		next = base64.RawURLEncoding.EncodeToString([]byte(fmt.Sprintf("offset:%d", to)))
	}
	return list[from:to], next, nil
}

// limitOf checks a Limit member: 0 and absent mean the default.
func limitOf(limit *int, standard, most int, name string) (int, error) {
	if limit == nil || *limit == 0 {
		return standard, nil
	}
	if *limit < 0 || *limit > most {
		return 0, fail(400, "InvalidLimitException",
			fmt.Sprintf("Value '%d' at '%s' failed to satisfy constraint: Member must have value less than or equal to %d", *limit, name, most))
	}
	return *limit, nil
}

// tooMany is AWS's answer to a list that is longer than the model allows.
func tooMany(member string, n, most int) error {
	if n <= most {
		return nil
	}
	return fail(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value at '%s' failed to satisfy constraint: "+
		"Member must have length less than or equal to %d", member, most))
}

func missing(member string) error {
	return fail(400, "ValidationException", fmt.Sprintf("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", member))
}

func noSuchRule(name string) error {
	return fail(400, "NoSuchConfigRuleException",
		"The ConfigRule '"+name+"' provided in the request is invalid. Please check the configRule name")
}

// epoch is a JSON timestamp: seconds, with milliseconds.
func epoch(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// setTime adds a timestamp that has happened.
func setTime(m map[string]any, name string, t time.Time) {
	if !t.IsZero() {
		m[name] = epoch(t)
	}
}

// setText adds a text that is not empty.
func setText(m map[string]any, name, value string) {
	if value != "" {
		m[name] = value
	}
}

// fromEpoch reads a JSON timestamp.
func fromEpoch(seconds float64) time.Time {
	if seconds <= 0 || seconds > 1e12 {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}
