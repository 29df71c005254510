package simaws

import (
	"fmt"
	"net/http"
	"strings"
)

// checkLogGroup: CloudWatch Logs tries whether it may use the key for this group (user
// guide, Encrypt log data; the text as AssociateKmsKey answers).
func checkLogGroup(s *Sim, c resourceCall) error {
	arn := textOf(c.Properties["KmsKeyId"])
	if arn == "" || !strings.Contains(arn, ":"+c.Account.ID+":key/") { // another account's key is not looked at
		return nil
	}
	group := fieldARN(s, c, "logs:log-group:"+orElse(textOf(c.Properties["LogGroupName"]), c.PhysicalID))
	key := c.Region.keyOf(arn)
	usable := key != nil && key.Gone.IsZero() && textOf(key.Properties["Enabled"]) != "false"
	if usable {
		policy, err := keyPolicy(s, c.Account, key.Properties)
		usable = err == nil && allowsService(policy, "logs."+c.Region.name+".amazonaws.com", "kms:GenerateDataKey", arn, map[string]string{
			"kms:encryptioncontext:aws:logs:arn": group, "aws:sourcearn": group, "aws:sourceaccount": c.Account.ID,
		})
	}
	if !usable {
		return handlerError(s, "CloudWatchLogs", http.StatusBadRequest, "InvalidRequest", "The specified KMS key does not exist or is not allowed to be used with Arn '"+group+"'")
	}
	return nil
}

// groupCalls: retention and key have calls of their own.
func groupCalls(c resourceCall) (calls []string) {
	put, took := c.Properties["RetentionInDays"] != nil, c.Old["RetentionInDays"] != nil
	switch {
	case put && textOf(c.Properties["RetentionInDays"]) != textOf(c.Old["RetentionInDays"]):
		calls = append(calls, "logs:PutRetentionPolicy")
	case took && !put:
		calls = append(calls, "logs:DeleteRetentionPolicy")
	}
	if c.PhysicalID != "" && textOf(c.Properties["KmsKeyId"]) != textOf(c.Old["KmsKeyId"]) {
		calls = append(calls, map[bool]string{true: "logs:DisassociateKmsKey", false: "logs:AssociateKmsKey"}[c.Properties["KmsKeyId"] == nil])
	}
	return calls
}

// removeLogGroup: filters go with their group; a protected one stays.
func removeLogGroup(s *Sim, c resourceCall, group *keptResource) error {
	if textOf(group.Properties["DeletionProtectionEnabled"]) == "true" {
		return handlerError(s, "CloudWatchLogs", http.StatusBadRequest, "InvalidRequest", "Cannot delete log group with deletion protection enabled")
	}
	for key, filter := range c.Region.kept["AWS::Logs::MetricFilter"] {
		if textOf(filter.Properties["LogGroupName"]) == group.PhysicalID {
			delete(c.Region.kept["AWS::Logs::MetricFilter"], key)
		}
	}
	return nil
}

func checkMetricFilter(s *Sim, c resourceCall) error {
	group := textOf(c.Properties["LogGroupName"])
	// validMembers has seen that it is a list; of one (PutMetricFilter).
	if list, _ := c.Properties["MetricTransformations"].([]any); len(list) != 1 {
		return invalidProperty(c, fmt.Sprintf("/MetricTransformations: expected maximum item count: 1, found: %d", len(list)))
	}
	if c.Region.kept["AWS::Logs::LogGroup"][group] == nil {
		// gilt/s3-sftp-bridge#2
		return notFoundLogs(s, "The specified log group does not exist.")
	}
	n := 0
	for _, filter := range c.Region.kept["AWS::Logs::MetricFilter"] {
		if textOf(filter.Properties["LogGroupName"]) == group {
			n++
		}
	}
	if c.PhysicalID == "" && n >= 100 { // CloudWatch Logs user guide, Quotas
		return handlerError(s, "CloudWatchLogs", http.StatusBadRequest, "ServiceLimitExceeded", "Resource limit exceeded.")
	}
	return nil
}

// notFoundLogs: CloudWatch Logs answers 400 also where nothing is found.
func notFoundLogs(s *Sim, message string) error {
	return handlerError(s, "CloudWatchLogs", http.StatusBadRequest, "NotFound", message)
}

// filterTaken: the handler looks first, for PutMetricFilter would change the filter
// (aws-cloudformation/aws-cloudformation-resource-providers-logs, CreateHandler).
func filterTaken(s *Sim, c resourceCall, name string) error {
	return alreadyExists(s, "AWS::Logs::MetricFilter", fmt.Sprintf(`"/properties/LogGroupName":"%s","/properties/FilterName":"%s"`, textOf(c.Properties["LogGroupName"]), name))
}

// checkAlarm: one way to say what is measured (API reference, PutMetricAlarm).
func checkAlarm(s *Sim, c resourceCall) error {
	p := c.Properties
	refuse := func(message string) error {
		return handlerError(s, "CloudWatch", http.StatusBadRequest, "InvalidRequest", message)
	}
	switch {
	case p["EvaluationCriteria"] != nil:
		return nil
	case p["ComparisonOperator"] == nil:
		return invalidProperty(c, ": required key [ComparisonOperator] not found")
	case p["EvaluationPeriods"] == nil:
		return invalidProperty(c, ": required key [EvaluationPeriods] not found")
	case p["MetricName"] != nil && p["Metrics"] != nil:
		return refuse("The parameters MetricName and Metrics are mutually exclusive")
	case p["MetricName"] == nil && p["Metrics"] == nil:
		return refuse("Exactly one element of the metrics list, or a MetricName, must be given")
	case p["MetricName"] != nil && p["Statistic"] == nil && p["ExtendedStatistic"] == nil:
		return refuse("Exactly one of Statistic and ExtendedStatistic must be specified")
	case p["Statistic"] != nil && p["ExtendedStatistic"] != nil:
		return refuse("The parameters Statistic and ExtendedStatistic are mutually exclusive")
	}
	return nil
}
